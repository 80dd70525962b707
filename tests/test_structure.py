"""Theorems about the measures of what a hidden state encodes."""

import colorsys
import re

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import silhouette_samples

from wide.measure import structure


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
    assert structure.knn_purity(points, labels) == 1
    assert structure.knn_purity(points, rng.permutation(labels)) == pytest.approx(0.25, abs=0.03)


def test_purity_agrees_with_loops(rng):
    points, labels = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    shares = []
    for i in range(60):
        others = sorted((j for j in range(60) if j != i), key=lambda j: np.sum((points[i] - points[j]) ** 2))
        shares.append(np.mean([labels[j] == labels[i] for j in others[:5]]))
    assert structure.knn_purity(points, labels, k=5) == pytest.approx(np.mean(shares))


def test_purity_leaves_out_the_point_itself_but_not_its_copy(rng):
    points = np.repeat(rng.normal(size=(30, 2)), 2, axis=0)
    assert structure.knn_purity(points, np.tile([0, 1], 30), k=1) == 0
    assert structure.knn_purity(points, np.repeat(np.arange(30), 2), k=1) == 1


@pytest.mark.parametrize("size", [100, 1000])
def test_clusters_are_the_clouds_that_a_class_consists_of(rng, size):
    points, labels = islands(rng, 5, size, [1, 2, 3, 1, 2], gap=10)
    assert structure.clusters_within_classes(points, labels).tolist() == [1, 2, 3, 1, 2]
    assert structure.clusters_within_classes(turn(points), labels).tolist() == [1, 2, 3, 1, 2]


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
    assert structure.clusters_within_classes(points, np.zeros(size)).tolist() == [1]


def test_a_few_stragglers_and_a_collapsed_class_are_no_clusters(rng):
    points, labels = islands(rng, 2, 1000, [1, 2])
    points[::100] += [0, 5000]  # one per cent of each class lies elsewhere, together
    assert structure.clusters_within_classes(points, labels).tolist() == [1, 2]
    assert structure.clusters_within_classes(np.full((50, 2), 0.1), np.zeros(50)).tolist() == [1]


def test_silhouette_is_the_mean_over_the_sample_and_zero_for_random_labels(rng):
    points, labels = islands(rng, 3, 100, [1, 1, 1])
    everyone = silhouette_samples(points, labels).mean()
    assert structure.silhouette(points, labels, sample=10**6) == pytest.approx(everyone)
    assert structure.silhouette(points, labels) > 0.9
    assert structure.silhouette(turn(points), labels) == pytest.approx(structure.silhouette(points, labels))
    assert abs(structure.silhouette(points, rng.permutation(labels))) < 0.05
    assert structure.silhouette(points, labels, sample=50, seed=1) != structure.silhouette(
        points, labels, sample=50
    )


# ---- what a linear map reads


def test_r2_is_one_for_linear_targets_and_at_most_zero_for_independent_ones(rng):
    features, labels = rng.normal(size=(600, 20)), np.repeat([3, 7], 300)
    linear = features @ rng.normal(size=(20, 2)) + 4
    np.testing.assert_allclose(structure.within_class_r2(features, linear, labels), 1, atol=1e-6)
    independent = structure.within_class_r2(features, rng.normal(size=(600, 2)), labels)
    assert np.all(independent < 0.02) and np.all(independent > -0.1)


def test_r2_is_fitted_within_each_class(rng):
    """Opposite slopes in two classes: each is linear, the union is not."""
    features, labels = rng.normal(size=(400, 1)), np.repeat([0, 1], 200)
    target = features * np.where(labels == 0, 1, -1)[:, None]
    np.testing.assert_allclose(structure.within_class_r2(features, target, labels), 1, atol=1e-6)
    assert structure.within_class_r2(features, target, np.zeros(400))[0] < 0.05


def test_r2_does_not_depend_on_basis_scale_origin_or_dead_units(rng):
    features, labels = rng.normal(size=(200, 30)) * np.linspace(0.01, 1, 30), np.repeat([0, 1], 100)
    targets = features[:, :2] + 0.1 * rng.normal(size=(200, 2))
    before = structure.within_class_r2(features, targets, labels)
    basis = np.linalg.qr(rng.normal(size=(30, 30)))[0]
    moved = np.concatenate([1000 * features @ basis + 5, np.full((200, 7), 0.3)], axis=1)
    np.testing.assert_allclose(structure.within_class_r2(moved, targets, labels), before, rtol=1e-5)
    assert np.all(before < 0.9)
    assert np.all(structure.within_class_r2(np.full((200, 9), 0.3), targets, labels) <= 0)


