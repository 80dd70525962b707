"""CKA between all layers of single networks, one heatmap each: Nguyen et al. 2021, fig. 1, 2, C.1, D.1-D.6.

Expect: a checkerboard in small networks; with depth and width (fig. 1, C.1), and sooner with less data (2,
D.2-D.4), a bright square of late layers, at another place in every seed (D.1), where the top PC holds much
variance (D.5); without the first PC it goes (D.6).
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from pipeline.bounds import FILLED, Positive, between
from pipeline.figure import network, present, small_print, studies, titled, variants
from pipeline.options import Pane, Size, Study, Title, Variant
from wide import plot

SIDE, LINE = 0.9, 0.12  # inches: of a heatmap by default, of a further line in a title
BESIDE = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "right", "va": "center"}


@dataclass(frozen=True)
class Row:
    """Panels of their own; or a study's variant with sizes, or with one size and so many seeds."""

    label: Title
    panels: Annotated[list[Pane], FILLED] = None
    study: Study = None
    variant: Variant = None
    title: Title = None
    sizes: Annotated[list[Size], FILLED] = None
    size: Size = None
    seeds: Annotated[int, between(1, 100)] = None

    def __post_init__(self):
        own = (self.study, self.variant, self.title)
        several = (self.sizes is not None, self.size is not None and self.seeds is not None)
        listed = self.panels is not None and not any(map(bool, (*own, self.sizes, self.size, self.seeds)))
        if not listed and (None in own or self.panels is not None or sum(several) != 1):
            raise ValueError(
                "a row has panels; or study, variant, title, and either sizes or a size and seeds"
            )


@dataclass(frozen=True)
class Options:
    """matrix: removed is CKA without the top component. sort: seeds by its share. side: inches."""

    rows: Annotated[list[Row], FILLED]
    matrix: Literal["cka", "removed"] = "cka"
    sort: bool = False
    side: Positive = None


def draw(entry, scale, load):
    rows = [[row | panel for panel in panels(row)] for row in entry["rows"]]
    everything = [panel for row in rows for panel in row]
    for measure in ("cka", "pca") if entry.get("sort") else ("cka",):
        for panel, found in zip(everything, present(load, measure, studies(everything)), strict=True):
            panel[measure] = found
    figure, axes = grid(rows, entry.get("side", SIDE))
    for row, boxes in zip(rows, axes, strict=True):
        for box, panel in zip(boxes, row, strict=False):
            paint(box, panel, entry.get("matrix", "cka"), scale)
            box.tick_params(labelleft=box is boxes[0])
        for box in boxes[len(row) :]:
            box.remove()
        label(boxes[0], row[0])
    for box in axes[-1]:
        box.set_xlabel("layer" if box.images else "", fontsize=7)
    plot.colour_bar(figure, axes[0, -1], "CKA")
    told = f"above: test accuracy, block's share of the layers; variant {variants(everything)}; scale {scale}"
    plot.corner(figure, told)
    return figure


def panels(row):
    """What sets the panels of a row apart: what they list, the nth seeds of one size, or their sizes."""
    seeds = [{"nth": nth} for nth in range(row.get("seeds", 0))]
    return row.get("panels") or seeds or [{"size": size} for size in row["sizes"]]


def grid(rows, side):
    """The page: as many columns as the longest row has, room for titles of several lines."""
    more = [LINE * max(panel["title"].count("\n") for panel in row) for row in rows]
    room = {"top": 0.36 + more[0], "bottom": 0.52, "across": 0.13, "down": 0.44 + max(more)}
    return plot.page([side] * max(map(len, rows)), [side] * len(rows), left=0.75, right=0.55, **room)


def label(box, panel):
    """A row's, to the left of its first panel."""
    text = titled(panel["label"], panel["cka"], network(panel["cka"], panel["size"])[0])
    box.annotate(text, (0, 0.5), (-30, 0), fontsize=7.5, rotation=90, ma="center", **BESIDE)
    box.set_ylabel("layer" if box.images else "", fontsize=7)


def paint(box, panel, matrix, scale):
    cka = panel["cka"]
    size, seed, share = chosen(panel)
    facts = {"seed": panel.get("nth", 0) if seed is None else seed, "late": share}
    title = titled(panel["title"], cka, size, **facts).replace("nan", "–")  # a share that was not measured
    if not cka.has(matrix, size, seed):
        plot.heading(box, "" if "pca" in panel else title)
        return plot.not_run(box, scale, small=True)
    plot.heatmap(box, cka.get(matrix, size, seed))
    plot.heading(box, title, small_print(cka, size, seed, "block" if matrix == "cka" else f"{matrix}_block"))


def chosen(panel):
    """(size, seed, top PC's share of the variance) of the nth network; in sorted rows, by that share."""
    pca, nth = panel.get("pca"), panel.get("nth", 0)
    size, seed = network(panel["cka"], panel["size"], nth)
    if pca is None or seed is None:
        return size, seed, np.nan
    seeds = panel["cka"].size(size).seeds
    late = {seed: pca.get("late", size, seed) if pca.has("late", size, seed) else np.nan for seed in seeds}
    seed = sorted(late, key=lambda seed: np.nan_to_num(late[seed], nan=-1), reverse=True)[nth]
    return size, seed, late[seed]
