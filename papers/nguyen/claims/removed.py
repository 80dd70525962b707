"""CKA without the first principal component: figures D.6 and D.7 of Nguyen et al. 2021."""

from dataclasses import replace

import numpy as np

from papers.nguyen.claims.components import ABSENT, likeness, shrinks
from papers.nguyen.claims.controls import BARE, untrained, without_training
from papers.nguyen.claims.nets import large_nets, nearest, pick, smallest, with_block, without_block
from papers.nguyen.claims.numbers import mean, pairs
from pipeline.claims import Control, first_of

# Thresholds, each with its reason.
LITTLE_LIKE = 0.5  # Pearson over layer pairs: cosines and CKA "bear little resemblance"
UNCHANGED = 0.1  # mean |change of CKA|: "mostly unchanged", "negligible impact"
SMALLER = 0.0  # share of variance, network with a block minus without: any more at all


def figD6(case):
    statement = (
        "large network: the block falls below 0.5 of its share of layers when the first component is removed"
    )
    large = [
        shrinks(case, with_block(net), statement, "significantly eliminated") for net in large_nets(case)
    ]
    small = [without_block(pick(case, study, smallest)) for study in ("deep", "wide")]
    return [
        *large,
        *(little_change(case, net, change, "smallest network: ", "negligible impact") for net in small),
    ]


def change(net, seed, keep=None) -> float:
    """Mean |change of CKA| over layer pairs without the first component; NaN where it was not measured."""
    if not net.has("cka", "removed"):
        return np.nan
    moved = net.at("cka", seed, "removed") - net.at("cka", seed, "cka")
    return mean(np.abs(pairs(moved, keep)))


def little_change(case, net, measure, who, paper):
    """measure: of a network and a seed, its change of CKA."""
    moved = net.estimate(measure)
    return net.judge(
        case,
        f"{who}removing the first component changes CKA by less than 0.1, mean over layer pairs",
        paper,
        moved.said(3),
        moved,
        below=UNCHANGED,
        control=without_training(case, net, measure, digits=3),
        lacks=None if net.has("cka", "removed") else ABSENT,
    )


def figD7(case):
    chosen = {"deep": nearest("depth", 44), "wide": nearest("width", 2 * case.width)}
    small = [without_block(pick(case, study, choose, ("pca",))) for study, choose in chosen.items()]
    both = zip(small, map(with_block, large_nets(case, ("pca",))), strict=True)
    return [claim for net, large in both for claim in unlike(case, net, large)]


def unlike(case, net, large) -> list:
    """In a network without a block first components are small, unlike each other, and not missed."""
    alike = net.estimate(likeness_of_relus)
    return [
        smaller(case, net, large),
        net.judge(
            case,
            "squared cosines of first components do not resemble CKA: correlation over layer pairs below 0.5",
            "little resemblance",
            f"r = {alike.said()}",
            alike,
            below=LITTLE_LIKE,
            control=without_training(case, net, likeness_of_relus),
            note="ReLU layers",
        ),
        little_change(case, net, change_of_relus, "", "mostly unchanged"),
    ]


def smaller(case, net, large):
    """The control is the same difference between untrained networks of both sizes."""
    ours, theirs = net.estimate(peak), large.estimate(peak)
    bare = (untrained(case, one).estimate(peak) for one in (large, net))
    both = replace(net, lacks=first_of(net.lacks, large.lacks), failed=net.failed or large.failed)
    return both.judge(
        case,
        "the largest share of variance of a layer's first component is smaller than in the network "
        "with a block",
        "relatively small",
        f"{ours.said()}, {theirs.said()} in {large.label()}, {large.data()}",
        theirs.minus(ours),
        above=SMALLER,
        control=Control(BARE, next(bare).minus(next(bare))),
        note="ReLU layers",
    )


def relus(net):
    """The ReLU layers, which the paper's axes count; all layers where none is named so: (L,) bool."""
    named = np.array([str(layer).split(".")[-1].startswith("relu") for layer in net.of("cka", "layers")])
    return named if named.any() else ~named


def likeness_of_relus(net, seed) -> float:
    return likeness(net, seed, relus(net))


def change_of_relus(net, seed) -> float:
    return change(net, seed, relus(net))


def peak(net, seed) -> float:
    """Largest share of variance of a first component; NaN where every layer is dead."""
    live = net.at("pca", seed, "fraction")[relus(net)]
    return float(np.nanmax(live)) if np.isfinite(live).any() else np.nan
