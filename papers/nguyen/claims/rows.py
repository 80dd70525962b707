"""Block fractions of the networks of a row of heatmaps, in the claims of Nguyen et al. 2021."""

from dataclasses import replace

import numpy as np

from papers.nguyen.claims.labels import channels, label
from papers.nguyen.claims.nets import FEWEST, unlearned
from papers.nguyen.claims.numbers import say
from pipeline.claims import LEFT_OUT, TOO_FEW, Lack


def measured(found) -> list:
    """The sizes that have a network in the result, smallest first."""
    return [size for size in found.sizes() if size.seeds]


def fractions(found) -> dict:
    """Block fractions of all seeds of each size, smallest first: {key: (seeds,)}."""
    return {
        size.key: np.array([float(found.get("block", size.key, seed)[0]) for seed in size.seeds])
        for size in measured(found)
    }


def steps(found) -> dict:
    """Between two block fractions of a size: one layer. {key: float}."""
    return {size.key: 1 / len(found.get("layers", size.key)) for size in measured(found)}


def said(table, steps) -> str:
    """Block fractions of each size, {size: (seeds,)}, which lie steps[size] apart."""
    return ", ".join(f"{key} {say(values, step=steps[key])}" for key, values in table.items()) or "–"


def counted(case, tables, kept, note=""):
    """The bench of some block fractions, {size: (seeds,)}, at the sizes kept."""
    number = sum(len(table[key]) for table in tables for key in kept)
    return case.bench(f"{number} network{'s' * (number != 1)}: {', '.join(kept) or 'no size'}", note)


def unlike_pixels(case, study, variant, found) -> Lack | None:
    """The first size that has not learned more than its pixels give."""
    for size in measured(found):
        lack = unlearned(case, study, variant, size)
        if lack:
            named = label(size.depth, size.width, channels(found, size.key))
            return replace(lack, detail=f"{named}: {lack.detail}")
    return None


def too_few_sizes(kept) -> Lack | None:
    """What a trend over sizes lacks."""
    few = len(kept) < FEWEST
    return Lack(LEFT_OUT, f"a trend needs three sizes, this scale keeps {len(kept)}") if few else None


def too_few_seeds(tables, kept) -> Lack | None:
    """What a comparison of sizes or of shares lacks: three seeds at least stand behind each."""
    least = min((len(table[key]) for table in tables for key in kept), default=FEWEST)
    return Lack(TOO_FEW, f"three seeds a size are needed, here {least}") if least < FEWEST else None
