"""Style, page geometry and small helpers of every drawing: arrays in, matplotlib figures out.

Figures are made without pyplot (no window, no global figure) and sizes are inches, so that equal input is
equal bytes.
"""

import io

import matplotlib.style
import matplotlib.colors
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator
from PIL import Image

WIDTH, DPI = 5.5, 200  # inches of text in a column; pixels per inch
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
UNIT = matplotlib.colors.Normalize(
    0, 1
)  # the one scale of all similarities: bright is alike, grey a dead layer
MAGMA = matplotlib.colormaps["magma"].resampled(64).with_extremes(bad="0.7")
SMALL = {"labelsize": 6, "length": 2, "pad": 1.5}  # ticks of small panels
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
    """Context in which to draw and save: matplotlib's defaults and STYLE, whatever a user's matplotlibrc says."""
    return matplotlib.style.context(STYLE, after_reset=True)


def class_colours(n: int) -> np.ndarray:
    """(n, 3) distinct colours in [0, 1]. Up to ten are safe for the colour-blind; more go once round the
    hues.

    That circle is cyclic (the last is next to the first) and its lightness rises towards yellow and falls
    towards blue, so that a position on it can be read without telling red from green. ValueError for n < 1.
    """
    if n < 1:
        raise ValueError(f"class_colours needs at least one class, not {n}")
    if n <= len(PALETTE):
        return matplotlib.colors.to_rgba_array(PALETTE[:n])[:, :3]
    from seaborn import husl_palette

    hues = np.arange(n) / n
    return np.array(
        [husl_palette(1, h=h, s=0.95, l=0.62 + 0.2 * np.cos(2 * np.pi * (h - 0.24)))[0] for h in hues]
    )


def width_colour(width: float, widths) -> np.ndarray:
    """Colour (3,) of a width among the widths shown: light for the narrowest, dark for the widest, by ratio."""
    low, high = np.log(np.min(widths)), np.log(np.max(widths))
    share = (np.log(width) - low) / (high - low) if high > low else 1.0
    return np.array(matplotlib.colormaps["viridis_r"](0.1 + 0.8 * share)[:3])


def page(widths, heights, *, left=0.5, right=0.1, top=0.3, bottom=0.45, across=0.1, down=0.1):
    """A figure and a grid of axes of these sizes, in inches to the pixel: (Figure, axes (rows, columns))."""
    widths, heights = (np.round(np.multiply(sides, DPI)) / DPI for sides in (widths, heights))
    size = (
        left + sum(widths) + across * (len(widths) - 1) + right,
        top + sum(heights) + down * (len(heights) - 1) + bottom,
    )
    figure = Figure(figsize=size, dpi=DPI)
    axes = np.empty((len(heights), len(widths)), object)
    for row, height in enumerate(heights):
        low = size[1] - top - sum(heights[: row + 1]) - down * row
        for column, width in enumerate(widths):
            x = left + sum(widths[:column]) + across * column
            axes[row, column] = figure.add_axes(
                [x / size[0], low / size[1], width / size[0], height / size[1]]
            )
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


def not_run(axes: Axes, scale: str, small=False):
    """An empty frame that says so (on two lines where it is small), for a panel that the scale leaves out."""
    frame(axes)
    axes.text(
        0.5,
        0.5,
        f"not run\nat {scale}" if small else f"not run at {scale}",
        ha="center",
        va="center",
        color=GREY,
        fontsize=6 if small else None,
        transform=axes.transAxes,
    )


def at_scale(value, scale: str):
    """An option in which every mapping that has this scale as a key is replaced by what stands there."""
    if isinstance(value, dict):
        return (
            value[scale] if scale in value else {name: at_scale(item, scale) for name, item in value.items()}
        )
    return [at_scale(item, scale) for item in value] if isinstance(value, list) else value


def present(load, wanted) -> dict:
    """{key: load(*key)}, {} for a file that the scale leaves out; FileNotFoundError where it has none of them."""
    found, missing = {}, None
    for key in wanted:
        try:
            found[key] = found.get(key) or load(*key)
        except FileNotFoundError as error:
            found[key], missing = {}, missing or error
    if not any(found.values()):
        raise missing
    return found


