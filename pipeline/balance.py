"""Class-balanced draws: examples of a data set kept at a scale, shares of the training data."""

import numpy as np


def balanced(labels, most: int | None, seed: int = 0) -> np.ndarray:
    """Indices of at most ``most`` examples, as many of each class as can be, drawn at random and sorted.

    labels: int (examples,).
    most: None keeps all. A class that runs out leaves its places to the others; where ``most`` does not
        divide evenly, the first classes have one more.
    Returns int64 (at most ``most``,). Raises ValueError for a negative ``most``.
    """
    labels = np.asarray(labels)
    if most is not None and most < 0:
        raise ValueError(f"{most} examples were asked for: ask for 0 or more")
    if most is None or most >= len(labels):
        return np.arange(len(labels))
    rng = np.random.default_rng(seed)
    groups = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    kept = []
    for rank in range(max(map(len, groups))):
        kept += [group[rank] for group in groups if rank < len(group)]
    return np.sort(np.array(kept[:most], np.int64))
