"""Claims of nguyen on representations: what holds is reproduced, and each claim can give each verdict."""

from dataclasses import asdict

import numpy as np
import pytest
from judging import case
from made_claims_nguyen import DEEP, MEDIUM, NONE, RESULTS, SEEDS, WIDE, L, block, heatmap, only, put, scaled

from papers.nguyen.claims.components import Population
from papers.nguyen.claims.numbers import jackknife, over_pairs
from pipeline.claims import BELOW_LINEAR, LEFT_OUT, STAND_IN, TOO_FEW, UNEQUAL
from stages import claims

FIGURES = ("fig1", "fig2", "fig3", "fig6", "figC1", "figD1", "figD2", "figD3", "figD4", "figD5", "figD6")
KEYS = [f"nguyen_{name}" for name in (*FIGURES, "figD7", "figE1")]
GROUPS = {"seeds_small": "_small", "seeds_wide": "", "seeds_deep": "_deep"}  # of untrained ones: the ending
NO_CONTROL = ("fig2", "figD2", "figD3", "figD4")  # an untrained network is the same on every share


def judged(results, figures=KEYS, **settings):
    told = case("nguyen", results, **{"shown": "all", "figures": figures, **settings})
    return claims.judged("nguyen", told)


def claims_of(results, figure, words="", **settings):
    found = judged(results, [f"nguyen_{figure}"], **settings)
    return [claim for claim in found if words in claim.statement]


def verdicts(results, figure, words="", **settings):
    return [claim.verdict for claim in claims_of(results, figure, words, **settings)]


def name(claim):
    return claim.figure.removeprefix("nguyen_")


@pytest.fixture(scope="module")
def found():
    return judged(RESULTS)


def swapped(into, source, results=RESULTS):
    """The results with one variant's networks in another's place, and the groups of their seeds likewise."""
    results = dict(results)
    for study, measure, variant in RESULTS:
        if variant == source:
            results[study, measure, into] = RESULTS[study, measure, source]
    return results


def untrained_like_trained():
    results = swapped("untrained_plain", "plain", swapped("untrained", "all"))
    for group, kind in GROUPS.items():
        results["across", "cka", f"seeds_untrained{kind}"] = RESULTS["across", "cka", group]
    plain = RESULTS["across", "cka", "architectures_plain"]
    results["across", "cka", "architectures_untrained"] = plain
    return put({"across/cka/architectures_block: ?/?/cka": np.full((L, L), 0.1)}, results)


def trained_like_untrained():
    """Networks that learned, as their accuracies say, and look as untrained ones do."""
    results = dict(RESULTS)
    for study, measure, variant in RESULTS:
        if study in ("wide", "deep", "wide100", "deep100") and "untrained" not in variant:
            results[study, measure, variant] = RESULTS[study[:4], measure, "untrained"]
    for group, kind in GROUPS.items():
        results["across", "cka", group] = RESULTS["across", "cka", f"seeds_untrained{kind}"]
    trained = ["/".join(file) for file in results if "untrained" not in file[2] and file[0] != "across"]
    accurate = {f"{place}: */accuracy": [0.9] * 3 for place in trained}
    far = {"across/cka/architectures_plain: ?/?/cka": np.eye(L)[::-1]}
    none = {"across/cka/architectures_block: ?/block": block((0, 0))}
    return put(accurate | far | none, results)


# --- each claim's verdicts --------------------------------------------------------------------------


def test_claims_that_hold_are_reproduced(found):
    assert [asdict(claim) for claim in found if claim.verdict != "reproduced"] == []
    assert list(dict.fromkeys(claim.figure for claim in found)) == KEYS
    assert len({(claim.figure, claim.statement, claim.n) for claim in found}) == len(found)
    for claim in found:
        assert all((claim.statement, claim.paper, claim.ours, claim.n, claim.control))
        assert all(isinstance(value, str | bool) for value in asdict(claim).values())
        assert "nan" not in claim.ours + claim.control and "–" not in claim.ours, claim


