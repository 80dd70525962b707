"""The report: every figure at the most faithful scale, a line a claim, in a table and on the review page."""

from dataclasses import asdict

import pytest
from judging import ROOT
from ruamel.yaml import YAML

from pipeline.claims import Bench
from pipeline.parameters import papers, read
from stages import report
from wide import artifacts

FIGURES = [f"toy_fig{number}" for number in range(1, 7)]
CLAIMS = 3  # of each figure
FACTS = {"title": "A <title>", "authors": "A & B", "year": 2019, "choices": ["One choice."]}
PARAMS = {
    "shared": {"recipe": {"epochs": 3}},
    "digits": {
        "train": {"seeds": 5},
        "at": {
            "quick": {
                "train": {"sizes": {"widest": 64}, "instead": {"net": {"stem": "small"}}},
                "measure": {},
            },
            "paper": {"train": {}, "measure": {}},
        },
    },
}
SCALES = {
    "quick": {"train": {"views": 10}, "data": {}, "measure": {}},
    "paper": {"train": {}, "data": {}, "measure": {}},
}


def entry(key, to="png"):
    return {"title": f"Title of {key}", "caption": "Seen <there>.", "to": to}


ENTRIES = {key: entry(key) for key in FIGURES}


def write_yaml(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        YAML(typ="safe").dump(content, file)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A project with one paper; judges figures at a scale."""
    monkeypatch.chdir(tmp_path)
    write_yaml(tmp_path / "params.yaml", {"scales": SCALES})
    write_yaml(tmp_path / "papers/toy/params.yaml", PARAMS)
    write_yaml(tmp_path / "papers/toy/figures.yaml", {"paper": FACTS, "figures": ENTRIES})
    write_yaml(tmp_path / "papers/toy/dvc.yaml", {"stages": {}})

    def write(scale, figures=FIGURES, holds=True):
        claims = []
        for key in figures:
            bench = Bench(key, scale, 1, "2 networks", "a < b & c")
            for number in range(CLAIMS):
                claims.append(bench.judge(f"claim {number}", "1 | 2", f"at {scale} | {number}", holds))
        artifacts.save_numbers(artifacts.claims(scale, "toy"), [asdict(claim) for claim in claims])

    return write


def collected(entries=ENTRIES):
    return {"toy": report.collect("toy", entries)}


def markdown():
    return report.markdown(collected(), {"toy": FACTS})


def page(entries=ENTRIES):
    return report.page(collected(entries), {"toy": FACTS})


def lines_of(text):
    """The lines of the table below its head."""
    table = [line for line in text.splitlines() if line.startswith("| ")]
    return [line for line in table if not line.startswith(("| figure", "| ---"))]


def test_a_figure_is_shown_at_the_most_faithful_scale(elsewhere):
    for scale, figures in (("smoke", 6), ("quick", 4), ("gpu", 3), ("paper", 1)):
        elsewhere(scale, FIGURES[:figures])
    rows = collected()["toy"]
    assert [row.key for row in rows] == FIGURES
    assert [row.scale for row in rows] == ["paper", "gpu", "gpu", "quick", "smoke", "smoke"]
    assert all(len(row.claims) == CLAIMS for row in rows)
    assert all(claim["ours"].startswith(f"at {row.scale} ") for row in rows for claim in row.claims)


def test_a_figure_without_claims_reads_not_run(elsewhere):
    elsewhere("quick", FIGURES[:1])
    [first, second, *_] = collected()["toy"]
    assert first.scale == "quick" and (second.scale, second.claims) == (None, [])
    assert markdown().count("| not run |") == 5
    assert "toy_fig2" in page() and "not run" in page() and "toy_fig2.png" not in page()


def test_the_table_has_a_line_a_claim_and_escapes_pipes(elsewhere):
    elsewhere("quick")
    text = markdown()
    lines = lines_of(text)
    assert len(lines) == CLAIMS * len(FIGURES)
    for line in lines:
        assert line.replace("\\|", "").count("|") == 1 + len(report.COLUMNS)
        assert "at quick \\| " in line
    named = [line.split(" | ")[0].strip("| ") for line in lines]
    assert [name for name in named if name] == FIGURES  # each once
    assert f"**{len(lines)} claims: {len(lines)} reproduced, 0 not reproduced, 0 not testable.**" in text


def test_the_table_names_choices_and_caps(elsewhere):
    elsewhere("quick")
    text = markdown()
    assert "A & B 2019, A <title>" in text and "- One choice." in text
    assert "`paper`: no caps" in text
    [line] = [line for line in text.splitlines() if line.startswith("- `quick`")]
    assert "all studies: views 10" in line and "digits: " in line and "widest 64" in line
    assert "stem small instead" in line and "shared" not in line


def test_failing_and_untestable_claims_are_counted_as_such(elsewhere):
    elsewhere("paper", holds=False)
    elsewhere("smoke")
    text = markdown()
    assert ", 18 not reproduced, 0 not testable" in text and text.count("✘ not reproduced (") == 18
    (artifacts.claims("paper", "toy")).unlink()
    assert "0 reproduced, 0 not reproduced, 18 not testable" in markdown()


def test_a_line_break_stays_in_its_cell(elsewhere):
    row = report.Row("toy_fig1", {"title": "a\nb|c", "to": "png"}, None, [])
    assert [line.count("\n") for line in report.of_figure(row)] == [0]
    assert "a b\\|c" in next(report.of_figure(row))


def test_the_page_has_a_row_a_claim_and_escapes_markup(elsewhere):
    elsewhere("quick")
    text = page()
    assert text.count("<b class=reproduced>") == CLAIMS * len(FIGURES)
    assert "A &lt;title&gt;" in text and "A &amp; B" in text
    assert "Seen &lt;there&gt;." in text and "<there>" not in text
    assert "a &lt; b &amp; c" in text
    assert all(f"src='quick/{key}.png'" in text and f"id={key}" in text for key in FIGURES)
    elsewhere("quick", holds=False)
    assert page().count("<b class=not-reproduced>") == CLAIMS * len(FIGURES)


def test_a_table_stands_in_the_page_as_text_and_is_a_link_before_it_is_written(elsewhere):
    elsewhere("quick")
    key = FIGURES[1]
    entries = {**ENTRIES, key: entry(key, "md")}
    before = page(entries)
    assert f"<a href='quick/{key}.md'>table</a>" in before
    assert "<pre>" not in before and f"src='quick/{key}" not in before
    artifacts.write_text(artifacts.figure("quick", key, "md"), "| p < 0.05 & × |\n| --- |\n")
    after = page(entries)
    assert "<pre>| p &lt; 0.05 &amp; × |\n| --- |\n</pre>" in after
    assert f"src='quick/{FIGURES[0]}.png'" in after


def test_the_stage_writes_both_files(elsewhere):
    elsewhere("quick")
    report.main("quick")
    for path in ("paper_figs.md", artifacts.FIGURES / "index.html"):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        assert all(key in text for key in FIGURES)


def test_the_repositorys_own_figures_can_be_reported(monkeypatch):
    monkeypatch.chdir(ROOT)
    files = {paper: read(f"papers/{paper}/figures.yaml") for paper in papers()}
    rows = {paper: report.collect(paper, found["figures"]) for paper, found in files.items()}
    facts = {paper: found["paper"] for paper, found in files.items()}
    text, page = report.markdown(rows, facts), report.page(rows, facts)
    for key in (key for found in files.values() for key in found["figures"]):
        assert f"| {key} |" in text and f"id={key}" in page
    for scale in read("params.yaml")["scales"]:
        assert text.count(f"\n- `{scale}`: ") == len(files)
