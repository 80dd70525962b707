"""Claims of nguyen: those that hold are reproduced; one that lacks what it presupposes is not testable."""

from dataclasses import asdict

import numpy as np
import pytest
from judging import ROOT, entries, judge
from made_claims_nguyen import (
    DEEP,
    NONE,
    PAPERS_DEPTHS,
    RESULTS,
    SYNSETS,
    WIDE,
    L,
    agreement,
    block,
    of_networks,
    only,
    put,
    scaled,
)

from pipeline.claims import VERDICTS
from pipeline.parameters import read

SHOWN = read(ROOT / "papers/nguyen/params.yaml")["shown"]
KEYS = list(entries("nguyen"))
PREDICTED = {f"nguyen_{key}" for key in ("fig7", "figF1", "figF2", "figF3", "figF4", "tabF1", "tabF2")}
NO_SINGLE_NETWORK = PREDICTED | {"nguyen_fig6", "nguyen_figE1", "nguyen_tabB1"}


def judged(results, scale="paper", **settings):
    return judge("nguyen", results, scale=scale, **{"shown": SHOWN[scale], **settings})


def claims_of(results, figure, words, **settings):
    claims = judged(results, figures=[f"nguyen_{figure}"], **settings)
    return [claim for claim in claims if words in claim.statement]


def verdict(results, figure, words, number=0, **settings):
    return claims_of(results, figure, words, **settings)[number].verdict


def counted(claims):
    """How many claims of each figure."""
    figures = [claim.figure.removeprefix("nguyen_") for claim in claims]
    return {figure: figures.count(figure) for figure in dict.fromkeys(figures)}


@pytest.fixture(scope="module")
def found():
    return judged(RESULTS)


def changed_by(found, results, **settings):
    """Claims whose verdict changes; all of them become not testable."""
    later = judged(results, **settings)
    changed = [new for old, new in zip(found, later, strict=True) if new.verdict != old.verdict]
    assert {claim.verdict for claim in changed} <= {"not testable"}
    return changed


# --- what holds -------------------------------------------------------------------------------------


def test_claims_that_hold_are_reproduced(found):
    assert [asdict(claim) for claim in found if claim.verdict != "reproduced"] == []
    assert list(dict.fromkeys(claim.figure for claim in found)) == KEYS
    assert len({(claim.figure, claim.statement, claim.n) for claim in found}) == len(found)
    for claim in found:
        assert claim.verdict in VERDICTS and all((claim.statement, claim.paper, claim.ours, claim.n))
        assert all(isinstance(value, str) for value in asdict(claim).values())
        assert "nan" not in claim.ours and "–" not in claim.ours, claim


NUMBERS = (
    [
        "419 of 1000",
        "11 %",
        "74.9 ± 0.05",
        "72.4 ± 0.07",
        "81.6",
        "94.09 ± 0.01",
        "p = 0.47",
        "87/22",
        "23/71",
    ]
    + ["76.97", "p = 0.047", "3 011 367; 3 006 889; 2 969 410", "91.69", "94.37", "93.09", "95.81"]
    + ["93.5/94.0/94.2", "70.5/75.8/79.3", ".54 .49"]
)


def test_numbers_of_the_paper_are_named(found):
    text = " ".join(claim.paper for claim in found)
    assert [number for number in NUMBERS if number not in text] == []


def test_synsets_that_differ_in_the_paper_are_claimed_largest_first(found):
    claims = [claim for claim in found if claim.figure == "nguyen_tabF2"]
    assert [(claim.statement.split(",")[0], claim.paper.removesuffix(" points")) for claim in claims] == [
        ("structure: the wide network is more accurate", "+0.42 points (wide − deep), p = 5.7e-5"),
        ("commodity: the deep network is more accurate", "−0.42 points (wide − deep), p = 5.1e-5"),
        ("consumer goods: the deep network is more accurate", "−0.41 points (wide − deep), p = 6.7e-5"),
        ("bird: the deep network is more accurate", "−0.21 points (wide − deep), p = 0.0018"),
        ("living thing: the deep network is more accurate", "−0.10 points (wide − deep), p = 0.023"),
        ("organism: the deep network is more accurate", "−0.10 points (wide − deep), p = 0.023"),
        ("animal: the deep network is more accurate", "−0.09 points (wide − deep), p = 0.032"),
        (
            "no other synset with enough classes (at least 50 of ImageNet's) differs significantly: p ≥ 0.05",
            "29 synsets, 22 not significant",
        ),
    ]


