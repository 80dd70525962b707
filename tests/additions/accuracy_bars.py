"""Test accuracy of every size of a variant, a bar each."""

from dataclasses import dataclass

import numpy as np

from pipeline.options import Study, Variant
from wide import plot


@dataclass(frozen=True)
class Options:
    """Whose accuracies."""

    study: Study
    variant: Variant


def draw(entry, scale, load):
    sizes = load(entry["study"], "training", entry["variant"]).sizes()
    figure, [[box]] = plot.page([2.5], [1.8])
    box.bar([size.key for size in sizes], [100 * np.mean(size.accuracy) for size in sizes])
    box.set(title=entry["title"], ylabel="test accuracy (%)")
    plot.corner(figure, f"scale {scale}")
    return figure
