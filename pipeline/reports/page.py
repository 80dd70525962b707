"""figures/index.html: what paper_figs.md says, as one page for review."""

from html import escape

from pipeline.claims import VERDICTS
from pipeline.reports.headlines import headlines
from pipeline.reports.markdown import SAID, summary
from pipeline.reports.rows import MARKS, SIGNS, Paper, Row, by_cause, causes, scales_of, why

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222 }
body { max-width: 1000px; margin: 2em auto; padding: 0 1em }
img { max-width: 100%; border: 1px solid #ddd }
td, th { padding: .2em .6em; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top }
table { border-collapse: collapse; font-size: 13px }
.reproduced { color: #00664a } .not-reproduced { color: #b3261e } .not-testable { color: #666 }
.confounded { color: #8a5a00 }
section { margin: 3em 0 }
pre { overflow-x: auto; font-size: 12px; line-height: 1.35 }
summary { cursor: pointer }
"""


def page(papers: dict[str, Paper]) -> str:
    """The whole page. papers: by their keys."""
    scales = scales_of(list(papers.values()))
    signs = "; ".join(f"{sign.strip() or 'blank'} {escape(meaning)}" for sign, meaning in SIGNS.items())
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Figures for review</title>",
        f"<style>{STYLE}</style><h1>Figures for review</h1><p>{signs}.",
    ]
    for paper in papers.values():
        parts += [f"<h2>{escape(paper.title)}</h2>", matrix(paper, scales), counts(paper)]
    parts += ["<h2>Headline findings</h2>", listed(_headlines(papers), "ol")]
    for paper in papers.values():
        parts += [f"<h2>{escape(paper.title)}: figure by figure</h2>", *map(section, paper.rows)]
        choices = listed([escape(choice) for choice in paper.about["choices"]])
        parts.append(folded("What the paper leaves open, and what was chosen", choices))
        capped = listed([f"<code>{scale}</code>: {escape(said)}" for scale, said in paper.caps])
        parts.append(folded("What the scales cap and change", capped))
    return "\n".join(parts) + "</html>\n"


def matrix(paper: Paper, scales) -> str:
    """A line a figure, a sign a scale."""
    lines = [f"<table><tr><th>figure<th>what it shows{''.join(f'<th>{scale}' for scale in scales)}</tr>"]
    for row in paper.rows:
        signs = "".join(f"<td>{row.sign(scale)}" for scale in scales)
        lines.append(
            f"<tr><td><a href='#{row.key}'>{row.key}</a><td>{escape(row.entry['title'])}{signs}</tr>"
        )
    return "\n".join(lines) + "</table>"


def counts(paper: Paper) -> str:
    """Findings by verdict, a line a scale; below it why some cannot be tested, and what is out of date."""
    heads = ["scale", *(f"{MARKS[verdict]} {verdict}" for verdict in VERDICTS), "sanity checks that hold"]
    lines = ["<table><tr>" + "".join(f"<th>{head}" for head in heads) + "</tr>"]
    for scale, numbers in paper.counts().items():
        lines.append("<tr>" + "".join(f"<td>{cell}" for cell in (scale, *numbers.values())) + "</tr>")
    lines.append("</table>")
    for scale in paper.counts():
        said = causes(paper.judged(scale))
        lines += [f"<p>Not testable at {scale}: {escape(said)}."] if said else []
    lines += [f"<p>Scale {scale}: {SIGNS['↻']}." for scale in paper.stale]
    return "\n".join(lines)


def _headlines(papers):
    for paper in papers.values():
        rows = {row.key: row for row in paper.rows}
        for headline in headlines(paper.about):
            row = rows[headline.figure]
            sign, said = headline.told(row, escape, "<b>{}</b>")
            scale = f", {row.scale}" if row.scale else ""
            yield f"{sign} {said} (<a href='#{row.key}'>{row.key}</a>{scale})"


def section(row: Row) -> str:
    """A figure with its caption, what is seen, and its claims with their controls."""
    parts = [f"<section id={row.key}><h3>{row.key}: {escape(row.entry['title'])}</h3>", shown(row)]
    parts.append(f"<p>{escape(row.entry['caption'])}")
    if not row.claims:
        parts.append(f"<p>{SIGNS['↻'].capitalize() if row.stale else 'Not run'}.</section>")
        return "\n".join(parts)
    parts.append(f"<p><b>Scale {row.scale}:</b> {escape(summary(row.claims))}.")
    for verdict, heading in SAID.items():
        if found := row.of(verdict):
            kind = verdict.replace(" ", "-")
            parts += [f"<p class={kind}><b>{heading}</b>", listed([seen(row, claim) for claim in found])]
    if untested := by_cause(row.findings):
        lines = [
            f"{escape(cause)}: {escape('; '.join(map(row.name, claims)))}"
            for cause, claims in untested.items()
        ]
        parts += ["<p class=not-testable><b>Not testable</b>", listed(lines)]
    parts.append(folded("The claims, with their controls", claims_of(row)))
    return "\n".join(parts) + "</section>"


def seen(row: Row, claim: dict) -> str:
    """A finding in a sentence, with its number and its control's."""
    said = f"{row.name(claim)}; here {claim['ours']}, in the paper {claim['paper']}"
    return escape(f"{said}; control: {claim['control']}")


def claims_of(row: Row) -> str:
    """Every claim, with the paper's value, ours, the control and what stands behind them."""
    names = ("statement", "paper", "ours", "control", "n")
    lines = ["<table><tr><th>claim<th>paper<th>ours<th>control<th>n<th>verdict</tr>"]
    for claim in [*row.findings, *row.checks]:
        kind, check = claim["verdict"].replace(" ", "-"), " (sanity check)" if claim["sanity"] else ""
        cells = "".join(f"<td>{escape(claim[name])}" for name in names)
        verdict = (
            f"<b class={kind}>{MARKS[claim['verdict']]} {claim['verdict']}</b>{check} {escape(why(claim))}"
        )
        lines.append(f"<tr>{cells}<td>{verdict}</tr>")
    return "\n".join(lines) + "</table>"


def shown(row: Row) -> str:
    """A picture, or a table as it stands in its file (a link where that has not been written yet)."""
    if not row.path:
        return ""
    place = f"{row.scale}/{row.path.name}"
    if row.entry["to"] == "png":
        return f"<img src='{place}' alt='{escape(row.entry['title'])}'>"
    table = row.table()
    return f"<a href='{place}'>table</a>" if table is None else f"<pre>{escape(table)}</pre>"


def listed(lines, kind="ul") -> str:
    """Lines, markup already, as a list."""
    return f"<{kind}>" + "\n".join(f"<li>{line}" for line in lines) + f"</{kind}>"


def folded(heading: str, content: str) -> str:
    """Markup below a heading that opens it."""
    return f"<details><summary>{heading}</summary>{content}</details>"
