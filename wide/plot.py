"""Style, page geometry and small helpers of every drawing: arrays in, matplotlib figures out.

Figures are made without pyplot (no window, no global figure) and sizes are inches, so that equal input is
equal bytes.
"""

import io
import textwrap

import matplotlib.colors
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import Stroke
from matplotlib.ticker import FixedLocator, NullLocator
from PIL import Image

DPI = 200  # pixels per inch
MAX_WIDTH = 5.5  # inches: of the text of a page, which no figure is wider than
LEAST_TYPE = 6  # points: no text of a figure is smaller
TITLE = 7  # points: of small panels' titles and axes
LINE = 0.1  # inches: of a line of the smallest type
PRINTED = 7.2  # points: of a line of small print in a heading
GREY, FAINT = "0.4", "0.8"
# seaborn's "colorblind", written out: importing seaborn takes longer than drawing a figure.
PALETTE = (
    "#0173B2",
    "#DE8F05",
    "#029E73",
    "#D55E00",
    "#CC78BC",
    "#CA9161",
    "#FBAFE4",
    "#949494",
    "#ECE133",
    "#56B4E9",
)
# The one scale of all similarities: bright is alike, grey a dead layer.
UNIT = matplotlib.colors.Normalize(0, 1)
MAGMA = matplotlib.colormaps["magma"].resampled(64).with_extremes(bad="0.7")
OFFSET = {"xycoords": "axes fraction", "textcoords": "offset points"}  # of notes beside a panel
SMALL = {"labelsize": LEAST_TYPE, "length": 2, "pad": 1.5}  # ticks of small panels
# The block of layers that are alike: its colour, and the least share of the layers that makes one.
BLOCK, LEAST_BLOCK = "#00D5FF", 0.3
STAGE = PALETTE[2]  # bounds of a network's stages
STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "errorbar.capsize": 2,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.linewidth": 0.4,
    "grid.color": "0.9",
    "image.interpolation_stage": "data",
}


def style():
    """Context in which to draw and save: matplotlib's defaults and STYLE, not a user's matplotlibrc."""
    return matplotlib.style.context(STYLE, after_reset=True)


def class_colours(n: int) -> np.ndarray:
    """Distinct colours (n, 3) in [0, 1].

    Up to ten are safe for the colour-blind; more go once round the hues. That circle is cyclic (the last
    is next to the first) and its lightness rises towards yellow and falls towards blue, so that a
    position on it can be read without telling red from green. ValueError for n < 1.
    """
    if n < 1:
        raise ValueError(f"class_colours needs at least one class, not {n}")
    if n <= len(PALETTE):
        return matplotlib.colors.to_rgba_array(PALETTE[:n])[:, :3]
    from seaborn import husl_palette  # here, since few drawings need it

    colours = []
    for hue in np.arange(n) / n:
        lightness = 0.62 + 0.2 * np.cos(2 * np.pi * (hue - 0.24))
        colours.append(husl_palette(1, h=hue, s=0.95, l=lightness)[0])
    return np.array(colours)


def page(widths, heights, *, left=0.5, right=0.1, top=0.3, bottom=0.45, across=0.1, down=0.1):
    """A figure and a grid of axes of these sizes, in inches to the pixel: (Figure, axes (rows, columns)).

    down: between rows, one number or one for each gap.
    """
    down = np.broadcast_to(down, len(heights) - 1)
    widths, heights = (np.round(np.multiply(sides, DPI)) / DPI for sides in (widths, heights))
    page_width = left + sum(widths) + across * (len(widths) - 1) + right
    page_height = top + sum(heights) + sum(down) + bottom
    figure = Figure(figsize=(page_width, page_height), dpi=DPI)
    axes = np.empty((len(heights), len(widths)), object)
    for row, height in enumerate(heights):
        y = page_height - top - sum(heights[: row + 1]) - sum(down[:row])
        for column, width in enumerate(widths):
            x = left + sum(widths[:column]) + across * column
            place = [x / page_width, y / page_height, width / page_width, height / page_height]
            axes[row, column] = figure.add_axes(place)
    return figure, axes