def test_figure_1_says_what_untrained_networks_show(found):
    claims = [
        claim for claim in found if claim.figure == "nguyen_fig1" and "share of layers" in claim.statement
    ]
    assert len(claims) == 4
    for claim in claims:
        keys = WIDE if "width" in claim.statement else DEEP
        assert claim.reason.startswith(f"untrained networks: {keys[0]} 0.00 ±")
        assert all(f" {key} " in claim.reason for key in keys)


def test_architectures_are_named_by_their_depth_and_width(found):
    named = {claim.figure.removeprefix("nguyen_"): claim.n for claim in found}
    assert named["fig6"] == "ResNet-110 (1x): 3 seeds"
    assert named["figE1"] == "ResNet-14 (2x): 1 seed, ResNet-164 (1x): 1 seed"
    assert named["figF1"] == "60 ResNet-62, 60 ResNet-14 (2x); 400 images"
    assert named["figF4"] == "60 ResNet-50, 60 ResNet-83, 60 ResNet-50 (2.8x); 400 images"
    assert "60 ResNet-164" in named["figF2"] and "60 ResNet-26 (2.2x)" in named["figF3"]


# --- scales, widths, variants -----------------------------------------------------------------------


def test_on_stand_ins_nothing_is_testable():
    claims = judged(RESULTS, scale="smoke")
    assert {claim.verdict for claim in claims} == {"not testable"}
    assert all("stand-in" in claim.reason for claim in claims)


def test_only_comparisons_with_the_papers_numbers_need_width_1(found):
    doubled = {
        file: {name: 2 * value if name.endswith("/width") else value for name, value in result.items()}
        for file, result in RESULTS.items()
    }
    changed = changed_by(found, doubled, width=2)
    assert counted(changed) == {"figF2": 1, "figF3": 1, "tabB1": 4}
    assert all("width is 2" in claim.reason for claim in changed)


@pytest.mark.parametrize("scale, variant", [("quick", "sixteenth"), ("gpu", "all"), ("paper", "all")])
def test_networks_with_a_block_come_from_the_variant_that_is_shown(scale, variant):
    assert SHOWN[scale] == variant
    other = {"sixteenth": "all", "all": "sixteenth"}[variant]
    for number, place in enumerate(("deep/pca/{}: d110/?/fraction", "wide/pca/{}: w10/?/fraction")):
        for changed, expected in ((other, "reproduced"), (variant, "not reproduced")):
            weak = put({place.format(changed): np.full(L, 0.1)})
            assert verdict(weak, "fig3", "more than 0.5 of", number, scale=scale) == expected


def test_the_deep_network_has_at_most_110_layers(found):
    expected = {f"{name}, all data, 3 seeds" for name in ("ResNet-110 (1x)", "ResNet-38 (10x)")}
    assert {claim.n for claim in found if claim.figure == "nguyen_fig3"} == expected
    results = RESULTS
    for file in filter(of_networks, RESULTS):
        if file[0] == "deep":
            results = only(results, file, lambda key: key in ("d32", "d56", "d164"))
    assert claims_of(results, "fig3", "more than 0.5")[0].n.startswith("ResNet-56 (1x)")
    nearest = {"ResNet-32 (1x)", "ResNet-38 (2x)"}  # ResNet-44 is left out
    assert {claim.n.split(",")[0] for claim in claims_of(results, "figD7", "below 0.5")} == nearest


def test_shrunken_images_are_named():
    figures = ["nguyen_figF4", "nguyen_tabF1", "nguyen_tabF2"]
    for scale, expected in (("gpu", True), ("paper", False)):
        claims = judged(RESULTS, scale, figures=figures)
        assert {claim.figure for claim in claims} == set(figures)
        assert all(("Tiny-ImageNet-200" in claim.reason) == expected for claim in claims)


# --- a block, or none -------------------------------------------------------------------------------


