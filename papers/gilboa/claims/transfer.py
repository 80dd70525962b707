"""The last layer retrained on a new task: figure 4 of Gilboa & Gur-Ari 2019."""

from dataclasses import dataclass, replace

import numpy as np

from papers.gilboa.claims.curves import Curves
from papers.gilboa.claims.networks import percent
from pipeline.claims import Bench, Control, Estimate, Lack, first_of

# Thresholds, each with its reason.
FLAT = 0.03  # span of the mean accuracies: "essentially independent of width"
RISES = 0.8  # Spearman's rho: "rises dramatically"
GAIN = 0.05  # widest minus narrowest, likewise
AT_INPUT_WIDTH = 0.02  # "the performance at width 784 is also that of a linear classifier"
LINEAR = 0.375  # the paper's linear classifier on CIFAR-100's pixels
NEAR_LINEAR = 0.03  # of it, either way: an optimiser's difference, beside 33 % by chance
AT_CHANCE = "none: untrained networks are flat at chance, which the linear classifier's floor rules out"
NO_NETWORK = "none: no network is in it"


@dataclass(frozen=True)
class Panel:
    """A panel: its curves, the same of untrained networks, and what claims about trained ones lack."""

    curves: Curves
    untrained: Curves
    floor: Lack | None
    bench: Bench

    @classmethod
    def of(cls, case, study, note) -> "Panel":
        curves = Curves.of(case.kept(study, "transfer", "base"))
        floor = case.unlearned(study, "base", [curves.worst()])
        untrained = Curves.of(case.kept(study, "transfer", "untrained"))
        return cls(curves, untrained, floor, case.bench(curves.counted, note))

    def lacks(self, found: Estimate, few: Lack | None = None) -> Lack | None:
        """What a claim on a number of all widths lacks. few: widths that it needs, by default three."""
        return first_of(few or self.curves.few, self.curves.diverged(found), self.floor)

    def control(self, number, digits=1, factor=100, unit=" points") -> Control:
        """The same number where nothing is trained but the last layer: as many random units."""
        return Control("the last layer on untrained networks", number(self.untrained), digits, factor, unit)


def fig4(case):
    left = Panel.of(case, "shift", "translated MNIST")
    right = Panel.of(case, "coarse", "CIFAR-100, three coarse classes")
    return [
        *both_curves(left),
        *at_the_inputs(left),
        *both_curves(right),
        linear_classifier(right),
        beats_linear(case, right),
    ]


def both_curves(panel: Panel) -> list:
    """The original task is flat, the new one rises."""
    return [flat(panel), rises(panel), gains(panel)]


def flat(panel: Panel):
    span = panel.curves.span()
    return panel.bench.judge(
        "original task: mean accuracies span at most 3 points over the widths",
        "independent of width",
        f"{span.said(1, 100)} points, {panel.curves.trend()}",
        span,
        below=FLAT,
        control=AT_CHANCE,
        lacks=panel.lacks(span),
    )


def rises(panel: Panel):
    rank = panel.curves.rank()
    return panel.bench.judge(
        "new task: accuracy rises with width (Spearman over 0.8)",
        "rises dramatically",
        f"ρ = {rank.said()}",
        rank,
        above=RISES,
        control=panel.control(Curves.rank, 2, 1, ""),
        lacks=panel.lacks(rank, panel.curves.unranked),
    )


def gains(panel: Panel):
    curves = panel.curves
    gain = curves.gain()
    start, stop = (Estimate.of(curves.tuned[end]).said(1, 100) for end in (0, -1))
    return panel.bench.judge(
        "new task: widest minus narrowest over 5 points",
        "rises dramatically",
        f"{gain.said(1, 100)} points ({start} to {stop} %)",
        gain,
        above=GAIN,
        control=panel.control(Curves.gain),
        lacks=panel.lacks(gain),
    )


def at_the_inputs(panel: Panel) -> list:
    """The new task's curve at, below and above as many units as there are pixels."""
    curves, at, bends = panel.curves, off_linear(panel.curves), bend(panel.curves)
    below, above = (Estimate.of(slope) for slope in curves.slopes())
    linear = Estimate.of(curves.linear)
    return [
        panel.bench.judge(
            "new task at width 784 within 2 points of a linear classifier on pixels",
            "equal",
            f"{curves.at_inputs().said(1, 100)} points from {percent(linear)}, interpolated",
            at,
            below=AT_INPUT_WIDTH,
            control=panel.control(off_linear),
            against_number=True,
            lacks=panel.lacks(at, curves.bridged),
        ),
        panel.bench.judge(
            "the new task gains more per doubling of width below 784 than above",
            "rapid below, gradual above",
            f"{below.said(1, 100)} and {above.said(1, 100)} points a doubling",
            bends,
            above=0,
            control=panel.control(bend),
            lacks=panel.lacks(bends, curves.bridged),
        ),
    ]


def off_linear(curves: Curves) -> Estimate:
    """How far the new task at as many units as pixels is from a linear classifier on these, either way."""
    found = curves.at_inputs()
    return replace(found, value=abs(found.value))


def bend(curves: Curves) -> Estimate:
    """By how much the curve is steeper below as many units as pixels than above."""
    return Estimate.of(np.subtract(*curves.slopes()))


def linear_classifier(panel: Panel):
    linear = Estimate.of(panel.curves.linear)
    return panel.bench.judge(
        "a linear classifier on pixels lies within 3 points of the paper's",
        "37.5 %",
        percent(linear),
        replace(linear, value=abs(linear.value - LINEAR)),
        below=NEAR_LINEAR,
        control=NO_NETWORK,
        lacks=panel.curves.absent,
    )


def beats_linear(case, panel: Panel):
    """As many units that nothing has trained may beat it, too: they are the control."""
    curves, found = panel.curves, ahead(panel.curves)
    widest, linear = Estimate.of(curves.tuned[-1]), Estimate.of(curves.linear)
    floor = case.unlearned("coarse", "base", curves.original[-1])
    return panel.bench.judge(
        "the widest net's features beat a linear classifier on pixels, ours and the paper's",
        "above 37.5 %",
        f"{percent(widest)}, {found.said(1, 100)} points above the better of {percent(linear)} and 37.5 %",
        found,
        above=0,
        control=panel.control(ahead),
        against_number=True,
        lacks=first_of(curves.absent, curves.diverged(found, [-1]), floor),
    )


def ahead(curves: Curves) -> Estimate:
    """By how much the widest network's features beat the better linear classifier, seed by seed."""
    return Estimate.of(curves.tuned[-1] - np.maximum(curves.linear, LINEAR))