def frame(axes: Axes):
    """A thin closed frame without ticks."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=FAINT)


def picture(axes: Axes, image: np.ndarray):
    """Show an image (H, W, 3 or 4), first row on top, in a thin frame at the top of the axes."""
    frame(axes)
    axes.imshow(image, aspect="equal")
    axes.set_anchor("N")


def heading(axes: Axes, title: str, small=""):
    """A title, and small print, of a line or more, between it and the axes."""
    lines = small.count("\n") + bool(small)
    axes.set_title(title, fontsize=TITLE, pad=4.5 + PRINTED * lines)
    style = {"fontsize": LEAST_TYPE, "color": GREY, "ha": "center", "va": "bottom", "linespacing": 1.1}
    axes.annotate(small, (0.5, 1), (0, 2), **style, **OFFSET)


def room_above(title: str, small="") -> float:
    """Inches that a heading takes."""
    lines = small.count("\n") + bool(small)
    return (4.5 + PRINTED * lines + 1.4 * TITLE * (title.count("\n") + 1)) / 72


def heatmap(axes: Axes, matrix: np.ndarray, stages=None, across=None):
    """Similarities (rows, columns) of layers, the first at the lower left; NaN (dead layers) is grey.

    stages: of the rows' layers (rows,), None where they have none. across: of the columns', by default the
    same.
    """
    options = {"origin": "lower", "aspect": "auto", "interpolation": "antialiased"}
    axes.imshow(np.float32(matrix), norm=UNIT, cmap=MAGMA, **options)
    layer_axis(axes.yaxis, len(matrix), stages)
    layer_axis(axes.xaxis, matrix.shape[1], stages if across is None else across)
    axes.spines[:].set_visible(False)


def layer_axis(axis, count: int, stages=None, first=0):
    """An axis of layers: the first's and the last's number at its ends, short lines between stages.

    stages: (count,), None where there are none. first: where the first layer lies.
    """
    axis.set_ticks([first, first + count - 1], ["1", str(count)])
    if stages is not None:
        axis.set_ticks(np.flatnonzero(np.diff(stages)) + first + 0.5, minor=True)
    axis.set_tick_params(which="major", **SMALL)
    axis.set_tick_params(which="minor", length=3.5, width=0.8, color=STAGE)
    ends = zip(axis.get_majorticklabels(), ("bottom", "top"), ("left", "right"), strict=True)
    for label, low, side in ends:  # within the panel, that they touch no neighbour's
        label.set(**{"rotation": 90, "va": low, "ha": "right"} if axis.axis_name == "y" else {"ha": side})


def seen(block, first=0):
    """Where a block (fraction, start, stop) lies on an axis of layers, (low, high); None if too small."""
    fraction, start, stop = block
    return (first + start - 0.5, first + stop - 0.5) if fraction >= LEAST_BLOCK else None


def outline(axes: Axes, x, y):
    """The outline of a block, everywhere the same. x, y: as `seen` gives them; None is all of that axis."""
    if x is None and y is None:
        return
    (left, right), (low, high) = x or axes.get_xlim(), y or axes.get_ylim()
    around = [
        Stroke(linewidth=1.8, foreground="black"),
        Stroke(linewidth=1, foreground=BLOCK),
    ]  # on any colour
    style = {"fill": False, "clip_on": False, "zorder": 4, "path_effects": around}
    axes.add_patch(Rectangle((left, low), right - left, high - low, **style))


def shade(axes: Axes, x):
    """The block behind curves over layers. x: as `seen` gives it; nothing for None."""
    if x is not None:
        axes.axvspan(*x, color=BLOCK, alpha=0.25, zorder=0, linewidth=0, label="the block")


def colour_bar(figure: Figure, axes: Axes, label: str, norm=UNIT, cmap=MAGMA):
    """A colour bar to the right of the axes, as high as they are."""
    box = axes.get_position()
    width = figure.get_size_inches()[0]
    place = figure.add_axes([box.x1 + 0.1 / width, box.y0, 0.08 / width, box.height])
    ticks = np.linspace(norm.vmin, norm.vmax, 3)
    bar = figure.colorbar(matplotlib.cm.ScalarMappable(norm, cmap), place, ticks=ticks)
    bar.set_label(label, size=7)
    place.tick_params(**SMALL)


def swatches(axes: Axes, names, colours, title=None):
    """A legend of colours to the right of the axes, its top at theirs."""
    handles = [Patch(color=colour, label=str(name)) for name, colour in zip(names, colours, strict=True)]
    axes.legend(
        handles=handles,
        title=title,
        loc="upper left",
        bbox_to_anchor=(1, 1),
        alignment="left",
        borderaxespad=0.1,
        handlelength=1,
        handletextpad=0.5,
        labelspacing=0.35,
    )


def width_axis(axes: Axes, widths):
    """Make x a logarithmic axis of widths with plain numbers, as many of the given widths as have room."""
    widths = np.unique(widths)
    axes.set_xscale("log")
    room = 0.14 * np.log(widths[-1] / widths[0])
    shown = []
    for width in widths[::-1]:
        if not shown or np.log(shown[-1] / width) >= room:
            shown.append(width)
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_locator(NullLocator())


def same_limits(boxes, low=None):
    """One y axis for panels side by side, from all their lines; ``low`` fixes its lower end.

    Panels without lines stay as they are.
    """
    lines = [np.asarray(line.get_ydata(), float) for box in boxes for line in box.lines]
    values = np.concatenate([np.empty(0), *lines])
    if not np.isfinite(values).any():
        return
    least, most = np.nanmin(values), np.nanmax(values)
    margin = 0.08 * (most - least) or 1
    for box in boxes:
        if box.lines:
            box.set_ylim(least - margin if low is None else low, most + margin)


def mean_sd(values) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sample standard deviation over the last axis (seeds); a single seed has the deviation 0."""
    values = np.asarray(values, dtype=float)
    several = values.shape[-1] > 1
    return values.mean(-1), values.std(-1, ddof=1) if several else np.zeros(values.shape[:-1])


