"""Representations across seeds: figure 6 of Nguyen et al. 2021."""

import numpy as np

from papers.nguyen.claims.between import Group
from papers.nguyen.claims.controls import BARE
from papers.nguyen.claims.failures import A_BLOCK, NO_BLOCK, failing, outvoted
from papers.nguyen.claims.nets import FEWEST
from papers.nguyen.claims.numbers import mean, over_pairs, pairs
from pipeline.claims import TOO_FEW, Control, Lack, first_of

# Thresholds, each with its reason.
CLOSELY = 0.1  # mean |CKA across seeds - CKA within|: "closely resembles"
UNIQUE = 0.4  # mean CKA of blocks of different networks: "highly dissimilar"
WITHIN = 0.9  # mean CKA inside a block: what makes it one
OUTSIDE = 0.0  # CKA across seeds outside the blocks minus inside: any more at all
LARGE = {"wide": "seeds_untrained", "deep": "seeds_untrained_deep"}  # groups of untrained networks
SMALL = "seeds_untrained_small"


def fig6(case):
    found = [alike(case)]
    for kind, bare in LARGE.items():
        found += unique(case, kind, Group(case, f"seeds_{kind}"), Group(case, bare))
    return found


def alike(case):
    """Without a block, heatmaps across seeds look like those within one."""
    group, bare = Group(case, "seeds_small"), Group(case, SMALL)
    plain = [number for number in group.numbers if not group.has_block(number)]
    statement = (
        "small network: CKA across seeds differs from CKA within a seed by less than 0.1, "
        "mean over layer pairs"
    )
    paper, lacks = "closely resembles CKA within a single model", lacking(group, plain)
    failed = outvoted(plain, group.numbers, A_BLOCK)
    if failed:
        return failing(group.bench(), statement, paper, group.shares(), failed, lacks)
    found = over_pairs(plain, group.gap)
    return group.bench().judge(
        statement,
        paper,
        found.said(3),
        found,
        below=CLOSELY,
        control=Control(BARE, over_pairs(bare.numbers, bare.gap), digits=3),
        lacks=lacks,
    )


def lacking(group, like_the_papers):
    """What a comparison of seeds lacks. like_the_papers: those with a block, or those without.

    Where at most half are as in the paper the claim fails, and needs no three that are.
    """
    kept, seeds = len(like_the_papers), len(group.numbers)
    few = f"{kept} of {seeds} seeds are as in the paper, three are compared"
    too_few = seeds < FEWEST or kept < FEWEST and 2 * kept > seeds
    return first_of(group.lacks(), Lack(TOO_FEW, few) if too_few else None)


def unique(case, kind, group, bare) -> list:
    """Blocks of different seeds are unlike each other, less alike than the layers outside them."""
    kept = [number for number in group.numbers if group.has_block(number)]
    lacks, statements = (
        lacking(group, kept),
        (
            f"{kind} network: mean CKA of the blocks of two seeds is below 0.4, within a block at least 0.9",
            f"{kind} network: across seeds, layers outside the blocks are more alike than those inside",
        ),
    )
    papers = "unique to each model", "some similarity outside"
    failed = outvoted(kept, group.numbers, NO_BLOCK)
    if failed:
        why = group.shares(), failed, lacks
        return [failing(group.bench(), *said, *why) for said in zip(statements, papers, strict=True)]
    found = Blocks(group, group, kept)
    control = Blocks(group, bare, [number for number in kept if number in bare.numbers])
    within = mean([mean(pairs(group.cka(i, i), group.inside(i))) for i in kept])
    words = f"{BARE}, the same layers"
    return [
        group.bench().judge(
            statements[0],
            papers[0],
            f"{found.inside.said()} across, {within:.2f} within",
            found.inside,
            below=UNIQUE,
            control=Control(words, control.inside),
            holds=within >= WITHIN,
            lacks=lacks,
        ),
        group.bench().judge(
            statements[1],
            papers[1],
            f"{found.more.said()} more ({found.outside.said()} outside, {found.inside.said()} inside)",
            found.more,
            above=OUTSIDE,
            control=Control(words, control.more),
            lacks=lacks,
        ),
    ]


class Blocks:
    """CKA between each two of the networks kept, of layers inside and outside the blocks that `where` has.

    inside, outside, more: Estimates; more: outside minus inside.
    """

    def __init__(self, where, group, kept):
        def part(i, j, side):
            chosen = np.ix_(where.inside(i) == side, where.inside(j) == side)
            return mean(group.cka(i, j)[chosen])

        self.inside = over_pairs(kept, lambda i, j: part(i, j, True))
        self.outside = over_pairs(kept, lambda i, j: part(i, j, False))
        self.more = over_pairs(kept, lambda i, j: part(i, j, False) - part(i, j, True))
