"""Theorems about what a map of a hidden state shows: neighbourhoods, clusters, rings, colours."""

import re

import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

from wide.measure import maps
from wide.measure.structure import shift_targets


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def turn(points, angle=1.0, scale=3.0, shift=(5.0, -7.0)):
    c, s = np.cos(angle), np.sin(angle)
    return scale * points @ np.array([[c, s], [-s, c]]) + shift


def islands(rng, classes, size, parts, gap=8.0):
    """A map of far-apart classes; class c is `parts[c]` Gaussian clouds `gap` standard deviations apart."""
    labels = np.repeat(np.arange(classes), size)
    part = np.concatenate([np.arange(size) % parts[c] for c in range(classes)])
    return rng.normal(size=(classes * size, 2)) + np.stack([gap * part, 100.0 * labels], axis=1), labels


# ---- neighbourhoods and clusters


def test_purity_of_separate_classes_is_one_and_of_random_labels_is_chance(rng):
    points, labels = islands(rng, 4, 200, [1, 1, 1, 1])
    assert maps.knn_purity(points, labels)[0] == 1
    assert maps.knn_purity(points, rng.permutation(labels))[0] == pytest.approx(0.25, abs=0.03)


def test_purity_agrees_with_loops(rng):
    points, labels = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    shares = []
    for i in range(60):
        others = sorted((j for j in range(60) if j != i), key=lambda j: np.sum((points[i] - points[j]) ** 2))
        shares.append(np.mean([labels[j] == labels[i] for j in others[:5]]))
    found, of_classes = maps.knn_purity(points, labels, k=5)
    assert found == pytest.approx(np.mean(shares))
    expected = [np.mean(np.array(shares)[labels == label]) for label in range(3)]
    np.testing.assert_allclose(of_classes, expected)


def test_purity_leaves_out_the_point_itself_but_not_its_copy(rng):
    points = np.repeat(rng.normal(size=(30, 2)), 2, axis=0)
    assert maps.knn_purity(points, np.tile([0, 1], 30), k=1)[0] == 0
    assert maps.knn_purity(points, np.repeat(np.arange(30), 2), k=1)[0] == 1


def test_purity_of_a_class_says_which_class_is_scattered(rng):
    points, labels = islands(rng, 3, 200, [1, 1, 1])
    points[labels == 2] = points[rng.permutation(400)[:200]] + 0.01
    low = maps.knn_purity(points, labels)[1]
    assert low.shape == (3,) and low[2] < 0.6 and low[2] < low[:2].min()


@pytest.mark.parametrize("size", [100, 1000])
def test_clusters_are_the_clouds_that_a_class_consists_of(rng, size):
    points, labels = islands(rng, 5, size, [1, 2, 3, 1, 2], gap=10)
    assert maps.clusters_within_classes(points, labels).tolist() == [1, 2, 3, 1, 2]
    assert maps.clusters_within_classes(turn(points), labels).tolist() == [1, 2, 3, 1, 2]


@pytest.mark.parametrize("shape", ["square", "bar", "ring", "half apart"])
def test_a_class_without_a_gap_is_one_cluster_whatever_its_shape(rng, shape):
    size, cloud = 300, rng.normal(size=(300, 2))
    angle = rng.uniform(0, 2 * np.pi, size)
    points = {
        "square": rng.uniform(size=(size, 2)),
        "bar": cloud * [6, 1],
        "ring": 4 * np.stack([np.cos(angle), np.sin(angle)], 1) + 0.3 * cloud,
        "half apart": cloud + np.arange(size)[:, None] % 2 * [3, 0],
    }[shape]
    assert maps.clusters_within_classes(points, np.zeros(size)).tolist() == [1]


def test_a_few_stragglers_and_a_collapsed_class_are_no_clusters(rng):
    points, labels = islands(rng, 2, 1000, [1, 2])
    points[::100] += [0, 5000]  # one per cent of each class lies elsewhere, together
    assert maps.clusters_within_classes(points, labels).tolist() == [1, 2]
    assert maps.clusters_within_classes(np.full((50, 2), 0.1), np.zeros(50)).tolist() == [1]


def test_silhouette_is_the_mean_over_the_sample_and_zero_for_random_labels(rng):
    points, labels = islands(rng, 3, 100, [1, 1, 1])
    everyone = silhouette_samples(points, labels)
    mean, of_classes = maps.silhouette(points, labels, sample=10**6)
    assert mean == pytest.approx(everyone.mean())
    np.testing.assert_allclose(of_classes, everyone.reshape(3, 100).mean(axis=1))
    assert maps.silhouette(points, labels)[0] > 0.9
    assert maps.silhouette(turn(points), labels)[0] == pytest.approx(maps.silhouette(points, labels)[0])
    assert abs(maps.silhouette(points, rng.permutation(labels))[0]) < 0.05
    few = [maps.silhouette(points, labels, sample=50, seed=seed)[0] for seed in (0, 1)]
    assert few[0] != few[1]


def test_silhouette_of_a_class_that_the_sample_misses_is_not_a_number(rng):
    points, labels = islands(rng, 2, 500, [1, 1])
    labels[0] = 2
    assert np.isnan(maps.silhouette(points, labels, sample=20)[1]).tolist() == [False, False, True]


# ---- rings


