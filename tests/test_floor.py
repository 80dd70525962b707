"""A linear classifier on pixels, and the floors that a paper's claims are judged above."""

import json
from pathlib import Path

import numpy as np
import pytest

from stages import floor
from wide import artifacts
from wide.measure.linear_pixels import STRENGTHS, linear_accuracy

RNG = np.random.default_rng(0)


def blobs(examples, apart, seed=0):
    """Three classes in ten dimensions, whose centres lie so far apart in units of the noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(examples) % 3
    return (apart * np.eye(3, 10)[labels] + rng.normal(size=(examples, 10))).astype(np.float32), labels


def test_classes_far_apart_are_told_and_shuffled_labels_are_not():
    train, test = blobs(300, 8), blobs(300, 8, seed=1)
    assert linear_accuracy(*train, *test)[0] > 0.98
    shuffled = RNG.permutation(train[1])
    assert abs(linear_accuracy(train[0], shuffled, *test)[0] - 1 / 3) < 0.15


def test_what_no_line_divides_is_chance():
    """Exclusive or: a network could learn it, a linear classifier cannot."""
    x = RNG.normal(size=(2000, 2)).astype(np.float32)
    labels = (x[:, 0] * x[:, 1] > 0).astype(int)
    accuracy, _ = linear_accuracy(x[:1000], labels[:1000], x[1000:], labels[1000:])
    assert accuracy < 0.6


def test_few_noisy_examples_take_a_stronger_penalty_and_nothing_is_chosen_on_the_test():
    train, test = blobs(60, 0.7), blobs(2000, 0.7, seed=1)
    accuracy, strength = linear_accuracy(*train, *test)
    assert strength in STRENGTHS[:3]
    other = linear_accuracy(*train, test[0], RNG.permutation(test[1]))
    assert other[1] == strength and other[0] < accuracy


def test_the_scale_of_pixels_does_not_matter():
    (x, y), (u, v) = blobs(300, 2), blobs(300, 2, seed=1)
    assert linear_accuracy(x, y, u, v) == linear_accuracy(64 * x + 3, y, 64 * u + 3, v)


@pytest.mark.parametrize(
    "examples, labels, message",
    [(5, [0, 1, 0, 1, 0], "5 examples"), (20, [1] * 20, "1 classes"), (20, [0, 1], "lengths differ")],
)
def test_what_cannot_be_classified_is_refused(examples, labels, message):
    x = RNG.normal(size=(examples, 4))
    with pytest.raises(ValueError, match=message):
        linear_accuracy(x, labels, x, labels)


STUDY = {
    "train": {
        "net": {"name": "mlp", "depth": 1},
        "set": "tiny",
        "labels": "class",
        "test": "test",
        "sizes": {"widths": [4]},
        "seeds": 1,
        "recipe": {"epochs": 1, "batch": 8, "lr": 0.1},
    },
    "variants": {
        "all": {},
        "twin": {"recipe": {"lr": 0.2}},
        "quarter": {"share": 4},
        "random": {"random_labels": True},
        "out": {},
    },
    "at": {"quick": {"train": {"variants": {"out": {"seeds": 0}}}}},
}
PARAMS = {"width": 1, "scales": {"quick": {"train": {}}}, "one": STUDY, "measures": {"cka": {}}}


@pytest.fixture
def floors(tmp_path, monkeypatch):
    """What the stage writes for a data set of three classes."""
    monkeypatch.chdir(tmp_path)
    rng, tensors = np.random.default_rng(0), {}
    for split, examples in (("train", 120), ("test", 60)):
        labels = np.arange(examples) % 3
        images = rng.integers(0, 60, (examples, 1, 4, 4)) + 60 * labels[:, None, None, None]
        tensors |= {f"{split}/images": images.astype(np.uint8), f"{split}/class": labels}
    artifacts.save_tensors(artifacts.dataset("quick", "tiny"), tensors, {"classes": {"class": 3}})
    monkeypatch.setattr(floor, "declared", lambda: PARAMS)
    calls = []
    whole = floor.linear_accuracy
    monkeypatch.setattr(floor, "linear_accuracy", lambda *a: calls.append(len(a[0])) or whole(*a))
    floor.main.__wrapped__("paper", "tiny", "quick")
    path = Path("results/quick/paper/floor/linear/tiny.json")
    return json.loads(path.read_text())["one"], calls


def test_equal_examples_are_classified_once_and_smaller_shares_by_themselves(floors):
    found, calls = floors
    assert sorted(calls) == [30, 120]
    assert found["all"] == found["twin"] and found["all"]["examples"] == 120
    assert found["quarter"]["examples"] == 30 and found["all"]["accuracy"] > 0.5


def test_random_labels_have_the_floor_of_chance_and_what_is_left_out_has_none(floors):
    found, _ = floors
    assert found["random"] == {"accuracy": pytest.approx(1 / 3, abs=1e-5), "classifier": "chance"}
    assert "out" not in found
