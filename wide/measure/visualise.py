"""Activation atlases and neuron icons: Gilboa & Gur-Ari 2019, section 3 and appendix B.1.

An atlas: layout -> cells -> atlas_targets -> icons. A neuron's icon: a one-hot target (times the whitening) -> icons.
"""

import numpy as np
import torch
import torch.nn.functional as F

from wide.measure.lucid import ATLAS, centre_view, draw_pose, paint, shrink, spectra, transformed

__all__ = ["atlas_targets", "cells", "centre_view", "icons", "layout", "objective", "shrink", "whitening"]


def layout(points):
    """Lucid's clean-up of a 2-D embedding: points (N, 2) -> (N, 2) float64, each axis filling [0, 1].

    Clips to the 1st to 99th percentile plus a margin of a tenth of that range. A constant axis becomes 0.5.
    ValueError unless points are finite and (N, 2) with N >= 1.
    """
    points = _positions(points)
    low, high = np.percentile(points, (1, 99), axis=0)
    margin = 0.1 * (high - low)
    points = np.clip(points, low - margin, high + margin)
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    return np.where(span > 0, (points - low) / np.where(span > 0, span, 1), 0.5)


def cells(positions, grid=15, minimum=10):
    """Cells of a grid x grid atlas that hold more than `minimum` points: (cell (m, 2) int, list of m index arrays).

    positions (N, 2) are x, y in [0, 1]; a cell is (row, column), row 0 on top (largest y), in row-major order. As in
    Lucid a point on an inner edge counts on both sides. ValueError for positions outside [0, 1].
    """
    positions = _positions(positions)
    if grid < 1 or positions.min() < 0 or positions.max() > 1:
        raise ValueError("cells needs grid >= 1 and positions within [0, 1]: pass them through layout() first")
    edges = np.arange(grid + 1) / grid
    inside = (positions.T[:, None] >= edges[:-1, None]) & (positions.T[:, None] <= edges[1:, None])  # (axis, cell, N)
    columns, rows = inside[0], inside[1, ::-1]
    indices = {(r, c): np.flatnonzero(rows[r] & columns[c]) for r in range(grid) for c in range(grid)}
    kept = {cell: index for cell, index in indices.items() if len(index) > minimum}
    return np.array(list(kept), dtype=int).reshape(-1, 2), list(kept.values())


def whitening(activations, damping):
    """Inverse of the uncentred second moment M = A'A / N of activations A (N, n), as in Lucid: (n, n) float64 tensor.

    Inverts M + damping * (mean eigenvalue of M) * identity: M alone is singular where a unit is dead or N < n, and
    nearly so for a wide layer, when the inverse would blow up the directions that carry only noise. Damping 0 is the
    plain inverse. ValueError for activations that are not finite, or a singular matrix.
    """
    activations = torch.as_tensor(activations)
    if activations.ndim != 2 or not len(activations) or damping < 0:
        raise ValueError("whitening needs activations (N, n) with N >= 1, and damping >= 0")
    moment = sum(a.T @ a for a in (chunk.double() for chunk in activations.split(8192))) / len(activations)
    if not moment.isfinite().all():
        raise ValueError("activations have NaN or infinite values: check the network that gave them")
    moment.diagonal().add_(damping * moment.diagonal().mean())
    factor, failed = torch.linalg.cholesky_ex(moment)
    pivots = factor.diagonal().square()
    # Rounding can carry a singular matrix through the factorisation; its smallest pivot is then mere noise.
    if failed or pivots.min() <= len(moment) * torch.finfo(torch.float64).eps * pivots.max():
        raise ValueError("the activations' second moment is singular (dead units, or N < n): use a damping above 0")
    return torch.cholesky_inverse(factor)


def atlas_targets(activations, members, damping):
    """Whitened mean activation of each cell, section 3, step 3: activations (N, n), m index arrays -> (m, n) float32.

    ValueError for no cells, an empty cell, or what whitening refuses.
    """
    activations = torch.as_tensor(activations)
    if not len(members) or not all(len(index) for index in members):
        raise ValueError("atlas_targets needs at least one cell and no empty ones: lower cells' minimum or the grid")
    means = torch.stack([activations[torch.as_tensor(index)].double().mean(dim=0) for index in members])
    return (means @ whitening(activations, damping)).float()


