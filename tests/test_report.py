"""The report: a sign a figure and scale, a section a figure, in Markdown and as a page."""

import re

import pytest
from judging import ROOT
from reporting import (
    ENTRIES,
    FAILED,
    FIGURES,
    HELD,
    SHOWN_TOO,
    UNTESTED,
    html,
    judged,
    made,
    markdown,
    rows,
    write_claims,
    write_entries,
)

from pipeline.claims import TOO_FEW
from pipeline.parameters import read
from pipeline.reports.markdown import WIDEST, text
from pipeline.reports.page import page
from pipeline.reports.rows import SIGNS, sign
from stages import report
from wide import artifacts


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made(tmp_path)


def cells(line):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def matrix(said):
    """{figure: signs by column}, and the columns."""
    lines = [cells(line) for line in said.splitlines() if line.startswith(("| figure", "| [toy"))]
    return {re.sub(r"\W*(toy_\w+).*", r"\1", line[0]): line[2:] for line in lines[1:]}, lines[0][2:]


def test_a_figure_is_shown_at_the_most_faithful_scale():
    for number, scale in enumerate(("paper", "gpu", "overnight", "quick", "smoke")):
        write_claims(scale, FIGURES[: number + 1])
    shown = [row.scale for row in rows()]
    assert shown == ["paper", "gpu", "overnight", "quick", "smoke", None]
    assert all(claim["ours"].startswith(f"at {row.scale} ") for row in rows() for claim in row.findings)


@pytest.mark.parametrize(
    "verdicts, expected",
    [
        ([HELD, HELD], "✔"),
        ([HELD, FAILED], "◐"),
        ([HELD, UNTESTED], "◐"),
        ([FAILED, UNTESTED], "✘"),
        ([FAILED, SHOWN_TOO], "⚠"),
        ([UNTESTED], "–"),
        ([], "·"),
    ],
)
def test_one_sign_says_how_all_findings_of_a_figure_fared(verdicts, expected):
    claims = judged("toy_fig1", verdicts)
    assert [claim["verdict"] for claim in claims[:-1]] == verdicts  # the made-up claims are what they say
    assert sign(claims) == expected and expected in SIGNS


def test_the_matrix_has_a_sign_a_scale_and_leaves_smoke_out_unless_it_is_alone():
    write_claims("smoke")
    assert matrix(markdown()) == ({key: ["–"] for key in FIGURES}, ["smoke"])
    write_claims("quick", FIGURES[:2])
    write_claims("gpu", FIGURES[:1], [HELD])
    signs, columns = matrix(markdown())
    assert columns == ["quick", "overnight", "gpu", "paper"]
    assert signs == {key: ["", "", "", ""] for key in FIGURES} | {
        FIGURES[0]: ["◐", "", "✔", ""],
        FIGURES[1]: ["◐", "", "", ""],
    }
    assert html().count("<td>◐") == 2 and html().count("<td>✔") == 1
    assert markdown().count("Not run.") == html().count("Not run.") == 0  # the others are shown at smoke
    artifacts.claims("smoke", "toy").unlink()
    assert markdown().count("Not run.") == html().count("Not run.") == 4


def test_findings_are_counted_by_verdict_and_cause_and_sanity_checks_apart():
    write_claims("quick", FIGURES[:3])
    said = markdown()
    assert "| quick | 3 | 3 | 3 | 3 | 3 of 3 |" in said
    assert f"Not testable at quick: {TOO_FEW} (3)." in said and f"{TOO_FEW} (3)." in html()
    assert said.count("1 reproduced, 1 not reproduced, 1 confounded, 1 not testable, 1 of 1 sanity") == 3


def test_claims_of_an_older_shape_are_left_out_and_said_to_be():
    write_claims("gpu", drop=["control", "cause", "sanity"])
    assert [row.scale for row in rows()] == [None] * 6
    write_claims("quick", FIGURES[:1])
    said = markdown()
    assert matrix(said)[0][FIGURES[0]] == ["◐", "", "↻", ""]
    assert "Scale gpu: judged by an older version: run it again." in said and "at gpu" not in said
    assert "Judged by an older version" in html() and "\n| gpu |" not in said