@pytest.mark.parametrize("units", [5, 120])
def test_r2_agrees_with_loops_over_folds(rng, units):
    """One penalty, so that nothing is chosen; more units than examples, and fewer."""
    features, target = rng.normal(size=(60, units)), rng.normal(size=(60, 1))
    target[:, 0] += features[:, 0]
    group, predicted = np.arange(60) // 2, np.empty(60)
    scale = np.sqrt(np.mean(np.sum((features - features.mean(0)) ** 2, axis=1)))
    ours = structure.within_class_r2(features, target, np.zeros(60), alphas=(0.1,), folds=30, groups=group)
    for fold in range(30):
        test = group == fold
        predicted[test] = (
            Ridge(0.1).fit(features[~test] / scale, target[~test, 0]).predict(features[test] / scale)
        )
    residual = np.sum((target[:, 0] - predicted) ** 2)
    assert ours[0] == pytest.approx(1 - residual / np.sum((target - target.mean()) ** 2))


def test_groups_take_away_the_reward_for_recognising_copies(rng):
    features, target = (
        np.repeat(rng.normal(size=(50, 200)), 4, axis=0),
        np.repeat(rng.normal(size=(50, 1)), 4, axis=0),
    )
    assert structure.within_class_r2(features, target, np.zeros(200)) > 0.95
    assert (
        structure.within_class_r2(features, target, np.zeros(200), groups=np.repeat(np.arange(50), 4)) < 0.1
    )


def test_a_state_blind_to_mirroring_gives_exactly_one_half(rng):
    state = rng.normal(size=(60, 10))
    assert structure.mirror_separability(state, state) == 0.5
    assert structure.mirror_separability(np.ones((60, 4)), np.ones((60, 4))) == 0.5


def test_mirror_probe_finds_a_direction_and_does_not_learn_pairs(rng):
    state, noise = rng.normal(size=(200, 50)), rng.normal(size=(200, 50))
    mirrored = state.copy()
    mirrored[:, 0] += 100
    assert structure.mirror_separability(state, mirrored) == 1
    assert structure.mirror_separability(state, noise) == pytest.approx(0.5, abs=0.1)
    basis = np.linalg.qr(rng.normal(size=(50, 50)))[0]
    noise[:, 0] += 1.5
    score = structure.mirror_separability(state, noise)
    assert 0.65 < score < 0.85 and structure.mirror_separability(
        9 * noise @ basis, 9 * state @ basis
    ) == pytest.approx(score, abs=0.01)


# ---- shifts


def test_shift_targets_lie_on_the_circle_and_repeat_after_a_period():
    targets = structure.shift_targets(np.arange(56))
    np.testing.assert_allclose(np.linalg.norm(targets, axis=1), 1)
    np.testing.assert_allclose(targets[:28], targets[28:], atol=1e-12)
    np.testing.assert_allclose(targets[[0, 7]], [[1, 0], [0, 1]], atol=1e-12)


@pytest.mark.parametrize("direction", [1, -1])
def test_a_ring_ordered_by_shift_correlates_perfectly_in_both_directions(direction):
    shift = np.tile(np.arange(28), 4)
    labels = np.repeat([0, 1], 56)
    ring = structure.shift_targets(shift) * [1, direction] + 9 * labels[:, None]
    np.testing.assert_allclose(structure.annulus_correlation(turn(ring), shift, labels), [1, 1])


