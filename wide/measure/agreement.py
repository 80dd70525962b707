"""Where two groups of networks make different errors: Nguyen, Raghu & Kornblith 2021, section 7, appendix F.

`correct` is (networks, examples) bool throughout: does the network, one row a seed in seed order,
classify the example correctly? Groups are compared on the same examples. All functions raise ValueError
for arrays that do not fit together. The logistic regressions of appendix F.3 are in `nested`.
"""

import numpy as np
from scipy import stats

from wide.measure.nested import Nested, nested_models
from wide.measure.predictions import classes_of, counted, pair

__all__ = [
    "Nested",
    "aic_falls",
    "class_accuracy",
    "dispersion",
    "dispersion_se",
    "example_accuracy",
    "halves",
    "largest_gaps",
    "mean_test",
    "nested_models",
    "welch",
]


def halves(networks: int) -> tuple:
    """Indices (networks // 2,) of two disjoint halves, first and second in seed order.

    An odd last one is left out. ValueError for fewer than 2 networks.
    """
    if networks < 2:
        raise ValueError(f"{networks} networks have no two halves: train at least 2 seeds")
    half = networks // 2
    return np.arange(half), np.arange(half, 2 * half)


def example_accuracy(correct):
    """Share of the networks that are right on each example: (examples,) float64 in [0, 1]."""
    return counted(correct).mean(0)


def dispersion(a, b) -> float:
    """Root mean square distance of the points (a_i, b_i) from the diagonal: sqrt(mean((a - b)²) / 2).

    a, b: (examples,) accuracies of two groups, the axes of figure 7a. The paper shows dispersion in
    pictures only; the definition is this project's. A finite number of networks adds noise: compare with
    two halves of one group.
    """
    return float(np.sqrt(np.mean(_gaps(a, b) ** 2) / 2))


def dispersion_se(correct_a, correct_b, *, draws: int = 200, seed: int = 0) -> float:
    """Bootstrap standard error of the `dispersion` of two groups: float.

    Examples are resampled, the networks held fixed. It says how far the value would move with other test
    images, not with other networks. ValueError below 2 draws.
    """
    if draws < 2:
        raise ValueError(f"{draws} bootstrap draws have no spread: draw at least 2")
    squares = _gaps(example_accuracy(correct_a), example_accuracy(correct_b)) ** 2
    examples = len(squares)
    rng = np.random.default_rng(seed)
    means = [squares[rng.integers(examples, size=examples)].mean() for _ in range(draws)]
    return float(np.sqrt(np.divide(means, 2)).std(ddof=1))


def mean_test(correct_a, correct_b) -> tuple:
    """t-test whether two groups have the same mean accuracy: (t, degrees of freedom, two-sided p).

    t > 0 if a is better. The paper does not name its test but reports t(199) for 200 against 200 networks
    (figure F.1) and t(99) in figure F.4, which has two sets of 50 of each type: n - 1 degrees of freedom.
    Student's test has 2n - 2, Welch's n - 1 only if one group does not vary at all; the test paired over
    seeds always has n - 1. It is done here for groups of one size, where row s of both is one seed. Groups of
    unequal size get Welch's test. Where nothing varies, p is 1 if the means are equal, else 0. ValueError for
    fewer than 2 networks.
    """
    # t has no unit, and counts are not rounded.
    a, b = (correct.sum(1) for correct in pair(correct_a, correct_b, least=2))
    paired = len(a) == len(b)
    spread = np.ptp(a - b) if paired else np.ptp(a) + np.ptp(b)
    if spread == 0:
        return _without_spread(a, b, paired)
    test = stats.ttest_rel(a, b) if paired else stats.ttest_ind(a, b, equal_var=False)
    return float(test.statistic), float(test.df), float(test.pvalue)


def _without_spread(a, b, paired):
    """The test's three numbers where nothing varies."""
    gap = float(a.mean() - b.mean())
    freedom = len(a) - 1 if paired else len(a) + len(b) - 2
    t = float(np.copysign(np.inf, gap)) if gap else 0.0
    return t, float(freedom), float(gap == 0)


def class_accuracy(correct, labels):
    """Accuracy of each network on each class: (networks, classes) float64.

    labels: (examples,) ints 0 .. classes - 1. ValueError for a class up to the largest label that has no
    example.
    """
    correct = counted(correct)
    labels = classes_of(labels, correct)
    sizes = np.bincount(labels)
    if not sizes.all():
        raise ValueError(
            f"class {int(np.argmin(sizes))} has no example: number the classes from 0 without gaps"
        )
    order = np.argsort(labels, kind="stable")
    starts = np.cumsum(sizes) - sizes
    return np.add.reduceat(correct[:, order], starts, axis=1, dtype=np.int64) / sizes


def welch(a, b):
    """Two-sided p of Welch's t-test for each class: (networks, classes) twice -> (classes,) float64.

    Where neither group varies, p is 1 if they are equal, else 0. ValueError for fewer than 2 networks.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(
            f"accuracies of shape {a.shape} and {b.shape}: give at least 2 networks x the same classes"
        )
    moments = [part for x in (a, b) for part in (x.mean(0), x.std(0, ddof=1), len(x))]
    with np.errstate(divide="ignore", invalid="ignore"):
        p = stats.ttest_ind_from_stats(*moments, equal_var=False).pvalue
    constant = (np.ptp(a, axis=0) == 0) & (np.ptp(b, axis=0) == 0)
    return np.where(constant, (a[0] == b[0]).astype(float), p)


def aic_falls(correct_a, correct_b, labels, *, folds: int = 10) -> tuple:
    """How far AIC falls from model A to B and from B to C of `nested_models`: ((2,), (2,)) float64.

    Positive: the larger model is worth its parameters. Second: standard errors over classes, which are dealt
    out to so many folds, at most one a class. A fold's part of the fall is what is missing without it; the
    parts' spread gives that of their sum. Networks are held fixed: two halves of one group say how much of a
    fall is theirs. labels: (examples,) ints. ValueError below 2 classes.
    """
    labels = np.asarray(labels)
    folds = min(folds, len(np.unique(labels)))
    if folds < 2:
        raise ValueError("one class has no folds: give examples of at least 2 classes")
    correct = np.asarray(correct_a), np.asarray(correct_b)
    fold = np.unique(labels, return_inverse=True)[1] % folds
    whole, *others = (
        -np.diff(nested_models(*(group[:, kept] for group in correct), labels[kept]).aic)
        for kept in [slice(None), *(fold != number for number in range(folds))]
    )
    parts = whole - np.array(others)
    return whole, np.sqrt(folds) * parts.std(0, ddof=1)


def largest_gaps(a, b, count: int):
    """Indices (count,) of the examples where accuracy a exceeds b most, the largest gap first.

    Ties are in order of index. ValueError for more gaps than examples.
    """
    gaps = np.round(_gaps(a, b), 9)  # 0.3 - 0.1 and 0.4 - 0.2 are a tie
    if not 0 <= count <= len(gaps):
        raise ValueError(f"{count} gaps wanted of {len(gaps)} examples: ask for at most one an example")
    return np.argsort(-gaps, kind="stable")[:count]


def _gaps(a, b):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise ValueError(
            f"accuracies of shape {a.shape} and {b.shape}: give both groups' on the same examples"
        )
    return a - b
