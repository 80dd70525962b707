"""Claims of nguyen: a verdict flips where its number crosses the threshold.

A crossing is a figure, words of the statement, which of its claims with these words, a change of the results
just inside the threshold and one just outside.
"""

import made_claims_nguyen as made
import numpy as np
import pytest
from judging import entries, judge
from made_claims_nguyen import (
    DEEP,
    LARGE,
    MEDIUM,
    POST,
    RESULTS,
    SEEDS,
    SMALL,
    SYNSETS,
    WIDE,
    L,
    heatmap,
    put,
    scaled,
)

OTHERS = ~np.eye(L, dtype=bool)  # pairs of different layers


# --- blocks by size and by share of the data --------------------------------------------------------


def rising(figure, along, study, variant, keys):
    def level(shares):
        return {f"{study}/cka/{variant}: {key}/?/block": scaled(share) for key, share in shares.items()}

    def levels(*shares):
        return level(dict(zip(keys, shares, strict=True)))

    last = keys[-1]
    rho = f"rises with {along}: Spearman"  # 0.1 and 0
    return [
        (figure, rho, 0, levels(0.3, 0.4, 0.2, 0.1, 0.5), levels(0.4, 0.3, 0.2, 0.1, 0.5)),
        (figure, f"rises with {along}: last minus", 0, level({last: 0.151}), level({last: 0.149})),
    ]


def less_data(figure, study, variants, keys):
    _, second, third, *_ = keys

    def level(variant, key, share):
        return {f"{study}/cka/{variant}: {key}/?/block": scaled(share)}

    def onset(share):
        all_data = level("all", third, 0.31)
        return all_data | level(variants[-1], second, 0.0) | level(variants[-1], third, share)

    least = [level(variants[-1], third, share) for share in (0.301, 0.299)]
    return [(figure, "at every size", 0, *least), (figure, "does not grow", 0, onset(0.301), onset(0.3))]


def first_figure(number, study, along, keys):
    """Figures 1 and D.6: the largest and the smallest network of a study."""
    largest, smallest = (f"{study}/cka/all: {key}/?" for key in (keys[-1], keys[0]))

    def start(layer):
        return {f"{largest}/block": made.block((layer, 16))}

    def board(value):
        return {f"{smallest}/checkerboard": value}

    def removed(by):
        return {f"{smallest}/removed": heatmap() + by * OTHERS}

    return [
        *rising("fig1", along, study, "all", keys),
        ("fig1", "last two stages", number, start(4), start(3)),
        ("fig1", "checkerboard", number, board(0.01), board(-0.01)),
        ("figD6", "smallest network", number, removed(0.095), removed(0.105)),
    ]


def seeds(number, cka):
    """Figure D.1. cka: place of the large network's CKA."""

    def one(share):
        return {f"{cka}/0/block": scaled(share)}

    whole, shorter = made.block((0, 20)), made.block((0, 19))
    return [
        ("figD1", "every seed", number, one(0.201), one(0.2)),
        (
            "figD1",
            "place differs",
            number,
            {f"{cka}/[02]/block": whole, f"{cka}/1/block": shorter},
            {f"{cka}/?/block": whole},
        ),
    ]


# --- one network with a block, one without ----------------------------------------------------------


def components(number, study, large):
    """Figures 3 and D.6: the network with a block."""
    cka, pca = (f"{study}/{measure}/all: {large}/?" for measure in ("cka", "pca"))
    blocks = {f"{cka}/block": made.block(MEDIUM), f"{cka}/cka": heatmap(MEDIUM)}

    def variance(inside, outside):
        return {**blocks, f"{pca}/fraction": np.where(made.layers_in(MEDIUM), inside, outside)}

    def cosines(r):
        return {**blocks, f"{pca}/cosine2": made.correlated(heatmap(MEDIUM), r)}

    def left(share):
        return {f"{cka}/block": scaled(0.4), f"{cka}/removed_block": scaled(share)}

    return [
        ("fig3", "more than 0.5 of the variance", number, variance(0.501, 0.1), variance(0.499, 0.1)),
        ("fig3", "inside the block than outside", number, variance(0.8, 0.79), variance(0.8, 0.81)),
        ("fig3", "above 0.8", number, cosines(0.81), cosines(0.79)),
        ("fig3", "less than 0.5 of the share", number, left(0.199), left(0.201)),
        ("figD6", "large network", number, left(0.199), left(0.201)),
    ]


