"""Images on which a wide and a deep network of equal accuracy differ most: Nguyen et al. 2021, fig. F.1.

Expect: equal mean accuracies (p > 0.05); two architectures further from the diagonal than two halves of one
(with few networks: a larger dispersion); below, gaps that persist (over 20 points; the paper's: up to 70) in
networks that had no part in choosing.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.clouds import BLUE, ORANGE, cloud, counted, dispersion, dots, few, of_a_pair
from pipeline.figure import nothing, numbered, resnet
from pipeline.options import Study
from wide import plot

GROUPS = (0, 1)
# Inches: an image (96 pixels, three for each of an image of 32), above a row, between images, left of them.
IMAGE, DOWN, ACROSS, LEFT = 0.48, 0.42, 0.06, 1.0
BELOW = 2 * (IMAGE + DOWN) + 0.5  # inches of both rows of images
DISPERSION = "Dispersion: root mean square distance from equal accuracy, in points"


@dataclass(frozen=True)
class Options:
    """study: whose groups of networks."""

    study: Study


def draw(entry, scale, load):
    found = load(entry["study"], "agreement", "groups")
    if not found.has("images", "shown"):
        return plot.note(nothing(["two groups of networks of equal accuracy"], scale))
    figure = dotted(found) if few(found, GROUPS) else clouds(found)
    names = [resnet(*group) for group in numbered(found)]
    images = found.get("images", "shown")
    for number, image in enumerate(images):
        row, column = divmod(number, len(images) // 2)
        box = figure.add_axes(place(row, column) / np.tile(figure.get_size_inches(), 2))
        box.imshow(image.transpose(1, 2, 0), interpolation="nearest")
        plot.frame(box)
        right = [how_many(found, group, number) for group in GROUPS]
        label(box, right, names, row, first=column == 0)
    error = (
        "with 95 % bootstrap intervals over images" if few(found, GROUPS) else "± bootstrap standard error"
    )
    plot.footer(figure, f"{DISPERSION}, {error}. {small_print(found, scale)}")
    return figure


def clouds(found):
    figure, axes = plot.page([1.3] * 3, [1.3], bottom=BELOW, top=0.3, across=0.48, left=0.5)
    for box, groups in zip(axes[0], ((0, 1), (0, 0), (1, 1)), strict=True):
        cloud(box, found, *groups)
        box.set_title(dispersion(found, *groups), fontsize=7)
    return figure


def dotted(found):
    figure, axes = plot.page([3.2], [0.8], bottom=BELOW, top=0.1, left=1.5, right=0.7)
    dots(axes[0, 0], found, of_a_pair(found))
    return figure


def how_many(found, group, number):
    """Of the second half of a group's networks, those that are right on a shown image: "k of n".

    A single network is right or wrong.
    """
    n = int(found.get("networks", group)) // 2
    right = round(n * found.get(("first", "second")[group], "shown")[number])
    return ("wrong", "right")[right] if n == 1 else f"{right} of {n}"


def place(row, column):
    """Left, bottom, width and height of an image in inches, to the pixel."""
    left = LEFT + column * (IMAGE + ACROSS)
    bottom = 0.08 + (1 - row) * (IMAGE + DOWN)
    return np.round(np.array([left, bottom, IMAGE, IMAGE]) * plot.DPI) / plot.DPI


def label(box, right, names, row, first):
    """How many networks are right, above an image; a row's first names them and what the row shows."""
    side = {"ha": "right", "transform": box.transAxes}
    if first:
        box.text(-0.12, 0.5, f"easier for\n{names[row]}", fontsize=7, va="center", **side)
    for group, (text, colour) in enumerate(zip(right, (BLUE, ORANGE), strict=True)):
        height = 1.28 - 0.25 * group
        style = {"color": colour, "fontsize": 6, "va": "bottom"}
        box.text(0.5, height, text, ha="center", transform=box.transAxes, **style)
        if first:
            box.text(-0.12, height, names[group], **side, **style)


def small_print(found, scale):
    means = " and ".join(f"{100 * found.get('accuracy', group).mean():.2f}" for group in GROUPS)
    p, images = float(found.get("p_mean")), f"{len(found.get('labels')):,} images"
    return (
        f"Images are chosen with one half of the networks; the counts are the other half's. Mean accuracies "
        f"are {means} % (p = {p:.2g}), of {counted(found, GROUPS)} networks each on {images}, scale {scale}."
    )
