"""CKA between networks of one or two architectures, in groups: Nguyen et al. 2021, fig. 6 and E.1.

Expect: between seeds of a small network the same picture as within one (fig. 6, left); between seeds of
networks with a block, and between a network with a block and one without, dark stripes where the blocks lie
(fig. 6, middle and right; E.1, right). Without blocks, bright along the diagonal of equal relative depth
(E.1, left).
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from pipeline.bounds import FILLED, Count, Named, Positive
from pipeline.figure import numbered, present, resnet
from wide import plot

GAP = 0.4  # inches between groups
ROOM = {"left": 0.55, "right": 0.6, "top": 0.5, "bottom": 0.55, "across": 0.07, "down": 0.07}


@dataclass(frozen=True)
class Group:
    """title: where its networks differ in more than the seed."""

    group: Annotated[str, Named("groups")]
    title: str


@dataclass(frozen=True)
class Options:
    """networks: of a group, rows and columns. side: of a heatmap, in inches. triangle: the lower alone."""

    groups: Annotated[list[Group], FILLED]
    networks: Count
    side: Positive
    triangle: bool = False


def draw(entry, scale, load):
    groups, networks = entry["groups"], entry["networks"]
    found = present(load, "cka", [("across", group["group"]) for group in groups])
    sides = [entry["side"]] * networks
    figure, axes = plot.page(([*sides, GAP] * len(groups))[:-1], sides, **ROOM)
    for box in axes[:, networks :: networks + 1].flat:
        box.remove()
    for number, group in enumerate(groups):
        first = number * (networks + 1)
        boxes = axes[:, first : first + networks]
        pairs(boxes, found[number], scale, entry.get("triangle", False))
        name(boxes, found[number], group["title"])
    plot.colour_bar(figure, axes[0, -1], "CKA")
    plot.corner(figure, f"axes: layers of the networks named at the left and below; scale {scale}")
    return figure


def pairs(boxes, found, scale, triangle):
    """The grid of one group: within a network on the diagonal, the lower half is the upper one transposed."""
    networks = len(numbered(found))
    for (row, column), box in np.ndenumerate(boxes):
        low, high = sorted((row, column))
        if triangle and column > row:
            box.remove()
        elif high < networks:
            matrix = found.get("cka", low, high)
            plot.heatmap(box, matrix if row == low else matrix.T, ticks=3)
            box.tick_params(labelleft=column == 0, labelbottom=row == len(boxes) - 1)
        else:
            plot.not_run(box, scale, small=True)


def name(boxes, found, title):
    """Networks at the axes: by seed, and by name in the title, where they differ in nothing else."""
    kinds = [resnet(*network) for network in numbered(found)]
    labels = kinds
    if len(set(kinds)) == 1:
        title = kinds[0]
        labels = [f"seed {int(found.get('seed', number))}" for number in range(len(kinds))]
    labels = [*labels, *[""] * len(boxes)]
    for row, box in enumerate(boxes[:, 0]):
        box.set_ylabel(labels[row], fontsize=7)
    for column, box in enumerate(boxes[-1]):
        box.set_xlabel(labels[column], fontsize=7)
    blocks = ", ".join(f"{100 * found.get('block', number)[0]:.0f}" for number in range(len(kinds)))
    above(boxes[0, 0], title, 13, size=8)
    above(boxes[0, 0], f"block {blocks} % of the layers" if kinds else "", 4, size=5.5, color=plot.GREY)


def above(box, text, points, **style):
    """A line over a group, so many points above its first panel."""
    box.annotate(text, (0, 1), (0, points), xycoords="axes fraction", textcoords="offset points", **style)
