"""How often units of each ReLU layer are non-zero, in and outside the block: Nguyen et al. 2021, fig. D.8.

Expect: columns of about the same colours over the line, where the block lies, as beside it; in both, much
that is neither 0 % (dead) nor 100 % (linear).
"""

from dataclasses import dataclass
from typing import Annotated

import matplotlib
import numpy as np

from pipeline.bounds import FILLED
from pipeline.figure import network, small_print, titled
from pipeline.options import Size, Study, Title, Variant
from wide import plot

SIDE, HEIGHT = 0.9, 1.3  # inches of a pane
PERCENT, COLOURS = matplotlib.colors.Normalize(0, 100), matplotlib.colormaps["viridis"]
FINE = 400  # pixels of a column


@dataclass(frozen=True)
class Options:
    """title_of: of a panel, one a size."""

    study: Study
    variant: Variant
    sizes: Annotated[list[Size], FILLED]
    title_of: Title


def draw(entry, scale, load):
    sizes, variant = entry["sizes"], entry["variant"]
    sparsity, cka = (load(entry["study"], measure, variant) for measure in ("sparsity", "cka"))
    room = {"left": 0.55, "right": 0.65, "top": 0.38, "bottom": 0.55, "across": 0.13}
    figure, axes = plot.page([SIDE] * len(sizes), [HEIGHT], **room)
    for box, size in zip(axes[0], sizes, strict=True):
        paint(box, size, entry["title_of"], sparsity, cka, scale)
        box.set_xlabel("ReLU layer", fontsize=7, labelpad=3)
        box.tick_params(labelleft=box is axes[0, 0])
    axes[0, 0].set_ylabel("% of units", fontsize=7)
    plot.colour_bar(figure, axes[0, -1], "non-zero on % of images", PERCENT, COLOURS)
    told = "line below: the block's layers; small print: test accuracy, share of the layers in it"
    plot.corner(figure, f"{told}; variant {variant}; scale {scale}")
    return figure


def paint(box, size, template, sparsity, cka, scale):
    size, seed = network(sparsity, size)
    title = titled(template, sparsity, size)
    if seed is None:
        plot.not_run(box, scale, small=True)
        return plot.heading(box, title)
    relus = sparsity.get("relus", size)
    image = stacked(sparsity.get("histogram", size, seed))
    style = {
        "origin": "lower",
        "aspect": "auto",
        "interpolation": "nearest",
        "norm": PERCENT,
        "cmap": COLOURS,
    }
    box.imshow(image, extent=(0.5, len(relus) + 0.5, 0, 100), **style)
    box.tick_params(**plot.SMALL | {"pad": 4})
    box.spines[:].set_visible(False)
    if not cka.has("block", size, seed):
        return plot.heading(box, title)
    plot.heading(box, title, small_print(cka, size, seed))
    underline(box, relus, cka.get("block", size, seed))


def underline(box, relus, block):
    """A line below the ReLU layers that lie in the block. relus: their places among all layers."""
    _, start, stop = block
    inside = np.flatnonzero((relus >= start) & (relus < stop)) + 1
    if len(inside):
        style = {"color": plot.PALETTE[3], "linewidth": 2.5, "clip_on": False, "solid_capstyle": "butt"}
        place = box.get_xaxis_transform()
        box.plot([inside[0] - 0.5, inside[-1] + 0.5], [-0.02] * 2, transform=place, **style)


def stacked(histogram):
    """Shares (layers, bins) as an image (FINE, layers): so much of each column as a bin has, from the bottom.

    Values are the middles of the bins in percent.
    """
    bins = histogram.shape[1]
    heights = (np.arange(FINE) + 0.5) / FINE * histogram.sum(1, keepdims=True)
    place = (heights[:, :, None] >= np.cumsum(histogram, axis=1)[:, None]).sum(-1)
    return (np.minimum(place, bins - 1).T + 0.5) * 100 / bins
