"""Images on which a wide and a deep network of equal accuracy differ most: Nguyen et al. 2021, fig. F.1.

Expect: equal mean accuracies (p > 0.05); left, two architectures, further from the diagonal than middle and
right, two halves of one; below, gaps that persist (over 20 points; the paper's: up to 70) in networks that
had no part in choosing.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.figure import cloud, dispersion, numbered, resnet
from pipeline.options import Study
from wide import plot

COLOURS = plot.class_colours(2)
IMAGE, LEFT, DOWN, ACROSS = (
    0.58,
    0.98,
    0.42,
    0.06,
)  # inches: an image, their left margin, above a row, between images
BELOW = 2 * (IMAGE + DOWN) + 0.75  # inches of both rows of images


@dataclass(frozen=True)
class Options:
    """study: whose groups of networks."""

    study: Study


def draw(entry, scale, load):
    found = load(entry["study"], "agreement", "groups")
    figure, axes = plot.page([1.5] * 3, [1.5], bottom=BELOW, top=0.3, across=0.55)
    for box, groups in zip(axes[0], ((0, 1), (0, 0), (1, 1)), strict=True):
        cloud(box, found, *groups)
        box.set_title(dispersion(found, *groups), fontsize=7)
    names = [resnet(*group) for group in numbered(found)]
    images = found.get("images", "shown")
    for number, image in enumerate(images):
        row, column = divmod(number, len(images) // 2)
        box = figure.add_axes(place(row, column) / np.tile(figure.get_size_inches(), 2))
        box.imshow(image.transpose(1, 2, 0), interpolation="bicubic")
        plot.frame(box)
        accuracies = [found.get(half, "shown")[number] for half in ("first", "second")]
        label(box, accuracies, names, row, first=column == 0)
    plot.corner(figure, small_print(found, scale))
    return figure


def place(row, column):
    """Left, bottom, width and height of an image in inches."""
    left = LEFT + column * (IMAGE + ACROSS)
    bottom = BELOW - 0.5 - (row + 1) * (IMAGE + DOWN) + 0.05
    return np.array([left, bottom, IMAGE, IMAGE])


def label(box, accuracies, names, row, first):
    """Both networks' accuracies above an image; a row's first names them, and for whom the row is easier."""
    side = {"ha": "right", "transform": box.transAxes}
    if first:
        box.text(-0.12, 0.5, f"easier for\n{names[row]}", fontsize=7, va="center", **side)
    for group, accuracy in enumerate(accuracies):
        height = 1.26 - 0.22 * group
        style = {"color": COLOURS[group], "fontsize": 6.5, "va": "bottom"}
        box.text(0.5, height, f"{100 * accuracy:.0f} %", ha="center", transform=box.transAxes, **style)
        if first:
            box.text(-0.12, height, names[group], **side, **style)


def small_print(found, scale):
    groups = (0, 1)
    means = " and ".join(f"{100 * found.get('accuracy', group).mean():.2f}" for group in groups)
    networks = " and ".join(str(int(found.get("networks", group))) for group in groups)
    images, p = len(found.get("labels")), float(found.get("p_mean"))
    return (
        f"mean accuracies {means} %, p = {p:.2g}; {images:,} images, n = {networks} networks; scale {scale}"
    )
