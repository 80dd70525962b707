"""Arrays as measures take them: checks with one clear error, and a scale that keeps directions."""

import numpy as np


def finite(name: str, array, ndim: int | None = None, columns: int | None = None):
    """The array as floats of its own precision (float64 for what is none).

    Raises ValueError for an empty array, another number of dimensions or columns, and NaN or infinite
    values.
    """
    array = np.asarray(array)
    if not np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float64)
    if array.size == 0 or ndim not in (None, array.ndim) or columns not in (None, array.shape[-1]):
        wanted = f"{ndim} dimensions" if ndim else "any shape"
        if ndim and columns:
            wanted += f" and {columns} columns"
        raise ValueError(f"{name} has shape {array.shape}: give {wanted}, and not an empty array")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} contains NaN or infinite values: measure a network that has not diverged")
    return array


def same_length(**arrays):
    """Raises ValueError unless all arrays are equally long."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"lengths differ: {listed}")


def rows_of_classes(labels, length: int, at_least: int) -> list:
    """Row numbers of each class, in the order of its label.

    ValueError for a class of fewer points than `at_least`.
    """
    labels = np.asarray(labels)
    if labels.shape != (length,):
        raise ValueError(f"labels have shape {labels.shape}: give ({length},), one for each point")
    names, counts = np.unique(labels, return_counts=True)
    if counts.min() < at_least:
        smallest = names[counts.argmin()]
        raise ValueError(f"class {smallest} has {counts.min()} points: give at least {at_least}")
    return [np.flatnonzero(labels == name) for name in names]


def unit_norm(features):
    """Centred float64 features, divided by one number that makes their mean squared norm 1.

    Constant ones become 0.
    """
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    size = np.sqrt(np.mean(np.sum(centred**2, axis=1)))
    if size > 1e-12 * np.abs(features).max():
        return centred / size
    return np.zeros_like(centred)
