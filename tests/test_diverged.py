"""Measures of networks of which some diverged: each stage takes those that did not, and says so."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pipeline import devices
from pipeline.cells import load
from pipeline.nets import network
from pipeline.networks import trained
from stages import agreement, atlas, probe, structure, transfer, umap
from wide import artifacts
from wide.training.initialisation import initialise
from wide.training.population import stack
from wide.training.recipe import Recipe, describe

SHAPE, CLASSES, SEEDS = (1, 6, 6), 3, (4, 7)
LOST = {"w8": [False, False], "w5": [True, False], "w6": [True, True]}  # of each size, whose members diverged
AT = ("toy", "paper", "study")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(devices, "device", lambda: "cpu")
    monkeypatch.setattr(devices, "lanes", lambda: ["cpu"])
    rng = np.random.default_rng(0)
    splits = {}
    for split in ("train", "test"):
        splits[f"{split}/images"] = rng.integers(0, 256, (30, *SHAPE)).astype(np.uint8)
        splits[f"{split}/class"] = np.arange(30) % CLASSES
    artifacts.save_tensors(artifacts.dataset("toy", "set"), splits, {"classes": {"class": CLASSES}})
    save()


def save():
    """Networks as training leaves them; those that diverged are not finite here."""
    tensors, sizes = {}, {}
    for key, lost in LOST.items():
        width, members = float(key[1:]), []
        for seed, gone in zip(SEEDS, lost, strict=True):
            net = network("mlp")(width, image=SHAPE, classes=CLASSES, depth=1)
            initialise(net, seed)
            members.append(
                {name: value * (np.nan if gone else 1) for name, value in net.state_dict().items()}
            )
        tensors |= {f"{key}/{name}": value.detach().numpy() for name, value in stack(members).items()}
        accuracies = [None if gone else seed / 10 for seed, gone in zip(SEEDS, lost, strict=True)]
        sizes[key] = {
            "width": width,
            "seeds": list(SEEDS),
            "options": {"depth": 1},
            "recipe": describe(Recipe(1, 8, 0.1)),
            "test_accuracy": accuracies,
            "train_accuracy": accuracies,
            "image": list(SHAPE),
            "classes": CLASSES,
            **({"diverged": lost} if any(lost) else {}),
        }
    study = {"net": "mlp", "set": "set", "labels": "class", "test": "test"}
    card = {"stand_in": False, "study": study, "sizes": sizes}
    artifacts.save_tensors(artifacts.population(*AT, "base"), tensors, card)


def declare(monkeypatch, module, measures=None, own=None):
    study = {"at": {"toy": {"measure": {}}}, "measure": own or {}}
    params = {"scales": {"toy": {"measure": {}}}, "study": study, "measures": measures or {}}
    monkeypatch.setattr(module, "declared", lambda: params)
    monkeypatch.setenv("WIDE_TRACEBACK", "1")


def test_firsts_are_the_first_finite_networks():
    assert [(size.key, index) for size, index in trained(*AT, "base").firsts()] == [("w5", 1), ("w8", 0)]


def map_them(monkeypatch):
    class Flat:
        """A map by the first two units."""

        def __init__(self, **settings):
            self.fit_transform = lambda features: features[:, :2]

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Flat))
    declare(monkeypatch, umap, {"umap": {}})
    umap.main("paper", "study", "base", "toy")


def test_maps_are_of_the_first_network_that_did_not_diverge(monkeypatch):
    map_them(monkeypatch)
    found = load(*AT, "umap", "base")
    assert found.keys() == ["w5", "w8"] and found.get("class", "label").tolist() == [0, 1, 2] * 10
    assert [found.size(key).accuracy for key in found.keys()] == [(0.7,), (0.4, 0.7)]
    images = torch.from_numpy(artifacts.load_tensors(artifacts.dataset("toy", "set"))[0]["train/images"])
    by_key = {size.key: size for size in trained(*AT, "base").sizes}
    for key, index in (("w5", 1), ("w8", 0)):
        assert np.array_equal(found.get("points", key), by_key[key].features(index, images).numpy()[:, :2])


def test_an_atlas_and_its_structure_are_of_the_network_that_was_mapped(monkeypatch):
    map_them(monkeypatch)
    made = []
    declare(monkeypatch, atlas, {"atlas": {"grid": 2}}, {"atlas": {"icons": "optimised"}})
    monkeypatch.setattr(atlas, "put_targets", lambda found, size, *more: size.key)
    monkeypatch.setattr(
        atlas,
        "put_icons",
        lambda found, networks, drawn, setting: made.extend(
            (drawn[row], size.key, index) for row, (size, index) in enumerate(networks.firsts())
        ),
    )
    atlas.main("paper", "study", "base", "toy")
    assert made == [("w5", "w5", 1), ("w8", "w8", 0)]
    size = trained(*AT, "base").sizes[0]
    numbers = structure.of_network(size, np.ones((4, 5), np.float32))
    assert numbers["test_accuracy"] == numbers["train_accuracy"] == [pytest.approx(0.7)]


def test_an_atlas_shows_images_as_the_network_was_trained_on_them(monkeypatch):
    seen = []
    pictures = torch.zeros(1, 1, 40, 40)
    settings = {"steps": 1, "canvas": 40, "lr": 1, "pad": 0.0, "seed": 0, "cosine": "paper", "icon_size": 20}
    icons = atlas.Icons(*AT, "base", settings, 0.5)
    icons.networks[0][0].fact["image"] = [1, 3, 3]
    monkeypatch.setattr(
        atlas.visualise,
        "icons",
        lambda *a, **options: seen.append(options["image_shape"]) or (pictures, None),
    )
    monkeypatch.setattr(type(icons.networks[0][0]), "module", lambda size, index: None)
    icons.draw(0, torch.zeros(1, 5), 0, lambda steps: None)
    assert seen == [(1, 3, 3)]


def test_a_network_that_diverged_has_no_accuracy_on_the_other_task(monkeypatch):
    task = {"labels": "class", "test": "test", "recipe": {"epochs": 1, "batch": 10, "lr": 0.1}}
    declare(monkeypatch, transfer, own={"transfer": task})
    transfer.main("paper", "study", "base", "toy")
    found = load(*AT, "transfer", "base")
    lost = np.array([LOST["w5"], LOST["w6"], LOST["w8"]])
    assert np.array_equal(np.isnan(found.get("tuned")), lost)
    assert np.array_equal(np.isnan(found.get("original")), lost)
    assert np.isfinite(found.get("linear")).all()


def test_groups_of_fewer_than_two_are_refused_in_words(monkeypatch):
    declare(monkeypatch, agreement, {"agreement": {"draws": 2, "seed": 0, "shown": 1, "least": {"toy": 1}}})
    with pytest.raises(ValueError, match="1 networks of size w5 diverged and 1 did not.*lower"):
        agreement.main("paper", "study", "toy", "base")


def test_probes_learn_from_what_the_networks_were_trained_on():
    train = {"net": {"name": "mlp"}, "set": "set", "labels": "class", "test": "test", "seeds": 1}
    train |= {"sizes": {"widths": [8]}, "recipe": {"epochs": 1, "batch": 8, "lr": 0.1}, "validation": 6}
    study = {"train": train, "variants": {"base": {}}, "at": {"toy": {"train": {}}}}
    params = {"study": study, "scales": {"toy": {"train": {}}}}
    images, labels = probe.training_examples(params, "study", "base", "toy", trained(*AT, "base"))
    assert len(images) == 24 and labels.bincount().tolist() == [8] * 3
    train["validation"] = 0
    assert len(probe.training_examples(params, "study", "base", "toy", trained(*AT, "base"))[0]) == 30
