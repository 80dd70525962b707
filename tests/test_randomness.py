"""Random numbers by hashing: uniform, independent of each other, and the same alone and among others."""

import itertools
import math

import pytest
import torch
from scipy import stats
from torch.func import vmap

from wide.training.randomness import epoch_draws, mix, random_bits, step_keys, uniform

MANY = 100_000


def test_draws_are_a_function_of_seed_and_pass():
    for first, second in zip(epoch_draws(2, 3, 20, 5), epoch_draws(2, 3, 20, 5), strict=True):
        assert torch.equal(first, second)
    # Augmentation leaves the order as it is.
    assert torch.equal(epoch_draws(2, 3, 20, 0)[0], epoch_draws(2, 3, 20, 5)[0])
    assert not torch.equal(epoch_draws(2, 3, 20, 5)[1], epoch_draws(2, 4, 20, 5)[1])
    assert epoch_draws(2, 3, 20, 0)[1] is None


def test_orders_differ_between_seeds_and_passes():
    orders = [epoch_draws(seed, epoch, 50, 0)[0] for seed in range(4) for epoch in range(4)]
    assert len({tuple(order.tolist()) for order in orders}) == 16
    assert all(sorted(order.tolist()) == list(range(50)) for order in orders)


def test_mix_is_one_to_one_within_32_bits():
    words = torch.arange(1_000_000)
    mixed = mix(words)
    assert len(mixed.unique()) == len(words)
    assert mixed.min() >= 0 and mixed.max() < 2**32
    large = [2**32 - 1, 2**31, 123456789]
    assert mix(torch.tensor(large)).tolist() == [mix(word) for word in large]


def test_every_bit_of_a_word_touches_every_bit_of_its_hash():
    words = torch.randint(0, 2**32, (4096,), generator=torch.Generator().manual_seed(0))
    flips = torch.stack([mix(words) ^ mix(words ^ (1 << bit)) for bit in range(32)])
    changed = ((flips[..., None] >> torch.arange(32)) & 1).double().mean(1)
    assert 0.4 < changed.min() and changed.max() < 0.6  # of 4096, a standard error is 0.008
    assert changed.mean() == pytest.approx(0.5, abs=0.01)


def streams():
    """Numbers of three seeds, three steps, three layers, by neighbours that differ in one bit and in many."""
    for seed, step, layer in itertools.product((0, 1, 12345), (0, 1, 777), (0, 1, 9)):
        yield uniform(step_keys([seed], step)[0], layer, MANY)


def test_numbers_are_uniform():
    pvalues = [stats.kstest(numbers.numpy(), "uniform").pvalue for numbers in streams()]
    assert min(pvalues) > 1e-4  # of 27, whose smallest is expected at 0.04
    assert stats.kstest(pvalues, "uniform").pvalue > 1e-3
    assert all(0 <= numbers.min() and numbers.max() < 1 for numbers in streams())


def test_numbers_do_not_depend_on_those_before():
    for numbers in streams():
        for lag in (1, 2, 7, 64, 1024):
            pair = torch.stack([numbers[:-lag], numbers[lag:]])
            assert abs(torch.corrcoef(pair)[0, 1]) < 5 / math.sqrt(MANY)


def test_seeds_steps_and_layers_are_independent():
    numbers = torch.stack(list(streams()))
    correlations = torch.corrcoef(numbers).fill_diagonal_(0)
    assert correlations.abs().max() < 5 / math.sqrt(MANY)
    # Nor does one share its values with another: a bit pattern at the same place is a chance of 2^-24.
    assert max((a == b).sum() for a, b in itertools.combinations(numbers, 2)) <= 2


def test_a_table_of_pairs_is_flat():
    """Chi-square of (number, next number) in 32 x 32 cells, of two layers side by side."""
    key = step_keys([5], 3)[0]
    for a, b in ((uniform(key, 0, MANY), uniform(key, 1, MANY)), uniform(key, 0, 2 * MANY).view(-1, 2).T):
        cells = torch.bincount((a * 32).long() * 32 + (b * 32).long(), minlength=1024)
        assert stats.chisquare(cells.numpy()).pvalue > 1e-4


@pytest.mark.parametrize("seeds", [[3, 0, 7], [-1, 2**40, 2**40 + 1]])
def test_a_member_has_the_same_numbers_alone_and_among_others(seeds):
    keys = step_keys(seeds, 11)
    together = random_bits(keys, 4, 50)
    assert torch.equal(together, vmap(lambda key: random_bits(key, 4, 50))(keys))
    for row, seed in enumerate(seeds):
        assert torch.equal(together[row], random_bits(step_keys([seed], 11)[0], 4, 50))
    assert len(together.unique()) == together.numel()
