"""Claims: what a paper's figure holds, judged on results so that a sceptic would sign it.

A paper's claims stand in papers/<paper>/claims, one function a figure. A threshold is the catalogue's, fixed
before looking at a result, and is not tuned to pass; one quantity has one threshold. A claim is one estimate
with a standard error, a threshold, and a control: what gives the same number without what the claim speaks of
(untrained networks, shuffled labels, as many random units).
"""

from dataclasses import dataclass, field, replace
from math import hypot, isfinite, nan

import numpy as np

from pipeline.cells import Cells

VERDICTS = ("reproduced", "not reproduced", "confounded", "not testable")
SURE = 2  # standard errors: less is noise

# Why a claim cannot be tested: its object is missing. A result that is merely unwelcome is none of them.
STAND_IN = "stand-in data"
LEFT_OUT = "left out at this scale"
TOO_FEW = "too few networks"
NOT_IMAGENET = "another data set in ImageNet's place"
BELOW_LINEAR = "not above a linear classifier"
OTHER_WIDTH = "another width than the paper's"
UNEQUAL = "accuracies differ where equals are compared"
UNDEFINED = "nothing to measure it on"
CAUSES = (STAND_IN, LEFT_OUT, TOO_FEW, NOT_IMAGENET, BELOW_LINEAR, OTHER_WIDTH, UNEQUAL, UNDEFINED)


@dataclass(frozen=True)
class Estimate:
    """A number and its standard error.

    value: NaN where it is undefined. se: 0 for what has no noise or carries it already (a p value), NaN where
    nothing says how large it is (one network).
    """

    value: float
    se: float = nan

    @classmethod
    def of(cls, values, step: float = 0.0) -> "Estimate":
        """Mean of live entries (networks, classes, images) and its standard error, NaN for fewer than two.

        step: between neighbouring values of what is counted; equal counts are no surer than that.
        """
        values = np.asarray(values, np.float64).ravel()
        values = values[np.isfinite(values)]
        if not values.size:
            return cls(nan)
        error = values.std(ddof=1) / np.sqrt(values.size) if values.size > 1 else nan
        return cls(float(values.mean()), float(np.maximum(error, step / np.sqrt(12 * values.size))))

    def minus(self, other: "Estimate") -> "Estimate":
        """The difference from another, independent estimate."""
        return Estimate(self.value - other.value, hypot(self.se, other.se))

    def said(self, digits=2, factor=1, unit="") -> str:
        """Value ± standard error; a dash where it is undefined."""
        if not isfinite(self.value):
            return "–"
        spread = f" ± {factor * self.se:.{digits}f}" if isfinite(self.se) and self.se > 0 else ""
        return f"{factor * self.value:.{digits}f}{spread}{unit}"


@dataclass(frozen=True)
class Control:
    """The same number without what a claim speaks of.

    what: in words, "untrained networks, calibrated BatchNorm". found: its estimate. digits, factor, unit: how
    it is said.
    """

    what: str
    found: Estimate
    digits: int = 2
    factor: float = 1
    unit: str = ""

    def said(self) -> str:
        return f"{self.what}: {self.found.said(self.digits, self.factor, self.unit)}"


@dataclass(frozen=True)
class Lack:
    """What a claim lacks to be tested. cause: one of CAUSES. detail: what exactly, in a few words."""

    cause: str
    detail: str = ""

    def __post_init__(self):
        if self.cause not in CAUSES:
            raise ValueError(f"cause '{self.cause}' is unknown; known: {', '.join(CAUSES)}")


def first_of(*lacks: Lack | None) -> Lack | None:
    """The first that there is."""
    return next((lack for lack in lacks if lack), None)


@dataclass(frozen=True)
class Claim:
    """One claim of one figure.

    figure: its key. statement: what is held, in words with the threshold. paper: the paper's value. ours:
    ours, with its standard error. n: networks (and examples) behind it. control: what it is and its value, or
    why there can be none. verdict: one of VERDICTS. reason: why, in short. cause: of CAUSES, where it is not
    testable. sanity: an exact count or another check that is no finding.
    """

    figure: str
    statement: str
    paper: str
    ours: str
    n: str
    control: str
    verdict: str
    reason: str = ""
    cause: str = ""
    sanity: bool = False


