"""Gains of examples that small networks get right often but not always, in figures F.2 and F.3."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from pipeline.claims import Estimate

# Thresholds, each with its reason.
MIDDLE = (0.3, 0.95)  # accuracy of the smallest network: "often but not always correct"
FURTHEST = 30.0  # log-odds that all examples rise by at most: they are then always right


def raised_alike(right, gain, nets):
    """Gains of examples that are right with these probabilities, all of whose log-odds rise by the one number
    that gives the same mean gain: (examples,).

    nets: behind a probability; one of 0 or 1 is read as half a network short of it.
    """
    least = 1 / (2 * max(nets, 1))
    start = np.clip(right, least, 1 - least)
    if not np.isfinite(gain).all():
        return np.full(len(start), np.nan)
    odds = logit(start)
    low, high = (expit(odds + side * FURTHEST).mean() for side in (-1, 1))
    wanted = np.clip(start.mean() + gain.mean(), low, high)
    rise = brentq(lambda more: expit(odds + more).mean() - wanted, -FURTHEST, FURTHEST)
    return expit(odds + rise) - start


def more_in_the_middle(start, gain) -> tuple:
    """Mean gains (low, middle, high) by the start, and how far the middle is above the larger other one."""
    low, high = start <= MIDDLE[0], start >= MIDDLE[1]
    parts = [Estimate.of(gain[part]) for part in (low, ~low & ~high, high)]
    others = [part for part in parts[::2] if np.isfinite(part.value)]
    rival = max(others, key=lambda part: part.value, default=Estimate(np.nan))
    return parts, parts[1].minus(rival)
