"""A linear classifier on pixels: the floor that a network must leave behind to have learned something."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from wide.measure.arrays import finite, same_length

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)  # scikit-learn's C, inverse of the penalty
STEPS = 100  # of L-BFGS; pixels need no more to be told apart as well as they can be
HELD_OUT = 0.2  # of the examples that choose the strength
CHOOSING = 12_500  # examples at most that choose it


def linear_accuracy(train, labels, test, test_labels, seed: int = 0) -> tuple[float, float]:
    """Test accuracy in [0, 1] of a multinomial logistic regression, and the strength C that it has.

    train (N, d), test (M, d): pixels as floats; labels (N,), test_labels (M,) int. Pixels are centred and
    divided by one number, the standard deviation of all. The strength is the best of STRENGTHS on a held-out
    fifth of (at most CHOOSING of) the training examples; nothing is chosen on the test examples. Raises
    ValueError for fewer than two classes or ten examples, unequal lengths, and values that are not finite.
    """
    train, test = finite("train", train, 2), finite("test", test, 2)
    labels, test_labels = np.asarray(labels), np.asarray(test_labels)
    same_length(train=train, labels=labels)
    same_length(test=test, labels=test_labels)
    if len(train) < 10 or len(np.unique(labels)) < 2:
        raise ValueError(
            f"{len(train)} examples of {len(np.unique(labels))} classes: give 10 of at least 2 classes"
        )
    mean, spread = train.mean(axis=0), train.std() or 1.0
    x, y = (train - mean) / spread, (test - mean) / spread
    strength = _chosen(x, labels, seed)
    return _fitted(strength, x, labels).score(y, test_labels), strength


def _chosen(x, labels, seed) -> float:
    """The best strength on held-out examples, the smallest of equally good ones."""
    order = np.random.default_rng(seed).permutation(len(x))[:CHOOSING]
    out, rest = np.split(order, [max(1, int(HELD_OUT * len(order)))])
    if len(np.unique(labels[rest])) < 2:
        return STRENGTHS[0]
    scores = [_fitted(c, x[rest], labels[rest]).score(x[out], labels[out]) for c in STRENGTHS]
    return STRENGTHS[int(np.argmax(scores))]


def _fitted(strength, x, labels):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=strength, max_iter=STEPS).fit(x, labels)
