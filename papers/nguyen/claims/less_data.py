"""Blocks come earlier with less data: figures 2, D.2, D.3 and D.4 of Nguyen et al. 2021."""

import numpy as np

from papers.nguyen.claims.labels import SHARES
from papers.nguyen.claims.nets import HAS_BLOCK
from papers.nguyen.claims.rows import (
    counted,
    fractions,
    said,
    steps,
    too_few_seeds,
    too_few_sizes,
    unlike_pixels,
)
from pipeline.claims import LEFT_OUT, SURE, Estimate, Lack, first_of

# Thresholds, each with its reason.
LARGER = 0.0  # block fraction: any growth at all
EARLIER = 0.0  # sizes: any at all
SLACK = 1e-9  # means over different numbers of seeds are rounded
NARROWER = "the block emerges in narrower networks when trained on less data"
SHALLOWER = "the block emerges in shallower networks when trained on less data"
SAME = "none: an untrained network is the same on every share, its difference is 0"
NO_BLOCK = "no block formed on any share"


class Shares:
    """Block fractions of the networks of a study, trained on ever smaller shares of the data.

    words: of the shares. tables: {size: (seeds,)} of each, empty where the scale leaves it out. steps:
    between two fractions of a size. kept: sizes that all the others have. missing: words of the shares left
    out. floor: what a network that has not learned lacks.
    """

    def __init__(self, case, study, variants):
        results = [case.kept(study, "cka", variant) for variant in variants]
        self.words = [SHARES[variant] for variant in variants]
        self.tables = [fractions(found) for found in results]
        self.steps = {key: step for found in results for key, step in steps(found).items()}
        full = [table for table in self.tables if table]
        self.kept = [key for key in (full or [{}])[0] if all(key in table for table in full)]
        self.missing = [word for word, table in zip(self.words, self.tables, strict=True) if not table]
        of_shares = zip(variants, results, strict=True)
        self.floor = first_of(*(unlike_pixels(case, study, variant, found) for variant, found in of_shares))

    @property
    def formed(self) -> bool:
        """Whether a network of any share and size shows a block, in the mean over its seeds."""
        return any(table[key].mean() >= HAS_BLOCK for table in self.tables if table for key in self.kept)

    def lacks(self, needed, words) -> Lack | None:
        """What comparing the tables needed, whose shares are called so, lacks."""
        gone = [word for word in words if word in self.missing]
        if gone or not self.kept:
            return Lack(LEFT_OUT, ", ".join(gone) or "no size has every share")
        return first_of(self.floor, too_few_seeds(needed, self.kept))

    def onsets(self) -> list:
        """For each share, the position of the smallest size that shows a block, as many as there are sizes
        where none does: (seeds,) each.
        """
        found = []
        for table in self.tables:
            fewest = min((len(table[key]) for key in self.kept), default=0) if table else 0
            rows = [[table[key][seed] >= HAS_BLOCK for key in self.kept] for seed in range(fewest)]
            found.append(np.array([int(np.argmax([*row, True])) for row in rows], np.float64))
        return found


def less_data(case, study, variants, paper) -> list:
    """With less data the block is larger, and first seen in a smaller network."""
    shares = Shares(case, study, variants)
    full = [table for table in shares.tables if table]
    bench = counted(case, full, shares.kept)
    return [larger(bench, shares, paper), earlier(bench, shares, paper)]


def larger(bench, shares, paper):
    """Not merely 'no smaller': a network without a block on either share would show that."""
    ends = [shares.tables[0], shares.tables[-1]]
    lacks = shares.lacks(ends, [shares.words[0], shares.words[-1]])
    gains = [] if lacks else [gained(*ends, key, shares.steps[key]) for key in shares.kept]
    found = mean_of(gains)
    rows = [
        f"{word} {said({key: table[key] for key in shares.kept}, shares.steps)}"
        for word, table in zip(shares.words, shares.tables, strict=True)
        if table
    ]
    return bench.judge(
        f"with {shares.words[-1]} the block is larger than with all data: mean over sizes of the gain in "
        "block fraction above 0, at no size below 0 by two standard errors",
        paper,
        f"{found.said()} ({'; '.join(rows)})",
        found,
        above=LARGER,
        control=SAME,
        holds=shares.formed and all(gain.value >= -SURE * gain.se for gain in gains),
        lacks=lacks,
        reason="" if shares.formed else NO_BLOCK,
    )


def gained(whole, part, key, step) -> Estimate:
    """Block fraction on a part of the data minus that on the whole."""
    return Estimate.of(part[key], step).minus(Estimate.of(whole[key], step))


def mean_of(estimates) -> Estimate:
    """Mean of independent estimates; NaN of none."""
    if not estimates:
        return Estimate(np.nan)
    errors = np.array([one.se for one in estimates])
    return Estimate(
        float(np.mean([one.value for one in estimates])), float(np.sqrt(np.sum(errors**2))) / len(errors)
    )


def earlier(bench, shares, paper):
    """An onset that is the same on every share would be an untrained network's, too: it has to move."""
    found, means = Estimate(np.nan), []
    lacks = first_of(shares.lacks(shares.tables, shares.words), too_few_sizes(shares.kept))
    if not lacks:
        onsets = shares.onsets()
        means = [onset.mean() for onset in onsets]
        found = Estimate.of(onsets[0], step=1).minus(Estimate.of(onsets[-1], step=1))
    places = [f"{word}: {onset:.1f}" for word, onset in zip(shares.words, means, strict=False)]
    return bench.judge(
        "the smallest size with at least 0.3 of its layers in the block is smaller with "
        f"{shares.words[-1]} than with all data, and grows at no step between",
        paper,
        f"{found.said(1)} sizes earlier (of {len(shares.kept)}, counted from 0: {', '.join(places) or '–'})",
        found,
        above=EARLIER,
        control=SAME,
        holds=all(after <= before + SLACK for before, after in zip(means, means[1:], strict=False)),
        lacks=lacks,
        reason="" if shares.formed else NO_BLOCK,
    )


def fig2(case):
    return less_data(case, "wide", ("all", "quarter", "sixteenth"), NARROWER)


def figD2(case):
    return less_data(case, "deep", ("all", "quarter", "sixteenth"), SHALLOWER)


def figD3(case):
    paper = f"{SHALLOWER}; with all data only at greater depths, up to 218 and 224"
    return less_data(case, "deep100", ("all", "half", "quarter"), paper)


def figD4(case):
    return less_data(case, "wide100", ("all", "half"), NARROWER)