def tile(icons: np.ndarray, cells: np.ndarray, shape: tuple[int, int], gap=0) -> np.ndarray:
    """One image uint8 (H, W, 3) of icons uint8 (m, 1 or 3, s, s), each at its cell (row, column).

    Row 0 is on top. Cells without an icon are white, and so are `gap` pixels between cells. ValueError
    for a cell outside the shape.
    """
    if len(cells) and (np.min(cells) < 0 or (np.max(cells, axis=0) >= shape).any()):
        grid = f"{shape[0]} x {shape[1]}"
        raise ValueError(f"a cell lies outside the {grid} grid: state the grid that the result was made with")
    size = icons.shape[-1]
    step = size + gap
    canvas = np.full((shape[0] * step - gap, shape[1] * step - gap, 3), 255, np.uint8)
    for icon, (row, column) in zip(icons, cells, strict=True):
        y, x = row * step, column * step
        canvas[y : y + size, x : x + size] = icon.transpose(1, 2, 0)
    return canvas


def sheet(icons: np.ndarray, across: int) -> np.ndarray:
    """One image of icons uint8 (m, 1 or 3, s, s), line by line, a little apart: uint8 (H, W, 3)."""
    cells = np.stack(np.divmod(np.arange(len(icons)), across), axis=1)
    rows = -(-len(icons) // across)
    return tile(icons, cells, (rows, across), gap=2)


def unit_square(points: np.ndarray) -> np.ndarray:
    """Positions (N, 2) in [0, 1] of a map's points, as the cells of its atlas were cut (Lucid).

    Clips each axis to its 1st to 99th percentile and a margin of a tenth of that. A constant axis becomes
    0.5.
    """
    points = np.asarray(points, dtype=np.float64)
    low, high = np.percentile(points, (1, 99), axis=0)
    margin = 0.1 * (high - low)
    points = np.clip(points, low - margin, high + margin)
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    return np.where(span > 0, (points - low) / np.where(span > 0, span, 1), 0.5)


def class_map(positions: np.ndarray, labels: np.ndarray, colours: np.ndarray, bins: int) -> np.ndarray:
    """2-D histogram of classes as an image (bins, bins, 4), y upwards.

    positions: (N, 2) in [0, 1]. labels: (N,) int. colours: (classes, 3). A bin has its classes' colours
    mixed by their counts, the more opaque the more points it holds (log).
    """
    x, y = np.minimum((positions * bins).astype(int), bins - 1).T
    counts = np.zeros((bins, bins, len(colours)))
    np.add.at(counts, (bins - 1 - y, x, labels), 1)
    total = counts.sum(-1)
    full = np.log1p(np.percentile(total[total > 0], 99))
    opacity = np.where(total > 0, np.minimum(0.4 + 0.6 * np.log1p(total) / full, 1), 0)
    mixed = counts @ colours / np.maximum(total, 1)[..., None]
    return np.dstack([mixed, opacity])


def fitting(panels: int, most: float, *, left=0.5, right=0.1, across=0.1, more=0.0, **_) -> float:
    """The width of so many panels side by side, in inches: the most, or what the widest page has room for.

    left, right, across: as `page` takes them. more: what else stands between panels.
    """
    room = MAX_WIDTH - left - right - more - across * (panels - 1)
    return min(most, np.floor(room / panels * DPI) / DPI)


def note(text: str) -> Figure:
    """A small page that says something instead of a figure."""
    figure = Figure(figsize=(MAX_WIDTH, 0.1), dpi=DPI)
    footer(figure, text)
    return figure


def footer(figure: Figure, text: str):
    """Sentences in small print below everything else, for which the page grows."""
    width, height = figure.get_size_inches()
    lines = textwrap.wrap(
        text, int((width - 0.1) * 72 / (0.56 * LEAST_TYPE))
    )  # a letter is 0.56 of the type wide
    more = np.round((LINE * len(lines) + 0.05) * DPI) / DPI
    places = [axes.get_position(original=True).bounds for axes in figure.axes]
    figure.set_size_inches(width, height + more)
    for axes, (left, low, wide, high) in zip(figure.axes, places, strict=True):
        shrunk = height / (height + more)
        axes.set_position([left, 1 - (1 - low) * shrunk, wide, high * shrunk])
    place = {"ha": "left", "va": "bottom", "fontsize": LEAST_TYPE, "color": GREY}
    figure.text(0.05 / width, 0.05 / (height + more), "\n".join(lines), **place)


def corner(figure: Figure, text: str):
    """Small print in the lower right corner: how many, at what scale."""
    width, height = figure.get_size_inches()
    figure.text(1 - 0.05 / width, 0.04 / height, text, ha="right", va="bottom", fontsize=6.5, color=GREY)


def stamp(figure: Figure):
    """STAND-IN DATA across the figure, for results that were not made from the real data set."""
    width, height = figure.get_size_inches()
    size = min(5.5 * np.hypot(width, height), 60)
    diagonal = np.degrees(np.arctan2(height, width))
    look = {"fontsize": size, "fontweight": "bold", "color": "#B00020", "alpha": 0.28, "zorder": 100}
    figure.text(0.5, 0.5, "STAND-IN DATA", ha="center", va="center", rotation=diagonal, **look)


def png(figure: Figure) -> bytes:
    """The figure on white as a PNG of three channels, without dates or versions.

    Equal figures are equal bytes. matplotlib's PNG has a fourth channel, opacity, which is the same
    everywhere on a white page.
    """
    drawn, content = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, facecolor="white", pil_kwargs={"compress_level": 0})
    Image.open(drawn).convert("RGB").save(content, format="png", dpi=(DPI, DPI))
    return content.getvalue()