def test_without_a_block_what_presupposes_one_is_not_testable():
    places = [
        "deep/cka/all: d110/?/block",
        "wide/cka/all: w10/?/block",
        "across/cka/architectures_block: 1/block",
    ]
    places += [f"across/cka/seeds_{kind}: ?/block" for kind in ("wide", "deep")]
    results = put({place: scaled(0.19) for place in places})
    lost = [
        claim
        for claim in judged(results)
        if claim.verdict == "not testable" and "block formed" in claim.reason
    ]
    # Of fig. 1 the widest alone: the deepest is ResNet-164. Of fig. 5 also what is compared with the number
    # of blocks deleted.
    expected = {"fig1": 1, "fig3": 8, "fig4": 4, "fig5": 5, "fig6": 4}
    assert counted(lost) == expected | {"figD1": 2, "figD6": 2, "figD7": 2, "figD8": 2, "figE1": 1}
    assert all("no block formed" in claim.reason and "0.19" in claim.reason for claim in lost)
    assert [claim.verdict for claim in claims_of(results, "figD1", "every seed")] == ["not reproduced"] * 2


def test_a_block_where_the_paper_shows_none_makes_claims_untestable():
    places = [f"deep/cka/all: {key}/?/block" for key in ("d32", "d44")]
    places += [f"wide/cka/all: {key}/?/block" for key in ("w1", "w2")]
    across = [f"across/cka/{name}: ?/block" for name in ("seeds_small", "architectures_plain")]
    results = put({place: scaled(0.5) for place in (*places, *across)})
    lost = [claim for claim in judged(results) if claim.verdict == "not testable"]
    expected = {"fig4": 3, "fig5": 3, "fig6": 1, "figD6": 2, "figD7": 6, "figE1": 1}
    assert counted(lost) == expected
    assert all("a block formed: block fraction 0.50" in claim.reason for claim in lost)
    below = judged(put({place: scaled(0.499) for place in places}))
    same = {claim.verdict for claim in below if claim.figure.removeprefix("nguyen_") in expected}
    assert same == {"reproduced"}


def test_seeds_without_a_block_are_left_out():
    gone = {"deep/cka/all: d110/1/block": block(NONE), "deep/pca/all: d110/1/fraction": np.zeros(L)}
    claim = claims_of(put(gone), "fig3", "more than 0.5 of the variance")[0]
    assert claim.verdict == "reproduced" and claim.ours == "0.80 ± 0.00"
    assert claim.n == "ResNet-110 (1x), all data, 2 of 3 seeds"


@pytest.mark.parametrize(
    "share, reasons", [(0.19, ["at most 0.19", "at most 0.19"]), (0.3, ["", "none above 0.3"])]
)
def test_no_block_with_any_share_of_the_data_is_not_testable(share, reasons):
    variants = ("all", "quarter", "sixteenth")
    results = put({f"wide/cka/{variant}: w*/?/block": scaled(share) for variant in variants})
    for claim, reason in zip(claims_of(results, "fig2", ""), reasons, strict=True):
        assert claim.verdict == ("not testable" if reason else "reproduced") and reason in claim.reason


def test_a_block_in_the_smallest_network_on_every_share_tells_nothing_apart():
    variants = ("all", "quarter", "sixteenth")
    results = put({f"wide/cka/{variant}: w*/?/block": scaled(0.5) for variant in variants})
    claim = claims_of(results, "fig2", "smallest size")[0]
    assert claim.verdict == "not testable" and "the smallest network kept (w1)" in claim.reason


@pytest.mark.parametrize("kind", ["wide", "deep", "small"])
def test_two_seeds_can_be_compared_and_others_are_left_out(kind):
    file, words = ("across", "cka", f"seeds_{kind}"), f"{kind} network"
    assert verdict(only(RESULTS, file, lambda key: key != "2"), "fig6", words) == "reproduced"
    place, share = "/".join(file), 0.6 if kind == "small" else 0.1
    odd = {f"{place}: 2/block": scaled(share), f"{place}: ?/2/cka": np.full((L, L), 1.0)}
    assert verdict(put(odd), "fig6", words) == "reproduced"
    two = put({**odd, f"{place}: 1/block": scaled(share)})
    assert "block formed" in claims_of(two, "fig6", words)[0].reason


# --- enough networks, seeds, sizes ------------------------------------------------------------------


