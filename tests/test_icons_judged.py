"""Icons beside real images and noise: in a real classifier's features, and by hand."""

import re

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from wide.measure.icons_judged import neighbour_cosine, smooth_noise, uniform_noise


@pytest.fixture(scope="module")
def digits():
    """Handwritten digits: (train, held out), uint8 (N, 1, 8, 8), and the train's labels."""
    images, labels = load_digits(return_X_y=True)
    images = (images * 255 / 16).round().astype(np.uint8).reshape(-1, 1, 8, 8)
    order = np.random.default_rng(0).permutation(len(images))
    return images[order[:1400]], images[order[1400:]], labels[order[:1400]]


@pytest.fixture(scope="module")
def judge(digits):
    """The hidden layer of a classifier of digits."""
    train, _, labels = digits
    net = MLPClassifier((64,), max_iter=60, random_state=0).fit(train.reshape(-1, 64) / 255, labels)

    def features(pictures):
        return np.maximum(pictures.reshape(-1, 64) / 255 @ net.coefs_[0] + net.intercepts_[0], 0)

    features.confidence = lambda pictures: net.predict_proba(pictures.reshape(-1, 64) / 255).max(axis=1)
    return features


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_held_out_digits_are_nearer_to_digits_than_noise_of_any_kind(digits, judge):
    train, held_out, _ = digits
    reference = judge(train)
    shuffled = np.random.default_rng(0).permuted(held_out.reshape(-1, 64), axis=1)
    noises = [uniform_noise(200, (1, 8, 8)), smooth_noise(train, 200, blur=1.0), shuffled]
    real = neighbour_cosine(judge(held_out), reference)
    for noise in noises:
        found = neighbour_cosine(judge(noise), reference)
        assert np.mean(real[:, None] > found) > 0.95  # of pairs
        assert np.percentile(found, 90) < np.percentile(real, 10)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_icons_that_are_digits_pass_and_the_more_noise_the_less(digits, judge):
    train, held_out, _ = digits
    rng, reference = np.random.default_rng(0), judge(train)
    scores = []
    for share in (0, 0.3, 0.6, 1):
        mixed = (1 - share) * held_out + share * rng.integers(0, 256, held_out.shape)
        scores.append(neighbour_cosine(judge(mixed), reference).mean())
    assert scores == sorted(scores, reverse=True) and scores[0] - scores[-1] > 0.1


def test_cosines_agree_with_loops_and_ignore_scale():
    rng = np.random.default_rng(0)
    icons, reference = rng.normal(size=(7, 5)), rng.normal(size=(30, 5))
    expected = []
    for icon in icons:
        cosines = [icon @ row / np.linalg.norm(icon) / np.linalg.norm(row) for row in reference]
        expected.append(np.mean(sorted(cosines)[-4:]))
    np.testing.assert_allclose(neighbour_cosine(icons, reference, k=4), expected)
    scales = rng.uniform(1, 9, (30, 1))
    np.testing.assert_allclose(neighbour_cosine(3 * icons, scales * reference, k=4), expected)


def test_a_reference_itself_scores_one_and_a_silent_picture_nothing():
    reference = np.repeat(np.eye(3), 10, axis=0)
    np.testing.assert_allclose(neighbour_cosine(np.eye(3), reference), 1)
    np.testing.assert_allclose(neighbour_cosine(np.eye(3), reference, k=20), 0.5)
    assert neighbour_cosine(np.zeros((1, 3)), reference).tolist() == [0]


def test_smooth_noise_has_the_images_pixels_and_is_smooth(digits):
    train = np.concatenate([digits[0], 255 - digits[0], digits[0] // 2], axis=1)
    noise = smooth_noise(train, 300, blur=1.5)
    assert noise.dtype == np.uint8 and noise.shape == (300, 3, 8, 8)
    for channel in range(3):
        ours, theirs = noise[:, channel] / 1.0, train[:, channel] / 1.0
        assert ours.mean() == pytest.approx(theirs.mean(), abs=1)
        assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
    rough = uniform_noise(300, (3, 8, 8))

    def left(pictures):  # of the variance once pictures are blurred
        return np.var(gaussian_filter(pictures / 1.0, (0, 0, 1, 1))) / np.var(pictures / 1.0)

    assert left(noise) > 0.5 and left(rough) < 0.2
    assert np.array_equal(noise, smooth_noise(train, 300, blur=1.5))
    assert not np.array_equal(noise, smooth_noise(train, 300, blur=1.5, seed=1))


BAD = [
    (neighbour_cosine, (np.eye(3), np.eye(4)[:, :4])),
    (neighbour_cosine, (np.eye(3), np.eye(3))),
    (neighbour_cosine, (np.full((2, 3), np.nan), np.ones((20, 3)))),
    (smooth_noise, (np.zeros((2, 1, 4, 4)), 3)),
    (smooth_noise, (np.zeros((2, 4, 4), np.uint8), 3)),
    (smooth_noise, (np.zeros((2, 1, 4, 4), np.uint8), 0)),
]


@pytest.mark.parametrize("function, case", BAD)
def test_bad_input_is_one_clear_line(function, case):
    with pytest.raises(ValueError) as error:
        function(*case)
    assert re.fullmatch(r".{20,130}", str(error.value))
