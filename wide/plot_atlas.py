"""Maps of points and the atlases over them, drawn in the same coordinates: arrays in, axes painted.

A map's positions lie in [0, 1], y upwards (`plot.unit_square`); row 0 of an atlas is on top. Both have the
same margin, so that what lies at a place of one lies there in the other.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import Stroke

from wide import plot

MARGIN = 0.04  # around a map's points, of its side
EDGE = 0.04  # around an enlarged icon, of its side
SEEN = [Stroke(linewidth=2.2, foreground="black"), Stroke(linewidth=1.2)]  # an outline, on any colour
TYPE, LINE, LETTER = 6.5, 0.15, 0.055  # a legend's type in points; its line and its letter in inches


def place(axes: Axes):
    """A frame with the map's coordinates and its margin."""
    plot.frame(axes)
    axes.set(xlim=(-MARGIN, 1 + MARGIN), ylim=(-MARGIN, 1 + MARGIN), aspect="equal")


def show_map(axes: Axes, positions: np.ndarray, labels: np.ndarray, colours: np.ndarray, bins: int):
    """All points (N, 2) in [0, 1], binned and coloured by their labels (N,) int; see `plot.class_map`."""
    image = plot.class_map(positions, labels, colours, bins)
    axes.imshow(image, extent=(0, 1, 0, 1), interpolation="nearest")
    place(axes)


def show_atlas(axes: Axes, icons: np.ndarray, cells: np.ndarray, grid: int):
    """Icons uint8 (m, 1 or 3, s, s) at their cells (m, 2), rows and columns of a square grid."""
    axes.imshow(plot.tile(icons, cells, (grid, grid)), extent=(0, 1, 0, 1), interpolation="antialiased")
    place(axes)


def outline(axes: Axes, cells: np.ndarray, grid: int, chosen, colour):
    """Outlines of those cells (m, 2) of an atlas that have these indices."""
    for row, column in cells[chosen]:
        corner = column / grid, 1 - (row + 1) / grid
        style = {"fill": False, "edgecolor": colour, "path_effects": SEEN}
        axes.add_patch(Rectangle(corner, 1 / grid, 1 / grid, **style))


def fullest(positions: np.ndarray, labels: np.ndarray, label: int, cells: np.ndarray, grid: int, most: int):
    """Which cells show a class: (up to `most`,) int, indices of `cells` in their order.

    Those of `cells` (m, 2), an atlas's, that hold the most of the class's points, among cells in which no
    other class has more. positions: (N, 2) in [0, 1], y upwards. labels: (N,) int.
    """
    column, up = np.minimum((positions * grid).astype(int), grid - 1).T
    counts = np.zeros((grid, grid, labels.max() + 1), int)
    np.add.at(counts, (grid - 1 - up, column, labels), 1)
    counts = counts[cells[:, 0], cells[:, 1]]
    own = counts[:, label] if label < counts.shape[1] else np.zeros(len(cells), int)
    shown = np.where(own == counts.max(1), own, 0)
    chosen = np.argsort(-shown, kind="stable")[:most]
    return np.sort(chosen[shown[chosen] > 0])


def strip(axes: Axes, icons: np.ndarray, most: int, colour):
    """Icons uint8 (m, 1 or 3, s, s) side by side in outlines, with room for so many."""
    plot.frame(axes)
    axes.spines[:].set_visible(False)
    axes.set(xlim=(0, most), ylim=(0, 1), aspect="auto")
    for index, icon in enumerate(icons):
        shown = np.broadcast_to(icon.transpose(1, 2, 0), (*icon.shape[1:], 3))
        sides = (index + EDGE, index + 1 - EDGE, EDGE, 1 - EDGE)
        axes.imshow(shown, extent=sides, aspect="auto", interpolation="antialiased")
        style = {"fill": False, "edgecolor": colour, "linewidth": 1.2}
        axes.add_patch(Rectangle((index + EDGE, EDGE), 1 - 2 * EDGE, 1 - 2 * EDGE, **style))
    axes.set(xlim=(0, most), ylim=(0, 1))


def room(legends, width: float) -> float:
    """Inches that legends [(names, colours), …] below a figure take, side by side in so many inches."""
    return LINE * sum(_lines(names, width) for names, _ in legends)


def close(figure: Figure, legends, width: float, text: str):
    """Sentences at the foot of a page (`plot.footer`) that has room for legends, and these above.

    legends: [(names, colours), …], one below the other. width: inches that they may take.
    """
    before = figure.get_size_inches()[1]
    plot.footer(figure, text)
    height = figure.get_size_inches()[1]
    top = height - before + room(legends, width)
    for names, colours in legends:
        handles = [Patch(color=colour, label=name) for name, colour in zip(names, colours, strict=True)]
        lines = _lines(names, width)
        place = {"loc": "upper center", "bbox_to_anchor": (0.5, top / height)}
        close = {"handlelength": 1, "handletextpad": 0.4, "columnspacing": 0.9, "labelspacing": 0.25}
        style = {"borderaxespad": 0, "borderpad": 0, "fontsize": TYPE, **place, **close}
        figure.legend(handles=handles, ncols=-(-len(names) // lines), **style)
        top -= LINE * lines


def _lines(names, width) -> int:
    return -(-len(names) // max(1, int(width / (0.3 + LETTER * max(map(len, names))))))