def test_claims_that_untrained_networks_meet_are_confounded():
    """But those on shares of the data, which are nothing to an untrained network."""
    later = judged(untrained_like_trained())
    for claim in later:
        expected = "reproduced" if name(claim) in NO_CONTROL or claim.sanity else "confounded"
        assert claim.verdict == expected, claim


def test_networks_that_show_nothing_reproduce_nothing():
    later = judged(trained_like_untrained())
    assert {claim.verdict for claim in later} == {"not reproduced"}
    inside = [claim for claim in later if name(claim) in ("fig3", "fig6", "figD5")]
    assert sum("no block formed" in claim.reason for claim in inside) == len(inside) - 1  # fig. 6's small one


def test_on_stand_ins_nothing_is_testable():
    assert {claim.cause for claim in judged(RESULTS, scale="smoke")} == {STAND_IN}


def test_without_results_nothing_is_testable():
    for results in ({}, {file: {} for file in RESULTS}):
        later = judged(results)
        assert {claim.verdict for claim in later} == {"not testable"}
        assert {claim.cause for claim in later} == {LEFT_OUT}


def test_without_controls_what_has_one_is_not_testable(found):
    bare = {file: cells for file, cells in RESULTS.items() if "untrained" not in file[2]}
    later = judged(bare)
    lost = {name(claim) for claim in later if claim.cause == LEFT_OUT}
    assert lost == {name(claim) for claim in found} - {*NO_CONTROL}
    assert all("control" in claim.reason for claim in later if claim.cause == LEFT_OUT)
    kept = [claim.verdict for claim in later if claim.cause != LEFT_OUT]
    assert set(kept) == {"reproduced"}


def test_untrained_networks_without_blocks_are_no_control_of_what_is_in_one():
    """With one untrained seed that shows a block there is a number: where it starts can be said."""
    for limits, control, verdict in (
        (
            [(0, 0), (0, 0), (6, 10)],
            "none: untrained networks, calibrated BatchNorm show no block",
            "reproduced",
        ),
        ([(0, 0), (0, 0), (6, 16)], "in 1 of 3 seeds: 3.0", "confounded"),
        ([(0, 0), (0, 8), (0, 8)], "in 2 of 3 seeds: -3.0", "reproduced"),
    ):
        [claim] = claims_of(put(blocks_of("deep", "untrained", {"d164": limits})), "fig1", "largest depth")
        assert claim.verdict == verdict and control in claim.control, claim


# --- thresholds: just met, just not, within noise -----------------------------------------------------


def seeded(study, measure, sizes, value, *, spread=0.0, variant="all", array="block"):
    """{place: value} of three seeds, `spread` apart. value(number) -> array."""
    return {
        f"{study}/{measure}/{variant}: {sizes}/{seed}/{array}": value(spread * (seed - 1)) for seed in SEEDS
    }


def share(value):
    return lambda more: block_of(value + more)


def block_of(fraction):
    return np.array([fraction, 8, 16])


