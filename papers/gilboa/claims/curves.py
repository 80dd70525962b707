"""Accuracies over widths of networks whose last layer was retrained on a new task."""

from dataclasses import dataclass
from math import isfinite, nan, sqrt

import numpy as np
from scipy import stats

from papers.gilboa.claims.networks import highest, lowest
from pipeline.claims import LEFT_OUT, TOO_FEW, Estimate, Lack, first_of

FEWEST = 3  # widths that a curve needs
FEWEST_RANKED = 4  # that a rank correlation needs: of three, one order in six is a rise by chance
DRAWS = 1000  # of a bootstrap: its error's error is then 2 %


@dataclass(frozen=True)
class Curves:
    """A panel's accuracies, widths ascending; all NaN, and one width, where the scale leaves the panel out.

    widths: (W,). original, tuned: (W, seeds) on the task trained on, and on the new one; NaN for a network
    that diverged. linear: (seeds,) of a linear classifier on the pixels. inputs: their number.
    """

    widths: np.ndarray
    original: np.ndarray
    tuned: np.ndarray
    linear: np.ndarray
    inputs: float

    @classmethod
    def of(cls, found) -> "Curves":
        """From a result of `transfer`."""
        if not found.has("width"):
            return cls(np.array([nan]), np.array([[nan]]), np.array([[nan]]), np.array([nan]), nan)
        order = np.argsort(found.get("width"))
        widths, original, tuned = (found.get(name)[order] for name in ("width", "original", "tuned"))
        return cls(widths, original, tuned, found.get("linear"), float(found.get("inputs")))

    @property
    def counted(self) -> str:
        return "none there" if self.absent else f"{self.tuned.shape[1]} seeds, {len(self.widths)} widths"

    @property
    def absent(self) -> Lack | None:
        return None if np.isfinite(self.widths).all() else Lack(LEFT_OUT, "its networks")

    @property
    def few(self) -> Lack | None:
        enough = len(set(self.widths)) >= FEWEST
        few = None if enough else Lack(TOO_FEW, "the scale keeps fewer than three widths")
        return first_of(self.absent, few)

    @property
    def unranked(self) -> Lack | None:
        """What a rank correlation lacks."""
        enough = len(set(self.widths)) >= FEWEST_RANKED
        return first_of(
            self.few, None if enough else Lack(TOO_FEW, "of three widths one order in six rises by chance")
        )

    def diverged(self, found: Estimate, widths=slice(None)) -> Lack | None:
        """What a number lacks where networks diverged: all of a width, or so many that its error is unknown.

        widths: that it is of.
        """
        dead = ~(np.isfinite(self.original) & np.isfinite(self.tuned))[widths]
        if not dead.any() or (isfinite(found.se) and not dead.all(axis=1).any()):
            return None
        gone = self.widths[widths][dead.any(axis=1)]
        return Lack(TOO_FEW, f"diverged: of n = {', '.join(f'{width:g}' for width in gone)}")

    @property
    def bridged(self) -> Lack | None:
        """What claims lack that compare widths on both sides of the number of pixels."""
        if self.absent or self.widths[0] < self.inputs < self.widths[-1]:
            return self.few
        return first_of(self.few, Lack(LEFT_OUT, "no widths on both sides of the input dimension"))

    def worst(self) -> float:
        """Mean accuracy of the original task at the width where it is lowest, NaN where one has none."""
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

        Each width's live seeds are drawn anew. The spread of so few draws is too small by sqrt((S - 1) / S).
        Draws that all give one order are no surer than rho's own resolution, `swap`, over sqrt(12).
        """
        value = float(spearman(self.widths, means(self.tuned)))
        rows = [row[np.isfinite(row)] for row in self.tuned]
        seeds, rng = min(map(len, rows)), np.random.default_rng(0)
        if seeds < 2:
            return Estimate(value)
        curves = np.stack([rng.choice(row, (DRAWS, len(row))).mean(axis=1) for row in rows], axis=1)
        spread = float(np.std(spearman(self.widths, curves))) * sqrt(seeds / (seeds - 1))
        return Estimate(value, max(spread, swap(len(rows)) / sqrt(12)))

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


def swap(widths: int) -> float:
    """By how much Spearman's rho of so many widths falls from 1 where two neighbours change places."""
    return 12 / (widths * (widths**2 - 1)) if widths > 1 else nan


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
