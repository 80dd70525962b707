"""How sparse ReLU layers are inside and outside the block: figure D.8 of Nguyen et al. 2021."""

import numpy as np

from papers.nguyen.claims.nets import largest, pick, with_block
from papers.nguyen.claims.numbers import mean, percent, unless

# Thresholds, each with its reason.
SPARSE_ALIKE = 0.10  # of the units: a difference that a reader sees in the bars


def figD8(case):
    net = with_block(pick(case, "wide", largest, ("sparsity",)))
    bench = net.bench(case)
    inside, outside = (
        net.each(lambda net, seed, side=side: nonzero(net, seed, side)) for side in (True, False)
    )
    gap, switching = abs(mean(inside - outside)), net.each(least_switching)
    return [
        bench.judge(
            "mean non-zero fraction of ReLUs inside and outside the block differ by less than 10 points",
            "similarly sparse",
            f"{percent(inside)} inside, {percent(outside)} outside",
            gap < SPARSE_ALIKE,
            lacks=net.lacks or unless(gap, "no ReLU layer on one side of the block's bounds"),
        ),
        bench.judge(
            "in every ReLU layer inside the block some units are neither always nor never on: "
            "their share is above 0",
            "sometimes linear, sometimes saturating",
            f"least {percent(switching)}",
            mean(switching) > 0,
            lacks=net.lacks or unless(mean(switching), "no ReLU layer in the block"),
        ),
    ]


def nonzero(net, seed, side) -> float:
    """Mean share of inputs on which units are on, over the ReLU layers inside (True) or outside the block."""
    return mean(net.at("sparsity", seed, "nonzero")[relus_inside(net, seed) == side])


def least_switching(net, seed) -> float:
    """Least share of units neither always nor never on, of the ReLU layers in the block; NaN for none."""
    return min(net.at("sparsity", seed, "between")[relus_inside(net, seed)], default=np.nan)


def relus_inside(net, seed):
    """Which ReLU layers lie in the block: bool."""
    return net.inside(seed)[np.asarray(net.of("sparsity", "relus"), int)]
