"""Random numbers of training: functions of a member's seed and of when they are drawn, alone.

So a member's numbers do not depend on its neighbours, and a resumed training draws the same ones.
"""

from functools import reduce

import torch

WORD = 0xFFFFFFFF  # 32 bits; they are kept in int64, which no product below leaves
STARTS = (0x243F6A88, 0x13198A2E)  # digits of pi


def epoch_draws(
    seed: int, epoch: int, examples: int, numbers: int
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Order of the examples, and the augmentation's numbers, of one member in one pass."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch + 1) * 2_654_435_761 % 2**63)
    order = torch.randperm(examples, generator=generator)
    return order, torch.rand(examples, numbers, generator=generator) if numbers else None


def mix(word):
    """A 32-bit word, an int or an int64 tensor of them, to another: one to one, every bit touches every bit.

    T. Mueller's finaliser: xor with the upper half, times an odd number, twice.
    """
    for _ in range(2):
        word = (((word >> 16) ^ word) * 0x45D9F3B) & WORD
    return (word >> 16) ^ word


def step_keys(seeds: list[int], step: int) -> torch.Tensor:
    """A key of 64 bits for each member's numbers in a step, (members, 2) int64 words of 32 bits."""
    keys = []
    for seed in seeds:
        words = (seed & WORD, (seed >> 32) & WORD, step & WORD)
        keys.append([reduce(lambda state, word: mix(state ^ word), words, start) for start in STARTS])
    return torch.tensor(keys)


def random_bits(key: torch.Tensor, stream: int, count: int) -> torch.Tensor:
    """Random words (..., count), int64 in [0, 2^32), of keys (..., 2): number i is a hash of key, stream and
    i.

    A counter-based generator (Salmon et al. 2011): without a state, in tensor arithmetic, so that it gives a
    member the same numbers alone, under vmap, and among others on a leading axis.
    """
    first, second = (mix(key[..., half, None] ^ mix(stream + 1)) for half in (0, 1))
    return mix(mix(torch.arange(count, device=key.device) ^ first) ^ second)


def uniform(key: torch.Tensor, stream: int, count: int) -> torch.Tensor:
    """Uniform numbers in [0, 1), (..., count) float32, as ``random_bits``; multiples of 2^-24."""
    return (random_bits(key, stream, count) >> 8).float() / 2**24