NUMBERS = [  # figure, words, number of the claim, changes, verdict
    ("fig1", "rises", 1, seeded("wide", "cka", "w10", share(0.18), spread=0.001), "reproduced"),
    ("fig1", "rises", 1, seeded("wide", "cka", "w10", share(0.14), spread=0.001), "not reproduced"),
    ("fig1", "rises", 1, seeded("wide", "cka", "w10", share(0.2), spread=0.1), "within noise"),
    ("fig1", "rises", 1, seeded("wide", "cka", "w10", share(0.16)), "within noise"),  # of whole layers
    ("fig1", "starts", 1, seeded("wide", "cka", "w10", lambda _: np.array([0.5, 4, 14])), "reproduced"),
    ("fig1", "starts", 1, seeded("wide", "cka", "w10", lambda _: np.array([0.5, 3, 13])), "not reproduced"),
    ("fig1", "checker", 1, {"wide/cka/all: w1/?/checkerboard": 0.01}, "reproduced"),
    ("fig1", "checker", 1, {"wide/cka/all: w1/?/checkerboard": 0.0}, "not reproduced"),
    ("figD1", "every seed", 1, seeded("wide", "cka", "w10", share(0.32), spread=0.001), "reproduced"),
    ("figD1", "every seed", 1, seeded("wide", "cka", "w10", share(0.31), spread=0.02), "not reproduced"),
    ("figD1", "every seed", 1, seeded("wide", "cka", "w10", share(0.31)), "within noise"),  # of whole layers
    ("figD1", "differs", 1, seeded("wide", "cka", "w10", lambda _: np.array([0.5, 4, 14])), "not reproduced"),
    ("fig3", "more than 0.5", 0, {"deep/pca/all: d110/?/fraction": np.full(L, 0.51)}, "reproduced"),
    ("fig3", "more than 0.5", 0, {"deep/pca/all: d110/?/fraction": np.full(L, 0.5)}, "not reproduced"),
    ("fig3", "than outside", 0, {"deep/pca/all: d110/?/fraction": np.full(L, 0.6)}, "not reproduced"),
    (
        "fig3",
        "resemble",
        0,
        {"deep/pca/all: d110/?/cosine2": np.eye(L) + 0.1 * heatmap(NONE[0])[::-1]},
        "not reproduced",
    ),
    ("fig3", "less than 0.5", 0, {"deep/cka/all: d110/?/removed_block": block_of(0.15)}, "reproduced"),
    ("fig3", "less than 0.5", 0, {"deep/cka/all: d110/?/removed_block": block_of(0.3)}, "not reproduced"),
    ("figD6", "smallest", 1, {"wide/cka/all: w1/?/removed": heatmap(more=0.09)}, "reproduced"),
    ("figD6", "smallest", 1, {"wide/cka/all: w1/?/removed": heatmap(more=0.11)}, "not reproduced"),
    ("figD7", "do not resemble", 0, {"deep/pca/all: d44/?/cosine2": heatmap()}, "not reproduced"),
    ("figD7", "smaller", 0, {"deep/pca/all: d44/?/fraction": np.full(L, 0.9)}, "not reproduced"),
    ("fig6", "small", 0, {"across/cka/seeds_small: 0/1/cka": heatmap(more=0.5)}, "not reproduced"),
    (
        "fig6",
        "blocks of two",
        0,
        {f"across/cka/seeds_wide: {pair}/cka": np.full((L, L), 0.5) for pair in ("0/[12]", "1/2")},
        "not reproduced",
    ),
    (
        "fig6",
        "more alike",
        0,
        {f"across/cka/seeds_wide: {pair}/cka": np.full((L, L), 0.1) for pair in ("0/[12]", "1/2")},
        "not reproduced",
    ),
    (
        "figE1",
        "relative depth",
        0,
        {"across/cka/architectures_plain: ?/?/cka": np.eye(L)[::-1]},
        "not reproduced",
    ),
    (
        "figE1",
        "with a block",
        0,
        {"across/cka/architectures_block: ?/?/cka": np.full((L, L), 0.5)},
        "not reproduced",
    ),
    ("figD5", "", 0, {"wide/pca/all: *late": 0.5, "deep/pca/all: *late": lambda old: -old}, "not reproduced"),
]


@pytest.mark.parametrize("figure, words, number, changes, expected", NUMBERS)
def test_numbers_decide(figure, words, number, changes, expected):
    claim = claims_of(put(changes), figure, words)[number]
    noise = expected == "within noise"
    assert claim.verdict == ("not reproduced" if noise else expected), claim
    assert ("within noise" in claim.reason) == noise


