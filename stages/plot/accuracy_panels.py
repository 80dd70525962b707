"""Accuracies along networks without and with a block, below their heatmaps: Nguyen et al. 2021, fig. 4 and 5.

Expect of probes (fig. 4): a rise all the way without a block (left); inside one hardly a gain, and probes
after residual additions ahead. Of deletion, from a point to its stage's end (fig. 5): a plateau at the full
network's level inside the block, elsewhere losses.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pipeline.bounds import FILLED
from pipeline.figure import left_out, legends, network, nothing, present, studies, titled
from pipeline.options import Pane
from pipeline.panels import close, floors, small_print, stages, trained_on
from wide import plot

SIDE, HEIGHT = 1.05, 0.85  # inches: of a heatmap at most, of the panel below
ROOM = {"left": 0.45, "right": 0.55, "bottom": 0.56, "across": 0.2, "down": 0.15}
PRINTED = "Above each: test accuracy, the block's share of the layers."
CURVE = {"color": plot.PALETTE[0], "linewidth": 1, "markersize": 2.5}
LEGEND = {
    "loc": "upper center",
    "borderaxespad": 0,
    "fontsize": plot.LEAST_TYPE,
    "ncols": 4,
    "columnspacing": 1,
}


@dataclass(frozen=True)
class Options:
    """measure: whose accuracies stand below the heatmaps. panes: a network each. data: as cka_grid's."""

    measure: Literal["probe", "deletion"]
    panes: Annotated[list[Pane], FILLED]
    data: dict[str, str] = None


def draw(entry, scale, load):
    panes = [dict(pane) for pane in entry["panes"]]
    for measure in ("cka", entry["measure"]):
        for pane, found in zip(panes, present(load, measure, studies(panes)), strict=True):
            pane[measure] = found
    known = floors(entry, load)
    for pane in panes:
        describe(pane, pane[entry["measure"]], known)
    shown, missing = [pane for pane in panes if pane["ran"]], [p["heading"] for p in panes if not p["ran"]]
    if not shown:
        return plot.note(nothing(missing, scale))
    figure, axes = page(shown, entry["measure"])
    close(figure, trained_on(entry.get("data", {}), shown, known, scale), PRINTED, left_out(missing, scale))
    low, handles = axes[1, 0].get_position().y0 - 0.3 / figure.get_size_inches()[1], legends(axes[1])
    figure.legend(handles.values(), handles, bbox_to_anchor=(0.5, low), **LEGEND)
    return figure


def describe(pane, found, known):
    """Add to a pane its network, where it ran, and titles."""
    size, seed = network(found, pane["size"])
    heading = titled(pane["title"], found, size) or f"the {pane['size']} network"
    pane |= {"net": (size, seed), "heading": heading, "ran": pane["cka"].has("cka", size, seed)}
    pane["small"] = small_print(pane["cka"], pane, size, seed, known) if pane["ran"] else ""


def page(panes, measure):
    """A column a network: its heatmap, and its accuracies below."""
    curves, label, lowest = KINDS[measure]
    side = plot.fitting(len(panes), SIDE, **ROOM)
    top = max(plot.room_above(pane["heading"], pane["small"]) for pane in panes)
    figure, axes = plot.page([side] * len(panes), [side, HEIGHT], top=top, **ROOM)
    for pane, boxes in zip(panes, axes.T, strict=True):
        paint(*boxes, pane, pane[measure], curves)
        boxes[1].tick_params(labelleft=pane is panes[0])
    plot.same_limits(axes[1], lowest)
    axes[0, 0].set_ylabel("layer", fontsize=plot.TITLE, labelpad=2)
    axes[1, 0].set_ylabel(label, fontsize=plot.TITLE, labelpad=2)
    plot.colour_bar(figure, axes[0, -1], "CKA")
    return figure, axes


def paint(top, bottom, pane, found, curves):
    """The heatmap of one network and its accuracies."""
    matrix, bounds = pane["cka"].get("cka", *pane["net"]), stages(pane["cka"], pane["net"][0])
    plot.heading(top, pane["heading"], pane["small"])
    plot.heatmap(top, matrix, bounds)
    top.tick_params(labelbottom=False)
    block = plot.seen(pane["cka"].get("block", *pane["net"]))
    plot.outline(top, block, block)
    curves(bottom, found, *pane["net"])
    plot.shade(bottom, block)
    bottom.tick_params(**plot.SMALL)
    plot.layer_axis(bottom.xaxis, len(matrix), bounds)
    bottom.set_xlim(-0.5, len(matrix) - 0.5)
    bottom.set_xlabel("layer", fontsize=plot.TITLE, labelpad=2)


def probes(box, found, size, seed):
    for name, label, tone in (("before", "before a residual addition", 1), ("after", "after it", 0)):
        layers, accuracies = found.get(f"index_{name}", size), 100 * found.get(name, size, seed)
        box.plot(layers, accuracies, color=plot.PALETTE[tone], label=label, linewidth=1)


def deletions(box, found, size, seed):
    """A curve a stage, between the bounds of stages."""
    box.axhline(100 * found.get("full", size, seed), color=plot.GREY, linewidth=0.8, label="full network")
    of_layers, of_blocks = found.get("stage", size), found.get("block_stage", size)
    for bound in (of_layers[1:] != of_layers[:-1]).nonzero()[0] + 0.5:
        box.axvline(bound, color=plot.STAGE, linewidth=0.8, label="bounds of stages")
    layers, accuracies = found.get("index", size), 100 * found.get("deleted", size, seed)
    for stage in sorted(set(of_blocks)):
        there = of_blocks == stage
        box.plot(
            layers[there], accuracies[there], ".-", label="deleted from here to the stage's end", **CURVE
        )


# By measure: what draws its curves, label of their axis, where it begins.
KINDS = {"probe": (probes, "probe accuracy (%)", None), "deletion": (deletions, "test accuracy (%)", 0)}
