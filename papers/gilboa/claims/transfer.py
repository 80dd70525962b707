"""The last layer retrained on a new task: figure 4 of Gilboa & Gur-Ari 2019."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from papers.gilboa.claims.networks import percent

# Thresholds, each with its reason.
FLAT = 0.03  # span of the mean accuracies: "essentially independent of width"
RISES = 0.8  # Spearman's rho: "rises dramatically"
GAIN = 0.05  # widest minus narrowest, likewise
AT_INPUT_WIDTH = 0.02  # "the performance at width 784 is also that of a linear classifier"
LINEAR = 0.375  # the paper's linear classifier on CIFAR-100's pixels
NEAR_LINEAR = 0.03  # of it, either way: an optimiser's difference, beside 33 % by chance
FEWEST = 3  # widths that a curve needs


@dataclass(frozen=True)
class Curves:
    """A panel's accuracies, widths ascending.

    widths: (W,). original, tuned: (W, seeds) on the task trained on, and on the new one. linear: (seeds,) of
    a linear classifier on the pixels. inputs: their number. lacks: widths that a curve needs.
    """

    widths: np.ndarray
    original: np.ndarray
    tuned: np.ndarray
    linear: np.ndarray
    inputs: float
    lacks: str

    @classmethod
    def of(cls, case, study) -> "Curves":
        found = case.load(study, "transfer", "base")
        order = np.argsort(found.get("width"))
        widths, original, tuned = (found.get(name)[order] for name in ("width", "original", "tuned"))
        few = "" if len(widths) >= FEWEST else "the scale keeps fewer than three widths"
        return cls(widths, original, tuned, found.get("linear"), float(found.get("inputs")), few)

    @property
    def counted(self) -> str:
        return f"{self.tuned.shape[1]} seeds, {len(self.widths)} widths"


def fig4(case):
    return [*translated_mnist(case), *coarse_cifar(case)]


def translated_mnist(case) -> list:
    """The left panel: shift, then digit."""
    curves = Curves.of(case, "shift")
    bench = case.bench(curves.counted, "translated MNIST")
    return [*both_curves(bench, curves), *at_the_inputs(bench, curves)]


def at_the_inputs(bench, curves) -> list:
    """The new task's curve at, below and above as many units as there are pixels, along log2 of the width."""
    log, means = np.log2(curves.widths), curves.tuned.mean(1)
    middle, linear = np.log2(curves.inputs), curves.linear.mean()
    at_input = np.interp(middle, log, means)

    def slope(start, stop):
        rise = np.interp(stop, log, means) - np.interp(start, log, means)
        return rise / max(stop - start, 1e-9)

    below, above = slope(log[0], middle), slope(middle, log[-1])
    bridged = "" if log[0] < middle < log[-1] else "no widths on both sides of the input dimension"
    return [
        bench.judge(
            "new task at width 784 within 2 points of a linear classifier on pixels",
            "equal",
            f"{percent(at_input)} (interpolated) and {percent(linear)}",
            abs(at_input - linear) <= AT_INPUT_WIDTH,
            against_number=True,
            lacks=curves.lacks or bridged,
        ),
        bench.judge(
            "the new task gains more per doubling of width below 784 than above",
            "rapid below, gradual above",
            f"{100 * below:+.1f} and {100 * above:+.1f} points a doubling",
            below > above,
            lacks=curves.lacks or bridged,
        ),
    ]


def coarse_cifar(case) -> list:
    """The right panel: coarse, then fine label."""
    curves = Curves.of(case, "coarse")
    bench = case.bench(curves.counted, "CIFAR-100, three coarse classes")
    linear, widest = curves.linear, curves.tuned[-1]
    return [
        *both_curves(bench, curves),
        bench.judge(
            "a linear classifier on pixels lies within 3 points of the paper's",
            "37.5 %",
            percent(linear.mean(), spread=linear.std()),
            abs(linear.mean() - LINEAR) <= NEAR_LINEAR,
        ),
        bench.judge(
            "the widest net's features beat the paper's linear classifier",
            "above 37.5 %",
            percent(widest.mean(), spread=widest.std()),
            widest.mean() > LINEAR,
            against_number=True,
        ),
    ]


def both_curves(bench, curves) -> list:
    """The original task is flat, the new one rises."""
    return [flat(bench, curves), *rising(bench, curves)]


def flat(bench, curves):
    means = curves.original.mean(1)
    span = means.max() - means.min()
    return bench.judge(
        "original task: mean accuracies span at most 3 points over the widths",
        "independent of width",
        f"{100 * span:.1f} points, {trend(curves)}" if several(curves) else "one width",
        span <= FLAT,
        lacks=curves.lacks,
    )


def several(curves) -> bool:
    return len(set(curves.widths)) > 1


def trend(curves) -> str:
    """Slope of the original task's accuracies a doubling of the width, with its 95 % confidence interval."""
    accuracies = curves.original
    fit = stats.linregress(np.repeat(np.log2(curves.widths), accuracies.shape[1]), accuracies.ravel())
    free = accuracies.size - 2
    reach = stats.t.ppf(0.975, free) * fit.stderr if free > 0 else np.inf
    return f"slope {100 * fit.slope:+.2f} ± {100 * reach:.2f} a doubling"


def rising(bench, curves) -> list:
    narrowest, widest = curves.tuned[0], curves.tuned[-1]
    rho = stats.spearmanr(curves.widths, curves.tuned.mean(1)).statistic if several(curves) else np.nan
    gain = widest.mean() - narrowest.mean()
    start, stop = (percent(accuracy.mean(), spread=accuracy.std()) for accuracy in (narrowest, widest))
    return [
        bench.judge(
            "new task: accuracy rises with width (Spearman over 0.8)",
            "rises dramatically",
            f"ρ = {rho:.2f}",
            rho > RISES,
            lacks=curves.lacks,
        ),
        bench.judge(
            "new task: widest minus narrowest over 5 points",
            "rises dramatically",
            f"{100 * gain:+.1f} points ({start} to {stop})",
            gain > GAIN,
            lacks=curves.lacks,
        ),
    ]
