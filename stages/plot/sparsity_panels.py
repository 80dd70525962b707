"""How often the units of each ReLU layer are non-zero, inside and outside the block: Nguyen et al. 2021, fig. D.8.

Expect: columns of about the same colours over the line, where the block lies, as beside it; in both, much that is
neither 0 % (dead) nor 100 % (linear).
"""
import matplotlib
import numpy as np

from wide import artifacts, plot

SIDE, HEIGHT = 0.9, 1.3  # inches of a pane
PERCENT, COLOURS, FINE = matplotlib.colors.Normalize(0, 100), matplotlib.colormaps["viridis"], 400


def draw(entry, scale):
    study = entry["study"], plot.at_scale(entry["variant"], scale)
    sparsity, cka = (artifacts.load_result(artifacts.result(scale, study[0], measure, study[1])) for measure in ("sparsity", "cka"))
    sizes = entry["sizes"]
    figure, axes = plot.page([SIDE] * len(sizes), [HEIGHT], left=0.55, right=0.65, top=0.38, bottom=0.55, across=0.13)
    for box, size in zip(axes[0], sizes):
        paint(box, size, entry["title_of"], sparsity, cka, scale)
        box.set_xlabel("ReLU layer", fontsize=7, labelpad=3)
        box.tick_params(labelleft=box is axes[0, 0])
    axes[0, 0].set_ylabel("% of units", fontsize=7)
    plot.colour_bar(figure, axes[0, -1], "non-zero on % of images", PERCENT, COLOURS)
    plot.corner(figure, "line below: the block's layers; small print: test accuracy, share of the layers in it; "
                f"variant {study[1]}; scale {scale}")
    return figure


def paint(box, size, template, sparsity, cka, scale):
    size, seed = plot.member(sparsity, size)
    title, of = plot.named(template, sparsity, size), f"{size}/{seed}"
    if seed is None:
        plot.not_run(box, scale, small=True)
        return plot.heading(box, title)
    box.imshow(stacked(sparsity[f"{of}/histogram"]), origin="lower", aspect="auto", interpolation="nearest", norm=PERCENT, cmap=COLOURS,
               extent=(0.5, len(sparsity[f"{size}/relus"]) + 0.5, 0, 100))
    box.tick_params(**plot.SMALL | {"pad": 4})
    box.spines[:].set_visible(False)
    if f"{of}/block" not in cka:
        return plot.heading(box, title)
    plot.heading(box, title, plot.results(cka, size, seed))
    _, start, stop = cka[f"{of}/block"]
    inside = np.flatnonzero((sparsity[f"{size}/relus"] >= start) & (sparsity[f"{size}/relus"] < stop)) + 1
    if len(inside):
        box.plot([inside[0] - 0.5, inside[-1] + 0.5], [-0.02] * 2, color=plot.PALETTE[3], linewidth=2.5, clip_on=False,
                 transform=box.get_xaxis_transform(), solid_capstyle="butt")


def stacked(histogram):
    """Shares (layers, bins) as an image (FINE, layers): from the bottom, so much of each column as a bin has, in % of its middle."""
    bins = histogram.shape[1]
    heights = (np.arange(FINE) + 0.5) / FINE * histogram.sum(1, keepdims=True)
    place = (heights[:, :, None] >= np.cumsum(histogram, axis=1)[:, None]).sum(-1)
    return (np.minimum(place, bins - 1).T + 0.5) * 100 / bins