def test_annulus_correlation_is_small_for_independent_angles_of_any_distribution(rng):
    shift, labels = rng.integers(0, 28, 4000), np.repeat([0, 1], 2000)
    cloud = np.where(
        labels[:, None] == 0, rng.normal(size=(4000, 2)), rng.exponential(size=(4000, 2)) ** 2 * [9, 1]
    )
    assert np.all(structure.annulus_correlation(cloud, shift, labels) < 0.06)
    assert np.all(
        structure.annulus_correlation(cloud, shift // 20, labels) < 0.06
    )  # few shifts: no uniform marginal


def test_annulus_correlation_falls_with_noise_and_is_zero_for_a_collapsed_class(rng):
    shift, labels, noise = np.tile(np.arange(28), 30), np.zeros(840), rng.normal(size=(840, 2))
    scores = [
        structure.annulus_correlation(structure.shift_targets(shift) + sd * noise, shift, labels)[0]
        for sd in (0, 0.3, 1, 10)
    ]
    assert scores == sorted(scores, reverse=True) and scores[0] == pytest.approx(1)
    assert structure.annulus_correlation(np.full((840, 2), 0.1), shift, labels).tolist() == [0]


# ---- colours, sparsity, confidence


def test_colours_agree_with_the_standard_library(rng):
    """For one pixel an image; hue is an angle in the colour plane, within 0.02 turns of the hexagon's."""
    pixels = rng.integers(0, 256, (200, 3), dtype=np.uint8)
    targets = structure.colour_targets(pixels[:, :, None, None])
    np.testing.assert_allclose(targets[:, :3], pixels / 255, atol=1e-6)
    hue, saturation, _ = np.array([colorsys.rgb_to_hsv(*pixel / 255) for pixel in pixels]).T
    np.testing.assert_allclose(np.hypot(targets[:, 3], targets[:, 4]), saturation, atol=1e-5)
    turns = np.arctan2(targets[:, 4], targets[:, 3]) / (2 * np.pi)
    assert np.all(np.abs((turns - hue + 0.5) % 1 - 0.5) < 0.02)


def test_colour_targets_average_over_pixels_and_grey_has_no_hue(rng):
    images = rng.integers(0, 256, (3, 3, 4, 5), dtype=np.uint8)
    pixels = images.transpose(0, 2, 3, 1).reshape(60, 3, 1, 1)
    mean = structure.colour_targets(pixels).reshape(3, 20, 5).mean(axis=1)
    np.testing.assert_allclose(structure.colour_targets(images), mean, atol=1e-6)
    grey = np.repeat(images[:, :1], 3, axis=1)
    np.testing.assert_array_equal(structure.colour_targets(grey)[:, 3:], 0)


def test_neighbour_colours_on_a_ramp_a_chequerboard_and_by_loops(rng):
    cells = np.argwhere(np.ones((6, 6)))
    flat = np.ones((36, 3, 2, 2))
    ramp = flat * cells.sum(axis=1)[:, None, None, None]
    board = flat * (cells.sum(axis=1) % 2)[:, None, None, None]
    adjacent, everywhere = structure.neighbour_colour_similarity(ramp, cells)
    assert adjacent == pytest.approx(np.sqrt(3)) and adjacent < everywhere / 2
    adjacent, everywhere = structure.neighbour_colour_similarity(board, cells)
    assert adjacent == pytest.approx(np.sqrt(3)) and adjacent > everywhere
    icons, some = rng.normal(size=(20, 1, 3, 3)), rng.permutation(cells)[:20]
    pairs = [
        (np.abs(some[i] - some[j]).sum(), abs(icons[i].mean() - icons[j].mean()))
        for i in range(20)
        for j in range(i)
    ]
    expected = np.mean([d for apart, d in pairs if apart == 1]), np.mean([d for _, d in pairs])
    assert structure.neighbour_colour_similarity(icons, some) == pytest.approx(expected)


def test_zero_fraction_counts_exact_zeros():
    assert structure.zero_fraction(torch.tensor([[0.0, 1e-30], [-0.0, 3.0]])) == 0.5


def test_confidence_lies_between_chance_and_one_and_ignores_an_offset(rng):
    logits = rng.normal(size=(50, 4))
    assert structure.confidence(np.zeros((5, 4))) == 0.25
    assert structure.confidence(1e6 * logits) == pytest.approx(1)
    assert structure.confidence(logits + 1e3) == pytest.approx(
        np.mean(torch.tensor(logits).softmax(1).amax(1).numpy())
    )


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
    "within_class_r2": [
        (HOLE, POINTS, LABELS),
        (POINTS, HOLE, LABELS),
        (POINTS, POINTS[1:], LABELS),
        (POINTS, POINTS, np.arange(40) // 9),
        (POINTS, 0 * POINTS, LABELS),
        (POINTS, POINTS, LABELS, (1.0,), 5, 0, LABELS),
    ],
    "shift_targets": [(POINTS,), ([np.nan],)],
    "annulus_correlation": [
        (HOLE, LABELS, LABELS),
        (POINTS, LABELS, LABELS),
        (POINTS, LABELS[1:], LABELS),
        (POINTS, np.arange(40), np.arange(40)),
        (np.eye(40), np.arange(40), LABELS),
    ],
    "mirror_separability": [(HOLE, POINTS), (POINTS, POINTS[1:]), (POINTS[:9], POINTS[:9])],
    "colour_targets": [(np.zeros((2, 3, 4, 4)),), (np.zeros((2, 1, 4, 4), np.uint8),)],
    "zero_fraction": [([],), (HOLE,)],
    "neighbour_colour_similarity": [
        (np.zeros((2, 3, 4, 4)), [[0, 0], [1, 1]]),
        (np.zeros((2, 3, 4, 4)), [[0, 0]]),
    ],
    "confidence": [(HOLE,), ([1.0, 2.0],)],
}


@pytest.mark.parametrize("name, case", [(name, case) for name, cases in BAD.items() for case in cases])
def test_bad_input_is_one_clear_line(name, case):
    with pytest.raises(ValueError) as error:
        getattr(structure, name)(*case)
    assert re.fullmatch(r".{20,130}", str(error.value))
