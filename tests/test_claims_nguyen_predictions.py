"""Claims of nguyen on probes, deletion, sparsity, accuracies, predictions: each returns all its verdicts."""

from dataclasses import asdict

import numpy as np
import pytest
from judging import entries, judge
from made_predictions_nguyen import EXAMPLES, MEMBERS, RESULTS, SYNSETS, L, few_significant, only, put, truth

from papers.nguyen.claims.middle import raised_alike
from pipeline.claims import BELOW_LINEAR, LEFT_OUT, NOT_IMAGENET, TOO_FEW, UNDEFINED

FIGURES = "fig4 fig5 fig7 figD8 figF1 figF2 figF3 figF4 tabB1 tabF1 tabF2".split()
YES, NO, ALSO = "reproduced", "not reproduced", "confounded"
NOISE = "within noise"
STUDIES = (
    "wide",
    "deep",
    "wide100",
    "deep100",
    "table",
    "table100",
    "pair",
    "by_depth",
    "by_width",
    "imagenet",
)
VARIANTS = "all deep wide base depth14 depth20 depth26".split()
HIGH = {(study, variant): 0.999 for study in STUDIES for variant in VARIANTS}


def judged(results, *figures, **settings):
    keys = [f"nguyen_{figure}" for figure in figures or FIGURES]
    return judge("nguyen", results, figures=keys, **{"shown": "all", **settings})


def claim(results, figure, words, number=0, **settings):
    return [one for one in judged(results, figure, **settings) if words in one.statement][number]


NOWHERE = np.array([0.3, 0, 6])  # a block in front of the middle stage


def block(fraction):
    return np.array([fraction, 4, 4 + fraction * L])


# --- each verdict -----------------------------------------------------------------------------------


def probes():
    flat = np.array([0.3, 0.55, 0.54, 0.53, 0.52, 0.9])
    steady, swapped = np.linspace(0.3, 0.9, 6), 0.1 * np.array([1, 2, 4, 3, 6, 5])
    small, large = "wide/probe/all: w1/?", "wide/probe/all: w10/?"
    deep, like = "deep/probe/all: d110/?", "deep/probe/all: d44/?"
    rises, gains, keeps = "above 0.9", "less than 25 %", "more accurate than before"
    return [
        ("fig4", rises, {f"{small}/after": swapped}, NO),
        ("fig4", rises, {"wide/probe/all: w1/0/after": swapped}, NOISE),
        ("fig4", rises, {f"{large}/after": steady}, ALSO),
        ("fig4", rises, {"wide/cka/all: w1/?/block": block(0.3)}, "a block formed"),
        ("fig4", rises, {"wide/cka/all: w1/?/block": block(0.29)}, YES),
        ("fig4", rises, {"wide/cka/all: w1/[01]/block": block(0.3)}, "a block formed in 2 of 3 seeds"),
        ("fig4", rises, {"wide/cka/all: w1/0/block": block(0.3)}, YES),
        ("fig4", rises, {"wide/cka/all: w10/?/block": block(0.2)}, YES),  # the control is a number still
        ("fig4", gains, {f"{deep}/after": np.array([0.2, 0.4, 0.5, 0.55, 0.9, 1.0])}, NO),
        ("fig4", gains, {f"{like}/after": flat}, ALSO),
        ("fig4", gains, {"deep/cka/all: d110/?/block": block(0.29)}, "no block formed"),
        ("fig4", gains, {"deep/cka/all: d110/[0-2]/block": block(0.29)}, "no block formed in 3 of 6 seeds"),
        ("fig4", gains, {"deep/cka/all: d110/[01]/block": block(0.29)}, YES),
        ("fig4", gains, {f"{deep}/after": np.full(6, 0.5)}, UNDEFINED),
        ("fig4", keeps, {f"{deep}/before": np.full(6, 0.95)}, NO),
        ("fig4", keeps, {f"{deep}/before": np.zeros(6)}, ALSO),
    ]


