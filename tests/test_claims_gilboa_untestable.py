"""Claims of gilboa whose object is missing: not testable, and why."""

import copy

import numpy as np
import pytest
from made_claims_gilboa import FLOORS, RESULTS, claim, claims, judged, transfer, with_


@pytest.mark.parametrize("place, figure, words", [
    ("mnist.w2048.purity_classes", "fig1", "purity above"),
    ("mnist.w20.purity_classes", "fig1", "purity above"),
    ("pixels.w784.silhouette_classes", "fig6", "silhouette"),
])  # fmt: skip
def test_an_undefined_number_holds_nothing(place, figure, words):
    found = claim(with_(place, [None] * 10), figure, words)
    assert (found.verdict, found.cause) == ("not testable", "nothing to measure it on")


@pytest.mark.parametrize("study, figure", [
    ("mnist", "fig1"), ("translated", "fig2"), ("cifar", "fig3"), ("cifar", "fig5"), ("mnist", "fig6"),
    ("shift", "fig4"), ("coarse", "fig4"),
])  # fmt: skip
def test_networks_that_are_not_above_a_linear_classifier_are_not_judged(study, figure):
    found = claims(RESULTS, figure, "", floors=FLOORS | {(study, "base"): 0.999})
    if figure == "fig4":
        panel, apart = "translated" if study == "shift" else "CIFAR", "a linear classifier on pixels lies"
        found = [made for made in found if panel in made.reason and apart not in made.statement]
    assert {(made.verdict, made.cause) for made in found} == {
        ("not testable", "not above a linear classifier")
    }
    assert all("a linear classifier on the pixels 99.9 %" in made.reason for made in found)


def test_the_worst_network_must_be_above_the_floor():
    for place in ("mnist.w20.test_accuracy", "mnist.w2048.test_accuracy"):
        assert claim(with_(place, 0.91), "fig1", "purity").cause == "not above a linear classifier"
    results = with_("shift.original", [0.4, 0.99, 0.99, 0.99, 0.99])
    assert claim(results, "fig4", "widest minus").cause == "not above a linear classifier"


def test_a_judge_that_does_not_tell_real_images_from_noise_judges_no_icons():
    for study, figure, words in (("mnist", "fig1", "neurons'"), ("cifar", "fig5", "further from real")):
        for name in ("noise_cosine", "smooth_noise_cosine"):
            found = claim(with_(f"{study}.{name}", 0.93), figure, words)
            assert (found.verdict, found.cause) == ("not testable", "nothing to measure it on")
            assert "does not tell" in found.reason


@pytest.mark.parametrize("left_out, figure, words, controls", [
    ("pixels", "fig1", "", 3),
    ("translated_untrained", "fig2", "", 4),
    ("cifar_untrained", "fig3", "", 4),
    ("shift_untrained", "fig4", "new task", 4),
    ("coarse_untrained", "fig4", "new task", 2),
])  # fmt: skip
def test_a_claim_without_its_control_is_not_testable(left_out, figure, words, controls):
    results = {name: result for name, result in RESULTS.items() if name != left_out}
    lacking = [made for made in claims(results, figure, words) if "its control" in made.reason]
    assert {(made.verdict, made.cause) for made in lacking} == {("not testable", "left out at this scale")}
    assert len(lacking) == controls


def test_one_seed_has_no_error():
    results = copy.deepcopy(RESULTS)
    for name in ("shift", "coarse"):
        results[name] |= {part: results[name][part][..., :1] for part in ("original", "tuned", "linear")}
    assert {made.cause for made in claims(results, "fig4", "")} == {"too few networks"}


def with_diverged(study, *places):
    """The results where networks, [width's index, seeds' indices], diverged."""
    results = copy.deepcopy(RESULTS)
    for name in ("original", "tuned"):
        for place in places:
            results[study][name][place] = np.nan
    return results


def test_a_network_that_diverged_leaves_its_curve_to_the_others():
    assert {made.verdict for made in claims(with_diverged("shift", (1, 0)), "fig4", "")} == {"reproduced"}


@pytest.mark.parametrize("study, panel", [("shift", "translated"), ("coarse", "CIFAR")])
@pytest.mark.parametrize("width", [0, 1, -1])
def test_a_width_whose_networks_all_diverged_is_named(study, panel, width):
    found = claims(with_diverged(study, (width, ...)), "fig4", "")
    found = [made for made in found if panel in made.reason and "within 3 points" not in made.statement]
    only_widest = [made for made in found if "beat" in made.statement and width != -1]
    found = [made for made in found if made not in only_widest]
    assert {made.verdict for made in only_widest} <= {"reproduced"}
    assert {(made.verdict, made.cause) for made in found} == {("not testable", "too few networks")}
    name = RESULTS[study]["width"][width]
    assert all(f"diverged: of n = {name};" in made.reason for made in found) and len(found) >= 3


