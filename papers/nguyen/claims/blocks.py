"""Where blocks form: figures 1, 2, C.1, D.1, D.2, D.3 and D.4 of Nguyen et al. 2021."""
from itertools import combinations

import numpy as np

from stages.claims import Bench
from stages.claims.nguyen_nets import (FEWEST, HAS_BLOCK, SHARES, VARIANT, fractions, large_nets, largest, mean, pick, say, size, smallest, spearman,
                                       with_block)

# Thresholds, each with its reason.
RISES = 0.0        # Spearman's rho over the panels
RISE = 0.15        # block fraction, last panel minus first: a square that a reader sees grow
LATE = 2           # the first of the last two stages
CHECKERED = 0.0    # post-residual CKA minus that with layers inside residual blocks
VISIBLE = 0.3      # block fraction of "the first visible block"
SAME_PLACE = 0.95  # intersection over union of two blocks
SLACK = 1e-9       # means over different numbers of seeds are rounded
NARROWER, SHALLOWER = (f"the block emerges in {which} networks when trained on less data" for which in ("narrower", "shallower"))


def rises(figure, result, along, paper, scale, width, note="") -> list:
    """The block grows from panel to panel; two claims."""
    table = fractions(result)
    case = counted(figure, [table], list(table), scale, width, note)
    means = [values.mean() for values in table.values()]
    few = "" if len(table) >= FEWEST else f"the scale keeps fewer than three sizes ({along})"
    rho, gain = spearman([size(key) for key in table], means), means[-1] - means[0] if means else np.nan
    panels = ", ".join(f"{key} {say(values)}" for key, values in table.items()) or "–"
    return [case.judge(f"the share of layers in the block rises with {along}: Spearman's ρ over the panels above 0", paper,
                       f"ρ = {say(rho)} ({panels})", rho > RISES, lacks=few),
            case.judge(f"the share of layers in the block rises with {along}: last minus first panel above 0.15", paper,
                       f"{gain:+.2f} ({panels})", gain > RISE, lacks=few)]


def counted(figure, tables, kept, scale, width, note=""):
    """The bench of some block fractions, {size: (seeds,)}, at the sizes kept."""
    number = sum(len(table[key]) for table in tables for key in kept)
    return Bench(figure, scale, width, f"{number} network{'s' * (number != 1)}: {', '.join(kept) or 'no size'}", note)


def first_late(net):
    """Position of the first layer of the last two stages."""
    return int(np.argmax(net.of("cka", "stage") >= LATE))


def fig1(load, scale, width):
    found = []
    for study, along, paper in (("nguyen_deep", "depth", "ResNet-32 none to ResNet-164 a large block"),
                                ("nguyen_wide", "width", "ResNet-38 (1x) none to (10x) a large block")):
        result, untrained = load(study, "cka", VARIANT[scale]), fractions(load(study, "cka", "untrained"))
        control = "untrained networks: " + (", ".join(f"{key} {say(values)}" for key, values in untrained.items()) or "–")
        large, small = with_block(pick(load, study, VARIANT[scale], largest)), pick(load, study, VARIANT[scale], smallest)
        starts = large.each(lambda net, seed: net.block(seed)[1])
        bound = first_late(large) if large.key else 0
        boards = small.each(lambda net, seed: net.at("cka", seed, "checkerboard"))
        found += rises("nguyen_fig1", result, along, paper, scale, width, control)
        found += [
            large.bench("nguyen_fig1", scale, width).judge(
                f"largest {along}: the block lies in the last two stages, it starts at or after the first layer of stage 2",
                "mostly in the last two stages", f"from layer {say(starts, 0)}, stage 2 from layer {bound}", mean(starts) >= bound),
            small.bench("nguyen_fig1", scale, width).judge(
                f"smallest {along}: a checkerboard, CKA of post-residual layers with each other above that with other layers",
                "checkerboard", f"{mean(boards):+.2f} (difference of means)", mean(boards) > CHECKERED)]
    return found


def figC1(load, scale, width):
    result = load("nguyen_wide", "cka", "plain")
    return rises("nguyen_figC1", result, "width", "the block emerges in higher-capacity models", scale, width,
                 "without residual connections")


