"""Theorems about WordNet's synsets and the table of accuracies on them."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from wide.measure import synsets

IMAGENET = Path("data/raw/imagenet")
# thing > animal > dog > puppy, thing > tool > {cup, saw}; a guide dog is a dog and a tool; rock is a thing
LINES = [
    "thing animal",
    "thing tool",
    "animal dog",
    "dog puppy",
    "tool cup",
    "tool saw\n",
    "dog guide",
    "tool guide",
    "",
    "thing rock",
]
CLASSES = ["puppy", "guide", "cup", "saw", "rock", "unknown"]
TABLE = {
    "entity": 1000,
    "physical entity": 997,
    "object": 958,
    "whole": 949,
    "artifact": 522,
    "living thing": 410,
    "organism": 410,
    "animal": 398,
    "instrumentality": 358,
    "vertebrate": 337,
    "chordate": 337,
    "mammal": 218,
    "placental": 212,
    "carnivore": 158,
    "device": 130,
    "canine": 130,
    "domestic animal": 123,
    "dog": 118,
    "container": 100,
    "covering": 90,
    "conveyance": 72,
    "vehicle": 67,
    "hunting dog": 63,
    "commodity": 63,
    "consumer goods": 62,
    "invertebrate": 61,
    "bird": 59,
    "structure": 58,
    "matter": 50,
}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def graph():
    return synsets.parents(LINES)


# ---- the graph


def test_parents_are_read_from_lines(graph):
    assert graph["guide"] == {"dog", "tool"} and graph["saw"] == {"tool"} and "thing" not in graph


def test_ancestors_follow_all_parents(graph):
    assert synsets.ancestors("guide", graph) == {"guide", "dog", "animal", "tool", "thing"}
    assert synsets.ancestors("thing", graph) == {"thing"} and synsets.ancestors("unknown", graph) == {
        "unknown"
    }


def test_ancestors_are_closed_and_a_circle_ends(rng):
    names = [f"n{i}" for i in range(40)]
    graph = synsets.parents(f"{a} {b}" for a, b in rng.choice(names, (80, 2)))  # circles and all
    for name in names:
        above = synsets.ancestors(name, graph)
        assert name in above and above == {name}.union(
            *(synsets.ancestors(p, graph) for p in graph.get(name, ()))
        )


def test_synsets_hold_each_class_once_however_many_paths_lead_there(graph):
    assert synsets.synsets_with(CLASSES, graph, 2) == {
        "thing": [0, 1, 2, 3, 4],
        "tool": [1, 2, 3],
        "animal": [0, 1],
        "dog": [0, 1],
    }
    assert list(synsets.synsets_with(CLASSES, graph, 2)) == ["thing", "tool", "animal", "dog"]
    every = synsets.synsets_with(CLASSES, graph, 1)
    assert all(every[wnid].count(index) == 1 for index, wnid in enumerate(CLASSES))
    assert not synsets.synsets_with(CLASSES, graph, 6)


def test_order_is_by_size_then_name_and_the_threshold_only_cuts(graph):
    every = synsets.synsets_with(CLASSES, graph, 1)
    assert list(every) == sorted(every, key=lambda wnid: (-len(every[wnid]), wnid))
    for least in range(1, 7):
        assert list(synsets.synsets_with(CLASSES, graph, least)) == [
            wnid for wnid in every if len(every[wnid]) >= least
        ]


@pytest.mark.skipif(not (IMAGENET / "wordnet.is_a.txt").exists(), reason="needs data/raw/imagenet")
def test_imagenet_has_the_synsets_of_the_paper_s_table():
    classes = [wnid for wnid, _ in json.loads((IMAGENET / "imagenet_class_index.json").read_text()).values()]
    words = dict(line.split("\t") for line in (IMAGENET / "words.txt").read_text().splitlines())
    graph = synsets.parents((IMAGENET / "wordnet.is_a.txt").read_text().splitlines())
    found = synsets.synsets_with(classes, graph, 50)
    assert {words[wnid].split(",")[0]: len(members) for wnid, members in found.items()} == TABLE
    below = synsets.synsets_with(classes, graph, 1)
    assert (
        len(set(below["n04341686"]) | set(below["n09287968"])) == 68
    )  # structure or geological formation: section 7


# ---- multiple tests


def naive_holm_sidak(p):
    corrected, before = np.empty(len(p)), 0.0
    for done, index in enumerate(np.argsort(p)):
        corrected[index] = before = max(before, 1 - (1 - p[index]) ** (len(p) - done))
    return corrected


def test_holm_sidak_is_its_definition(rng):
    for p in (rng.random(12), np.array([1.0, 0.01, 1.0, 0.01, 0.0]), np.array([0.3])):
        assert synsets.holm_sidak(p) == pytest.approx(naive_holm_sidak(p))
    assert synsets.holm_sidak([]).shape == (0,)


def test_holm_sidak_bounds_the_chance_of_any_false_alarm(rng):
    alarms = [synsets.holm_sidak(rng.random(20)).min() < 0.05 for _ in range(2000)]
    assert np.mean(alarms) == pytest.approx(0.05, abs=0.015)


# ---- the table


def labelled(rng, networks=(6, 9), classes=5):
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, 60)])  # classes of different sizes
    return rng.random((networks[0], len(labels))) < 0.6, rng.random((networks[1], len(labels))) < 0.5, labels


def test_a_row_is_the_accuracy_on_all_examples_of_its_classes(rng):
    a, b, labels = labelled(rng)
    groups = {"dog": [0, 3], "thing": [0, 1, 2, 3, 4], "cup": [2]}
    table = synsets.synset_table(a, b, labels, groups)
    raw = []
    for row, classes in enumerate(groups.values()):
        chosen = np.isin(labels, classes)
        x, y = a[:, chosen].mean(1), b[:, chosen].mean(1)
        expected = {
            "classes": len(classes),
            "a": x.mean(),
            "b": y.mean(),
            "a_se": stats.sem(x),
            "b_se": stats.sem(y),
        }
        assert {name: table[name][row] for name in expected} == pytest.approx(expected)
        raw.append(stats.ttest_ind(x, y, equal_var=False).pvalue)
    assert table["p"] == pytest.approx(naive_holm_sidak(np.array(raw)))


def test_swapping_the_groups_swaps_the_columns(rng):
    a, b, labels = labelled(rng)
    groups = {"dog": [0, 3], "thing": [0, 1, 2, 3, 4]}
    table, back = synsets.synset_table(a, b, labels, groups), synsets.synset_table(b, a, labels, groups)
    assert all(np.array_equal(table[x], back[y]) for x, y in (("a", "b"), ("a_se", "b_se"), ("b", "a")))
    assert table["p"] == pytest.approx(back["p"])


def test_equal_accuracies_are_equal_to_the_last_digit(rng):
    """All networks err three times, each on examples of its own: nothing varies, so p is 1."""
    for _ in range(20):
        labels = np.repeat(np.arange(9), rng.integers(1, 12, 9))
        a, b = (
            rng.permuted(np.tile(np.arange(len(labels)) > 2, (networks, 1)), axis=1) for networks in (4, 5)
        )
        assert synsets.synset_table(a, b, labels, {"thing": range(9)})["p"].tolist() == [1]


def test_a_real_difference_on_one_synset_is_found_there_alone(rng):
    labels = np.repeat(np.arange(4), 200)
    a, b = rng.random((20, 800)) < 0.7, rng.random((20, 800)) < np.where(labels == 1, 0.5, 0.7)
    p = synsets.synset_table(a, b, labels, {"one": [1], "two": [2], "rest": [0, 2, 3]})["p"]
    assert p[0] < 1e-6 and p[1:].min() > 0.01


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda c: synsets.parents(["a b c"]), "parent and a child"),
        (lambda c: synsets.synsets_with(["a", "a"], {}, 1), "each wnid once"),
        (lambda c: synsets.holm_sidak([0.5, np.nan]), r"in \[0, 1\]"),
        (lambda c: synsets.synset_table(c, c, [0, 1], {"x": []}), "at least one"),
        (lambda c: synsets.synset_table(c, c, [0, 1], {"x": [2]}), r"all of 0 .. 1"),
        (lambda c: synsets.synset_table(c[:1], c, [0, 1], {"x": [1]}), "at least 2 networks"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.ones((3, 2), bool))
