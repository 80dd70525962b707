"""Data sets: their cards, what is made of the official files, and the stand-ins."""

import ast
import pickle
import sys
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import official_files as official
import pytest
import torch

from pipeline import embedded, raw, sets
from pipeline.sets import Card, card, cifar10, cifar100, cifar100_coarse3, kept, mnist, translated_mnist
from stages.prepare import agree

CODE = Path(sets.__file__).parent


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty folder, and no connection to anywhere."""
    official.offline(tmp_path, monkeypatch)
    return tmp_path


# --- cards ------------------------------------------------------------------------------------------------


def test_the_sets_are_the_modules():
    assert sets.names() == sorted(path.stem for path in CODE.glob("*.py") if path.stem != "__init__")
    assert {"mnist", "translated_mnist", "cifar10", "imagenet"} < set(sets.names())


@cache
def stand_in(name):
    """What a set makes at scale smoke, made once for all tests that only look at it."""
    return sets.module(name).make(True)


@pytest.mark.parametrize("name", sets.names())
def test_a_stand_in_is_what_its_card_says(name):
    made, more = stand_in(name)
    agree(name, card(name, "smoke"), made)
    assert isinstance(more, dict) and sets.module(name).__doc__
    assert all(isinstance(source, raw.Source) for source in sets.module(name).sources())


@pytest.mark.parametrize("name", sets.names())
def test_a_stand_in_has_the_shapes_of_the_real_data(name):
    made, real = stand_in(name)[0], card(name, "quick")
    assert made.keys() == real.examples.keys()
    for split, data in made.items():
        assert data["images"].shape[1:] == real.image and data["images"].dtype == np.uint8
        assert data["images"].min() < 50 and data["images"].max() > 200
        assert data.keys() - {"images"} == set(real.labels(split))


def test_a_card_differs_by_scale_where_it_says_so():
    cards = [card("imagenet", scale) for scale in ("smoke", "quick", "gpu", "paper")]
    assert [one.examples["train"] for one in cards] == [500, 100_000, 100_000, 1_281_167]
    assert [one.classes["class"] for one in cards] == [20, 200, 200, 1000]
    assert [one.image for one in cards] == [(3, 64, 64)] * 3 + [(3, 224, 224)]
    assert card("mnist", "quick") == card("mnist", "paper") != card("mnist", "smoke")
    assert card("mnist", "quick").at == {}


def test_splits_and_labels_of_translated_mnist():
    found = card("translated_mnist", "quick")
    assert found.splits == ("train", "test", "test_shifted") and found.examples["train"] == 1785 * 28
    assert found.classes.keys() == {"digit", "shift", "origin"}
    assert found.labels("train") == ("digit", "shift", "origin")
    assert found.labels("test") == found.labels("test_shifted") == ("digit", "shift")


GUESSES = [("cifar", "cifar10"), ("mnsit", "mnist"), ("", None), (7, None), (None, None)]


@pytest.mark.parametrize("name, guess", GUESSES)
def test_an_unknown_set_is_one_line_with_the_nearest(name, guess):
    with pytest.raises(ValueError, match="there is no data set") as error:
        card(name, "quick")
    message = str(error.value)
    assert all(known in message for known in sets.names()) and "\n" not in message
    assert (f"did you mean {guess}?" in message) if guess else ("did you mean" not in message)


CAPS = [
    ({}, 49_980, 10_000),
    ({"train": 1500}, 1500, 10_000),
    ({"train": 60_000, "test": 300}, 49_980, 300),
]


@pytest.mark.parametrize("caps, train, test", CAPS)
def test_caps_leave_at_most_what_there_is(caps, train, test):
    found = kept(card("translated_mnist", "quick"), caps)
    assert found == {"train": train, "test": test, "test_shifted": test}


WRONG_CAPS = [
    ({"train": 0}, "data.train is 0"),
    ({"test": -3}, "data.test is -3"),
    ({"train": 1.5}, "data.train is 1.5"),
    ({"train": "all"}, "data.train is 'all'"),
    ({"train": True}, "data.train is True"),
    ({"train": None}, "data.train is None"),
    ({"test": [3]}, "data.test is"),
    ({"trian": 5}, "data.trian caps nothing"),
]


@pytest.mark.parametrize("caps, message", WRONG_CAPS)
def test_a_wrong_cap_is_one_line_that_names_it(caps, message):
    with pytest.raises(ValueError, match=message):
        kept(card("mnist", "quick"), caps)


def test_what_is_made_must_agree_with_the_card():
    right = Card({"train": 4, "test": 2}, (1, 2, 2), {"kind": 2, "source": 9}, only={"source": ("train",)})
    images = np.zeros((6, 1, 2, 2), np.uint8)

    def made(train=images[:4], kind=(0, 1, 1, 0), source=(0, 3, 8, 8), **more):
        train = {"images": train, "kind": np.array(kind), "source": np.array(source)}
        return {"train": train, "test": {"images": images[:2], "kind": np.array([1, 1])}, **more}

    agree("toy", right, made())
    agree("toy", replace(right, fewer=True, examples={"train": 5, "test": 5}), made())
    for wrong, message in (
        (made(other={}), "toy splits"),
        (made(train=images[:4, :, :1]), r"toy, train: shape of an image \(1, 1, 2\), but \(1, 2, 2\)"),
        (made(train=images[:3]), "toy, train: examples 3, but 4"),
        (made(kind=(1, 1, 1, 1)), "toy, train: classes of kind 1, but 2"),
        (made(kind=(0, 1, 2, 0)), "toy, train: classes of kind 3, but 2"),
        (made(kind=(-1, 1, 1, -1)), "toy, train: values of kind -1 to 1, but 0 to 1"),
        (made(source=(0, 3, 8, 9)), "toy, train: values of source 0 to 9, but 0 to 8"),
        (made(test={"images": images[:2], "sort": np.array([1, 1])}), "toy, test: labels"),
    ):
        with pytest.raises(ValueError, match=message):
            agree("toy", right, wrong)
    with pytest.raises(ValueError, match="toy, test: examples 2, but 1"):
        agree("toy", replace(right, fewer=True, examples={"train": 4, "test": 1}), made())
    with pytest.raises(ValueError, match="toy, test: examples 0, but 2"):
        agree("toy", replace(right, fewer=True), made(test={"images": images[:0], "kind": np.array([])}))


def test_a_new_set_is_one_new_file(elsewhere, monkeypatch):
    monkeypatch.setattr(sets, "__path__", [*sets.__path__, str(elsewhere)])
    monkeypatch.setitem(sys.modules, "pipeline.sets.toy", None)  # so that it is forgotten afterwards
    del sys.modules["pipeline.sets.toy"]
    (elsewhere / "toy.py").write_text(
        "import numpy as np\n"
        "from pipeline.sets import Card\n"
        "CARD = Card({'train': 2, 'test': 2}, (1, 2, 2), {'kind': 2})\n"
        "def sources():\n"
        "    return ()\n"
        "def make(smoke):\n"
        "    data = {'images': np.zeros((2, 1, 2, 2), np.uint8), 'kind': np.arange(2)}\n"
        "    return {'train': data, 'test': data}, {}\n"
    )
    assert "toy" in sets.names() and card("toy", "paper").image == (1, 2, 2)
    agree("toy", card("toy", "quick"), sets.module("toy").make(False)[0])
    assert {source.name for source in sets.sources()} >= {"MNIST", "CIFAR10", "CIFAR100"}


@pytest.mark.parametrize("path", [*CODE.glob("*.py"), CODE.parent / "raw.py", CODE.parent / "embedded.py"])
def test_cards_are_had_without_slow_imports(path):
    """`check` asks for every card; torchvision and scikit-learn take four seconds to import."""
    top = ast.parse(path.read_text()).body
    names = [alias.name for node in top if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in top if isinstance(node, ast.ImportFrom)]
    assert not {name.split(".")[0] for name in names} & {"torchvision", "sklearn", "scipy"}


# What a set's stage depends on besides its own module.
SHARED = {f"pipeline.{name}" for name in ("sets", "raw", "embedded", "balance", "folder")}
OTHERS = {"translated_mnist": {"pipeline.sets.mnist"}, "cifar100_coarse3": {"pipeline.sets.cifar100"}}


@pytest.mark.parametrize("name", sets.names())
def test_a_set_depends_on_no_other_than_is_listed(name):
    found = set()
    for node in ast.walk(ast.parse((CODE / f"{name}.py").read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("pipeline"):
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                found.add(inside if is_module(inside) else node.module)
    assert found - SHARED == OTHERS.get(name, set())


def is_module(name):
    """Whether a name is a module, as in `from pipeline import raw`, and not something in one."""
    return (CODE.parents[1] / f"{name.replace('.', '/')}.py").exists() or name == "pipeline.sets"


# --- MNIST, translated ------------------------------------------------------------------------------------


def small_mnist(train, test, height=2):
    """What stands for `mnist.make`: random images of a few rows."""
    rng = np.random.default_rng(1)
    return lambda smoke: (
        {
            split: {
                "images": rng.integers(0, 256, (number, 1, height, 28)).astype(np.uint8),
                "digit": np.arange(number) % 10,
            }
            for split, number in (("train", train), ("test", test))
        },
        {},
    )


def test_mnist_trains_on_the_first_50000(monkeypatch):
    def part(number):
        images = torch.arange(number, dtype=torch.int32)[:, None, None].expand(-1, 2, 2)
        return SimpleNamespace(data=images, targets=torch.arange(number) % 10)

    monkeypatch.setattr(raw, "official", lambda source: (part(60_000), part(10_000)))
    made, _ = mnist.make(False)
    assert [made[split]["images"].shape for split in made] == [(50_000, 1, 2, 2), (10_000, 1, 2, 2)]
    np.testing.assert_array_equal(made["train"]["images"][:, 0, 0, 0], np.arange(50_000))
    np.testing.assert_array_equal(made["train"]["digit"], np.arange(50_000) % 10)


def test_stand_in_of_translated_mnist_has_53_originals():
    made, _ = stand_in("translated_mnist")
    assert len(np.unique(made["train"]["origin"])) == 53
    assert made["train"]["images"].shape == (53 * 28, 1, 28, 28)


@pytest.mark.parametrize("examples, originals", [(50_000, 1785), (60, 2)])
def test_every_original_has_all_28_rolled_copies(examples, originals, monkeypatch):
    made = small_mnist(examples, 30)(False)
    monkeypatch.setattr(mnist, "make", lambda smoke: made)
    train, digits = translated_mnist.make(False)[0]["train"], made[0]["train"]
    assert len(train["images"]) == 28 * originals and train["images"].dtype == np.uint8
    copies = set(zip(train["origin"].tolist(), train["shift"].tolist(), strict=True))
    assert len(copies) == 28 * originals and set(train["shift"]) == set(range(28))
    assert len(np.unique(train["origin"])) == originals
    for row in range(0, len(train["images"]), max(1, len(train["images"]) // 300)):
        origin, shift = train["origin"][row], train["shift"][row]
        np.testing.assert_array_equal(train["images"][row], np.roll(digits["images"][origin], shift, axis=2))
        assert train["digit"][row] == digits["digit"][origin]


def test_originals_are_a_fixed_draw_not_the_first(monkeypatch):
    monkeypatch.setattr(mnist, "make", small_mnist(2800, 30))
    first, second = (np.unique(translated_mnist.make(False)[0]["train"]["origin"]) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert len(first) == 100 and first.max() > 2000


def test_test_images_are_unchanged_and_rolled_once(monkeypatch):
    made = small_mnist(60, 500)(False)
    monkeypatch.setattr(mnist, "make", lambda smoke: made)
    found, test = translated_mnist.make(False)[0], made[0]["test"]
    np.testing.assert_array_equal(found["test"]["images"], test["images"])
    assert not found["test"]["shift"].any()
    shifted = found["test_shifted"]
    for image, unmoved, shift in zip(shifted["images"], test["images"], shifted["shift"], strict=True):
        np.testing.assert_array_equal(image, np.roll(unmoved, shift, axis=2))
    np.testing.assert_array_equal(shifted["digit"], test["digit"])
    assert set(shifted["shift"].tolist()) == set(range(28))


# --- CIFAR ------------------------------------------------------------------------------------------------


def test_cifar_has_channels_first(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3)).astype(np.uint8)
    data = SimpleNamespace(data=images, targets=[0, 1, 2, 3, 4, 5])
    monkeypatch.setattr(raw, "official", lambda source: (data, data))
    made, _ = cifar10.make(False)
    assert made["test"]["images"].shape == (6, 3, 4, 5)
    assert made["train"]["class"].tolist() == [0, 1, 2, 3, 4, 5]
    assert made["train"]["images"][2, 1, 3, 4] == images[2, 3, 4, 1]


def test_cifar100_keeps_the_hundred_fine_classes(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (100, 4, 5, 3)).astype(np.uint8)
    data, asked = SimpleNamespace(data=images, targets=list(range(100))), []
    monkeypatch.setattr(raw, "official", lambda source: asked.append(source.name) or (data, data))
    made, _ = cifar100.make(False)
    assert asked == ["CIFAR100"] and set(made) == {"train", "test"}
    assert made["train"]["images"].shape == (100, 3, 4, 5)
    assert made["test"]["fine"].tolist() == list(range(100))
    np.testing.assert_array_equal(made["train"]["images"][:, 2], images[..., 2])


FOLDER = "cifar-100-python"


def put_pickles(elsewhere, monkeypatch, contents):
    """Files of CIFAR-100 with checksums of their own."""
    files = {f"{FOLDER}/{name}": pickle.dumps(content) for name, content in contents.items()}
    official.write(elsewhere / "data" / "raw", files)
    sums = tuple((name, official.md5(content)) for name, content in files.items())
    monkeypatch.setattr(cifar100_coarse3, "sources", lambda: (replace(*cifar100.sources(), files=sums),))


def test_three_coarse_classes_are_kept_and_numbered(elsewhere, monkeypatch):
    """Six coarse classes of five fine ones, the three wanted in another order than theirs."""
    names = ["trees", "flowers", "aquatic_mammals", "insects", "fish", "people"]
    rng = np.random.default_rng(0)
    fine = rng.permutation(np.repeat(np.arange(30), 4))
    coarse = fine % 6  # a coarse class' fine numbers are scattered, as in CIFAR-100
    images = rng.integers(0, 256, (120, 2, 2, 3)).astype(np.uint8)
    labels = {"coarse_labels": coarse.tolist()}
    contents = {"meta": {"coarse_label_names": names}, "train": labels, "test": labels}
    put_pickles(elsewhere, monkeypatch, contents)
    data = SimpleNamespace(base_folder=FOLDER, meta={"filename": "meta"}, data=images, targets=fine.tolist())
    monkeypatch.setattr(raw, "official", lambda source: (data, data))
    found = cifar100_coarse3.make(False)[0]["train"]
    kept = [index for index in range(120) if names[coarse[index]] in cifar100_coarse3.KEPT]
    np.testing.assert_array_equal(found["images"], images[kept].transpose(0, 3, 1, 2))
    assert [cifar100_coarse3.KEPT[new] for new in found["coarse"]] == [names[coarse[index]] for index in kept]
    assert set(found["fine"]) == set(range(15))
    # New and old numbers go together, and a fine class lies in one coarse class.
    assert len(set(zip(found["fine"].tolist(), fine[kept].tolist(), strict=True))) == 15
    assert len(set(zip(found["fine"].tolist(), found["coarse"].tolist(), strict=True))) == 15


class Trap:
    """What a damaged or malicious pickle might do when it is read."""

    def __reduce__(self):
        return Path.touch, (Path("sprung"),)


@pytest.mark.parametrize("name", ["train", "test", "meta"])
def test_a_pickle_is_not_read_before_its_checksum_is_verified(name, elsewhere, monkeypatch):
    put_pickles(elsewhere, monkeypatch, {"train": 1, "test": 2, "meta": 3})
    path = elsewhere / "data" / "raw" / FOLDER / name
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match=f"{FOLDER}/{name} is damaged: its md5 is"):
        cifar100_coarse3.make(False)
    with pytest.raises(ValueError, match=f"{FOLDER}/{name} is damaged: its md5 is"):
        cifar100_coarse3._unpickled(f"{FOLDER}/{name}")
    assert not Path("sprung").exists()
    pickle.loads(path.read_bytes())
    assert Path("sprung").exists()  # the trap works where nobody looks


# --- stand-ins --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_stand_ins_are_the_same_every_time_and_no_test_image_is_trained_on(name):
    first, second = stand_in(name)[0], sets.module(name).make(True)[0]
    for split in first:
        for key, value in first[split].items():
            np.testing.assert_array_equal(value, second[split][key])
    trained = {image.tobytes() for image in first["train"]["images"]}
    assert not any(image.tobytes() in trained for image in first["test"]["images"])


def test_textures_are_learnable_and_balanced():
    images, labels = embedded.textures(4, 400)
    assert Counter(labels.tolist()) == {0: 100, 1: 100, 2: 100, 3: 100}
    colour = images.std((2, 3))  # a class has its own contrast in each channel
    centres = np.stack([colour[:200][labels[:200] == kind].mean(0) for kind in range(4)])
    nearest = ((colour[200:, None] - centres) ** 2).sum(2).argmin(1)
    assert (nearest == labels[200:]).mean() > 0.6


def test_embedded_synsets_are_a_tree_with_every_class_under_one_root():
    wnids, parents, words = embedded.synsets()
    assert len(wnids) == 20 == len(set(wnids)) and wnids == sorted(wnids) and len(words) == 27
    assert not set(wnids) & {parent for some in parents.values() for parent in some}
    above = Counter()
    for wnid in wnids:
        while wnid in parents:
            [wnid] = parents[wnid]
            above[wnid] += 1
        assert words[wnid] == "entity"
    assert set(above.values()) == {5, 10, 20}
