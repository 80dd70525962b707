"""What activation atlases of a narrow and of a wide network show: figures 1 to 3 of Gilboa & Gur-Ari 2019."""

from dataclasses import replace

from papers.gilboa.claims.icons import gap_claim
from papers.gilboa.claims.networks import (
    Compared,
    compared,
    difference,
    each_said,
    ends,
    highest,
    in_one,
    lowest,
    paired,
    percent,
    untrained_pair,
)
from pipeline.claims import SURE, Control

# Thresholds, each with its reason.
SAME_MNIST = 0.005  # "both 99.0 %": half a point is the spread of a seed
AT_LEAST_MNIST = 0.985  # half a point below the paper's
CLUSTERED = 0.95  # share of neighbours of the own class: "classes cluster well in both cases"
NOT_SPARSE = 0.9  # share of exact zeros: "activation vectors are not sparse"
TRANSLATED = (0.960, 0.968)  # the paper's, narrow and wide
NEAR_TRANSLATED = 0.03  # of them: other digits are drawn than the paper's
SHIFT_GAP = 0.1  # R², a difference that a reader sees in the annuli
SAME_CIFAR = 0.03  # the paper's own networks differ by 1 point
AT_CHANCE = "none: untrained networks are equal at chance, which the linear classifier's floor rules out"
AT_CHANCE_LOW = "none: an untrained network is at chance"
PAIR = "pair of networks"


def fig1(case):
    pair = compared(case, "mnist")
    sparse = pair.wide.of("zero_fraction")
    claims = [
        *equal_on_mnist(pair),
        *clusters(case, pair),
        gap_claim(case, "mnist", pair),
        # Half of an untrained ReLU layer is zeros: the claim cannot fail on a control and is no finding.
        pair.bench.check(
            "the wide net's activations are not sparse: fewer than 90 % exact zeros",
            "not sparse",
            f"{100 * sparse:.1f} %",
            sparse < NOT_SPARSE,
        ),
    ]
    return in_one(PAIR, claims)


def equal_on_mnist(pair: Compared) -> list:
    accuracies = [net.accuracy for net in pair.both]
    return [
        equal(pair, "test accuracies differ by at most 0.5 points", "99.0 and 99.0 %", SAME_MNIST),
        pair.bench.judge(
            "both test accuracies reach 98.5 %",
            "99.0 and 99.0 %",
            percent(*accuracies),
            lowest(accuracies, SURE),
            above=AT_LEAST_MNIST,
            control=AT_CHANCE_LOW,
            against_number=True,
        ),
    ]


def equal(pair: Compared, statement, paper, margin, reason=""):
    """Equivalence: the accuracies' difference lies within a margin by two standard errors."""
    low, high = (net.accuracy for net in pair.both)
    apart = high.minus(low)
    ours = percent(low, high)
    found = replace(apart, value=abs(apart.value))
    return pair.bench.judge(statement, paper, ours, found, below=margin, control=AT_CHANCE, reason=reason)


def clusters(case, pair: Compared) -> list:
    """Classes cluster in both maps, with more sub-clusters in the wide net's."""
    _, pixels = ends(case.kept("pixels", "structure", "base"))
    parts = paired(pixels, pair.narrow, "clusters")
    return [
        pair.bench.judge(
            "classes cluster in both maps: 15-neighbour purity above 0.95",
            "clustered well in both",
            each_said("purity_classes", *pair.both),
            lowest([net.mean("purity_classes") for net in pair.both], SURE),
            above=CLUSTERED,
            control=Control("the pixels' map, of no learning", pixels.mean("purity_classes"), digits=3),
        ),
        pair.bench.judge(
            "classes fall into more sub-clusters in the wide net",
            "only the wide net shows sub-clusters",
            f"{difference('clusters', *pair.both)} a class",
            paired(pair.wide, pair.narrow, "clusters"),
            above=0,
            control=Control("the pixels' map minus the narrow net's", parts),
        ),
    ]


def fig2(case):
    pair = compared(case, "translated")
    shifts = {
        "shift_r2": "the shift is read from the wide state better than from the narrow one: "
        "within-class R² larger by 0.1",
        "shift_r2_equal": "the shift is read better from as many units of the wide state as the narrow one "
        "has: within-class R² larger by 0.1",
    }
    claims = [
        near_translated(pair),
        *encoded(case, "translated", pair, shifts, "clearly encoded in the wide net only", SHIFT_GAP, "R² "),
        *encoded(
            case,
            "translated",
            pair,
            {"annulus": "the angle in a class' annulus follows the shift more closely in the wide net"},
            "annuli in the wide net only",
            0,
            "circular correlation ",
        ),
        gap_claim(case, "translated", pair, ("untrained",)),
    ]
    return in_one(PAIR, claims)


def near_translated(pair: Compared):
    """The network that is further from the paper's number counts."""
    accuracies = [net.accuracy for net in pair.both]
    found = [replace(ours, value=abs(ours.value - paper)) for ours, paper in zip(accuracies, TRANSLATED)]
    return pair.bench.judge(
        "test accuracies lie within 3 points of the paper's",
        "96.0 and 96.8 %",
        percent(*accuracies),
        highest(found, SURE),
        below=NEAR_TRANSLATED,
        control=AT_CHANCE_LOW,
        against_number=True,
    )


def fig3(case):
    pair = compared(case, "cifar")
    colours = {
        "colour_r2_folds": "a car's colour is read better from the wide state",
        "colour_r2_equal_folds": "a car's colour is read better from as many units of the wide state as the "
        "narrow one has",
    }
    sides = {
        "mirror_odd_folds": "a larger share of the wide state's variance tells a horse from its mirror image",
        "mirror_odd_equal_folds": "a larger share of the variance of as many units of the wide state as the "
        "narrow one has tells a horse from its mirror image",
    }
    claims = [
        equal(
            pair,
            "test accuracies differ by at most 3 points",
            "83 and 82 %",
            SAME_CIFAR,
            reason=f"trained for {pair.wide.of('epochs'):.3g} epochs, the paper for 100",
        ),
        *encoded(case, "cifar", pair, colours, "colours separate in the wide net only", 0, "R² "),
        *encoded(case, "cifar", pair, sides, "left and right separate in the wide net only", 0, "share "),
        gap_claim(case, "cifar", pair, ("untrained", "untrained512")),
    ]
    return in_one(PAIR, claims)


def encoded(case, study, pair: Compared, statements: dict, paper, gap, words) -> list:
    """Something is read better from the wide state, over classes or folds that the networks share.

    statements: {name of the number: what is held}. The control is the same difference between untrained
    networks: where there is more to read because there are more units, it is as large.
    """
    return [
        pair.bench.judge(
            statement,
            paper,
            words + difference(name, *pair.both),
            paired(pair.wide, pair.narrow, name),
            above=gap,
            control=untrained_pair(case, study, name),
        )
        for name, statement in statements.items()
    ]
