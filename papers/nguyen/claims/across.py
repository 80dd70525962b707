"""Representations of different networks: figures 6 and E.1 of Nguyen et al. 2021."""

from collections import Counter
from itertools import combinations

import numpy as np

from papers.nguyen.claims.nets import HAS_BLOCK, STILL_WITHOUT, label
from papers.nguyen.claims.numbers import mean, pairs, say, unless

# Thresholds, each with its reason.
CLOSELY = 0.1  # mean |CKA across seeds - CKA within|: "closely resembles"
UNIQUE = 0.4  # mean CKA of blocks of different networks: "highly dissimilar"
WITHIN = 0.9  # mean CKA inside a block: what makes it one
SAME_DEPTH = 0.15  # mean difference of relative depths: "the same proportional depth"
SINGLE = "one seed where seeds are compared"
ALONE = "one network where two are compared"


class Group:
    """Networks of which CKA between each two was measured. They have numbers."""

    def __init__(self, case, name):
        self.case, self.found = case, case.kept("across", "cka", name)
        self.numbers = sorted(int(key) for key in self.found.keys())

    def share(self, number) -> float:
        """Share of a network's layers that lie in its block."""
        return float(self.found.get("block", number)[0])

    def shares(self) -> str:
        return f"block fraction {say([self.share(number) for number in self.numbers])}"

    def inside(self, number):
        """Which of a network's layers lie in its block: (L,) bool."""
        _, start, stop = self.found.get("block", number)
        position = np.arange(len(self.found.get("layers", number)))
        return (position >= start) & (position < stop)

    def cka(self, row, column):
        """Between the layers of two networks, row <= column: (layers, layers) float64."""
        return np.asarray(self.found.get("cka", row, column), np.float64)

    def bench(self):
        kinds = (
            label(self.found.get("depth", number), self.found.get("width", number)) for number in self.numbers
        )
        counted = (f"{kind}: {count} seed{'s' * (count > 1)}" for kind, count in Counter(kinds).items())
        return self.case.bench(", ".join(counted) or "no network")


def fig6(case):
    large = [(kind, Group(case, f"seeds_{kind}")) for kind in ("wide", "deep")]
    return [
        alike(Group(case, "seeds_small")),
        *(claim for kind, group in large for claim in unique(kind, group)),
    ]


def alike(group):
    """Without a block, heatmaps across seeds look like those within one."""
    kept = [number for number in group.numbers if group.share(number) < STILL_WITHOUT]
    formed = "" if len(kept) > 1 else f"a block formed: {group.shares()}"
    used = kept if len(kept) > 1 else group.numbers
    gaps = [gap(group, i, j) for i, j in combinations(used, 2)]
    return group.bench().judge(
        "small network: CKA across seeds differs from CKA within a seed by less than 0.1, "
        "mean over layer pairs",
        "closely resembles CKA within a single model",
        say(gaps, 3),
        mean(gaps) < CLOSELY,
        lacks=SINGLE if len(group.numbers) < 2 else formed,
    )


def gap(group, i, j) -> float:
    """Mean |CKA between two networks - mean of the CKA within each|."""
    within = (group.cka(i, i) + group.cka(j, j)) / 2
    return mean(np.abs(group.cka(i, j) - within))


def unique(kind, group) -> list:
    """Blocks of different seeds are unlike each other, less alike than the layers outside them."""
    kept = [number for number in group.numbers if group.share(number) >= HAS_BLOCK]
    none = f"no block formed in two seeds: {group.shares()}" if len(kept) < 2 else ""
    used = kept if len(kept) > 1 else group.numbers
    between, outside = (
        [mean(part(group, i, j, side)) for i, j in combinations(used, 2)] for side in (True, False)
    )
    within = [mean(pairs(group.cka(i, i), group.inside(i))) for i in used]
    bench, lacks = group.bench(), SINGLE if len(group.numbers) < 2 else none
    return [
        bench.judge(
            f"{kind} network: mean CKA of the blocks of two seeds is below 0.4, within a block at least 0.9",
            "unique to each model",
            f"{say(between)} across, {say(within)} within",
            mean(between) < UNIQUE and mean(within) >= WITHIN,
            lacks=lacks,
        ),
        bench.judge(
            f"{kind} network: across seeds, layers outside the blocks are more alike than those inside",
            "some similarity outside",
            f"{say(outside)} outside, {say(between)} inside",
            mean(outside) > mean(between),
            lacks=lacks or unless(mean(outside), "no live layer outside the blocks"),
        ),
    ]


def part(group, i, j, side):
    """CKA between the layers of two networks that both lie inside (True) or outside their blocks."""
    return group.cka(i, j)[np.ix_(group.inside(i) == side, group.inside(j) == side)]


def figE1(case):
    return [aligned(Group(case, "architectures_plain")), apart(Group(case, "architectures_block"))]


def aligned(group):
    """Each layer of one network is most alike to a layer of the other at the same share of the depth."""
    lacks, shifts = ALONE, []
    if len(group.numbers) > 1:
        ends = group.numbers[0], group.numbers[-1]
        formed = [group.share(number) for number in ends if group.share(number) >= STILL_WITHOUT]
        lacks = f"a block formed: block fraction {max(formed):.2f}" if formed else ""
        shifts = [shift(group.cka(*ends)), shift(group.cka(*ends).T)]
    return group.bench().judge(
        "without a block, a layer's most similar layer in the other network lies at the same relative depth: "
        "mean difference below 0.15",
        "broadly of the same proportional depth (ResNet-14 (2x), ResNet-56)",
        say(shifts, 3),
        mean(shifts) < SAME_DEPTH,
        lacks=lacks,
    )


def shift(matrix) -> float:
    """Mean |difference of relative depth| of a live layer (row) and the layer (column) most alike to it."""
    live = np.flatnonzero(np.isfinite(matrix).any(1))
    best = np.nanargmax(matrix[live], 1) if len(live) else live
    return mean(np.abs(live / max(len(matrix) - 1, 1) - best / max(matrix.shape[1] - 1, 1)))


def apart(group):
    """The block of the deep network is unlike all layers of the other."""
    lacks, across = ALONE, np.nan
    if len(group.numbers) > 1:
        first, last = group.numbers[0], group.numbers[-1]
        formed = group.share(last) >= HAS_BLOCK
        across = mean(group.cka(first, last)[:, group.inside(last)])
        lacks = "" if formed else f"no block formed: block fraction {group.share(last):.2f}"
    return group.bench().judge(
        "with a block, mean CKA of its layers with the layers of the other network is below 0.4",
        "dissimilar (ResNet-14 (2x), ResNet-164)",
        say(across),
        across < UNIQUE,
        lacks=lacks or unless(across, "no live layer in the block"),
    )
