"""Blocks come earlier with less data: figures 2, D.2, D.3 and D.4 of Nguyen et al. 2021."""

import numpy as np

from papers.nguyen.claims.blocks import counted, said
from papers.nguyen.claims.nets import FEWEST, HAS_BLOCK, SHARES, fractions

# Thresholds, each with its reason.
VISIBLE = 0.3  # block fraction of "the first visible block"
SLACK = 1e-9  # means over different numbers of seeds are rounded
NARROWER = "the block emerges in narrower networks when trained on less data"
SHALLOWER = "the block emerges in shallower networks when trained on less data"


class Shares:
    """Block fractions of the networks of a study, trained on ever smaller shares of the data.

    words: of the shares. tables: {size: (seeds,)} of each. kept: sizes that all of them have. means: (shares,
    sizes kept). onsets: of each share, the smallest size that shows a block, None for none.
    """

    def __init__(self, case, study, variants):
        self.words = [SHARES[variant] for variant in variants]
        self.tables = [fractions(case.kept(study, "cka", variant)) for variant in variants]
        self.kept = [key for key in self.tables[0] if all(key in table for table in self.tables)]
        means = [[table[key].mean() for key in self.kept] for table in self.tables]
        self.means = np.array(means).reshape(len(self.tables), -1)
        self.onsets = [self._onset(row) for row in self.means]

    def _onset(self, row):
        return next((key for key, value in zip(self.kept, row, strict=True) if value > VISIBLE), None)

    @property
    def formed(self) -> str:
        """What is lacking where no block has formed."""
        if not self.kept:
            return "no such networks at this scale"
        return "" if self.means.max() >= HAS_BLOCK else self.at_most()

    def at_most(self) -> str:
        return f"no block formed: block fraction at most {self.means.max():.2f}"


def less_data(case, study, variants, paper) -> list:
    """With less data the block is no smaller, and first seen in a network that is no larger."""
    shares = Shares(case, study, variants)
    bench = counted(case, shares.tables, shares.kept)
    return [no_smaller(bench, shares, paper), no_later(bench, shares, paper)]


def no_smaller(bench, shares, paper):
    tables = [{key: table[key] for key in shares.kept} for table in shares.tables]
    rows = [f"{word} {said(table)}" for word, table in zip(shares.words, tables, strict=True)]
    return bench.judge(
        f"at every size the block with {shares.words[-1]} is at least as large as with all data",
        paper,
        "; ".join(rows) if shares.kept else "–",
        bool(shares.kept) and bool((shares.means[-1] >= shares.means[0] - SLACK).all()),
        lacks=shares.formed,
    )


def no_later(bench, shares, paper):
    onsets = [f"{word}: {onset or 'none'}" for word, onset in zip(shares.words, shares.onsets, strict=True)]
    place = [shares.kept.index(onset) if onset else np.inf for onset in shares.onsets]
    return bench.judge(
        "the smallest size with more than 0.3 of its layers in the block does not grow as the data shrink",
        paper,
        ", ".join(onsets),
        all(after <= before for before, after in zip(place, place[1:], strict=False)),
        lacks=shares.formed or tells_nothing(shares),
    )


def tells_nothing(shares) -> str:
    """Why onsets cannot be compared."""
    if len(shares.kept) < FEWEST:
        return "the scale keeps fewer than three sizes"
    if not any(shares.onsets):
        return f"{shares.at_most()}, none above 0.3"
    if set(shares.onsets) == {shares.kept[0]}:
        return f"the smallest network kept ({shares.kept[0]}) shows it on every share already"
    return ""


def fig2(case):
    return less_data(case, "wide", ("all", "quarter", "sixteenth"), NARROWER)


def figD2(case):
    return less_data(case, "deep", ("all", "quarter", "sixteenth"), SHALLOWER)


def figD3(case):
    paper = f"{SHALLOWER}; with all data only at greater depths, up to 218 and 224"
    return less_data(case, "deep100", ("all", "half", "quarter"), paper)


def figD4(case):
    return less_data(case, "wide100", ("all", "half"), NARROWER)
