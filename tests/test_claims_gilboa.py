"""Claims of gilboa: a verdict flips where its number crosses the threshold, or what it needs is missing."""

import copy
from dataclasses import asdict

import numpy as np
import pytest
from judging import entries, judge

from pipeline.cells import Cells
from pipeline.claims import VERDICTS

FIGURES = [f"gilboa_fig{number}" for number in range(1, 7)]
SPREAD = np.array([-0.001, 0.0, 0.001])  # of three seeds


def net(width, accuracy, **numbers):
    """What `structure` says of a network."""
    common = {
        "units": width,
        "epochs": 100,
        "zero_fraction": 0.5,
        "icons_confidence": 0.9,
        "neurons_confidence": 0.8,
    }
    return {"width": width, "test_accuracy": [accuracy], **common, **numbers}


def transfer(widths, original, tuned, linear):
    return {
        "width": np.array(widths),
        "inputs": np.int64(784),
        "depth": np.zeros(len(widths)),
        "original": np.full((len(widths), 3), original) + SPREAD,
        "tuned": rows(tuned),
        "linear": linear + SPREAD,
    }


def rows(means):
    """(widths, seeds) around the means."""
    return np.array(means)[:, None] + SPREAD


RESULTS = {  # all claims hold
    "mnist": {
        "w20": net(20, 0.990, purity=0.97, clusters_mean=1.2, silhouette=0.6),
        "w2048": net(2048, 0.992, purity=0.98, clusters_mean=1.8, silhouette=0.7, neurons_confidence=0.5),
    },
    "translated": {
        "w20": net(20, 0.960, shift_r2_mean=0.2, annulus_mean=0.3),
        "w2048": net(2048, 0.968, shift_r2_mean=0.8, annulus_mean=0.9, neurons_confidence=0.5),
    },
    "cifar": {
        "w64": net(64, 0.83, colour_r2=0.2, mirror_accuracy=0.55, purity=0.7),
        "w2048": net(2048, 0.82, colour_r2=0.5, mirror_accuracy=0.8, purity=0.8, neurons_confidence=0.5),
    },
    "untrained": {
        "w512": {
            **net(512, 0.1, purity=0.2, icons_confidence=0.3),
            "neighbour_colour_distance": 0.1,
            "random_colour_distance": 0.3,
        }
    },
    "pixels": {"w784": net(784, 0.1, purity=0.9, clusters_mean=1.0, silhouette=0.3)},
    "shift": transfer([271, 456, 720, 931, 2000], 0.99, [0.80, 0.86, 0.905, 0.915, 0.93], 0.908),
    "coarse": transfer([16, 64, 256, 1024], 0.8, [0.30, 0.36, 0.42, 0.45], 0.375),
}


def arrays(result):
    """A result as its file holds it."""
    found = Cells()
    for name, value in result.items():
        found.put_all(value, name) if isinstance(value, dict) else found.put(name, value)
    return found.arrays


def judged(results, **settings):
    files = {
        (study, "structure", "base"): arrays(results[study])
        for study in ("mnist", "translated", "cifar", "pixels")
    }
    files |= {(study, "transfer", "base"): arrays(results[study]) for study in ("shift", "coarse")}
    files["cifar", "structure", "untrained"] = arrays(results["untrained"])
    return judge("gilboa", files, **settings)


def verdict(results, figure, words, number=0, **settings):
    claims = [claim for claim in judged(results, **settings) if claim.figure == f"gilboa_{figure}"]
    return [claim for claim in claims if words in claim.statement][number].verdict


def with_(place, value):
    """The results with another number at "result.size.name", or another array at "result.name"."""
    results = copy.deepcopy(RESULTS)
    *path, last = place.split(".")
    inner = results
    for key in path:
        inner = inner[key]
    inner[last] = [value] if last == "test_accuracy" else value
    return results


def test_claims_that_hold_are_reproduced():
    found = judged(RESULTS)
    assert [claim.statement for claim in found if claim.verdict != "reproduced"] == []
    assert list(dict.fromkeys(claim.figure for claim in found)) == list(entries("gilboa"))
    assert len({(claim.figure, claim.statement, claim.n) for claim in found}) == len(found)
    for claim in found:
        assert claim.verdict in VERDICTS and all((claim.statement, claim.paper, claim.ours, claim.n))
        assert all(isinstance(value, str) for value in asdict(claim).values())