def member(found: dict, size: str, nth=0) -> tuple[str | None, int | None]:
    """("w4", 0): a size ("widest" and "deepest": the largest) and the seed of its nth network; None for what is not in the file."""
    if size in ("widest", "deepest"):
        size = max(
            (name[:-7] for name in found if name.endswith("/layers")),
            key=lambda key: float(key[1:]),
            default=None,
        )
    seeds = found.get(f"{size}/seeds", ())
    return size, int(seeds[nth]) if nth < len(seeds) else None


def named(template: str, found: dict, size: str | None, **facts) -> str:
    """A title with {depth} and {width} from the file or, where the scale leaves the size out, from its key."""
    if size is not None:
        facts |= {"width": 1.0, {"w": "width", "d": "depth"}[size[0]]: float(size[1:])}
        facts |= {
            name: float(found[f"{size}/{name}"]) for name in ("depth", "width") if f"{size}/{name}" in found
        }
    return "" if size is None and "{" in template else template.format(**facts)


def results(found: dict, size: str, seed: int, block="block") -> str:
    """A heatmap's small print: test accuracy, and the share of layers that lie in the block."""
    accuracy = found[f"{size}/accuracy"][list(found[f"{size}/seeds"]).index(seed)]
    return f"{100 * accuracy:.1f} %, block {100 * found[f'{size}/{seed}/{block}'][0]:.0f} %"


def heading(axes: Axes, title: str, small=""):
    """A title, and small print between it and the axes."""
    axes.set_title(title, fontsize=7, pad=10)
    axes.text(0.5, 1.03, small, fontsize=5.5, color=GREY, ha="center", va="bottom", transform=axes.transAxes)


def heatmap(axes: Axes, matrix: np.ndarray, ticks=4):
    """Similarities (rows, columns) of layers, the first at the lower left; NaN (dead layers) is grey."""
    axes.imshow(
        np.float32(matrix), origin="lower", aspect="auto", norm=UNIT, cmap=MAGMA, interpolation="antialiased"
    )
    axes.locator_params(nbins=ticks, integer=True, steps=[1, 2, 5, 10])
    axes.tick_params(**SMALL)
    axes.spines[:].set_visible(False)


def colour_bar(figure: Figure, axes: Axes, label: str, norm=UNIT, cmap=MAGMA):
    """A colour bar to the right of the axes, as high as they are."""
    box, width = axes.get_position(), figure.get_size_inches()[0]
    place = figure.add_axes([box.x1 + 0.1 / width, box.y0, 0.08 / width, box.height])
    bar = figure.colorbar(
        matplotlib.cm.ScalarMappable(norm, cmap), place, ticks=np.linspace(norm.vmin, norm.vmax, 3)
    )
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
    room, shown = 0.14 * np.log(widths[-1] / widths[0]), []
    for width in widths[::-1]:
        if not shown or np.log(shown[-1] / width) >= room:
            shown.append(width)
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_locator(NullLocator())


def same_limits(boxes, low=None):
    """One y axis for panels side by side, from all their lines; ``low`` fixes its lower end. Panels without lines stay as they are."""
    values = np.concatenate(
        [np.empty(0), *(np.asarray(line.get_ydata(), float) for box in boxes for line in box.lines)]
    )
    if np.isfinite(values).any():
        least, most = np.nanmin(values), np.nanmax(values)
        margin = 0.08 * (most - least) or 1
        for box in boxes:
            if box.lines:
                box.set_ylim(least - margin if low is None else low, most + margin)


