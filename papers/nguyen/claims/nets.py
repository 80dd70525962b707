"""Networks behind the claims of Nguyen et al. 2021: which ones a claim takes, which show a block."""

from dataclasses import dataclass, replace

import numpy as np

from papers.nguyen.claims.failures import A_BLOCK, NO_BLOCK, failing, outvoted
from papers.nguyen.claims.labels import SHARES, channels, label
from papers.nguyen.claims.numbers import say
from pipeline.cells import Size
from pipeline.claims import LEFT_OUT, TOO_FEW, Bench, Claim, Estimate, Lack, first_of

HAS_BLOCK = 0.3  # share of the layers: "the first visible block"; below it, a network shows none
DEEPEST = 110  # the paper's deep network with a block is ResNet-110 (1x); its wide one, the widest ResNet-38
FEWEST = 3  # sizes that a trend needs, seeds that stand behind a rise
UNTRAINED = ("untrained", "untrained_plain")  # variants that are controls: no floor holds for them
ABSENT = Lack(LEFT_OUT, "no such network at this scale")


@dataclass(frozen=True)
class Net:
    """One architecture in one variant.

    results: {measure: Cells}. size: None where the scale has left all of its kind out. seeds: those that a
    claim looks at, of `trained` that all the measures have. lacks: why claims about it cannot be tested.
    failed: in what it is not as the paper's network, "no block formed": claims about it then fail.
    """

    results: dict
    study: str
    variant: str
    size: Size | None = None
    seeds: tuple = ()
    trained: int = 0
    lacks: Lack | None = None
    failed: str = ""

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

    def estimate(self, function, step=0.0) -> Estimate:
        """Mean of function(net, seed) and its standard error over seeds. step: as of `Estimate.of`."""
        return Estimate.of(self.each(function), step)

    def step(self) -> float:
        """Between two block fractions: one layer."""
        return 1 / len(self.of("cka", "layers")) if self.size else 0.0

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
        if not self.size:
            return "no network"
        return label(self.size.depth, self.size.width, channels(self.results["cka"], self.size.key))

    def data(self) -> str:
        """What it was trained on, in words."""
        return SHARES[self.variant]

    def blocks(self) -> str:
        """The block's share of the layers, in words."""
        return f"block fraction {say(self.each(Net.share), step=self.step())}"

    def bench(self, case, note="") -> Bench:
        some = f"{len(self.seeds)} of {self.trained}" if len(self.seeds) < self.trained else f"{self.trained}"
        seeds = f"{some} seed{'s' * (self.trained != 1)}"
        return case.bench(f"{self.label()}, {self.data()}, {seeds}", note, self.lacks)

    def judge(self, case, statement, paper, ours, found, *, note="", lacks=None, **how) -> Claim:
        """A claim about this network, as `Bench.judge` has it; one that has failed is not reproduced.

        found: its estimate over seeds.
        """
        bench, lacks = self.bench(case, note), first_of(self.lacks, lacks, self.too_few())
        if self.failed:
            return failing(bench, statement, paper, self.blocks(), self.failed, lacks)
        return bench.judge(statement, paper, ours, found, lacks=lacks, **how)

    def too_few(self) -> Lack | None:
        """What fewer than three seeds lack."""
        few = Lack(TOO_FEW, f"three seeds are needed, here {self.trained}")
        return few if self.trained < FEWEST else None


def nets(case, study, measures=(), variant=None) -> list:
    """The networks of a variant, the shown one by default, that CKA and the measures have, smallest first."""
    variant = variant or case.shown
    results = {measure: case.kept(study, measure, variant) for measure in ("cka", *measures)}
    seeds_of = [{size.key: set(size.seeds) for size in result.sizes()} for result in results.values()]
    found = []
    for size in results["cka"].sizes():
        shared = set.intersection(*(seeds.get(size.key, set()) for seeds in seeds_of))
        if shared:
            seeds = tuple(sorted(shared))
            found.append(
                Net(results, study, variant, size, seeds, len(seeds), unlearned(case, study, variant, size))
            )
    return found


def unlearned(case, study, variant, size) -> Lack | None:
    """What a size lacks that has not learned more than its pixels give; untrained ones need not."""
    return None if variant in UNTRAINED else case.unlearned(study, variant, size.accuracy)


def pick(case, study, choose, measures=()) -> Net:
    """The network that `choose` takes from those kept, which it gets smallest first."""
    kept = nets(case, study, measures)
    return choose(kept) if kept else Net({}, study, case.shown, lacks=ABSENT)


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
    """The seeds that show a block; all of them where at most half do, and the network has failed."""
    return showing(net, lambda share: share >= HAS_BLOCK, NO_BLOCK)


def without_block(net) -> Net:
    """The seeds that show none; all of them where at most half do, and the network has failed."""
    return showing(net, lambda share: share < HAS_BLOCK, A_BLOCK)


def showing(net, wanted, otherwise) -> Net:
    shares = net.each(Net.share)
    kept = tuple(seed for seed, share in zip(net.seeds, shares, strict=True) if wanted(share))
    failed = outvoted(kept, net.seeds, otherwise)
    return replace(net, failed=failed) if failed else replace(net, seeds=kept)


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
