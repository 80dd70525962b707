"""Per-example and per-class differences: figures 7, F.1 and F.4 of Nguyen et al. 2021."""

from itertools import combinations

import numpy as np

from papers.nguyen.claims.groups import SIGNIFICANT, loaded, sem
from papers.nguyen.claims.numbers import mean, percent
from papers.nguyen.claims.synsets import better, unchanged

# Thresholds, each with its reason.
ERRORS = 2  # bootstrap standard errors: a difference that is not the images' luck
CHANCE = 0.05  # share of classes below p = 0.05 if nothing differs
MANY = 2  # times chance and times the control: "much more"; the paper has eight times chance
GAP = 0.20  # accuracy: the example's gap persists
PAIR = ("ResNet-62", "ResNet-14 (2x)")


def fig7(case):
    pair, bench = loaded(case, "pair")
    images, other = loaded(case, "imagenet")
    return [
        wider(bench, pair, 0, "substantially larger; 100 against 100 networks"),
        *many_classes(other, images),
        better(
            other,
            images,
            "structure",
            1,
            "74.9 ± 0.05 and 74.6 ± 0.06 %, p = 6e-5 (with geological formations, 68 classes)",
        ),
        better(other, images, "consumer goods", -1, "72.1 ± 0.06 and 72.4 ± 0.07 %, p = 0.001 (62 classes)"),
        unchanged(
            other,
            images,
            ["dog"],
            "dogs: no significant difference (p ≥ 0.05)",
            "81.6 and 81.6 %, p = 0.48 (118 classes)",
        ),
    ]


def wider(bench, pair, control, paper):
    """Two architectures are further from the diagonal than two halves of one, beyond two standard errors."""
    (cross, error), (alone, own) = pair.dispersion(0, 1), pair.dispersion(control, control)
    return bench.judge(
        f"ResNet-62 and ResNet-14 (2x) differ on examples more than two halves of {PAIR[control]}: "
        "dispersion larger by more than 2 bootstrap standard errors",
        paper,
        f"{cross:.4f} ± {error:.4f} and {alone:.4f} ± {own:.4f}",
        cross - alone > ERRORS * np.hypot(error, own),
    )


def many_classes(bench, images) -> list:
    """More classes differ between wide and deep than by chance, and than in halves of the deep networks."""
    found = images.found
    share, control = (np.mean(found.get(name, "class") < SIGNIFICANT) for name in ("p", "p_control"))
    ours = f"{percent(share)} of {len(found.get('p', 'class'))} classes, {percent(control)} in the control"
    explained = f"{percent(found.get('v2', 'models'))} of the example-level variance"
    statement = "classes whose accuracy differs between wide and deep (p < 0.05, Welch) are more than twice"
    return [
        bench.judge(
            f"{statement} the 5 % of chance",
            "419 of 1000 classes; 11 % of the example-level variance",
            f"{ours}; {explained}",
            share > MANY * CHANCE,
        ),
        bench.judge(
            f"{statement} those of two halves of the deep network",
            "419 of 1000 classes, far fewer in the control",
            ours,
            share > MANY * control,
        ),
    ]


def figF1(case):
    pair, bench = loaded(case, "pair")
    deep, wide = (pair.of("accuracy", number) for number in (0, 1))
    return [
        bench.judge(
            "mean accuracies do not differ significantly: p above 0.05",
            "94.09 ± 0.01 and 94.08 ± 0.01 %, t(199) = 0.73, p = 0.47",
            f"{sem(deep)} and {sem(wide)}, {pair.tested()}",
            float(pair.found.get("p_mean")) > SIGNIFICANT,
        ),
        *(wider(bench, pair, number, "substantially higher dispersion") for number in (0, 1)),
        *persistent(bench, pair.found),
    ]


def persistent(bench, found) -> list:
    """Images chosen for their gaps with one half of the networks keep them with the other half."""
    deep, wide = (np.asarray(found.get(name, "shown"), float) for name in ("first", "second"))
    half = len(deep) // 2  # the first images are those that the deep networks get right more often
    gaps = (deep - wide)[:half], (wide - deep)[half:]
    papers = ("such as 87/22, 74/6, 64/8 %", "such as 20/90, 23/71 %")
    return [
        bench.judge(
            f"images with the largest gap in favour of {name}: on networks not used for selection it is "
            "above 20 points, mean over the images",
            paper,
            percent(gap),
            mean(gap) > GAP,
        )
        for name, gap, paper in zip(PAIR, gaps, papers, strict=True)
    ]


def figF4(case):
    groups, bench = loaded(case, "imagenet")
    base, deep, wide = (groups.of("accuracy", number) for number in groups.numbers)
    return [
        further_apart(bench, groups),
        bench.judge(
            "both larger networks are more accurate than ResNet-50",
            "76.97 %; 78.00 ± 0.01 and 77.97 ± 0.01 %, these two t(99) = 2.0, p = 0.047",
            f"{sem(base)}; {sem(deep)} and {sem(wide)}, these two {groups.tested()}",
            min(np.mean(deep), np.mean(wide)) > np.mean(base),
        ),
    ]


def further_apart(bench, groups):
    holds, ours = True, []
    for a, b in combinations(groups.numbers, 2):
        (cross, error), halves = groups.dispersion(a, b), [groups.dispersion(g, g)[0] for g in (a, b)]
        holds &= cross > max(halves)
        names = f"{groups.label(a)} and {groups.label(b)}"
        ours.append(f"{names}: {cross:.4f} ± {error:.4f}, halves {halves[0]:.4f} and {halves[1]:.4f}")
    return bench.judge(
        "each two architectures differ on examples more than two halves of either: dispersion",
        "larger dispersion; 50 networks each",
        "; ".join(ours),
        holds,
    )
