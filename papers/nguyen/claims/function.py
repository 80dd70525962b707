"""What the block does: linear probes, deleted blocks and sparsity, figures 4, 5 and D.8 of Nguyen et al. 2021.

"Block" is the block structure of a heatmap; a residual block is called so.
"""
import numpy as np

from stages.claims.nguyen_nets import (FEWEST, VARIANT, large_nets, largest, mean, nearest, percent, pick, say, spearman, unless,
                                       with_block, without_block)

# Thresholds, each with its reason.
MONOTONE = 0.9     # Spearman's rho of probe accuracy with depth: "a monotonic increase"
LITTLE_GAIN = 0.25  # of the whole gain: "little improvement inside the block structure"
HARMLESS = 0.02 + 1e-9  # accuracy lost: "little impact"; a difference of two shares is rounded
HARMFUL = 0.10     # accuracy lost, "unlike what happens in models without block structure"
CORRELATES = 0.0   # Spearman's rho over seeds
SPARSE_ALIKE = 0.10  # of the units: a difference that a reader sees in the bars
MIDDLE = 2         # "the middle stage"
SURE = 2           # standard errors of a difference between two accuracies: a smaller gain is no whole to take a share of
SMALL = (("nguyen_wide", 1), ("nguyen_wide", 2), ("nguyen_deep", 44))  # networks that the paper shows without a block


def small_nets(load, scale, measures) -> list:
    return [(study, without_block(pick(load, study, VARIANT[scale], nearest(number), measures))) for study, number in SMALL]


def fig4(load, scale, width):
    found = []
    for _, net in small_nets(load, scale, ("probe",)):
        rho = net.each(lambda net, seed: spearman(net.of("probe", "index/after"), net.at("probe", seed, "after")))
        found.append(net.bench("nguyen_fig4", scale, width).judge(
            "without a block, accuracy of probes after the residual additions rises with depth: Spearman's ρ above 0.9",
            "monotonic increase; a ResNet-26 (2x) among others", f"ρ = {say(rho)}", mean(rho) > MONOTONE))
    for net in map(with_block, large_nets(load, scale, ("probe",))):
        share, more, sides = (net.each(function) for function in (gain_inside, gain_of_additions, additions_that_gain))
        short = unless(mean(share), "fewer than two residual additions in the block, or no gain over the network beyond two standard errors")
        case = net.bench("nguyen_fig4", scale, width)
        found += [
            case.judge("with a block, probes gain less than 25 % of the whole gain (first to last residual addition) across the block",
                       "little improvement inside", percent(share), mean(share) < LITTLE_GAIN, lacks=net.lacks or short),
            case.judge("inside the block, probes after a residual addition are at least as accurate as before it, mean over additions",
                       "the connections preserve representations", f"{say(more, 1, 100)} points, {percent(sides)} of the additions",
                       mean(more) >= 0, lacks=net.lacks or unless(mean(more), "no residual addition in the block"))]
    return found


def probed_inside(net, seed):
    """Which probed residual additions lie in the block: (A,) bool."""
    return net.inside(seed)[np.asarray(net.of("probe", "index/after"), int)]


def gain_inside(net, seed) -> float:
    """Accuracy gained from the block's first residual addition to its last, over that from the network's first to its last."""
    after, inside = net.at("probe", seed, "after"), probed_inside(net, seed)
    whole, noise = after[-1] - after[0], np.sqrt(2 * mean(after) * (1 - mean(after)) / float(net.results["probe"]["images"]))
    return float((after[inside][-1] - after[inside][0]) / whole) if inside.sum() > 1 and whole > SURE * noise else np.nan


def gain_of_additions(net, seed) -> float:
    return mean((net.at("probe", seed, "after") - net.at("probe", seed, "before"))[probed_inside(net, seed)])


def additions_that_gain(net, seed) -> float:
    return mean((net.at("probe", seed, "after") >= net.at("probe", seed, "before"))[probed_inside(net, seed)])


def losses(net, seed):
    """Accuracy lost by deleting the last 1, 2, ... residual blocks of the middle stage."""
    middle = np.asarray(net.of("deletion", "block_stage")) == MIDDLE
    return (float(net.at("deletion", seed, "full")) - net.at("deletion", seed, "deleted")[middle])[::-1]


