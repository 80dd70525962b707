"""Linear probes along the network: figure 4 of Nguyen et al. 2021."""

import numpy as np

from papers.nguyen.claims.nets import large_nets, small_nets, with_block
from papers.nguyen.claims.numbers import mean, percent, say, spearman
from pipeline.claims import UNDEFINED, Control, Estimate, Lack, first_of

# Thresholds, each with its reason.
MONOTONE = 0.9  # Spearman's rho of probe accuracy with depth: "a monotonic increase"
LITTLE_GAIN = 0.25  # of the whole gain: "little improvement inside the block structure"
NOISE = 2  # standard errors of a difference of two accuracies: a smaller gain is no whole to take a share of


def fig4(case):
    small, large = small_nets(case, ("probe",)), large_nets(case, ("probe",))
    deep, wide = map(with_block, large)
    found = [monotone(case, net, like) for net, like in zip(small, (wide, wide, deep), strict=True)]
    for net, like in ((deep, small[2]), (wide, small[0])):
        found += [gains_little(case, net, like), preserves(case, net)]
    return found


def monotone(case, net, like):
    """like: a network with a block, in which the paper sees no steady rise."""
    return net.judge(
        case,
        "without a block, accuracy of probes after the residual additions rises with depth: "
        "Spearman's ρ above 0.9",
        "monotonic increase; a ResNet-26 (2x) among others",
        f"ρ = {say(net.each(rises))}",
        net.estimate(rises),
        above=MONOTONE,
        control=held_against(like, rises, f"{like.label()} with a block"),
        lacks=like.lacks,
    )


def gains_little(case, net, like):
    """like: a network without a block, of which the same stretch is looked at."""
    low, high = stretch(net)
    return net.judge(
        case,
        "with a block, probes gain less than 25 % of the whole gain (first to last residual addition) "
        "across the block",
        "little improvement inside",
        percent(net.each(gain_inside)),
        net.estimate(gain_inside),
        below=LITTLE_GAIN,
        control=held_against(
            like,
            lambda like, seed: gain_between(like, seed, low, high),
            f"the same stretch of {like.label()} without a block",
        ),
        lacks=first_of(like.lacks, no_whole(net)),
    )


def no_whole(net) -> Lack | None:
    """What a share of the whole gain lacks where it is defined for no seed."""
    if net.failed or not net.seeds or np.isfinite(net.each(gain_inside)).any():
        return None
    few = "fewer than two residual additions in the block"
    return Lack(UNDEFINED, f"{few}, or no gain over the network beyond two standard errors")


def preserves(case, net):
    """Confounded where additions outside the block gain, too: the gain is then not the block's."""
    more, sides = net.each(gain_of_additions), net.each(additions_that_gain)
    outside = net.estimate(lambda net, seed: gain_of_additions(net, seed, False))
    return net.judge(
        case,
        "inside the block, probes after a residual addition are more accurate than before it, mean over "
        "additions",
        "the connections preserve representations",
        f"{say(more, 1, 100)} points, {percent(sides)} of the additions",
        Estimate.of(more),
        above=0.0,
        control=Control("additions outside the block", outside, 1, 100, " points"),
    )


def held_against(like, function, what, **said) -> Control:
    """The same number of a network that differs in its block; where it does not, `what` says so."""
    return Control(f"{what} ({like.failed})" if like.failed else what, like.estimate(function), **said)


def rises(net, seed) -> float:
    """Spearman's rho of a probe's accuracy with its place."""
    return spearman(net.of("probe", "index_after"), net.at("probe", seed, "after"))


def probed_inside(net, seed):
    """Which probed residual additions lie in the block: (A,) bool."""
    return net.inside(seed)[np.asarray(net.of("probe", "index_after"), int)]


def stretch(net) -> tuple:
    """Where the block's first and last residual additions stand, 0 to 1 of all, mean over seeds."""
    found = []
    for seed in net.seeds if not net.failed else ():
        here = np.flatnonzero(probed_inside(net, seed))
        if len(here) > 1:
            found.append(here[[0, -1]] / (len(net.of("probe", "index_after")) - 1))
    return tuple(np.mean(found, axis=0)) if found else (np.nan, np.nan)


def gain_inside(net, seed) -> float:
    """Accuracy gained from the block's first residual addition to its last, over the network's gain."""
    inside = np.flatnonzero(probed_inside(net, seed))
    return share_of_gain(net, seed, inside[0], inside[-1]) if len(inside) > 1 else np.nan


def gain_between(net, seed, low, high) -> float:
    """The same between two places, 0 to 1 of all residual additions."""
    last = len(net.of("probe", "index_after")) - 1
    if not np.isfinite([low, high]).all():
        return np.nan
    return share_of_gain(net, seed, *(int(round(place * last)) for place in (low, high)))


def share_of_gain(net, seed, first, last) -> float:
    """NaN where the network's gain is within its noise over the test images."""
    after, images = net.at("probe", seed, "after"), float(net.results["probe"].get("images"))
    whole = after[-1] - after[0]
    noise = np.sqrt(2 * mean(after) * (1 - mean(after)) / images)
    return float((after[last] - after[first]) / whole) if whole > NOISE * noise else np.nan


def gain_of_additions(net, seed, side=True) -> float:
    """Mean gain by the residual additions inside (True) or outside the block."""
    gain = net.at("probe", seed, "after") - net.at("probe", seed, "before")
    return mean(gain[probed_inside(net, seed) == side])


def additions_that_gain(net, seed) -> float:
    """Share of the block's residual additions after which a probe is at least as accurate as before."""
    gains = net.at("probe", seed, "after") >= net.at("probe", seed, "before")
    return mean(gains[probed_inside(net, seed)])