def deletions():
    deep, like, small = "deep/deletion/all: d110/", "deep/deletion/all: d44/", "wide/deletion/all: w1/"
    stays, falls, longer = "loses less than 2 points", "more than 10 points", "plateau"
    return [
        ("fig5", stays, {f"{deep}?/deleted": np.full(4, 0.5)}, NO),
        ("fig5", stays, {f"{deep}0/deleted": np.full(4, 0.86)}, NOISE),
        ("fig5", stays, {f"{like}?/deleted": np.full(4, 0.895)}, ALSO),
        ("fig5", stays, {"deep/cka/all: d110/?/block": block(0.2)}, "no block formed"),
        ("fig5", stays, {"deep/cka/all: d44/?/block": block(0.4)}, YES),  # the control is a number still
        ("fig5", stays, {"deep/cka/all: d110/?/block": NOWHERE}, "middle stage in 6 of 6 seeds"),
        ("fig5", stays, {"deep/cka/all: d110/[0-2]/block": NOWHERE}, "middle stage in 3 of 6 seeds"),
        ("fig5", stays, {"deep/cka/all: d110/[01]/block": NOWHERE}, YES),
        ("fig5", falls, {"wide/cka/all: w10/?/block": NOWHERE}, "covers no residual block"),
        ("fig5", falls, {f"{small}?/deleted": np.full(4, 0.85)}, NO),
        ("fig5", falls, {"wide/deletion/all: w10/?/deleted": np.full(4, 0.5)}, ALSO),
        (
            "fig5",
            falls,
            {"wide/cka/all: w10/?/block": block(0.2)},
            "in ResNet-38 (10×, 160 ch), whose block says how many, no block formed",
        ),
        ("fig5", falls, {"wide/cka/all: w1/?/block": block(0.4)}, "a block formed"),
        ("fig5", longer, {f"{deep}[135]/deleted": np.full(4, 0.5)}, NO),
        ("fig5", longer, {f"{deep}[13]/deleted": np.full(4, 0.5)}, NO),
        ("fig5", longer, {f"{deep}5/deleted": np.full(4, 0.5)}, NOISE),
        ("fig5", longer, {f"{deep}?/deleted": np.full(4, 0.895)}, UNDEFINED),
        ("fig5", longer, {f"{deep}?/deleted": np.full(4, 0.5)}, "no seed shows a plateau"),
        (
            "fig5",
            longer,
            {f"{deep}?/deleted": np.full(4, 0.5), "deep/cka/all: d110/seeds": np.arange(4)},
            "no seed shows a plateau",
        ),
        ("fig5", longer, {"deep/cka/all: d110/seeds": np.arange(4)}, TOO_FEW),
    ]


def sparsity():
    place, alike, switch = "wide/sparsity/all: w10/", "less than 10 points", "neither always"
    far = {f"{place}[01]/nonzero": lambda old: np.where(old == 0.5, 0.62, 0.45)}
    return [
        ("figD8", alike, {f"{place}?/nonzero": lambda old: np.where(old == 0.5, 0.56, 0.45)}, NO),
        ("figD8", alike, {f"{place}?/nonzero": lambda old: np.where(old == 0.5, 0.34, 0.45)}, NO),
        ("figD8", alike, far, NOISE),
        ("figD8", alike, {"wide/cka/all: w10/?/block": block(0.2)}, "no block formed"),
        ("figD8", switch, {f"{place}?/between": np.array([0, 0.5, 0.5, 0.5, 0.5, 0])}, YES),
        ("figD8", switch, {f"{place}?/between": np.zeros(6)}, NO),
        ("figD8", alike, {"wide/sparsity/untrained: w10/?/nonzero": np.full(6, 0.5)}, ALSO),
        ("figD8", switch, {f"{place}0/between": np.zeros(6)}, NO),
        ("figD8", switch, {"wide/cka/all: w10/?/block": block(0.2)}, NO),
        ("figD8", switch, {"wide/cka/all: w10/?/block": np.array([0.3, 0, 3])}, UNDEFINED),
    ]


PAIR, IMAGENET = "pair/agreement/groups: ", "imagenet/agreement/groups: "