def without_components(number, study, small):
    """Figure D.7: the network without a block, of which the ReLU layers count."""
    cka, pca = (f"{study}/{measure}/all: {small}/?" for measure in ("cka", "pca"))

    def variance(relus, others):
        return {f"{pca}/fraction": np.where(POST, relus, others)}

    def cosines(r):
        """Correlated by r with CKA among the ReLU layers, strongly elsewhere."""
        found, relus = made.correlated(heatmap(), 0.95), np.ix_(POST, POST)
        found[relus] = made.correlated(heatmap()[relus], r)
        return {f"{pca}/cosine2": found}

    def removed(by):
        return {f"{cka}/removed": heatmap() + by * OTHERS}

    return [
        ("figD7", "smaller than in", number, variance(0.79, 0.99), variance(0.81, 0.1)),
        ("figD7", "below 0.5", number, cosines(0.49), cosines(0.51)),
        ("figD7", "less than 0.1", number, removed(0.095), removed(-0.105)),
    ]


def probes(number, study, large):
    """Figure 4: the network with a block."""
    cka, probe = (f"{study}/{measure}/all: {large}/?" for measure in ("cka", "probe"))
    blocks = {f"{cka}/block": made.block(MEDIUM), f"{cka}/cka": heatmap(MEDIUM)}
    line = np.linspace(0.3, 0.4, 6)

    def across(last):
        return {**blocks, f"{probe}/after": np.array([0.2, 0.4, 0.5, 0.55, last, 1.0])}

    def by_additions(gain):
        return {**blocks, f"{probe}/after": line, f"{probe}/before": line - gain}

    return [
        ("fig4", "less than 25 %", number, across(0.699), across(0.701)),
        ("fig4", "at least as accurate", number, by_additions(0.0), by_additions(-0.001)),
    ]


def deletion(number, study, large, small):
    """Figure 5."""
    cka, blocked, plain = (
        f"{study}/cka/all: {large}/?",
        f"{study}/deletion/all: {large}",
        f"{study}/deletion/all: {small}",
    )
    blocks = {f"{cka}/block": made.block(MEDIUM), f"{cka}/cka": heatmap(MEDIUM)}

    def lost(loss):
        return {**blocks, f"{blocked}/?/deleted": np.array([0.5, 0.9 - loss, 0.9, 0.9])}

    def falls(accuracy):
        return {f"{plain}/?/deleted": np.array([0.5, accuracy, 0.9, 0.9])}

    follows, breaks = {f"{blocked}/0/full": 0.905}, {f"{blocked}/[12]/deleted": np.full(4, 0.5)}
    return [
        ("fig5", "loses at most 2 points", number, lost(0.02), lost(0.0201)),
        ("fig5", "without a block", 2 if number == 0 else 1, falls(0.799), falls(0.801)),
        ("fig5", "Spearman", number, follows, breaks),
    ]


def smallest_probes():
    """Spearman's rho 0.94 and 0.89."""

    def ranked(*ranks):
        return {"wide/probe/all: w1/?/after": 0.1 * np.array(ranks)}

    return [("fig4", "above 0.9", 0, ranked(1, 2, 3, 4, 6, 5), ranked(1, 2, 4, 3, 6, 5))]


def sparsity():
    def nonzero(inside):
        return {"wide/sparsity/all: w10/?/nonzero": lambda old: np.where(old == 0.5, inside, 0.4)}

    def between(*shares):
        return {"wide/sparsity/all: w10/?/between": np.array(shares)}

    return [
        ("figD8", "less than 10 points", 0, nonzero(0.499), nonzero(0.501)),
        ("figD8", "less than 10 points", 0, nonzero(0.301), nonzero(0.299)),
        ("figD8", "neither always", 0, between(0, 0, 0.1, 0.1, 0.1, 0), between(1, 1, 1, 1, 0.0, 1)),
    ]


