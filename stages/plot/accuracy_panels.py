"""Accuracies along networks without and with a block, below their heatmaps: Nguyen et al. 2021, fig. 4 and 5.

Expect of probes (fig. 4): a rise all the way without a block (left); inside one hardly a gain, and probes
after residual additions ahead. Of deletion, from a point to its stage's end (fig. 5): a plateau at the full
network's level inside the block, elsewhere losses.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pipeline.bounds import FILLED
from pipeline.figure import legends, network, present, small_print, studies, titled, variants
from pipeline.options import Pane
from wide import plot

ROOM = {"left": 0.55, "right": 0.55, "top": 0.4, "bottom": 0.75, "across": 0.15, "down": 0.2}


@dataclass(frozen=True)
class Options:
    """measure: whose accuracies stand below the heatmaps. panes: a network each."""

    measure: Literal["probe", "deletion"]
    panes: Annotated[list[Pane], FILLED]


def draw(entry, scale, load):
    panes, measure = entry["panes"], entry["measure"]
    curves, label, lowest = KINDS[measure]
    cka, found = (present(load, name, studies(panes)) for name in ("cka", measure))
    figure, axes = plot.page([1.05] * len(panes), [1.05, 0.85], **ROOM)
    for pane, (top, bottom), similar, accuracies in zip(panes, axes.T, cka, found, strict=True):
        paint(top, bottom, pane, similar, accuracies, scale, curves)
    plot.same_limits(axes[1], lowest)
    for box in axes[:, 1:].flat:
        box.tick_params(labelleft=False)
    axes[0, 0].set_ylabel("layer", fontsize=7)
    axes[1, 0].set_ylabel(label, fontsize=7)
    handles, place = legends(axes[1]), {"loc": "lower center", "bbox_to_anchor": (0.5, 0.04)}
    figure.legend(handles.values(), handles, fontsize=7, ncols=4, **place)
    plot.colour_bar(figure, axes[0, -1], "CKA")
    told = "small print: test accuracy, share of the layers in the block"
    plot.corner(figure, f"{told}; variant {variants(panes)}; scale {scale}")
    return figure


def paint(top, bottom, pane, cka, found, scale, curves):
    """The heatmap of one network and its accuracies."""
    size, seed = network(found, pane["size"])
    ran = cka.has("cka", size, seed)
    bottom.set_xlabel("layer", fontsize=7)
    plot.heading(top, titled(pane["title"], found, size), small_print(cka, size, seed) if ran else "")
    if not ran:
        plot.not_run(top, scale, small=True)
        plot.not_run(bottom, scale, small=True)
        return
    plot.heatmap(top, cka.get("cka", size, seed))
    curves(bottom, found, size, seed)
    fraction, start, stop = cka.get("block", size, seed)
    if fraction:
        bottom.axvspan(start - 0.5, stop - 0.5, color="0.88", zorder=0, linewidth=0, label="the block")
    bottom.sharex(top)
    bottom.tick_params(**plot.SMALL)


def probes(box, found, size, seed):
    for name, label, tone in (("before", "before a residual addition", 1), ("after", "after it", 0)):
        layers, accuracies = found.get(f"index_{name}", size), 100 * found.get(name, size, seed)
        box.plot(layers, accuracies, color=plot.PALETTE[tone], label=label, linewidth=1)


def deletions(box, found, size, seed):
    """A curve a stage, between the bounds of stages."""
    box.axhline(100 * found.get("full", size, seed), color=plot.GREY, linewidth=0.8, label="full network")
    of_layers, of_blocks = found.get("stage", size), found.get("block_stage", size)
    for bound in (of_layers[1:] != of_layers[:-1]).nonzero()[0] + 0.5:
        box.axvline(bound, color=plot.PALETTE[2], linewidth=0.8, label="bounds of stages")
    layers, accuracies = found.get("index", size), 100 * found.get("deleted", size, seed)
    style = {"color": plot.PALETTE[0], "linewidth": 1, "markersize": 2.5}
    for stage in sorted(set(of_blocks)):
        there = of_blocks == stage
        box.plot(
            layers[there], accuracies[there], ".-", label="deleted from here to the stage's end", **style
        )


# By measure: what draws its curves, label of their axis, where it begins.
KINDS = {"probe": (probes, "probe accuracy (%)", None), "deletion": (deletions, "test accuracy (%)", 0)}