def pairs():
    def lie(cross, error=0.001, of_halves=0.001):
        within = np.eye(2, dtype=bool)
        return {
            f"{PAIR}dispersion": np.where(within, [[0.06, 0], [0, 0.05]], cross),
            f"{PAIR}dispersion_se": np.where(within, of_halves, error),
        }

    def shown(deep, wide):
        """Gaps on the images in favour of the deep and of the wide network."""
        gaps = np.repeat([deep, wide], 8) + 0.001 * np.resize([1, -1], 16)
        return {f"{PAIR}shown/first": 0.5 + gaps, f"{PAIR}shown/second": np.full(16, 0.5)}

    def everywhere(gap):
        return {f"{PAIR}{g}/second": np.full(EXAMPLES, 0.5 + g * gap) for g in (0, 1)}

    def mean(deep, spread=0.001):
        return {f"{PAIR}0/accuracy": deep + spread * np.resize([-1.0, 1], MEMBERS)}

    apart = [(lie(0.0629), YES), (lie(0.0619), NOISE), (lie(0.059), NO), (lie(0.055), NO)]
    apart.append((lie(0.0629, of_halves=0.002), ALSO))
    favour = [(0, (0.21, 0), YES), (0, (0.199, 0.5), NO), (1, (0, -0.21), YES), (1, (-0.5, -0.199), NO)]
    return [
        *((figure, "halves of either", *case) for figure in ("fig7", "figF1") for case in apart),
        ("figF1", "are equal", mean(0.9408 + 0.0046, 1e-5), YES),
        ("figF1", "are equal", mean(0.9408 + 0.0051, 1e-5), NO),
        ("figF1", "are equal", mean(0.9408 - 0.0051, 1e-5), NO),
        ("figF1", "are equal", mean(0.9408 + 0.0045, 0.01), NOISE),
        ("figF1", "in favour of the deep", everywhere(-0.21), ALSO),
        ("figF1", "in favour of the wide", everywhere(0.21), ALSO),
        *(("figF1", f"in favour of the {('deep', 'wide')[side]}", shown(*gaps), verdict)
          for side, gaps, verdict in favour),
    ]  # fmt: skip


def three_architectures():
    def means(*values, spread=1e-4):
        bend = spread * np.resize([-1.0, 1], MEMBERS)
        return {f"{IMAGENET}{g}/accuracy": value + bend for g, value in enumerate(values)}

    def lie(one):
        found = np.array([[0.03, 0.1, 0.1], [0.1, 0.03, one], [0.1, 0.1, 0.05]])
        return {f"{IMAGENET}dispersion": found}

    better = "both larger"
    return [
        ("figF4", "halves of either", lie(0.053), YES),
        ("figF4", "halves of either", lie(0.051), NOISE),
        ("figF4", "halves of either", lie(0.049), NO),
        ("figF4", better, means(0.77, 0.771, 0.769), NO),
        ("figF4", better, means(0.77, 0.769, 0.771), NO),
        ("figF4", better, means(0.77, 0.771, 0.78, spread=0.01), NOISE),
    ]


def classes():
    def differ(number, control=50):
        p = {"p": few_significant(number), "p_control": few_significant(control)}
        return {f"{IMAGENET}class/{name}": value for name, value in p.items()}

    def fall(step, value, name="fall"):
        return {f"{IMAGENET}models/{name}": np.where(np.arange(2) == step, value, 1e5)}

    first, second = "model A to B", "model B to C"
    return [
        ("fig7", "5 % of chance", differ(130), YES),
        ("fig7", "5 % of chance", differ(100), NO),
        ("fig7", "5 % of chance", differ(110), NOISE),
        ("fig7", "5 % of chance", differ(400, 130), ALSO),
        ("fig7", "those of two halves", differ(400, 140), YES),
        ("fig7", "those of two halves", differ(400, 200), NO),
        ("fig7", "those of two halves", differ(400, 190), NOISE),
        *(("tabF1", words, fall(step, -1.0), NO) for step, words in enumerate((first, second))),
        *(("tabF1", words, fall(step, 1e3), NOISE) for step, words in enumerate((first, second))),
        *(
            ("tabF1", words, fall(step, 1e4, "control_fall"), ALSO)
            for step, words in enumerate((first, second))
        ),
        ("tabF1", "V²", {f"{IMAGENET}models/v2": np.float64(-0.01)}, NO),
        ("tabF1", "V²", {f"{IMAGENET}models/v2": np.float64(np.nan)}, UNDEFINED),
    ]


