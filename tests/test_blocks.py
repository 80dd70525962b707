"""Theorems about the block and the checkerboard of a CKA matrix."""

import numpy as np
import pytest

from wide.measure.blocks import Block, block_fraction, checkerboard


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pairs(matrix):
    return matrix[np.triu_indices(len(matrix), 1)]


def naive(cka, threshold):
    size = len(cka)
    for length in range(size, 1, -1):
        for start in range(size - length + 1):
            inside = pairs(cka[start : start + length, start : start + length])
            if inside.mean() >= threshold and np.percentile(inside, 10) >= threshold - 0.1:
                return Block(length / size, start, start + length)
    return Block(0.0, 0, 0)


def with_block(size, start, stop, inside=0.97, outside=0.3):
    cka = np.full((size, size), outside)
    cka[start:stop, start:stop] = inside
    np.fill_diagonal(cka, 1)
    return cka


def random_matrix(rng, size):
    """Layers that drift at random speed: similar runs of all lengths, and single pairs far below the rest."""
    place = np.cumsum(rng.exponential(0.02, size) * rng.choice([0.2, 1, 8], size))
    low = rng.random((size, size)) < rng.choice([0, 0.05, 0.12])
    cka = np.exp(-np.abs(place - place[:, None])) - 0.5 * np.triu(low, 1)
    return np.triu(cka) + np.triu(cka, 1).T


def test_a_planted_block_is_found():
    assert block_fraction(with_block(20, 6, 16)) == (0.5, 6, 16)
    assert block_fraction(np.ones((7, 7))) == (1.0, 0, 7)
    assert block_fraction(np.eye(7)) == (0.0, 0, 0)
    assert block_fraction(np.full((9, 9), 0.9)) == (1.0, 0, 9)  # equal to the threshold counts


@pytest.mark.parametrize("threshold", [0.8, 0.9, 0.95])
def test_the_same_as_looking_at_every_run(rng, threshold):
    matrices = [random_matrix(rng, 14) for _ in range(150)]
    results = [(block_fraction(cka, threshold), naive(cka, threshold)) for cka in matrices]
    assert all(ours == theirs for ours, theirs in results)
    assert len({ours.stop - ours.start for ours, _ in results}) > 5


def test_both_conditions_are_needed(rng):
    few_low = with_block(10, 0, 10, 0.99)
    few_low[0, 1:8] = few_low[1:8, 0] = 0.75  # 7 of 45 pairs: the mean is 0.953, the 10th percentile 0.75
    assert pairs(few_low).mean() > 0.9 and block_fraction(few_low).fraction < 1
    assert block_fraction(with_block(10, 0, 10, 0.85)).fraction == 0  # the percentile alone does not do


def test_the_earliest_of_equal_blocks():
    cka = with_block(20, 2, 7)
    cka[10:15, 10:15] = 1.0
    assert block_fraction(cka) == (0.25, 2, 7)


def test_a_dead_layer_neither_ends_a_block_nor_counts():
    cka = with_block(20, 6, 16)
    cka[9] = cka[:, 9] = np.nan
    assert block_fraction(cka) == (9 / 20, 6, 16)
    assert block_fraction(np.ma.masked_invalid(cka)) == (9 / 20, 6, 16)
    assert block_fraction(np.full((5, 5), np.nan)) == (0.0, 0, 0)


def test_eight_hundred_layers_are_no_trouble(rng):
    cka = with_block(800, 300, 700, 0.92)
    cka[300:700, 300:700] = np.where(
        np.add.outer(np.arange(400), np.arange(400)) % 9 == 0, 0.7, cka[300:700, 300:700]
    )
    cka[300:700:40, 300:700] = cka[300:700, 300:700:40] = 0.1
    fraction, start, stop = block_fraction(cka, 0.85)
    assert 0 < fraction < 0.5 and 300 <= start < stop <= 700


def test_checkerboard():
    post = np.arange(12) % 3 == 2
    cka = np.where(post == post[:, None], 0.8, 0.3)
    cka[np.ix_(~post, ~post)] = 0.6
    np.fill_diagonal(cka, 1)  # the diagonal, inside pairs and dead layers do not enter
    assert checkerboard(cka, post) == pytest.approx(0.5)
    cka[3] = cka[:, 3] = cka[5] = cka[:, 5] = np.nan
    assert checkerboard(cka, post) == pytest.approx(0.5)
    assert checkerboard(np.ones((12, 12)), post) == 0


def test_wrong_input(rng):
    single, crooked = np.ones((4, 4)), np.ones((4, 4))
    single[1, 2] = single[2, 1] = np.nan
    crooked[1, 2] = 0
    for cka, message in (
        (np.ones((3, 4)), "layers x layers"),
        (single, "single cells"),
        (crooked, "not symmetric"),
    ):
        with pytest.raises(ValueError, match=message):
            block_fraction(cka)
    with pytest.raises(ValueError, match="one bool a layer"):
        checkerboard(np.ones((4, 4)), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="1 live post-residual"):
        checkerboard(np.ones((4, 4)), np.array([True, False, False, False]))
