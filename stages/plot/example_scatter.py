"""Accuracy on single images and on classes, a wide against a deep network: Nguyen et al. 2021, fig. 7.

Expect: a and b equal in mean, but a further from the diagonal than b, two halves of one architecture, by
more than the standard errors; c: blue differences between wide and deep spread beyond the orange ones of
two halves (419 of 1000 classes have p < 0.05).
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from pipeline.figure import cloud, dispersion, numbered, plain_resnet, present
from pipeline.options import Study, of_length
from wide import plot

BLUE, ORANGE = plot.class_colours(2)
NAMED = {0: 0.04, 1: 0.12, 2: 0.2, -1: 0.96, -2: 0.88, -3: 0.8}  # rank of a class by gain: height of its name
ARROW = {"arrowstyle": "-", "relpos": (1, 0.5), "color": plot.FAINT, "linewidth": 0.5}


@dataclass(frozen=True)
class Options:
    """study, classes: whose groups of networks are compared image by image and class by class."""

    study: Study
    classes: Study
    titles: Annotated[list[str], of_length(3)]


def draw(entry, scale, load):
    pair, imagenet = present(load, "agreement", [(entry[name], "groups") for name in ("study", "classes")])
    figure, axes = plot.page([1.5, 1.5, 1.95], [1.5], top=0.48, bottom=0.7, across=0.55)
    parts = [(images, pair, 1), (images, pair, 0), (classes, imagenet)]
    for box, title, (paint, found, *other) in zip(axes[0], entry["titles"], parts, strict=True):
        paint(box, found, *other) if found.arrays else plot.not_run(box, scale)
        box.set_title(title, loc="left", fontsize=7, pad=18)
    plot.corner(figure, small_print(pair, scale))
    return figure


def small_print(pair, scale):
    told = "dispersion: RMS distance from the diagonal in points ± bootstrap SE; "
    told += "differ: p < 0.05, Welch's t-test"
    if not pair.arrays:
        return f"{told}\nscale {scale}"
    shown, networks = len(pair.get("labels")), int(pair.get("networks", 0))
    return f"{told}\na, b: {shown:,} images, halves of n = {networks} networks; scale {scale}"


def images(box, found, other):
    """The first half of the first group's networks across, the second half of the other's up."""
    cloud(box, found, 0, other)
    first, second = (100 * found.get(*half).mean() for half in (("first", 0), ("second", other)))
    line(box, 0, f"{dispersion(found, 0, other)}\nmeans {first:.2f} and {second:.2f} %", plot.GREY)


def classes(box, found):
    """Difference against accuracy, a point a class: wide and deep in blue, halves of the deep in orange."""
    _, deep, wide = (plain_resnet(*group) for group in numbered(found))
    points(box, found, ("deep", "wide", "p"), BLUE, 1, f"{wide} − {deep}")
    points(box, found, ("control_a", "control_b", "p_control"), ORANGE, 0, f"two halves of {deep}")
    box.axhline(0, color=plot.GREY, linewidth=0.5, linestyle=":")
    named = found.has("name", "class")
    reach = max(map(abs, box.get_ylim())) * (1.5 if named else 1)
    box.set(xlabel=f"{deep} (%)", ylabel="difference (points)", ylim=(-reach, reach))
    if named:
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
        style = {"fontsize": 5, "va": "center", "arrowprops": ARROW}
        box.annotate(str(names[order[rank]]), point, (0.02, height), "data", "axes fraction", **style)


def line(box, number, text, colour):
    box.text(0, 1.02 + 0.075 * number, text, color=colour, fontsize=5.5, transform=box.transAxes)
