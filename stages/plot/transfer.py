"""Accuracy on the original task and, with the last layer retrained, on a new one: Gilboa & Gur-Ari 2019, fig. 4.

Expect: the original task flat in the width, the new task rising with it, on the left steeply up to the input dimension
and gently beyond, where it passes the linear classifier on pixels (37.5 % on the right). Mean and sd over seeds.
"""
from wide import artifacts, plot

CURVES = {"original": ("original task", "o"), "tuned": ("new task, last layer retrained", "s")}


def draw(entry, scale):
    figure, axes = plot.page([2.15, 2.15], [2.0], top=0.72, bottom=0.55, across=0.6)
    for box, panel in zip(axes[0], entry["panels"], strict=True):
        found = artifacts.load_result(artifacts.result(scale, entry["reads"], "transfer", panel["study"]))
        curves(box, found, panel)
    handles = {label: handle for box in axes[0] for handle, label in zip(*box.get_legend_handles_labels())}
    order = sorted(handles, key=lambda label: "task" not in label)  # matplotlib lists plain lines first
    figure.legend([handles[label] for label in order], order, loc="upper center", ncols=2, borderaxespad=0.2)
    plot.corner(figure, f"mean and sd of n = {found['tuned'].shape[1]} seeds, scale {scale}")
    return figure


def curves(box, found, panel):
    for (name, (label, marker)), colour in zip(CURVES.items(), plot.class_colours(len(CURVES))):
        mean, sd = plot.mean_sd(100 * found[name])
        box.errorbar(found["width"], mean, sd, color=colour, marker=marker, label=label)
    box.axhline(100 * found["linear"].mean(), color=plot.GREY, linestyle="--", label="linear classifier on pixels")
    if panel["mark_inputs"] and found["width"].min() < found["inputs"] < found["width"].max():
        box.axvline(found["inputs"], color=plot.GREY, linewidth=0.6, linestyle=":",
                    label=f"input dimension {found['inputs']}")
    plot.width_axis(box, found["width"])
    box.set(title=panel["title"], xlabel=panel["xlabel"], ylabel="test accuracy (%)")
    box.grid(axis="y")