def figD1(load, scale, width):
    found = []
    for net in large_nets(load, scale):
        single = "" if len(net.seeds) > 1 else "one seed where seeds are compared"
        shares = net.each(lambda net, seed: net.block(seed)[0])
        blocked = with_block(net)
        overlaps = [overlap(blocked.block(a)[1:], blocked.block(b)[1:]) for a, b in combinations(blocked.seeds, 2)]
        least = min(overlaps, default=np.nan)
        found += [
            net.bench("nguyen_figD1", scale, width).judge(
                "every seed shows a block: more than 0.2 of its layers", "all 5 seeds of ResNet-110 (1x) and of ResNet-38 (10x)",
                f"least {say(min(shares, default=np.nan))}, mean {say(shares)}", min(shares, default=0) > HAS_BLOCK,
                lacks=net.lacks or single),
            blocked.bench("nguyen_figD1", scale, width).judge(
                "the block's place differs between seeds: intersection over union not above 0.95 in every pair", "size and position vary",
                f"least {say(least)}, mean {say(overlaps)}", least <= SAME_PLACE,
                lacks=blocked.lacks or single or ("" if overlaps else "only one seed shows a block"))]
    return found


def overlap(a, b) -> float:
    """Intersection over union of two runs of layers (start, stop)."""
    shared = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    union = a[1] - a[0] + b[1] - b[0] - shared
    return shared / union if union else np.nan


def less_data(figure, load, scale, width, study, variants, paper) -> list:
    """With less data the block is no smaller, and first seen in a network that is no larger."""
    tables = [fractions(load(study, "cka", variant)) for variant in variants]
    kept = [key for key in tables[0] if all(key in table for table in tables)]
    means = np.array([[table[key].mean() for key in kept] for table in tables]).reshape(len(tables), -1)
    onsets = [next((key for key, value in zip(kept, row) if value > VISIBLE), None) for row in means]
    order = [size(key) if key else np.inf for key in onsets]
    greatest = means.max() if kept else np.nan
    unformed = f"no block formed: block fraction at most {greatest:.2f}"
    none = "" if greatest >= HAS_BLOCK else unformed if kept else "no such networks at this scale"
    few = "" if len(kept) >= FEWEST else "the scale keeps fewer than three sizes"
    unseen = "" if any(onsets) else f"{unformed}, none above 0.3"
    everywhere = f"the smallest network kept ({kept[0]}) shows it on every share already" if kept and set(onsets) == {kept[0]} else ""
    words = [SHARES[variant] for variant in variants]
    rows = "; ".join(f"{word} " + ", ".join(f"{key} {say(table[key])}" for key in kept) for word, table in zip(words, tables))
    case = counted(figure, tables, kept, scale, width)
    return [case.judge(f"at every size the block with {words[-1]} is at least as large as with all data", paper, rows if kept else "–",
                       bool(kept) and bool((means[-1] >= means[0] - SLACK).all()), lacks=none),
            case.judge("the smallest size with more than 0.3 of its layers in the block does not grow as the data shrink", paper,
                       ", ".join(f"{word}: {onset or 'none'}" for word, onset in zip(words, onsets)),
                       all(after <= before for before, after in zip(order, order[1:])), lacks=none or few or unseen or everywhere)]


def fig2(load, scale, width):
    return less_data("nguyen_fig2", load, scale, width, "nguyen_wide", ("all", "quarter", "sixteenth"), NARROWER)


def figD2(load, scale, width):
    return less_data("nguyen_figD2", load, scale, width, "nguyen_deep", ("all", "quarter", "sixteenth"), SHALLOWER)


def figD3(load, scale, width):
    return less_data("nguyen_figD3", load, scale, width, "nguyen_deep100", ("all", "half", "quarter"),
                     f"{SHALLOWER}; with all data only at greater depths, up to 218 and 224")


def figD4(load, scale, width):
    return less_data("nguyen_figD4", load, scale, width, "nguyen_wide100", ("all", "half"), NARROWER)
