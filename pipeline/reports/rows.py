"""Figures with their claims at every scale: which is shown, and one sign for all claims of a figure."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, fields

from pipeline.claims import CAUSES, VERDICTS, Claim
from wide import artifacts

SCALES = ("paper", "gpu", "overnight", "quick", "smoke")  # the most faithful first
COLUMNS = ("quick", "overnight", "gpu", "paper")  # of the matrix; smoke's claims say nothing of the papers
MARKS = dict(zip(VERDICTS, "✔✘⚠–", strict=True))
STALE = "judged by an older version: run it again"
SIGNS = {
    "✔": "every finding is reproduced",
    "◐": "some are",
    "✘": "none is",
    "⚠": "none is, and of some the control shows as much (confounded)",
    "–": "none can be tested",
    "·": "sanity checks only",
    "↻": STALE,
    " ": "not run",
}
SHAPE = frozenset(entry.name for entry in fields(Claim))


@dataclass(frozen=True)
class Row:
    """A figure: its key, its entry in figures.yaml, and what was judged.

    judged: {scale: its claims, as the claims file has them}. stale: scales whose claims are of another shape.
    """

    key: str
    entry: dict
    judged: dict
    stale: tuple = ()

    @property
    def scale(self) -> str | None:
        """The most faithful scale whose claims have been judged; None where there is none."""
        return next((scale for scale in SCALES if scale in self.judged), None)

    @property
    def claims(self) -> list:
        """Claims at the scale that is shown."""
        return self.judged.get(self.scale, [])

    @property
    def findings(self) -> list:
        """Claims without sanity checks."""
        return findings(self.claims)

    @property
    def checks(self) -> list:
        """Sanity checks alone."""
        return [claim for claim in self.claims if claim["sanity"]]

    def of(self, verdict: str) -> list:
        """Findings with this verdict."""
        return [claim for claim in self.findings if claim["verdict"] == verdict]

    def sign(self, scale: str) -> str:
        """One of SIGNS for its claims at a scale."""
        if scale in self.stale:
            return "↻"
        return sign(self.judged[scale]) if scale in self.judged else " "

    def name(self, claim: dict) -> str:
        """The claim's statement; where the figure holds the same more than once, with what it is held of."""
        for names in (["statement"], ["statement", "n"], ["statement", "n", "reason"]):
            said = [claim[name] for name in names if claim[name]]
            if sum(all(other[name] == claim[name] for name in names) for other in self.claims) == 1:
                break
        return said[0] + (f" [{'; '.join(said[1:])}]" if said[1:] else "")

    def table(self) -> str | None:
        """The text of a figure that is a table; None for a picture, or where it has not been written."""
        path = self.path
        if path is None or self.entry["to"] == "png" or not path.exists():
            return None
        return path.read_text(encoding="utf-8")

    @property
    def path(self):
        """Where its picture or table lies; None where nothing has been judged."""
        return self.scale and artifacts.figure(self.scale, self.key, self.entry["to"])


@dataclass(frozen=True)
class Paper:
    """A paper: what figures.yaml says of it, its figures, the lines that say what its scales cap."""

    about: dict
    rows: list
    caps: list = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"{self.about['authors']} {self.about['year']}, {self.about['title']}"

    def judged(self, scale: str) -> list:
        """All its claims at a scale."""
        return [claim for row in self.rows for claim in row.judged.get(scale, [])]

    def counts(self) -> dict:
        """{scale: findings by verdict, sanity checks that hold, all of them}, of scales with claims."""
        return {scale: tally(self.judged(scale)) for scale in reversed(SCALES) if self.judged(scale)}

    @property
    def stale(self) -> list:
        """Scales whose claims are of another shape."""
        return [scale for scale in reversed(SCALES) if any(scale in row.stale for row in self.rows)]


def collect(paper: str, figures: dict) -> list[Row]:
    """Every figure of a paper with its claims at every scale. figures: entries by key."""
    judged, stale = {}, []
    for scale in SCALES:
        path = artifacts.claims(scale, paper)
        claims = artifacts.load_numbers(path) if path.exists() else []
        if any(set(claim) != SHAPE for claim in claims):
            stale.append(scale)
            continue
        by_figure = judged.setdefault(scale, defaultdict(list))
        for claim in claims:
            by_figure[claim["figure"]].append(claim)
    return [
        Row(key, entry, {scale: found[key] for scale, found in judged.items() if key in found}, tuple(stale))
        for key, entry in figures.items()
    ]


def scales_of(papers: list[Paper]) -> tuple:
    """Columns of the matrix: smoke is among them only where nothing else has been judged."""
    ran = {scale for paper in papers for row in paper.rows for scale in (*row.judged, *row.stale)}
    return ("smoke",) if ran == {"smoke"} else COLUMNS


def findings(claims: list) -> list:
    """Claims without sanity checks."""
    return [claim for claim in claims if not claim["sanity"]]


def sign(claims: list) -> str:
    """One of SIGNS for claims; a finding that cannot be tested is not a reproduced one."""
    counts = Counter(claim["verdict"] for claim in findings(claims))
    if not counts:
        return "·"
    if counts["reproduced"]:
        return "✔" if counts["reproduced"] == counts.total() else "◐"
    if counts["confounded"]:
        return "⚠"
    return "✘" if counts["not reproduced"] else "–"


def tally(claims: list) -> dict:
    """Findings by verdict, and of the sanity checks how many hold: {verdict: number, "checks": "k of n"}."""
    counts = Counter(claim["verdict"] for claim in findings(claims))
    checks = [claim for claim in claims if claim["sanity"]]
    held = sum(claim["verdict"] == "reproduced" for claim in checks)
    return {verdict: counts[verdict] for verdict in VERDICTS} | {"checks": f"{held} of {len(checks)}"}


def by_cause(claims: list) -> dict:
    """{cause: claims that cannot be tested for it}, in the order of CAUSES."""
    found = defaultdict(list)
    for claim in claims:
        if claim["verdict"] == "not testable":
            found[claim["cause"]].append(claim)
    return {cause: found[cause] for cause in CAUSES if cause in found}


def causes(claims: list) -> str:
    """Why findings cannot be tested, with how many each, in words; empty where all can."""
    return ", ".join(f"{cause} ({len(found)})" for cause, found in by_cause(findings(claims)).items())


def why(claim: dict) -> str:
    """What a claim's verdict is due to, in words; often empty."""
    return " – ".join(filter(None, (claim["cause"], claim["reason"])))