@pytest.mark.parametrize("direction", [1, -1])
def test_a_ring_ordered_by_shift_correlates_perfectly_in_both_directions(direction):
    shift = np.tile(np.arange(28), 4)
    labels = np.repeat([0, 1], 56)
    ring = shift_targets(shift) * [1, direction] + 9 * labels[:, None]
    np.testing.assert_allclose(maps.annulus_correlation(turn(ring), shift, labels), [1, 1])


def test_annulus_correlation_is_small_for_independent_angles_of_any_distribution(rng):
    shift, labels = rng.integers(0, 28, 4000), np.repeat([0, 1], 2000)
    cloud = np.where(
        labels[:, None] == 0, rng.normal(size=(4000, 2)), rng.exponential(size=(4000, 2)) ** 2 * [9, 1]
    )
    assert np.all(maps.annulus_correlation(cloud, shift, labels) < 0.06)
    assert np.all(
        maps.annulus_correlation(cloud, shift // 20, labels) < 0.06
    )  # few shifts: no uniform marginal


def test_annulus_correlation_falls_with_noise_and_is_zero_for_a_collapsed_class(rng):
    shift, labels, noise = np.tile(np.arange(28), 30), np.zeros(840), rng.normal(size=(840, 2))
    scores = [
        maps.annulus_correlation(shift_targets(shift) + sd * noise, shift, labels)[0]
        for sd in (0, 0.3, 1, 10)
    ]
    assert scores == sorted(scores, reverse=True) and scores[0] == pytest.approx(1)
    assert maps.annulus_correlation(np.full((840, 2), 0.1), shift, labels).tolist() == [0]


# ---- colours


def coloured_map(rng, by_colour, size=1500):
    """A map of three classes: by colour whatever the class, or by class whatever the colour."""
    labels, colours = np.arange(size) % 3, rng.uniform(size=(size, 3))
    placed = colours[:, :2] * 10 if by_colour else 30.0 * labels[:, None] + rng.normal(size=(size, 2))
    return placed, colours, labels


def test_neighbours_of_other_classes_are_alike_in_a_map_by_colour_and_not_in_one_by_class(rng):
    placed, colours, labels = coloured_map(rng, by_colour=True)
    assert np.all(maps.colour_neighbours(placed, colours, labels) < 0.7)  # one colour of three is not shown
    assert np.all(maps.colour_neighbours(turn(placed), colours, labels) < 0.7)
    np.testing.assert_allclose(maps.colour_neighbours(*coloured_map(rng, by_colour=False)), 1, atol=0.15)
    shuffled = maps.colour_neighbours(placed, rng.permutation(colours), labels)
    np.testing.assert_allclose(shuffled, 1, atol=0.05)


def test_neighbours_of_the_own_class_do_not_count(rng):
    """Each class has a colour of its own and its own place, so that only other classes' colours are near."""
    labels = np.repeat([0, 1, 2], 100)
    placed = np.stack([10.0 * labels, np.zeros(300)], 1) + 0.1 * rng.normal(size=(300, 2))
    found = maps.colour_neighbours(placed, np.eye(3)[labels], labels)
    np.testing.assert_allclose(found, 1)  # the corners of an equilateral triangle


def test_colour_neighbours_agree_with_loops(rng):
    placed, colours, labels = rng.normal(size=(40, 2)), rng.uniform(size=(40, 3)), np.arange(40) % 2
    near, far = [], []
    for i in np.flatnonzero(labels == 1):
        others = sorted(np.flatnonzero(labels == 0), key=lambda j: np.sum((placed[i] - placed[j]) ** 2))
        far += [np.linalg.norm(colours[i] - colours[j]) for j in others]
        near += [np.linalg.norm(colours[i] - colours[j]) for j in others[:4]]
    found = maps.colour_neighbours(placed, colours, labels, k=4)
    assert found[1] == pytest.approx(np.mean(near) / np.mean(far))


# ---- bad input

POINTS, LABELS, HOLE = np.eye(40)[:, :2], np.zeros(40, int), np.full((40, 2), np.nan)
BAD = {
    "knn_purity": [(HOLE, LABELS), (POINTS, LABELS[1:]), (POINTS[:15], LABELS[:15])],
    "clusters_within_classes": [
        (HOLE, LABELS),
        (POINTS, LABELS[1:]),
        (POINTS, np.arange(40)),
        (np.eye(40), LABELS),
    ],
    "silhouette": [(HOLE, LABELS), (POINTS, LABELS[1:]), (POINTS, LABELS)],
    "annulus_correlation": [
        (HOLE, LABELS, LABELS),
        (POINTS, LABELS, LABELS),
        (POINTS, LABELS[1:], LABELS),
        (POINTS, np.arange(40), np.arange(40)),
        (np.eye(40), np.arange(40), LABELS),
    ],
    "colour_neighbours": [
        (HOLE, POINTS, LABELS),
        (POINTS, POINTS, LABELS),
        (POINTS, POINTS[1:], LABELS),
        (POINTS, 0 * POINTS, np.arange(40) % 2),
        (np.eye(40), POINTS, np.arange(40) % 2),
    ],
}


@pytest.mark.parametrize("name, case", [(name, case) for name, cases in BAD.items() for case in cases])
def test_bad_input_is_one_clear_line(name, case):
    with pytest.raises(ValueError) as error:
        getattr(maps, name)(*case)
    assert re.fullmatch(r".{20,130}", str(error.value))
