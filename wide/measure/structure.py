"""What a hidden state or a map of it encodes beyond the class: Gilboa & Gur-Ari 2019, figures 1-3, 5 and 6.

Arrays are whatever `np.asarray` takes. Results per class come in the order of `np.unique(labels)`. Every
function raises ValueError for a wrong shape, unequal lengths, NaN or infinite values, or too few points.
"""

import numpy as np
from scipy.spatial.distance import pdist
from scipy.special import softmax
from sklearn.cluster import HDBSCAN
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import r2_score, silhouette_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.neighbors import NearestNeighbors

from wide.measure.arrays import finite, rows_of_classes, same_length, unit_norm

RIDGE_PENALTIES = tuple(10.0 ** np.arange(-6, 3))
LOGISTIC_C = (1.0, 100.0, 10_000.0)
MIN_SAMPLES = 5  # neighbours that define density: fixed, so that clusters do not blur as a class grows


def knn_purity(points, labels, k: int = 15):
    """Mean share of the k nearest neighbours, the point itself excluded, that bear its label.

    (N, d), (N,) -> float.
    """
    points, labels = finite("points", points, 2), np.asarray(labels)
    same_length(points=points, labels=labels)
    if len(points) <= k:
        raise ValueError(f"{len(points)} points have no {k} neighbours each: give more points or a smaller k")
    neighbours = NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)
    return float(np.mean(labels[neighbours] == labels[:, None]))


def clusters_within_classes(points, labels, min_cluster_share: float = 0.05):
    """Number of clusters that the points of each class form in a map: (N, 2), (N,) -> (classes,) int.

    At least 1. HDBSCAN by excess of mass; a single cluster is allowed, for else a cloud without any gap
    is divided. In a plane it parts a class where the density between is below about a quarter of that
    within: two Gaussian clouds are two from 5 or 6 standard deviations on, one up to 4. A cluster has at
    least 10 points and `min_cluster_share` of its class; fewer stragglers are noise. Nothing depends on
    the scale of the map, so nothing is standardised.
    """
    points = finite("points", points, 2, columns=2)

    def count(members):
        size = max(10, int(min_cluster_share * len(members)))
        model = HDBSCAN(size, min_samples=MIN_SAMPLES, allow_single_cluster=True, copy=True)
        return max(1, model.fit_predict(points[members]).max() + 1)

    return np.array([count(members) for members in rows_of_classes(labels, len(points), at_least=20)])


def silhouette(points, labels, sample: int = 2000, seed: int = 0):
    """scikit-learn's mean silhouette of the classes on a seeded sample: (N, d), (N,) -> float in [-1, 1]."""
    points, labels = finite("points", points, 2), np.asarray(labels)
    same_length(points=points, labels=labels)
    if len(np.unique(labels)) < 2:
        raise ValueError("a silhouette compares classes: give labels of at least two")
    sample = min(sample, len(points))
    return float(silhouette_score(points, labels, sample_size=sample, random_state=seed))


def within_class_r2(
    features, targets, labels, alphas=RIDGE_PENALTIES, folds: int = 5, seed: int = 0, groups=None
):
    """Cross-validated R² of a ridge regression within each class: (N, n), (N, t), (N,) -> (classes,) float64.

    R² of the pooled held-out predictions, averaged over targets: at most 1, about 0 or below where there
    is nothing. The penalty is chosen in each training fold by leave-one-out error. `groups` (N,) keeps
    examples made from one image in one fold; else copies of a translated digit stand on both sides, and
    recognising the digit is rewarded. Features are divided by one number per class (mean squared norm 1),
    so that a penalty means the same at every width; a number per unit would blow up almost dead units and
    make R² depend on the basis.
    """
    features, targets = finite("features", features, 2), finite("targets", targets, 2)
    split = GroupKFold(folds, shuffle=True, random_state=seed)
    groups = np.arange(len(features)) if groups is None else np.asarray(groups)
    same_length(features=features, targets=targets, groups=groups)

    def score(members):
        x, y, origin = unit_norm(features[members]), targets[members], groups[members]
        if np.any(y.max(axis=0) == y.min(axis=0)):
            raise ValueError(
                "R² is undefined for a target that is constant within a class: leave that target out"
            )
        origins = len(np.unique(origin))
        if origins < folds:
            raise ValueError(f"a class has {origins} groups for {folds} folds: give fewer folds")
        splits = list(split.split(x, y, origin))
        return r2_score(y, cross_val_predict(RidgeCV(list(alphas)), x, y, cv=splits))

    return np.array(
        [score(members) for members in rows_of_classes(labels, len(features), at_least=2 * folds)]
    )


