"""Claims: a bench's verdicts, what a claim function is given, and that every figure has one."""

import numpy as np
import pytest
from judging import ROOT, entries

from pipeline import claims
from pipeline.cells import Cells
from pipeline.claims import Bench, Case
from stages.claims import functions, judge, judged, summary

PAPERS = sorted(path.parent.name for path in ROOT.glob("papers/*/claims"))


# --- a bench --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "holds, settings, expected, reason",
    [
        (True, {}, "reproduced", "note"),
        (False, {}, "not reproduced", "note"),
        (True, {"lacks": "three widths"}, "not testable", "three widths; note"),
        (False, {"lacks": "three widths"}, "not testable", "three widths; note"),
        (False, {"reason": "noise"}, "not reproduced", "noise; note"),
        (True, {"against_number": True}, "reproduced", "note"),
        (np.bool_(True), {}, "reproduced", "note"),
    ],
)
def test_a_bench_judges(holds, settings, expected, reason):
    claim = Bench("fig", "paper", 1, "2 nets", "note").judge("s", "p", "o", holds, **settings)
    assert (claim.figure, claim.n, claim.verdict, claim.reason) == ("fig", "2 nets", expected, reason)
    assert claim.verdict in claims.VERDICTS


@pytest.mark.parametrize("holds", [True, False])
def test_stand_ins_lacking_networks_and_another_width_make_a_claim_untestable(holds):
    def reason(*bench, **settings):
        claim = Bench("fig", *bench).judge("s", "p", "o", holds, **settings)
        assert claim.verdict == "not testable"
        return claim.reason

    assert reason("smoke", 1, "n", "note") == "embedded stand-in data; note"
    assert reason("quick", 1, "n", lacks="two networks") == "two networks"
    assert reason("quick", 1, "n", lacks="two networks", against_number=True) == "two networks"
    assert reason("quick", 4, "n", against_number=True) == "width is 4: the paper's numbers are for 1"


# --- a case ---------------------------------------------------------------------------------------


def left_out(*place):
    raise FileNotFoundError(place)


def test_a_case_knows_its_figure_and_benches_for_it():
    case = Case(left_out, "quick", 2, "all", {"a_fig1": {"rows": 1}, "a_fig2": {"rows": 2}}).of("a_fig2")
    assert case.entry == {"rows": 2}
    assert case.bench("3 nets", "note", "lacking") == Bench("a_fig2", "quick", 2, "3 nets", "note", "lacking")


def test_a_result_that_the_scale_leaves_out_is_kept_as_an_empty_one_but_never_a_damaged_one():
    def damaged(*place):
        raise ValueError("damaged")

    found = Cells({"w1/width": 1})
    assert Case(lambda *place: found, "quick", 1).kept("wide", "cka", "all") is found
    assert Case(left_out, "quick", 1).kept("wide", "cka", "all").sizes() == []
    with pytest.raises(ValueError, match="damaged"):
        Case(damaged, "quick", 1).kept("wide", "cka", "all")


# --- a paper's functions --------------------------------------------------------------------------


def test_there_are_papers():
    assert {"gilboa", "nguyen"} <= set(PAPERS)


@pytest.mark.parametrize("paper", PAPERS)
def test_every_figure_has_its_claims_and_no_claims_are_without_a_figure(paper):
    assert set(functions(paper)) == set(entries(paper))


def test_a_figure_without_a_function_is_one_clear_error():
    case = Case(left_out, "quick", 1, entries={"gilboa_fig99": {}})
    with pytest.raises(ValueError, match="^gilboa_fig99 has no claim: .* fig99 in papers/gilboa/claims$"):
        judged("gilboa", case)


@pytest.mark.parametrize("paper", PAPERS)
def test_committed_results_are_judged_figure_by_figure(paper, monkeypatch):
    monkeypatch.chdir(ROOT)
    figures = entries(paper)
    found = judge(paper, "quick", {"width": 1, "figures": figures, "shown": {"quick": "sixteenth"}})
    assert list(dict.fromkeys(claim.figure for claim in found)) == list(figures)
    assert all(claim.statement and claim.paper and claim.ours and claim.n for claim in found)


def test_a_summary_counts_verdicts_and_takes_the_mean_accuracy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = []
    for variant, accuracies in (("all", ([0.5, 0.7], [0.8, 0.9])), ("half", ([0.1], [0.2]))):
        found = Cells()
        for width, accuracy in enumerate(accuracies, 1):
            found.put_all({"width": width, "seeds": [0, 1], "test_accuracy": accuracy}, f"w{width}")
        files.append(f"results/quick/p/wide/training/{variant}.json")
        found.save(files[-1])
    bench = Bench("p_fig1", "quick", 1, "n")
    made = [bench.judge("s", "p", "o", holds) for holds in (True, True, False)]
    mean = pytest.approx((0.6 + 0.85 + 0.1 + 0.2) / 4)
    assert summary("p", made, files) == {
        "p": {"reproduced": 2, "not_reproduced": 1, "not_testable": 0, "accuracy": mean}
    }