def synsets():
    names = list(SYNSETS)

    def p(value, key="p"):
        return {f"{IMAGENET}synset/{key}": np.full(len(names), value)}

    def moved(name, gap):
        return {f"{IMAGENET}synset/wide": lambda old: np.where(np.array(names) == name, old + gap, old)}

    turned = {f"{IMAGENET}synset/wide": lambda old: 1.5 - old}
    unequal = "differ by less than 0.4 points"
    of_table = [f"{name.replace('_', ' ')}:" for name, gap in SYNSETS.items() if gap]
    named = {"fig7": ("structure:", "consumer goods:"), "tabF2": of_table}
    found = [
        (figure, words, changes, verdict)
        for figure, all_words in named.items()
        for words in all_words
        for changes, verdict in ((p(0.051), NO), (turned, NO), (p(0.049, "p_control"), ALSO))
    ]
    for figure, name in (("fig7", "dog"), ("tabF2", "entity")):
        for gap, verdict in ((0.002, YES), (0.0039, NOISE), (0.0041, NO), (-0.0041, NO)):
            found.append((figure, unequal, moved(name, gap), verdict))
    return found


def growth(figure, study, smallest):
    """smallest: the paper's accuracy of the smallest of the eight groups."""
    file = f"{study}/agreement/groups: "

    def level(g, value, spread=1e-4):
        return {f"{file}{g}/accuracy": value + spread * np.resize([-1.0, 1], MEMBERS)}

    def better(by, others=0.0, start=(0.28, 0.9, 0.97)):
        """The largest is better where the smallest wavers, by another number elsewhere."""
        first = np.repeat(start, [250, 250, 500])
        middle = (first == start[1]).astype(float)
        largest = first + by * middle + others * (1 - middle) + 0.01 * np.resize([-1.0, 1], EXAMPLES)
        return {f"{file}0/first": first, f"{file}0/second": first, f"{file}7/second": largest}

    never = {f"{file}7/{half}": np.ones(EXAMPLES) for half in ("first", "second")}
    once = {f"{file}7/second": np.ones(EXAMPLES)}

    def few(number):
        """So many examples on which the largest is worse."""
        worse = {f"{file}0/{half}": np.ones(EXAMPLES) for half in ("first", "second")}
        largest = np.where(np.arange(EXAMPLES) < number, 0.0, 1.0)
        return worse | {f"{file}7/{half}": largest for half in ("first", "second")}

    near, rise, gain, lose = "within 0.4 points", "every step", "gain more than", "more examples than chance"
    return [
        (figure, near, level(0, smallest - 0.0039), YES),
        (figure, near, level(0, smallest - 0.0041), NO),
        (figure, near, level(0, smallest - 0.0035, 0.01), NOISE),
        (figure, rise, level(1, smallest + 0.0005), YES),
        (figure, rise, level(1, smallest - 0.0001), NO),
        (figure, rise, level(1, smallest + 0.001, 0.01), NOISE),
        (figure, gain, better(0.1), YES),
        (figure, gain, better(0.1, 0.11), NO),
        (figure, gain, better(0.001), NOISE),
        (figure, gain, better(0.1, start=(0.1, 0.6, 0.97)), ALSO),
        (figure, lose, never, NO),
        (figure, lose, once, NO),
        (figure, lose, few(2), NOISE),
        (figure, lose, few(10), YES),
    ]


def table(column, name, margin):
    rows = entries("nguyen")["nguyen_tabB1"]["rows"]
    places = sorted(
        (percents[column], f"{row['studies'][column]}/training/{row['variant']}: {key}/test_accuracy")
        for row in rows
        for key, percents in row["paper"].items()
    )
    percents, place = places[-1]

    def level(off, spread=1e-5):
        return {place: [percents / 100 + off - spread, percents / 100 + off + spread]}

    def turned(lowest):
        """The order of the lowest ones turned round: Spearman's rho 0.91 for 9, 0.87 for 10."""
        ranks = [*range(lowest)[::-1], *range(lowest, len(places))]
        return {
            place: [0.01 * r - 1e-6, 0.01 * r + 1e-6] for r, (_, place) in zip(ranks, places, strict=True)
        }

    close, order = f"each {name} accuracy", f"{name} accuracies are ordered"
    return [
        *(("tabB1", close, level(sign * 0.95 * margin), YES) for sign in (1, -1)),
        *(("tabB1", close, level(sign * 1.01 * margin), NO) for sign in (1, -1)),
        ("tabB1", close, level(0.95 * margin, 0.02), NOISE),
        ("tabB1", order, turned(9), YES),
        ("tabB1", order, turned(10), NO),
        ("tabB1", order, {place: [0.1, 0.9] for _, place in places[:3]}, NOISE),
    ]