@pytest.mark.parametrize("networks, expected", [(50, "reproduced"), (49, "not testable")])
def test_predictions_need_fifty_networks_in_every_group(networks, expected):
    studies = ("pair", "by_depth", "by_width", "imagenet")
    results = put({f"{study}/agreement/groups: 1/networks": networks for study in studies})
    claims = judged(results, figures=PREDICTED)
    assert {claim.figure for claim in claims} == PREDICTED
    assert {claim.verdict for claim in claims} == {expected}
    few = "at least 50 networks a group, here 49"
    assert all((few in claim.reason) == (networks == 49) for claim in claims)


def test_a_gain_within_noise_is_no_whole_to_take_a_share_of():
    """100 test images at an accuracy of about 0.5: two standard errors of a difference are 0.14."""
    for gain, expected in ((0.2, "reproduced"), (0.1, "not testable")):
        after = 0.5 + gain * np.array([-0.5, 0, 0, 0, 0, 0.5])
        results = put({"deep/probe/all: d110/?/after": after})
        assert verdict(results, "fig4", "less than 25 %", 0) == expected


def kept_in(*keys):
    """The results with those sizes alone that a scale keeps."""
    results = RESULTS
    for file in filter(of_networks, RESULTS):
        results = only(results, file, lambda key: key in keys)
    return results


def test_trends_need_three_sizes():
    starts = ("the share of layers", "the smallest size")
    two = judged(kept_in("w1", "w10", "d32", "d110"))
    trends = [claim for claim in two if claim.statement.startswith(starts)]
    assert len(trends) == 10 and {claim.verdict for claim in trends} == {"not testable"}
    assert all("fewer than three sizes" in claim.reason for claim in trends)
    three = judged(kept_in("w1", "w8", "w10", "d32", "d110", "d164"))
    assert {claim.verdict for claim in three if claim.statement.startswith(starts)} == {"reproduced"}


def test_growth_needs_sizes():
    file = ("by_depth", "agreement", "groups")
    two = {**RESULTS, file: agreement([(14, 1), (164, 1)], [0.9169, 0.9437])}
    assert verdict(two, "figF2", "every step") == "not testable"
    assert verdict(two, "figF2", "gain most") == "reproduced"
    one = {**RESULTS, file: agreement([(14, 1)], [0.9169])}
    assert verdict(one, "figF2", "gain most") == verdict(one, "figF2", "more than 0") == "not testable"
    other = {**RESULTS, file: agreement([(8, 1), (62, 1), (83, 1)], [0.91, 0.92, 0.93])}
    [claim] = claims_of(other, "figF2", "within 0.4 points")
    assert claim.verdict == "not testable" and "none of the paper's sizes" in claim.reason


def test_a_table_without_networks_is_not_testable():
    none = {file: {} if file[1] == "training" else result for file, result in RESULTS.items()}
    assert {claim.verdict for claim in judged(none, figures=["nguyen_tabB1"])} == {"not testable"}


def test_a_network_that_diverged_has_no_part_in_a_table():
    place, words = "wide/training/all: w4/test_accuracy", "each CIFAR-10 "
    one = claims_of(put({place: lambda old: [*old, None]}), "tabB1", words)
    assert one == claims_of(RESULTS, "tabB1", words)
    [all_of_them] = claims_of(put({place: [None, None]}), "tabB1", words)
    assert all_of_them.verdict == "reproduced" and all_of_them.n == "24 of 25 architectures, 24 networks"


def seeds_cut(number):
    """The results with that many seeds of each size."""
    return {
        file: {name: value[:number] if name.endswith("/seeds") else value for name, value in result.items()}
        for file, result in RESULTS.items()
    }


def test_one_seed_where_seeds_are_compared_is_not_testable(found):
    results = seeds_cut(1)
    for kind in ("small", "wide", "deep"):
        results = only(results, ("across", "cka", f"seeds_{kind}"), lambda key: key == "0")
    changed = changed_by(found, results)
    assert counted(changed) == {"fig5": 2, "fig6": 5, "figD1": 4}
    assert all("seeds are compared" in claim.reason for claim in changed)


def test_a_correlation_over_seeds_needs_three():
    assert verdict(seeds_cut(2), "fig5", "Spearman") == "not testable"
    same = put({"deep/deletion/all: d110/?/deleted": np.full(4, 0.9)})
    assert "same in all seeds" in claims_of(same, "fig5", "Spearman")[0].reason


