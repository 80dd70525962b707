"""Activation atlases and neuron icons: Gilboa & Gur-Ari 2019, section 3 and appendix B.1.

An atlas: layout -> cells -> atlas_targets -> icons. A neuron's icon: a one-hot target, not whitened (it
takes the place of a whitened average) -> icons.
"""

from functools import partial

import torch
import torch.nn.functional as F

from wide.measure.atlas import atlas_targets, cells, held_out_damping, layout, whitening
from wide.measure.lucid import ATLAS, Transforms, centre_view, draw_pose, paint, shrink, spectra, transformed

__all__ = [
    "atlas_targets",
    "cells",
    "centre_view",
    "held_out_damping",
    "icons",
    "layout",
    "objective",
    "shrink",
    "whitening",
]


def objective(activations, targets, cosine: str = "paper"):
    """What an icon maximises: dot * max(0.1, cos)^4 for each row of activations and targets (m, n) -> (m,).

    "paper" takes sum and cosine as written (section 3, step 4, its angle read as the cosine). "lucid"
    follows Lucid's code, dot = mean over units and cos = dot / (1e-4 + |activations|): it leaves out the
    target's norm and keeps 1/n, so "cos" depends on n and in a wide layer hardly ever leaves the floor of
    0.1. While cos < 0.1 the gradient is that of dot * 0.1^4. ValueError for other names or unequal
    shapes.
    """
    if activations.shape != targets.shape or targets.ndim != 2:
        shapes = f"{tuple(activations.shape)} and {tuple(targets.shape)}"
        raise ValueError(f"activations and targets must both be (m, n), not {shapes}: use one row an icon")
    if cosine == "paper":
        dot = (activations * targets).sum(1)
        cos = F.cosine_similarity(activations, targets, dim=1, eps=1e-12)
    elif cosine == "lucid":
        dot = (activations * targets).mean(1)
        cos = dot / (1e-4 + torch.linalg.vector_norm(activations, dim=1))
    else:
        raise ValueError(f'cosine must be "paper" or "lucid", not {cosine!r}')
    return dot * cos.clamp(min=0.1) ** 4


def icons(
    network,
    targets,
    *,
    image_shape,
    canvas: int = 80,
    steps: int = 512,
    lr: float = 0.05,
    pad_value: float = 0.0,
    mean: float = 0.5,
    seed: int = 0,
    cosine: str = "paper",
    transforms: Transforms = ATLAS,
    batch: int = 256,
    offset: int = 0,
    device="cpu",
    autocast_dtype=None,
    progress=None,
):
    """Images that drive a layer towards each target (m, n).

    Returns images (m, C, canvas, canvas) float32 in [0, 1] and scores (m,) float32, the objective of
    centre_view.
    network: images (k, C, H, W) in [0, 1] on `device` -> activations (k, n), each row of its own image
    alone (batch normalisation in evaluation mode); no gradients are left in its parameters. Adam
    maximises `objective` over Fourier coefficients, from images of brightness `mean`. Step t shows all
    icons in the same pose and icon i starts from its own seed, so an icon does not depend on its batch.
    offset: number of the first target among all that are drawn in several calls.
    progress() is called after every step of every batch of icons. Results are on the CPU; on CUDA their
    bytes may differ from run to run (grid_sample's gradient adds in any order). autocast_dtype:
    torch.bfloat16, or None for float32; only the network runs in it. ValueError for NaN or badly shaped
    targets, image shapes other than 1 or 3 square channels, too small a canvas.
    """
    targets = torch.as_tensor(targets, dtype=torch.float32).detach()
    _check(targets, image_shape, canvas, steps, batch, transforms)
    channels, size, _ = image_shape
    generator = torch.Generator().manual_seed(seed)
    poses = [draw_pose(generator, transforms) for _ in range(steps)]

    def score(spectrum, wanted, pose=None):
        images = paint(spectrum, mean)
        if pose is None:
            view = centre_view(images, size, pad_value, transforms)
        else:
            view = transformed(images, pose, size, pad_value, transforms)
        with torch.autocast(torch.device(device).type, autocast_dtype, enabled=autocast_dtype is not None):
            activations = network(view)
        return objective(activations.float(), wanted, cosine)

    images, scores = [], []
    for first in range(0, len(targets), batch):
        wanted = targets[first : first + batch].to(device)
        spectrum = spectra(range(offset + first, offset + first + len(wanted)), channels, canvas, seed).to(
            device
        )
        _ascend(spectrum, partial(score, wanted=wanted), poses, lr, progress)
        with torch.no_grad():
            images.append(paint(spectrum, mean).cpu())
            scores.append(score(spectrum, wanted).cpu())
    return torch.cat(images), torch.cat(scores)


def _ascend(spectrum, score, poses, lr, progress):
    """Adam on a batch of spectra, in place: one step a pose towards a larger sum of score(spectrum, pose)."""
    spectrum.requires_grad_()
    # While cos < 0.1 gradients are as small as the default eps of 1e-8; with it the target's scale would set
    # the pace.
    adam = torch.optim.Adam([spectrum], lr=lr, eps=1e-16, maximize=True, fused=True)
    with torch.enable_grad():
        for pose in poses:
            (spectrum.grad,) = torch.autograd.grad(score(spectrum, pose=pose).sum(), spectrum)
            adam.step()
            if progress is not None:
                progress()


def _check(targets, image_shape, canvas, steps, batch, transforms):
    if targets.ndim != 2 or not targets.numel() or not targets.isfinite().all():
        raise ValueError("targets must be (m, n), not empty and free of NaN and infinite values")
    square = len(image_shape) == 3 and image_shape[1] == image_shape[2] and image_shape[1] >= 1
    if not square or image_shape[0] not in (1, 3):
        raise ValueError(f"image_shape must be (1 or 3, size, size), not {tuple(image_shape)}")
    if steps < 0 or batch < 1:
        raise ValueError("icons needs steps >= 0 and batch >= 1")
    if min(transforms.scales) * transforms.window(canvas)[0] - transforms.last_jitter < 2:
        raise ValueError(
            f"a canvas of {canvas} pixels is too small for the crops and scales: use a larger one (80)"
        )
