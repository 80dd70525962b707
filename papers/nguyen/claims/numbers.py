"""Statistics over live entries, and how numbers are said, in the claims of Nguyen et al. 2021."""

import numpy as np
from scipy import stats


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


def unless(number, what) -> str:
    """What a claim lacks where its number is undefined."""
    return what if np.isnan(number) else ""


def say(values, digits=2, factor=1, unit="") -> str:
    """Mean and standard deviation over networks; a dash for none."""
    values = factor * np.atleast_1d(np.asarray(values, np.float64))
    values = values[np.isfinite(values)]
    if not len(values):
        return "–"
    spread = f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}{unit}"


def percent(values) -> str:
    return say(values, 1, 100, " %")