def variance_over_networks():
    """Figure D.5: the top component's share of variance, correlated by r with the block's share of layers."""
    networks = [
        (study, name.removesuffix("/block"), value[0])
        for study in ("deep", "wide")
        for name, value in RESULTS[study, "cka", "all"].items()
        if name.endswith("/block")
    ]
    shares = np.array([share for *_, share in networks])

    def late(r):
        values = 0.5 + made.with_correlation(shares, r)
        places = (f"{study}/pca/all: {network}/late" for study, network, _ in networks)
        return dict(zip(places, map(np.float64, values), strict=True))

    return [("figD5", "above 0.6", 0, late(0.61), late(0.59))]


# --- between networks -------------------------------------------------------------------------------

PAIRS = ((0, 1), (0, 2), (1, 2))


def small_seeds():
    def changed(by):
        return {f"across/cka/seeds_small: {i}/{j}/cka": heatmap() + by for i, j in PAIRS}

    return [("fig6", "small network", 0, changed(0.095), changed(-0.105))]


def large_seeds(kind):
    file, blocks = f"across/cka/seeds_{kind}", [LARGE, MEDIUM, SMALL]

    def between(**levels):
        return {f"{file}: {i}/{j}/cka": made.apart(blocks, **levels)(i, j) for i, j in PAIRS}

    def within(level):
        return {f"{file}: {i}/{i}/cka": heatmap(blocks[i], level) for i in SEEDS}

    return [
        ("fig6", f"{kind} network: mean CKA", 0, between(inside=0.39), between(inside=0.41)),
        ("fig6", f"{kind} network: mean CKA", 0, within(0.91), within(0.89)),
        (
            "fig6",
            f"{kind} network: across seeds",
            0,
            between(inside=0.3, outside=0.31),
            between(inside=0.3, outside=0.29),
        ),
    ]


def architectures():
    plain, blocked = (f"across/cka/architectures_{kind}: 0/1/cka" for kind in ("plain", "block"))

    def alike(inside, outside):
        return {blocked: np.where(made.layers_in(LARGE), inside, outside) + np.zeros((L, 1))}

    return [
        ("figE1", "without a block", 0, {plain: made.shifted(3)(0, 1)}, {plain: made.shifted(4)(0, 1)}),
        ("figE1", "with a block", 0, alike(0.39, 0.9), alike(0.41, 0.1)),
    ]


# --- predictions ------------------------------------------------------------------------------------

PAIR, IMAGENET = "pair/agreement/groups: ", "imagenet/agreement/groups: "


def pair_of_architectures():
    def spread(cross, *halves):
        return {f"{PAIR}dispersion": np.where(np.eye(2, dtype=bool), np.diag(halves), cross)}

    def shown(deep, wide):
        """Gaps on the images in favour of the deep and of the wide network."""
        gaps = np.repeat([deep, wide], 8)
        return {f"{PAIR}shown/first": 0.5 + gaps, f"{PAIR}shown/second": np.full(16, 0.5)}

    def p_mean(value):
        return {f"{PAIR}p_mean": value}

    # Two standard errors of a difference are 0.00283.
    deep, wide = ([0.1, 0.2], [0.1, 0.0]), ([0.2, 0.1], [0.0, 0.1])
    return [
        *(
            (figure, f"two halves of {name}", 0, spread(0.1029, *inside), spread(0.1027, *outside))
            for figure, name, (inside, outside) in (
                ("fig7", "ResNet-62:", deep),
                ("figF1", "ResNet-62:", deep),
                ("figF1", "ResNet-14", wide),
            )
        ),
        ("figF1", "p above 0.05", 0, p_mean(0.051), p_mean(0.049)),
        ("figF1", "favour of ResNet-62:", 0, shown(0.201, 0.5), shown(0.199, -0.5)),
        ("figF1", "favour of ResNet-14", 0, shown(-0.5, -0.201), shown(0.5, -0.199)),
    ]