def test_a_section_says_what_is_seen_and_folds_the_claims_with_their_controls():
    write_claims("quick", FIGURES[:1])
    section = markdown().split('<a id="toy_fig1">')[1].split("<a id")[0]
    seen, folded = section.split("<details>", 1)
    assert "![Title of toy_fig1](figures/quick/toy_fig1.png)" in seen and "Seen &lt;there>." in seen
    assert "**Seen here**\n\n- claim 0; here at quick | 0, in the paper 1 | 2\n" in seen
    assert "**Not seen here**\n\n- claim 1; here at quick | 1, in the paper 1 | 2\n" in seen
    assert "control (confounded)**\n\n- claim 2; here at quick | 2" in seen
    assert "1 | 2; control: untrained &lt;nets>: 1.00 ± 0.10\n" in seen
    assert f"**Not testable**\n\n- {TOO_FEW}: claim 3\n" in seen and "counts agree" not in seen
    assert folded.count("  - control: untrained &lt;nets>: ") == 4 and "sanity check, reproduced" in folded
    assert "not testable: too few networks – one | two; a &lt; b &amp; c" in folded


def test_the_page_says_the_same_and_escapes_markup():
    write_claims("quick")
    said = html()
    for kind in ("reproduced", "not-reproduced", "confounded", "not-testable"):
        assert said.count(f"<b class={kind}>") == len(FIGURES) * (2 if kind == "reproduced" else 1)
    assert said.count("untrained &lt;nets&gt;: -1.00") > 6 and "<nets>" not in said
    assert "A &lt;title&gt;" in said and "A &amp; B" in said and "<there>" not in said
    assert all(f"src='quick/{key}.png'" in said and f"id={key}" in said for key in FIGURES)


def test_equal_statements_are_told_apart_by_their_networks():
    write_claims("quick", FIGURES[:1])
    [row, *_] = rows()
    first = row.claims[0]
    assert row.name(first) == "claim 0"
    row.claims.append({**first, "n": "ResNet-38"})
    assert row.name(row.claims[-1]) == "claim 0 [ResNet-38]" and row.name(first) == "claim 0 [2 networks]"
    row.claims.append({**first, "reason": "MNIST"})
    assert row.name(row.claims[-1]) == "claim 0 [2 networks; MNIST]"


def test_a_table_stands_in_the_report_unless_it_is_wider_than_a_screen(tmp_path):
    write_entries(tmp_path, ENTRIES | {FIGURES[1]: {**ENTRIES[FIGURES[1]], "to": "md"}})
    write_claims("quick")
    path = artifacts.figure("quick", FIGURES[1], "md")
    assert f"[The table]({path})" in markdown() and f"<a href='quick/{path.name}'>table</a>" in html()
    artifacts.write_text(path, "# Accuracies\n\n| p < 0.05 & × |\n| --- |\n")
    assert "\n| p < 0.05 & × |\n| --- |\n" in markdown() and "# Accuracies" not in markdown()
    assert "| p &lt; 0.05 &amp; × |\n| --- |\n</pre>" in html()
    artifacts.write_text(path, f"| {'x' * WIDEST} |\n")
    assert f"[The table]({path})" in markdown() and "xxx" not in markdown()


def test_no_line_of_a_table_is_wider_than_a_screen(tmp_path):
    long = {key: {**ENTRIES[key], "title": "a very long title " * 20} for key in FIGURES}
    write_entries(tmp_path, long)
    write_claims("quick", verdicts=[HELD] * 30)
    table = [line for line in markdown().splitlines() if line.startswith("|")]
    assert len(table) >= len(FIGURES) + 4 and max(map(len, table)) <= WIDEST
    assert {len(cells(line)) for line in table} == {6}


def test_choices_and_caps_are_listed():
    write_claims("quick")
    said = markdown()
    assert "A &amp; B 2019, A &lt;title>" in said and "- One choice." in said and "`paper`: no caps" in said
    [line] = [line for line in said.splitlines() if line.startswith("- `quick`")]
    assert "all studies: views 10" in line and "digits: " in line and "widest 64" in line
    assert "stem small instead" in line and "shared" not in line


def test_a_text_is_one_line_without_markup():
    assert text("a\nb < c * d ~ e") == "a b &lt; c \\* d \\~ e"


def test_the_stage_writes_both_files():
    write_claims("quick")
    report.main("quick")
    for path in ("paper_figs.md", artifacts.FIGURES / "index.html"):
        with open(path, encoding="utf-8") as file:
            said = file.read()
        assert all(key in said for key in FIGURES)


def test_the_repositorys_own_figures_can_be_reported(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = report.gathered()
    said, web = report.markdown(found), page(found)
    for key in (row.key for paper in found.values() for row in paper.rows):
        assert f"| [{key}](#{key}) |" in said and f"id={key}" in web
    assert max(len(line) for line in said.splitlines() if line.startswith("|")) <= WIDEST
    for scale in read("params.yaml")["scales"]:
        assert said.count(f"\n- `{scale}`: ") == len(found)
