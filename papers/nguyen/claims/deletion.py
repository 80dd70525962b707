"""Residual blocks deleted from the end of a stage: figure 5 of Nguyen et al. 2021.

"Block" is the block structure of a heatmap; a residual block is called so.
"""

import numpy as np

from papers.nguyen.claims.nets import FEWEST, Net, large_nets, small_nets, with_block
from papers.nguyen.claims.numbers import mean, say, spearman, unless

# Thresholds, each with its reason.
HARMLESS = 0.02 + 1e-9  # accuracy lost: "little impact"; a difference of two shares is rounded
HARMFUL = 0.10  # accuracy lost, "unlike what happens in models without block structure"
CORRELATES = 0.0  # Spearman's rho over seeds: "connected to the size of the block structure"
MIDDLE = 2  # "the middle stage"


def fig5(case):
    found, large = [], large_nets(case, ("deletion",))
    blocked = [with_block(net) for net in large]
    for net, with_it in zip(large, blocked, strict=True):
        found += [harmless(case, with_it), follows(case, net)]
    deep, wide = blocked
    for net, like in zip(small_nets(case, ("deletion",)), (wide, wide, deep), strict=True):
        found.append(harmful(case, net, like))
    return found


def harmless(case, net):
    numbers = net.each(covered)
    drops = net.each(lambda net, seed: lost(net, seed, covered(net, seed)))
    return net.bench(case).judge(
        "with a block, deleting the middle stage's residual blocks from the first that it covers to the last "
        "loses at most 2 points",
        "little impact, a plateau",
        f"{say(drops, 1, 100)} points by deleting {say(numbers, 1)}",
        mean(drops) <= HARMLESS,
        lacks=net.lacks or unless(mean(drops), "the block covers no residual block of the middle stage"),
    )


def harmful(case, net, like):
    """Without a block, as many residual blocks cannot be deleted as in a network `like` it that has one."""
    number = usually_covered(like)
    drops = net.each(lambda net, seed: lost(net, seed, number))
    most = min([number, *net.each(lambda net, seed: len(losses(net, seed)))])
    none = (
        f"no number of residual blocks to delete: {like.lacks or 'the block covers none of the middle stage'}"
    )
    return net.bench(case).judge(
        "without a block, deleting as many (at most all that can go) of the middle stage's residual blocks "
        "loses more than 10 points",
        "accuracy falls",
        f"{say(drops, 1, 100)} points by deleting {most:.0f}",
        mean(drops) > HARMFUL,
        lacks=net.lacks or (none if like.lacks else unless(mean(drops), none)),
    )


def follows(case, net):
    """The plateau is long where the block is large, over all seeds of a network."""
    lengths, shares = net.each(plateau), net.each(Net.share)
    rho = spearman(lengths, shares)
    enough = len(net.seeds) >= FEWEST
    few = "" if enough else f"seeds are compared, and the scale keeps {len(net.seeds)} of this network"
    return net.bench(case).judge(
        "the plateau (residual blocks of the middle stage deleted before 2 points are lost) is longer in "
        "seeds with a larger block: Spearman's ρ above 0",
        "the drop is connected to the block's size",
        f"ρ = {say(rho)}, plateau {say(lengths, 1)}",
        rho > CORRELATES,
        lacks=net.lacks or few or unless(rho, "no correlation: plateau or block is the same in all seeds"),
    )


def losses(net, seed):
    """Accuracy lost by deleting the last 1, 2, ... residual blocks of the middle stage."""
    full = float(net.at("deletion", seed, "full"))
    return (full - net.at("deletion", seed, "deleted")[in_middle(net)])[::-1]


def in_middle(net):
    """Which of the residual blocks that can be deleted lie in the middle stage: bool."""
    return np.asarray(net.of("deletion", "block_stage")) == MIDDLE


def covered(net, seed) -> int:
    """Residual blocks of the middle stage from the first that lies wholly in the block; 0 for none."""
    _, start, stop = net.block(seed)
    post = np.flatnonzero(net.of("deletion", "post"))
    last = np.asarray(net.of("deletion", "index"), int)[in_middle(net)]
    first = np.array([max(post[post < index], default=0) + 1 for index in last], int)
    inside = np.flatnonzero((first >= start) & (last < stop))
    return len(last) - int(inside[0]) if len(inside) else 0


def usually_covered(net) -> float:
    """Mean over the seeds in which the block covers some, to whole ones; 0 where it covers none."""
    numbers = net.each(covered)
    return np.round(numbers[numbers > 0].mean()) if (numbers > 0).any() else 0


def lost(net, seed, number) -> float:
    """Accuracy lost by deleting `number` of them, or all that the stage has."""
    found = losses(net, seed)
    return float(found[min(int(number), len(found)) - 1]) if number >= 1 and len(found) else np.nan


def plateau(net, seed) -> int:
    """Residual blocks of the middle stage that can be deleted from its end before 2 points are lost."""
    return int(np.cumprod(losses(net, seed) <= HARMLESS).sum())
