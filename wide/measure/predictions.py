"""Checks of what networks get right, shared by the measures that compare two groups of them.

`correct` is (networks, examples) bool: does the network classify the example correctly?
"""

import numpy as np


def counted(correct):
    """The array itself; ValueError unless it is bool, networks x examples, with at least one of each."""
    correct = np.asarray(correct)
    if correct.dtype != bool or correct.ndim != 2 or not correct.size:
        raise ValueError(
            f"correct is {correct.dtype} {correct.shape}: "
            "give bool, networks x examples, at least one of each"
        )
    return correct


def pair(a, b, least: int = 1):
    """Both groups' arrays; ValueError for other examples in one, or fewer than `least` networks."""
    a, b = counted(a), counted(b)
    if a.shape[1] != b.shape[1] or min(len(a), len(b)) < least:
        raise ValueError(
            f"correct is {a.shape} and {b.shape}: "
            f"give the same examples and at least {least} networks in each group"
        )
    return a, b


def classes_of(labels, correct):
    """Labels (examples,) as an array; ValueError unless they are a class from 0 for each example."""
    labels = np.asarray(labels)
    if labels.shape != correct.shape[1:] or labels.dtype.kind not in "iu" or labels.min() < 0:
        raise ValueError(
            f"labels are {labels.dtype} {labels.shape}: "
            f"give a class from 0 for each of {correct.shape[1]} examples"
        )
    return labels