def test_divergence_that_leaves_one_network_is_named():
    results = with_diverged("shift", (0, slice(2)), (1, 1), (2, 2))
    for words in ("widest minus", "Spearman", "per doubling"):
        found = claim(results, "fig4", words)
        assert found.cause == "too few networks" and "diverged: of n = 271, 456, 720" in found.reason
    assert claim(results, "fig4", "original task").verdict == "not testable"  # a mean of one may be an end


@pytest.mark.parametrize("study, figure", [("mnist", "fig1"), ("translated", "fig2"), ("cifar", "fig3")])
def test_a_pair_of_which_one_diverged_is_named(study, figure):
    results = copy.deepcopy(RESULTS)
    del results[study][min(results[study], key=len)]
    found = claims(results, figure, "", trainings={study: {20: np.nan, 2048: 0.9}})
    assert {(made.verdict, made.cause) for made in found} == {("not testable", "too few networks")}
    assert all("diverged: n = 20" in made.reason and "caps" not in made.reason for made in found)


@pytest.mark.parametrize("left_out, figure, judged_still", [
    ("mnist", "fig1", 0), ("translated", "fig2", 0), ("cifar", "fig3", 0), ("cifar", "fig5", 0),
    ("cifar_untrained512", "fig5", 0), ("mnist", "fig6", 0), ("pixels", "fig6", 0),
    ("shift", "fig4", 5), ("coarse", "fig4", 5),
])  # fmt: skip
def test_networks_that_the_scale_leaves_out_are_said_to_be_left_out(left_out, figure, judged_still):
    results = {name: result for name, result in RESULTS.items() if name != left_out}
    for kept in (results, results | {left_out: {}}):  # no file, and an empty one
        found = claims(kept, figure, "")
        lacking = [made for made in found if made.verdict == "not testable"]
        assert {made.cause for made in lacking} == {"left out at this scale"}
        assert len(found) - len(lacking) == judged_still


def test_on_stand_ins_nothing_is_testable():
    found = judged(RESULTS, scale="smoke")
    assert {(made.verdict, made.cause) for made in found} == {("not testable", "stand-in data")}


def test_stand_ins_with_two_depths_of_one_width_are_judged_without_failing():
    results = copy.deepcopy(RESULTS)
    results["shift"] = results["shift_untrained"] = transfer([64, 64], 0.9, [0.5, 0.6], 0.5)
    results["coarse"] = results["coarse_untrained"] = transfer([16], 0.9, [0.5], 0.5)
    assert {made.verdict for made in judged(results, scale="smoke")} == {"not testable"}


@pytest.mark.parametrize("width", [4, 0.5])
def test_at_another_width_what_compares_with_the_papers_numbers_is_not_testable(width):
    before, after = judged(RESULTS), judged(RESULTS, width=width)
    changed = [new for old, new in zip(before, after, strict=True) if old.verdict != new.verdict]
    assert {made.statement for made in changed} == {
        "in one pair of networks, both test accuracies reach 98.5 %",
        "in one pair of networks, test accuracies lie within 3 points of the paper's",
        "new task at width 784 within 2 points of a linear classifier on pixels",
        "the widest net's features beat a linear classifier on pixels, ours and the paper's",
    }
    assert all(made.verdict == "not testable" and f"width is {width:g}" in made.reason for made in changed)


def test_one_width_where_two_are_compared_is_not_testable():
    for study, figure in (("mnist", "fig1"), ("translated", "fig2"), ("cifar", "fig3")):
        results = copy.deepcopy(RESULTS)
        del results[study][min(results[study], key=len)]
        found = claims(results, figure, "")
        assert {(made.verdict, made.cause) for made in found} == {("not testable", "too few networks")}
        assert all("leave one width" in made.reason and "n = 2048;" in made.n for made in found)


def test_few_widths_make_curves_untestable():
    results = RESULTS | {
        "shift": transfer([271, 2000], 0.99, [0.80, 0.93], 0.9),
        "coarse": transfer([16, 64], 0.8, [0.30, 0.36], 0.375),
    }
    found = [made for made in judged(results) if "fewer than three widths" in made.reason]
    assert {made.figure for made in found} == {"gilboa_fig4"} and len(found) == 8
    assert {(made.verdict, made.cause) for made in found} == {("not testable", "too few networks")}


@pytest.mark.parametrize("widths", [[800, 900, 1000], [100, 200, 784]])
def test_widths_on_one_side_of_the_input_do_not_bridge_it(widths):
    results = RESULTS | {"shift": transfer(widths, 0.99, [0.80, 0.86, 0.93], 0.9)}
    for words in ("at width 784", "per doubling"):
        found = claim(results, "fig4", words)
        assert (found.verdict, found.cause) == ("not testable", "left out at this scale")
    assert claim(results, "fig4", "widest minus").verdict == "reproduced"


def test_three_widths_have_no_rank_correlation():
    results = RESULTS | {"coarse": transfer([16, 128, 1024], 0.8, [0.30, 0.36, 0.42], 0.37)}
    found = claim(results, "fig4", "Spearman", 1)
    assert (found.verdict, found.cause) == ("not testable", "too few networks")
    assert claim(results, "fig4", "widest minus", 1).verdict == "reproduced"
