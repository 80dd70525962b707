"""Test accuracy of every depth and width on CIFAR-10 and CIFAR-100, beside the paper's: Nguyen et al. 2021, table B.1.

Expect, where the recipe is not cut: within 0.7 points on CIFAR-10 and 1.5 on CIFAR-100; everywhere: the same order, rising
with depth and, more steeply, with width. An option row has the paper's pair of accuracies for each size.
"""
import numpy as np

from wide import artifacts, plot

HEADER = ["depth", "width", "CIFAR-10 (%)", "paper", "CIFAR-100 (%)", "paper"]


def draw(entry, scale):
    tasks = [[(study, row["variant"]) for study in row["studies"]] for row in entry["rows"]]
    found = plot.present(lambda *task: artifacts.load_numbers(artifacts.training_metrics(scale, entry["reads"], "-".join(task))), sum(tasks, []))
    lines = [HEADER, ["---"] * len(HEADER)]
    for row, pair in zip(entry["rows"], tasks):
        trained = [found[task] for task in pair]
        sizes = {*row["paper"], *trained[0], *trained[1]}
        lines += [cells(size, row, trained) for size in sorted(sizes, key=lambda size: float(size[1:]))]
    networks = [len(size["seeds"]) for sizes in found.values() for size in sizes.values()]
    return "\n".join([f"# {entry['title']}", "", f"Scale {scale}; mean and, of several networks, standard deviation over seeds; "
                      f"n = {min(networks)} to {max(networks)} networks each, in brackets.", "", *map(joined, lines), ""])


def cells(size, row, trained):
    """A line of the table: the size, then ours and the paper's on either data set."""
    facts = {"depth": row.get("depth"), "width": row.get("width"), {"w": "width", "d": "depth"}[size[0]]: float(size[1:])}
    line = [f"{facts['depth']:g}", f"{facts['width']:g}"]
    for measured, paper in zip(trained, row["paper"].get(size, [None, None])):
        line += [ours(measured[size], facts["width"]) if size in measured else "not run", "–" if paper is None else f"{paper:.1f}"]
    return line


def ours(measured, width):
    """Mean and deviation in percent, number of networks, and the width where a cap or the width multiplier changed it."""
    accuracy = 100 * np.array(measured["test_accuracy"], float)
    mean, sd = plot.mean_sd(accuracy)
    spread = f" ± {sd:.1f}" if len(accuracy) > 1 else ""
    return f"{mean:.1f}{spread} ({len(accuracy)})" + (f", at width {measured['width']:g}" if measured["width"] != width else "")


def joined(line):
    return "| " + " | ".join(line) + " |"
