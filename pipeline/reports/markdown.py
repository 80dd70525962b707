"""paper_figs.md: a matrix, the headline findings, a section a figure."""

import re
from textwrap import shorten

from pipeline.claims import VERDICTS
from pipeline.reports.headlines import headlines
from pipeline.reports.rows import MARKS, SIGNS, Paper, Row, by_cause, causes, scales_of, tally, why

WIDEST = 160  # characters of a table's line: what a screen shows without scrolling
TITLE = 70  # characters of a figure's title in the matrix, so that the line stays below that
SAID = {  # how a section calls findings of a verdict
    "reproduced": "Seen here",
    "not reproduced": "Not seen here",
    "confounded": "Seen here, and as much in the control (confounded)",
}
INTRODUCTION = """# The figures and tables, and what was found

Written by `stages/report.py` from `results/<scale>/claims`; thresholds stand in `papers/<paper>/claims`. A
finding is reproduced if it is met by at least two standard errors, and its control neither meets it nor lies
within two standard errors of it. Sanity checks (exact counts and the like) are no findings and stand apart.
"""


def markdown(papers: dict[str, Paper]) -> str:
    """The whole file. papers: by their keys."""
    scales = scales_of(list(papers.values()))
    lines = [INTRODUCTION, "## At a glance", ""]
    lines.append("; ".join(f"{sign.strip() or 'blank'} {meaning}" for sign, meaning in SIGNS.items()) + ".")
    for paper in papers.values():
        lines += ["", f"### {text(paper.title)}", "", *matrix(paper, scales), "", *counts(paper)]
    lines += ["", "## Headline findings", "", *_headlines(papers), ""]
    for paper in papers.values():
        lines += [f"## {text(paper.title)}: figure by figure", ""]
        lines += [line for row in paper.rows for line in section(row)]
        choices = [f"- {text(choice)}" for choice in paper.about["choices"]]
        lines += folded("What the paper leaves open, and what was chosen", choices)
        capped = [f"- `{scale}`: {text(said)}" for scale, said in paper.caps]
        lines += folded("What the scales cap and change", capped)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def matrix(paper: Paper, scales) -> list[str]:
    """A line a figure, a sign a scale."""
    lines = [table_line(["figure", "what it shows", *scales]), table_line(["---"] * (2 + len(scales)))]
    for row in paper.rows:
        about = shorten(row.entry["title"], TITLE, placeholder=" …")
        lines.append(table_line([f"[{row.key}](#{row.key})", about, *map(row.sign, scales)]))
    return lines


def counts(paper: Paper) -> list[str]:
    """Findings by verdict, a line a scale; below it why some cannot be tested, and what is out of date."""
    heads = ["scale", *(f"{MARKS[verdict]} {verdict}" for verdict in VERDICTS), "sanity checks that hold"]
    lines = [table_line(heads), table_line(["---"] * len(heads))]
    lines += [table_line([scale, *numbers.values()]) for scale, numbers in paper.counts().items()]
    lines.append("")
    for scale in paper.counts():
        said = causes(paper.judged(scale))
        lines += [f"Not testable at {scale}: {text(said)}.", ""] if said else []
    lines += [f"Scale {scale}: {SIGNS['↻']}." for scale in paper.stale]
    return lines


def _headlines(papers):
    """A numbered sentence each."""
    number = 0
    for paper in papers.values():
        rows = {row.key: row for row in paper.rows}
        for headline in headlines(paper.about):
            number, row = number + 1, rows[headline.figure]
            sign, said = headline.told(row, text, "**{}**")
            where = f"[{row.key}](#{row.key})" + (f", {row.scale}" if row.scale else "")
            yield " ".join(filter(str.strip, (f"{number}.", sign, said, f"({where})")))


def section(row: Row) -> list[str]:
    """A figure: picture or table, what the paper shows, what is seen here, its claims with their controls."""
    lines = [f'<a id="{row.key}"></a>', "", f"### {row.key}: {text(row.entry['title'])}", ""]
    lines += [*picture(row), "", text(row.entry["caption"]), ""]
    if not row.claims:
        return [*lines, f"{SIGNS['↻'].capitalize()}." if row.stale else "Not run.", ""]
    lines += [f"At scale `{row.scale}`: {summary(row.claims)}.", ""]
    for verdict, heading in SAID.items():
        if found := row.of(verdict):
            lines += [f"**{heading}**", "", *(f"- {seen(row, claim)}" for claim in found), ""]
    if untested := by_cause(row.findings):
        lines += ["**Not testable**", ""]
        for cause, claims in untested.items():
            lines += [f"- {text(cause)}: {'; '.join(text(row.name(claim)) for claim in claims)}"]
        lines.append("")
    return lines + folded("The claims, with their controls", claims_of(row))


def picture(row: Row) -> list[str]:
    """The picture, or the table itself where its lines are no wider than a screen."""
    if not row.path:
        return []
    table = row.table()
    if row.entry["to"] == "png":
        return [f"![{text(row.entry['title'])}]({row.path})"]
    if table is None or any(len(line) > WIDEST for line in table.splitlines() if line.startswith("|")):
        return [f"[The table]({row.path})"]
    return re.sub(r"\A# .*\n+", "", table).rstrip().splitlines()


def summary(claims: list) -> str:
    """Numbers of findings by verdict, and of sanity checks, in words."""
    numbers = tally(claims)
    checks = numbers.pop("checks")
    words = [f"{number} {verdict}" for verdict, number in numbers.items() if number]
    words += [] if checks.endswith("of 0") else [f"{checks} sanity checks hold"]
    return ", ".join(words)


def seen(row: Row, claim: dict) -> str:
    """A finding in a sentence, with its number; the control's, too, where that decides."""
    said = f"{row.name(claim)}; here {claim['ours']}, in the paper {claim['paper']}"
    return text(said + (f"; control: {claim['control']}" if claim["verdict"] == "confounded" else ""))


def claims_of(row: Row) -> list[str]:
    """Every claim, with the paper's value, ours, the control and what stands behind them."""
    lines = []
    for claim in [*row.findings, *row.checks]:
        kind = "sanity check, " if claim["sanity"] else ""
        lines.append(f"- {MARKS[claim['verdict']]} **{text(claim['statement'])}**")
        lines += [f"  - {name}: {text(claim[name])}" for name in ("paper", "ours", "control", "n")]
        lines.append(f"  - {kind}{claim['verdict']}" + (f": {text(why(claim))}" if why(claim) else ""))
    return lines


def folded(heading: str, lines: list) -> list[str]:
    """Lines below a heading that opens them."""
    return [f"<details><summary>{heading}</summary>", "", *lines, "", "</details>", ""]


def text(said) -> str:
    """A text as Markdown shows it, in one line."""
    said = " ".join(str(said).split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([*~\\])", r"\\\1", said)


def table_line(cells) -> str:
    return "| " + " | ".join(text(cell).replace("|", "\\|") for cell in cells) + " |"