def covered(net, seed) -> int:
    """Residual blocks of the middle stage from the first whose layers all lie in the block to the stage's end; 0 for none."""
    _, start, stop = net.block(seed)
    post = np.flatnonzero(net.of("deletion", "post"))
    last = np.asarray(net.of("deletion", "index"), int)[np.asarray(net.of("deletion", "block_stage")) == MIDDLE]
    first = np.array([max(post[post < index], default=0) + 1 for index in last], int)
    inside = np.flatnonzero((first >= start) & (last < stop))
    return len(last) - int(inside[0]) if len(inside) else 0


def lost(net, seed, number) -> float:
    """Accuracy lost by deleting `number` of them, or all that the stage has."""
    found = losses(net, seed)
    return float(found[min(int(number), len(found)) - 1]) if number >= 1 and len(found) else np.nan


def plateau(net, seed) -> int:
    """Residual blocks of the middle stage that can be deleted from its end before 2 points are lost."""
    return int(np.cumprod(losses(net, seed) <= HARMLESS).sum())


def fig5(load, scale, width):
    found, counts = [], {}
    for study, net in zip(("nguyen_deep", "nguyen_wide"), large_nets(load, scale, ("deletion",))):
        blocked = with_block(net)
        numbers = blocked.each(covered)
        drops = blocked.each(lambda net, seed: lost(net, seed, covered(net, seed)))
        counts[study] = (np.round(numbers[numbers > 0].mean()) if (numbers > 0).any() else 0, blocked.lacks)
        found += [blocked.bench("nguyen_fig5", scale, width).judge(
            "with a block, deleting the middle stage's residual blocks from the first that it covers to the last loses at most 2 points",
            "little impact, a plateau",
            f"{say(drops, 1, 100)} points by deleting {say(numbers, 1)}", mean(drops) <= HARMLESS,
            lacks=blocked.lacks or unless(mean(drops), "the block covers no residual block of the middle stage")),
            follows(net, scale, width)]
    for study, net in small_nets(load, scale, ("deletion",)):
        number, lacks = counts[study]
        drops = net.each(lambda net, seed: lost(net, seed, number))
        none = f"no number of residual blocks to delete: {lacks or 'the block covers none of the middle stage'}"
        found.append(net.bench("nguyen_fig5", scale, width).judge(
            "without a block, deleting as many (at most all that can go) of the middle stage's residual blocks loses more than 10 points",
            "accuracy falls", f"{say(drops, 1, 100)} points by deleting {min([number, *net.each(lambda *of: len(losses(*of)))]):.0f}",
            mean(drops) > HARMFUL, lacks=net.lacks or (none if lacks else unless(mean(drops), none))))
    return found


def follows(net, scale, width):
    """The plateau is long where the block is large, over all seeds of a network."""
    lengths, shares = net.each(plateau), net.each(lambda net, seed: net.block(seed)[0])
    rho = spearman(lengths, shares)
    few = "" if len(net.seeds) >= FEWEST else f"seeds are compared, and the scale keeps {len(net.seeds)} of this network"
    return net.bench("nguyen_fig5", scale, width).judge(
        "the plateau (residual blocks of the middle stage deleted before 2 points are lost) is longer in seeds with a larger block: "
        "Spearman's ρ above 0", "the drop is connected to the block's size", f"ρ = {say(rho)}, plateau {say(lengths, 1)}", rho > CORRELATES,
        lacks=net.lacks or few or unless(rho, "no correlation: plateau or block is the same in all seeds"))


def figD8(load, scale, width):
    net = with_block(pick(load, "nguyen_wide", VARIANT[scale], largest, ("sparsity",)))
    inside, outside = (net.each(lambda net, seed: mean(net.at("sparsity", seed, "nonzero")[relus_inside(net, seed) == side]))
                       for side in (True, False))
    switching = net.each(lambda net, seed: min(net.at("sparsity", seed, "between")[relus_inside(net, seed)], default=np.nan))
    gap, case = abs(mean(inside - outside)), net.bench("nguyen_figD8", scale, width)
    return [
        case.judge("mean non-zero fraction of ReLUs inside and outside the block differ by less than 10 points", "similarly sparse",
                   f"{percent(inside)} inside, {percent(outside)} outside", gap < SPARSE_ALIKE,
                   lacks=net.lacks or unless(gap, "no ReLU layer on one side of the block's bounds")),
        case.judge("in every ReLU layer inside the block some units are neither always nor never on: their share is above 0",
                   "sometimes linear, sometimes saturating", f"least {percent(switching)}", mean(switching) > 0,
                   lacks=net.lacks or unless(mean(switching), "no ReLU layer in the block"))]


def relus_inside(net, seed):
    return net.inside(seed)[np.asarray(net.of("sparsity", "relus"), int)]
