"""Accuracy on WordNet synsets with many classes: Nguyen, Raghu & Kornblith 2021, appendix F.4, table F.2.

A synset is named by its WordNet 3.0 identifier (wnid, such as n02084071 for dog). WordNet's nouns are a
graph, not a tree: a synset may have several parents.
"""

from collections import defaultdict

import numpy as np
from statsmodels.stats.multitest import multipletests

from wide.measure.agreement import class_accuracy, welch


def parents(is_a_lines) -> dict:
    """The graph of an is_a file: lines "parent child" -> {child: set of parents}.

    ValueError for a line of another form.
    """
    graph = defaultdict(set)
    for line in filter(str.strip, is_a_lines):
        words = line.split()
        if len(words) != 2:
            raise ValueError(f"'{line.strip()}' is no line of an is_a file: expected a parent and a child")
        parent, child = words
        graph[child].add(parent)
    return dict(graph)


def ancestors(wnid, parents) -> set:
    """All synsets above one, itself included; one without known parents has itself alone."""
    found, open_ = set(), [wnid]
    while open_:
        synset = open_.pop()
        if synset not in found:  # met before where two paths join
            found.add(synset)
            open_.extend(parents.get(synset, ()))
    return found


def synsets_with(classes, parents, least: int) -> dict:
    """Synsets that at least `least` classes descend from or are: {wnid: sorted class indices}.

    Those of most classes come first, then by wnid. classes: wnids in the order of the labels. With
    ImageNet's 1000 classes and least 50 these are the 29 of table F.2. Raises ValueError for a class
    given twice.
    """
    different = len(set(classes))
    if different != len(classes):
        raise ValueError(f"{len(classes)} classes, {different} of them different: give each wnid once")
    below = defaultdict(list)
    for index, wnid in enumerate(classes):
        for synset in ancestors(wnid, parents):
            below[synset].append(index)
    kept = [synset for synset in below if len(below[synset]) >= least]
    kept.sort(key=lambda synset: (-len(below[synset]), synset))
    return {synset: below[synset] for synset in kept}


def holm_sidak(p):
    """p-values corrected for testing all, step-down Sidak (Holm 1979): (tests,) -> (tests,) float64."""
    p = np.asarray(p, np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p-values of shape {p.shape}: give a vector of values in [0, 1]")
    with np.errstate(divide="ignore"):  # log(1 - p) of p = 1 is -inf, and its correction is 1
        return multipletests(p, method="holm-sidak")[1] if p.size else p


def synset_table(correct_a, correct_b, labels, groups) -> dict:
    """Table F.2, a row a synset in the order of `groups`, for two groups of networks.

    correct_a, correct_b: (networks, examples) bool, at least 2 networks each. labels: (examples,) int.
    groups: {wnid: class indices}.
    Returns arrays (synsets,): classes, int, how many; a and b, mean over networks of the accuracy on all
    examples of these classes, in [0, 1]; a_se and b_se, their standard errors over networks; p,
    two-sided, Welch's t-test with the Holm-Sidak correction over the table.
    Raises ValueError for a group that is empty or has a class beyond the labels.
    """
    accuracies = [class_accuracy(correct, labels) for correct in (correct_a, correct_b)]
    sizes = np.bincount(labels)
    member = _membership(groups, len(sizes))
    # Counts again, whose sums are exact: equal accuracies stay equal.
    a, b = (np.rint(accuracy * sizes) @ member / (sizes @ member) for accuracy in accuracies)
    return {
        "classes": member.sum(0).astype(np.int64),
        "a": a.mean(0),
        "b": b.mean(0),
        "a_se": _sem(a),
        "b_se": _sem(b),
        "p": holm_sidak(welch(a, b)),
    }


def _membership(groups, classes):
    """1 where a class (row) belongs to a group (column), else 0: (classes, groups) float64."""
    member = np.zeros((classes, len(groups)))
    for column, (wnid, own) in enumerate(groups.items()):
        if not len(own) or min(own) < 0 or max(own) >= classes:
            raise ValueError(
                f"synset {wnid} has classes {list(own)}: give at least one, all of 0 .. {classes - 1}"
            )
        member[np.asarray(own), column] = 1
    return member


def _sem(accuracy):
    return accuracy.std(0, ddof=1) / np.sqrt(len(accuracy))