@dataclass(frozen=True)
class Bench:
    """Judges the claims of one figure: what holds for all of them is said once.

    note: stands behind every reason. lacks: what every claim needs and does not have.
    """

    figure: str
    scale: str
    width: float
    n: str
    note: str = ""
    lacks: Lack | None = None

    def judge(
        self,
        statement: str,
        paper: str,
        ours: str,
        found: Estimate,
        *,
        control: Control | str,
        above: float | None = None,
        below: float | None = None,
        holds: bool = True,
        against_number: bool = False,
        lacks: Lack | None = None,
        reason: str = "",
    ) -> Claim:
        """Judge a claim: an estimate above or below a threshold.

        reproduced: the threshold is met by two standard errors or more, and the control neither does so nor
        lies within two standard errors of the estimate. confounded: it is met, but so it is by the control,
        or the control lies too close. not reproduced: it is not met, or by less than two standard errors. not
        testable: what it speaks of is missing, the number is undefined, or nothing says how sure it is.

        control: or in words why nothing can serve as one. holds: a further condition. against_number: the
        claim compares with a number of the paper, which holds at width 1 only. Raises ValueError unless there
        is one threshold, and for an empty control.
        """
        if (above is None) == (below is None):
            raise ValueError(f"'{statement}' needs one threshold, above or below")
        if not control:
            raise ValueError(f"'{statement}' needs a control, or the reason why there is none")
        margin = _Margin(found, above, below)
        words = control if isinstance(control, str) else control.said()
        lack = self._lack(against_number, lacks, found)
        if not lack and holds and margin.beyond_noise:  # a claim that fails needs no control
            lack = _without(control)
        if lack:
            return self._claim(statement, paper, ours, words, "not testable", lack.detail, cause=lack.cause)
        verdict, why = margin.verdict(None if isinstance(control, str) else control.found, holds)
        return self._claim(statement, paper, ours, words, verdict, "; ".join(filter(None, (why, reason))))

    def check(
        self, statement: str, paper: str, ours: str, holds: bool, *, lacks: Lack | None = None
    ) -> Claim:
        """A sanity check: an exact count or another fact that is listed apart and is no finding."""
        lack = self._lack(False, lacks, Estimate(0.0, 0.0))
        verdict = "not testable" if lack else "reproduced" if holds else "not reproduced"
        why, cause = (lack.detail, lack.cause) if lack else ("", "")
        return self._claim(statement, paper, ours, "none: exact", verdict, why, cause=cause, sanity=True)

    def _claim(self, statement, paper, ours, control, verdict, why, **more) -> Claim:
        reason = "; ".join(part for part in (why, self.note) if part)
        return Claim(self.figure, statement, paper, ours, self.n, control, verdict, reason, **more)

    def _lack(self, against_number, lacks, found) -> Lack | None:
        if self.scale == "smoke":
            return Lack(STAND_IN)
        if lacks or self.lacks:
            return lacks or self.lacks
        if against_number and self.width != 1:
            return Lack(OTHER_WIDTH, f"width is {self.width:g}: the paper's numbers are for 1")
        if not isfinite(found.value):
            return Lack(UNDEFINED)
        if not isfinite(found.se):
            return Lack(TOO_FEW, "one value has no standard error")
        return None


def _without(control: Control | str) -> Lack | None:
    """What a claim lacks whose control was not measured."""
    if isinstance(control, str) or isfinite(control.found.value):
        return None
    return Lack(LEFT_OUT, f"its control, {control.what}")


@dataclass(frozen=True)
class _Margin:
    """An estimate beside a threshold."""

    found: Estimate
    above: float | None
    below: float | None

    def over(self, value: float) -> float:
        """By how much a value meets the threshold; negative where it does not."""
        return value - self.above if self.below is None else self.below - value

    @property
    def beyond_noise(self) -> bool:
        """Whether the threshold is met by as many standard errors as it takes."""
        over = self.over(self.found.value)
        return over > 0 and over >= SURE * self.found.se

    def verdict(self, control: Estimate | None, holds: bool) -> tuple[str, str]:
        """(verdict, why)."""
        if self.over(self.found.value) <= 0 or not holds:
            return "not reproduced", ""
        if not self.beyond_noise:
            return "not reproduced", "within noise: met by less than two standard errors"
        if control is None:
            return "reproduced", ""
        sure = control if isfinite(control.se) else replace(control, se=self.found.se)
        if replace(self, found=sure).beyond_noise:
            return "confounded", "the control meets it, too"
        if abs(self.found.value - control.value) < SURE * hypot(self.found.se, sure.se):
            return "confounded", "the control lies within two standard errors"
        return "reproduced", ""


@dataclass(frozen=True)
class Case:
    """What a claim function is given: where results are, and the run that they are judged for.

    load: (study, measure, variant) -> Cells; FileNotFoundError for what the scale leaves out. shown: the
    variant whose networks stand for a size. entries: of figures.yaml, by figure. floors: {(study, variant):
    test accuracy of a linear classifier on the same pixels and examples}. figure: key of the one that is
    judged.
    """

    load: object
    scale: str
    width: float
    shown: str = ""
    entries: dict | None = None
    floors: dict = field(default_factory=dict)
    figure: str = ""

    def of(self, figure: str) -> "Case":
        """The same run, for the claims of this figure."""
        return replace(self, figure=figure)

    @property
    def entry(self) -> dict:
        """The figure's own entry of figures.yaml."""
        return self.entries[self.figure]

    def bench(self, n: str, note="", lacks: Lack | None = None) -> Bench:
        """Judges claims of the figure. n: networks (and examples) behind them."""
        return Bench(self.figure, self.scale, self.width, n, note, lacks)

    def kept(self, study: str, measure: str, variant: str) -> Cells:
        """A result, empty where the scale leaves it out: its networks are then none."""
        try:
            return self.load(study, measure, variant)
        except FileNotFoundError:
            return Cells()

    def unlearned(self, study: str, variant: str, accuracies) -> Lack | None:
        """What a claim about trained networks lacks where these have not learned more than pixels give.

        accuracies: of the networks whose learning the claim presumes, in [0, 1]; their mean counts.
        """
        mean = Estimate.of(accuracies).value
        if (study, variant) not in self.floors:
            return Lack(LEFT_OUT, f"a linear classifier to compare {study}, {variant} with")
        if not isfinite(mean):
            return Lack(UNDEFINED, "every network has diverged")
        floor = self.floors[study, variant]
        if mean > floor:
            return None
        words = f"{100 * mean:.1f} %, a linear classifier on the pixels {100 * floor:.1f} %"
        return Lack(BELOW_LINEAR, words)
