"""Claims: one module a paper, one function a figure, from results to judged claims. Pure; thresholds stand at the modules' heads.

A threshold is the catalogue's, fixed before looking at a result, and is not tuned to pass.
"""
from dataclasses import dataclass

VERDICTS = ("reproduced", "not reproduced", "not testable")


@dataclass(frozen=True)
class Claim:
    """One claim of one figure.

    figure: its key. statement: what is held, in words with the threshold. paper: the paper's value. ours: ours, with its spread
    where there is more than one network. n: networks (and examples) behind it. verdict: one of VERDICTS. reason: why, in short.
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
    """Judges the claims of one figure: what holds for all of them is said once."""
    figure: str
    scale: str
    width: float
    n: str
    note: str = ""
    lacks: str = ""

    def judge(self, statement, paper, ours, holds: bool, *, against_number=False, lacks="", reason="") -> Claim:
        """holds: whether the threshold is met. against_number: the claim compares with a number of the paper, which holds at
        width 1 only. lacks: what a cap has removed that the claim needs."""
        why = ("embedded stand-in data" if self.scale == "smoke" else lacks or self.lacks or
               (f"width is {self.width:g}: the paper's numbers are for 1" if against_number and self.width != 1 else ""))
        verdict = "not testable" if why else "reproduced" if holds else "not reproduced"
        return Claim(self.figure, statement, paper, ours, self.n, verdict, "; ".join(part for part in (why or reason, self.note) if part))
