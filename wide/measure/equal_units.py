"""States of different widths compared at as many units.

A wide layer tells more by its number of units alone: any linear read-out improves with it, in networks that
learned nothing, too. What a layer holds *per unit* shows when all are reduced to the narrowest one's number.
"""

import numpy as np


def raw_and_equal(measure, units: int, kept: int, draws: int = 5, seed: int = 0):
    """A measure of all units, and its mean over seeded draws of as many as ``kept``: two arrays.

    measure: (reduce) -> array, where reduce makes (N, units) states (N, kept) or leaves them as they are.
    The reduction is a projection on random orthonormal directions, drawn uniformly. A subset of units would
    do for dense codes; but a wide layer's units are silent for most of a class, or dead, and a subset of a
    few then says how sparse the code is and not what it holds. Where no unit is lost, both are the same.
    Raises ValueError for more units kept than there are.
    """
    if not 1 <= kept <= units or draws < 1:
        raise ValueError(f"{kept} of {units} units, {draws} draws: keep 1 to {units} and draw at least once")
    raw = np.asarray(measure(np.asarray))
    if kept == units:
        return raw, raw
    bases = (directions(units, kept, np.random.default_rng((seed, draw))) for draw in range(draws))
    return raw, np.mean([measure(_onto(basis)) for basis in bases], axis=0)


def directions(units: int, kept: int, rng):
    """Uniformly drawn orthonormal columns: (units, kept) float64."""
    basis, triangle = np.linalg.qr(rng.normal(size=(units, kept)))
    return basis * np.sign(np.diag(triangle))


def _onto(basis):
    return lambda states: np.asarray(states) @ basis
