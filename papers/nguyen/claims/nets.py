"""Networks behind the claims of Nguyen et al. 2021: which ones a claim takes, which show a block."""

from dataclasses import dataclass, replace

import numpy as np

from papers.nguyen.claims.numbers import say
from pipeline.cells import Size

HAS_BLOCK = 0.2  # block fraction below which a network shows no block: figure D.1's bound
STILL_WITHOUT = 0.5  # block fraction from which a network does have one that the paper shows without
DEEPEST = (
    110  # the paper's deep network with a block is ResNet-110 (1x); its wide one, ResNet-38 (10x), the widest
)
FEWEST = 3  # sizes that a trend needs, seeds that a correlation over seeds needs
SHARES = {
    "all": "all data",
    "half": "1/2 of the data",
    "quarter": "1/4 of the data",
    "sixteenth": "1/16 of the data",
    "plain": "without residual connections",
    "untrained": "untrained",
}


@dataclass(frozen=True)
class Net:
    """One architecture in one variant.

    results: {measure: Cells}. size: None where the scale has left all of its kind out. seeds: those that a
    claim looks at, of `trained` that all the measures have. lacks: what keeps it from being as the paper's.
    """

    results: dict
    variant: str
    size: Size | None = None
    seeds: tuple = ()
    trained: int = 0
    lacks: str = ""

    def of(self, measure, name):
        """What a measure says of the architecture."""
        return self.results[measure].get(name, self.size.key)

    def at(self, measure, seed, name):
        """A measure of one seed, float64."""
        return np.asarray(self.results[measure].get(name, self.size.key, seed), np.float64)

    def has(self, measure, name) -> bool:
        return all(self.results[measure].has(name, self.size.key, seed) for seed in self.seeds)

    def each(self, function):
        """function(net, seed) of each seed: (seeds,) float64."""
        return np.array([function(self, seed) for seed in self.seeds], np.float64)

    def block(self, seed, name="block"):
        """Fraction, start and stop."""
        fraction, start, stop = self.at("cka", seed, name)
        return float(fraction), int(start), int(stop)

    def share(self, seed, name="block") -> float:
        """Share of the layers that lie in the block."""
        return self.block(seed, name)[0]

    def inside(self, seed):
        """Which layers lie in the block: (L,) bool."""
        _, start, stop = self.block(seed)
        position = np.arange(len(self.of("cka", "layers")))
        return (position >= start) & (position < stop)

    def label(self) -> str:
        return label(self.size.depth, self.size.width) if self.size else "no network"

    def data(self) -> str:
        """What it was trained on, in words."""
        return SHARES[self.variant]

    def bench(self, case, note=""):
        some = f"{len(self.seeds)} of {self.trained}" if len(self.seeds) < self.trained else f"{self.trained}"
        seeds = f"{some} seed{'s' * (self.trained != 1)}"
        return case.bench(f"{self.label()}, {self.data()}, {seeds}", note, self.lacks)


def label(depth, width) -> str:
    return f"ResNet-{int(depth)} ({float(width):g}x)"


def measured(found) -> list:
    """The sizes that have a network in the result, smallest first."""
    return [size for size in found.sizes() if size.seeds]


def fractions(found) -> dict:
    """Block fractions of all seeds of each size, smallest first: {key: (seeds,)}."""
    return {
        size.key: np.array([float(found.get("block", size.key, seed)[0]) for seed in size.seeds])
        for size in measured(found)
    }


def nets(case, study, measures=(), variant=None) -> list:
    """The networks of a variant, the shown one by default, that CKA and the measures have, smallest first."""
    variant = variant or case.shown
    results = {measure: case.kept(study, measure, variant) for measure in ("cka", *measures)}
    seeds_of = [{size.key: set(size.seeds) for size in result.sizes()} for result in results.values()]
    found = []
    for size in results["cka"].sizes():
        shared = set.intersection(*(seeds.get(size.key, set()) for seeds in seeds_of))
        if shared:
            found.append(Net(results, variant, size, tuple(sorted(shared)), len(shared)))
    return found


def pick(case, study, choose, measures=()) -> Net:
    """The network that `choose` takes from those kept, which it gets smallest first."""
    kept = nets(case, study, measures)
    return choose(kept) if kept else Net({}, case.shown, lacks="no such network at this scale")


def largest(kept) -> Net:
    return kept[-1]


def smallest(kept) -> Net:
    return kept[0]


def deepest(kept) -> Net:
    """The deepest of at most 110 layers, the shallowest where there is none."""
    return next((net for net in reversed(kept) if net.size.depth <= DEEPEST), kept[0])


def nearest(along, wanted):
    """Chooses the depth or the width (along) next to one of the paper's, the smaller of two."""
    return lambda kept: min(kept, key=lambda net: abs(getattr(net.size, along) - wanted))


def with_block(net) -> Net:
    """The seeds that show a block; all of them, and what is lacking, where none does."""
    return showing(net, lambda share: share >= HAS_BLOCK, "no block formed")


def without_block(net) -> Net:
    """The seeds that show none; all of them, and what is in the way, where each has one."""
    return showing(net, lambda share: share < STILL_WITHOUT, "a block formed")


def showing(net, wanted, otherwise) -> Net:
    shares = net.each(Net.share)
    kept = tuple(seed for seed, share in zip(net.seeds, shares, strict=True) if wanted(share))
    if kept or net.lacks:
        return replace(net, seeds=kept)
    return replace(net, lacks=f"{otherwise}: block fraction {say(shares)}")


def large_nets(case, measures=()) -> list:
    """The paper's networks with a block, ResNet-110 (1x) and ResNet-38 (10x), or the largest kept."""
    return [pick(case, "deep", deepest, measures), pick(case, "wide", largest, measures)]


def small_nets(case, measures) -> list:
    """Networks that the paper shows without a block: ResNet-38 (1x), ResNet-38 (2x) and ResNet-44 (1x)."""
    chosen = (
        pick(case, "wide", nearest("width", 1 * case.width), measures),
        pick(case, "wide", nearest("width", 2 * case.width), measures),
        pick(case, "deep", nearest("depth", 44), measures),
    )
    return [without_block(net) for net in chosen]
