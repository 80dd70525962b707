"""How often ReLU units are non-zero over a data set: Nguyen, Raghu & Kornblith 2021, figure D.8."""

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Usage:
    """Usage of the units of R layers.

    A unit is one position of one channel, a column of the flattened activation.
    histogram: (R, bins) float64, share of the units whose share of images at which they are non-zero is
    in a bin; bins are equal parts of [0, 1], without their upper end but for the last, and rows sum to 1.
    nonzero: (R,) float64, mean share of units that are non-zero at an image.
    between: (R,) float64, share of units that are non-zero at some images, but not at all.
    """

    histogram: np.ndarray
    nonzero: np.ndarray
    between: np.ndarray


def relu_usage(network, images, units, *, batch: int = 256, bins: int = 20) -> Usage:
    """Usage of the units of R layers over all images, a short last minibatch too.

    network: a callable `network(images, tap)` in evaluation mode that calls `tap(name, activation)` at
    every layer and goes on with what it returns, the same activation. Activations are (batch, ...) and
    are let go at once.
    images: (N, ...) tensor. units: names of the R layers, as a network's `units` lists them; results are
    in their order. Memory holds an int64 a unit.
    Raises ValueError for no image, no layer, options below 1, a name in units that is not tapped or
    tapped twice, and an activation that is not finite, not of batch examples or changes its shape.
    """
    n = len(images)
    if not n or not len(units) or min(batch, bins) < 1:
        raise ValueError(
            f"{n} images, {len(units)} layers, batch {batch}, {bins} bins: give at least one of each"
        )
    totals = {}
    with torch.no_grad():
        for minibatch in images.split(batch):
            for name, count in _counts(network, minibatch, units).items():
                totals[name] = totals.get(name, 0) + _same_shape(name, count, totals)
    return usage_of([totals[name] for name in units], n, bins)


def used(name, activation):
    """At how many of its examples each unit of an activation is non-zero: int64 of the shape of one example.

    ValueError for an activation that is not finite.
    """
    if (activation * 0).sum() != 0:  # NaN or infinite; NaN would count as used
        raise ValueError(f"layer '{name}' has NaN or infinite activations: usage is not defined")
    # Sums of floats are whole numbers here, and five times as fast as count_nonzero.
    return (activation != 0).float().sum(0).long()


def usage_of(counts, n, bins: int = 20) -> Usage:
    """Usage from what `used` says of each layer, summed over n images."""
    counts = [count.cpu().numpy().ravel() for count in counts]
    return Usage(
        histogram=np.array([_histogram(count, n, bins) for count in counts]),
        nonzero=np.array([count.mean() / n for count in counts]),
        between=np.array([np.mean((count > 0) & (count < n)) for count in counts]),
    )


def _histogram(count, n, bins):
    """Shares of units by their share of n images, (bins,).

    Whole numbers decide the bin: a share such as 0.15 is no float, and must not fall below its own edge.
    """
    of_unit = np.minimum(count * bins // n, bins - 1)
    return np.bincount(of_unit, minlength=bins) / count.size


def _counts(network, images, units):
    """{name: at how many of the images each unit is non-zero}, int64 of the shape of one activation."""
    found = {}

    def tap(name, activation):
        if name not in units:
            return activation
        if name in found or len(activation) != len(images):
            raise ValueError(
                f"layer '{name}' is tapped twice in a pass, or has {len(activation)} rows for "
                f"{len(images)} images: give each layer a name, and examples first"
            )
        found[name] = used(name, activation)
        return activation

    network(images, tap)
    missing = [name for name in units if name not in found]
    if missing:
        raise ValueError(f"layer '{missing[0]}' is not one that the network taps")
    return found


def _same_shape(name, count, before):
    if name in before and before[name].shape != count.shape:
        raise ValueError(f"layer '{name}' changes its shape: it must be the same in each forward pass")
    return count
