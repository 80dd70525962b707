"""Accuracy on single images in groups of networks: a cloud of images, or dispersions as dots where networks
are few.

Accuracies over n networks are multiples of 1 / n. Over the halves of a few networks a cloud is a mosaic that
hides what it is drawn for, how far images lie from the diagonal; the dots say just that.
"""

import numpy as np

from pipeline.cells import Cells
from pipeline.figure import numbered, resnet
from wide import plot

FEW = 10  # networks a group; halves of fewer have at most five places an axis
NORMAL = 1.96  # standard errors to either end of an interval that holds 95 %
BLUE, ORANGE = plot.class_colours(2)  # two architectures; two halves of one, their control
APART = 0.27  # rows of dots: from the dot of a pair to its controls'


def few(found: Cells, groups) -> bool:
    """Whether one of these groups (numbers) has fewer than FEW networks."""
    return min(int(found.get("networks", group)) for group in groups) < FEW


def counted(found: Cells, groups) -> str:
    """How many networks these groups (numbers) have each, for a sentence: "2" or "2 to 4"."""
    return " to ".join(map(str, sorted({int(found.get("networks", group)) for group in groups})))


def accuracy(found: Cells, group: int) -> str:
    """Mean accuracy of a group's networks, in percent."""
    return f"{100 * found.get('accuracy', group).mean():.2f} %"


def cloud(box, found: Cells, across: int, up: int):
    """Images by the accuracy of the first half of one group's networks and of the second half of another's.

    Accuracies over n networks are multiples of 1/n: shaded is how many images share a place.
    """
    n = min(int(found.get("networks", group)) for group in (across, up)) // 2
    accuracies = np.stack([found.get("first", across), found.get("second", up)], axis=1)
    marks = np.rint(n * accuracies)
    shades = plot.class_map((marks + 0.5) / (n + 1), np.zeros(len(marks), int), plot.class_colours(1), n + 1)
    box.imshow(shades, extent=[-50 / n, 100 + 50 / n] * 2)
    box.axline((0, 0), slope=1, color=plot.GREY, linewidth=0.5, linestyle=":")
    names = [resnet(*group) for group in numbered(found)]
    labels = {"xlabel": f"{names[across]} (%)", "ylabel": f"{names[up]}{', others' * (up == across)} (%)"}
    box.set(xticks=[0, 50, 100], yticks=[0, 50, 100], **labels)
    box.tick_params(labelsize=6)
    for axis in (box.xaxis, box.yaxis):
        axis.label.set_size(6.5)


def dispersion(found: Cells, across: int, up: int) -> str:
    """How far images lie from the diagonal of a cloud, root mean square and its standard error, in points."""
    value, error = measured(found, across, up)
    return f"dispersion {value:.2f} ± {error:.2f}"


def measured(found: Cells, across: int, up: int) -> tuple[float, float]:
    """Dispersion of the first half of one group against the second half of another, and its bootstrap
    standard error, in points.
    """
    return tuple(100 * float(found.get(name)[across, up]) for name in ("dispersion", "dispersion_se"))


def dots(box, found: Cells, rows):
    """Dispersions with their 95 % bootstrap intervals, each with its number to the right of the axes.

    rows: [(label, [(across, up), …]), …] from top to bottom; the dots of a row lie one below the other. Two
    architectures are blue, two halves of one orange; the last of several is hollow.
    """
    for row, (_, places) in enumerate(rows):
        for number, (across, up) in enumerate(places):
            value, error = measured(found, across, up)
            y = row + APART * (number - (len(places) - 1) / 2)
            colour = ORANGE if across == up else BLUE
            hollow = {"markerfacecolor": "white"} if 0 < number == len(places) - 1 else {}
            box.errorbar(value, y, xerr=NORMAL * error, fmt="o", color=colour, elinewidth=1, **hollow)
            style = {"color": colour, "fontsize": 6, "va": "center"}
            box.text(1.03, y, f"{value:.2f}", transform=box.get_yaxis_transform(), **style)
    box.set(yticks=range(len(rows)), yticklabels=[label for label, _ in rows], ylim=(len(rows) - 0.5, -0.5))
    box.set_xlabel("dispersion (points)", fontsize=7)
    box.margins(x=0.1)
    box.tick_params(labelsize=6.5)
    box.tick_params(axis="y", length=0)
    box.grid(axis="x")


def of_a_pair(found: Cells) -> list:
    """Rows of `dots` for a result of two groups: one against the other, then the halves of each."""
    names = [resnet(*group) for group in numbered(found)]
    halves = [(f"halves of {names[group]}", [(group, group)]) for group in (0, 1)]
    return [("two architectures", [(0, 1)]), *halves]