def test_a_block_has_one_threshold():
    """A fraction of 0.3 is a block and 0.299 is none, wherever a claim asks for one."""
    for fraction, expected in ((0.3, "no"), (0.299, "reproduced")):
        small = {f"deep/cka/all: {key}/?/block": scaled(fraction) for key in ("d32", "d44")}
        verdict = "not reproduced" if expected == "no" else expected
        assert verdicts(put(small), "figD6", "smallest")[0] == verdict
        assert verdicts(put(small), "figD7", "resemble")[0] == verdict
    for fraction, expected in ((0.3, "reproduced"), (0.299, "not reproduced")):
        large = put({"deep/cka/all: d110/?/block": lambda old, share=fraction: np.array([share, 8, 14])})
        large = put({"deep/pca/all: d110/?/fraction": np.where(np.arange(L) // 6 == 1, 0.8, 0.2)}, large)
        assert verdicts(large, "fig3", "more than 0.5")[0] == ("reproduced" if fraction == 0.3 else expected)


def test_a_block_where_the_paper_shows_none_is_a_failure():
    places = [f"{study}/cka/all: {key}/?/block" for study, key in (("deep", "d32"), ("deep", "d44"))]
    places += [f"wide/cka/all: {key}/?/block" for key in ("w1", "w2")]
    places += [f"across/cka/{group}: ?/block" for group in ("seeds_small", "architectures_plain")]
    later = judged(put({place: scaled(0.5) for place in places}), ["nguyen_figD7", "nguyen_figE1"])
    lost = [claim for claim in later if claim.verdict != "reproduced"]
    assert len(lost) == 7 and {claim.verdict for claim in lost} == {"not reproduced"}
    assert all("a block formed" in claim.reason and "0.50" in claim.ours for claim in lost)
    small = claims_of(put({"across/cka/seeds_small: ?/block": scaled(0.5)}), "fig6", "small")[0]
    assert small.verdict == "not reproduced" and "a block formed" in small.reason


# --- less data ----------------------------------------------------------------------------------------


def blocks_of(study, variant, limits):
    """{size: limits of all seeds} as changes."""
    return {
        f"{study}/cka/{variant}: {key}/{seed}/block": block(of_seed)
        for key, seeds in limits.items()
        for seed, of_seed in enumerate(seeds)
    }


def test_a_block_that_is_no_larger_with_less_data_is_not_reproduced():
    same = put({}, swapped("quarter", "all", swapped("sixteenth", "all")))
    for claim in claims_of(same, "fig2"):
        assert claim.verdict == "not reproduced" and claim.reason == ""
    one_falls = put(blocks_of("wide", "sixteenth", {"w4": NONE}))
    assert verdicts(one_falls, "fig2") == ["not reproduced", "reproduced"]
    later = put(blocks_of("wide", "quarter", {"w2": NONE, "w4": NONE}))
    assert verdicts(later, "fig2") == ["reproduced", "not reproduced"]  # it grows from all data to a quarter
    noise = put(
        blocks_of("wide", "sixteenth", {"w2": [(0, 0), (0, 0), (4, 16)], "w4": NONE[:2] + MEDIUM[:1]})
    )
    assert "within noise" in " ".join(claim.reason for claim in claims_of(noise, "fig2"))


def test_without_a_block_on_any_share_nothing_came_earlier():
    variants = ("all", "quarter", "sixteenth")
    small = {f"wide/cka/{variant}: w*/?/block": scaled(0.1 + 0.05 * i) for i, variant in enumerate(variants)}
    for claim in claims_of(put(small), "fig2"):
        assert claim.verdict == "not reproduced" and "no block formed" in claim.reason


def test_a_share_that_is_left_out_takes_the_onset_along():
    gone = {file: cells for file, cells in RESULTS.items() if file != ("wide", "cka", "quarter")}
    larger, earlier = claims_of(gone, "fig2")
    assert larger.verdict == "reproduced"
    assert (earlier.cause, earlier.reason) == (LEFT_OUT, "1/4 of the data")
    none = {file: cells for file, cells in RESULTS.items() if file != ("wide", "cka", "all")}
    assert {claim.cause for claim in claims_of(none, "fig2")} == {LEFT_OUT}


# --- enough networks, that learned --------------------------------------------------------------------


def seeds_cut(number):
    """The results with that many seeds of each size."""
    return {
        file: {key: value[:number] if key.endswith("/seeds") else value for key, value in cells.items()}
        for file, cells in RESULTS.items()
    }


def test_one_seed_is_too_few():
    """Of networks and of the groups whose seeds are compared."""
    results = seeds_cut(1)
    for file in RESULTS:
        if file[0] == "across":
            kept = ("0",) if file[2].startswith("seeds") else ("0", "3")
            results = only(results, file, lambda key, kept=kept: key in kept)
    later = [claim for claim in judged(results) if name(claim) != "figD5"]
    assert {claim.cause for claim in later} == {TOO_FEW}


def test_three_seeds_stand_behind_a_rise():
    assert {claim.cause for claim in claims_of(seeds_cut(2), "fig1", "rises")} == {TOO_FEW}
    assert {claim.cause for claim in claims_of(seeds_cut(2), "fig2")} == {TOO_FEW}


def test_seeds_without_a_block_are_left_out_and_named():
    gone = {"deep/cka/all: d110/1/block": block((0, 0)), "deep/pca/all: d110/1/fraction": np.zeros(L)}
    claim = claims_of(put(gone), "fig3", "more than 0.5 of the variance")[0]
    assert claim.verdict == "reproduced" and claim.n == "ResNet-110 (1×, 16 ch), all data, 2 of 3 seeds"
    alone = put({"deep/cka/all: d110/[12]/block": block((0, 0))})
    [claim, *_] = claims_of(alone, "fig3", "more than 0.5 of the variance")
    assert claim.verdict == "not reproduced" and "no block formed in 2 of 3 seeds" in claim.reason
    one = claims_of(put({"across/cka/seeds_wide: [12]/block": block((0, 0))}), "fig6", "wide")
    assert {claim.reason for claim in one} == {"no block formed in 2 of 3 seeds"}
    two = put({"across/cka/seeds_wide: 2/block": block((0, 0))})
    assert {claim.cause for claim in claims_of(two, "fig6", "wide")} == {TOO_FEW}


def test_networks_no_better_than_pixels_are_not_judged(found):
    studies = ("wide", "deep", "wide100", "deep100")
    floors = {(study, variant): 0.95 for study in studies for variant in ("all", "plain")}
    later = judged(RESULTS, floors=floors)
    assert {claim.verdict for claim in later} == {"not testable"}
    assert {claim.cause for claim in later} == {BELOW_LINEAR}
    assert any("ResNet-32 (1×, 16 ch): 90.0 %" in claim.reason for claim in later)
    assert judged(RESULTS, floors={place: 0.89 for place in floors}) == found
    of_14 = {claim.cause for claim in claims_of(RESULTS, "figE1", floors={("shallow", "all"): 0.95})}
    assert of_14 == {BELOW_LINEAR}


def test_a_minority_of_pairs_of_networks_is_as_in_the_paper():
    plain = claims_of(put({"across/cka/architectures_plain: [34]/block": block((4, 16))}), "figE1")
    assert "a block formed in 2 of 3 pairs of networks" in plain[0].reason
    blocked = claims_of(put({"across/cka/architectures_block: [34]/block": block((0, 0))}), "figE1")
    assert [claim.verdict for claim in blocked] == ["reproduced", "not reproduced"]
    assert "no block formed in 2 of 3 seeds" in blocked[1].reason
    assert "ResNet-14 (2×, 32 ch) and ResNet-56 (1×, 16 ch)" in plain[0].control + blocked[0].control


def test_variance_is_held_against_untrained_networks_whose_blocks_differ_however_small():
    [same] = claims_of(
        put({f"{study}/cka/untrained: */block": block_of(0.05) for study in ("wide", "deep")}), "figD5"
    )
    assert same.verdict == "reproduced" and "show no block (at most 0.05)" in same.control
    shares = {key: 0.04 * i for keys in (WIDE, DEEP) for i, key in enumerate(keys)}
    places = {key: ("wide" if key in WIDE else "deep") for key in shares}
    small = {f"{places[key]}/cka/untrained: {key}/?/block": block_of(share) for key, share in shares.items()}
    late = {f"{places[key]}/pca/untrained: {key}/?/late": np.float64(share) for key, share in shares.items()}
    [follows] = claims_of(put(small | late), "figD5")
    assert follows.verdict == "confounded" and "1.00" in follows.control


def test_figure_d5_counts_sizes_not_seeds():
    """Seeds of a size are alike: the correlation is as sure with one seed of each."""
    sizes = [np.array([[size + 0.1, size + 0.2], [size**2, size**2]]) for size in range(5)]
    both, once = Population([]), Population([])
    both.sizes, once.sizes = sizes, [size[:, :1] for size in sizes]
    assert np.isclose(both.correlation().se, once.correlation().se, rtol=0.1)
    assert np.isnan(Population([]).correlation().value)


def test_architectures_of_unequal_accuracy_are_not_compared():
    for accuracy, cause in ((0.881, ""), (0.87, UNEQUAL)):
        results = put(
            {f"across/cka/architectures_{kind}: [0-2]/accuracy": accuracy for kind in ("plain", "block")}
        )
        later = claims_of(results, "figE1")
        assert {claim.cause for claim in later} == {cause}
        assert all(("differ by 3.0 points" in claim.reason) == bool(cause) for claim in later)


def test_trends_need_three_sizes():
    keys = ("w1", "w10", "d32", "d164")
    results = RESULTS
    for file in RESULTS:
        if file[0] != "across":
            results = only(results, file, lambda key: key in keys)
    for figure, words in (("fig1", "rises"), ("fig2", "smallest size"), ("figC1", "rises")):
        assert {claim.cause for claim in claims_of(results, figure, words)} == {LEFT_OUT}


def test_what_was_not_measured_is_not_testable():
    results = {
        file: {key: value for key, value in cells.items() if "removed" not in key}
        for file, cells in RESULTS.items()
    }
    later = judged(results)
    lost = [name(claim) for claim in later if claim.verdict != "reproduced"]
    assert {figure: lost.count(figure) for figure in lost} == {"fig3": 2, "figD6": 4, "figD7": 2}
    assert {claim.cause for claim in later if claim.verdict != "reproduced"} == {LEFT_OUT}


def test_dead_layers_change_no_verdict(found):
    dead = np.arange(L) == 5

    def kill(key, value):
        if key.endswith(("/cka", "/removed", "/cosine2")):
            return np.where(dead | dead[:, None], np.nan, value)
        return np.where(dead, np.nan, value) if key.endswith("/fraction") else value

    results = {
        file: {key: kill(key, value) for key, value in cells.items()} for file, cells in RESULTS.items()
    }
    assert [claim.verdict for claim in judged(results)] == [claim.verdict for claim in found]


def test_order_of_arrays_does_not_matter(found):
    assert judged({file: dict(reversed(cells.items())) for file, cells in RESULTS.items()}) == found


@pytest.mark.parametrize("shown", ["sixteenth", "all"])
def test_single_networks_come_from_the_variant_that_is_shown(shown):
    other = {"sixteenth": "all", "all": "sixteenth"}[shown]
    for variant, expected in ((other, "reproduced"), (shown, "not reproduced")):
        weak = put({f"wide/pca/{variant}: w10/?/fraction": np.full(L, 0.1)})
        assert verdicts(weak, "fig3", "more than 0.5 of", shown=shown)[1] == expected


# --- errors of numbers of several networks ------------------------------------------------------------


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(0).normal(size=7)
    found = jackknife(np.mean, list(values))
    assert np.allclose([found.value, found.se], [values.mean(), values.std(ddof=1) / np.sqrt(7)])
    assert np.isnan(jackknife(np.mean, [1.0, 2.0]).se) and np.isnan(jackknife(np.mean, []).value)


def test_pairs_that_share_a_network_are_not_counted_as_independent():
    """Pairs that differ because of one network: leaving it out says so, a spread over pairs would not."""
    effect = {0: 0.0, 1: 0.0, 2: 0.0, 3: 3.0}
    found = over_pairs(list(effect), lambda i, j: effect[i] + effect[j])
    naive = np.std([0, 0, 0, 3, 3, 3], ddof=1) / np.sqrt(6)
    assert found.value == 1.5 and np.isclose(found.se, 1.5) and found.se > naive