def test_only_seeds_that_every_measure_has_are_taken():
    results = put({"deep/pca/all: d110/seeds": np.array([0, 2])})
    assert claims_of(results, "fig3", "more than 0.5 of")[0].n == "ResNet-110 (1x), all data, 2 seeds"
    assert claims_of(results, "fig5", "Spearman")[0].n == "ResNet-110 (1x), all data, 3 seeds"


# --- what is not there ------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", ["smoke", "quick", "paper"])
def test_a_scale_may_leave_out_every_network(scale):
    emptied = {
        file: {name: value for name, value in result.items() if "/" not in name}
        if of_networks(file)
        else result
        for file, result in RESULTS.items()
    }
    without = {file: result for file, result in RESULTS.items() if not of_networks(file)}
    claims = judged(emptied, scale)
    assert judged(without, scale) == claims and len(claims) == len(judged(RESULTS))
    missing = [claim for claim in claims if claim.figure not in NO_SINGLE_NETWORK]
    assert {claim.verdict for claim in missing} == {"not testable"}
    assert {claim.figure for claim in missing} == set(KEYS) - NO_SINGLE_NETWORK


def test_a_scale_may_leave_out_groups_of_networks_and_trainings(found):
    without = {
        file: result for file, result in RESULTS.items() if file[0] != "across" and file[1] != "training"
    }
    changed = changed_by(found, without)
    assert counted(changed) == {"fig6": 5, "figE1": 2, "tabB1": 4}


def test_predictions_that_are_missing_are_an_error_that_names_them():
    without = {file: result for file, result in RESULTS.items() if file[1] != "agreement"}
    with pytest.raises(FileNotFoundError, match="by_depth.*agreement"):
        judged(without, figures=["nguyen_figF2"])


def test_what_was_not_measured_is_not_testable(found):
    results = {
        file: {name: value for name, value in result.items() if "removed" not in name}
        for file, result in RESULTS.items()
    }
    assert counted(changed_by(found, results)) == {"fig3": 2, "figD6": 4, "figD7": 2}


def test_synsets_with_too_few_classes_are_not_testable(found):
    def first(value):
        return value[:1] if np.ndim(value) else value

    place = "imagenet/agreement/groups"
    few = put({f"{place}: synset/threshold": np.int64(5)}, put({f"{place}: synset/*": first}))
    changed = changed_by(found, few)
    assert counted(changed) == {"fig7": 3, "tabF2": len([gap for gap in SYNSETS.values() if gap])}
    assert all("fewer than 5 classes" in claim.reason for claim in changed)
    none = only(RESULTS, ("imagenet", "agreement", "groups"), lambda key: key != "synset")
    changed = changed_by(found, none)
    assert counted(changed) == {"fig7": 3, "tabF2": 8}
    assert all("no synsets measured" in claim.reason for claim in changed)


def test_dead_layers_change_no_verdict(found):
    dead = np.arange(L) == 5

    def kill(name, value):
        if name.endswith(("/cka", "/removed", "/cosine2")):
            return np.where(dead | dead[:, None], np.nan, value)
        return np.where(dead, np.nan, value) if name.endswith("/fraction") else value

    results = {}
    for file, result in RESULTS.items():
        results[file] = {name: kill(name, value) for name, value in result.items()}
    assert [claim.verdict for claim in judged(results)] == [claim.verdict for claim in found]


def test_order_of_arrays_and_groups_does_not_matter(found):
    results = {file: dict(reversed(result.items())) for file, result in RESULTS.items()}
    for study in ("by_depth", "by_width"):
        file, last = (study, "agreement", "groups"), len(PAPERS_DEPTHS) - 1
        results[file] = {
            f"{last - int(name[0])}{name[1:]}" if name[0].isdigit() else name: value
            for name, value in results[file].items()
        }
    for old, new in zip(found, judged(results), strict=True):
        assert (new.ours, new.verdict) == (old.ours, old.verdict)


def test_the_papers_pair_is_told_apart_by_its_numbers():
    """The deep network is group 0, whatever the names say: the claims on halves look at the right one."""
    spread = put({"pair/agreement/groups: dispersion": np.array([[0.2, 0.1], [0.1, 0.03]])})
    verdicts = [claim.verdict for claim in claims_of(spread, "figF1", "two halves")]
    assert verdicts == ["not reproduced", "reproduced"]
