"""Test accuracy of every depth and width on CIFAR-10 and CIFAR-100: Nguyen et al. 2021, table B.1.

Expect, where the recipe is not cut: within 0.7 points of the paper's on CIFAR-10 and 1.5 on CIFAR-100;
everywhere: the same order, rising with depth and, more steeply, with width. A row of options has the paper's
pair of accuracies for each size.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from pipeline.bounds import FILLED, Count, Positive
from pipeline.figure import left_out, nothing, page, present, stated, table
from pipeline.options import Key, Study, Variant, of_length
from wide import plot

HEADER = ["depth", "width", "CIFAR-10 (%)", "paper", "CIFAR-100 (%)", "paper"]


@dataclass(frozen=True)
class Row:
    """studies: on either data set. depth, width: what sizes share. paper: accuracies in percent."""

    studies: Annotated[list[Study], of_length(2)]
    variant: Variant
    paper: Annotated[dict[Key, Annotated[list[float], of_length(2)]], FILLED]
    depth: Count = None
    width: Positive = None

    def __post_init__(self):
        for key in self.paper:
            if (self.width if key[0] == "d" else self.depth) is None:
                raise ValueError(f"a row with the size {key} has a {'width' if key[0] == 'd' else 'depth'}")


@dataclass(frozen=True)
class Options:
    """A row a depth, or a study by depth."""

    rows: Annotated[list[Row], FILLED]


def draw(entry, scale, load):
    wanted = [(study, row["variant"]) for row in entry["rows"] for study in row["studies"]]
    found = present(load, "training", wanted)
    lines, missing = [HEADER], []
    for row, trained in zip(entry["rows"], zip(found[::2], found[1::2], strict=True), strict=True):
        ran = {*trained[0].keys(), *trained[1].keys()}
        lines += [cells(key, row, trained) for key in sorted(ran, key=number)]
        missing += [name(key, row) for key in sorted(row["paper"].keys() - ran, key=number)]
    networks = [len(size.seeds) for trained in found for size in trained.sizes()]
    if not networks:
        return page(entry["title"], nothing(missing, scale))
    intro = (
        f"Scale {scale}; mean and, of several networks, standard deviation over seeds; "
        f"n = {counted(min(networks), max(networks))} each, in brackets."
    )
    return page(entry["title"], *filter(None, [intro, table(lines), left_out(missing, scale)]))


def counted(fewest, most):
    """How many networks a size has, in words."""
    plural = "s" * (most > 1)
    return f"{most} network{plural}" if fewest == most else f"{fewest} to {most} networks"


def facts(key, row):
    """Depth and width of a size."""
    return {"depth": row.get("depth"), "width": row.get("width"), **stated(key)}


def name(key, row):
    """The network of a size."""
    return "ResNet-{depth:g} ({width:g}×)".format(**facts(key, row))


def number(key):
    """The depth or the width that a size's key says."""
    return max(stated(key).values())


def cells(key, row, trained):
    """A line of the table: the size, then ours and the paper's on either data set."""
    depth, width = facts(key, row).values()
    line = [f"{depth:g}", f"{width:g}"]
    for measured, paper in zip(trained, row["paper"].get(key, [None, None]), strict=True):
        ran = key in measured.keys()
        line.append(ours(measured.size(key), width) if ran else "not run")
        line.append("–" if paper is None else f"{paper:.1f}")
    return line


def ours(size, width):
    """Mean and deviation in percent, number of networks, and the width where a cap or a factor changed it."""
    accuracy = 100 * np.array([value for value in size.accuracy if np.isfinite(value)])
    if not len(accuracy):
        return "diverged"
    mean, sd = plot.mean_sd(accuracy)
    spread = f" ± {sd:.1f}" if len(accuracy) > 1 else ""
    changed = f", at width {size.width:g}" if size.width != width else ""
    return f"{mean:.1f}{spread} ({len(accuracy)}){changed}"
