"""Where blocks form: figures 1, C.1 and D.1 of Nguyen et al. 2021."""

from itertools import combinations

import numpy as np

from papers.nguyen.claims.nets import (
    FEWEST,
    HAS_BLOCK,
    Net,
    fractions,
    large_nets,
    largest,
    measured,
    pick,
    smallest,
    with_block,
)
from papers.nguyen.claims.numbers import mean, say, spearman

# Thresholds, each with its reason.
RISES = 0.0  # Spearman's rho over the panels: any rise at all
RISE = 0.15  # block fraction, last panel minus first: a square that a reader sees grow
LATE = 2  # the first of the last two stages
CHECKERED = 0.0  # post-residual CKA minus that with layers inside residual blocks: "checkerboard"
SAME_PLACE = 0.95  # intersection over union of two blocks: "size and position vary"


def fig1(case):
    deep = ("deep", "depth", "ResNet-32 none to ResNet-164 a large block")
    wide = ("wide", "width", "ResNet-38 (1x) none to (10x) a large block")
    return [claim for row in (deep, wide) for claim in row_of_sizes(case, *row)]


def row_of_sizes(case, study, along, paper) -> list:
    """The claims on one row of figure 1; what untrained networks show stands beside them."""
    untrained = said(fractions(case.kept(study, "cka", "untrained")))
    found = case.kept(study, "cka", case.shown)
    return [
        *rises(case, found, along, paper, f"untrained networks: {untrained}"),
        late(case, with_block(pick(case, study, largest)), along),
        checkered(case, pick(case, study, smallest), along),
    ]


def rises(case, found, along, paper, note="") -> list:
    """The block grows from panel to panel; two claims. along: depth or width."""
    table = fractions(found)
    bench = counted(case, [table], list(table), note)
    means = [values.mean() for values in table.values()]
    few = "" if len(table) >= FEWEST else f"the scale keeps fewer than three sizes ({along})"
    rho = spearman([getattr(size, along) for size in measured(found)], means)
    gain = means[-1] - means[0] if means else np.nan
    return [
        bench.judge(
            f"the share of layers in the block rises with {along}: Spearman's ρ over the panels above 0",
            paper,
            f"ρ = {say(rho)} ({said(table)})",
            rho > RISES,
            lacks=few,
        ),
        bench.judge(
            f"the share of layers in the block rises with {along}: last minus first panel above 0.15",
            paper,
            f"{gain:+.2f} ({said(table)})",
            gain > RISE,
            lacks=few,
        ),
    ]


def said(table) -> str:
    """Block fractions of each size, {size: (seeds,)}."""
    return ", ".join(f"{key} {say(values)}" for key, values in table.items()) or "–"


def counted(case, tables, kept, note=""):
    """The bench of some block fractions, {size: (seeds,)}, at the sizes kept."""
    number = sum(len(table[key]) for table in tables for key in kept)
    return case.bench(f"{number} network{'s' * (number != 1)}: {', '.join(kept) or 'no size'}", note)


def late(case, net, along):
    starts = net.each(lambda net, seed: net.block(seed)[1])
    bound = first_late(net) if net.size else 0
    return net.bench(case).judge(
        f"largest {along}: the block lies in the last two stages, "
        "it starts at or after the first layer of stage 2",
        "mostly in the last two stages",
        f"from layer {say(starts, 0)}, stage 2 from layer {bound}",
        mean(starts) >= bound,
    )


def first_late(net) -> int:
    """Position of the first layer of the last two stages."""
    return int(np.argmax(net.of("cka", "stage") >= LATE))


def checkered(case, net, along):
    boards = net.each(lambda net, seed: net.at("cka", seed, "checkerboard"))
    return net.bench(case).judge(
        f"smallest {along}: a checkerboard, "
        "CKA of post-residual layers with each other above that with other layers",
        "checkerboard",
        f"{mean(boards):+.2f} (difference of means)",
        mean(boards) > CHECKERED,
    )


def figC1(case):
    found = case.kept("wide", "cka", "plain")
    return rises(
        case, found, "width", "the block emerges in higher-capacity models", "without residual connections"
    )


def figD1(case):
    return [claim for net in large_nets(case) for claim in by_seed(case, net)]


def by_seed(case, net) -> list:
    single = "" if len(net.seeds) > 1 else "one seed where seeds are compared"
    return [in_every_seed(case, net, single), elsewhere(case, with_block(net), single)]


def in_every_seed(case, net, single):
    shares = net.each(Net.share)
    return net.bench(case).judge(
        "every seed shows a block: more than 0.2 of its layers",
        "all 5 seeds of ResNet-110 (1x) and of ResNet-38 (10x)",
        f"least {say(min(shares, default=np.nan))}, mean {say(shares)}",
        min(shares, default=0) > HAS_BLOCK,
        lacks=net.lacks or single,
    )


def elsewhere(case, net, single):
    """The block lies at another place in each seed."""
    overlaps = [overlap(net.block(a)[1:], net.block(b)[1:]) for a, b in combinations(net.seeds, 2)]
    least = min(overlaps, default=np.nan)
    return net.bench(case).judge(
        "the block's place differs between seeds: intersection over union not above 0.95 in every pair",
        "size and position vary",
        f"least {say(least)}, mean {say(overlaps)}",
        least <= SAME_PLACE,
        lacks=net.lacks or single or ("" if overlaps else "only one seed shows a block"),
    )


def overlap(a, b) -> float:
    """Intersection over union of two runs of layers (start, stop)."""
    shared = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    union = a[1] - a[0] + b[1] - b[0] - shared
    return shared / union if union else np.nan
