"""Accuracies over widths of networks whose last layer was retrained on a new task."""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from scipy import stats

from papers.gilboa.claims.networks import highest, lowest
from pipeline.claims import LEFT_OUT, TOO_FEW, Estimate, Lack, first_of

FEWEST = 3  # widths that a curve needs
DRAWS = 1000  # of a bootstrap: its error's error is then 2 %


@dataclass(frozen=True)
class Curves:
    """A panel's accuracies, widths ascending.

    widths: (W,). original, tuned: (W, seeds) on the task trained on, and on the new one; NaN for a network
    that diverged. linear: (seeds,) of a linear classifier on the pixels. inputs: their number.
    """

    widths: np.ndarray
    original: np.ndarray
    tuned: np.ndarray
    linear: np.ndarray
    inputs: float

    @classmethod
    def of(cls, found) -> "Curves | None":
        """From a result of `transfer`; None where the scale leaves it out."""
        if not found.has("width"):
            return None
        order = np.argsort(found.get("width"))
        widths, original, tuned = (found.get(name)[order] for name in ("width", "original", "tuned"))
        return cls(widths, original, tuned, found.get("linear"), float(found.get("inputs")))

    @property
    def counted(self) -> str:
        return f"{self.tuned.shape[1]} seeds, {len(self.widths)} widths"

    @property
    def few(self) -> Lack | None:
        enough = len(set(self.widths)) >= FEWEST
        return None if enough else Lack(TOO_FEW, "the scale keeps fewer than three widths")

    @property
    def bridged(self) -> Lack | None:
        """What claims lack that compare widths on both sides of the number of pixels."""
        if self.widths[0] < self.inputs < self.widths[-1]:
            return self.few
        return first_of(self.few, Lack(LEFT_OUT, "no widths on both sides of the input dimension"))

    def worst(self) -> float:
        """Mean accuracy of the original task at the width where it is lowest."""
        return float(np.min(means(self.original)))

    def span(self) -> Estimate:
        """Of the original task's mean accuracies: the highest minus the lowest, which noise makes larger."""
        rows = [Estimate.of(row) for row in self.original]
        return highest(rows).minus(lowest(rows))

    def gain(self) -> Estimate:
        """Of the new task: the widest networks minus the narrowest."""
        return Estimate.of(self.tuned[-1]).minus(Estimate.of(self.tuned[0]))

    def rank(self) -> Estimate:
        """Spearman's rho of the new task's mean accuracies with width, its error by a bootstrap over seeds.

        Each width's seeds are drawn anew. The spread of so few draws is too small by sqrt((S - 1) / S).
        """
        value, seeds = float(spearman(self.widths, means(self.tuned))), self.tuned.shape[1]
        if seeds < 2 or not np.isfinite(self.tuned).all():
            return Estimate(value)
        drawn = np.random.default_rng(0).integers(0, seeds, (DRAWS, *self.tuned.shape))
        curves = np.take_along_axis(self.tuned[None], drawn, 2).mean(2)
        spread = float(np.std(spearman(self.widths, curves)))
        return Estimate(value, spread * sqrt(seeds / (seeds - 1)))

    def at_inputs(self) -> Estimate:
        """The new task at as many units as there are pixels, along log2 of the width, minus `linear`."""
        log, middle = np.log2(self.widths), np.log2(self.inputs)
        return Estimate.of([np.interp(middle, log, row) for row in self.tuned.T] - self.linear)

    def slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the new task, below and above as many units as pixels, a doubling of width: (seeds,) each."""
        log, middle = np.log2(self.widths), np.log2(self.inputs)
        return self._slope(log[0], middle), self._slope(middle, log[-1])

    def _slope(self, start, stop) -> np.ndarray:
        log = np.log2(self.widths)
        rises = [np.diff(np.interp([start, stop], log, row))[0] for row in self.tuned.T]
        return np.array(rises) / max(stop - start, 1e-9)

    def trend(self) -> str:
        """Slope of the original task's accuracies a doubling of the width, with its 95 % confidence
        interval.
        """
        x = np.repeat(np.log2(self.widths), self.original.shape[1])
        y = self.original.ravel()
        live = np.isfinite(y)
        if len(set(x[live])) < 2:
            return "one width"
        fit, free = stats.linregress(x[live], y[live]), live.sum() - 2
        reach = stats.t.ppf(0.975, free) * fit.stderr if free > 0 else np.inf
        return f"slope {100 * fit.slope:+.2f} ± {100 * reach:.2f} a doubling (95 %)"


def means(rows) -> list:
    """Mean of each width's live networks, NaN for none."""
    return [Estimate.of(row).value for row in rows]


def spearman(widths, curves) -> np.ndarray:
    """Spearman's rho of each curve: (W,), (..., W) -> (...).

    0 for a curve without any rise, NaN for one with a hole or for a single width.
    """
    x, y = (stats.rankdata(values, axis=-1) for values in (widths, curves))
    x, y = (ranks - ranks.mean(axis=-1, keepdims=True) for ranks in (x, y))
    size = np.sqrt((x**2).sum() * (y**2).sum(axis=-1))
    whole = np.isfinite(curves).all(axis=-1) & bool(x.any())
    rho = (x * y).sum(axis=-1) / np.where(size > 0, size, 1)
    return np.where(whole, np.round(rho, 12), nan)  # a rounding error is not above a threshold
