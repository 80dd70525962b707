"""Accuracy on single images and on classes, a wide against a deep network: Nguyen et al. 2021, fig. 7.

Expect: a and b equal in mean, but a further from the diagonal than b, two halves of one architecture, by
more than the standard errors; c: blue differences between wide and deep spread beyond the orange ones of
two halves (419 of 1000 classes have p < 0.05). With few networks a and b are dispersions alone.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np

from pipeline.clouds import BLUE, ORANGE, accuracy, cloud, counted, dispersion, dots, few, of_a_pair
from pipeline.figure import left_out, nothing, numbered, plain_resnet, present
from pipeline.options import Study, of_length
from wide import plot

NAMED = {0: 0.04, 1: 0.12, 2: 0.2, -1: 0.96, -2: 0.88, -3: 0.8}  # rank of a class by gain: height of its name
ARROW = {"arrowstyle": "-", "relpos": (1, 0.5), "color": plot.FAINT, "linewidth": 0.5}
CLASSES = (
    "c: differences in points, halves of the deep networks; classes differ where p < 0.05 (Welch's t-test)."
)
FEWER = "a, b  single images"  # title of the dots in the place of two clouds


@dataclass(frozen=True)
class Options:
    """study, classes: whose groups of networks are compared image by image and class by class."""

    study: Study
    classes: Study
    titles: Annotated[list[str], of_length(3)]


def draw(entry, scale, load):
    pair, imagenet = present(load, "agreement", [(entry[name], "groups") for name in ("study", "classes")])
    first, second, third = entry["titles"]
    dotted = pair.has("networks", 0) and few(pair, (0, 1))
    clouds = [(first, 1.15, pair, partial(images, other=1)), (second, 1.15, pair, partial(images, other=0))]
    alone = dotted and not imagenet.has("networks", 0)
    parts = [(FEWER, 3.2 if alone else 1.3, pair, rows)] if dotted else clouds
    parts = [part for part in [*parts, (third, 1.4, imagenet, classes)] if part[2].has("networks", 0)]
    missing = [title for title, found in ((first, pair), (third, imagenet)) if not found.has("networks", 0)]
    if not parts:
        return plot.note(nothing(missing, scale))
    room = {"left": 1.3, "across": 1.0, "right": 0.6 if alone else 0.1}  # numbers stand right of the dots
    room = room if dotted else {"left": 0.5, "across": 0.55}
    figure, axes = plot.page([width for _, width, *_ in parts], [1.5], top=0.48, bottom=0.42, **room)
    for box, (title, _, found, paint) in zip(axes[0], parts, strict=True):
        paint(box, found)
        box.set_title(title, loc="left", fontsize=7, pad=18)
    plot.footer(figure, f"{small_print(pair, dotted)} Scale {scale}. {left_out(missing, scale)}")
    return figure


def small_print(pair, dotted):
    error = "with 95 % bootstrap intervals over images" if dotted else "± bootstrap standard error"
    told = [f"Dispersion: root mean square distance from equal accuracy, in points, {error}."]
    if pair.has("networks", 0):
        told.append(f"a, b: {len(pair.get('labels')):,} images, halves of {counted(pair, (0, 1))} networks.")
    return " ".join([*told, CLASSES])


def rows(box, found):
    """Dispersions of the pair and of its controls, where networks are few."""
    dots(box, found, of_a_pair(found))
    names = [plain_resnet(*group) for group in numbered(found)]
    means = [f"mean accuracy of {name}: {accuracy(found, group)}" for group, name in enumerate(names)]
    line(box, 0, "\n".join(means), plot.GREY)


def images(box, found, other):
    """The first half of the first group's networks across, the second half of the other's up."""
    cloud(box, found, 0, other)
    first, second = (100 * found.get(*half).mean() for half in (("first", 0), ("second", other)))
    line(box, 0, f"{dispersion(found, 0, other)}\nmeans {first:.2f} and {second:.2f} %", plot.GREY)


def classes(box, found):
    """Difference against accuracy, a point a class: wide and deep in blue, halves of the deep in orange."""
    _, deep, wide = (plain_resnet(*group) for group in numbered(found))
    points(box, found, ("deep", "wide", "p"), BLUE, 1, "wide − deep")
    points(box, found, ("control_a", "control_b", "p_control"), ORANGE, 0, "two halves")
    box.axhline(0, color=plot.GREY, linewidth=0.5, linestyle=":")
    known = found.has("name", "class")
    reach = max(map(abs, box.get_ylim())) * (1.5 if known else 1)
    box.set_xlabel(f"{deep} (%)", fontsize=7)
    box.set_ylabel(f"{wide} − {deep}", fontsize=7)
    box.set_ylim(-reach, reach)
    if known:
        name(box, found)


def points(box, found, keys, colour, place, label):
    """One comparison: its points, and how many classes differ by its test."""
    x, y, p = (found.get(key, "class") for key in keys)
    box.scatter(100 * x, 100 * y - 100 * x, 4, color=colour, alpha=0.6, linewidths=0)
    tested = f"{np.sum(p < 0.05)} of {len(p)} differ" if np.isfinite(p).any() else "no test"  # of one network
    line(box, place, f"{label}: {tested}", colour)


def name(box, found):
    """Name the classes that lose and gain most."""
    deep, wide = (100 * found.get(key, "class") for key in ("deep", "wide"))
    gap, names = wide - deep, found.get("name", "class")
    order = np.argsort(gap)
    for rank, height in NAMED.items():
        point = deep[order[rank]], gap[order[rank]]
        style = {"fontsize": 6, "va": "center", "arrowprops": ARROW}
        box.annotate(str(names[order[rank]]), point, (0.02, height), "data", "axes fraction", **style)


def line(box, number, text, colour):
    box.text(0, 1.02 + 0.08 * number, text, color=colour, fontsize=6, transform=box.transAxes)
