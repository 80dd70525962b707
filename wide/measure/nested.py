"""Nested logistic regressions on single predictions: Nguyen, Raghu & Kornblith 2021, appendix F.3.

`correct` is (networks, examples) bool: does the network classify the example correctly? Groups are two
types of model.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_expit, logit

from wide.measure.predictions import classes_of, pair

# A logit for infinity: expit gives exactly 0 and 1, and 0 times its logarithm is 0 and not NaN.
CERTAIN = 1000.0
LIMIT = 80.0  # a type contrast for infinity: what remains is exp(-40), below the rounding of a probability
HALVINGS = 60  # of an interval 2 LIMIT wide: to the rounding of float64
LEAST = 1e-12  # of a difference of variances: a smaller one is rounding


class Nested(NamedTuple):
    """Models A, B and C in this order.

    aic: (3,) 2 parameters - 2 log-likelihood.
    log_likelihood: (3,) of single predictions, nats, at its maximum.
    parameters: (3,) int, rank of the design matrix, as statsmodels counts: N + 1, N + classes and 2 N for
    N examples.
    variance: (3,) mean squared difference of single predictions (0 or 1) and fitted probabilities.
    v2: equation 10, (variance A - B) / (A - C); NaN where A and C do not differ. It is at most 1. B is
    above A in likelihood but need not be below it in variance: where class effects are no more than
    noise, v2 may be slightly negative.
    """

    aic: np.ndarray
    log_likelihood: np.ndarray
    parameters: np.ndarray
    variance: np.ndarray
    v2: float


def nested_models(correct_a, correct_b, labels) -> Nested:
    """The three logistic regressions of appendix F.3 on single predictions, fitted exactly.

    A: example + type of model. B: example + class x type. C: example x type. labels: (examples,) int; the
    groups may differ in size. C fits the accuracy of each example and type. In A and B an example's
    fitted counts add up to its observed total, which gives its intercept in closed form for a given type
    contrast; the contrast, one for A and one a class for B, is the root of a monotone function. Examples
    that all get right, or wrong, have an infinite intercept, likelihood 1, and still count. ValueError
    for arrays that do not fit together.
    """
    a, b = pair(correct_a, correct_b)
    classes, group = np.unique(classes_of(labels, a), return_inverse=True)
    examples = len(group)
    right = np.stack([a.sum(0), b.sum(0)])
    networks = np.array([[len(a)], [len(b)]])
    with np.errstate(divide="ignore"):
        saturated = np.clip(logit(right / networks), -CERTAIN, CERTAIN)
    fits = [
        _additive(right, networks, np.zeros_like(group)),
        _additive(right, networks, group),
        saturated,
    ]
    wrong = networks - right
    likelihood = np.array([np.sum(right * log_expit(z) + wrong * log_expit(-z)) for z in fits])
    squares = [right * expit(-z) ** 2 + wrong * expit(z) ** 2 for z in fits]
    variance = np.sum(squares, axis=(1, 2)) / (networks.sum() * examples)
    parameters = np.array([examples + 1, examples + len(classes), 2 * examples])
    aic = 2 * parameters - 2 * likelihood
    return Nested(aic, likelihood, parameters, variance, _explained(variance))


def _explained(variance):
    """Equation 10: what class effects explain of the variance that examples do, NaN where these do none."""
    least = variance[0] - variance[2]
    between = variance[0] - variance[1]
    return float(between / least) if least > LEAST else float("nan")


def _additive(right, networks, group):
    """Logits (2, examples) of the fit: an intercept an example, a type contrast a group of examples.

    In the likelihood an example is its total alone, so a group is a histogram of totals. At the maximum,
    the fitted and the observed counts of the second type agree within each group; the fitted ones grow
    with the contrast, which bisection finds.
    """
    total = right.sum(0)
    most = int(networks.sum())
    groups = int(group.max()) + 1
    cell = group * (most + 1) + total
    histogram = np.bincount(cell, minlength=groups * (most + 1)).reshape(groups, most + 1)
    observed = np.bincount(group, weights=right[1], minlength=groups)
    low, high = np.full(groups, -LIMIT), np.full(groups, LIMIT)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        second = _profile(middle, networks)[1]
        short = np.sum(histogram * networks[1] * expit(second), axis=1) < observed
        low = np.where(short, middle, low)
        high = np.where(short, high, middle)
    return _profile((low + high) / 2, networks)[:, group, total]


def _profile(contrast, networks):
    """Logits of both types for each contrast and total: (groups,) -> (2, groups, totals).

    The best intercept is put in. The intercept solves n_a expit(z_a) + n_b expit(z_b) = total with z_b -
    z_a = contrast: a quadratic in exp of their mean. Its positive root, written with arcsinh, loses no
    digits for large contrasts. At the totals 0 and all, which have no finite root, the logits are
    certain.
    """
    (n_a,), (n_b,) = networks
    total = np.arange(1, n_a + n_b)
    half = contrast[:, None] / 2
    odds = total / (n_a + n_b - total)
    linear = (n_a - total) * np.exp(-half) + (n_b - total) * np.exp(half)
    mean = np.log(odds) / 2 - np.arcsinh(linear / (2 * np.sqrt(odds) * (n_a + n_b - total)))
    only_totals = [(0, 0), (0, 0), (1, 1)]
    ends = [(0, 0), (0, 0), (-CERTAIN, CERTAIN)]
    return np.pad([mean - half, mean + half], only_totals, constant_values=ends)
