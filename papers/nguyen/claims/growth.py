"""Accuracy on single examples as networks grow: figures F.2 and F.3 of Nguyen et al. 2021."""

from dataclasses import dataclass

import numpy as np

from papers.nguyen.claims.groups import Groups, loaded
from papers.nguyen.claims.nets import FEWEST
from papers.nguyen.claims.numbers import mean, say

# Thresholds, each with its reason.
NEAR_MEAN = 0.004  # of the paper's mean accuracies: the spread of a few seeds' mean
MIDDLE = (0.3, 0.95)  # accuracy of the smallest network: "often but not always correct"
BAND = 0.99  # of the differences between two halves of one architecture
# The paper's mean accuracies.
DEPTHS = {14: 0.9169, 20: 0.9261, 26: 0.9309, 32: 0.9344, 38: 0.9367, 56: 0.9402, 110: 0.9433, 164: 0.9437}
WIDTHS = {
    1.0: 0.9309,
    1.4: 0.9410,
    1.7: 0.9453,
    2.2: 0.9494,
    2.4: 0.9505,
    3.0: 0.9530,
    4.0: 0.9553,
    8.0: 0.9581,
}


def figF2(case):
    return grows(case, "by_depth", "depth", DEPTHS)


def figF3(case):
    return grows(case, "by_width", "width", WIDTHS)


@dataclass(frozen=True)
class Row:
    """Groups from small to large.

    own: the depth or the width of each. numbers: of the groups. means: their networks' accuracies, in [0, 1].
    """

    groups: Groups
    own: list
    numbers: list
    means: list

    @classmethod
    def of(cls, groups, along) -> "Row":
        size = {number: float(groups.found.get(along, number)) for number in groups.numbers}
        means = dict(zip(groups.numbers, groups.means(), strict=True))
        order = sorted(size, key=size.get)
        return cls(groups, [size[n] for n in order], order, [means[n] for n in order])

    def said(self) -> str:
        return ", ".join(
            f"{size:g}: {100 * value:.2f}" for size, value in zip(self.own, self.means, strict=True)
        )


def grows(case, study, along, numbers) -> list:
    """Larger networks are better, most where the smallest is right often but not always, and on some worse.

    along: depth or width. numbers: the paper's mean accuracies by it.
    """
    groups, bench = loaded(case, study)
    row = Row.of(groups, along)
    paper = ", ".join(f"{key:g}: {100 * value:.2f}" for key, value in numbers.items()) + " %"
    few = bench.lacks or ("" if len(row.means) >= FEWEST else "the scale keeps fewer than three sizes")
    return [
        near_the_paper(bench, row, numbers, paper),
        bench.judge(
            "mean accuracy rises with every step in size",
            paper,
            f"{row.said()} %",
            bool((np.diff(row.means) > 0).all()),
            lacks=few,
        ),
        *examples(bench, row),
    ]


def near_the_paper(bench, row, numbers, paper):
    off = [value - numbers[own] for own, value in zip(row.own, row.means, strict=True) if own in numbers]
    worst = max(map(abs, off), default=np.nan)
    return bench.judge(
        "mean accuracies lie within 0.4 points of the paper's",
        paper,
        f"{row.said()} %; furthest off by {100 * worst:.2f} points",
        worst <= NEAR_MEAN,
        against_number=True,
        lacks="" if off else "none of the paper's sizes",
    )


def examples(bench, row) -> list:
    """Claims on single examples, from the smallest to the largest network kept."""
    small, large = row.numbers[0], row.numbers[-1]
    one = "" if small != large else "one size: nothing to compare"
    first, second = (
        [row.groups.of(half, number) for number in (small, large)] for half in ("first", "second")
    )
    return [
        gain_most(bench, first, second, bench.lacks or one),
        some_worse(bench, first, second, bench.lacks or one),
    ]


def gain_most(bench, first, second, lacks):
    # The bins come from other networks than the gains: no regression to the mean.
    start, gain = first[0], second[1] - second[0]
    low, high = start <= MIDDLE[0], start >= MIDDLE[1]
    below, middle, above = (mean(gain[part]) for part in (low, ~low & ~high, high))
    most = np.isfinite(middle) and not (middle <= below or middle <= above)
    return bench.judge(
        "examples that the smallest network gets right with a probability in (0.3, 0.95) gain most",
        "most pronounced there",
        f"{say(middle, 1, 100)} points, below {say(below, 1, 100)}, above {say(above, 1, 100)}",
        bool(most),
        lacks=lacks,
    )


def some_worse(bench, first, second, lacks):
    """first, second: per-example accuracies of the smallest and the largest group, by either half of it."""
    edge = np.quantile(first[0] - second[0], (1 - BAND) / 2)
    both = (first[1] - first[0] < edge) & (second[1] - second[0] < edge)
    return bench.judge(
        "on more than 0 examples the largest network is worse than the smallest beyond the control's 99 % "
        "band, in both halves",
        "there are such examples",
        f"{int(both.sum())} of {len(both)} examples, {100 * edge:+.1f} points or worse",
        both.any(),
        lacks=lacks,
    )
