"""How often ReLU units are non-zero over a data set: Nguyen, Raghu & Kornblith 2021, figure D.8."""
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Usage:
    """Usage of the units of R layers; a unit is one position of one channel, a column of the flattened activation.

    histogram: (R, bins) float64, share of the units whose share of images at which they are non-zero is in a bin; bins
    are equal parts of [0, 1], without their upper end but for the last, and rows sum to 1.
    nonzero: (R,) float64, mean share of units that are non-zero at an image.
    between: (R,) float64, share of units that are non-zero at some images, but not at all.
    """
    histogram: np.ndarray
    nonzero: np.ndarray
    between: np.ndarray


def relu_usage(network, images, layers, *, batch=256, bins=20) -> Usage:
    """Usage of the units of `layers`, names of R layers, in their order, over all images, a short last minibatch too.

    network: a callable `network(images, tap)` in evaluation mode that calls `tap(name, activation)` at every layer;
    activations are (batch, ...) and are let go at once. images: (N, ...) tensor. Memory holds an int64 a unit.
    Raises ValueError for no image, no layer, options below 1, a name in layers that is not tapped or tapped twice, and
    an activation that is not finite, not of batch examples or changes its shape.
    """
    if not len(images) or not len(layers) or min(batch, bins) < 1:
        raise ValueError(f"{len(images)} images, {len(layers)} layers, batch {batch}, {bins} bins: "
                         "give at least one of each")
    counts = {}
    with torch.no_grad():
        for minibatch in images.split(batch):
            for name, count in _counts(network, minibatch, layers).items():
                counts[name] = counts.get(name, 0) + _same_shape(name, count, counts)
    counts = [counts[name].cpu().numpy().ravel() for name in layers]
    n = len(images)
    # Whole numbers decide the bin: a share such as 0.15 is no float, and must not fall below its own edge.
    histogram = [np.bincount(np.minimum(count * bins // n, bins - 1), minlength=bins) / count.size for count in counts]
    between = [np.mean((count > 0) & (count < n)) for count in counts]
    return Usage(np.array(histogram), np.array([count.mean() / n for count in counts]), np.array(between))


def _counts(network, images, layers):
    """{name: at how many of the images each unit of the layer is non-zero}, int64 of the shape of one activation."""
    found = {}

    def tap(name, activation):
        if name not in layers:
            return
        if name in found or len(activation) != len(images):
            raise ValueError(f"layer '{name}' is tapped twice in a pass, or has {len(activation)} rows for "
                             f"{len(images)} images: give each layer a name, and examples first")
        if (activation * 0).sum() != 0:  # NaN or infinite; NaN would count as used
            raise ValueError(f"layer '{name}' has NaN or infinite activations: usage is not defined")
        found[name] = (activation != 0).float().sum(0).long()  # whole numbers; five times as fast as count_nonzero
    network(images, tap)
    missing = [name for name in layers if name not in found]
    if missing:
        raise ValueError(f"layer '{missing[0]}' is not one that the network taps")
    return found


def _same_shape(name, count, before):
    if name in before and before[name].shape != count.shape:
        raise ValueError(f"layer '{name}' changes its shape: it must be the same in each forward pass")
    return count
