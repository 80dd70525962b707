"""Representations of different networks: figures 6 and E.1 of Nguyen et al. 2021."""
from itertools import combinations

import numpy as np

from stages.claims import Bench
from stages.claims.nguyen_nets import HAS_BLOCK, STILL_WITHOUT, mean, pairs, say, unless

# Thresholds, each with its reason.
CLOSELY = 0.1     # mean |CKA across seeds - CKA within|: "closely resembles"
UNIQUE = 0.4      # mean CKA of blocks of different networks: "highly dissimilar"
WITHIN = 0.9      # mean CKA inside a block: what makes it one
SAME_DEPTH = 0.15  # mean difference of relative depths: "the same proportional depth"
SINGLE = "one seed where seeds are compared"


def fraction(result, index) -> float:
    return float(result[f"{index}/block"][0])


def cka(result, row, column):
    return np.asarray(result[f"{row}/{column}/cka"], np.float64)


def block(result, index):
    """Which layers of a network lie in its block: (L,) bool."""
    _, start, stop = result[f"{index}/block"]
    position = np.arange(len(result[f"{index}/layers"]))
    return (position >= start) & (position < stop)


def bench(figure, result, scale, width):
    names, found = [str(name) for name in result["names"]], {}
    for name in names:
        found.setdefault(name.split(" seed")[0], []).append(name)
    return Bench(figure, scale, width, ", ".join(f"{name}: {len(those)} seed{'s' * (len(those) > 1)}" for name, those in found.items()))


def fig6(load, scale, width):
    groups = {name: load("nguyen_across", "cka", f"seeds_{name}") for name in ("small", "wide", "deep")}
    return [alike(groups["small"], scale, width),
            *(claim for kind in ("wide", "deep") for claim in unique(kind, groups[kind], scale, width))]


def alike(result, scale, width):
    """Without a block, heatmaps across seeds look like those within one."""
    kept = [index for index in range(len(result["names"])) if fraction(result, index) < STILL_WITHOUT]
    every = range(len(result["names"]))
    formed = "" if len(kept) > 1 else f"a block formed: block fraction {say([fraction(result, index) for index in every])}"
    used = kept if len(kept) > 1 else every
    gaps = [mean(np.abs(cka(result, i, j) - (cka(result, i, i) + cka(result, j, j)) / 2)) for i, j in combinations(used, 2)]
    return bench("nguyen_fig6", result, scale, width).judge(
        "small network: CKA across seeds differs from CKA within a seed by less than 0.1, mean over layer pairs",
        "closely resembles CKA within a single model", say(gaps, 3), mean(gaps) < CLOSELY, lacks=SINGLE if len(every) < 2 else formed)


def unique(kind, result, scale, width) -> list:
    """Blocks of different seeds are unlike each other, less alike than the layers outside them."""
    every = range(len(result["names"]))
    kept = [index for index in every if fraction(result, index) >= HAS_BLOCK]
    none = f"no block formed in two seeds: block fraction {say([fraction(result, index) for index in every])}" if len(kept) < 2 else ""
    used = kept if len(kept) > 1 else every
    part = lambda i, j, side: cka(result, i, j)[np.ix_(block(result, i) == side, block(result, j) == side)]
    between, outside = ([mean(part(i, j, side)) for i, j in combinations(used, 2)] for side in (True, False))
    within = [mean(pairs(cka(result, i, i), block(result, i))) for i in used]
    case, lacks = bench("nguyen_fig6", result, scale, width), SINGLE if len(every) < 2 else none
    open_ = "" if np.isfinite(mean(outside)) else "no live layer outside the blocks"
    return [
        case.judge(f"{kind} network: mean CKA of the blocks of two seeds is below 0.4, within a block at least 0.9", "unique to each model",
                   f"{say(between)} across, {say(within)} within", mean(between) < UNIQUE and mean(within) >= WITHIN, lacks=lacks),
        case.judge(f"{kind} network: across seeds, layers outside the blocks are more alike than those inside", "some similarity outside",
                   f"{say(outside)} outside, {say(between)} inside", mean(outside) > mean(between), lacks=lacks or open_)]


def figE1(load, scale, width):
    plain, blocked = (load("nguyen_across", "cka", f"architectures_{name}") for name in ("plain", "block"))
    return [aligned(plain, scale, width), apart(blocked, scale, width)]


def aligned(result, scale, width):
    """Each layer of one network is most alike to a layer of the other at the same share of the depth."""
    last = len(result["names"]) - 1
    formed = [fraction(result, index) for index in (0, last) if fraction(result, index) >= STILL_WITHOUT]
    shifts = [shift(cka(result, 0, last)), shift(cka(result, 0, last).T)] if last > 0 else []
    lacks = "one network where two are compared" if last < 1 else f"a block formed: block fraction {max(formed):.2f}" if formed else ""
    return bench("nguyen_figE1", result, scale, width).judge(
        "without a block, a layer's most similar layer in the other network lies at the same relative depth: mean difference below 0.15",
        "broadly of the same proportional depth (ResNet-14 (2x), ResNet-56)", say(shifts, 3), mean(shifts) < SAME_DEPTH, lacks=lacks)


def shift(matrix) -> float:
    """Mean |difference of relative depth| of each live layer (row) and the layer (column) most alike to it."""
    live = np.flatnonzero(np.isfinite(matrix).any(1))
    best = np.nanargmax(matrix[live], 1) if len(live) else live
    return mean(np.abs(live / max(len(matrix) - 1, 1) - best / max(matrix.shape[1] - 1, 1)))


def apart(result, scale, width):
    """The block of the deep network is unlike all layers of the other."""
    last = len(result["names"]) - 1
    across = cka(result, 0, last)[:, block(result, last)] if last > 0 else np.empty(0)
    none = f"no block formed: block fraction {fraction(result, last):.2f}" if last > 0 and fraction(result, last) < HAS_BLOCK else ""
    return bench("nguyen_figE1", result, scale, width).judge(
        "with a block, mean CKA of its layers with the layers of the other network is below 0.4", "dissimilar (ResNet-14 (2x), ResNet-164)",
        say(mean(across)), mean(across) < UNIQUE,
        lacks="one network where two are compared" if last < 1 else none or unless(mean(across), "no live layer in the block"))
