"""Representations of different architectures: figure E.1 of Nguyen et al. 2021."""

import numpy as np

from papers.nguyen.claims.across import UNIQUE
from papers.nguyen.claims.between import Group
from papers.nguyen.claims.failures import A_BLOCK, NO_BLOCK, failing, outvoted
from papers.nguyen.claims.numbers import mean
from pipeline.claims import TOO_FEW, UNEQUAL, Control, Estimate, Lack, first_of

# Thresholds, each with its reason.
SAME_DEPTH = 0.15  # mean difference of relative depths: "the same proportional depth"
EQUAL = 0.02  # accuracy: the paper controls for it, its networks are at 94.1, 94.2 and 94.4 %
BARE = "architectures_untrained"  # a group of untrained networks of the two without a block


def figE1(case):
    plain, bare, block = (Group(case, name) for name in ("architectures_plain", BARE, "architectures_block"))
    return [aligned(plain, bare), apart(block)]


def couples(group) -> list:
    """Independent couples of networks of the first and of the last architecture: [(number, number), ...]."""
    kinds = group.kinds()
    return list(zip(kinds[0], kinds[-1], strict=False)) if len(kinds) > 1 else []


def lacking(group, both) -> Lack | None:
    """What a comparison of architectures lacks: learning, equal accuracy, couples."""
    if not both:
        return group.lacks() or Lack(TOO_FEW, "one architecture where two are compared")
    one, other = (group.accuracy(numbers).value for numbers in zip(*both, strict=True))
    unequal = Lack(UNEQUAL, f"the architectures' accuracies differ by {100 * abs(one - other):.1f} points")
    few = Lack(TOO_FEW, "one network of an architecture")
    return first_of(
        group.lacks(), unequal if abs(one - other) > EQUAL else None, few if len(both) < 2 else None
    )


def aligned(group, bare):
    """Each layer of one network is most alike to a layer of the other at the same share of the depth.

    bare: untrained networks of two depths.
    """
    statement = (
        "without a block, a layer's most similar layer in the other network lies at the same relative depth: "
        "mean difference below 0.15"
    )
    both, paper = couples(group), "broadly of the same proportional depth (ResNet-14 (2x), ResNet-56)"
    lacks = lacking(group, both)
    plain = [couple for couple in both if not any(map(group.has_block, couple))]
    failed = outvoted(plain, both, A_BLOCK, "pairs of networks")
    if failed:
        return failing(group.bench(), statement, paper, group.shares(), failed, lacks)
    found = shifts(group, plain)
    return group.bench().judge(
        statement,
        paper,
        found.said(3),
        found,
        below=SAME_DEPTH,
        control=Control(bare.what(), shifts(bare, couples(bare)), digits=3),
        lacks=lacks,
    )


def shifts(group, some) -> Estimate:
    """Over couples of networks, (number, number) each."""
    return Estimate.of([shift(group.cka(*couple)) for couple in some])


def shift(matrix) -> float:
    """Mean |difference of relative depth| of a live layer and the layer of the other network most alike to
    it, in both directions.
    """
    return mean([one_way(matrix), one_way(matrix.T)])


def one_way(matrix) -> float:
    """Of the rows' layers."""
    live = np.flatnonzero(np.isfinite(matrix).any(1))
    best = np.nanargmax(matrix[live], 1) if len(live) else live
    rows, columns = (np.arange(size) / max(size - 1, 1) for size in matrix.shape)
    return mean(np.abs(rows[live] - columns[best]))


def apart(group):
    """The block of the deep network is unlike all layers of the other. Control: what lies outside it."""
    statement = "with a block, mean CKA of its layers with the layers of the other network is below 0.4"
    both, paper = couples(group), "dissimilar (ResNet-14 (2x), ResNet-164)"
    lacks = lacking(group, both)
    blocked = [couple for couple in both if group.has_block(couple[1])]
    failed = outvoted(blocked, both, NO_BLOCK)
    if failed:
        shares = group.shares([number for _, number in both])
        return failing(group.bench(), statement, paper, shares, failed, lacks)
    inside, outside = (
        Estimate.of([with_layers(group, couple, side) for couple in blocked]) for side in (True, False)
    )
    return group.bench().judge(
        statement,
        paper,
        f"{inside.said()} ({outside.said()} outside the block)",
        inside,
        below=UNIQUE,
        control=Control("layers outside the block", outside),
        lacks=lacks,
    )


def with_layers(group, couple, side) -> float:
    """Mean CKA of the layers inside (True) or outside the second's block with all of the first."""
    return mean(group.cka(*couple)[:, group.inside(couple[1]) == side])
