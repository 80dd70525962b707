"""Accuracy without residual blocks, below the heatmaps of the same networks: Nguyen et al. 2021, fig. 5.

From the right end of each stage blocks go one by one, and their shortcuts stay: a point is the accuracy without the
block there and all later ones of its stage. Expect: a plateau at the level of the full network where the block
structure lies (right panes); without one (left), a loss with nearly every block.
"""
import numpy as np

from wide import artifacts, plot

SIDE, HEIGHT = 1.05, 0.85  # inches of a heatmap, and of the curves below it


def draw(entry, scale):
    panes = plot.at_scale(entry["panes"], scale)
    cka, deletion = (plot.present(lambda *key: artifacts.load_result(artifacts.result(scale, key[0], measure, key[1])),
                                  [(pane["study"], pane["variant"]) for pane in panes]) for measure in ("cka", "deletion"))
    figure, axes = plot.page([SIDE] * len(panes), [SIDE, HEIGHT], left=0.55, right=0.55, top=0.4, bottom=0.75, across=0.15, down=0.2)
    for pane, boxes in zip(panes, axes.T):
        study = pane["study"], pane["variant"]
        paint(*boxes, pane, cka[study], deletion[study], scale)
    plot.same_limits(axes[1], low=0)
    for box in axes[:, 1:].flat:
        box.tick_params(labelleft=False)
    for box, label in zip(axes[:, 0], ("layer", "test accuracy (%)")):
        box.set_ylabel(label, fontsize=7)
    handles = {label: handle for box in axes[1] for handle, label in zip(*box.get_legend_handles_labels())}
    figure.legend(handles.values(), handles, loc="lower center", bbox_to_anchor=(0.5, 0.04), fontsize=7, ncols=4)
    plot.colour_bar(figure, axes[0, -1], "CKA")
    variants = ", ".join(dict.fromkeys(pane["variant"] for pane in panes))
    plot.corner(figure, f"small print: test accuracy, share of the layers in the block; variant {variants}; scale {scale}")
    return figure


def paint(top, bottom, pane, cka, deletion, scale):
    size, seed = plot.member(deletion, pane["size"], pane.get("seed", 0))
    title, of = plot.named(pane["title"], deletion, size), f"{size}/{seed}"
    bottom.set_xlabel("layer", fontsize=7)
    if f"{of}/cka" not in cka:
        plot.not_run(top, scale, small=True)
        plot.not_run(bottom, scale, small=True)
        return plot.heading(top, title)
    plot.heatmap(top, cka[f"{of}/cka"])
    plot.heading(top, title, plot.results(cka, size, seed))
    bottom.axhline(100 * deletion[f"{of}/full"], color=plot.GREY, linewidth=0.8, label="full network")
    for bound in np.flatnonzero(np.diff(deletion[f"{size}/stage"])) + 0.5:
        bottom.axvline(bound, color=plot.PALETTE[2], linewidth=0.8, label="bounds of stages")
    for stage in np.unique(deletion[f"{size}/block_stage"]):
        there = deletion[f"{size}/block_stage"] == stage
        bottom.plot(deletion[f"{size}/index"][there], 100 * deletion[f"{of}/deleted"][there], ".-", color=plot.PALETTE[0],
                    linewidth=1, markersize=2.5, label="deleted from here to the stage's end")
    fraction, start, stop = cka[f"{of}/block"]
    if fraction:
        bottom.axvspan(start - 0.5, stop - 0.5, color="0.88", zorder=0, linewidth=0, label="the block")
    bottom.sharex(top)
    bottom.tick_params(**plot.SMALL)
