"""What a two-dimensional map of a hidden state shows: Gilboa & Gur-Ari 2019, figures 1, 2, 5 and 6.

Arrays are whatever `np.asarray` takes. Results per class come in the order of `np.unique(labels)`. Every
function raises ValueError for a wrong shape, unequal lengths, NaN or infinite values, or too few points.
"""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.cluster import HDBSCAN
from sklearn.metrics import silhouette_samples
from sklearn.neighbors import NearestNeighbors

from wide.measure.arrays import finite, rows_of_classes, same_length
from wide.measure.structure import shift_targets

MIN_SAMPLES = 5  # neighbours that define density: fixed, so that clusters do not blur as a class grows


def knn_purity(points, labels, k: int = 15):
    """Share of the k nearest neighbours, the point itself excluded, that bear a point's label.

    (N, d), (N,) -> mean over all points, float, and over each class' points, (classes,).
    """
    points, labels = finite("points", points, 2), np.asarray(labels)
    same_length(points=points, labels=labels)
    if len(points) <= k:
        raise ValueError(f"{len(points)} points have no {k} neighbours each: give more points or a smaller k")
    neighbours = NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)
    own = np.mean(labels[neighbours] == labels[:, None], axis=1)
    return float(own.mean()), _of_classes(own, labels)


def silhouette(points, labels, sample: int = 2000, seed: int = 0):
    """scikit-learn's silhouette of the classes on a seeded sample, in [-1, 1].

    (N, d), (N,) -> mean over the sample, float, and over each class' part of it, (classes,), NaN for a class
    that the sample misses.
    """
    points, labels = finite("points", points, 2), np.asarray(labels)
    same_length(points=points, labels=labels)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(points))[:sample])
    if len(np.unique(labels[drawn])) < 2:
        raise ValueError("a silhouette compares classes: give labels of at least two")
    found = np.full(len(points), np.nan)
    found[drawn] = silhouette_samples(points[drawn], labels[drawn])
    return float(found[drawn].mean()), _of_classes(found, labels)


def _of_classes(values, labels):
    """Mean of each class' values that are not NaN; NaN where there is none."""
    known = np.isfinite(values)
    groups = [values[known & (labels == label)] for label in np.unique(labels)]
    return np.array([group.mean() if len(group) else np.nan for group in groups])


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


def colour_neighbours(points, colours, labels, k: int = 15, sample: int = 2000, seed: int = 0):
    """How alike in colour a class' points are to their neighbours of other classes: (classes,), 0 and above.

    points (N, 2), colours (N, c), labels (N,). The mean distance in colour to the k nearest points of other
    classes, divided by that to a seeded sample of all points of other classes. Below 1: what lies together is
    alike in colour although the classes differ. About 1: the map does not go by colour. A map that goes by
    class alone gives less than 1 only as far as classes of like colours lie side by side.
    """
    points, colours = finite("points", points, 2, columns=2), finite("colours", colours, 2)
    same_length(points=points, colours=colours)
    rng, everyone = np.random.default_rng(seed), np.arange(len(points))

    def ratio(members):
        others = np.setdiff1d(everyone, members)
        if len(others) < k:
            raise ValueError(f"{len(others)} points are of other classes: give at least {k}, or a smaller k")
        nearest = NearestNeighbors(n_neighbors=k).fit(points[others])
        near = others[nearest.kneighbors(points[members], return_distance=False)]
        distance = np.linalg.norm(colours[near] - colours[members, None], axis=2).mean()
        anywhere = cdist(colours[members], colours[rng.permutation(others)[:sample]]).mean()
        if anywhere == 0:
            raise ValueError("all points have one colour: nothing can be nearer in it")
        return distance / anywhere

    return np.array([ratio(members) for members in rows_of_classes(labels, len(points), at_least=1)])
