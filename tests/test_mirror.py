"""Left and right in a hidden state, and states of different widths at as many units."""

import re

import numpy as np
import pytest

from wide.measure.equal_units import directions, raw_and_equal
from wide.measure.mirror import first_direction, odd_share
from wide.measure.structure import within_class_r2


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def sided(rng, strength, units=64, images=600):
    """A state and its mirror image's: what both share, and the side along a direction, either one."""
    shared = rng.normal(size=(images, units)) / np.sqrt(units)
    side, along = rng.choice([-1, 1], images), directions(units, 1, rng)[:, 0]
    code = strength * side[:, None] * along
    return shared + code, shared - code


# ---- left and right


def test_a_state_blind_to_mirroring_holds_no_odd_variance(rng):
    state = rng.normal(size=(60, 10))
    assert odd_share(state, state).tolist() == [0] * 5
    assert odd_share(np.ones((60, 4)), np.ones((60, 4))).tolist() == [0] * 5


def test_the_share_rises_with_the_strength_of_a_code_of_sides_that_images_face_both_ways(rng):
    shares = [odd_share(*sided(rng, strength)) for strength in (0, 0.1, 0.3, 0.7, 3)]
    means = [share.mean() for share in shares]
    assert means == sorted(means) and means[0] == 0 and means[3] > 0.3 and means[4] > 0.85
    strength = 0.7**2
    assert means[3] == pytest.approx(strength / (1 + strength) * (1 - 1 / 64), abs=0.01)
    assert all(share.std() < 0.05 for share in shares)


@pytest.mark.parametrize("units", [20, 64, 1000])
def test_noise_of_images_is_no_code_of_sides(rng, units):
    """An image and its mirror image have unlike states, but each in a direction of its own."""
    found = odd_share(rng.normal(size=(600, units)), rng.normal(size=(600, units)))
    assert abs(found.mean()) < 0.01
    one, other = sided(rng, 0.5, units)
    noise = 0.3 * rng.normal(size=one.shape) / np.sqrt(units)
    assert odd_share(one + noise, other - noise).mean() > 0.15


def test_the_share_ignores_basis_scale_offset_order_and_which_image_is_the_mirrored_one(rng):
    one, other = sided(rng, 0.5)
    found = odd_share(one, other).mean()
    basis = directions(64, 64, rng)
    assert odd_share(9 * one @ basis + 5, 9 * other @ basis + 5).mean() == pytest.approx(found)
    swap = rng.random(600)[:, None] < 0.5
    swapped = odd_share(np.where(swap, one, other), np.where(swap, other, one))
    assert swapped.mean() == pytest.approx(found)


def test_a_direction_that_no_held_out_pair_shares_scores_nothing(rng):
    """Each training fold has a strongest pair, whose direction is its own: without folds it would count."""
    odd = np.zeros((50, 50))
    np.fill_diagonal(odd, 1 + np.arange(50.0))
    assert odd_share(odd, -odd).max() < 0.02


@pytest.mark.parametrize("shape", [(30, 6), (6, 30)])
def test_the_first_direction_is_that_of_the_singular_vectors(rng, shape):
    rows = rng.normal(size=shape) + 1
    expected = np.linalg.svd(rows)[2][0]
    assert abs(first_direction(rows) @ expected) == pytest.approx(1)


@pytest.mark.parametrize(
    "case",
    [
        (np.full((40, 2), np.nan), np.eye(40)[:, :2]),
        (np.eye(40), np.eye(40)[1:]),
        (np.eye(9), np.eye(9)),
        (np.ones(9), np.ones(9)),
    ],
)
def test_bad_pairs_are_refused_in_one_line(case):
    with pytest.raises(ValueError) as error:
        odd_share(*case)
    assert re.fullmatch(r".{20,130}", str(error.value))


# ---- as many units


def reading(features, target):
    return lambda reduce: within_class_r2(reduce(features), target, np.zeros(len(target))).mean(axis=1)


def read_at(widths, states, target):
    """[(raw, equal)] of a state of each width, equal at the first one's."""
    pairs = [raw_and_equal(reading(states(n), target), n, widths[0]) for n in widths]
    return np.array(pairs)[..., 0].T


@pytest.fixture
def target(rng):
    return rng.normal(size=(400, 1))


def test_a_code_of_constant_information_a_unit_grows_with_width_and_not_at_equal_units(rng, target):
    """Every unit tells the target as badly, in noise of its own."""

    def states(units):
        return 0.2 * rng.normal(size=(1, units)) * target + rng.normal(size=(400, units))

    raw, equal = read_at([20, 80, 300], states, target)
    assert raw[0] < 0.5 < raw[1] < raw[2] and raw[2] - raw[0] > 0.3
    assert np.ptp(equal) < 0.15 and equal[2] < raw[1]
    assert raw[0] == equal[0]  # nothing is reduced


def test_a_code_that_grows_a_unit_grows_at_equal_units_too(rng, target):
    def states(units):
        return 0.02 * units**0.8 * rng.normal(size=(1, units)) * target + rng.normal(size=(400, units))

    raw, equal = read_at([20, 80, 300], states, target)
    assert raw[2] - raw[0] > 0.3 and equal[2] - equal[0] > 0.3 and equal[1] > equal[0]


def test_sides_are_compared_at_equal_units_with_one_projection_for_both(rng):
    one, other = sided(rng, 0.7, units=200)
    raw, equal = raw_and_equal(lambda reduce: odd_share(reduce(one), reduce(other)), 200, 20)
    assert raw.shape == equal.shape == (5,) and raw.mean() > 0.3
    assert equal.mean() == pytest.approx(raw.mean(), abs=0.12)  # one direction in 200, or its shadow in 20
    blind = raw_and_equal(lambda reduce: odd_share(reduce(one), reduce(one)), 200, 20)
    assert not np.any(blind)


def test_directions_are_orthonormal_seeded_and_without_a_preferred_sign(rng):
    basis = directions(50, 7, rng)
    np.testing.assert_allclose(basis.T @ basis, np.eye(7), atol=1e-12)
    drawn = np.array([directions(3, 1, rng)[0, 0] for _ in range(2000)])
    assert abs(drawn.mean()) < 0.05 and drawn.var() == pytest.approx(1 / 3, abs=0.03)
    states = rng.normal(size=(5, 50))
    runs = [raw_and_equal(lambda reduce: reduce(states)[0], 50, 3, seed=seed)[1] for seed in (0, 0, 1)]
    assert np.array_equal(runs[0], runs[1]) and not np.array_equal(runs[0], runs[2])


@pytest.mark.parametrize("kept, draws", [(0, 5), (9, 5), (3, 0)])
def test_impossible_numbers_of_units_are_refused(kept, draws):
    with pytest.raises(ValueError, match="of 8 units"):
        raw_and_equal(lambda reduce: 0, 8, kept, draws)
