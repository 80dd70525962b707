"""Per-example and per-class differences: figures 7, F.1 and F.4 of Nguyen et al. 2021."""

from itertools import combinations

import numpy as np

from papers.nguyen.claims.groups import SIGNIFICANT, apart, loaded, not_imagenet, sem
from papers.nguyen.claims.numbers import percent
from papers.nguyen.claims.synsets import alike, better
from pipeline.claims import UNDEFINED, Control, Estimate, Lack, first_of

# Thresholds, each with its reason.
CHANCE = 0.05  # share of classes below p = 0.05 if nothing differs
MANY = 2  # times chance and times the control: "much more"; the paper has eight times chance
GAP = 0.20  # accuracy: the example's gap persists
SIDES = ("deep", "wide")  # the groups of the pair
EQUAL = 0.005  # accuracy: half a point, where the paper's two differ by 0.01 points


def fig7(case):
    pair, bench = loaded(case, "pair")
    images, other = loaded(case, "imagenet")
    lacks = first_of(images.left_out(), not_imagenet(case), images.few())
    structure = "74.9 ± 0.05 and 74.6 ± 0.06 %, p = 6e-5 (with geological formations, 68 classes)"
    goods = "72.1 ± 0.06 and 72.4 ± 0.07 %, p = 0.001 (62 classes)"
    return [
        apart(bench, pair, [(0, 1)], "substantially larger; 100 against 100 networks"),
        *many_classes(other, images),
        better(other, images, "structure", 1, structure, lacks),
        better(other, images, "consumer goods", -1, goods, lacks),
        alike(other, images, ["dog"], "dogs", "81.6 and 81.6 %, p = 0.48 (118 classes)", lacks),
    ]


def many_classes(bench, images) -> list:
    """More classes differ between wide and deep than by chance, and than in halves of the deep networks."""
    p, halves_p = (images.fact(name, "class") for name in ("p", "p_control"))
    differ, control = (np.where(np.isnan(some), np.nan, some < SIGNIFICANT) for some in (p, halves_p))
    tested = np.isfinite(halves_p).all()
    none = None if tested else Lack(UNDEFINED, "halves of one network have no spread")
    share, halves = Estimate.of(differ), Estimate.of(control)
    ours = f"{percent(differ)} of {len(differ)} classes, {percent(control)} in the control"
    v2 = Estimate(float(images.fact("v2", "models").flat[0]))
    explained = f"{v2.said(1, 100, ' %')} of the example-level variance"
    statement = "classes whose accuracy differs between wide and deep (p < 0.05, Welch) are more than twice"
    twice = Estimate(MANY * halves.value, MANY * halves.se)
    return [
        bench.judge(
            f"{statement} the 5 % of chance",
            "419 of 1000 classes; 11 % of the example-level variance",
            f"{ours}; {explained}",
            share,
            above=MANY * CHANCE,
            control=Control("two halves of the deep network", halves, 1, 100, " %"),
            lacks=first_of(images.few(), none),
        ),
        bench.judge(
            f"{statement} those of two halves of the deep network",
            "419 of 1000 classes, far fewer in the control",
            ours,
            share.minus(twice),
            above=0.0,
            control="none: twice the control is what is subtracted",
            lacks=first_of(images.few(), none),
        ),
    ]


def figF1(case):
    pair, bench = loaded(case, "pair")
    return [
        equal_means(bench, pair),
        apart(bench, pair, [(0, 1)], "substantially higher dispersion"),
        *(persistent(bench, pair, side) for side in (0, 1)),
    ]


def equal_means(bench, pair):
    """An equivalence: the difference and its two standard errors stay below half a point."""
    deep, wide = (pair.accuracy(number) for number in (0, 1))
    gap = deep.minus(wide)
    return bench.judge(
        "mean accuracies are equal: they differ by less than 0.5 points",
        "94.09 ± 0.01 and 94.08 ± 0.01 %, t(199) = 0.73, p = 0.47",
        f"{sem(deep)} and {sem(wide)}, {pair.tested()}",
        Estimate(abs(gap.value), gap.se),
        below=EQUAL,
        control="none: that architectures make no difference is what is claimed",
        lacks=pair.unlearned(),
    )


def persistent(bench, pair, side):
    """Images chosen for their gaps with one half of the networks keep them with the other half.

    side: whose favour, the first group's or the second's. The first images shown are the first group's.
    A gap between two halves of one architecture would need a third to be measured on, which there is not: the
    control is the gap of all images, as it is where one architecture is merely better everywhere.
    """
    shown = [pair.fact(name, "shown") for name in ("first", "second")]
    half = slice(0, len(shown[0]) // 2) if side == 0 else slice(len(shown[0]) // 2, None)
    chosen, everywhere = shown, [pair.of("second", number) for number in (0, 1)]
    gap = (chosen[side] - chosen[1 - side])[half]
    paper = ("such as 87/22, 74/6, 64/8 %", "such as 20/90, 23/71 %")[side]
    on_all = Estimate.of(everywhere[side] - everywhere[1 - side])
    return bench.judge(
        f"images with the largest gap in favour of the {SIDES[side]} network: on networks not used for "
        "selection it is above 20 points, mean over the images",
        paper,
        f"{Estimate.of(gap).said(1, 100, ' points')} over {len(gap)} images",
        Estimate.of(gap),
        above=GAP,
        control=Control("all images, chosen by nothing", on_all, 1, 100, " points"),
        lacks=pair.few(),
    )


def figF4(case):
    groups, bench = loaded(case, "imagenet")
    pairs = list(combinations(range(groups.wanted), 2))
    return [
        apart(bench, groups, pairs, "larger dispersion; 50 networks each"),
        better_than_base(bench, groups),
    ]


def better_than_base(bench, groups):
    """The larger network that is less surely better is judged."""
    base, *larger = (groups.accuracy(number) for number in range(groups.wanted))
    gains = [accuracy.minus(base) for accuracy in larger]
    return bench.judge(
        "both larger networks are more accurate than ResNet-50",
        "76.97 %; 78.00 ± 0.01 and 77.97 ± 0.01 %, these two t(99) = 2.0, p = 0.047",
        f"{sem(base)}; {' and '.join(map(sem, larger))}, these two {groups.tested()}",
        min(gains, key=lambda gain: gain.value - 2 * gain.se),
        above=0.0,
        control="none: untrained networks are at chance, whatever their size",
        lacks=groups.unlearned(),
    )
