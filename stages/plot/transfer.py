"""Accuracy on the original task, and on a new one, the last layer retrained: Gilboa & Gur-Ari 2019, fig. 4.

Expect: the original task flat in the width, the new task rising with it, on the left steeply up to the
input dimension and gently beyond, where it passes the linear classifier on pixels (37.5 % on the right).
Mean and sd over seeds.
"""

from dataclasses import dataclass
from typing import Annotated

from pipeline.figure import legends
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
    figure, axes = plot.page([2.15, 2.15], [2.0], top=0.72, bottom=0.55, across=0.6)
    for box, panel in zip(axes[0], entry["panels"], strict=True):
        found = load(panel["study"], "transfer", panel["variant"])
        curves(box, found, panel)
    legend(figure, axes[0])
    seeds = found.get("tuned").shape[1]
    plot.corner(figure, f"mean and sd of n = {seeds} seeds, scale {scale}")
    return figure


def curves(box, found, panel):
    widths, inputs = found.get("width"), found.get("inputs")
    for (name, (label, marker)), colour in zip(CURVES.items(), plot.class_colours(len(CURVES)), strict=True):
        mean, sd = plot.mean_sd(100 * found.get(name))
        box.errorbar(widths, mean, sd, color=colour, marker=marker, label=label)
    linear = 100 * found.get("linear").mean()
    box.axhline(linear, color=plot.GREY, linestyle="--", label="linear classifier on pixels")
    if panel["mark_inputs"] and widths.min() < inputs < widths.max():
        style = {"color": plot.GREY, "linewidth": 0.6, "linestyle": ":"}
        box.axvline(inputs, label=f"input dimension {inputs}", **style)
    plot.width_axis(box, widths)
    box.set(title=panel["title"], xlabel=panel["xlabel"], ylabel="test accuracy (%)")
    box.grid(axis="y")


def legend(figure, boxes):
    """One for all panels. matplotlib lists plain lines first; here the curves of the tasks stand first."""
    handles = legends(boxes)
    tasks = [label for label, _ in CURVES.values()]
    labels = [*tasks, *(label for label in handles if label not in tasks)]
    ordered = [handles[label] for label in labels]
    figure.legend(ordered, labels, loc="upper center", ncols=2, borderaxespad=0.2)
