"""Accuracy on the original task, and on a new one, the last layer retrained: Gilboa & Gur-Ari 2019, fig. 4.

Expect: the original task flat in the width, the new task rising with it, on the left steeply up to the
input dimension and gently beyond, where it passes the linear classifier on pixels (37.5 % on the right).
Mean and sd over seeds.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from pipeline.figure import left_out, legends, listing, nothing, present, studies
from pipeline.options import Study, Variant, of_length
from wide import plot

CURVES = {"original": ("original task", "o"), "tuned": ("new task, last layer retrained", "s")}


@dataclass(frozen=True)
class Panel:
    """mark_inputs: whether the number of input pixels is marked."""

    study: Study
    variant: Variant
    title: str
    xlabel: str
    mark_inputs: bool


@dataclass(frozen=True)
class Options:
    """Two panels."""

    panels: Annotated[list[Panel], of_length(2)]


def draw(entry, scale, load):
    results = present(load, "transfer", studies(entry["panels"]))
    both = list(zip(entry["panels"], results, strict=True))
    ran = [(panel, found) for panel, found in both if found.has("tuned")]
    missing = [panel["title"] for panel, found in both if not found.has("tuned")]
    if not ran:
        return plot.note(nothing(missing, scale))
    figure, axes = plot.page([2.15] * len(ran), [2.0], top=0.62, bottom=0.45, across=0.6)
    for box, (panel, found) in zip(axes[0], ran, strict=True):
        curves(box, found, panel)
    legend(figure, axes[0])
    counts = list(dict.fromkeys(str(found.get("tuned").shape[1]) for _, found in ran))
    told = f"Mean and standard deviation over {listing(counts)} networks a width, scale {scale}."
    plot.footer(figure, f"{told} {left_out(missing, scale)}")
    return figure


def curves(box, found, panel):
    widths, inputs = found.get("width"), found.get("inputs")
    order = np.argsort(widths)
    for (name, (label, marker)), colour in zip(CURVES.items(), plot.class_colours(len(CURVES)), strict=True):
        mean, sd = plot.mean_sd(100 * found.get(name))
        style = {"color": colour, "marker": marker, "markersize": 3, "label": label}
        box.errorbar(widths[order], mean[order], sd[order], **style)
    linear = 100 * found.get("linear").mean()
    box.axhline(linear, color=plot.GREY, linestyle="--", label="new task, linear classifier on pixels")
    if panel["mark_inputs"] and widths.min() < inputs < widths.max():
        style = {"color": plot.GREY, "linewidth": 0.6, "linestyle": ":"}
        box.axvline(inputs, label=f"input dimension {inputs}", **style)
    plot.width_axis(box, widths)
    box.set_title(panel["title"], fontsize=8)
    box.set(xlabel=panel["xlabel"], ylabel="test accuracy (%)")
    box.grid(axis="y")


def legend(figure, boxes):
    """One for all panels. matplotlib lists plain lines first; here the curves of the tasks stand first."""
    handles = legends(boxes)
    tasks = [label for label, _ in CURVES.values()]
    labels = [*tasks, *(label for label in handles if label not in tasks)]
    ordered = [handles[label] for label in labels]
    figure.legend(ordered, labels, loc="upper center", ncols=2, borderaxespad=0.2)