CASES = [
    *probes(),
    *deletions(),
    *sparsity(),
    *pairs(),
    *three_architectures(),
    *classes(),
    *synsets(),
    *growth("figF2", "by_depth", 0.9169),
    *growth("figF3", "by_width", 0.9309),
    *table(0, "CIFAR-10", 0.007),
    *table(1, "CIFAR-100", 0.015),
]
NAMES = [f"{index}-{figure}-{words}-{verdict}" for index, (figure, words, _, verdict) in enumerate(CASES)]


@pytest.mark.parametrize("figure, words, changes, verdict", CASES, ids=NAMES)
def test_a_claim_returns_its_verdicts(figure, words, changes, verdict):
    found = claim(put(changes), figure, words)
    if verdict in (YES, NO, ALSO):
        assert found.verdict == verdict and NOISE not in found.reason, found
    elif verdict in (UNDEFINED, TOO_FEW):
        assert (found.verdict, found.cause) == ("not testable", verdict), found
    else:  # a reason to be not reproduced
        assert found.verdict == NO and verdict in found.reason, found


def test_every_claim_is_tried_both_ways_and_confounded_where_it_has_a_control():
    for found in judged(RESULTS):
        tried = {
            verdict
            for figure, words, _, verdict in CASES
            if found.figure == f"nguyen_{figure}" and words in found.statement
        }
        assert NO in tried, found.statement
        number = not found.control.startswith(("none", "the threshold")) and found.figure != "nguyen_figF4"
        assert number <= (ALSO in tried), found.statement


# --- what holds, and what is missing ------------------------------------------------------------------


def test_claims_that_hold_are_reproduced():
    found = judged(RESULTS)
    assert [asdict(one) for one in found if one.verdict != "reproduced"] == []
    assert {one.figure.removeprefix("nguyen_") for one in found} == set(FIGURES)
    assert len({(one.figure, one.statement, one.n) for one in found}) == len(found)
    assert [one.statement[:8] for one in found if one.sanity] == ["in every", "class ef"]
    for one in found:
        assert all((one.statement, one.paper, one.ours, one.n, one.control))
        assert "nan" not in one.ours + one.control and "–" not in one.ours + one.control, one


def test_the_papers_numbers_are_named():
    text = " ".join(one.paper for one in judged(RESULTS))
    wanted = ["419 of 1000", "11 %", "74.9 ± 0.05", "72.4 ± 0.07", "81.6", "94.09 ± 0.01", "87/22", "23/71"]
    wanted += ["76.97", "p = 0.047", "3 011 367; 3 006 889; 2 969 410", "91.69", "94.37", "93.09", "95.81"]
    wanted += ["93.5/94.0/94.2", "70.5/75.8/79.3", "+0.42 points (wide − deep), p = 5.7e-5"]
    assert [number for number in wanted if number not in text] == []


def test_on_stand_ins_nothing_is_testable():
    assert {one.verdict for one in judged(RESULTS, scale="smoke")} == {"not testable"}


def test_networks_below_the_linear_classifier_show_nothing_but_how_far_they_are_off():
    found = judged(RESULTS, floors=HIGH)
    judged_still = [one for one in found if one.verdict != "not testable"]
    assert {one.statement.split(" lie")[0] for one in judged_still} == {
        "mean accuracies",
        "each CIFAR-10 accuracy",
        "each CIFAR-100 accuracy",
    }
    assert all(BELOW_LINEAR in one.reason for one in judged_still)
    assert {one.cause for one in found if one.verdict == "not testable"} == {BELOW_LINEAR}