def three_architectures():
    def dispersion(a, b):
        """Of the first with the others, and of the others."""
        return {f"{IMAGENET}dispersion": np.array([[0.03, a, a], [0.2, 0.03, b], [0.2, 0.2, 0.03]])}

    def means(*values):
        return {f"{IMAGENET}{g}/accuracy": np.full(60, value) for g, value in enumerate(values)}

    near = dispersion(0.031, 0.031)
    return [
        ("figF4", "each two", 0, near, dispersion(0.029, 0.1)),
        ("figF4", "each two", 0, near, dispersion(0.1, 0.029)),
        ("figF4", "both larger", 0, means(0.77, 0.771, 0.771), means(0.77, 0.769, 0.78)),
        ("figF4", "both larger", 0, means(0.77, 0.771, 0.771), means(0.77, 0.78, 0.769)),
    ]


def classes():
    def differ(name, number):
        return {f"{IMAGENET}class/{name}": made.few_significant(number)}

    def aic(*values):
        return {f"{IMAGENET}models/aic": np.array(values)}

    def v2(value):
        return {f"{IMAGENET}models/v2": value}

    return [
        ("fig7", "twice the 5 %", 0, differ("p", 101), differ("p", 100)),
        ("fig7", "deep network", 0, differ("p_control", 199), differ("p_control", 200)),
        ("tabF1", "AIC", 0, aic(3, 2, 1), aic(2, 3, 1)),
        ("tabF1", "AIC", 0, aic(3, 2, 1), aic(3, 1, 2)),
        ("tabF1", "V²", 0, v2(0.01), v2(-0.01)),
        ("tabF1", "V²", 0, v2(0.99), v2(1.0)),
    ]


def synsets():
    def p(*values):
        return {f"{IMAGENET}synset/p": np.resize(values, len(SYNSETS))}

    turned = {f"{IMAGENET}synset/wide": lambda old: 1.5 - old}
    named = {"fig7": ("structure", "consumer_goods"), "tabF2": [name for name, gap in SYNSETS.items() if gap]}
    only_entity = {f"{IMAGENET}synset/p": np.array([0.049, *[0.8] * (len(SYNSETS) - 1)])}
    found = [
        ("fig7", "dogs", 0, p(0.05), p(0.049)),
        ("tabF2", "no other synset", 0, p(0.05), only_entity),
    ]
    for figure, names in named.items():
        for words in (f"{name.replace('_', ' ')}:" for name in names):
            found += [(figure, words, 0, p(0.049), p(0.051)), (figure, words, 0, p(0.049), turned)]
    return found


def growth(figure, study, smallest):
    """Figures F.2 and F.3. smallest: the paper's accuracy of the smallest of the eight groups."""
    file = f"{study}/agreement/groups: "

    def level(g, value):
        return {f"{file}{g}/accuracy": np.full(60, value)}

    def gaining(middling):
        """The largest network's examples gain so much where the smallest is at 0.6, 0.2 where at 0.1."""
        return {f"{file}7/second": np.repeat([0.3, 0.6 + middling, 0.97], [100, 100, 200])}

    def one_worse(by, halves=("first", "second")):
        """One example on which the largest is worse; 99 % of the control's differences lie within 0.099."""
        changes = {f"{file}0/first": np.linspace(0.4, 0.6, 401), f"{file}0/second": np.full(401, 0.5)}
        worse = np.where(np.arange(401) == 200, by, 0)
        return changes | {
            f"{file}7/{half}": changes[f"{file}0/{half}"] - worse * (half in halves)
            for half in ("first", "second")
        }

    return [
        (figure, "within 0.4 points", 0, level(0, smallest - 0.0039), level(0, smallest - 0.0041)),
        (figure, "every step", 0, level(1, smallest + 0.0001), level(1, smallest)),
        (figure, "gain most", 0, gaining(0.21), gaining(0.19)),
        (figure, "more than 0", 0, one_worse(0.0991), one_worse(0.0989)),
        (figure, "more than 0", 0, one_worse(0.0991), one_worse(0.0991, halves=("first",))),
    ]


