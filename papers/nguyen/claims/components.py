"""The block and the first principal component: figures 3 and D.5 of Nguyen et al. 2021."""

import numpy as np

from papers.nguyen.claims.nets import FEWEST, HAS_BLOCK, SHARES, Net, large_nets, nets, with_block
from papers.nguyen.claims.numbers import mean, pairs, pearson, say, unless

# Thresholds, each with its reason.
DOMINANT = 0.5  # share of variance: "a single component explains the majority"
RESEMBLES = 0.8  # Pearson over layer pairs: cosines look like CKA
REDUCED = 0.5  # block fraction without the component over that with it: "highly reduced"
EXPLAINS = 0.6  # Pearson over networks: the variance is "higher where there is a block"
ABSENT = "CKA without the first component was not measured"


def fig3(case):
    return [claim for net in large_nets(case, ("pca",)) for claim in handed_on(case, with_block(net))]


def handed_on(case, net) -> list:
    """The component dominates the block's layers, is the same in all of them, and carries the block."""
    bench = net.bench(case)
    alike = likeness(net)
    statement = (
        "without the first component the block has less than 0.5 of the share of layers it had with it"
    )
    return [
        *dominant(bench, net),
        bench.judge(
            "squared cosines of first components resemble CKA: correlation over layer pairs above 0.8",
            "resembling",
            f"r = {say(alike)}",
            mean(alike) > RESEMBLES,
        ),
        shrinks(bench, net, statement, "highly reduced"),
    ]


def dominant(bench, net) -> list:
    inside, outside = (explained(net, side) for side in (True, False))
    return [
        bench.judge(
            "the first component explains more than 0.5 of the variance inside the block, mean over layers",
            "the majority",
            say(inside),
            mean(inside) > DOMINANT,
            lacks=net.lacks or unless(mean(inside), "no live layer in the block"),
        ),
        bench.judge(
            "the first component explains more of the variance inside the block than outside",
            "dominant inside only",
            f"{say(inside)} inside, {say(outside)} outside",
            mean(inside) > mean(outside),
            lacks=net.lacks or unless(mean(outside), "no live layer outside the block"),
        ),
    ]


def explained(net, side):
    """The first component's share of variance, mean inside (True) or outside the block: (seeds,)."""
    return net.each(lambda net, seed: mean(net.at("pca", seed, "fraction")[net.inside(seed) == side]))


def likeness(net, keep=None):
    """Correlation over layer pairs of components' squared cosines with CKA: (seeds,). keep: (L,) bool."""

    def of_seed(net, seed):
        cosines, similarity = net.at("pca", seed, "cosine2"), net.at("cka", seed, "cka")
        return pearson(pairs(cosines, keep), pairs(similarity, keep))

    return net.each(of_seed)


def shrinks(bench, net, statement, paper):
    """The block without the first component, relative to the block with it."""
    there = net.has("cka", "removed_block")
    left = net.each(lambda net, seed: net.share(seed, "removed_block")) if there else np.array([])
    whole = net.each(Net.share) if there else np.array([])
    lacks = net.lacks or ("" if there else ABSENT)
    return bench.judge(
        statement, paper, f"{say(left)} of {say(whole)}", mean(left) < REDUCED * mean(whole), lacks=lacks
    )


def figD5(case):
    kept = [net for study in ("deep", "wide") for net in nets(case, study, ("pca",))]
    variance = np.concatenate(
        [[], *(net.each(lambda net, seed: net.at("pca", seed, "late")) for net in kept)]
    )
    share = np.concatenate([[], *(net.each(Net.share) for net in kept)])
    r = pearson(variance, share)
    bench = case.bench(f"{len(share)} networks of {len(kept)} sizes, {SHARES[case.shown]}")
    return [
        bench.judge(
            "the top component's share of variance in the last two stages follows the block's share of "
            "layers: correlation over networks above 0.6",
            "higher where there is a block; 50 networks, rows such as .54 .49 .36 .27 .22 and "
            ".58 .55 .40 .40",
            f"r = {say(r)}, shares of variance {say(variance)}",
            r > EXPLAINS,
            lacks=too_few(kept, max(share, default=0)),
        )
    ]


def too_few(kept, top) -> str:
    """What a correlation with the block's share of layers, at most `top`, lacks."""
    if len(kept) < FEWEST:
        return "the scale keeps fewer than three sizes"
    return f"no block formed: block fraction at most {top:.2f}" if top < HAS_BLOCK else ""
