"""What a hidden state or a map of it encodes beyond the class: Gilboa & Gur-Ari 2019, figures 1-3, 5 and 6, in numbers.

Arrays are whatever `np.asarray` takes. Results per class come in the order of `np.unique(labels)`. Every function
raises ValueError for a wrong shape, unequal lengths, NaN or infinite values, or too few points.
"""
import numpy as np
from scipy.spatial.distance import pdist
from scipy.special import softmax
from sklearn.cluster import HDBSCAN
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import r2_score, silhouette_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.neighbors import NearestNeighbors

RIDGE_PENALTIES = tuple(10.0 ** np.arange(-6, 3))
LOGISTIC_C = (1.0, 100.0, 10_000.0)
MIN_SAMPLES = 5  # neighbours that define density: fixed, so that clusters do not blur as a class grows


def knn_purity(points, labels, k=15):
    """Mean share of the k nearest neighbours, a point itself excluded, that bear its label: (N, d), (N,) -> float."""
    points, labels = _finite("points", points, 2), np.asarray(labels)
    _same_length(points=points, labels=labels)
    if len(points) <= k:
        raise ValueError(f"{len(points)} points have no {k} neighbours each: give more points or a smaller k")
    neighbours = NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)
    return float(np.mean(labels[neighbours] == labels[:, None]))


def clusters_within_classes(points, labels, min_cluster_share=0.05):
    """Number of clusters that the points of each class form in a map: (N, 2), (N,) -> (classes,) int, at least 1.

    HDBSCAN by excess of mass; a single cluster is allowed, for else a cloud without any gap is divided. In a plane it
    parts a class where the density between is below about a quarter of that within: two Gaussian clouds are two from
    5 or 6 standard deviations on, one up to 4. A cluster has at least 10 points and `min_cluster_share` of its class;
    fewer stragglers are noise. Nothing depends on the scale of the map, so nothing is standardised.
    """
    points = _finite("points", points, 2, columns=2)

    def count(members):
        size = max(10, int(min_cluster_share * len(members)))
        model = HDBSCAN(size, min_samples=MIN_SAMPLES, allow_single_cluster=True, copy=True)
        return max(1, model.fit_predict(points[members]).max() + 1)

    return np.array([count(members) for members in _classes(labels, len(points), at_least=20)])


def silhouette(points, labels, sample=2000, seed=0):
    """scikit-learn's mean silhouette, in [-1, 1], of the classes on a seeded sample: (N, d), (N,) -> float."""
    points, labels = _finite("points", points, 2), np.asarray(labels)
    _same_length(points=points, labels=labels)
    if len(np.unique(labels)) < 2:
        raise ValueError("a silhouette compares classes: give labels of at least two")
    return float(silhouette_score(points, labels, sample_size=min(sample, len(points)), random_state=seed))


def within_class_r2(features, targets, labels, alphas=RIDGE_PENALTIES, folds=5, seed=0, groups=None):
    """Cross-validated R² of a ridge regression within each class: (N, n), (N, t), (N,) -> (classes,) float64.

    R² of the pooled held-out predictions, averaged over targets: at most 1, about 0 or below where there is nothing.
    The penalty is chosen in each training fold by leave-one-out error. `groups` (N,) keeps examples made from one
    image in one fold; else copies of a translated digit stand on both sides, and recognising the digit is rewarded.
    Features are divided by one number per class (mean squared norm 1), so that a penalty means the same at every
    width; a number per unit would blow up almost dead units and make R² depend on the basis.
    """
    features, targets = _finite("features", features, 2), _finite("targets", targets, 2)
    split = GroupKFold(folds, shuffle=True, random_state=seed)
    groups = np.arange(len(features)) if groups is None else np.asarray(groups)
    _same_length(features=features, targets=targets, groups=groups)

    def score(members):
        x, y, origin = _unit_norm(features[members]), targets[members], groups[members]
        if np.any(y.max(axis=0) == y.min(axis=0)):
            raise ValueError("R² is undefined for a target that is constant within a class: leave that target out")
        if len(np.unique(origin)) < folds:
            raise ValueError(f"a class has {len(np.unique(origin))} groups for {folds} folds: give fewer folds")
        return r2_score(y, cross_val_predict(RidgeCV(list(alphas)), x, y, cv=list(split.split(x, y, origin))))

    return np.array([score(members) for members in _classes(labels, len(features), at_least=2 * folds)])


def shift_targets(shift, period=28):
    """A cyclic shift in pixels as a point on the unit circle: (N,) -> (N, 2) float64, cosine and sine."""
    phase = 2 * np.pi * _finite("shift", shift, 1) / period
    return np.stack([np.cos(phase), np.sin(phase)], axis=1)


