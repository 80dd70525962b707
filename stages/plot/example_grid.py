"""Accuracy on single images in networks of many sizes, every pair of them: Nguyen et al. 2021, fig. F.2-F.4.

Expect: blue, two architectures, further from the diagonal than orange, two halves of one, and the further
the more their sizes differ; most images lie above the diagonal (the larger network is better), some below
it. The upper triangle gives the dispersions in numbers (ours), and with few networks they are all that is
drawn.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Annotated

import numpy as np

from pipeline.bounds import FILLED, Positive
from pipeline.clouds import BLUE, ORANGE, accuracy, counted, dots, few
from pipeline.figure import left_out, nothing, numbered, plain_resnet
from pipeline.options import Study, of_length
from wide import plot

PIXELS = 100  # least of an image
ROOM = {"left": 0.65, "top": 0.42, "bottom": 0.5, "across": 0.125, "down": 0.14}
ROW = 0.4  # inches of a pair's dots
CLOUDS = (
    "Blue: two architectures; orange: two halves of the column's networks. Numbers: dispersion, the root "
    "mean square distance of images from the diagonal, in points."
)
DOTTED = (
    "Dispersion of single images: root mean square distance from equal accuracy, with 95 % bootstrap "
    "intervals over images. Blue: two architectures; orange: two halves of the first (above) and of the "
    "second (below)."
)


@dataclass(frozen=True)
class Options:
    """study: whose groups. networks: depth and width of the paper's. side: of a panel, in inches."""

    study: Study
    networks: Annotated[list[Annotated[list[Positive], of_length(2)]], FILLED]
    side: Positive


def draw(entry, scale, load):
    found = load(entry["study"], "agreement", "groups")
    there = numbered(found)
    wanted = [tuple(network) for network in entry["networks"]]
    own = not set(there) <= set(wanted)  # sizes of one's own: what there is
    groups = [there.index(network) for network in (there if own else wanted) if network in there]
    missing = [] if own else [plain_resnet(*network) for network in wanted if network not in there]
    if not groups:
        return plot.note(nothing(missing, scale))
    figure = dotted(found, groups) if few(found, groups) else clouds(found, groups, entry["side"])
    images, networks = f"{len(found.get('labels')):,} images", f"{counted(found, groups)} networks each"
    told = DOTTED if few(found, groups) else CLOUDS
    told += f" {images}, {networks}, scale {scale}. {left_out(missing, scale)}"
    plot.footer(figure, told)
    return figure


def dotted(found, groups):
    """A row a pair: its dispersion between those of its two controls."""
    names = [plain_resnet(*network) for network in numbered(found)]
    named = {group: f"{names[group]}, {accuracy(found, group)}" for group in groups}
    pairs = list(combinations(groups, 2))
    rows = [(f"{named[a]}\n{named[b]}", [(a, a), (a, b), (b, b)]) for a, b in pairs]
    figure, axes = plot.page([2.7], [ROW * len(rows)], left=1.9, right=0.6, top=0.1, bottom=0.42)
    dots(axes[0, 0], found, rows)
    return figure


def clouds(found, groups, side):
    figure, axes = plot.page(*[[side] * len(groups)] * 2, **ROOM)
    for (row, column), box in np.ndenumerate(axes):
        first, second = sorted((row, column))
        pair(box, found, groups[first], groups[second], row < column)
        box.tick_params(labelleft=column == 0, labelbottom=row == len(groups) - 1)
    names = [plain_resnet(*network, " " if side > 1 else "\n") for network in numbered(found)]
    for index, group in enumerate(groups):
        axes[0, index].set_title(f"{names[group]}\n{accuracy(found, group)}", fontsize=6)
        axes[-1, index].set_xlabel(f"{names[group]}\nacc. (%)", fontsize=6)
        axes[index, 0].set_ylabel(f"{names[group]}\nacc. (%)", fontsize=6)
    return figure


def pair(box, found, first, second, upper):
    """Above the diagonal numbers, below it images."""
    box.tick_params(labelsize=6, length=2, pad=1.5)
    if not upper:
        return images(box, found, first, second)
    box.set_axis_off()
    for height, other, colour in ((0.62, second, BLUE), (0.38, first, ORANGE)):
        text = f"{100 * found.get('dispersion')[first, other]:.2f}"
        box.text(0.5, height, text, color=colour, fontsize=6.5, ha="center", va="center")


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
