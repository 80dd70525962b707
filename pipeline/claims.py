"""Claims: what a paper's figure holds, judged on results.

A paper's claims stand in papers/<paper>/claims, one function a figure. A threshold is the catalogue's, fixed
before looking at a result, and is not tuned to pass.
"""

from dataclasses import dataclass, replace

from pipeline.cells import Cells

VERDICTS = ("reproduced", "not reproduced", "not testable")


@dataclass(frozen=True)
class Claim:
    """One claim of one figure.

    figure: its key. statement: what is held, in words with the threshold. paper: the paper's value. ours:
    ours, with its spread where there is more than one network. n: networks (and examples) behind it. verdict:
    one of VERDICTS. reason: why, in short.
    """

    figure: str
    statement: str
    paper: str
    ours: str
    n: str
    verdict: str
    reason: str = ""


@dataclass(frozen=True)
class Bench:
    """Judges the claims of one figure: what holds for all of them is said once.

    note: stands behind every reason. lacks: what a cap has removed that every claim needs.
    """

    figure: str
    scale: str
    width: float
    n: str
    note: str = ""
    lacks: str = ""

    def judge(
        self, statement, paper, ours, holds: bool, *, against_number=False, lacks="", reason=""
    ) -> Claim:
        """Judge a claim.

        holds: whether the threshold is met. against_number: the claim compares with a number of the paper,
        which holds at width 1 only. lacks: what a cap has removed that the claim needs.
        """
        why = self._untestable(against_number, lacks)
        verdict = "not testable" if why else "reproduced" if holds else "not reproduced"
        reasons = "; ".join(part for part in (why or reason, self.note) if part)
        return Claim(self.figure, statement, paper, ours, self.n, verdict, reasons)

    def _untestable(self, against_number, lacks) -> str:
        if self.scale == "smoke":
            return "embedded stand-in data"
        if lacks or self.lacks:
            return lacks or self.lacks
        if against_number and self.width != 1:
            return f"width is {self.width:g}: the paper's numbers are for 1"
        return ""


@dataclass(frozen=True)
class Case:
    """What a claim function is given: where results are, and the run that they are judged for.

    load: (study, measure, variant) -> Cells; FileNotFoundError for what the scale leaves out. shown: the
    variant whose networks stand for a size. entries: of figures.yaml, by figure. figure: key of the one that
    is judged.
    """

    load: object
    scale: str
    width: float
    shown: str = ""
    entries: dict | None = None
    figure: str = ""

    def of(self, figure: str) -> "Case":
        """The same run, for the claims of this figure."""
        return replace(self, figure=figure)

    @property
    def entry(self) -> dict:
        """The figure's own entry of figures.yaml."""
        return self.entries[self.figure]

    def bench(self, n: str, note="", lacks="") -> Bench:
        """Judges claims of the figure. n: networks (and examples) behind them."""
        return Bench(self.figure, self.scale, self.width, n, note, lacks)

    def kept(self, study: str, measure: str, variant: str) -> Cells:
        """A result, empty where the scale leaves it out: its networks are then none."""
        try:
            return self.load(study, measure, variant)
        except FileNotFoundError:
            return Cells()
