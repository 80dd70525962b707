"""CKA between all layers of single networks, one heatmap each: Nguyen et al. 2021, fig. 1, 2, C.1, D.1-D.6.

Expect: a checkerboard in small networks; with depth and width (fig. 1, C.1), and sooner with less data (2,
D.2-D.4), a bright square of late layers, at another place in every seed (D.1), where the top PC holds much
variance (D.5); without the first PC it goes (D.6).
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from pipeline.bounds import FILLED, Positive, between
from pipeline.figure import left_out, network, nothing, present, studies, titled
from pipeline.options import Pane, Size, Study, Title, Variant
from pipeline.panels import close, compact, floors, small_print, stages, trained_on, unrun
from wide import plot

SIDE = 0.9  # inches: of a heatmap at most, by default
ROOM = {"left": 0.72, "right": 0.55, "across": 0.22, "bottom": 0.3}
PRINTED = "Above each: test accuracy, the block's share of the layers."
BESIDE = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "right", "va": "center"}


@dataclass(frozen=True)
class Row:
    """Panels of their own; or a study's variant with sizes, or with one size and so many seeds.

    untrained: its accuracies say nothing.
    """

    label: Title
    panels: Annotated[list[Pane], FILLED] = None
    study: Study = None
    variant: Variant = None
    title: Title = None
    sizes: Annotated[list[Size], FILLED] = None
    size: Size = None
    seeds: Annotated[int, between(1, 100)] = None
    untrained: bool = False

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
    """matrix: removed is CKA without the top component. sort: seeds by its share. side: inches, at most.

    data: what networks were trained on, by variant; of rows that list no panels.
    """

    rows: Annotated[list[Row], FILLED]
    matrix: Literal["cka", "removed"] = "cka"
    sort: bool = False
    side: Positive = None
    data: dict[str, str] = None


def draw(entry, scale, load):
    rows = [[row | panel for panel in panels(row)] for row in entry["rows"]]
    everything, matrix = [panel for row in rows for panel in row], entry.get("matrix", "cka")
    for measure in ("cka", "pca") if entry.get("sort") else ("cka",):
        for panel, found in zip(everything, present(load, measure, studies(everything)), strict=True):
            panel[measure] = found
    known = floors(entry, load)
    for panel in everything:
        describe(panel, matrix, known)
    shown, missing = compact(rows), unrun(rows)
    if not shown:
        return plot.note(nothing(missing, scale))
    figure = page(shown, entry.get("side", SIDE))
    trained = [panel for panel in everything if panel["ran"] and not {"panels", "untrained"} & panel.keys()]
    told = trained_on(entry.get("data", {}), trained, known, scale)
    close(figure, told, PRINTED, left_out(missing, scale))
    return figure


def panels(row):
    """What sets the panels of a row apart: what they list, the nth seeds of one size, or their sizes."""
    seeds = [{"nth": nth} for nth in range(row.get("seeds", 0))]
    return row.get("panels") or seeds or [{"size": size} for size in row["sizes"]]


def describe(panel, matrix, known):
    """Add to a panel what it shows: its titles and, where it ran, similarities, block and small print."""
    cka = panel["cka"]
    size, seed, share = chosen(panel)
    facts = {"seed": panel.get("nth", 0) if seed is None else seed, "late": share}
    panel["name"] = titled(panel["label"], cka, size) or f"the {panel['size']} network"
    title = titled(panel["title"], cka, size, **facts).replace("nan", "–")  # a share that was not measured
    panel |= {"heading": title or panel["name"], "ran": cka.has(matrix, size, seed)}
    if panel["ran"]:
        block = "block" if matrix == "cka" else f"{matrix}_block"
        panel["drawn"] = cka.get(matrix, size, seed), stages(cka, size)
        panel["block"] = cka.get(block, size, seed)
        panel["small"] = small_print(cka, panel, size, seed, known, block)


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


def page(rows, side):
    """The heatmaps below their titles, as large as there is room for side by side."""
    columns = max(map(len, rows))
    side = plot.fitting(columns, side, **ROOM)
    top, *down = [max(plot.room_above(p["heading"], p["small"]) + 0.08 for p in row if p) for row in rows]
    figure, axes = plot.page([side] * columns, [side] * len(rows), top=top, down=down, **ROOM)
    for row, boxes in zip(rows, axes, strict=True):
        for box, panel in zip(boxes, [*row, *[None] * (columns - len(row))], strict=True):
            paint(box, panel) if panel else box.set_axis_off()
        label(boxes[0], next(filter(None, row)))
    for box, panel in zip(axes[-1], rows[-1], strict=False):
        box.set_xlabel("layer" if panel else "", fontsize=plot.TITLE, labelpad=2)
    plot.colour_bar(figure, axes[0, -1], "CKA")
    return figure


def paint(box, panel):
    plot.heatmap(box, *panel["drawn"])
    box.tick_params(labelbottom=False)
    plot.outline(box, *[plot.seen(panel["block"])] * 2)
    plot.heading(box, panel["heading"], panel["small"])


def label(box, panel):
    """A row's, to the left of its first place."""
    box.annotate(panel["name"], (0, 0.5), (-22, 0), fontsize=plot.TITLE, rotation=90, ma="center", **BESIDE)
    box.annotate("layer", (0, 0.5), (-12, 0), fontsize=plot.TITLE, rotation=90, **BESIDE)
