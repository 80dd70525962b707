"""Where two groups of networks make different errors: Nguyen, Raghu & Kornblith 2021, section 7 and appendix F.

`correct` is (networks, examples) bool throughout: does the network, one row a seed in seed order, classify the example
correctly? Groups are compared on the same examples. All functions raise ValueError for arrays that do not fit together.
"""
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import expit, log_expit, logit

CERTAIN = 1000.0  # a logit for infinity: expit gives exactly 0 and 1, and 0 times its logarithm is 0 and not NaN
LIMIT = 80.0  # a type contrast for infinity: what remains is exp(-40), below the rounding of a probability
HALVINGS = 60  # of an interval 2 LIMIT wide: to the rounding of float64


def halves(networks: int) -> tuple:
    """Indices (networks // 2,) of two disjoint halves, first and second in seed order; an odd last one is left out."""
    if networks < 2:
        raise ValueError(f"{networks} networks have no two halves: train at least 2 seeds")
    half = networks // 2
    return np.arange(half), np.arange(half, 2 * half)


def example_accuracy(correct):
    """Share of the networks that are right on each example: (examples,) float64 in [0, 1]."""
    return _counted(correct).mean(0)


def dispersion(a, b) -> float:
    """Root mean square distance of the points (a_i, b_i) from the diagonal: sqrt(mean((a - b)²) / 2).

    a, b: (examples,) accuracies of two groups, the axes of figure 7a. The paper shows dispersion in pictures only; the definition
    is this project's. A finite number of networks adds noise: compare with two halves of one group.
    """
    return float(np.sqrt(np.mean(_gaps(a, b) ** 2) / 2))


def dispersion_se(correct_a, correct_b, *, draws=200, seed=0) -> float:
    """Bootstrap standard error of the `dispersion` of two groups, resampling examples with the networks held fixed.

    It says how far the value would move with other test images, not with other networks. ValueError below 2 draws.
    """
    if draws < 2:
        raise ValueError(f"{draws} bootstrap draws have no spread: draw at least 2")
    squares, rng = _gaps(example_accuracy(correct_a), example_accuracy(correct_b)) ** 2, np.random.default_rng(seed)
    means = [squares[rng.integers(len(squares), size=len(squares))].mean() for _ in range(draws)]
    return float(np.sqrt(np.divide(means, 2)).std(ddof=1))


def mean_test(correct_a, correct_b) -> tuple:
    """t-test whether two groups have the same mean accuracy: (t, degrees of freedom, two-sided p), t > 0 if a is better.

    The paper does not name its test but reports t(199) for 200 against 200 networks (figure F.1) and t(99) in figure F.4, which
    has two sets of 50 of each type: n - 1 degrees of freedom. Student's test has 2n - 2, Welch's n - 1 only if one group does
    not vary at all; the test paired over seeds always has n - 1. It is done here for groups of one size: row s of both is one
    seed. Groups of unequal size get Welch's test. Where nothing varies, p is 1 if the means are equal, else 0. ValueError for
    fewer than 2 networks.
    """
    a, b = (correct.sum(1) for correct in _pair(correct_a, correct_b, least=2))  # t has no unit; counts are not rounded
    paired = len(a) == len(b)
    if (np.ptp(a - b) if paired else np.ptp(a) + np.ptp(b)) == 0:
        gap, df = float(a.mean() - b.mean()), len(a) - 1 if paired else len(a) + len(b) - 2
        return float(np.copysign(np.inf, gap)) if gap else 0.0, float(df), float(gap == 0)
    test = stats.ttest_rel(a, b) if paired else stats.ttest_ind(a, b, equal_var=False)
    return float(test.statistic), float(test.df), float(test.pvalue)


def class_accuracy(correct, labels):
    """Accuracy of each network on each class: (networks, classes) float64; labels (examples,) are ints 0 .. classes - 1.

    ValueError for a class up to the largest label that has no example.
    """
    correct, labels = _counted(correct), _labels(labels, correct)
    sizes = np.bincount(labels)
    if not sizes.all():
        raise ValueError(f"class {int(np.argmin(sizes))} has no example: number the classes from 0 without gaps")
    order, starts = np.argsort(labels, kind="stable"), np.cumsum(sizes) - sizes
    return np.add.reduceat(correct[:, order], starts, axis=1, dtype=np.int64) / sizes


