"""Structure of a layer-by-layer CKA matrix in numbers: block and checkerboard of Nguyen et al. 2021.

Section 4. The paper shows both in pictures and defines neither; the definitions are this project's. A
matrix is (L, L) float, symmetric, layers in forward order. Dead layers are rows that are NaN or masked
throughout; they are left out. Every function raises ValueError for another shape, for an asymmetric
matrix and for single missing cells.
"""

from typing import NamedTuple

import numpy as np

SLACK = 1e-9  # a mean from prefix sums is rounded: equal to the threshold counts as reaching it


class Block(NamedTuple):
    """A run of layers that are alike.

    fraction: share of all layers that belong to the block; layers start .. stop - 1 (0, 0 where there is
    none).
    """

    fraction: float
    start: int
    stop: int


def block_fraction(cka, threshold: float = 0.9) -> Block:
    """The longest run of layers that are all alike, the earliest among equals.

    A run of two layers or more counts if, over its pairs of different layers, the mean CKA is at least
    `threshold` and the 10th percentile (linear interpolation) at least `threshold` - 0.1. A dead layer
    neither ends a run nor counts in it; the fraction is of all L layers. Prefix sums give mean and
    percentile of all runs of a length at once: O(L²).
    """
    cka, alive = _live(cka)
    live = np.flatnonzero(alive)
    least = threshold - 0.1 - SLACK  # of the 10th percentile
    sums = _prefix(cka)
    lows = _prefix(cka < least)
    for length in range(len(cka), 1, -1):
        pairs = length * (length - 1) // 2
        means = _within(sums, length) / pairs
        below = np.rint(_within(lows, length))
        rank = np.floor(0.1 * (pairs - 1))  # the percentile lies between the sorted pairs rank and rank + 1
        wanted = (means >= threshold - SLACK) & (below <= rank + 1)
        for start in np.flatnonzero(wanted):
            if below[start] <= rank or _percentile(cka, start, length) >= least:
                last = live[start + length - 1]
                return Block(length / len(alive), int(live[start]), int(last) + 1)
    return Block(0.0, 0, 0)


def checkerboard(cka, post_residual) -> float:
    """Mean CKA of two different post-residual layers minus mean CKA of a post-residual and any other layer.

    post_residual: (L,) bool, true at layers after a residual addition, false inside the blocks. Positive
    where the heatmap shows the checkerboard of figure 1. Raises ValueError for fewer than two live
    post-residual layers or no other.
    """
    post = np.asarray(post_residual)
    if post.dtype != bool or post.shape != np.shape(cka)[:1]:
        raise ValueError(
            f"post_residual is {post.dtype} {post.shape}: give one bool a layer, {np.shape(cka)[:1]}"
        )
    cka, alive = _live(cka)
    post = post[alive]
    if post.sum() < 2 or post.all():
        raise ValueError(
            f"{post.sum()} live post-residual layers among {len(post)}: two and one other are needed"
        )
    among = cka[np.ix_(post, post)]
    pairs = np.triu_indices(len(among), 1)
    return float(among[pairs].mean() - cka[np.ix_(post, ~post)].mean())


def _live(cka):
    """The matrix of the live layers and which they are: (l, l) float64, (L,) bool."""
    masked = np.ma.getmaskarray(cka)
    cka = np.ma.getdata(cka).astype(np.float64)
    if cka.ndim != 2 or cka.shape[0] != cka.shape[1]:
        raise ValueError(f"the CKA matrix has shape {cka.shape}: give layers x layers of one network")
    missing = masked | np.isnan(cka)
    alive = ~missing.all(axis=1)
    if missing[np.ix_(alive, alive)].any():
        raise ValueError(
            "single cells of the CKA matrix are missing: only whole layers, row and column, may be"
        )
    cka = cka[np.ix_(alive, alive)]
    if not np.allclose(cka, cka.T, atol=1e-6):
        raise ValueError("the CKA matrix is not symmetric: give the layers of one network against themselves")
    return cka, alive


def _prefix(values):
    """Two-dimensional prefix sums of the pairs i < j: entry (a, b) is the sum over i < a, j < b."""
    upper = np.triu(values, 1).astype(np.float64)
    return np.pad(upper.cumsum(0).cumsum(1), ((1, 0), (1, 0)))


def _within(prefix, length):
    """Sum over the pairs of each run of `length` layers: (L - length + 1,)."""
    start = np.arange(len(prefix) - length)
    stop = start + length
    return prefix[stop, stop] - prefix[start, stop] - prefix[stop, start] + prefix[start, start]


def _percentile(cka, start, length):
    """10th percentile of the pairs of one run."""
    run = cka[start : start + length, start : start + length]
    return np.percentile(run[np.triu_indices(length, 1)], 10)