def objective(activations, targets, cosine="paper"):
    """What an icon maximises: dot * max(0.1, cos)^4 for each row of activations and targets (m, n) -> (m,).

    "paper" takes sum and cosine as written (section 3, step 4, its angle read as the cosine). "lucid" follows Lucid's
    code, dot = mean over units and cos = dot / (1e-4 + |activations|): it leaves out the target's norm and keeps 1/n,
    so "cos" depends on n and in a wide layer hardly ever leaves the floor of 0.1. While cos < 0.1 the gradient is that
    of dot * 0.1^4. ValueError for other names or unequal shapes.
    """
    if activations.shape != targets.shape or targets.ndim != 2:
        shapes = f"{tuple(activations.shape)} and {tuple(targets.shape)}"
        raise ValueError(f"activations and targets must both be (m, n), not {shapes}: use one row an icon")
    if cosine == "paper":
        dot, cos = (activations * targets).sum(1), F.cosine_similarity(activations, targets, dim=1, eps=1e-12)
    elif cosine == "lucid":
        dot = (activations * targets).mean(1)
        cos = dot / (1e-4 + torch.linalg.vector_norm(activations, dim=1))
    else:
        raise ValueError(f'cosine must be "paper" or "lucid", not {cosine!r}')
    return dot * cos.clamp(min=0.1) ** 4


def icons(network, targets, *, image_shape, canvas=80, steps=512, lr=0.05, pad_value=0.0, mean=0.5, seed=0,
          cosine="paper", transforms=ATLAS, batch=256, device="cpu", autocast_dtype=None, progress=None):
    """Images that drive a layer towards each target (m, n): (images (m, C, canvas, canvas) float32 in [0, 1], scores).

    network: images (k, C, H, W) in [0, 1] on `device` -> activations (k, n), each row of its own image alone (batch
    normalisation in evaluation mode); no gradients are left in its parameters. Adam maximises `objective` over
    Fourier coefficients, from images of brightness `mean`. Step t shows all icons in the same pose and icon i starts from its own seed, so an icon does
    not depend on its batch. scores (m,) float32: the objective of centre_view. progress() is called after every step
    of every batch of icons. Results are on the CPU; on CUDA their bytes may differ from run to run (grid_sample's
    gradient adds in any order). autocast_dtype: torch.bfloat16, or None for float32; only the network runs in it.
    ValueError for NaN or badly shaped targets, image shapes other than 1 or 3 square channels, too small a canvas.
    """
    targets = torch.as_tensor(targets, dtype=torch.float32).detach()
    _check(targets, image_shape, canvas, steps, batch, transforms)
    channels, size, _ = image_shape

    def score(images, wanted, pose=None):
        at = (size, pad_value, transforms)
        view = centre_view(images, *at) if pose is None else transformed(images, pose, *at)
        with torch.autocast(torch.device(device).type, autocast_dtype, enabled=autocast_dtype is not None):
            activations = network(view)
        return objective(activations.float(), wanted, cosine)

    generator = torch.Generator().manual_seed(seed)
    poses = [draw_pose(generator, transforms) for _ in range(steps)]
    results = []
    for first in range(0, len(targets), batch):
        wanted = targets[first : first + batch].to(device)
        spectrum = spectra(range(first, first + len(wanted)), channels, canvas, seed).to(device)
        _ascend(spectrum, lambda spectrum, pose: score(paint(spectrum, mean), wanted, pose), poses, lr, progress)
        with torch.no_grad():
            images = paint(spectrum, mean)
            results.append((images.cpu(), score(images, wanted).cpu()))
    images, scores = (torch.cat(parts) for parts in zip(*results))
    return images, scores


def _ascend(spectrum, score, poses, lr, progress):
    """Adam on one batch of spectra, in place: one step a pose towards a larger sum of score(spectrum, pose)."""
    spectrum.requires_grad_()
    # While cos < 0.1 gradients are as small as the default eps of 1e-8; with it the target's scale would set the pace.
    adam = torch.optim.Adam([spectrum], lr=lr, eps=1e-16, maximize=True, fused=True)
    with torch.enable_grad():
        for pose in poses:
            (spectrum.grad,) = torch.autograd.grad(score(spectrum, pose).sum(), spectrum)
            adam.step()
            if progress is not None:
                progress()


def _check(targets, image_shape, canvas, steps, batch, transforms):
    if targets.ndim != 2 or not targets.numel() or not targets.isfinite().all():
        raise ValueError("targets must be (m, n), not empty and free of NaN and infinite values")
    if len(image_shape) != 3 or image_shape[0] not in (1, 3) or image_shape[1] != image_shape[2] or image_shape[1] < 1:
        raise ValueError(f"image_shape must be (1 or 3, size, size), not {tuple(image_shape)}")
    if steps < 0 or batch < 1:
        raise ValueError("icons needs steps >= 0 and batch >= 1")
    if min(transforms.scales) * transforms.window(canvas)[0] - transforms.last_jitter < 2:
        raise ValueError(f"a canvas of {canvas} pixels is too small for the crops and scales: use a larger one (80)")


def _positions(points):
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise ValueError(f"points must be finite and of shape (N, 2) with N >= 1, not {points.shape}")
    return points
