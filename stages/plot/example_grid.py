"""Accuracy on single images in networks of many sizes, every pair of them: Nguyen et al. 2021, fig. F.2-F.4.

Expect: blue, two architectures, further from the diagonal than orange, two halves of the column's one, and
the further the more their sizes differ; most images lie above the diagonal (the larger network is better),
some below it. The upper triangle gives the dispersions in numbers (ours).
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from pipeline.bounds import FILLED, Positive
from pipeline.figure import numbered, plain_resnet
from pipeline.options import Study, of_length
from wide import plot

BLUE, ORANGE = plot.class_colours(2)  # two architectures, their control
PIXELS = 100  # least of an image
ROOM = {"left": 0.65, "top": 0.42, "bottom": 0.8, "across": 0.1, "down": 0.14}


@dataclass(frozen=True)
class Options:
    """study: whose groups. networks: depth and width of the paper's. side: of a panel, in inches."""

    study: Study
    networks: Annotated[list[Annotated[list[Positive], of_length(2)]], FILLED]
    side: Positive


def draw(entry, scale, load):
    found = load(entry["study"], "agreement", "groups")
    place = {network: group for group, network in enumerate(numbered(found))}
    wanted = [tuple(network) for network in entry["networks"]]
    networks = wanted if set(place) <= set(wanted) else list(place)  # sizes of one's own: what there is
    groups = list(map(place.get, networks))
    kept = [index for index, group in enumerate(groups) if group is not None]
    figure, axes = plot.page(*[[entry["side"]] * len(groups)] * 2, **ROOM)
    for (row, column), box in np.ndenumerate(axes):
        first, second = sorted((row, column))
        pair(box, found, groups[first], groups[second], row < column, scale)
        box.tick_params(labelleft=column == kept[0], labelbottom=row == kept[-1])
    for index, network in enumerate(networks):
        label = plain_resnet(*network, " " if entry["side"] > 1 else "\n")
        mean = f"\n{100 * found.get('accuracy', groups[index]).mean():.2f} %" if index in kept else ""
        axes[0, index].set_title(label + mean, fontsize=6)
        axes[-1, index].set_xlabel(f"{label}\nacc. (%)", fontsize=6)
        axes[index, 0].set_ylabel(f"{label}\nacc. (%)", fontsize=6)
    plot.corner(figure, small_print(found, place.values(), scale))
    return figure


def small_print(found, groups, scale):
    networks = " to ".join(map(str, sorted({int(found.get("networks", group)) for group in groups})))
    told = "blue: two architectures, orange: two halves of one; numbers: dispersion in points"
    return f"{told}\n{len(found.get('labels')):,} images, n = {networks} networks each, scale {scale}"


def pair(box, found, first, second, upper, scale):
    """Above the diagonal numbers, below it images, or an empty frame for a size that the scale leaves out."""
    box.tick_params(labelsize=5, length=2, pad=1.5)
    ran = None not in (first, second)
    if upper:
        box.set_axis_off()
        for height, other, colour in ((0.62, second, BLUE), (0.38, first, ORANGE)) if ran else ():
            text = f"{100 * found.get('dispersion')[first, other]:.2f}"
            box.text(0.5, height, text, color=colour, fontsize=6.5, ha="center", va="center")
    elif ran:
        images(box, found, first, second)
    else:
        plot.not_run(box, scale, small=True)


def images(box, found, first, second):
    """A pair in blue and, over it, the control in orange; on the diagonal the control alone."""
    n = min(int(found.get("networks", group)) for group in (first, second)) // 2
    layers = [(second, BLUE, 0.05), (first, ORANGE, 0.3)] if first != second else [(first, ORANGE, 0.05)]
    image = 1.0
    for other, colour, margin in layers:
        opacity = density(found.get("first", first), found.get("second", other), n, margin)[..., None]
        image = np.where(opacity > 0, 1 - opacity * (1 - colour), image)
    box.imshow(image, origin="lower", extent=[-50 / n, 100 + 50 / n] * 2)
    box.set(xticks=[0, 50, 100], yticks=[0, 50, 100])


def density(x, y, n, margin):
    """Opacity of each place, by log count; where networks are few, places are cells with a margin."""
    count, size = np.zeros((n + 1, n + 1)), -(-PIXELS // (n + 1))
    np.add.at(count, tuple(np.rint(n * np.stack([y, x])).astype(int)), 1)
    inside = abs((np.arange(size) + 0.5) / size - 0.5) < 0.5 - margin * (size > 4)
    opacity = np.where(count > 0, 0.3 + 0.7 * np.log1p(count) / np.log1p(count.max()), 0)
    return np.kron(opacity, np.outer(inside, inside))
