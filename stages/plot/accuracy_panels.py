"""Accuracies along networks without and with a block, below their heatmaps: Nguyen et al. 2021, figs. 4 (probe) and 5 (deletion).

Expect of probes: a rise all the way without a block (left); inside one hardly a gain, and probes after residual additions ahead.
Of deletion, from a point to its stage's end: a plateau at the full network's level inside the block, elsewhere losses.
"""
from wide import artifacts, plot


def draw(entry, scale):
    curves, label, lowest = {"probe": (probes, "probe accuracy (%)", None), "deletion": (deletions, "test accuracy (%)", 0)}[entry["measure"]]
    panes = plot.at_scale(entry["panes"], scale)
    files = [plot.present(lambda *key: artifacts.load_result(artifacts.result(scale, key[0], measure, key[1])),
                          [(pane["study"], pane["variant"]) for pane in panes]) for measure in ("cka", entry["measure"])]
    figure, axes = plot.page([1.05] * len(panes), [1.05, 0.85], left=0.55, right=0.55, top=0.4, bottom=0.75, across=0.15, down=0.2)
    for pane, boxes in zip(panes, axes.T):
        paint(*boxes, pane, *(file[pane["study"], pane["variant"]] for file in files), scale, curves)
    plot.same_limits(axes[1], lowest)
    for box in axes[:, 1:].flat:
        box.tick_params(labelleft=False)
    axes[0, 0].set_ylabel("layer", fontsize=7)
    axes[1, 0].set_ylabel(label, fontsize=7)
    handles = {label: handle for box in axes[1] for handle, label in zip(*box.get_legend_handles_labels())}
    figure.legend(handles.values(), handles, loc="lower center", bbox_to_anchor=(0.5, 0.04), fontsize=7, ncols=4)
    plot.colour_bar(figure, axes[0, -1], "CKA")
    variants = ", ".join(dict.fromkeys(pane["variant"] for pane in panes))
    plot.corner(figure, f"small print: test accuracy, share of the layers in the block; variant {variants}; scale {scale}")
    return figure


def paint(top, bottom, pane, cka, found, scale, curves):
    size, seed = plot.member(found, pane["size"], pane.get("seed", 0))
    of = f"{size}/{seed}"
    bottom.set_xlabel("layer", fontsize=7)
    plot.heading(top, plot.named(pane["title"], found, size), plot.results(cka, size, seed) if f"{of}/cka" in cka else "")
    if f"{of}/cka" not in cka:
        for box in (top, bottom):
            plot.not_run(box, scale, small=True)
        return
    plot.heatmap(top, cka[f"{of}/cka"])
    curves(bottom, found, f"{size}/", f"{of}/")
    fraction, start, stop = cka[f"{of}/block"]
    if fraction:
        bottom.axvspan(start - 0.5, stop - 0.5, color="0.88", zorder=0, linewidth=0, label="the block")
    bottom.sharex(top)
    bottom.tick_params(**plot.SMALL)


def probes(box, found, size, of):
    for name, label, tone in (("before", "before a residual addition", 1), ("after", "after it", 0)):
        box.plot(found[f"{size}index/{name}"], 100 * found[f"{of}{name}"], color=plot.PALETTE[tone], label=label, linewidth=1)


def deletions(box, found, size, of):
    box.axhline(100 * found[f"{of}full"], color=plot.GREY, linewidth=0.8, label="full network")
    for bound in (found[f"{size}stage"][1:] != found[f"{size}stage"][:-1]).nonzero()[0] + 0.5:
        box.axvline(bound, color=plot.PALETTE[2], linewidth=0.8, label="bounds of stages")
    for stage in sorted(set(found[f"{size}block_stage"])):
        there = found[f"{size}block_stage"] == stage
        box.plot(found[f"{size}index"][there], 100 * found[f"{of}deleted"][there], ".-", color=plot.PALETTE[0],
                 linewidth=1, markersize=2.5, label="deleted from here to the stage's end")
