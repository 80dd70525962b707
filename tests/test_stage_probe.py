"""The door to probes: network by network, side by side, also where a scale leaves a variant out."""

import numpy as np
import pytest

from pipeline import devices, lanes
from pipeline.cells import load
from stages import probe
from tests.test_networks import PAPER, SCALE, SHAPE, STUDY, elsewhere, save  # noqa: F401, a fixture
from wide import artifacts

SETTINGS = {
    "batch": 8,
    "epochs": 2,
    "lr": 1.0,
    "momentum": 0.9,
    "pool": 1,
    "evaluations": 2,
    "networks": 1,
    "augment": {"flip": True, "crop": 2},
}
TRAIN = {
    "net": {"name": "resnet", "base": 4},
    "set": "set",
    "labels": "class",
    "test": "test",
    "sizes": {"widths": [1.0], "depths": [8, 14]},
    "seeds": 2,
    "recipe": {"epochs": 1, "batch": 8, "lr": 0.1},
}


@pytest.fixture(autouse=True)
def declared(monkeypatch, elsewhere):  # noqa: F811
    monkeypatch.setenv("WIDE_TRACEBACK", "1")
    rng = np.random.default_rng(1)
    tensors = {}
    for split, count in (("train", 48), ("test", 20)):
        labels = np.arange(count) % 4
        light = 60 * labels[:, None, None, None]
        tensors[f"{split}/images"] = (light + rng.integers(0, 60, (count, *SHAPE))).astype(np.uint8)
        tensors[f"{split}/class"] = labels
    artifacts.save_tensors(artifacts.dataset(SCALE, "set"), tensors)
    params = {
        "scales": {SCALE: {"measure": {}, "train": {}}},
        "measures": {"probe": SETTINGS},
        STUDY: {
            "train": TRAIN,
            "variants": {"all": {}},
            "measure": {},
            "at": {SCALE: {"train": {}, "measure": {}}},
        },
    }
    monkeypatch.setattr(probe, "declared", lambda: params)


def test_probes_of_every_size_are_the_same_in_one_process_or_two(monkeypatch):
    sizes = save()
    monkeypatch.setattr(lanes, "LITTLE", 0)
    path, results = artifacts.result(SCALE, PAPER, STUDY, "probe", "all"), []
    for places in (1, 2):
        monkeypatch.setattr(devices, "lanes", lambda places=places: ["cpu"] * places)
        probe.main(PAPER, STUDY, "all", SCALE)
        results.append(path.read_bytes())
    assert results[0] == results[1]
    found = load(SCALE, PAPER, STUDY, "probe", "all")
    for size in sizes:
        built = size.build()
        assert found.size(size.key).seeds == (0,)  # the first network of a size
        for place, layers in (("before", built.before_adds), ("after", built.adds)):
            assert np.array(built.layers)[found.get(f"index_{place}", size.key)].tolist() == layers
            assert found.get(place, size.key, 0).shape == (len(layers),)
            assert found.get(place, size.key, 0).max() > 0.5  # light alone tells the class


def test_a_variant_that_a_scale_leaves_out_has_an_empty_result():
    card = {"study": {"net": "resnet", "set": "set", "labels": "class", "test": "test"}, "sizes": {}}
    artifacts.save_tensors(artifacts.population(SCALE, PAPER, STUDY, "all"), {}, card)
    probe.main(PAPER, STUDY, "all", SCALE)
    assert load(SCALE, PAPER, STUDY, "probe", "all").sizes() == []