CROSSINGS = [  # figure, words of the statement, place, a number just inside, one just outside
    ("fig1", "differ by at most 0.5", "mnist.w2048.test_accuracy", 0.9949, 0.9951),
    ("fig1", "differ by at most 0.5", "mnist.w2048.test_accuracy", 0.9851, 0.9849),
    ("fig1", "differ by at most 0.5", "mnist.w20.test_accuracy", 0.9871, 0.9869),
    ("fig1", "purity at least 0.95", "mnist.w20.purity", 0.95, 0.949),
    ("fig1", "purity at least 0.95", "mnist.w2048.purity", 0.95, 0.949),
    ("fig1", "sub-clusters", "mnist.w2048.clusters_mean", 1.21, 1.2),
    ("fig1", "sub-clusters", "mnist.w20.clusters_mean", 1.79, 1.8),
    ("fig1", "neurons' icons", "mnist.w2048.neurons_confidence", 0.79, 0.81),
    ("fig1", "neurons' icons", "mnist.w20.neurons_confidence", 0.51, 0.49),
    ("fig1", "not sparse", "mnist.w2048.zero_fraction", 0.899, 0.9),
    ("fig2", "within 3 points", "translated.w20.test_accuracy", 0.9301, 0.9299),
    ("fig2", "within 3 points", "translated.w2048.test_accuracy", 0.9381, 0.9379),
    ("fig2", "within 3 points", "translated.w2048.test_accuracy", 0.9979, 0.9981),
    ("fig2", "R² larger by 0.1", "translated.w2048.shift_r2_mean", 0.301, 0.299),
    ("fig2", "annulus", "translated.w2048.annulus_mean", 0.31, 0.3),
    ("fig2", "neurons' icons", "translated.w2048.icons_confidence", 0.61, 0.59),
    ("fig3", "at most 3 points", "cifar.w2048.test_accuracy", 0.801, 0.799),
    ("fig3", "at most 3 points", "cifar.w2048.test_accuracy", 0.859, 0.861),
    ("fig3", "colour", "cifar.w2048.colour_r2", 0.21, 0.2),
    ("fig3", "horse", "cifar.w2048.mirror_accuracy", 0.56, 0.55),
    ("fig3", "neurons' icons", "cifar.w64.neurons_confidence", 0.51, 0.49),
    ("fig5", "below half", "untrained.w512.purity", 0.399, 0.4),
    ("fig5", "below half", "cifar.w2048.purity", 0.401, 0.4),
    ("fig5", "random pairs", "untrained.w512.neighbour_colour_distance", 0.29, 0.3),
    ("fig5", "judge is less sure", "untrained.w512.icons_confidence", 0.89, 0.9),
    ("fig6", "purity in pixel", "pixels.w784.purity", 0.969, 0.97),
    ("fig6", "purity in pixel", "mnist.w2048.purity", 0.901, 0.9),
    ("fig6", "sub-clusters", "pixels.w784.clusters_mean", 1.8, 1.81),
    ("fig6", "silhouette", "pixels.w784.silhouette", 0.59, 0.6),
    ("fig6", "silhouette", "mnist.w2048.silhouette", 0.31, 0.3),
]


@pytest.mark.parametrize(
    "figure, words, place, inside, outside",
    CROSSINGS,
    ids=[f"{row[0]}-{row[1]}-{row[2]}" for row in CROSSINGS],
)
def test_a_verdict_flips_at_its_threshold(figure, words, place, inside, outside):
    assert verdict(with_(place, inside), figure, words) == "reproduced"
    assert verdict(with_(place, outside), figure, words) == "not reproduced"


@pytest.mark.parametrize("accuracy, expected", [(0.9851, "reproduced"), (0.9849, "not reproduced")])
def test_equal_accuracies_must_reach_the_papers(accuracy, expected):
    results = with_("mnist.w20.test_accuracy", accuracy)
    results["mnist"]["w2048"]["test_accuracy"] = [accuracy]
    assert verdict(results, "fig1", "reach 98.5 %") == expected


@pytest.mark.parametrize("place, figure, words", [
    ("mnist.w2048.purity", "fig1", "purity at least"),
    ("mnist.w20.test_accuracy", "fig1", "test accuracies"),
    ("pixels.w784.silhouette", "fig6", "silhouette"),
])  # fmt: skip
def test_an_undefined_number_holds_nothing(place, figure, words):
    assert verdict(with_(place, None), figure, words) == "not reproduced"


@pytest.mark.parametrize(
    "ranks, expected",  # Spearman's rho 0.81 and 0.74
    [([3, 2, 1, 4, 7, 6, 5, 8], "reproduced"), ([3, 2, 1, 4, 7, 6, 8, 5], "not reproduced")],
)
def test_rank_correlations_next_to_the_threshold(ranks, expected):
    results = with_("coarse", transfer(2 ** np.arange(4, 12), 0.8, 0.3 + 0.02 * np.array(ranks), 0.375))
    assert verdict(results, "fig4", "Spearman", 1) == expected


