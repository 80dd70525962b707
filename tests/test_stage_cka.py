"""One door measures CKA, first components and usage of units, network by network, side by side."""

import numpy as np
import pytest
import torch

from pipeline import devices, lanes
from pipeline import measurement as opening
from pipeline.cells import load
from stages import cka, deletion
from tests.test_networks import PAPER, SCALE, SEEDS, STUDY, elsewhere, save  # noqa: F401, a fixture
from wide import artifacts
from wide.measure.cka import streamed_cka
from wide.measure.deletion import deletion_accuracies
from wide.measure.pca import first_components, squared_cosines
from wide.measure.sparsity import relu_usage

SETTINGS = {"batch": 16, "passes": 2, "seed": 0, "gram_precision": "float32"}


@pytest.fixture(autouse=True)
def raised(monkeypatch):
    monkeypatch.setenv("WIDE_TRACEBACK", "1")


def declare(monkeypatch, **own):
    params = {
        "scales": {SCALE: {"measure": {"points": 32}}},
        "measures": {"cka": SETTINGS, "deletion": {}},
        STUDY: {"measure": {"cka": {"removed": [], **own}}, "at": {SCALE: {"measure": {}}}},
    }
    monkeypatch.setattr(opening, "declared", lambda: params)


def measured(variant="all"):
    cka.main(PAPER, STUDY, variant, SCALE)
    names = [
        name
        for name in ("cka", "pca", "sparsity")
        if artifacts.result(SCALE, PAPER, STUDY, name, variant).exists()
    ]
    return {name: load(SCALE, PAPER, STUDY, name, variant) for name in names}


def test_each_result_is_that_of_its_measure(monkeypatch):
    sizes = save()
    declare(monkeypatch, removed=["all"], components=True, sparsity=True)
    found = measured()
    assert list(found) == ["cka", "pca", "sparsity"]
    for size in sizes:
        built = size.build()
        images = size.view(opening.examples(SCALE, "set", "test", "class", 32)[0])
        for index, seed in size.members():
            network = size.forward(index)
            for name, block, remove in (("cka", "block", False), ("removed", "removed_block", True)):
                wanted = streamed_cka([network], images, remove_first_pc=remove, **SETTINGS).cka
                assert np.allclose(found["cka"].get(name, size.key, seed), wanted, atol=1e-3, equal_nan=True)
                assert found["cka"].has(block, size.key, seed)
            late = [name for name in built.layers if built.stage_of(name) in (2, 3)]
            components = first_components(network, images, together=late)
            pca = found["pca"]
            assert np.allclose(
                pca.get("fraction", size.key, seed), components.fraction, atol=1e-3, equal_nan=True
            )
            assert pca.get("late", size.key, seed) == pytest.approx(components.combined, abs=1e-3)
            clear = pca.get("gap", size.key, seed) > 0.02
            wanted = squared_cosines(components.first)[np.ix_(clear, clear)]
            assert np.abs(pca.get("cosine2", size.key, seed)[np.ix_(clear, clear)] - wanted).max() < 0.011
            assert np.nanmax(pca.get("residual", size.key, seed)) < 1e-6
        usage = relu_usage(size.forward(0), images, built.units)
        sparsity = found["sparsity"]
        assert np.array_equal(sparsity.get("histogram", size.key, 0), usage.histogram)
        assert sparsity.has("histogram", size.key, 7) and sparsity.size(size.key).seeds == (0, 7)
        assert np.array(built.layers)[sparsity.get("relus", size.key)].tolist() == built.units
        for name in ("cka", "pca"):
            assert found[name].size(size.key).seeds == SEEDS and found[name].get("channels", size.key) == 4
            assert found[name].get("images") == 32
    assert found["cka"].get("batches") == 4


def test_only_what_the_study_asks_for_is_written(monkeypatch):
    save()
    declare(monkeypatch)
    found = measured()
    assert list(found) == ["cka"] and not found["cka"].has("removed", "d8", 0)


def test_a_variant_that_a_scale_leaves_out_has_empty_results(monkeypatch):
    card = {"study": {"net": "resnet", "set": "set", "labels": "class", "test": "test"}, "sizes": {}}
    artifacts.save_tensors(artifacts.population(SCALE, PAPER, STUDY, "all"), {}, card)
    declare(monkeypatch, removed=["all"], components=True, sparsity=True)
    found = measured()
    assert list(found) == ["cka", "pca", "sparsity"] and all(each.sizes() == [] for each in found.values())
    deletion.main(PAPER, STUDY, "all", SCALE)
    assert load(SCALE, PAPER, STUDY, "deletion", "all").sizes() == []


def test_neither_lanes_nor_threads_change_a_byte(monkeypatch):
    save()
    declare(monkeypatch, removed=["all"], components=True, sparsity=True)
    paths = [artifacts.result(SCALE, PAPER, STUDY, name, "all") for name in ("cka", "pca", "sparsity")]
    results = []
    for places, threads in ((1, 1), (1, 2), (2, 1)):
        monkeypatch.setattr(lanes, "LITTLE", 0)
        monkeypatch.setattr(devices, "lanes", lambda places=places: ["cpu"] * places)
        torch.set_num_threads(threads)
        measured()
        results.append([path.read_bytes() for path in paths])
    torch.set_num_threads(1)
    assert results[0] == results[1] == results[2]


def test_deletions_are_those_of_the_measure(monkeypatch):
    sizes = save()
    declare(monkeypatch)
    deletion.main(PAPER, STUDY, "all", SCALE)
    found = load(SCALE, PAPER, STUDY, "deletion", "all")
    images, labels = opening.examples(SCALE, "set", "test", "class", 32)
    for size in sizes:
        built = size.build()
        stages = [built.stage_of(f"{name}.conv1") for name in built.deletable]
        assert found.get("blocks", size.key).tolist() == built.deletable
        assert found.get("block_stage", size.key).tolist() == stages
        for index, seed in size.members():
            network = size.forward(index)
            wanted = deletion_accuracies(
                lambda x, skip, network=network: network(x, skip=skip),
                size.view(images),
                labels,
                built.deletable,
                stages,
            )
            assert found.get("full", size.key, seed) == wanted[0]
            assert np.array_equal(found.get("deleted", size.key, seed), wanted[1])


def test_networks_are_called_without_account_of_gradients():
    size = save()[0]
    images = size.view(opening.examples(SCALE, "set", "test", "class", 8)[0])
    seen = []
    logits = size.forward(0)(images, tap=lambda name, x: seen.append(x.is_inference()) or x)
    assert logits.is_inference() and all(seen) and len(seen) == len(size.build().layers)
    torch.testing.assert_close(logits.clone(), size.module(0)(images.float() / 255).detach())
