"""Where blocks form: figures 1, C.1 and D.1 of Nguyen et al. 2021."""

import numpy as np

from papers.nguyen.claims.controls import BARE, of_own_blocks, without_training
from papers.nguyen.claims.nets import HAS_BLOCK, Net, large_nets, largest, pick, smallest, with_block
from papers.nguyen.claims.numbers import over_pairs, say, spearman
from papers.nguyen.claims.rows import (
    counted,
    fractions,
    measured,
    said,
    steps,
    too_few_seeds,
    too_few_sizes,
    unlike_pixels,
)
from pipeline.claims import Control, Estimate, first_of

# Thresholds, each with its reason.
RISE = 0.15  # block fraction, last panel minus first: a square that a reader sees grow
RISES = 0.0  # Spearman's rho over the panels: any rise at all
LATE = 2  # the first of the last two stages
CHECKERED = 0.0  # post-residual CKA minus that with layers inside residual blocks: "checkerboard"
SAME_PLACE = 0.95  # intersection over union of two blocks: "size and position vary"


def fig1(case):
    deep = ("deep", "depth", "ResNet-32 none to ResNet-164 a large block")
    wide = ("wide", "width", "ResNet-38 (1x) none to (10x) a large block")
    return [claim for row in (deep, wide) for claim in row_of_sizes(case, *row)]


def row_of_sizes(case, study, along, paper) -> list:
    """The claims on one row of figure 1."""
    return [
        rises(case, study, case.shown, "untrained", along, paper),
        late(case, with_block(pick(case, study, largest)), along),
        checkered(case, pick(case, study, smallest), along),
    ]


def rises(case, study, variant, bare, along, paper):
    """The block grows from panel to panel. along: depth or width. bare: the variant without training.

    With three panels a last one above the first implies a positive rho: both are one claim.
    """
    found, control = (case.kept(study, "cka", name) for name in (variant, bare))
    table, initial = fractions(found), fractions(control)
    means = [values.mean() for values in table.values()]
    rho = spearman([getattr(size, along) for size in measured(found)], means)
    gain, untrained = gained(table, list(table), steps(found)), said(initial, steps(control))
    return counted(case, [table], list(table), f"untrained networks: {untrained}").judge(
        f"the share of layers in the block rises with {along}: last minus first panel above 0.15, "
        "and Spearman's ρ over the panels above 0",
        paper,
        f"{gain.said()}, ρ = {rho:.2f} ({said(table, steps(found))})" if table else "–",
        gain,
        control=Control(BARE, gained(initial, list(table), steps(control))),
        above=RISE,
        holds=rho > RISES,
        lacks=first_of(
            too_few_sizes(table),
            unlike_pixels(case, study, variant, found),
            too_few_seeds([table], list(table)[:1] + list(table)[-1:]),
        ),
    )


def gained(table, keys, steps) -> Estimate:
    """Block fraction of the last key minus that of the first; NaN where one of them is missing.

    steps: {key: between two fractions}.
    """
    if not keys or not {keys[0], keys[-1]} <= set(table):
        return Estimate(np.nan)
    first, last = (Estimate.of(table[key], steps[key]) for key in (keys[0], keys[-1]))
    return last.minus(first)


def late(case, net, along):
    found = starts(net)
    return net.judge(
        case,
        f"largest {along}: the block lies in the last two stages, it starts after the last layer of stage 1",
        "mostly in the last two stages",
        f"{found.said(1)} layers after the last of stage 1",
        found,
        above=0.0,
        control=of_own_blocks(case, net, starts),
    )


def starts(net) -> Estimate:
    """By how many layers blocks start after the last one of stage 1: whole layers."""
    return net.estimate(past_first_stage, step=1)


def past_first_stage(net, seed) -> int:
    """By how many layers the block starts after the last one of stage 1; negative before it."""
    last = int(np.argmax(net.of("cka", "stage") >= LATE)) - 1
    return net.block(seed)[1] - last


def checkered(case, net, along):
    """Calibrated untrained networks may show a checkerboard as well: it is then the shortcuts' doing."""
    found = net.estimate(checkerboard)
    return net.judge(
        case,
        f"smallest {along}: a checkerboard, "
        "CKA of post-residual layers with each other above that with other layers",
        "checkerboard",
        f"{found.said()} (difference of means)",
        found,
        above=CHECKERED,
        control=without_training(case, net, checkerboard),
    )


def checkerboard(net, seed) -> float:
    return float(net.at("cka", seed, "checkerboard"))


def figC1(case):
    paper = "the block emerges in higher-capacity models, without residual connections, too"
    return [rises(case, "wide", "plain", "untrained_plain", "width", paper)]


def figD1(case):
    return [claim for net in large_nets(case) for claim in (in_every_seed(case, net), elsewhere(case, net))]


def in_every_seed(case, net):
    shares = net.each(Net.share)
    return net.judge(
        case,
        "every seed shows a block, at least 0.3 of its layers, the mean beyond two standard errors",
        "all 5 seeds of ResNet-110 (1x) and of ResNet-38 (10x)",
        f"least {min(shares, default=np.nan):.2f}, mean {say(shares, step=net.step())}",
        Estimate.of(shares, net.step()),
        above=HAS_BLOCK,
        control=without_training(case, net, Net.share, net.step()),
        holds=bool((shares >= HAS_BLOCK).all()),
    )


def elsewhere(case, net):
    """The block lies at another place in each seed: a check, which a jitter of two layers passes."""
    net = with_block(net)
    found = places(net)
    differ = found.value < SAME_PLACE and not net.failed
    return net.bench(case).check(
        "the block's place differs between seeds: intersection over union below 0.95, mean over pairs",
        "size and position vary",
        f"{net.failed}, {net.blocks()}" if net.failed else found.said(),
        bool(differ),
        lacks=first_of(net.lacks, net.too_few()),
    )


def places(net) -> Estimate:
    """How far the blocks of two seeds overlap."""
    return over_pairs(net.seeds, lambda a, b: overlap(net.block(a)[1:], net.block(b)[1:]))


def overlap(a, b) -> float:
    """Intersection over union of two runs of layers (start, stop)."""
    shared = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    union = a[1] - a[0] + b[1] - b[0] - shared
    return shared / union if union else np.nan
