"""Headline findings: sentences of figures.yaml, filled with what a claim has come to."""

from dataclasses import dataclass
from string import Formatter

from pipeline.reports.rows import MARKS, STALE, Row, why

FIELDS = ("ours", "paper", "control", "verdict")
NEEDED = ("ours", "control", "verdict")  # a number without its control is no finding


@dataclass(frozen=True)
class Headline:
    """One sentence about one claim of one figure.

    figure: its key. claim: words of its statement that no other claim of the figure has. say: the sentence,
    with {ours}, {control} and {verdict}, {paper} at will. among: words of what stands behind the claim (`n`,
    `reason`), where the figure holds the same of several networks. ValueError for another field, and where
    one is missing.
    """

    figure: str
    claim: str
    say: str
    among: str = ""

    def __post_init__(self):
        named = [name for _, name, _, _ in Formatter().parse(self.say) if name is not None]
        for name in named:
            if name not in FIELDS:
                raise ValueError(f"say has {{{name}}}; it can have {', '.join(FIELDS)}")
        for name in NEEDED:
            if name not in named:
                raise ValueError(f"say must have {{{name}}}")

    def matching(self, claims: list) -> list:
        """Claims that it can mean: one, if its words are well chosen."""
        return [
            claim
            for claim in claims
            if self.claim in claim["statement"] and self.among in f"{claim['n']}; {claim['reason']}"
        ]

    def told(self, row: Row, escape=str, strong="{}") -> tuple[str, str]:
        """(sign, sentence) for what a figure's claim has come to, at the scale that is shown.

        escape: what is done to every text. strong: how the verdict is set off.
        """
        found = self.matching(row.findings)
        if len(found) == 1:
            [claim] = found
            return MARKS[claim["verdict"]], self._filled(claim, escape, strong)
        if row.claims:
            number = "several claims" if found else "no claim"
            return "?", escape(
                f"{number} of {self.figure} at scale {row.scale} can be meant by “{self.claim}”"
            )
        verdict = STALE if row.stale else "not run"
        return " ", f"{escape(self.claim)}: {strong.format(verdict)}"

    def _filled(self, claim, escape, strong) -> str:
        verdict = claim["verdict"]
        held = verdict == "reproduced"  # what stands behind it is no part of its sentence
        said = strong.format(verdict) + (f" ({escape(why(claim))})" if why(claim) and not held else "")
        if verdict == "not testable":  # the sentence speaks of numbers, which there are not
            return f"{escape(claim['statement'])}: {said}"
        numbers = {name: escape(claim[name]) for name in ("ours", "paper", "control")}
        return escape(self.say).format(verdict=said, **numbers)


def headlines(about: dict) -> list[Headline]:
    """A paper's headlines, of the part `paper` of its figures.yaml."""
    return [Headline(**entry) for entry in about.get("headlines") or []]
