"""Accuracy on single examples as networks grow: figures F.2 and F.3 of Nguyen et al. 2021."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from papers.nguyen.claims.groups import Groups, loaded
from papers.nguyen.claims.middle import more_in_the_middle, raised_alike
from papers.nguyen.claims.nets import FEWEST
from pipeline.claims import LEFT_OUT, SURE, UNDEFINED, Control, Estimate, Lack, first_of

# Thresholds, each with its reason.
NEAR_MEAN = 0.004  # of the paper's mean accuracies: the spread of a few seeds' mean
BAND = 0.99  # of the differences between two halves of one architecture
DRAWS = 50  # of what chance gives
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
CHANCE = "none: untrained networks are at chance, whatever their size"


def figF2(case):
    return grows(case, "by_depth", "depth", DEPTHS)


def figF3(case):
    return grows(case, "by_width", "width", WIDTHS)


@dataclass(frozen=True)
class Row:
    """Groups from small to large.

    own: the depth or the width of each. numbers: of the groups. means: of their networks' accuracies.
    """

    groups: Groups
    own: list
    numbers: list
    means: list

    @classmethod
    def of(cls, groups, along) -> "Row":
        size = {number: float(groups.found.get(along, number)) for number in groups.numbers}
        order = sorted(size, key=size.get)
        return cls(groups, [size[n] for n in order], order, [groups.accuracy(n) for n in order])

    def said(self) -> str:
        return ", ".join(
            f"{size:g}: {mean.said(2, 100)}" for size, mean in zip(self.own, self.means, strict=True)
        )


def grows(case, study, along, numbers) -> list:
    """Larger networks are better, most where the smallest is right often but not always, and on some worse.

    along: depth or width. numbers: the paper's mean accuracies by it.
    """
    groups, bench = loaded(case, study)
    row = Row.of(groups, along)
    paper = ", ".join(f"{key:g}: {100 * value:.2f}" for key, value in numbers.items()) + " %"
    small, large = (row.numbers[0], row.numbers[-1]) if row.numbers else (0, 0)
    one = Lack(LEFT_OUT, "one size: nothing to compare") if small == large else None
    halves = [[groups.of(half, number) for half in ("first", "second")] for number in (small, large)]
    nets = [int(np.nan_to_num(groups.of("networks", number)).flat[0]) // 2 for number in (small, large)]
    lacks = first_of(groups.few(), one)
    return [
        near_the_paper(bench, row, numbers, paper),
        rises(bench, row, paper),
        gain_most(bench, *halves, nets[0], lacks),
        some_worse(bench, *halves, nets, lacks),
    ]


def near_the_paper(bench, row, numbers, paper):
    """Judged whatever the networks have learned: those that have not learned are not near."""
    off = [
        Estimate(abs(mean.value - numbers[own]), mean.se)
        for own, mean in zip(row.own, row.means, strict=True)
        if own in numbers
    ]
    worst = max(off, key=lambda one: one.value, default=Estimate(np.nan))
    below = row.groups.unlearned()
    return bench.judge(
        "mean accuracies lie within 0.4 points of the paper's",
        paper,
        f"{row.said()} %; furthest off by {worst.said(2, 100)} points",
        worst,
        below=NEAR_MEAN,
        against_number=True,
        control=CHANCE,
        lacks=None if off else Lack(LEFT_OUT, "none of the paper's sizes"),
        reason=f"{below.cause}: {below.detail}" if below else "",
    )


def rises(bench, row, paper):
    """The step that is least surely one is judged."""
    steps = [large.minus(small) for small, large in pairwise(row.means)]
    few = None if len(row.means) >= FEWEST else Lack(LEFT_OUT, "the scale keeps fewer than three sizes")
    least = min(steps, key=lambda step: step.value - SURE * step.se, default=Estimate(np.nan))
    return bench.judge(
        "mean accuracy rises with every step in size",
        paper,
        f"{row.said()} %; least by {least.said(2, 100)} points",
        least,
        above=0.0,
        control=CHANCE,
        lacks=first_of(row.groups.unlearned(), few),
    )


def gain_most(bench, small, large, nets, lacks):
    """small, large: per-example accuracies of both halves of the smallest and of the largest group.
    nets: in a half of the smallest.

    Bins come from the first half of the smallest networks, gains from second halves. With the same half for
    both, easy examples that fell into the middle by chance would return from it, which looks like a gain. The
    control: an accuracy between 0 and 1 has most room in its middle, even where no example gains more.
    """
    gain = large[1] - small[1]
    parts, found = more_in_the_middle(small[0], gain)
    alike = more_in_the_middle(small[0], raised_alike(small[1], gain, nets))[1]
    none = Lack(UNDEFINED, "no example with a probability in (0.3, 0.95), or none elsewhere")
    low, middle, high = (part.said(1, 100) for part in parts)
    return bench.judge(
        "examples that the smallest network gets right with a probability in (0.3, 0.95) gain more than "
        "those below and those above",
        "most pronounced there",
        f"{middle} points, below {low}, above {high}",
        found,
        above=0.0,
        control=Control("all images' log-odds raised alike", alike, 1, 100, " points"),
        lacks=first_of(lacks, none if np.isnan(found.value) else None),
    )


def some_worse(bench, small, large, nets, lacks):
    """nets: networks in a half of the smallest and of the largest group."""
    edge = np.quantile(small[0] - small[1], (1 - BAND) / 2)  # NaN where there is no network
    both = (large[0] - small[0] < edge) & (large[1] - small[1] < edge)
    chance = by_chance(np.mean(small, axis=0), nets, edge)
    found = Estimate.of(both)
    worse = (
        f"{int(both.sum())} of {len(both)} examples ({found.said(2, 100, ' %')}), {100 * edge:+.1f} points"
    )
    return bench.judge(
        "the largest network is worse than the smallest beyond the control's 99 % band, in both halves, on "
        "more examples than chance gives",
        "there are such examples",
        "–" if np.isnan(edge) else f"{worse} or worse",
        found,
        above=chance.value,
        control=f"the threshold: binomial chance, as if size made no difference, {chance.said(3, 100, ' %')}",
        lacks=lacks,
    )


def by_chance(probability, nets, edge) -> Estimate:
    """Share of examples beyond the edge in both halves if all networks are right with these probabilities.

    An example on which networks waver crosses the edge by chance more easily, and then in both halves.
    """
    if np.isnan(edge):
        return Estimate(np.nan)
    rng, shares = np.random.default_rng(0), []
    for _ in range(DRAWS):
        small, large = (rng.binomial(count, probability, (2, len(probability))) / count for count in nets)
        shares.append(np.mean((large - small < edge).all(axis=0)))
    return Estimate.of(shares)