def welch(a, b):
    """Two-sided p of Welch's t-test for each class, over networks: (networks, classes) twice -> (classes,) float64.

    Where neither group varies, p is 1 if they are equal, else 0. ValueError for fewer than 2 networks.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(f"accuracies of shape {a.shape} and {b.shape}: give at least 2 networks x the same classes")
    moments = [part for x in (a, b) for part in (x.mean(0), x.std(0, ddof=1), len(x))]
    with np.errstate(divide="ignore", invalid="ignore"):
        p = stats.ttest_ind_from_stats(*moments, equal_var=False).pvalue
    return np.where((np.ptp(a, axis=0) == 0) & (np.ptp(b, axis=0) == 0), (a[0] == b[0]).astype(float), p)


def largest_gaps(a, b, count):
    """Indices (count,) of the examples where accuracy a exceeds b most, the largest gap first, ties in order of index."""
    gaps = np.round(_gaps(a, b), 9)  # 0.3 - 0.1 and 0.4 - 0.2 are a tie
    if not 0 <= count <= len(gaps):
        raise ValueError(f"{count} gaps wanted of {len(gaps)} examples: ask for at most one an example")
    return np.argsort(-gaps, kind="stable")[:count]


class Nested(NamedTuple):
    """Models A, B and C in this order.

    aic: (3,) 2 parameters - 2 log-likelihood. log_likelihood: (3,) of single predictions, nats, at its maximum.
    parameters: (3,) int, rank of the design matrix, as statsmodels counts: N + 1, N + classes and 2 N for N examples.
    variance: (3,) mean squared difference of single predictions (0 or 1) and fitted probabilities.
    v2: equation 10, (variance A - B) / (A - C); NaN where A and C do not differ. It is at most 1. B is above A in likelihood but
    need not be below it in variance: where class effects are no more than noise, v2 may be slightly negative.
    """
    aic: np.ndarray
    log_likelihood: np.ndarray
    parameters: np.ndarray
    variance: np.ndarray
    v2: float


def nested_models(correct_a, correct_b, labels) -> Nested:
    """The three logistic regressions of appendix F.3 on single predictions, fitted exactly.

    A: example + type of model. B: example + class x type. C: example x type. labels: (examples,) int; the groups may differ
    in size. C fits the accuracy of each example and type. In A and B an example's fitted counts add up to its observed total,
    which gives its intercept in closed form for a given type contrast; the contrast, one for A and one a class for B, is the root
    of a monotone function. Examples that all get right, or wrong, have an infinite intercept, likelihood 1, and still count.
    """
    a, b = _pair(correct_a, correct_b)
    classes, group = np.unique(_labels(labels, a), return_inverse=True)
    right, networks = np.stack([a.sum(0), b.sum(0)]), np.array([[len(a)], [len(b)]])
    with np.errstate(divide="ignore"):
        saturated = np.clip(logit(right / networks), -CERTAIN, CERTAIN)
    fits = [_additive(right, networks, np.zeros_like(group)), _additive(right, networks, group), saturated]
    likelihood = np.array([np.sum(right * log_expit(z) + (networks - right) * log_expit(-z)) for z in fits])
    squares = [right * expit(-z) ** 2 + (networks - right) * expit(z) ** 2 for z in fits]
    variance = np.sum(squares, axis=(1, 2)) / (networks.sum() * len(group))
    parameters = np.array([len(group) + 1, len(group) + len(classes), 2 * len(group)])
    least, between = variance[0] - variance[2], variance[0] - variance[1]
    v2 = float(between / least) if least > 1e-12 else float("nan")  # a smaller difference is rounding
    return Nested(2 * parameters - 2 * likelihood, likelihood, parameters, variance, v2)


def _additive(right, networks, group):
    """Logits (2, examples) of the fit: an intercept for each example, a type contrast for each group of examples.

    In the likelihood an example is its total alone, so a group is a histogram of totals. At the maximum, the fitted and
    the observed counts of the second type agree within each group; the fitted ones grow with the contrast: bisection.
    """
    total, most, groups = right.sum(0), int(networks.sum()), int(group.max()) + 1
    histogram = np.bincount(group * (most + 1) + total, minlength=groups * (most + 1)).reshape(groups, most + 1)
    observed = np.bincount(group, weights=right[1], minlength=groups)
    low, high = np.full(groups, -LIMIT), np.full(groups, LIMIT)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        short = np.sum(histogram * networks[1] * expit(_profile(middle, networks)[1]), axis=1) < observed
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return _profile((low + high) / 2, networks)[:, group, total]


def _profile(contrast, networks):
    """Logits of both types for each contrast and total, best intercept put in: (groups,) -> (2, groups, totals).

    The intercept solves n_a expit(z_a) + n_b expit(z_b) = total with z_b - z_a = contrast: a quadratic in exp of their mean.
    Its positive root, written with arcsinh, loses no digits for large contrasts.
    """
    (n_a,), (n_b,) = networks
    total, half = np.arange(1, n_a + n_b), contrast[:, None] / 2
    odds = total / (n_a + n_b - total)
    linear = (n_a - total) * np.exp(-half) + (n_b - total) * np.exp(half)
    mean = np.log(odds) / 2 - np.arcsinh(linear / (2 * np.sqrt(odds) * (n_a + n_b - total)))
    return np.pad([mean - half, mean + half], [(0, 0), (0, 0), (1, 1)], constant_values=[(0, 0), (0, 0), (-CERTAIN, CERTAIN)])


def _gaps(a, b):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise ValueError(f"accuracies of shape {a.shape} and {b.shape}: give both groups' on the same examples")
    return a - b


def _counted(correct):
    correct = np.asarray(correct)
    if correct.dtype != bool or correct.ndim != 2 or not correct.size:
        raise ValueError(f"correct is {correct.dtype} {correct.shape}: give bool, networks x examples, at least one of each")
    return correct


def _pair(a, b, least=1):
    a, b = _counted(a), _counted(b)
    if a.shape[1] != b.shape[1] or min(len(a), len(b)) < least:
        raise ValueError(f"correct is {a.shape} and {b.shape}: give the same examples and at least {least} networks in each group")
    return a, b


def _labels(labels, correct):
    labels = np.asarray(labels)
    if labels.shape != correct.shape[1:] or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ValueError(f"labels are {labels.dtype} {labels.shape}: give a class from 0 for each of {correct.shape[1]} examples")
    return labels
