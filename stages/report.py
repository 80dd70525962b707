"""paper_figs.md and the review page from the claims: `python -m stages.report <scale>`.

Every figure is shown at the most faithful scale whose claims have been judged (paper, gpu, quick, and
stand-ins of smoke last), whatever scale is running: a run on stand-ins never displaces a result on real data.
"""

import html
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pipeline.caps import leaves
from pipeline.claims import VERDICTS
from pipeline.lifetime import stage
from pipeline.parameters import ROOT, paper_file, papers, read
from wide import artifacts

SCALES = ("paper", "gpu", "quick", "smoke")
MARKS = dict(zip(VERDICTS, ("✔ reproduced", "✘ not reproduced", "– not testable"), strict=True))
COLUMNS = ("figure", "claim", "paper", "ours", "n", "scale", "verdict", "picture")


@dataclass(frozen=True)
class Row:
    """A figure: its key, its entry in figures.yaml, the scale that is shown (None where it has not been
    made), its claims.
    """

    key: str
    entry: dict
    scale: str | None
    claims: list


@stage
def main(_scale: str):
    parts = [(paper, read(paper_file(paper, "figures.yaml"))) for paper in papers()]
    rows = {paper: collect(paper, found["figures"]) for paper, found in parts}
    facts = {paper: found["paper"] for paper, found in parts}
    artifacts.write_text("paper_figs.md", markdown(rows, facts))
    artifacts.write_text(artifacts.FIGURES / "index.html", page(rows, facts))


def collect(paper: str, figures: dict) -> list[Row]:
    """Every figure of a paper with its claims at the most faithful scale."""
    judged = {scale: {} for scale in SCALES}
    for scale in SCALES:
        path = artifacts.claims(scale, paper)
        for claim in artifacts.load_numbers(path) if path.exists() else []:
            judged[scale].setdefault(claim["figure"], []).append(claim)
    rows = []
    for key, entry in figures.items():
        scale = next((scale for scale in SCALES if key in judged[scale]), None)
        rows.append(Row(key, entry, scale, judged[scale][key] if scale else []))
    return rows


def markdown(rows: dict, facts: dict) -> str:
    """paper_figs.md: a table of claims a paper, what was chosen where it is silent, what the scales cap."""
    counts = Counter(claim["verdict"] for listed in rows.values() for row in listed for claim in row.claims)
    by_verdict = ", ".join(f"{counts[verdict]} {verdict}" for verdict in MARKS)
    lines = [
        "# Figures and tables, claim by claim",
        "",
        "Written by `stages/report.py` from `results/<scale>/claims`; thresholds stand in "
        "`papers/<paper>/claims`. "
        "A claim that fails is reported as failing.",
        "",
        f"**{sum(counts.values())} claims: {by_verdict}.**",
        "",
    ]
    for paper, said in facts.items():
        lines += [f"## {said['authors']} {said['year']}, {said['title']}", ""]
        lines += [_line(COLUMNS), _line(["---"] * len(COLUMNS))]
        lines += [line for row in rows[paper] for line in of_figure(row)]
        lines += ["", "### What the paper leaves open, and what was chosen", ""]
        lines += [*(f"- {choice}" for choice in said["choices"]), ""]
        lines += ["### What the scales cap and change", "", *caps(paper), ""]
    return "\n".join(lines)


def of_figure(row: Row):
    """A line of the table for every claim of a figure."""
    if not row.claims:
        yield _line([row.key, row.entry["title"], "", "", "", "not run", "–", ""])
    for number, claim in enumerate(row.claims):
        picture = f"[{row.key}]({artifacts.figure(row.scale, row.key, row.entry['to'])})"
        verdict = MARKS[claim["verdict"]] + (f" ({claim['reason']})" if claim["reason"] else "")
        numbers = [claim[name] for name in ("statement", "paper", "ours", "n")]
        yield _line([row.key if not number else "", *numbers, row.scale, verdict, picture])


def caps(paper: str) -> list:
    """A line a scale and study: its caps, and in words of their own what departs from the paper."""
    root, params = read(ROOT), read(paper_file(paper, "params.yaml"))
    studies = {name: study for name, study in params.items() if isinstance(study, dict) and "train" in study}
    lines = []
    for scale, general in root["scales"].items():
        found = [f"all studies: {_listed(general)}"] if _listed(general) else []
        found += [
            f"{name}: {_listed(study['at'][scale])}"
            for name, study in studies.items()
            if _listed(study["at"][scale])
        ]
        lines.append(f"- `{scale}`: {'; '.join(found) or 'no caps, the paper’s own numbers'}")
    return lines


def _listed(caps: dict) -> str:
    """Caps in words; what replaces a number of the paper's, or adds to it, says so."""
    words = []
    for path, value in leaves(caps):
        names = [
            name for name in (path[1:] if path[0] in ("train", "measure") else path) if name != "instead"
        ]
        words.append(f"{'.'.join(names)} {value}" + (" instead" if "instead" in path else ""))
    return ", ".join(words)


def _line(cells) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222 }
body { max-width: 1000px; margin: 2em auto; padding: 0 1em }
img { max-width: 100%; border: 1px solid #ddd }
td, th { padding: .3em .6em; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top }
table { border-collapse: collapse; font-size: 13px; width: 100% }
.reproduced { color: #00664a } .not-reproduced { color: #b3261e } .not-testable { color: #666 }
section { margin: 3em 0 }
pre { overflow-x: auto; font-size: 12px; line-height: 1.35 }
"""


def page(rows: dict, facts: dict) -> str:
    """One self-contained page: a figure, its caption, its claims."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Figures for review</title>"
        f"<style>{STYLE}</style>"
    ]
    parts.append("<h1>Figures for review</h1>")
    for paper, said in facts.items():
        links = " · ".join(f"<a href='#{row.key}'>{row.key}</a>" for row in rows[paper])
        title = f"{html.escape(said['authors'])} {said['year']}, <i>{html.escape(said['title'])}</i>"
        parts.append(f"<h2>{title}</h2><p>{links}")
        parts += [section(row) for row in rows[paper]]
    return "\n".join(parts) + "</html>\n"


def section(row: Row) -> str:
    """A figure with its caption and its claims."""
    caption = f"{html.escape(row.entry['caption'])} <b>Scale {row.scale}.</b>"
    head = f"<section id={row.key}><h3>{row.key}: {html.escape(row.entry['title'])}</h3><p>{caption}</p>"
    lines = ["<table><tr><th>claim<th>paper<th>ours<th>n<th>verdict</tr>"]
    for claim in row.claims:
        kind = claim["verdict"].replace(" ", "-")
        verdict = f"<b class={kind}>{claim['verdict']}</b> {html.escape(claim['reason'])}"
        cells = "".join(f"<td>{html.escape(claim[name])}" for name in ("statement", "paper", "ours", "n"))
        lines.append(f"<tr>{cells}<td>{verdict}</tr>")
    return head + shown(row) + "\n".join(lines) + "</table></section>"


def shown(row: Row) -> str:
    """A picture, or a table as it stands in its file (a link where that has not been written yet)."""
    if not row.scale:
        return "not run"
    path = artifacts.figure(row.scale, row.key, row.entry["to"])
    if row.entry["to"] == "png":
        return f"<img src='{row.scale}/{path.name}' alt='{html.escape(row.entry['title'])}'>"
    if not Path(path).exists():
        return f"<a href='{row.scale}/{path.name}'>table</a>"
    return f"<pre>{html.escape(path.read_text(encoding='utf-8'))}</pre>"


if __name__ == "__main__":
    main(*sys.argv[1:])