ARRAYS = [  # words, which of the figure's two panels, place, inside, outside
    ("original task", 0, "shift.original", [0.99, 0.98, 0.97, 0.98, 0.961], [0.99, 0.98, 0.97, 0.98, 0.959]),
    ("original task", 1, "coarse.original", [0.80, 0.80, 0.80, 0.829], [0.80, 0.80, 0.80, 0.831]),
    # Spearman's rho 0.9 and 0.8, then 1 and 0.8.
    ("Spearman", 0, "shift.tuned", [0.80, 0.86, 0.905, 0.93, 0.915], [0.86, 0.80, 0.905, 0.93, 0.915]),
    ("Spearman", 1, "coarse.tuned", [0.30, 0.36, 0.42, 0.45], [0.36, 0.30, 0.42, 0.45]),
    ("widest minus", 0, "shift.tuned", [0.80, 0.86, 0.905, 0.915, 0.851], [0.80, 0.86, 0.905, 0.915, 0.849]),
    ("widest minus", 1, "coarse.tuned", [0.30, 0.36, 0.42, 0.351], [0.30, 0.36, 0.42, 0.349]),
    ("beat", 0, "coarse.tuned", [0.30, 0.36, 0.42, 0.3751], [0.30, 0.36, 0.42, 0.3749]),
    ("per doubling", 0, "shift.tuned", [0.80, 0.86, 0.905, 0.915, 0.93], [0.90, 0.902, 0.905, 0.915, 0.99]),
]


@pytest.mark.parametrize(
    "words, number, place, inside, outside", ARRAYS, ids=[f"{row[0]}-{row[2]}" for row in ARRAYS]
)
def test_a_curves_verdict_flips_at_its_threshold(words, number, place, inside, outside):
    assert verdict(with_(place, rows(inside)), "fig4", words, number) == "reproduced"
    assert verdict(with_(place, rows(outside)), "fig4", words, number) == "not reproduced"


@pytest.mark.parametrize(
    "study, words, middle, margin",
    [("shift", "within 2 points of a linear", 0.90833, 0.02), ("coarse", "within 3 points", 0.375, 0.03)],
)
def test_linear_classifiers_are_compared_on_both_sides(study, words, middle, margin):
    for sign in (-1, 1):
        for share, expected in ((0.97, "reproduced"), (1.03, "not reproduced")):
            results = with_(f"{study}.linear", np.full(3, middle + sign * share * margin))
            assert verdict(results, "fig4", words) == expected


def test_order_of_widths_and_of_sizes_does_not_matter():
    results = copy.deepcopy(RESULTS)
    order = [3, 0, 4, 1, 2]
    results["shift"] |= {name: RESULTS["shift"][name][order] for name in ("width", "original", "tuned")}
    results["mnist"] = dict(reversed(results["mnist"].items()))
    assert judged(results) == judged(RESULTS)


def test_on_stand_ins_nothing_is_testable():
    found = judged(RESULTS, scale="smoke")
    assert {claim.verdict for claim in found} == {"not testable"}
    assert all("stand-in" in claim.reason for claim in found)


def test_stand_ins_with_two_depths_of_one_width_are_judged_without_failing():
    results = copy.deepcopy(RESULTS)
    results["shift"] = transfer([64, 64], 0.9, [0.5, 0.6], 0.5)
    results["coarse"] = transfer([16], 0.9, [0.5], 0.5)
    assert {claim.verdict for claim in judged(results, scale="smoke")} == {"not testable"}


@pytest.mark.parametrize("width", [4, 0.5])
def test_at_another_width_what_compares_with_the_papers_numbers_is_not_testable(width):
    before, after = judged(RESULTS), judged(RESULTS, width=width)
    changed = [new for old, new in zip(before, after, strict=True) if old.verdict != new.verdict]
    assert {claim.statement for claim in changed} == {
        "test accuracies differ by at most 0.5 points and reach 98.5 %",
        "test accuracies lie within 3 points of the paper's",
        "new task at width 784 within 2 points of a linear classifier on pixels",
        "the widest net's features beat the paper's linear classifier",
    }
    assert all(claim.verdict == "not testable" and f"width is {width:g}" in claim.reason for claim in changed)


def test_one_width_where_two_are_compared_is_not_testable():
    for study, figure in (("mnist", "fig1"), ("translated", "fig2"), ("cifar", "fig3")):
        results = copy.deepcopy(RESULTS)
        kept, net = results[study].popitem()
        results[study] = {kept: net}
        found = [claim for claim in judged(results) if claim.figure == f"gilboa_{figure}"]
        assert {claim.verdict for claim in found} == {"not testable"}
        assert {claim.n for claim in found} == {"1 network each, n = 2048"}
        assert all("leave one width" in claim.reason for claim in found)


def test_few_widths_make_curves_untestable():
    results = with_("shift", transfer([271, 2000], 0.99, [0.80, 0.93], 0.9))
    results["coarse"] = transfer([16, 64], 0.8, [0.30, 0.36], 0.375)
    found = [claim for claim in judged(results) if "fewer than three widths" in claim.reason]
    assert {claim.figure for claim in found} == {"gilboa_fig4"} and len(found) == 8
    assert {claim.verdict for claim in found} == {"not testable"}


@pytest.mark.parametrize("widths", [[800, 900, 1000], [100, 200, 784]])
def test_widths_on_one_side_of_the_input_do_not_bridge_it(widths):
    results = with_("shift", transfer(widths, 0.99, [0.80, 0.86, 0.93], 0.9))
    for words in ("at width 784", "per doubling"):
        assert verdict(results, "fig4", words) == "not testable"
    assert verdict(results, "fig4", "Spearman") == "reproduced"
