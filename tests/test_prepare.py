"""The stage that prepares a data set: cut to the scale, balanced, the same every time.

No test needs a network.
"""

from collections import Counter

import numpy as np
import official_files as official
import pytest

from pipeline import sets
from pipeline.balance import balanced
from stages import prepare
from stages.prepare import cut
from wide import artifacts


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty folder, and no connection to anywhere."""
    official.offline(tmp_path, monkeypatch)
    return tmp_path


def caps(monkeypatch, scale="smoke", **data):
    """What the stage declares."""
    monkeypatch.setattr(prepare, "declared", lambda: {"scales": {scale: {"data": data}}})


# --- the stage --------------------------------------------------------------------------------------------


def test_the_stage_writes_the_set_cut_to_the_scale(monkeypatch):
    caps(monkeypatch, train=100, test=30)
    prepare.main("translated_mnist", "smoke")
    path = artifacts.dataset("smoke", "translated_mnist")
    tensors, card = artifacts.load_tensors(path)
    assert card["examples"] == {"train": 100, "test": 30, "test_shifted": 30} and "stand-in" in card["source"]
    assert card["examples"] == sets.kept(sets.card("translated_mnist", "smoke"), {"train": 100, "test": 30})
    assert card["classes"]["digit"] == 10 and card["set"] == "translated_mnist"
    assert tensors["train/images"].dtype == np.uint8 and tensors["test_shifted/shift"].dtype == np.int64
    assert all(len(value) == card["examples"][name.split("/")[0]] for name, value in tensors.items())
    first = path.read_bytes()
    prepare.main("translated_mnist", "smoke")
    assert path.read_bytes() == first


@pytest.mark.parametrize("name", sets.names())
def test_every_set_is_prepared_at_smoke_without_a_network(name, monkeypatch):
    caps(monkeypatch)
    prepare.main(name, "smoke")
    tensors, found = artifacts.load_tensors(artifacts.dataset("smoke", name))
    card = sets.card(name, "smoke")
    assert found["examples"] == card.examples
    for split in card.splits:
        assert tensors[f"{split}/images"].shape == (card.examples[split], *card.image)
        assert all(len(tensors[f"{split}/{label}"]) == card.examples[split] for label in card.labels(split))


def test_features_stay_floats_and_all_else_is_whole():
    features = np.array([[0.25, -1.5]])
    tensors = prepare._tensors({"train": {"images": features, "class": np.array([1], np.uint8)}})
    assert (
        tensors["train/images"].dtype == np.float32 and tensors["train/images"].tolist() == features.tolist()
    )
    assert tensors["train/class"].dtype == np.int64
    assert prepare._tensors({"test": {"path": np.zeros((1, 4), np.uint8)}})["test/path"].dtype == np.uint8


@pytest.mark.parametrize("arguments, data, message", [
    (("mnits", "smoke"), {}, "there is no data set 'mnits' .did you mean mnist"),
    (("mnist", "smoke"), {"train": 0}, "data.train is 0, and it must be a whole number"),
    (("mnist", "smoke"), {"tests": 3}, "data.tests caps nothing"),
])  # fmt: skip
def test_a_wrong_word_is_one_line_and_nothing_is_written(arguments, data, message, monkeypatch, elsewhere):
    caps(monkeypatch, **data)
    with pytest.raises(SystemExit, match=message):
        prepare.main(*arguments)
    assert not list(elsewhere.rglob("*"))


def test_a_wrong_cap_is_refused_before_anything_is_downloaded(monkeypatch):
    caps(monkeypatch, "quick", train="many")
    monkeypatch.setattr(sets.module("mnist"), "make", lambda smoke: pytest.fail("the set was made"))
    with pytest.raises(SystemExit, match="data.train is 'many'"):
        prepare.main("mnist", "quick")


def test_a_set_that_is_not_what_its_card_says_is_refused_and_not_written(monkeypatch):
    caps(monkeypatch)
    made, more = sets.module("mnist").make(True)
    made["test"] = {key: value[:-1] for key, value in made["test"].items()}
    monkeypatch.setattr(sets.module("mnist"), "make", lambda smoke: (made, more))
    with pytest.raises(SystemExit, match="mnist at smoke, test: examples 296, but 297 by the set's CARD"):
        prepare.main("mnist", "smoke")
    assert not artifacts.dataset("smoke", "mnist").exists()


def test_missing_data_is_one_line_with_the_ways_out(monkeypatch):
    caps(monkeypatch, "quick")
    message = "error: MNIST is not to be had: .* Ways out: connect a network"
    with pytest.raises(SystemExit, match=message) as error:
        prepare.main("mnist", "quick")
    assert "\n" not in str(error.value)


# --- balanced ---------------------------------------------------------------------------------------------


def test_balanced_draws_by_seed_and_keeps_all_where_there_are_no_more():
    labels = np.random.default_rng(0).integers(0, 5, 200)
    assert balanced(labels, None).tolist() == balanced(labels, 200).tolist() == list(range(200))
    first, other = balanced(labels, 50), balanced(labels, 50, seed=1)
    assert first.tolist() == balanced(labels, 50).tolist() != other.tolist()
    for index in (first, other):
        assert (np.diff(index) > 0).all() and set(Counter(labels[index].tolist()).values()) == {10}


def test_balanced_of_nothing_can_index_and_less_than_nothing_is_refused():
    assert np.arange(9)[balanced(np.zeros(9), 0)].tolist() == []
    with pytest.raises(ValueError, match="-1 examples"):
        balanced(np.zeros(9), -1)


# --- cut --------------------------------------------------------------------------------------------------


def split(counts, seed=0):
    """A split with so many examples of each class, in no order."""
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    return {"images": np.arange(len(labels)), "digit": labels, "origin": np.arange(len(labels)) * 2}


@pytest.mark.parametrize("most", [1, 7, 10, 29, 30, 95, 99])
def test_cut_is_balanced_and_never_more_than_asked(most):
    found = cut(split([10] * 10), most)
    counts = Counter(found["digit"].tolist())
    assert len(found["images"]) == most
    assert max(counts.values()) - min(counts.get(kind, 0) for kind in range(10)) <= 1


def test_cut_takes_all_of_a_rare_class_and_shares_the_rest():
    assert Counter(cut(split([2, 50, 50]), 22)["digit"].tolist()) == {0: 2, 1: 10, 2: 10}


def test_cut_keeps_the_order_and_what_belongs_together():
    data = split([40, 40, 40])
    found = cut(data, 50)
    assert (np.diff(found["images"]) > 0).all()
    np.testing.assert_array_equal(found["digit"], data["digit"][found["images"]])
    np.testing.assert_array_equal(found["origin"], 2 * found["images"])


def test_cut_is_seeded_and_not_the_first_of_a_class():
    data = split([100, 100])
    np.testing.assert_array_equal(cut(data, 20)["images"], cut(data, 20)["images"])
    assert cut(data, 20)["images"].max() > 120


@pytest.mark.parametrize("most", [None, 30, 31, 10_000])
def test_cut_leaves_small_splits_alone(most):
    data = split([10, 20])
    assert all(np.array_equal(cut(data, most)[key], data[key]) for key in data)