def test_few_networks_say_how_accurate_they_are_and_nothing_of_single_images():
    for networks, wanted in ((9, "not testable"), (10, YES)):
        studies = ("pair", "by_depth", "by_width", "imagenet")
        few = put({f"{study}/agreement/groups: 1/networks": networks for study in studies})
        found = judged(few, "fig7", "figF1", "figF2", "figF3", "figF4", "tabF1", "tabF2")
        of_means = {one.statement.split(":")[0]: one for one in found if one.statement.startswith("mean acc")}
        assert len(of_means) == 3 and {one.verdict for one in of_means.values()} == {YES}
        others = [
            one for one in found if "mean acc" not in one.statement and "both larger" not in one.statement
        ]
        assert {one.verdict for one in others if not one.sanity} == {wanted}
        assert {one.cause for one in others if not one.sanity} == {TOO_FEW if networks < 10 else ""}


@pytest.mark.parametrize("figure, study", [("figF2", "by_depth"), ("figF3", "by_width")])
def test_two_networks_fail_decisively(figure, study):
    places = {f"{study}/agreement/groups: {g}/accuracy": np.array([0.24, 0.25]) for g in range(8)}
    found = claim(put(places), figure, "within 0.4 points")
    assert found.verdict == NO and NOISE not in found.reason
    alone = claim(put({place: np.array([0.24]) for place in places}), figure, "within 0.4 points")
    assert (alone.verdict, alone.cause) == ("not testable", TOO_FEW)


def test_a_table_of_single_networks_is_judged():
    """Their distances from the paper's accuracies spread by more than seeds do."""
    files = [file for file in RESULTS if file[1] == "training"]
    single = {f"{'/'.join(file)}: *test_accuracy": lambda old: [np.mean(old)] for file in files}
    single |= {f"{'/'.join(file)}: *seeds": [0] for file in files}
    far = single | {"wide100/training/all: w10/test_accuracy": [0.02]}
    close = "each CIFAR-100 accuracy"
    assert [claim(put(changes), "tabB1", close).verdict for changes in (single, far)] == [YES, NO]
    one = only({file: RESULTS[file] for file in files[:1]}, files[0], ("d32",))
    alone = put({f"{'/'.join(files[0])}: *test_accuracy": [0.9], f"{'/'.join(files[0])}: *seeds": [0]}, one)
    assert claim(alone, "tabB1", "each CIFAR-10 accuracy").cause == TOO_FEW


def test_groups_of_imagenets_classes_need_imagenet():
    found = judged(RESULTS, "fig7", "figF4", "tabF1", "tabF2", scale="gpu")
    lost = [one for one in found if one.verdict == "not testable"]
    assert {one.cause for one in lost} == {NOT_IMAGENET} and len(lost) == 3 + 8
    assert all("Tiny-ImageNet-200" in one.reason for one in lost)
    judged_still = [one for one in found if one.verdict == YES and one.figure != "nguyen_fig7"]
    assert len(judged_still) == 5 and all("Tiny-ImageNet-200" in one.reason for one in judged_still)


def test_only_comparisons_with_the_papers_numbers_need_width_1():
    doubled = {
        file: {name: 2 * value if name.endswith("/width") else value for name, value in result.items()}
        for file, result in RESULTS.items()
    }
    doubled = {file: result for file, result in doubled.items() if file[:2] != ("by_width", "agreement")}
    doubled["by_width", "agreement", "groups"] = RESULTS["by_width", "agreement", "groups"]
    lost = [one for one in judged(doubled, width=2) if one.verdict == "not testable"]
    assert [one.figure.removeprefix("nguyen_") for one in lost] == ["figF2", "figF3", *["tabB1"] * 4]
    assert all("width is 2" in one.reason for one in lost)


def test_growth_and_order_need_sizes():
    file = ("by_depth", "agreement", "groups")
    two, one = only(RESULTS, file, "07"), only(RESULTS, file, "0")
    rise = claim(two, "figF2", "every step")
    assert (rise.verdict, rise.cause) == ("not testable", LEFT_OUT)
    assert claim(two, "figF2", "gain more than").verdict == YES
    for words in ("gain more than", "than chance"):
        assert claim(one, "figF2", words).cause == LEFT_OUT
    none = {file: result for file, result in RESULTS.items() if file[0] not in ("table", "table100")}
    four = only(none, ("wide", "training", "all"), ())
    four = only(four, ("deep", "training", "all"), ("d32", "d44", "d56", "d110"))
    assert [one.cause for one in judged(four, "tabB1")][:2] == ["", LEFT_OUT]
    assert claim(none, "tabB1", "CIFAR-10 accuracies are ordered").verdict == YES


