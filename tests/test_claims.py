"""Claims: a bench's verdicts, what a claim function is given, and that every figure has one."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from judging import ROOT, entries

from pipeline import claims
from pipeline.cells import Cells
from pipeline.claims import Bench, Case, Control, Estimate, Lack
from stages.claims import floors, functions, judge, judged, summary
from wide import artifacts

PAPERS = sorted(path.parent.name for path in ROOT.glob("papers/*/claims"))
BENCH = Bench("fig", "paper", 1, "2 nets", "note")
SURE, NONE = Estimate(1.0, 0.01), "none: nothing can serve"


def control(value, se=0.01) -> Control:
    return Control("untrained", Estimate(value, se))


# --- estimates ------------------------------------------------------------------------------------


def test_an_estimate_is_a_mean_with_its_standard_error():
    found = Estimate.of([1.0, 2.0, None, np.nan, 3.0])
    assert found.value == 2 and found.se == pytest.approx(1 / math.sqrt(3))
    assert Estimate.of([[1.0, 2.0], [3.0, 4.0]]).value == 2.5
    assert Estimate.of([5.0]).value == 5 and math.isnan(Estimate.of([5.0]).se)
    assert math.isnan(Estimate.of([]).value) and math.isnan(Estimate.of([np.nan]).value)


def test_equal_counts_are_no_surer_than_a_step():
    assert Estimate.of([2, 2, 2]).se == 0
    assert Estimate.of([2, 2, 2], step=1).se == pytest.approx(1 / 6)
    assert Estimate.of([1, 2, 3], step=1).se == Estimate.of([1, 2, 3]).se
    assert math.isnan(Estimate.of([2], step=1).se)


def test_differences_of_estimates_add_their_errors_in_quadrature():
    assert Estimate(5, 3).minus(Estimate(2, 4)) == Estimate(3, 5)
    assert math.isnan(Estimate(5, 3).minus(Estimate(2)).se)


def test_estimates_are_said_with_their_errors():
    assert Estimate(0.1234, 0.01).said(1, 100, " %") == "12.3 ± 1.0 %"
    assert (Estimate(0.5).said(), Estimate(0.5, 0).said(), Estimate(math.nan).said()) == ("0.50", "0.50", "–")
    assert Control("untrained", Estimate(0.5, 0.1), 1, 100, " %").said() == "untrained: 50.0 ± 10.0 %"


# --- a bench --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "found, settings, expected, reason",
    [
        (SURE, {"above": 0.9, "control": control(0.5)}, "reproduced", ""),
        (SURE, {"above": 0.9, "control": NONE}, "reproduced", ""),
        (SURE, {"above": 1.0, "control": NONE}, "not reproduced", ""),
        (SURE, {"above": 1.1, "control": control(2.0)}, "not reproduced", ""),
        (SURE, {"above": 0.9, "control": NONE, "holds": False}, "not reproduced", ""),
        (SURE, {"above": 0.9, "control": NONE, "holds": np.bool_(True)}, "reproduced", ""),
        (SURE, {"above": 0.981, "control": NONE}, "not reproduced", "within noise"),
        (SURE, {"above": 0.979, "control": NONE}, "reproduced", ""),
        (SURE, {"above": 0.9, "control": control(0.925)}, "confounded", "the control meets it, too"),
        (SURE, {"above": 0.9, "control": control(0.91)}, "reproduced", ""),  # by one standard error: noise
        (
            Estimate(1, 0.04),
            {"above": 0.9, "control": control(0.89, 0.04)},
            "confounded",
            "within two standard",
        ),
        (Estimate(1, 0.04), {"above": 0.9, "control": control(0.88, 0.04)}, "reproduced", ""),
        (Estimate(1, 0.04), {"above": 0.9, "control": control(0.89, math.nan)}, "confounded", "within two"),
        (SURE, {"below": 1.1, "control": control(1.2)}, "reproduced", ""),
        (SURE, {"below": 1.0, "control": NONE}, "not reproduced", ""),
        (SURE, {"below": 1.019, "control": NONE}, "not reproduced", "within noise"),
        (SURE, {"below": 1.1, "control": control(1.05)}, "confounded", "the control meets it, too"),
        (Estimate(0.04, 0), {"below": 0.05, "control": NONE}, "reproduced", ""),  # a p value has no noise
    ],
)
def test_a_bench_judges(found, settings, expected, reason):
    claim = BENCH.judge("s", "p", "o", found, **settings)
    assert (claim.figure, claim.n, claim.verdict, claim.cause) == ("fig", "2 nets", expected, "")
    assert reason in claim.reason and claim.reason.endswith("note") and not claim.sanity
    assert bool(reason) == (claim.reason != "note")
    given = settings["control"]
    assert claim.control == (given if isinstance(given, str) else given.said())


def lacking(bench=(), **settings) -> tuple:
    """Cause and reason of a claim that would hold, and of one that would not."""
    settings = {"found": SURE, "control": NONE} | settings
    bench = Bench("fig", *bench) if bench else BENCH
    made = [bench.judge("s", "p", "o", above=above, **settings) for above in (0, 2)]
    assert {claim.verdict for claim in made} == {"not testable"}
    assert made[0].cause == made[1].cause in claims.CAUSES
    return made[0].cause, made[0].reason


def test_what_is_missing_makes_a_claim_untestable_whether_it_would_hold_or_not():
    floor = Lack(claims.BELOW_LINEAR, "20.0 %")
    assert lacking(("smoke", 1, "n", "note")) == ("stand-in data", "note")
    assert lacking(("quick", 1, "n", "", floor)) == ("not above a linear classifier", "20.0 %")
    assert lacking(lacks=Lack(claims.TOO_FEW, "2 nets")) == ("too few networks", "2 nets; note")
    assert lacking(("quick", 1, "n", "", floor), lacks=Lack(claims.TOO_FEW))[0] == "too few networks"
    assert lacking(found=Estimate(math.nan, 0.1))[0] == "nothing to measure it on"
    assert lacking(found=Estimate(1.0))[0] == "too few networks"  # one value says nothing of its noise


def test_a_claim_that_fails_needs_no_control_and_one_that_holds_is_untestable_without():
    missing = {"found": SURE, "control": control(math.nan)}
    held, failed, noise = (BENCH.judge("s", "p", "o", above=above, **missing) for above in (0, 2, 0.981))
    assert (held.verdict, held.cause) == ("not testable", claims.LEFT_OUT)
    assert failed.verdict == noise.verdict == "not reproduced"


def test_numbers_of_the_paper_hold_at_its_own_width():
    cause, reason = lacking(("quick", 4, "n"), against_number=True)
    assert cause == "another width than the paper's" and "width is 4" in reason
    assert (
        BENCH.judge("s", "p", "o", SURE, above=0, control=NONE, against_number=True).verdict == "reproduced"
    )
    other = Bench("fig", "quick", 4, "n").judge("s", "p", "o", SURE, above=0, control=NONE)
    assert other.verdict == "reproduced"


@pytest.mark.parametrize("settings, words", [
    ({"control": NONE}, "one threshold"),
    ({"control": NONE, "above": 0, "below": 1}, "one threshold"),
    ({"control": "", "above": 0}, "needs a control, or the reason"),
])  # fmt: skip
def test_a_claim_has_one_threshold_and_a_control(settings, words):
    with pytest.raises(ValueError, match=words):
        BENCH.judge("s", "p", "o", SURE, **settings)


def test_a_claim_cannot_lack_what_is_no_object():
    with pytest.raises(ValueError, match="cause 'no block formed' is unknown; known: stand-in data, "):
        Lack("no block formed")


def test_exact_counts_are_sanity_checks():
    made = [BENCH.check("s", "p", "o", holds) for holds in (True, False)]
    made.append(BENCH.check("s", "p", "o", True, lacks=Lack(claims.LEFT_OUT, "ImageNet")))
    made.append(Bench("fig", "smoke", 1, "n").check("s", "p", "o", True))
    assert [claim.verdict for claim in made] == ["reproduced", "not reproduced", *2 * ["not testable"]]
    assert all(claim.sanity and claim.control == "none: exact" for claim in made)
    assert [claim.cause for claim in made] == ["", "", "left out at this scale", "stand-in data"]


# --- a case ---------------------------------------------------------------------------------------


def left_out(*place):
    raise FileNotFoundError(place)


def test_a_case_knows_its_figure_and_benches_for_it():
    case = Case(left_out, "quick", 2, "all", {"a_fig1": {"rows": 1}, "a_fig2": {"rows": 2}}).of("a_fig2")
    lack = Lack(claims.TOO_FEW)
    assert case.entry == {"rows": 2}
    assert case.bench("3 nets", "note", lack) == Bench("a_fig2", "quick", 2, "3 nets", "note", lack)


def test_a_result_that_the_scale_leaves_out_is_kept_as_an_empty_one_but_never_a_damaged_one():
    def damaged(*place):
        raise ValueError("damaged")

    found = Cells({"w1/width": 1})
    assert Case(lambda *place: found, "quick", 1).kept("wide", "cka", "all") is found
    assert Case(left_out, "quick", 1).kept("wide", "cka", "all").sizes() == []
    with pytest.raises(ValueError, match="damaged"):
        Case(damaged, "quick", 1).kept("wide", "cka", "all")


def test_networks_have_learned_what_is_above_a_linear_classifier():
    case = Case(left_out, "quick", 1, floors={("wide", "all"): 0.4})
    assert case.unlearned("wide", "all", [0.39, 0.42]) is None
    assert case.unlearned("deep", "all", [0.9]).cause == claims.LEFT_OUT  # no floor is not a floor of 0
    assert case.unlearned("wide", "all", [np.nan]).cause == claims.UNDEFINED
    for accuracies in ([0.4], [0.2, 0.5]):
        assert case.unlearned("wide", "all", accuracies).cause == claims.BELOW_LINEAR
    assert case.unlearned("wide", "all", [0.2]).detail == "20.0 %, a linear classifier on the pixels 40.0 %"


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
    assert all((claim.statement, claim.paper, claim.ours, claim.n, claim.control) for claim in found)
    assert {claim.verdict for claim in found} <= set(claims.VERDICTS)
    assert all(bool(claim.cause) == (claim.verdict == "not testable") for claim in found)


def test_floors_of_all_data_sets_are_read_and_of_nothing_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = {"a": {"wide": {"all": 0.4, "half": 0.3}}, "b": {"deep": {"all": 0.2}}}
    for name, studies in files.items():
        facts = {
            study: {variant: {"accuracy": value, "examples": 9} for variant, value in variants.items()}
            for study, variants in studies.items()
        }
        artifacts.save_numbers(artifacts.result("quick", "p", "floor", "linear", name, "json"), facts)
    both = {("wide", "all"): 0.4, ("wide", "half"): 0.3, ("deep", "all"): 0.2}
    place = "results/quick/p/floor/linear"
    assert floors("p", "quick") == both
    assert floors("p", "quick", [f"{place}/b.json", f"{place}/a.json", "results/quick/p/w/cka/a.npz"]) == both
    assert floors("p", "quick", [f"{place}/b.json"]) == {("deep", "all"): 0.2}
    assert floors("p", "gpu") == floors("q", "quick") == floors("p", "quick", []) == {}


def test_floors_reach_the_claims(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    facts = {"mnist": {"base": {"accuracy": 0.92}}}
    artifacts.save_numbers(artifacts.result("quick", "p", "floor", "linear", "mnist", "json"), facts)
    given = []
    monkeypatch.setattr("stages.claims.judged", lambda paper, case: given.append(case))
    judge("p", "quick", {"width": 1, "figures": {}})
    assert given[0].floors == {("mnist", "base"): 0.92}


def test_a_summary_counts_the_verdicts_of_findings_and_takes_the_mean_accuracy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = []
    for variant, accuracies in (("all", ([0.5, 0.7], [0.8, 0.9])), ("half", ([0.1], [0.2]))):
        found = Cells()
        for width, accuracy in enumerate(accuracies, 1):
            found.put_all({"width": width, "seeds": [0, 1], "test_accuracy": accuracy}, f"w{width}")
        files.append(f"results/quick/p/wide/training/{variant}.json")
        found.save(files[-1])
    made = [BENCH.judge("s", "p", "o", SURE, above=above, control=NONE) for above in (0, 0, 2)]
    made.append(BENCH.judge("s", "p", "o", SURE, above=0, control=control(1)))
    made += [BENCH.check("s", "p", "o", holds) for holds in (True, False)]
    made.append(BENCH.judge("s", "p", "o", SURE, above=0, control=NONE, lacks=Lack(claims.LEFT_OUT)))
    counts = {"reproduced": 2, "confounded": 1, "judged": 4}
    assert summary("p", made, files) == {
        "p": counts | {"accuracy": pytest.approx((0.6 + 0.85 + 0.1 + 0.2) / 4)}
    }
    assert summary("p", [], [])["p"]["accuracy"] is None


def test_a_claim_is_plain_values_in_a_file():
    claim = BENCH.judge("s", "p", "o", SURE, above=0, control=control(-1))
    assert all(isinstance(value, str | bool) for value in asdict(claim).values())
