"""Residual blocks deleted from the end of a stage: figure 5 of Nguyen et al. 2021.

"Block" is the block structure of a heatmap; a residual block is called so.
"""

from dataclasses import replace

import numpy as np

from papers.nguyen.claims.failures import failing, outvoted
from papers.nguyen.claims.nets import Net, large_nets, small_nets, with_block
from papers.nguyen.claims.numbers import say, spearman
from papers.nguyen.claims.probes import held_against
from pipeline.claims import TOO_FEW, UNDEFINED, Estimate, Lack, first_of

# Thresholds, each with its reason.
HARMLESS = 0.02  # accuracy lost: "little impact"
HARMFUL = 0.10  # accuracy lost, "unlike what happens in models without block structure"
CORRELATES = 0.0  # Spearman's rho over seeds: "connected to the size of the block structure"
SEEDS = 5  # with four, not even a perfect order is two standard errors above 0
MIDDLE = 2  # "the middle stage"
ROUNDING = 1e-9  # a difference of two shares
COVERS_NONE = "the block covers no residual block of the middle stage{}"
POINTS = {"digits": 1, "factor": 100, "unit": " points"}


def fig5(case):
    small, large = small_nets(case, ("deletion",)), large_nets(case, ("deletion",))
    deep, wide = blocked = [with_block(net) for net in large]
    found = []
    for net, with_it, like in zip(large, blocked, (small[2], small[0]), strict=True):
        found += [harmless(case, with_it, like), follows(case, net)]
    return found + [harmful(case, *both) for both in zip(small, (wide, wide, deep), strict=True)]


def harmless(case, net, like):
    """like: a network without a block, from which as many residual blocks of the stage are deleted."""
    net = covering(net)
    number = usually_covered(net)
    drops = net.each(lambda net, seed: lost(net, seed, covered(net, seed)))
    return net.judge(
        case,
        "with a block, deleting the middle stage's residual blocks from the first that it covers to the last "
        "loses less than 2 points",
        "little impact, a plateau",
        f"{say(drops, 1, 100)} points by deleting {say(net.each(covered), 1, step=1)}",
        Estimate.of(drops),
        below=HARMLESS,
        control=held_against(
            like,
            lambda like, seed: lost(like, seed, number),
            f"as many of {like.label()} without a block",
            **POINTS,
        ),
        lacks=like.lacks,
    )


def harmful(case, net, like):
    """Without a block, as many residual blocks cannot be deleted as in a network `like` it that has one."""
    like = covering(like)
    number = usually_covered(like)
    statement = (
        "without a block, deleting as many (at most all that can go) of the middle stage's residual blocks "
        "as a block covers loses more than 10 points"
    )
    if like.failed and not net.failed:
        why = f"in {like.label()}, whose block says how many, {like.failed}"
        return failing(net.bench(case), statement, "accuracy falls", like.blocks(), why, like.lacks)
    drops = net.each(lambda net, seed: lost(net, seed, number))
    most = min([number, *net.each(lambda net, seed: len(losses(net, seed)))])
    return net.judge(
        case,
        statement,
        "accuracy falls",
        f"{say(drops, 1, 100)} points by deleting {most:.0f}",
        Estimate.of(drops),
        above=HARMFUL,
        control=held_against(
            like,
            lambda like, seed: lost(like, seed, covered(like, seed)),
            f"{like.label()}, what its block covers",
            **POINTS,
        ),
        lacks=like.lacks,
    )


def covering(net) -> Net:
    """The network; it has failed where the blocks of at most half its seeds cover a residual block of the
    middle stage, in which the paper deletes them.
    """
    some = [seed for seed in net.seeds if not net.failed and covered(net, seed)]
    return net if net.failed else replace(net, failed=outvoted(some, net.seeds, COVERS_NONE))


def follows(case, net):
    """The plateau is long where the block is large, over all seeds of a network."""
    lengths, shares = net.each(plateau), net.each(Net.share)
    seeds = len(net.seeds)
    few = None if seeds >= SEEDS else Lack(TOO_FEW, f"seeds are ranked: {SEEDS} are needed, here {seeds}")
    statement = (
        "the plateau (residual blocks of the middle stage deleted before 2 points are lost) is longer in "
        "seeds with a larger block: Spearman's ρ above 0"
    )
    paper, plateaus = "the drop is connected to the block's size", f"plateau {say(lengths, 1, step=1)}"
    if seeds and not lengths.any():  # a failure, however few seeds could be ranked
        lacks = first_of(net.lacks, net.too_few())
        return failing(net.bench(case), statement, paper, plateaus, "no seed shows a plateau", lacks)
    rho = spearman(lengths, shares)
    same = Lack(UNDEFINED, "plateau or block is the same in all seeds") if np.isnan(rho) else None
    # Ranks that have nothing to do with each other correlate with this standard error.
    found = Estimate(rho, 1 / np.sqrt(max(seeds - 1, 1)))
    return net.judge(
        case,
        statement,
        paper,
        f"ρ = {found.said()}, {plateaus}",
        found,
        above=CORRELATES,
        control="none: shuffled seeds correlate by the standard error given",
        lacks=first_of(few, same),
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
    numbers = np.zeros(0) if net.failed else net.each(covered)
    return np.round(numbers[numbers > 0].mean()) if (numbers > 0).any() else 0


def lost(net, seed, number) -> float:
    """Accuracy lost by deleting `number` of them, or all that the stage has."""
    found = losses(net, seed)
    return float(found[min(int(number), len(found)) - 1]) if number >= 1 and len(found) else np.nan


def plateau(net, seed) -> int:
    """Residual blocks of the middle stage that can be deleted from its end before 2 points are lost."""
    return int(np.cumprod(losses(net, seed) < HARMLESS + ROUNDING).sum())
