"""The block and the first principal component: figures 3, D.5, D.6 and D.7 of Nguyen et al. 2021."""
import numpy as np

from stages.claims import Bench
from stages.claims.nguyen_nets import (FEWEST, HAS_BLOCK, SHARES, VARIANT, large_nets, mean, nearest, nets, pairs, pearson, pick, say,
                                       smallest, unless, with_block, without_block)

# Thresholds, each with its reason.
DOMINANT = 0.5         # share of variance: "a single component explains the majority"
RESEMBLES = 0.8        # Pearson over layer pairs: cosines look like CKA
LITTLE_LIKE = 0.5      # and here "bear little resemblance"
REDUCED = 0.5          # block fraction without the component over that with it: "highly reduced"
UNCHANGED = 0.1        # mean |change of CKA|: "mostly unchanged", "negligible impact"
EXPLAINS = 0.6         # Pearson over networks
ABSENT = "CKA without the first component was not measured"


def fig3(load, scale, width):
    found = []
    for net in map(with_block, large_nets(load, scale, ("pca",))):
        case = net.bench("nguyen_fig3", scale, width)
        inside, outside = (explained(net, side) for side in (True, False))
        alike = likeness(net)
        found += [
            case.judge("the first component explains more than 0.5 of the variance inside the block, mean over layers", "the majority",
                       say(inside), mean(inside) > DOMINANT, lacks=net.lacks or unless(mean(inside), "no live layer in the block")),
            case.judge("the first component explains more of the variance inside the block than outside", "dominant inside only",
                       f"{say(inside)} inside, {say(outside)} outside", mean(inside) > mean(outside),
                       lacks=net.lacks or unless(mean(outside), "no live layer outside the block")),
            case.judge("squared cosines of first components resemble CKA: correlation over layer pairs above 0.8", "resembling",
                       f"r = {say(alike)}", mean(alike) > RESEMBLES),
            shrinks(case, net, "without the first component the block has less than 0.5 of the share of layers it had with it",
                    "highly reduced")]
    return found


def explained(net, side):
    """Mean over the layers inside (True) or outside the block of the first component's share of variance, of each seed."""
    return net.each(lambda net, seed: mean(net.at("pca", seed, "fraction")[net.inside(seed) == side]))


def likeness(net, keep=None):
    """Correlation over layer pairs of squared cosines of first components with CKA, of each seed. keep: (L,) bool, of these layers."""
    return net.each(lambda net, seed: pearson(pairs(net.at("pca", seed, "cosine2"), keep), pairs(net.at("cka", seed, "cka"), keep)))


def shrinks(case, net, statement, paper):
    """The block without the first component, relative to the block with it."""
    there = net.has("cka", "removed_block")
    left, whole = (net.each(lambda net, seed: net.block(seed, name)[0]) if there else np.array([]) for name in ("removed_block", "block"))
    return case.judge(statement, paper, f"{say(left)} of {say(whole)}", mean(left) < REDUCED * mean(whole),
                      lacks=net.lacks or ("" if there else ABSENT))


def change(net, keep=None):
    """Mean |change of CKA| over layer pairs by removing the first component, of each seed; none where that was not measured."""
    moved = lambda net, seed: mean(np.abs(pairs(net.at("cka", seed, "removed") - net.at("cka", seed, "cka"), keep)))
    return net.each(moved) if net.has("cka", "removed") else np.array([])


def figD5(load, scale, width):
    kept = [net for study in ("nguyen_deep", "nguyen_wide") for net in nets(load, study, VARIANT[scale], ("pca",))]
    late, share = (np.concatenate([np.empty(0), *(net.each(function) for net in kept)]) for function in (
        lambda net, seed: net.at("pca", seed, "late"), lambda net, seed: net.block(seed)[0]))
    top = max(share, default=0)
    unformed = f"no block formed: block fraction at most {top:.2f}" if top < HAS_BLOCK else ""
    few = "the scale keeps fewer than three sizes" if len(kept) < FEWEST else unformed
    r = pearson(late, share)
    case = Bench("nguyen_figD5", scale, width, f"{len(share)} networks of {len(kept)} sizes, {SHARES[VARIANT[scale]]}")
    return [case.judge("the top component's share of variance in the last two stages follows the block's share of layers: correlation over "
                       "networks above 0.6",
                       "higher where there is a block; 50 networks, rows such as .54 .49 .36 .27 .22 and .58 .55 .40 .40",
                       f"r = {say(r)}, shares of variance {say(late)}", r > EXPLAINS, lacks=few)]


def figD6(load, scale, width):
    found = []
    for net in map(with_block, large_nets(load, scale)):
        found.append(shrinks(net.bench("nguyen_figD6", scale, width), net,
                             "large network: the block falls below 0.5 of its share of layers when the first component is removed",
                             "significantly eliminated"))
    for study in ("nguyen_deep", "nguyen_wide"):
        net = without_block(pick(load, study, VARIANT[scale], smallest))
        found.append(little_change(net.bench("nguyen_figD6", scale, width), net, change(net), "smallest network: ", "negligible impact"))
    return found


def little_change(case, net, moved, who, paper):
    return case.judge(f"{who}removing the first component changes CKA by less than 0.1, mean over layer pairs", paper, say(moved, 3),
                      mean(moved) < UNCHANGED, lacks=net.lacks or unless(mean(moved), ABSENT))


def relus(net):
    """The ReLU layers, which the paper's axes count; all layers where none is named so."""
    named = np.array([str(layer).split(".")[-1].startswith("relu") for layer in net.of("cka", "layers")])
    return named if named.any() else ~named


def peak(net):
    """Largest share of variance of a first component, of each seed."""
    return net.each(lambda net, seed: np.nanmax(net.at("pca", seed, "fraction")[relus(net)], initial=-np.inf))


def figD7(load, scale, width):
    found = []
    small = (pick(load, "nguyen_deep", VARIANT[scale], nearest(44), ("pca",)), pick(load, "nguyen_wide", VARIANT[scale], nearest(2), ("pca",)))
    for net, large in zip(map(without_block, small), map(with_block, large_nets(load, scale, ("pca",)))):
        case, like = net.bench("nguyen_figD7", scale, width, "ReLU layers"), f"{large.label()}, {SHARES[large.variant]}"
        keep = relus(net) if net.key else None
        alike, moved = likeness(net, keep), change(net, keep)
        found += [
            case.judge("the largest share of variance of a layer's first component is smaller than in the network with a block",
                       "relatively small", f"{say(peak(net))}, {say(peak(large))} in {like}", mean(peak(net)) < mean(peak(large)),
                       lacks=net.lacks or large.lacks),
            case.judge("squared cosines of first components do not resemble CKA: correlation over layer pairs below 0.5",
                       "little resemblance", f"r = {say(alike)}", mean(alike) < LITTLE_LIKE,
                       lacks=net.lacks or unless(mean(alike), "no correlation: a map is constant")),
            little_change(case, net, moved, "", "mostly unchanged")]
    return found
