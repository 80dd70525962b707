"""How often units of each ReLU layer are non-zero, in and outside the block: Nguyen et al. 2021, fig. D.8.

Expect: columns of about the same colours over the line, where the block lies, as beside it; in both, much
that is neither 0 % (dead) nor 100 % (linear).
"""

from dataclasses import dataclass
from typing import Annotated

import matplotlib
import numpy as np

from pipeline.bounds import FILLED
from pipeline.figure import left_out, network, nothing, titled
from pipeline.options import Size, Study, Title, Variant
from pipeline.panels import close, floors, small_print, stages, trained_on
from wide import plot

SIDE, HEIGHT = 1.0, 1.3  # inches of a pane, its width at most
ROOM = {"left": 0.5, "right": 0.6, "bottom": 0.36, "across": 0.14}
PERCENT, COLOURS = matplotlib.colors.Normalize(0, 100), matplotlib.colormaps["viridis"]
FINE = 400  # pixels of a column


@dataclass(frozen=True)
class Options:
    """title_of: of a panel, one a size. data: what was trained on, by variant."""

    study: Study
    variant: Variant
    sizes: Annotated[list[Size], FILLED]
    title_of: Title
    data: dict[str, str] = None


def draw(entry, scale, load):
    variant, template = entry["variant"], entry["title_of"]
    sparsity, cka = (load(entry["study"], measure, variant) for measure in ("sparsity", "cka"))
    known, missing = floors(entry, load), []
    nets = [network(sparsity, size) for size in entry["sizes"]]
    shown = [net for net in nets if net[1] is not None]
    missing = [titled(template, sparsity, size) or "the largest" for size, seed in nets if seed is None]
    if not shown:
        return plot.note(nothing(missing, scale))
    small = [small_print(cka, entry, *net, known) if cka.has("block", *net) else "" for net in shown]
    titles = [titled(template, sparsity, size) for size, _ in shown]
    figure, axes = page(titles, small)
    for box, net in zip(axes, shown, strict=True):
        paint(box, sparsity, cka, *net)
    told = "Small print: test accuracy, the block's share of all layers."
    trained = trained_on(entry.get("data", {}), [entry], known, scale)
    close(figure, trained, told, left_out(missing, scale))
    return figure


def page(titles, small):
    """A pane below each title."""
    side = plot.fitting(len(titles), SIDE, **ROOM)
    top = max(map(plot.room_above, titles, small))
    figure, axes = plot.page([side] * len(titles), [HEIGHT], top=top, **ROOM)
    for box, *heading in zip(axes[0], titles, small, strict=True):
        plot.heading(box, *heading)
        box.set_xlabel("ReLU layer", fontsize=plot.TITLE, labelpad=2)
        box.tick_params(labelleft=box is axes[0, 0])
    axes[0, 0].set_ylabel("% of units", fontsize=plot.TITLE)
    plot.colour_bar(figure, axes[0, -1], "non-zero on % of images", PERCENT, COLOURS)
    return figure, axes[0]


def paint(box, sparsity, cka, size, seed):
    """Shares of units by ReLU layer, and the outline of those in the block."""
    relus = sparsity.get("relus", size)
    style = {
        "origin": "lower",
        "aspect": "auto",
        "interpolation": "nearest",
        "norm": PERCENT,
        "cmap": COLOURS,
    }
    extent = (0.5, len(relus) + 0.5, 0, 100)
    box.imshow(stacked(sparsity.get("histogram", size, seed)), extent=extent, **style)
    box.tick_params(**plot.SMALL)
    box.spines[:].set_visible(False)
    bounds = stages(sparsity, size)
    plot.layer_axis(box.xaxis, len(relus), bounds if bounds is None else bounds[relus], first=1)
    if cka.has("block", size, seed):
        share, start, stop = cka.get("block", size, seed)
        plot.outline(box, plot.seen((share, *np.searchsorted(relus, (start, stop))), first=1), None)


def stacked(histogram):
    """Shares (layers, bins) as an image (FINE, layers): so much of each column as a bin has, from the bottom.

    Values are the middles of the bins in percent.
    """
    bins = histogram.shape[1]
    heights = (np.arange(FINE) + 0.5) / FINE * histogram.sum(1, keepdims=True)
    place = (heights[:, :, None] >= np.cumsum(histogram, axis=1)[:, None]).sum(-1)
    return (np.minimum(place, bins - 1).T + 0.5) * 100 / bins
