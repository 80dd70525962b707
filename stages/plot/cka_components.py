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
from pipeline.figure import left_out, network, nothing, present, studies, titled
from pipeline.options import Pane
from pipeline.panels import close, floors, small_print, stages, trained_on
from wide import plot

SIDE, APART = 1.0, 0.12  # inches: of a panel at most, between groups
ROOM = {"left": 0.45, "right": 0.55, "top": 0.66, "bottom": 0.38, "across": 0.2, "down": 0.5}
TITLES = (
    "squared cosine\nof first PCs",
    "CKA",
    "variance fraction\nof the first PC",
    "CKA without\nthe first PC",
)


@dataclass(frozen=True)
class Options:
    """groups: a network each. layers: a pattern of the layers' names. data: trained on what, by variant."""

    groups: Annotated[list[Pane], FILLED]
    layers: str = "*"
    data: dict[str, str] = None


def draw(entry, scale, load):
    groups = entry["groups"]
    cka, pca = (present(load, measure, studies(groups)) for measure in ("cka", "pca"))
    known, nets = floors(entry, load), [network(found, group["size"]) for found, group in zip(pca, groups)]
    titles = [
        titled(*of) or "a network" for of in zip([g["title"] for g in groups], pca, [n[0] for n in nets])
    ]
    ran = [number for number, net in enumerate(nets) if cka[number].has("cka", *net)]
    missing = [title for number, title in enumerate(titles) if number not in ran]
    if not ran:
        return plot.note(nothing(missing, scale))
    figure, axes = page(len(ran))
    for place, number in enumerate(ran):
        boxes = axes[:, 3 * place : 3 * place + 2]
        four(boxes.flat, cka[number], pca[number], nets[number], entry.get("layers", "*"))
        small = small_print(cka[number], groups[number], *nets[number], known).replace("\n", ", ")
        name(
            boxes,
            f"{' '.join(titles[number].split())}: {small}",
            "ReLU layer" if "layers" in entry else "layer",
        )
    plot.colour_bar(figure, axes[0, -1], "CKA, cos²")
    told = trained_on(entry.get("data", {}), [groups[number] for number in ran], known, scale)
    close(figure, told, "Above: test accuracy, the block's share of the layers.", left_out(missing, scale))
    return figure


def page(groups):
    """Four panels a group, two below two."""
    side = plot.fitting(2 * groups, SIDE, more=(groups - 1) * (APART + ROOM["across"]), **ROOM)
    figure, axes = plot.page(([side, side, APART] * groups)[:-1], [side] * 2, **ROOM)
    for box in axes[:, 2::3].flat:
        box.remove()
    return figure, axes


def name(boxes, title, layer):
    """Titles and axes of a group's panels."""
    boxes[0, 0].annotate(title, (0, 1), (0, 27), fontsize=plot.TITLE, **plot.OFFSET)
    for box, label in zip(boxes.flat, TITLES, strict=True):
        box.set_title(label, fontsize=plot.TITLE, pad=3)
    for box, label in zip(boxes[:, 0], (layer, "fraction"), strict=True):
        box.set_ylabel(label, fontsize=plot.TITLE, labelpad=2)
    for box in boxes[1]:
        box.set_xlabel(layer, fontsize=plot.TITLE, labelpad=2)


def four(boxes, cka, pca, net, layers):
    """Draw the panels of one network, of the layers whose names match a pattern."""
    size = net[0]
    shown = np.array([fnmatch(layer, layers) for layer in cka.get("layers", size)])
    bounds = stages(cka, size)
    bounds = bounds if bounds is None else bounds[shown]
    cosines, similar, fractions, without = boxes
    place = within(cka.get("block", *net), shown)
    for box, found, matrix in ((cosines, pca, "cosine2"), (similar, cka, "cka"), (without, cka, "removed")):
        if not found.has(matrix, *net):
            box.set_axis_off()
            continue
        plot.heatmap(box, found.get(matrix, *net)[np.ix_(shown, shown)], bounds)
        gone = cka.get("removed_block", *net) if matrix == "removed" else None
        plot.outline(box, *[place if gone is None else within(gone, shown)] * 2)
    fraction(fractions, pca.get("fraction", *net)[shown], bounds, place)


def within(block, shown):
    """Where a block lies among the layers shown, None for none."""
    start, stop = np.cumsum(np.r_[0, shown])[block[1:].astype(int)]
    return plot.seen((block[0], start, stop))


def fraction(box, shares, bounds, place):
    """The first component's share of the variance by layer, the block's layers shaded."""
    box.fill_between(np.arange(len(shares)), shares, step="mid", color=plot.PALETTE[0], linewidth=0)
    plot.shade(box, place)
    plot.layer_axis(box.xaxis, len(shares), bounds)
    box.set(xlim=(-0.5, len(shares) - 0.5), ylim=(0, 1), yticks=[0, 0.5, 1])
    box.tick_params(axis="y", **plot.SMALL)