# --- table B.1 --------------------------------------------------------------------------------------


def table(column, name, margin):
    rows = entries("nguyen")["nguyen_tabB1"]["rows"]
    places = sorted(
        (percents[column], f"{row['studies'][column]}/training/{row['variant']}: {key}/test_accuracy")
        for row in rows
        for key, percents in row["paper"].items()
    )
    one = next(row for row in rows if row["variant"] == "depth20")
    paper = one["paper"]["w4"][column] / 100

    def level(value):
        place = f"{one['studies'][column]}/training/depth20: w4/test_accuracy"
        return {place: [value - 0.01, value + 0.01]}

    def turned(lowest):
        """The order of the lowest ones turned round: Spearman's rho 0.91 for 9, 0.87 for 10."""
        ranks = [*range(lowest)[::-1], *range(lowest, len(places))]
        return {place: [0.01 * rank] for rank, (_, place) in zip(ranks, places, strict=True)}

    near = [
        ("tabB1", f"each {name} ", 0, level(paper + 0.99 * off), level(paper + 1.01 * off))
        for off in (margin, -margin)
    ]
    return [*near, ("tabB1", f"{name} accuracies are ordered", 0, turned(9), turned(10))]


# --- all of them ------------------------------------------------------------------------------------


def crossings():
    found = []
    for number, (study, along, keys, large, small) in enumerate(
        (("deep", "depth", DEEP, "d110", "d44"), ("wide", "width", WIDE, "w10", "w2"))
    ):
        found += first_figure(number, study, along, keys)
        found += seeds(number, f"{study}/cka/all: {large}")
        found += components(number, study, large)
        found += without_components(number, study, small)
        found += probes(number, study, large)
        found += deletion(number, study, large, small)
    return [
        *found,
        *rising("figC1", "width", "wide", "plain", WIDE),
        *less_data("fig2", "wide", ("all", "quarter", "sixteenth"), WIDE),
        *less_data("figD2", "deep", ("all", "quarter", "sixteenth"), DEEP),
        *less_data("figD3", "deep100", ("all", "half", "quarter"), DEEP),
        *less_data("figD4", "wide100", ("all", "half"), WIDE),
        *smallest_probes(),
        *sparsity(),
        *variance_over_networks(),
        *small_seeds(),
        *large_seeds("wide"),
        *large_seeds("deep"),
        *architectures(),
        *pair_of_architectures(),
        *three_architectures(),
        *classes(),
        *synsets(),
        *growth("figF2", "by_depth", 0.9169),
        *growth("figF3", "by_width", 0.9309),
        *table(0, "CIFAR-10", 0.007),
        *table(1, "CIFAR-100", 0.015),
    ]


CROSSINGS = crossings()
NAMES = [f"{figure}-{words}-{number}" for figure, words, number, *_ in CROSSINGS]


def verdict(changes, figure, words, number):
    """Of a figure's claim, by its number among those with these words."""
    claims = judge("nguyen", put(changes), shown="all", figures=[f"nguyen_{figure}"])
    return [claim.verdict for claim in claims if words in claim.statement][number]


@pytest.mark.parametrize("figure, words, number, inside, outside", CROSSINGS, ids=NAMES)
def test_a_verdict_flips_at_its_threshold(figure, words, number, inside, outside):
    assert verdict(inside, figure, words, number) == "reproduced"
    assert verdict(outside, figure, words, number) == "not reproduced"


def test_every_claim_has_a_crossing():
    for claim in judge("nguyen", RESULTS, shown="all"):
        crossed = (
            claim.figure == f"nguyen_{figure}" and words in claim.statement for figure, words, *_ in CROSSINGS
        )
        assert any(crossed), claim.statement
