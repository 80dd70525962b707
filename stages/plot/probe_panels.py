"""Linear probes along networks without and with a block, below their heatmaps: Nguyen et al. 2021, fig. 4.

Expect: without a block (left) accuracy that rises all the way; with one (right) hardly a gain from the block's start to
its end, where probes after the residual additions are ahead of those just before.
"""
from wide import artifacts, plot

SIDE, HEIGHT = 1.05, 0.85  # inches of a heatmap, and of the curves below it
CURVES = {"before": ("before a residual addition", plot.PALETTE[1]), "after": ("after it", plot.PALETTE[0])}


def draw(entry, scale):
    panes = plot.at_scale(entry["panes"], scale)
    cka, probe = (plot.present(lambda *key: artifacts.load_result(artifacts.result(scale, key[0], measure, key[1])),
                               [(pane["study"], pane["variant"]) for pane in panes]) for measure in ("cka", "probe"))
    figure, axes = plot.page([SIDE] * len(panes), [SIDE, HEIGHT], left=0.55, right=0.55, top=0.4, bottom=0.75, across=0.15, down=0.2)
    for pane, boxes in zip(panes, axes.T):
        study = pane["study"], pane["variant"]
        paint(*boxes, pane, cka[study], probe[study], scale)
    plot.same_limits(axes[1])
    for box in axes[:, 1:].flat:
        box.tick_params(labelleft=False)
    for box, label in zip(axes[:, 0], ("layer", "probe accuracy (%)")):
        box.set_ylabel(label, fontsize=7)
    handles = {label: handle for box in axes[1] for handle, label in zip(*box.get_legend_handles_labels())}
    figure.legend(handles.values(), handles, loc="lower center", bbox_to_anchor=(0.5, 0.04), fontsize=7, ncols=3)
    plot.colour_bar(figure, axes[0, -1], "CKA")
    variants = ", ".join(dict.fromkeys(pane["variant"] for pane in panes))
    plot.corner(figure, f"small print: test accuracy, share of the layers in the block; variant {variants}; scale {scale}")
    return figure


def paint(top, bottom, pane, cka, probe, scale):
    size, seed = plot.member(probe, pane["size"], pane.get("seed", 0))
    title, of = plot.named(pane["title"], probe, size), f"{size}/{seed}"
    bottom.set_xlabel("layer", fontsize=7)
    if f"{of}/cka" not in cka:
        plot.not_run(top, scale, small=True)
        plot.not_run(bottom, scale, small=True)
        return plot.heading(top, title)
    plot.heatmap(top, cka[f"{of}/cka"])
    plot.heading(top, title, plot.results(cka, size, seed))
    for name, (label, colour) in CURVES.items():
        bottom.plot(probe[f"{size}/index/{name}"], 100 * probe[f"{of}/{name}"], color=colour, label=label, linewidth=1)
    fraction, start, stop = cka[f"{of}/block"]
    if fraction:
        bottom.axvspan(start - 0.5, stop - 0.5, color="0.88", zorder=0, linewidth=0, label="the block")
    bottom.sharex(top)
    bottom.tick_params(**plot.SMALL)
