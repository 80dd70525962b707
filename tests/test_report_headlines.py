"""Headline findings: a sentence with a number, its control and the verdict."""

import re

import pytest
from judging import ROOT
from reporting import (
    ENTRIES,
    FACTS,
    FAILED,
    FIGURES,
    HELD,
    SAY,
    SHOWN_TOO,
    UNTESTED,
    html,
    judged,
    made,
    markdown,
    rows,
    write_claims,
)

from pipeline.checks.figures import check_figures
from pipeline.claims import BELOW_LINEAR
from pipeline.parameters import papers, read
from pipeline.places import Place
from pipeline.reports.headlines import Headline, headlines
from pipeline.reports.rows import collect
from wide import artifacts


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made(tmp_path)


@pytest.mark.parametrize(
    "verdict, said",
    [
        (HELD, "✔ That it grows is **reproduced**: at quick | 0 \\*here\\* (paper: "
               "1 | 2), control: untrained &lt;nets>: -1.00 ± 0.10. ([toy_fig1](#toy_fig1), quick)"),
        (SHOWN_TOO, "⚠ That it grows is **confounded** (the control meets it, too; a &lt; b &amp; c): at"),
        (FAILED, "✘ That it grows is **not reproduced** (within noise: met by less than two"),
        (UNTESTED, "– claim 0: **not testable** (not above a linear classifier – 9 %)"),
    ],
)  # fmt: skip
def test_a_headline_says_its_number_its_control_and_its_verdict(verdict, said):
    write_claims("quick", FIGURES[:1], [verdict])
    if verdict == UNTESTED:
        claims = judged("toy_fig1", [verdict], cause=BELOW_LINEAR)
        claims[0]["reason"] = "9 %"
        artifacts.save_numbers(artifacts.claims("quick", "toy"), claims)
    assert f"\n1. {said}" in markdown()
    assert f"<b>{verdict}</b>{':' if verdict == HELD else ' ('}" in html()


def test_a_headline_that_means_no_claim_or_several_says_so():
    assert "1. claim 0: **not run** ([toy_fig1](#toy_fig1))" in markdown()
    write_claims("quick")
    [row, *_] = rows()
    for words, number in (
        ("claim", "several claims"),
        ("elephants", "no claim"),
        ("counts agree", "no claim"),
    ):
        sign, said = Headline("toy_fig1", words, SAY).told(row)
        assert sign == "?" and said.startswith(
            f"{number} of toy_fig1 at scale quick can be meant by “{words}”"
        )
    assert len(Headline("toy_fig1", "claim 1", SAY, among="a < b").matching(row.findings)) == 1
    assert len(Headline("toy_fig1", "claim 1", SAY, among="2 networks").matching(row.findings)) == 1
    assert not Headline("toy_fig1", "claim 1", SAY, among="9 networks").matching(row.findings)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"figure": "toy_fig9"}, "headlines.0.figure is 'toy_fig9'; it must be a figure's key; did you mean"),
        ({"say": "{ours} {verdict}"}, "headlines.0: say must have {control}"),
        ({"say": SAY + "{size}"}, "headlines.0: say has {size}; it can have ours, paper, control, verdict"),
        ({"words": "x"}, "headlines.0: unknown key 'words'"),
    ],
)
def test_check_refuses_a_headline_that_could_not_be_said(change, message):
    about = {**FACTS, "headlines": [FACTS["headlines"][0] | change]}
    with pytest.raises(ValueError, match=re.escape(message)):
        check_figures({"paper": about, "figures": ENTRIES}, Place("f"), "toy", results=[], claims=[],
                      known={"scales": []}, shown={})  # fmt: skip


@pytest.mark.parametrize("paper", papers())
def test_every_headline_of_the_repository_means_one_claim(paper, monkeypatch):
    monkeypatch.chdir(ROOT)
    found = read(f"papers/{paper}/figures.yaml")
    rows = {row.key: row for row in collect(paper, found["figures"])}
    for headline in headlines(found["paper"]):
        row = rows[headline.figure]
        if row.claims:  # not judged yet, or by an older version
            assert len(headline.matching(row.findings)) == 1, f"{headline.figure}: {headline.claim}"