def annulus_correlation(points, shift, labels, period=28):
    """How well the angle around a class' centroid tells the cyclic shift: (N, 2), (N,), (N,) -> (classes,) in [0, 1].

    With u = exp(i angle) and v = exp(2 pi i shift / period), the modulus of the complex correlation of u with v or
    with its conjugate (the shift runs one way round or the other), the larger. For uniform marginals that is
    |mean exp(i(angle -+ phase))|; Jammalamadaka's coefficient needs a mean direction, which a ring lacks. It is 1 on a
    perfect ring wherever the shift 0 lies, and 0 for independent angles of any distribution (estimated from m points:
    about 1.1 / sqrt(m)).
    """
    points, targets = _finite("points", points, 2, columns=2), shift_targets(shift, period)
    _same_length(points=points, shift=targets)

    def correlate(members):
        offset = (points[members] - points[members].mean(axis=0)) @ [1, 1j]
        u, v = np.exp(1j * np.angle(offset)), targets[members] @ [1, 1j]
        if np.all(offset == offset[0]):
            return 0.0
        if np.all(v == v[0]):
            raise ValueError("every point of a class has the same shift: give a class with several")
        u, v = u - u.mean(), v - v.mean()
        return min(1.0, max(abs(np.vdot(u, v)), abs(u @ v)) / (np.linalg.norm(u) * np.linalg.norm(v)))

    return np.array([correlate(members) for members in _classes(labels, len(points), at_least=3)])


def mirror_separability(features, mirrored, folds=5, seed=0):
    """Held-out accuracy of a linear probe that tells images from their mirror images: (N, n), (N, n) -> float.

    0.5 is none; a state that cannot tell left from right gives exactly that. Logistic regression, both rows of a pair
    in one fold, penalty chosen in each training fold; scaled by one number, as in `within_class_r2`.
    """
    features, mirrored = _finite("features", features, 2), _finite("mirrored", mirrored, 2)
    if features.shape != mirrored.shape or len(features) < 2 * folds:
        raise ValueError(f"features {features.shape} and mirrored {mirrored.shape} need one shape and {2 * folds} rows")
    x, y = _unit_norm(np.concatenate([features, mirrored])), np.repeat([0, 1], len(features))
    pair = np.tile(np.arange(len(features)), 2)
    probe = GridSearchCV(LogisticRegression(max_iter=1000), {"C": LOGISTIC_C}, cv=GroupKFold(folds))
    splits = GroupKFold(folds, shuffle=True, random_state=seed).split(x, y, pair)
    return float(np.mean([probe.fit(x[a], y[a], groups=pair[a]).score(x[b], y[b]) for a, b in splits]))


def colour_targets(images):
    """Mean colour and mean hue of each image: uint8 (N, 3, H, W) -> (N, 5) float64, red, green, blue, cos, sin.

    Means in [0, 1]; the last two are means of HSV's saturation * (cos hue, sin hue), to which grey adds nothing.
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
    return float(np.mean(_finite("activations", activations) == 0))


def neighbour_colour_similarity(icons, cells):
    """Mean distance of mean colours, icons (m, C, h, w) at cells (m, 2) row and column -> (adjacent, random), floats.

    Adjacent: pairs of cells that share an edge; random: all pairs. In the unit of the icons.
    """
    icons, cells = _finite("icons", icons, 4), _finite("cells", cells, 2, columns=2)
    _same_length(icons=icons, cells=cells)
    distance = pdist(icons.mean(axis=(2, 3), dtype=np.float64))
    adjacent = pdist(cells, "cityblock") == 1
    if not adjacent.any():
        raise ValueError("no two cells share an edge: give a denser atlas")
    return float(distance[adjacent].mean()), float(distance.mean())


def confidence(logits):
    """Mean largest softmax probability, taken in float64: (m, classes) -> float in [1 / classes, 1]."""
    return float(softmax(_finite("logits", logits, 2).astype(np.float64), axis=1).max(axis=1).mean())


def _finite(name, array, ndim=None, columns=None):
    array = np.asarray(array)
    array = array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)
    if array.size == 0 or ndim not in (None, array.ndim) or columns not in (None, array.shape[-1]):
        wanted = f"{ndim} dimensions" + f" and {columns} columns" * bool(columns) if ndim else "any shape"
        raise ValueError(f"{name} has shape {array.shape}: give {wanted}, and not an empty array")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} contains NaN or infinite values: measure a network that has not diverged")
    return array


def _same_length(**arrays):
    if len({len(array) for array in arrays.values()}) > 1:
        raise ValueError("lengths differ: " + ", ".join(f"{name} {len(array)}" for name, array in arrays.items()))


def _classes(labels, length, at_least):
    """Row numbers of each class, in the order of its label."""
    labels = np.asarray(labels)
    if labels.shape != (length,):
        raise ValueError(f"labels have shape {labels.shape}: give ({length},), one for each point")
    names, counts = np.unique(labels, return_counts=True)
    if counts.min() < at_least:
        raise ValueError(f"class {names[counts.argmin()]} has {counts.min()} points: give at least {at_least}")
    return [np.flatnonzero(labels == name) for name in names]


def _unit_norm(features):
    """Centred float64 features, divided by one number that makes their mean squared norm 1; constant ones become 0."""
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    size = np.sqrt(np.mean(np.sum(centred**2, axis=1)))
    return centred / size if size > 1e-12 * np.abs(features).max() else np.zeros_like(centred)
