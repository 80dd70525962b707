"""Left and right in a hidden state: Gilboa & Gur-Ari 2019, section 4.3 (horses by the side they face)."""

import numpy as np
from scipy.linalg import eigh
from sklearn.model_selection import KFold

from wide.measure.arrays import finite


def odd_share(features, mirrored, folds: int = 5, seed: int = 0):
    """Cross-validated share of a state's variance that one odd direction holds: (folds,), about 0 to 1.

    features, mirrored: (N, n) of images and of their mirror images. Of a pair, the even part is the mean and
    the odd part half the difference, which changes its sign under mirroring; together they are all of the
    variance. A code of left and right is an odd direction along which images lie on one side or the other,
    whichever they face, so that no probe has to know the side: an untold mixture of both is no obstacle. The
    direction is the first of the training pairs' odd parts (of their uncentred second moment: a sign of a
    pair is arbitrary). Score: what the held-out odd parts hold along it, less what they would along a random
    direction, over the variance of all images and mirror images. 0 for a state blind to mirroring; about 0
    where the odd part is spread over many directions, as image noise is; invariant to basis and scale.
    Raises ValueError for unequal shapes, fewer than 2 pairs a fold, NaN and infinite values.
    """
    features, mirrored = finite("features", features, 2), finite("mirrored", mirrored, 2)
    if features.shape != mirrored.shape or len(features) < 2 * folds:
        raise ValueError(
            f"features {features.shape} and mirrored {mirrored.shape} need one shape and {2 * folds} rows"
        )
    one, other = features.astype(np.float64), mirrored.astype(np.float64)
    even, odd = (one + other) / 2, (one - other) / 2
    total = np.mean(np.sum((even - even.mean(axis=0)) ** 2 + odd**2, axis=1))
    if not odd.any():
        return np.zeros(folds)

    def score(train, test):
        along = np.mean((odd[test] @ first_direction(odd[train])) ** 2)
        return (along - np.mean(odd[test] ** 2)) / total  # the mean over units is a random direction's

    return np.array([score(*split) for split in KFold(folds, shuffle=True, random_state=seed).split(odd)])


def first_direction(rows):
    """Unit vector that holds most of the uncentred second moment of rows (N, n): (n,) float64."""
    wide = rows.shape[1] > len(rows)
    gram = rows @ rows.T if wide else rows.T @ rows
    vector = eigh(gram, subset_by_index=[len(gram) - 1] * 2)[1][:, 0]
    vector = rows.T @ vector if wide else vector
    return vector / max(np.linalg.norm(vector), np.finfo(np.float64).tiny)