def test_without_results_every_claim_is_left_out():
    """Of no file, of empty ones, and of groups of no network."""
    groups = {"labels": np.arange(9), "images": np.int64(9), "dispersion": np.zeros((0, 0))}
    nothing = {file: groups if file[1] == "agreement" else {} for file in RESULTS}
    for results in ({}, {file: {} for file in RESULTS}, nothing):
        found = judged(results)
        assert {(one.verdict, one.cause) for one in found} == {("not testable", LEFT_OUT)}
        assert [one.figure for one in found] == [one.figure for one in judged(RESULTS)]
        assert not [one for one in found if "nan" in one.ours + one.control]
    assert {one.cause for one in judged({}, "fig7", "tabF2", scale="quick")} == {LEFT_OUT}


def test_a_group_that_is_left_out_takes_comparisons_along():
    one_of = {"pair": "0", "imagenet": "01"}
    for study, kept in one_of.items():
        results = only(RESULTS, (study, "agreement", "groups"), kept)
        found = judged(results, *(("figF1",) if study == "pair" else ("figF4", "tabF1")))
        assert {one.cause for one in found} == {LEFT_OUT}


def test_networks_that_are_left_out_make_claims_untestable():
    gone = {
        file: result for file, result in RESULTS.items() if file[1] not in ("probe", "deletion", "sparsity")
    }
    found = judged(gone, "fig4", "fig5", "figD8")
    assert {(one.verdict, one.cause) for one in found} == {("not testable", LEFT_OUT)}


def test_networks_of_one_size_do_not_gain_in_the_middle():
    """Easy examples fall into the middle by chance and return: that is no growth."""
    right = (
        np.random.default_rng(1).binomial(5, np.repeat([0.1, 0.9, 0.999], [250, 500, 250]), (4, EXAMPLES)) / 5
    )
    names = ("0/first", "0/second", "7/first", "7/second")
    changes = {f"by_depth/agreement/groups: {name}": half for name, half in zip(names, right, strict=True)}
    few = {f"by_depth/agreement/groups: {g}/networks": 10 for g in (0, 7)}
    bins, again, *_ = right
    chosen = (bins > 0.3) & (bins < 0.95)
    assert (again - bins)[chosen].mean() > 0.04 and (again - bins)[~chosen].mean() < 0
    assert claim(put(changes | few), "figF2", "gain more than").verdict == NO
    assert claim(put(changes | few), "figF2", "than chance").verdict == NO


def test_gains_of_log_odds_raised_alike_have_the_mean_that_is_wanted():
    right = truth()
    for gain in (-0.3, 0.0, 0.05, 0.2):
        gains = raised_alike(right, np.full(EXAMPLES, gain), 30)
        odds = [np.log(p / (1 - p)) for p in (right, right + gains)]
        assert np.isclose(gains.mean(), gain) and np.ptp(odds[1] - odds[0]) < 1e-6
    certain = raised_alike(np.array([0.0, 1.0]), np.full(2, 0.9), 5)  # no more than there is room for
    assert np.allclose(certain, [0.9, 0.1])


def test_two_trained_seeds_are_too_few():
    """But of three, two that are as in the paper are judged, and one is none."""
    two = put({f"{study}/{measure}/all: {size}/seeds": np.arange(2)
               for study, size in (("wide", "w10"), ("wide", "w1"), ("deep", "d44"), ("deep", "d110"))
               for measure in ("probe", "sparsity", "deletion")})  # fmt: skip
    for figure in ("fig4", "figD8"):
        lost = [one for one in judged(two, figure) if not one.sanity and "(2×" not in one.n]
        assert lost and {one.cause for one in lost} == {TOO_FEW}


def test_growth_that_is_the_same_everywhere_is_not_found_in_the_middle():
    """An increase of every example's accuracy by the same amount."""
    first = truth() * 0.8
    noise = 0.02 * np.random.default_rng(1).standard_normal((3, EXAMPLES))
    halves = {"0/first": first + noise[0], "0/second": first + noise[1], "7/second": first + 0.1 + noise[2]}
    changes = {f"by_depth/agreement/groups: {name}": value for name, value in halves.items()}
    assert claim(put(changes), "figF2", "gain more than").verdict == NO
