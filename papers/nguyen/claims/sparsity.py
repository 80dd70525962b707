"""How sparse ReLU layers are inside and outside the block: figure D.8 of Nguyen et al. 2021."""

from dataclasses import replace

import numpy as np

from papers.nguyen.claims.controls import same_layers
from papers.nguyen.claims.nets import largest, pick, with_block
from papers.nguyen.claims.numbers import mean, percent
from pipeline.claims import UNDEFINED, Estimate, Lack, first_of

# Thresholds, each with its reason.
SPARSE_ALIKE = 0.10  # of the units: a difference that a reader sees in the bars


def figD8(case):
    net = with_block(pick(case, "wide", largest, ("sparsity",)))
    return [alike(case, net), some_switch(case, net)]


def alike(case, net):
    """An equivalence: the difference and its two standard errors stay below the bound."""
    inside, outside = (
        net.each(lambda net, seed, side=side: nonzero(net, seed, net.inside(seed) == side))
        for side in (True, False)
    )
    gap = Estimate.of(inside - outside)
    bare = same_layers(case, net, more_inside, digits=1, factor=100, unit=" points")
    return net.judge(
        case,
        "mean non-zero fraction of ReLUs inside and outside the block differ by less than 10 points",
        "similarly sparse",
        f"{percent(inside)} inside, {percent(outside)} outside",
        size_of(gap),
        below=SPARSE_ALIKE,
        control=replace(bare, found=size_of(bare.found)),
    )


def some_switch(case, net):
    """A check and no finding: units of untrained networks switch as well."""
    statement = (
        "in every ReLU layer inside the block some units are neither always nor never on: "
        "their share is above 0"
    )
    paper = "sometimes linear, sometimes saturating"
    if net.failed:
        ours = f"{net.failed}, {net.blocks()}"
        return net.bench(case).check(statement, paper, ours, False, lacks=net.lacks)
    switching = net.each(least_switching)
    none = None if np.isfinite(switching).any() else Lack(UNDEFINED, "no ReLU layer in the block")
    least = f"least {percent(switching)}"
    holds = bool(np.nanmin(switching) > 0) if not none else False
    return net.bench(case).check(statement, paper, least, holds, lacks=first_of(net.lacks, none))


def size_of(gap) -> Estimate:
    return Estimate(abs(gap.value), gap.se)


def nonzero(net, seed, layers) -> float:
    """Mean share of inputs on which units are on, over the ReLU layers among these, (L,) bool."""
    return mean(net.at("sparsity", seed, "nonzero")[relus_among(net, layers)])


def more_inside(net, seed, layers) -> float:
    """By how much it is larger in these layers than in the others."""
    return nonzero(net, seed, layers) - nonzero(net, seed, ~layers)


def least_switching(net, seed) -> float:
    """Least share of units neither always nor never on, of the ReLU layers in the block; NaN for none."""
    layers = relus_among(net, net.inside(seed))
    return min(net.at("sparsity", seed, "between")[layers], default=np.nan)


def relus_among(net, layers):
    """Which ReLU layers are among these, (L,) bool: bool."""
    return layers[np.asarray(net.of("sparsity", "relus"), int)]
