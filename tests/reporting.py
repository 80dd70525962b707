"""A made-up project with one paper, whose claims of every verdict are reported."""

from dataclasses import asdict

from ruamel.yaml import YAML

from pipeline.claims import TOO_FEW, Bench, Control, Estimate, Lack
from pipeline.reports.page import page
from stages import report
from wide import artifacts

FIGURES = [f"toy_fig{number}" for number in range(1, 7)]
SURE, UNSURE, UNDER = Estimate(1.0, 0.1), Estimate(1.0, 0.9), Estimate(-1.0, 0.1)
HELD, FAILED, SHOWN_TOO, UNTESTED = "reproduced", "not reproduced", "confounded", "not testable"
KINDS = {HELD: (SURE, UNDER), FAILED: (UNSURE, UNDER), SHOWN_TOO: (SURE, SURE), UNTESTED: (SURE, UNDER)}
SAY = "That it grows is {verdict}: {ours} *here* (paper: {paper}), control: {control}."
FACTS = {
    "title": "A <title>",
    "authors": "A & B",
    "year": 2019,
    "headlines": [{"figure": "toy_fig1", "claim": "claim 0", "say": SAY}],
    "choices": ["One choice."],
}
SIZES = {"train": {"sizes": {"widest": 64}, "instead": {"net": {"stem": "small"}}}, "measure": {}}
PARAMS = {
    "shared": {"recipe": {"epochs": 3}},
    "digits": {"train": {"seeds": 5}, "at": {"quick": SIZES, "paper": {"train": {}, "measure": {}}}},
}
SCALES = {
    "quick": {"train": {"views": 10}, "data": {}, "measure": {}},
    "paper": {"train": {}, "data": {}, "measure": {}},
}
ENTRIES = {key: {"title": f"Title of {key}", "caption": "Seen <there>.", "to": "png"} for key in FIGURES}


def write_yaml(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        YAML(typ="safe").dump(content, file)


def judged(key, verdicts, scale="quick", cause=TOO_FEW):
    """Claims of a figure, as their file has them, and a sanity check."""
    bench, claims = Bench(key, scale, 1, "2 networks", "a < b & c"), []
    for number, verdict in enumerate(verdicts):
        found, control = KINDS[verdict]
        lack = Lack(cause, "one | two") if verdict == UNTESTED else None
        control = Control("untrained <nets>", control)
        ours = f"at {scale} | {number}"
        claims.append(
            bench.judge(f"claim {number}", "1 | 2", ours, found, above=0, control=control, lacks=lack)
        )
    claims.append(bench.check("counts agree", "7", "7", True))
    return [asdict(claim) for claim in claims]


def made(folder):
    """Files of the paper toy in a folder, without results."""
    write_yaml(folder / "params.yaml", {"scales": SCALES})
    write_yaml(folder / "papers/toy/params.yaml", PARAMS)
    write_entries(folder, ENTRIES)
    write_yaml(folder / "papers/toy/dvc.yaml", {"stages": {}})


def write_entries(folder, entries):
    write_yaml(folder / "papers/toy/figures.yaml", {"paper": FACTS, "figures": entries})


def write_claims(scale, figures=FIGURES, verdicts=(HELD, FAILED, SHOWN_TOO, UNTESTED), drop=()):
    """Claims of figures at a scale, one of each verdict and a sanity check. drop: fields that they lack."""
    claims = [claim for key in figures for claim in judged(key, verdicts, scale)]
    claims = [{name: value for name, value in claim.items() if name not in drop} for claim in claims]
    artifacts.save_numbers(artifacts.claims(scale, "toy"), claims)


def rows():
    return report.gathered()["toy"].rows


def markdown():
    return report.markdown(report.gathered())


def html():
    return page(report.gathered())
