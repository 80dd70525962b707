"""The block and the first principal component: figures 3 and D.5 of Nguyen et al. 2021."""

import numpy as np

from papers.nguyen.claims.controls import BARE, of_own_blocks, same_layers, without_training
from papers.nguyen.claims.failures import failing
from papers.nguyen.claims.labels import SHARES
from papers.nguyen.claims.nets import HAS_BLOCK, Net, large_nets, nets, with_block
from papers.nguyen.claims.numbers import jackknife, mean, pairs, pearson, say
from papers.nguyen.claims.rows import too_few_sizes
from pipeline.claims import LEFT_OUT, UNDEFINED, Control, Estimate, Lack, first_of

# Thresholds, each with its reason.
DOMINANT = 0.5  # share of variance: "a single component explains the majority"
INSIDE = 0.0  # share of variance inside the block minus outside: any more at all
RESEMBLES = 0.8  # Pearson over layer pairs: cosines look like CKA
REDUCED = 0.5  # block fraction without the component over that with it: "highly reduced"
EXPLAINS = 0.6  # Pearson over networks: the variance is "higher where there is a block"
WITH_AND_WITHOUT = ("block", "removed_block")
ABSENT = Lack(LEFT_OUT, "CKA without the first component was not measured")


def fig3(case):
    return [claim for net in large_nets(case, ("pca",)) for claim in handed_on(case, with_block(net))]


def handed_on(case, net) -> list:
    """The component dominates the block's layers, is the same in all of them, and carries the block."""
    alike = net.estimate(likeness)
    statement = (
        "without the first component the block has less than 0.5 of the share of layers it had with it"
    )
    return [
        *dominant(case, net),
        net.judge(
            case,
            "squared cosines of first components resemble CKA: correlation over layer pairs above 0.8",
            "resembling",
            f"r = {alike.said()}",
            alike,
            above=RESEMBLES,
            control=without_training(case, net, likeness),
        ),
        shrinks(case, net, statement, "highly reduced"),
    ]


def dominant(case, net) -> list:
    """Controls are the untrained networks' same layers: what training adds to them."""
    inside, outside = (
        net.each(lambda net, seed, side=side: explained(net, seed, net.inside(seed) == side))
        for side in (True, False)
    )
    return [
        net.judge(
            case,
            "the first component explains more than 0.5 of the variance inside the block, mean over layers",
            "the majority",
            say(inside),
            Estimate.of(inside),
            above=DOMINANT,
            control=same_layers(case, net, explained),
        ),
        net.judge(
            case,
            "the first component explains more of the variance inside the block than outside",
            "dominant inside only",
            f"{Estimate.of(inside - outside).said()} more ({say(inside)} inside, {say(outside)} outside)",
            Estimate.of(inside - outside),
            above=INSIDE,
            control=same_layers(case, net, explained_more),
            lacks=nothing_outside(outside),
        ),
    ]


def nothing_outside(outside) -> Lack | None:
    undefined = outside.size and not np.isfinite(outside).any()
    return Lack(UNDEFINED, "no live layer outside the block") if undefined else None


def explained(net, seed, layers) -> float:
    """The first component's share of variance, mean over these layers, (L,) bool."""
    return mean(net.at("pca", seed, "fraction")[layers])


def explained_more(net, seed, layers) -> float:
    """By how much it is larger in these layers than in the others."""
    return explained(net, seed, layers) - explained(net, seed, ~layers)


def likeness(net, seed, keep=None) -> float:
    """Correlation over layer pairs of components' squared cosines with CKA. keep: (L,) bool."""
    cosines, similarity = net.at("pca", seed, "cosine2"), net.at("cka", seed, "cka")
    return pearson(pairs(cosines, keep), pairs(similarity, keep))


def shrinks(case, net, statement, paper):
    """The block without the first component, relative to the block with it."""
    left = remaining(net)
    whole, rest = (
        say(net.each(lambda net, seed, name=name: share(net, seed, name)), step=net.step())
        for name in WITH_AND_WITHOUT
    )
    return net.judge(
        case,
        statement,
        paper,
        f"{left.said()} ({rest} of {whole})",
        left,
        below=REDUCED,
        control=of_own_blocks(case, net, remaining),
        lacks=None if net.has("cka", "removed_block") else ABSENT,
    )


def share(net, seed, name) -> float:
    """The block's share of layers, NaN where it was not measured."""
    return net.share(seed, name) if net.has("cka", name) else np.nan


def remaining(net) -> Estimate:
    """The block without the first component over that with it; NaN where a seed shows none.

    What is left are whole layers of the block's.
    """

    def of_seed(net, seed):
        with_it, without = (share(net, seed, name) for name in WITH_AND_WITHOUT)
        return without / with_it if with_it else np.nan

    whole = mean(net.each(lambda net, seed: share(net, seed, "block")))
    return net.estimate(of_seed, net.step() / whole if whole else 0.0)


def figD5(case):
    kept, initial = sizes_of(case, case.shown), sizes_of(case, "untrained")
    shown, bare = Population(kept), Population(initial)
    bench = case.bench(f"{len(shown.shares)} networks of {len(kept)} sizes, {SHARES[case.shown]}")
    statement = (
        "the top component's share of variance in the last two stages follows the block's share of layers: "
        "correlation over networks above 0.6"
    )
    paper = "higher where there is a block; 50 networks, rows such as .54 .49 .36 .27 .22 and .58 .55 .40 .40"
    lacks = first_of(too_few_sizes(kept), *(net.lacks for net in kept))
    if not shown.formed:
        most = f"block fraction at most {shown.most:.2f}"
        return [failing(bench, statement, paper, most, "no block formed", lacks)]
    found = shown.correlation()
    return [
        bench.judge(
            statement,
            paper,
            f"r = {found.said()}, shares of variance {say(shown.variance)}",
            found,
            above=EXPLAINS,
            control=bare.control(),
            lacks=lacks,
        )
    ]


def sizes_of(case, variant) -> list:
    """Networks by depth and by width of a variant whose components were measured."""
    return [net for study in ("deep", "wide") for net in nets(case, study, ("pca",), variant)]


class Population:
    """Networks of several sizes: of each the top component's share of variance and the block's of layers.

    sizes: (2, seeds) of each.
    """

    def __init__(self, kept):
        self.sizes = [np.stack([net.each(top), net.each(Net.share)]) for net in kept]
        self.variance, self.shares = np.concatenate([np.zeros((2, 0)), *self.sizes], axis=1)
        self.most = float(max(self.shares, default=0))

    @property
    def formed(self) -> bool:
        return self.most >= HAS_BLOCK

    def correlation(self) -> Estimate:
        """Of both, over networks; its error from leaving out each size in turn: its seeds are alike."""
        return jackknife(lambda some: pearson(*np.concatenate(some, axis=1)), self.sizes)

    def control(self) -> Control | str:
        """The same of untrained networks, in words where theirs are no blocks that differ in size."""
        found = self.correlation()
        if self.shares.size and not self.formed and np.isnan(found.value):
            return f"none: {BARE} show no block (at most {self.most:.2f})"
        return Control(BARE, found)


def top(net, seed) -> float:
    """The top component's share of the variance of all activations of the last two stages."""
    return float(net.at("pca", seed, "late"))
