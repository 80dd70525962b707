"""Statistics over live entries, and how numbers are said, in the claims of Nguyen et al. 2021."""

from itertools import combinations

import numpy as np
from scipy import stats

from pipeline.claims import Estimate

FEWEST = 3  # members that leaving out one at a time needs: two leave one, which has no spread


def pairs(matrix, keep=None):
    """Entries of pairs of different layers, NaN where one is dead: (L, L) -> (pairs,).

    keep: (L,) bool, of these layers alone.
    """
    matrix = np.asarray(matrix, np.float64)
    matrix = matrix if keep is None else matrix[np.ix_(keep, keep)]
    return matrix[np.triu_indices(len(matrix), 1)]


def mean(values) -> float:
    """Over live entries; NaN of none."""
    values = np.asarray(values, np.float64)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else np.nan


def correlation(x, y, kind) -> float:
    """Over pairs of which both are live; NaN below two of them, or where one side is constant.

    kind: pearsonr or spearmanr of scipy.stats.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    live = np.isfinite(x) & np.isfinite(y)
    x, y = x[live], y[live]
    return float(kind(x, y).statistic) if len(x) > 1 and np.ptp(x) and np.ptp(y) else np.nan


def spearman(x, y) -> float:
    return correlation(x, y, stats.spearmanr)


def pearson(x, y) -> float:
    return correlation(x, y, stats.pearsonr)


def jackknife(function, members) -> Estimate:
    """A number of several networks, or sizes of them, its standard error from leaving out each in turn.

    function: of a list of members, a float. The error is NaN below three members, and where the number is
    undefined without one of them.
    """
    members = list(members)
    whole = function(members) if members else np.nan
    if len(members) < FEWEST:
        return Estimate(float(whole))
    left = np.array([function(members[:i] + members[i + 1 :]) for i in range(len(members))], np.float64)
    spread = np.sqrt((len(left) - 1) / len(left) * np.sum((left - left.mean()) ** 2))
    return Estimate(float(whole), float(spread))


def over_pairs(members, function) -> Estimate:
    """Mean of function(i, j) over all pairs; pairs that share a member are not independent: its error is a
    jackknife over members.
    """
    found = {pair: function(*pair) for pair in combinations(members, 2)}
    return jackknife(lambda some: mean([found[pair] for pair in combinations(some, 2)]), members)


def say(values, digits=2, factor=1, unit="", step=0.0) -> str:
    """Mean and standard error over networks; a dash for none. step: as of `Estimate.of`."""
    return Estimate.of(values, step).said(digits, factor, unit)


def percent(values) -> str:
    return say(values, 1, 100, " %")
