"""Linear probes along the network: figure 4 of Nguyen et al. 2021."""

import numpy as np

from papers.nguyen.claims.nets import large_nets, small_nets, with_block
from papers.nguyen.claims.numbers import mean, percent, say, spearman, unless

# Thresholds, each with its reason.
MONOTONE = 0.9  # Spearman's rho of probe accuracy with depth: "a monotonic increase"
LITTLE_GAIN = 0.25  # of the whole gain: "little improvement inside the block structure"
SURE = (
    2  # standard errors of a difference between two accuracies: a smaller gain is no whole to take a share of
)


def fig4(case):
    found = [monotone(case, net) for net in small_nets(case, ("probe",))]
    for net in map(with_block, large_nets(case, ("probe",))):
        bench = net.bench(case)
        found += [gains_little(bench, net), preserves(bench, net)]
    return found


def monotone(case, net):
    rho = net.each(lambda net, seed: spearman(net.of("probe", "index_after"), net.at("probe", seed, "after")))
    return net.bench(case).judge(
        "without a block, accuracy of probes after the residual additions rises with depth: "
        "Spearman's ρ above 0.9",
        "monotonic increase; a ResNet-26 (2x) among others",
        f"ρ = {say(rho)}",
        mean(rho) > MONOTONE,
    )


def gains_little(bench, net):
    share = net.each(gain_inside)
    few = "fewer than two residual additions in the block"
    short = f"{few}, or no gain over the network beyond two standard errors"
    return bench.judge(
        "with a block, probes gain less than 25 % of the whole gain (first to last residual addition) "
        "across the block",
        "little improvement inside",
        percent(share),
        mean(share) < LITTLE_GAIN,
        lacks=net.lacks or unless(mean(share), short),
    )


def preserves(bench, net):
    more, sides = net.each(gain_of_additions), net.each(additions_that_gain)
    return bench.judge(
        "inside the block, probes after a residual addition are at least as accurate as before it, "
        "mean over additions",
        "the connections preserve representations",
        f"{say(more, 1, 100)} points, {percent(sides)} of the additions",
        mean(more) >= 0,
        lacks=net.lacks or unless(mean(more), "no residual addition in the block"),
    )


def probed_inside(net, seed):
    """Which probed residual additions lie in the block: (A,) bool."""
    return net.inside(seed)[np.asarray(net.of("probe", "index_after"), int)]


def gain_inside(net, seed) -> float:
    """Accuracy gained from the block's first residual addition to its last, over the network's gain."""
    after, inside = net.at("probe", seed, "after"), probed_inside(net, seed)
    images = float(net.results["probe"].get("images"))
    whole = after[-1] - after[0]
    noise = np.sqrt(2 * mean(after) * (1 - mean(after)) / images)
    if inside.sum() < 2 or not whole > SURE * noise:
        return np.nan
    return float((after[inside][-1] - after[inside][0]) / whole)


def gain_of_additions(net, seed) -> float:
    gain = net.at("probe", seed, "after") - net.at("probe", seed, "before")
    return mean(gain[probed_inside(net, seed)])


def additions_that_gain(net, seed) -> float:
    """Share of the block's residual additions after which a probe is at least as accurate as before."""
    gains = net.at("probe", seed, "after") >= net.at("probe", seed, "before")
    return mean(gains[probed_inside(net, seed)])
