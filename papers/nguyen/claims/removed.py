"""CKA without the first principal component: figures D.6 and D.7 of Nguyen et al. 2021."""

import numpy as np

from papers.nguyen.claims.components import ABSENT, likeness, shrinks
from papers.nguyen.claims.nets import large_nets, nearest, pick, smallest, with_block, without_block
from papers.nguyen.claims.numbers import mean, pairs, say, unless

# Thresholds, each with its reason.
LITTLE_LIKE = 0.5  # Pearson over layer pairs: cosines and CKA "bear little resemblance"
UNCHANGED = 0.1  # mean |change of CKA|: "mostly unchanged", "negligible impact"


def figD6(case):
    statement = (
        "large network: the block falls below 0.5 of its share of layers when the first component is removed"
    )
    found = []
    for net in map(with_block, large_nets(case)):
        found.append(shrinks(net.bench(case), net, statement, "significantly eliminated"))
    for study in ("deep", "wide"):
        net = without_block(pick(case, study, smallest))
        moved = change(net)
        found.append(little_change(net.bench(case), net, moved, "smallest network: ", "negligible impact"))
    return found


def change(net, keep=None):
    """Mean |change of CKA| over layer pairs without the first component: (seeds,), empty if not measured."""

    def of_seed(net, seed):
        moved = net.at("cka", seed, "removed") - net.at("cka", seed, "cka")
        return mean(np.abs(pairs(moved, keep)))

    return net.each(of_seed) if net.has("cka", "removed") else np.array([])


def little_change(bench, net, moved, who, paper):
    return bench.judge(
        f"{who}removing the first component changes CKA by less than 0.1, mean over layer pairs",
        paper,
        say(moved, 3),
        mean(moved) < UNCHANGED,
        lacks=net.lacks or unless(mean(moved), ABSENT),
    )


def figD7(case):
    chosen = {"deep": nearest("depth", 44), "wide": nearest("width", 2 * case.width)}
    small = [without_block(pick(case, study, choose, ("pca",))) for study, choose in chosen.items()]
    both = zip(small, map(with_block, large_nets(case, ("pca",))), strict=True)
    return [claim for net, large in both for claim in unlike(case, net, large)]


def unlike(case, net, large) -> list:
    """In a network without a block first components are small, unlike each other, and not missed."""
    bench = net.bench(case, "ReLU layers")
    keep = relus(net) if net.size else None
    alike, moved = likeness(net, keep), change(net, keep)
    return [
        bench.judge(
            "the largest share of variance of a layer's first component is smaller than in the network "
            "with a block",
            "relatively small",
            f"{say(peak(net))}, {say(peak(large))} in {large.label()}, {large.data()}",
            mean(peak(net)) < mean(peak(large)),
            lacks=net.lacks or large.lacks,
        ),
        bench.judge(
            "squared cosines of first components do not resemble CKA: correlation over layer pairs below 0.5",
            "little resemblance",
            f"r = {say(alike)}",
            mean(alike) < LITTLE_LIKE,
            lacks=net.lacks or unless(mean(alike), "no correlation: a map is constant"),
        ),
        little_change(bench, net, moved, "", "mostly unchanged"),
    ]


def relus(net):
    """The ReLU layers, which the paper's axes count; all layers where none is named so: (L,) bool."""
    named = np.array([str(layer).split(".")[-1].startswith("relu") for layer in net.of("cka", "layers")])
    return named if named.any() else ~named


def peak(net):
    """Largest share of variance of a first component, of each seed."""
    return net.each(lambda net, seed: np.nanmax(net.at("pca", seed, "fraction")[relus(net)], initial=-np.inf))
