"""Accuracy on WordNet synsets with many classes: Nguyen, Raghu & Kornblith 2021, appendix F.4, table F.2.

A synset is named by its WordNet 3.0 identifier (wnid, such as n02084071 for dog). WordNet's nouns are a graph, not a tree: a
synset may have several parents.
"""
from collections import defaultdict

import numpy as np
from statsmodels.stats.multitest import multipletests

from wide.measure.agreement import class_accuracy, welch


def parents(is_a_lines) -> dict:
    """The graph of an is_a file: lines "parent child" -> {child: set of parents}. ValueError for a line of another form."""
    graph = defaultdict(set)
    for line in filter(str.strip, is_a_lines):
        pair = line.split()
        if len(pair) != 2:
            raise ValueError(f"'{line.strip()}' is no line of an is_a file: expected a parent and a child")
        graph[pair[1]].add(pair[0])
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


def synsets_with(classes, parents, least) -> dict:
    """Synsets that at least `least` classes descend from or are: {wnid: sorted class indices}, most classes first, then by wnid.

    classes: wnids in the order of the labels. With ImageNet's 1000 classes and least 50 these are the 29 of table F.2.
    Raises ValueError for a class given twice.
    """
    if len(set(classes)) != len(classes):
        raise ValueError(f"{len(classes)} classes, {len(set(classes))} of them different: give each wnid once")
    below = defaultdict(list)
    for index, wnid in enumerate(classes):
        for synset in ancestors(wnid, parents):
            below[synset].append(index)
    kept = (synset for synset in below if len(below[synset]) >= least)
    return {synset: below[synset] for synset in sorted(kept, key=lambda synset: (-len(below[synset]), synset))}


def holm_sidak(p):
    """p-values corrected for testing all of them, step-down Sidak (Holm 1979): (tests,) -> (tests,) float64."""
    p = np.asarray(p, np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p-values of shape {p.shape}: give a vector of values in [0, 1]")
    with np.errstate(divide="ignore"):  # log(1 - p) of p = 1 is -inf, and its correction is 1
        return multipletests(p, method="holm-sidak")[1] if p.size else p


def synset_table(correct_a, correct_b, labels, groups) -> dict:
    """Table F.2, a row a synset in the order of `groups`, for two groups of networks.

    correct_a, correct_b: (networks, examples) bool, at least 2 networks each. labels: (examples,) int. groups: {wnid: class
    indices}. Returns arrays (synsets,): classes, int, how many; a and b, mean over networks of the accuracy on all examples
    of these classes, in [0, 1]; a_se and b_se, their standard errors over networks; p, two-sided, Welch's t-test with the
    Holm-Sidak correction over the table. Raises ValueError for a group that is empty or has a class beyond the labels.
    """
    accuracies = [class_accuracy(correct, labels) for correct in (correct_a, correct_b)]
    sizes = np.bincount(labels)
    member = np.zeros((len(sizes), len(groups)))
    for column, (wnid, classes) in enumerate(groups.items()):
        if not len(classes) or min(classes) < 0 or max(classes) >= len(sizes):
            raise ValueError(f"synset {wnid} has classes {list(classes)}: give at least one, all of 0 .. {len(sizes) - 1}")
        member[np.asarray(classes), column] = 1
    # counts again, whose sums are exact: equal accuracies stay equal
    a, b = (np.rint(accuracy * sizes) @ member / (sizes @ member) for accuracy in accuracies)
    p = holm_sidak(welch(a, b))
    return {"classes": member.sum(0).astype(np.int64), "a": a.mean(0), "b": b.mean(0), "a_se": _sem(a), "b_se": _sem(b), "p": p}


def _sem(accuracy):
    return accuracy.std(0, ddof=1) / np.sqrt(len(accuracy))
