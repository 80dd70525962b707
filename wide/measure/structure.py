"""What a hidden state encodes beyond the class: Gilboa & Gur-Ari 2019, figures 1-3.

Arrays are whatever `np.asarray` takes. Results per class come in the order of `np.unique(labels)`. Every
function raises ValueError for a wrong shape, unequal lengths, NaN or infinite values, or too few points.
"""

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold

from wide.measure.arrays import finite, rows_of_classes, same_length, unit_norm

RIDGE_PENALTIES = tuple(10.0 ** np.arange(-6, 3))
MOST = 2000  # examples of a class: a ridge's cost grows with their square, its R² hardly with their number


def within_class_r2(
    features, targets, labels, alphas=RIDGE_PENALTIES, folds: int = 5, seed: int = 0, groups=None, most=MOST
):
    """Cross-validated R² of a ridge regression within each class: (N, n), (N, t), (N,) -> (classes, folds).

    1 - mean squared error in a held-out fold / variance in the class, averaged over targets: at most 1, about
    0 or below where there is nothing; the mean over equal folds is the R² of the pooled predictions. The
    penalty is chosen in each training fold by leave-one-out error. `groups` (N,) keeps examples made from one
    image in one fold; else copies of a translated digit stand on both sides, and recognising the digit is
    rewarded. Features are divided by one number per class (mean squared norm 1), so that a penalty means the
    same at every width; a number per unit would blow up almost dead units and make R² depend on the basis.
    most: examples of a class that are used, a seeded draw of them.
    """
    features, targets = finite("features", features, 2), finite("targets", targets, 2)
    groups = np.arange(len(features)) if groups is None else np.asarray(groups)
    same_length(features=features, targets=targets, groups=groups)
    rng = np.random.default_rng(seed)

    def score(members):
        members = np.sort(rng.permutation(members)[:most])
        x, y = unit_norm(features[members]), targets[members]
        return _held_out(x, y, groups[members], alphas, folds, seed)

    rows = rows_of_classes(labels, len(features), at_least=2 * folds)
    return np.array([score(members) for members in rows])


def _held_out(x, y, groups, alphas, folds, seed) -> list:
    """R² of each fold of one class."""
    if np.any(y.max(axis=0) == y.min(axis=0)):
        raise ValueError(
            "R² is undefined for a target that is constant within a class: leave that target out"
        )
    origins, variance, scores = len(np.unique(groups)), y.var(axis=0), []
    if origins < folds:
        raise ValueError(f"a class has {origins} groups for {folds} folds: give fewer folds")
    for train, test in GroupKFold(folds, shuffle=True, random_state=seed).split(x, y, groups):
        guess = RidgeCV(list(alphas)).fit(x[train], y[train]).predict(x[test])
        error = guess.reshape(-1, y.shape[1]) - y[test]
        scores.append(1 - np.mean(np.mean(error**2, axis=0) / variance))
    return scores


def shift_targets(shift, period: int = 28):
    """A cyclic shift in pixels as a point on the unit circle: (N,) -> (N, 2) float64, cosine and sine."""
    phase = 2 * np.pi * finite("shift", shift, 1) / period
    return np.stack([np.cos(phase), np.sin(phase)], axis=1)


def colour_targets(images):
    """Mean colour and mean hue of each image: uint8 (N, 3, H, W) -> (N, 5) float64.

    Columns are red, green, blue, cosine and sine. Means in [0, 1]; the last two are means of HSV's
    saturation * (cos hue, sin hue), to which grey adds nothing.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1] != 3 or images.dtype != np.uint8:
        raise ValueError(f"images are {images.dtype} {images.shape}: give uint8 (N, 3, H, W)")
    red, green, blue = np.moveaxis(images.astype(np.float32) / 255, 1, 0)
    saturation = np.ptp(images, axis=1) / np.maximum(images.max(axis=1), 1).astype(np.float32)
    hue = np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)
    channels = red, green, blue, saturation * np.cos(hue), saturation * np.sin(hue)
    return np.stack([channel.mean(axis=(1, 2), dtype=np.float64) for channel in channels], axis=1)


def zero_fraction(activations):
    """Share of the activations that are exactly 0: an array of any shape -> float."""
    return float(np.mean(finite("activations", activations) == 0))
