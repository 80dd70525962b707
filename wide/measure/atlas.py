"""Cells of an activation atlas and their targets: Gilboa & Gur-Ari 2019, section 3, steps 1 to 3; Lucid."""

import numpy as np
import torch
import torch.nn.functional as F

CHUNK = 8192  # activations at once in float64
DAMPINGS = tuple(float(f"{10 ** (half / 2):.2g}") for half in range(-8, 3))  # two a decade, 1e-4 to 10


def layout(points):
    """Lucid's clean-up of a 2-D embedding: points (N, 2) -> (N, 2) float64, each axis filling [0, 1].

    Clips to the 1st to 99th percentile plus a margin of a tenth of that range. A constant axis becomes
    0.5. ValueError unless points are finite and (N, 2) with N >= 1.
    """
    points = _positions(points)
    low, high = np.percentile(points, (1, 99), axis=0)
    margin = 0.1 * (high - low)
    points = np.clip(points, low - margin, high + margin)
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    return np.where(span > 0, (points - low) / np.where(span > 0, span, 1), 0.5)


def cells(positions, grid: int = 15, minimum: int = 10):
    """Cells of a grid x grid atlas that hold more than `minimum` points.

    Returns cells (m, 2) int and a list of m index arrays. positions (N, 2) are x, y in [0, 1]; a cell is
    (row, column), row 0 on top (largest y), in row-major order. As in Lucid a point on an inner edge
    counts on both sides. ValueError for positions outside [0, 1].
    """
    positions = _positions(positions)
    if grid < 1 or positions.min() < 0 or positions.max() > 1:
        raise ValueError(
            "cells needs grid >= 1 and positions within [0, 1]: pass them through layout() first"
        )
    edges = np.arange(grid + 1) / grid
    of_axis = positions.T[:, None]
    inside = (of_axis >= edges[:-1, None]) & (of_axis <= edges[1:, None])  # (axis, cell, N)
    columns, rows = inside[0], inside[1, ::-1]
    kept = {}
    for row in range(grid):
        for column in range(grid):
            index = np.flatnonzero(rows[row] & columns[column])
            if len(index) > minimum:
                kept[row, column] = index
    return np.array(list(kept), dtype=int).reshape(-1, 2), list(kept.values())


def whitening(activations, damping: float):
    """Inverse of the uncentred second moment M = A'A / N of activations A (N, n): (n, n) float64 tensor.

    As in Lucid. Inverts M + damping * (mean eigenvalue of M) * identity: M alone is singular where a unit
    is dead or N < n, and nearly so for a wide layer, when the inverse would blow up the directions that
    carry only noise. Damping 0 is the plain inverse. ValueError for activations that are not finite, or a
    singular matrix.
    """
    activations = torch.as_tensor(activations)
    if activations.ndim != 2 or not len(activations) or damping < 0:
        raise ValueError("whitening needs activations (N, n) with N >= 1, and damping >= 0")
    moment = _moment(activations)
    if not moment.isfinite().all():
        raise ValueError("activations have NaN or infinite values: check the network that gave them")
    moment.diagonal().add_(damping * moment.diagonal().mean())
    factor, failed = torch.linalg.cholesky_ex(moment)
    pivots = factor.diagonal().square()
    # Rounding can carry a singular matrix through the factorisation; its smallest pivot is then mere noise.
    if failed or pivots.min() <= len(moment) * torch.finfo(torch.float64).eps * pivots.max():
        raise ValueError(
            "the activations' second moment is singular (dead units, or N < n): use a damping above 0"
        )
    return torch.cholesky_inverse(factor)


def held_out_damping(activations, members, dampings=DAMPINGS, draws: int = 3, seed: int = 0) -> float:
    """The damping under which a cell's target is a direction that the cell's activations share.

    activations (N, n), m index arrays, as `atlas_targets` takes them. An icon is sought by the angle to its
    target, so targets are to tell cells apart by angle: each half of the activations is sorted to the nearest
    target, by angle, of moment and means of the other half, and the damping that sorts most of them to a cell
    of their own over `draws` seeded halvings is taken, the smallest of equals. That asks neither for images
    nor for labels. Cells that are empty in a half do not count in it.
    """
    activations = torch.as_tensor(activations)
    rng, right = np.random.default_rng(seed), np.zeros(len(dampings), int)
    halves = [rng.permutation(len(activations)) % 2 == 0 for _ in range(draws)]
    for train in (side for half in halves for side in (half, ~half)):
        pairs = [(index[train[index]], index[~train[index]]) for index in members]
        pairs = [pair for pair in pairs if len(pair[0]) and len(pair[1])]
        if pairs:
            right += _sorted_right(activations, np.flatnonzero(train), pairs, dampings)
    return dampings[int(right.argmax())]


def _sorted_right(activations, train, pairs, dampings):
    """How many held-out activations of cells lie nearest to their own cell's target, for each damping."""
    values, basis = torch.linalg.eigh(_moment(activations[torch.as_tensor(train)]))
    means = torch.stack([activations[torch.as_tensor(index)].double().mean(dim=0) for index, _ in pairs])
    rows = torch.as_tensor(np.concatenate([asked for _, asked in pairs]))
    cell = torch.as_tensor(np.repeat(np.arange(len(pairs)), [len(asked) for _, asked in pairs]))
    means, asked = means @ basis, activations[rows].double() @ basis
    right = []
    for damping in dampings:
        targets = F.normalize(means / (values + damping * values.mean()), dim=1)
        right.append(int(((asked @ targets.T).argmax(dim=1) == cell).sum()))
    return np.array(right)


def atlas_targets(activations, members, damping: float):
    """Whitened mean activation of each cell: activations (N, n), m index arrays -> (m, n) float32.

    Section 3, step 3. ValueError for no cells, an empty cell, or what whitening refuses.
    """
    activations = torch.as_tensor(activations)
    if not len(members) or not all(len(index) for index in members):
        raise ValueError(
            "atlas_targets needs at least one cell and no empty ones: lower cells' minimum or the grid"
        )
    means = torch.stack([activations[torch.as_tensor(index)].double().mean(dim=0) for index in members])
    return (means @ whitening(activations, damping)).float()


def _moment(activations):
    """Uncentred second moment of activations (N, n): (n, n) float64."""
    chunks = (chunk.double() for chunk in activations.split(CHUNK))
    return sum(chunk.T @ chunk for chunk in chunks) / len(activations)


def _positions(points):
    """Points as float64; ValueError unless they are finite and (N, 2)."""
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise ValueError(f"points must be finite and of shape (N, 2) with N >= 1, not {points.shape}")
    return points
