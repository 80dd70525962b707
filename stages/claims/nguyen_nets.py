"""Networks behind the claims of Nguyen et al. 2021: which ones a claim takes, whether they show a block, how numbers are said."""
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from stages.claims import Bench

HAS_BLOCK = 0.2     # block fraction below which a network shows no block: figure D.1's bound
STILL_WITHOUT = 0.5  # block fraction from which a network does have one that the paper shows without
DEEPEST = 110       # the paper's deep network with a block is ResNet-110 (1x); the wide one is the widest, ResNet-38 (10x)
FEWEST = 3          # sizes that a trend needs, seeds that a correlation over seeds needs
# Data on which the networks with a block are trained: a small scale's networks form one on little data only.
VARIANT = {"smoke": "sixteenth", "quick": "sixteenth", "gpu": "all", "paper": "all"}
SHARES = {"all": "all data", "half": "1/2 of the data", "quarter": "1/4 of the data", "sixteenth": "1/16 of the data",
          "plain": "without residual connections", "untrained": "untrained"}


@dataclass(frozen=True)
class Net:
    """One architecture in one variant.

    results: {measure: result}. key: its size, None where the scale has left all of its kind out. seeds: those that a claim looks at,
    of `trained` that all the measures have. lacks: what keeps it from being a network such as the paper's.
    """
    results: dict
    variant: str
    key: str | None = None
    seeds: tuple = ()
    trained: int = 0
    lacks: str = ""

    def of(self, measure, name):
        return self.results[measure][f"{self.key}/{name}"]

    def at(self, measure, seed, name):
        """A measure of one seed, float64."""
        return np.asarray(self.results[measure][f"{self.key}/{seed}/{name}"], np.float64)

    def has(self, measure, name) -> bool:
        return all(f"{self.key}/{seed}/{name}" in self.results[measure] for seed in self.seeds)

    def each(self, function):
        """function(net, seed) of each seed: (seeds,) float64."""
        return np.array([function(self, seed) for seed in self.seeds], np.float64)

    def block(self, seed, name="block"):
        """Fraction, start and stop."""
        fraction, start, stop = self.at("cka", seed, name)
        return float(fraction), int(start), int(stop)

    def inside(self, seed):
        """Which layers lie in the block: (L,) bool."""
        _, start, stop = self.block(seed)
        position = np.arange(len(self.of("cka", "layers")))
        return (position >= start) & (position < stop)

    def label(self) -> str:
        return f"ResNet-{int(self.of('cka', 'depth'))} ({float(self.of('cka', 'width')):g}x)" if self.key else "no network"

    def bench(self, figure, scale, width, note="") -> Bench:
        seeds = f"{len(self.seeds)} of {self.trained}" if len(self.seeds) < self.trained else str(self.trained)
        return Bench(figure, scale, width, f"{self.label()}, {SHARES[self.variant]}, {seeds} seed{'s' * (self.trained != 1)}",
                     note, self.lacks)


def size(key) -> float:
    return float(key[1:])


def sizes(result) -> list:
    """Keys of the sizes that have a network in the result, smallest first."""
    return sorted((name.split("/")[0] for name, value in result.items() if name.endswith("/seeds") and len(value)), key=size)


def seeds_of(result, key) -> list:
    return [int(seed) for seed in result[f"{key}/seeds"]]


def fractions(result) -> dict:
    """Block fractions of all seeds of each size, smallest first: {key: (seeds,)}."""
    return {key: np.array([float(result[f"{key}/{seed}/block"][0]) for seed in seeds_of(result, key)]) for key in sizes(result)}


def nets(load, study, variant, measures=()) -> list:
    """The networks of a variant that CKA and the measures have, smallest first."""
    results = {measure: load(study, measure, variant) for measure in ("cka", *measures)}
    found = []
    for key in sizes(results["cka"]):
        having = [set(seeds_of(result, key)) if f"{key}/seeds" in result else set() for result in results.values()]
        seeds = tuple(sorted(set.intersection(*having)))
        found += [Net(results, variant, key, seeds, len(seeds))] if seeds else []
    return found


def pick(load, study, variant, choose, measures=()) -> Net:
    """The network whose size `choose` takes from (sizes,), ascending, by its index."""
    kept = nets(load, study, variant, measures)
    return kept[choose([size(net.key) for net in kept])] if kept else Net({}, variant, lacks="no such network at this scale")


def largest(numbers, most=np.inf) -> int:
    return max((index for index, number in enumerate(numbers) if number <= most), default=0)


def smallest(numbers) -> int:
    return 0


def nearest(wanted):
    """The size next to one of the paper's, the smaller of two."""
    return lambda numbers: int(np.argmin(np.abs(np.array(numbers) - wanted)))


def with_block(net) -> Net:
    """The seeds that show a block; all of them, and what is lacking, where none does."""
    shares = net.each(lambda net, seed: net.block(seed)[0])
    kept = tuple(seed for seed, share in zip(net.seeds, shares) if share >= HAS_BLOCK)
    return replace(net, seeds=kept) if kept or net.lacks else replace(net, lacks=f"no block formed: block fraction {say(shares)}")


def without_block(net) -> Net:
    """The seeds that show none; all of them, and what is in the way, where each has one."""
    shares = net.each(lambda net, seed: net.block(seed)[0])
    kept = tuple(seed for seed, share in zip(net.seeds, shares) if share < STILL_WITHOUT)
    return replace(net, seeds=kept) if kept or net.lacks else replace(net, lacks=f"a block formed: block fraction {say(shares)}")


def large_nets(load, scale, measures=()) -> list:
    """The paper's networks with a block, ResNet-110 (1x) and ResNet-38 (10x), or the largest kept; all their seeds."""
    return [pick(load, "nguyen_deep", VARIANT[scale], lambda numbers: largest(numbers, DEEPEST), measures),
            pick(load, "nguyen_wide", VARIANT[scale], largest, measures)]


def pairs(matrix, keep=None):
    """Entries of pairs of different layers: (L, L) -> (pairs,), NaN where one is dead. keep: (L,) bool, of these layers alone."""
    matrix = np.asarray(matrix, np.float64)
    matrix = matrix if keep is None else matrix[np.ix_(keep, keep)]
    return matrix[np.triu_indices(len(matrix), 1)]


def mean(values) -> float:
    """Over live entries; NaN of none."""
    values = np.asarray(values, np.float64)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else np.nan


def correlation(x, y, kind) -> float:
    """kind: pearsonr or spearmanr of scipy.stats, over pairs of which both are live. NaN below 2 or where one is constant."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    live = np.isfinite(x) & np.isfinite(y)
    x, y = x[live], y[live]
    return float(kind(x, y).statistic) if len(x) > 1 and np.ptp(x) and np.ptp(y) else np.nan


def spearman(x, y) -> float:
    return correlation(x, y, stats.spearmanr)


def pearson(x, y) -> float:
    return correlation(x, y, stats.pearsonr)


def unless(number, what) -> str:
    """What a claim lacks where its number is undefined."""
    return what if np.isnan(number) else ""


def say(values, digits=2, factor=1, unit="") -> str:
    """Mean and standard deviation over networks."""
    values = factor * np.atleast_1d(np.asarray(values, np.float64))
    values = values[np.isfinite(values)]
    spread = f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}{unit}" if len(values) else "–"


def percent(values) -> str:
    return say(values, 1, 100, " %")
