"""First principal components of a deep and of a wide network: Nguyen et al. 2021, fig. 3 and D.7.

Expect: with a block (fig. 3), first PCs that are alike where CKA is high (top), hold most of the variance
there (bottom left) and take the block with them (bottom right). Without a block (D.7), small shares of the
variance, first PCs that are alike elsewhere than CKA says, and hardly a change when they go.
"""

from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Annotated

import numpy as np

from pipeline.bounds import FILLED
from pipeline.figure import network, present, small_print, studies, titled, variants
from pipeline.options import Pane
from wide import plot

SIDE, APART = 1.0, 0.15  # inches: of a panel, between groups
ROOM = {"left": 0.45, "right": 0.6, "top": 0.65, "bottom": 0.55, "across": 0.15, "down": 0.5}
TITLES = (
    "squared cosine\nof first PCs",
    "CKA",
    "variance fraction\nof the first PC",
    "CKA without\nthe first PC",
)


@dataclass(frozen=True)
class Options:
    """groups: a network each. layers: a pattern of the layers' names."""

    groups: Annotated[list[Pane], FILLED]
    layers: str = "*"


def draw(entry, scale, load):
    groups = entry["groups"]
    cka, pca = (present(load, measure, studies(groups)) for measure in ("cka", "pca"))
    figure, axes = plot.page(([SIDE, SIDE, APART] * len(groups))[:-1], [SIDE] * 2, **ROOM)
    for box in axes[:, 2::3].flat:
        box.remove()
    for number, group in enumerate(groups):
        boxes = axes[:, 3 * number : 3 * number + 2]
        title = four(boxes.flat, group, cka[number], pca[number], entry.get("layers", "*"), scale)
        boxes[0, 0].text(0, 1.36, title, fontsize=8, transform=boxes[0, 0].transAxes)
        name(boxes, "ReLU layer" if "layers" in entry else "layer")
    plot.colour_bar(figure, axes[0, -1], "CKA, cos²")
    told = "above: test accuracy, share of the layers in the block (shaded)"
    plot.corner(figure, f"{told}; variant {variants(groups)}; scale {scale}")
    return figure


def name(boxes, layer):
    """Titles and axes of a group's panels."""
    for box, title in zip(boxes.flat, TITLES, strict=True):
        box.set_title(title, fontsize=7, pad=3)
    for box, label in zip(boxes[:, 0], (layer, "fraction"), strict=True):
        box.set_ylabel(label, fontsize=7)
    for box in boxes[1]:
        box.set_xlabel(layer, fontsize=7)


def four(boxes, group, cka, pca, layers, scale):
    """Draw the panels of one network, of the layers whose names match a pattern; returns its title."""
    size, seed = network(pca, group["size"])
    title = titled(group["title"], pca, size)
    ran = cka.has("cka", size, seed)
    shown = np.array([fnmatch(layer, layers) for layer in cka.get("layers", size)]) if ran else []
    cosines, similar, fractions, without = boxes
    for box, found, matrix in ((cosines, pca, "cosine2"), (similar, cka, "cka"), (without, cka, "removed")):
        if ran and found.has(matrix, size, seed):
            plot.heatmap(box, found.get(matrix, size, seed)[np.ix_(shown, shown)])
        else:
            plot.not_run(box, scale, small=True)
        box.tick_params(labelleft=box is cosines)
    if not ran:
        plot.not_run(fractions, scale, small=True)
        return title
    fraction(fractions, pca.get("fraction", size, seed), cka.get("block", size, seed), shown)
    fractions.sharex(cosines)
    return f"{title}: {small_print(cka, size, seed)}"


def fraction(box, fraction, block, shown):
    """The first component's share of the variance by layer shown, the block's layers shaded."""
    start, stop = np.cumsum(np.r_[0, shown])[block[1:].astype(int)]
    box.fill_between(np.arange(shown.sum()), fraction[shown], step="mid", color=plot.PALETTE[0], linewidth=0)
    if stop > start:
        box.axvspan(start - 0.5, stop - 0.5, color="0.88", zorder=0, linewidth=0)
    box.set(ylim=(0, 1))
    box.tick_params(**plot.SMALL)