def mean_sd(values) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sample standard deviation over the last axis (seeds); a single seed has the deviation 0."""
    values = np.asarray(values, dtype=float)
    return values.mean(-1), values.std(-1, ddof=1) if values.shape[-1] > 1 else np.zeros(values.shape[:-1])


def tile(icons: np.ndarray, cells: np.ndarray, shape: tuple[int, int], gap=0) -> np.ndarray:
    """One image uint8 (H, W, 3) of icons uint8 (m, 1 or 3, s, s), each at its cell (row, column), row 0 on
    top.

    Cells without an icon are white, and so are `gap` pixels between cells. ValueError for a cell outside the
    shape.
    """
    if len(cells) and (np.min(cells) < 0 or (np.max(cells, axis=0) >= shape).any()):
        raise ValueError(
            f"a cell lies outside the {shape[0]} x {shape[1]} grid: "
            "state the grid that the result was made with"
        )
    size, step = icons.shape[-1], icons.shape[-1] + gap
    canvas = np.full((shape[0] * step - gap, shape[1] * step - gap, 3), 255, np.uint8)
    for icon, (row, column) in zip(icons, cells, strict=True):
        canvas[row * step : row * step + size, column * step : column * step + size] = icon.transpose(1, 2, 0)
    return canvas


def sheet(icons: np.ndarray, across: int) -> np.ndarray:
    """One image of icons uint8 (m, 1 or 3, s, s), line by line, a little apart: uint8 (H, W, 3)."""
    cells = np.stack(np.divmod(np.arange(len(icons)), across), axis=1)
    return tile(icons, cells, (-(-len(icons) // across), across), gap=2)


def unit_square(points: np.ndarray) -> np.ndarray:
    """Positions (N, 2) in [0, 1] of a map's points, as the cells of its atlas were cut (Lucid).

    Clips each axis to its 1st to 99th percentile and a margin of a tenth of that; a constant axis becomes
    0.5.
    """
    points = np.asarray(points, dtype=np.float64)
    low, high = np.percentile(points, (1, 99), axis=0)
    points = np.clip(points, low - 0.1 * (high - low), high + 0.1 * (high - low))
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    return np.where(span > 0, (points - low) / np.where(span > 0, span, 1), 0.5)


def class_map(positions: np.ndarray, labels: np.ndarray, colours: np.ndarray, bins: int) -> np.ndarray:
    """2-D histogram of classes as an image (bins, bins, 4), y upwards: positions (N, 2) in [0, 1], labels
    (N,) int.

    A bin has its classes' colours (classes, 3) mixed by their counts, the more opaque the more points it
    holds (log).
    """
    x, y = np.minimum((positions * bins).astype(int), bins - 1).T
    counts = np.zeros((bins, bins, len(colours)))
    np.add.at(counts, (bins - 1 - y, x, labels), 1)
    total = counts.sum(-1)
    full = np.log1p(np.percentile(total[total > 0], 99))
    opacity = np.where(total > 0, np.minimum(0.4 + 0.6 * np.log1p(total) / full, 1), 0)
    return np.dstack([counts @ colours / np.maximum(total, 1)[..., None], opacity])


def corner(figure: Figure, text: str):
    """Small print in the lower right corner: how many, at what scale."""
    width, height = figure.get_size_inches()
    figure.text(1 - 0.05 / width, 0.04 / height, text, ha="right", va="bottom", fontsize=6.5, color=GREY)


def stamp(figure: Figure):
    """STAND-IN DATA across the figure, for results that were not made from the real data set."""
    width, height = figure.get_size_inches()
    size = min(5.5 * np.hypot(width, height), 60)
    figure.text(
        0.5,
        0.5,
        "STAND-IN DATA",
        ha="center",
        va="center",
        rotation=np.degrees(np.arctan2(height, width)),
        fontsize=size,
        fontweight="bold",
        color="#B00020",
        alpha=0.28,
        zorder=100,
    )


def png(figure: Figure) -> bytes:
    """The figure on white as a PNG of three channels, without dates or versions: equal figures are equal
    bytes.

    matplotlib's PNG has a fourth channel, opacity, which is the same everywhere on a white page.
    """
    drawn, content = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, facecolor="white", pil_kwargs={"compress_level": 0})
    Image.open(drawn).convert("RGB").save(content, format="png", dpi=(DPI, DPI))
    return content.getvalue()
