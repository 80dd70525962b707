"""How sparse ReLU layers are inside and outside the block: figure D.8 of Nguyen et al. 2021."""

import numpy as np

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
        net.each(lambda net, seed, side=side: nonzero(net, seed, side)) for side in (True, False)
    )
    gap = Estimate.of(inside - outside)
    return net.judge(
        case,
        "mean non-zero fraction of ReLUs inside and outside the block differ by less than 10 points",
        "similarly sparse",
        f"{percent(inside)} inside, {percent(outside)} outside",
        Estimate(abs(gap.value), gap.se),
        below=SPARSE_ALIKE,
        control="none: that a block makes no difference is what is claimed",
    )


def some_switch(case, net):
    """A check and no finding: units of untrained networks switch as well."""
    failed = Lack(UNDEFINED, net.failed) if net.failed else None
    switching = np.array([]) if net.failed else net.each(least_switching)
    none = None if np.isfinite(switching).any() else Lack(UNDEFINED, "no ReLU layer in the block")
    return net.bench(case).check(
        "in every ReLU layer inside the block some units are neither always nor never on: "
        "their share is above 0",
        "sometimes linear, sometimes saturating",
        f"least {percent(switching)}",
        bool(mean(switching) > 0),
        lacks=first_of(net.lacks, failed, none),
    )


def nonzero(net, seed, side) -> float:
    """Mean share of inputs on which units are on, over the ReLU layers inside (True) or outside the block."""
    return mean(net.at("sparsity", seed, "nonzero")[relus_inside(net, seed) == side])


def least_switching(net, seed) -> float:
    """Least share of units neither always nor never on, of the ReLU layers in the block; NaN for none."""
    return min(net.at("sparsity", seed, "between")[relus_inside(net, seed)], default=np.nan)


def relus_inside(net, seed):
    """Which ReLU layers lie in the block: bool."""
    return net.inside(seed)[np.asarray(net.of("sparsity", "relus"), int)]