def shift_targets(shift, period: int = 28):
    """A cyclic shift in pixels as a point on the unit circle: (N,) -> (N, 2) float64, cosine and sine."""
    phase = 2 * np.pi * finite("shift", shift, 1) / period
    return np.stack([np.cos(phase), np.sin(phase)], axis=1)


def annulus_correlation(points, shift, labels, period: int = 28):
    """How well the angle around a class' centroid tells the cyclic shift: (classes,) in [0, 1].

    points (N, 2), shift (N,) in pixels, labels (N,). With u = exp(i angle) and v = exp(2 pi i shift /
    period), the modulus of the complex correlation of u with v or with its conjugate (the shift runs one
    way round or the other), the larger. For uniform marginals that is |mean exp(i(angle -+ phase))|;
    Jammalamadaka's coefficient needs a mean direction, which a ring lacks. It is 1 on a perfect ring
    wherever the shift 0 lies, and 0 for independent angles of any distribution (estimated from m points:
    about 1.1 / sqrt(m)).
    """
    points, targets = finite("points", points, 2, columns=2), shift_targets(shift, period)
    same_length(points=points, shift=targets)

    def correlate(members):
        offset = (points[members] - points[members].mean(axis=0)) @ [1, 1j]
        if np.all(offset == offset[0]):
            return 0.0
        u, v = np.exp(1j * np.angle(offset)), targets[members] @ [1, 1j]
        if np.all(v == v[0]):
            raise ValueError("every point of a class has the same shift: give a class with several")
        u, v = u - u.mean(), v - v.mean()
        correlation = max(abs(np.vdot(u, v)), abs(u @ v)) / (np.linalg.norm(u) * np.linalg.norm(v))
        return min(1.0, correlation)

    return np.array([correlate(members) for members in rows_of_classes(labels, len(points), at_least=3)])


def mirror_separability(features, mirrored, folds: int = 5, seed: int = 0):
    """Held-out accuracy of a linear probe that tells images from their mirror images: float.

    features, mirrored: (N, n). 0.5 is none; a state that cannot tell left from right gives exactly that.
    Logistic regression, both rows of a pair in one fold, penalty chosen in each training fold; scaled by
    one number, as in `within_class_r2`.
    """
    features, mirrored = finite("features", features, 2), finite("mirrored", mirrored, 2)
    if features.shape != mirrored.shape or len(features) < 2 * folds:
        raise ValueError(
            f"features {features.shape} and mirrored {mirrored.shape} need one shape and {2 * folds} rows"
        )
    x = unit_norm(np.concatenate([features, mirrored]))
    y = np.repeat([0, 1], len(features))
    pair = np.tile(np.arange(len(features)), 2)
    probe = GridSearchCV(LogisticRegression(max_iter=1000), {"C": LOGISTIC_C}, cv=GroupKFold(folds))
    scores = []
    for train, test in GroupKFold(folds, shuffle=True, random_state=seed).split(x, y, pair):
        probe.fit(x[train], y[train], groups=pair[train])
        scores.append(probe.score(x[test], y[test]))
    return float(np.mean(scores))


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


def neighbour_colour_similarity(icons, cells):
    """Mean distance of mean colours in an atlas: (adjacent, random), floats.

    icons: (m, C, h, w) at cells (m, 2), row and column.
    Adjacent: pairs of cells that share an edge; random: all pairs. In the unit of the icons.
    """
    icons, cells = finite("icons", icons, 4), finite("cells", cells, 2, columns=2)
    same_length(icons=icons, cells=cells)
    distance = pdist(icons.mean(axis=(2, 3), dtype=np.float64))
    adjacent = pdist(cells, "cityblock") == 1
    if not adjacent.any():
        raise ValueError("no two cells share an edge: give a denser atlas")
    return float(distance[adjacent].mean()), float(distance.mean())


def confidence(logits):
    """Mean largest softmax probability, taken in float64: (m, classes) -> float in [1 / classes, 1]."""
    logits = finite("logits", logits, 2).astype(np.float64)
    return float(softmax(logits, axis=1).max(axis=1).mean())
