"""Theorems about the measures of what a hidden state encodes."""

import colorsys
import re

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from wide.measure import structure


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# ---- what a linear map reads


def test_r2_is_one_for_linear_targets_and_at_most_zero_for_independent_ones(rng):
    features, labels = rng.normal(size=(600, 20)), np.repeat([3, 7], 300)
    linear = features @ rng.normal(size=(20, 2)) + 4
    found = structure.within_class_r2(features, linear, labels)
    assert found.shape == (2, 5)  # a number for every fold of a class
    np.testing.assert_allclose(found, 1, atol=1e-6)
    independent = structure.within_class_r2(features, rng.normal(size=(600, 2)), labels).mean(axis=1)
    assert np.all(independent < 0.02) and np.all(independent > -0.1)


def test_r2_is_fitted_within_each_class(rng):
    """Opposite slopes in two classes: each is linear, the union is not."""
    features, labels = rng.normal(size=(400, 1)), np.repeat([0, 1], 200)
    target = features * np.where(labels == 0, 1, -1)[:, None]
    np.testing.assert_allclose(structure.within_class_r2(features, target, labels), 1, atol=1e-6)
    assert structure.within_class_r2(features, target, np.zeros(400)).mean() < 0.05


def test_r2_does_not_depend_on_basis_scale_origin_or_dead_units(rng):
    features, labels = rng.normal(size=(200, 30)) * np.linspace(0.01, 1, 30), np.repeat([0, 1], 100)
    targets = features[:, :2] + 0.1 * rng.normal(size=(200, 2))
    before = structure.within_class_r2(features, targets, labels)
    basis = np.linalg.qr(rng.normal(size=(30, 30)))[0]
    moved = np.concatenate([1000 * features @ basis + 5, np.full((200, 7), 0.3)], axis=1)
    np.testing.assert_allclose(structure.within_class_r2(moved, targets, labels), before, rtol=1e-5)
    assert np.all(before < 0.9)
    nothing = structure.within_class_r2(np.full((200, 9), 0.3), targets, labels)
    assert np.all(nothing.mean(axis=1) <= 0)


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
    assert ours.mean() == pytest.approx(1 - residual / np.sum((target - target.mean()) ** 2))


def test_groups_take_away_the_reward_for_recognising_copies(rng):
    features = np.repeat(rng.normal(size=(50, 200)), 4, axis=0)
    target = np.repeat(rng.normal(size=(50, 1)), 4, axis=0)
    copies, origin = structure.within_class_r2(features, target, np.zeros(200)), np.repeat(np.arange(50), 4)
    assert copies.mean() > 0.95
    assert structure.within_class_r2(features, target, np.zeros(200), groups=origin).mean() < 0.1


def test_of_a_large_class_a_seeded_draw_is_read(rng):
    features, labels = rng.normal(size=(300, 5)), np.zeros(300)
    target = features[:, :1] + rng.normal(size=(300, 1))
    some = [structure.within_class_r2(features, target, labels, seed=s, most=100) for s in (0, 0, 1)]
    assert np.array_equal(some[0], some[1]) and not np.array_equal(some[0], some[2])
    drawn = np.sort(np.random.default_rng(0).permutation(np.arange(300))[:100])
    whole = structure.within_class_r2(features[drawn], target[drawn], labels[drawn], most=100)
    np.testing.assert_array_equal(some[0], whole)


# ---- shifts


def test_shift_targets_lie_on_the_circle_and_repeat_after_a_period():
    targets = structure.shift_targets(np.arange(56))
    np.testing.assert_allclose(np.linalg.norm(targets, axis=1), 1)
    np.testing.assert_allclose(targets[:28], targets[28:], atol=1e-12)
    np.testing.assert_allclose(targets[[0, 7]], [[1, 0], [0, 1]], atol=1e-12)


# ---- colours and sparsity


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


def test_zero_fraction_counts_exact_zeros():
    assert structure.zero_fraction(torch.tensor([[0.0, 1e-30], [-0.0, 3.0]])) == 0.5


# ---- bad input

POINTS, LABELS, HOLE = np.eye(40)[:, :2], np.zeros(40, int), np.full((40, 2), np.nan)
BAD = {
    "within_class_r2": [
        (HOLE, POINTS, LABELS),
        (POINTS, HOLE, LABELS),
        (POINTS, POINTS[1:], LABELS),
        (POINTS, POINTS, np.arange(40) // 9),
        (POINTS, 0 * POINTS, LABELS),
        (POINTS, POINTS, LABELS, (1.0,), 5, 0, LABELS),
    ],
    "shift_targets": [(POINTS,), ([np.nan],)],
    "colour_targets": [(np.zeros((2, 3, 4, 4)),), (np.zeros((2, 1, 4, 4), np.uint8),)],
    "zero_fraction": [([],), (HOLE,)],
}


@pytest.mark.parametrize("name, case", [(name, case) for name, cases in BAD.items() for case in cases])
def test_bad_input_is_one_clear_line(name, case):
    with pytest.raises(ValueError) as error:
        getattr(structure, name)(*case)
    assert re.fullmatch(r".{20,130}", str(error.value))
