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
from pipeline.figure import left_out, nothing, numbered, present, resnet
from pipeline.panels import close, stages
from wide import plot

GAP, SECOND = 0.25, 0.14  # inches: between groups, of a second line in labels
SMALL = {"fontsize": plot.LEAST_TYPE, "color": plot.GREY, **plot.OFFSET}
ROOM = {"left": 0.45, "right": 0.55, "top": 0.42, "across": 0.06, "down": 0.06}


@dataclass(frozen=True)
class Group:
    """title: where its networks differ in more than the seed."""

    group: Annotated[str, Named("groups")]
    title: str


@dataclass(frozen=True)
class Options:
    """networks: of a group, rows and columns. side: of a heatmap at most. triangle: the lower one alone."""

    groups: Annotated[list[Group], FILLED]
    networks: Count
    side: Positive
    triangle: bool = False


def draw(entry, scale, load):
    groups, networks = entry["groups"], entry["networks"]
    found = present(load, "cka", [("across", group["group"]) for group in groups])
    shown = [chosen(one, networks) for one in found]
    kinds = [[kind(one, number) for number in numbers] for one, numbers in zip(found, shown, strict=True)]
    missing = [told for group, names in zip(groups, kinds) for told in unrun(group["title"], names, networks)]
    ran = [number for number, names in enumerate(kinds) if names]
    if not ran:
        return plot.note(nothing(missing, scale))
    most = max(map(len, kinds))
    lines = any(len(set(names)) > 1 for names in kinds)  # labels of two, where networks differ in shape
    figure, axes = page(len(ran), most, entry["side"], SECOND * lines)
    for place, number in enumerate(ran):
        boxes = axes[:, place * (most + 1) :][:, :most]
        pairs(boxes, found[number], shown[number], entry.get("triangle", False))
        name(boxes, found[number], shown[number], kinds[number], groups[number]["title"])
    plot.colour_bar(figure, axes[0, -1], "CKA")
    told = "Axes: layers of the networks named beside them. Above: how many of each one's are its block."
    close(figure, told, f"Scale {scale}.", left_out(missing, scale))
    return figure


def chosen(found, most):
    """Numbers of the networks shown, so many at most: the first of each shape, then further seeds."""
    shapes = numbered(found)
    again = [(shapes[:number].count(shape), number) for number, shape in enumerate(shapes)]
    return sorted(number for _, number in sorted(again)[:most])


def kind(found, number):
    """A network's name, with its channels where they are known."""
    name = resnet(*numbered(found)[number])
    channels = f", {int(found.get('channels', number))} ch)" if found.has("channels", number) else ")"
    return name.removesuffix(")") + channels


def unrun(title, names, networks):
    """What did not run of a group."""
    if not names:
        return [title]
    title = names[0] if len(set(names)) == 1 else title
    return [f"{title}: {networks - len(names)} of {networks} networks"] if len(names) < networks else []


def page(groups, networks, side, more):
    """A square of heatmaps a group. more: inches for labels."""
    gap, room = GAP + more, ROOM | {"bottom": 0.38 + more}
    gaps = (groups - 1) * (gap + room["across"])
    sides = [plot.fitting(groups * networks, side, more=gaps, **room)] * networks
    figure, axes = plot.page(([*sides, gap] * groups)[:-1], sides, **room)
    for box in axes[:, networks :: networks + 1].flat:
        box.remove()
    return figure, axes


def pairs(boxes, found, numbers, triangle):
    """The grid of one group: within a network on the diagonal, the lower half is the upper one transposed."""
    for (row, column), box in np.ndenumerate(boxes):
        if max(row, column) >= len(numbers) or triangle and column > row:
            box.set_axis_off()
            continue
        up, across = numbers[row], numbers[column]
        matrix = found.get("cka", *sorted((up, across)))
        plot.heatmap(box, matrix if up <= across else matrix.T, stages(found, up), stages(found, across))
        box.tick_params(labelleft=column == 0, labelbottom=row == len(numbers) - 1)
        plot.outline(box, *[plot.seen(found.get("block", number)) for number in (across, up)])


def name(boxes, found, numbers, kinds, title):
    """Networks at the axes: by seed, and by name in the title, where they differ in nothing else."""
    labels = [kind.replace(" (", "\n(") for kind in kinds]
    if len(set(kinds)) == 1:
        title = kinds[0]
        labels = [f"seed {int(found.get('seed', number))}" for number in numbers]
    for place, label in enumerate(labels):
        boxes[place, 0].set_ylabel(label, fontsize=plot.TITLE, labelpad=2)
        boxes[len(labels) - 1, place].set_xlabel(label, fontsize=plot.TITLE, labelpad=2)
    blocks = ", ".join(f"{100 * found.get('block', number)[0]:.0f}" for number in numbers)
    boxes[0, 0].annotate(title, (0, 1), (0, 11), fontsize=plot.TITLE, **plot.OFFSET)
    boxes[0, 0].annotate(f"block {blocks} %", (0, 1), (0, 3), **SMALL)
