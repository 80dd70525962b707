"""paper_figs.md and the review page from the claims: `python -m stages.report <scale>`.

Every figure is shown at the most faithful scale whose claims have been judged (paper, gpu, quick, and stand-ins of smoke last), whatever
scale is running: a run on stand-ins never displaces a result on real data.
"""
import html
import sys

from stages import declared_params, stage
from wide import artifacts

SCALES = ("paper", "gpu", "quick", "smoke")
MARKS = {"reproduced": "✔ reproduced", "not reproduced": "✘ not reproduced", "not testable": "– not testable"}


@stage
def main(_scale: str):
    params = declared_params()
    rows = collect(params["figures"])
    artifacts.write_text("paper_figs.md", markdown(rows, params))
    artifacts.write_text(artifacts.FIGURES / "index.html", page(rows, params))


def collect(figures: dict) -> list:
    """[(key, entry, scale, claims)], scale None for a figure that has not been made."""
    judged = {scale: {} for scale in SCALES}
    for scale in SCALES:
        for path in sorted((artifacts.RESULTS / scale / "claims").glob("*.json")):
            for claim in artifacts.load_numbers(path):
                judged[scale].setdefault(claim["figure"], []).append(claim)
    rows = []
    for key, entry in figures.items():
        scale = next((scale for scale in SCALES if key in judged[scale]), None)
        rows.append((key, entry, scale, judged[scale][key] if scale else []))
    return rows


def paper_of(key: str) -> str:
    return key.split("_")[0]


def markdown(rows, params) -> str:
    lines = ["# Figures and tables, claim by claim", "",
             "Written by `stages/report.py` from `results/<scale>/claims`; thresholds stand in `stages/claims/<paper>.py`. "
             "A claim that fails is reported as failing.", ""]
    counts = {verdict: sum(claim["verdict"] == verdict for *_, claims in rows for claim in claims) for verdict in MARKS}
    lines += [f"**{sum(counts.values())} claims: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) + ".**", ""]
    for paper, facts in params["papers"].items():
        lines += [f"## {facts['authors']} {facts['year']}, {facts['title']}", "",
                  "| figure | claim | paper | ours | n | scale | verdict | picture |", "| --- | --- | --- | --- | --- | --- | --- | --- |"]
        for key, entry, scale, claims in (row for row in rows if paper_of(row[0]) == paper):
            picture = f"[{key}]({artifacts.figure(scale, key, entry['to'])})" if scale else ""
            if not claims:
                lines.append(f"| {key} | {_cell(entry['title'])} | | | | not run | – | |")
            for number, claim in enumerate(claims):
                verdict = MARKS[claim["verdict"]] + (f" ({claim['reason']})" if claim["reason"] else "")
                cells = [key if not number else "", claim["statement"], claim["paper"], claim["ours"], claim["n"], scale, verdict, picture]
                lines.append("| " + " | ".join(map(_cell, cells)) + " |")
        lines += ["", "### What the paper leaves open, and what was chosen", "", *(f"- {choice}" for choice in facts["choices"]), ""]
        lines += ["### What the scales cap", "", *caps(paper, params), ""]
    return "\n".join(lines)


def caps(paper, params) -> list:
    """A line a scale: its caps, and those that a study sets for itself."""
    lines = []
    for scale, general in params["scales"].items():
        found = [f"all studies: {_caps(general)}"] if _caps(general) else []
        found += [f"{name}: {_caps(study['at'][scale])}" for name, study in params.items()
                  if name.startswith(f"{paper}_") and _caps(study["at"][scale])]
        lines.append(f"- `{scale}`: {'; '.join(found) or 'no caps, the paper’s own numbers'}")
    return lines


def _caps(blocks) -> str:
    return ", ".join(f"{key} {value}" for block in blocks.values() for key, value in block.items())


def _cell(text) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")


def page(rows, params) -> str:
    """One self-contained page: a figure, its caption, its claims."""
    parts = ["<!doctype html><html lang=en><meta charset=utf-8><title>Figures for review</title><style>"
             "body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222}"
             "img{max-width:100%;border:1px solid #ddd}td,th{padding:.3em .6em;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}"
             "table{border-collapse:collapse;font-size:13px;width:100%}.reproduced{color:#00664a}.not-reproduced{color:#b3261e}"
             ".not-testable{color:#666}section{margin:3em 0}"
             "pre{overflow-x:auto;font-size:12px;line-height:1.35}</style><h1>Figures for review</h1>"]
    for paper, facts in params["papers"].items():
        parts.append(f"<h2>{html.escape(facts['authors'])} {facts['year']}, <i>{html.escape(facts['title'])}</i></h2><p>"
                     + " · ".join(f"<a href='#{key}'>{key}</a>" for key, *_ in rows if paper_of(key) == paper))
        for key, entry, scale, claims in (row for row in rows if paper_of(row[0]) == paper):
            parts.append(f"<section id={key}><h3>{key}: {html.escape(entry['title'])}</h3><p>{html.escape(entry['caption'])} "
                         f"<b>Scale {scale}.</b></p>{shown(key, entry, scale)}<table><tr><th>claim<th>paper<th>ours<th>n<th>verdict</tr>")
            for claim in claims:
                verdict = f"<b class={claim['verdict'].replace(' ', '-')}>{claim['verdict']}</b> {html.escape(claim['reason'])}"
                cells = "".join(f"<td>{html.escape(claim[name])}" for name in ("statement", "paper", "ours", "n"))
                parts.append(f"<tr>{cells}<td>{verdict}</tr>")
            parts.append("</table></section>")
    return "\n".join(parts) + "</html>\n"


def shown(key, entry, scale) -> str:
    """A picture, or a table as it stands in its file (a link where that has not been written yet)."""
    if not scale:
        return "not run"
    path = artifacts.figure(scale, key, entry["to"])
    if entry["to"] == "png":
        return f"<img src='{scale}/{path.name}' alt='{html.escape(entry['title'])}'>"
    if not path.exists():
        return f"<a href='{scale}/{path.name}'>table</a>"
    return f"<pre>{html.escape(path.read_text(encoding='utf-8'))}</pre>"


if __name__ == "__main__":
    main(*sys.argv[1:])
