"""The stage that says what hidden states encode, on small networks and made-up maps."""

import json

import numpy as np
import pytest
import torch

from pipeline import devices
from pipeline.cells import Cells, load
from pipeline.nets import network
from pipeline.networks import trained
from stages import structure as script
from wide import artifacts
from wide.training.initialisation import initialise
from wide.training.population import stack
from wide.training.recipe import Recipe, describe

SHAPE, CLASSES, WIDTHS, EXAMPLES = (3, 6, 6), 3, (4, 9), 120
AT = ("toy", "paper", "study")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A study with two sizes, its maps and an atlas of the wide one, and a judge."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(devices, "device", lambda: "cpu")
    monkeypatch.setenv("WIDE_TRACEBACK", "1")
    own = {"measure": {"structure": {"coloured": 0, "mirrored": 1}}}
    monkeypatch.setattr(script, "declared", lambda: {"study": own})
    rng, splits = np.random.default_rng(0), {}
    for split in ("train", "test"):
        splits[f"{split}/images"] = rng.integers(0, 256, (EXAMPLES, *SHAPE)).astype(np.uint8)
        splits[f"{split}/class"] = np.arange(EXAMPLES) % CLASSES
    artifacts.save_tensors(artifacts.dataset("toy", "set"), splits, {"classes": {"class": CLASSES}})
    save("base", WIDTHS)
    save("judge", WIDTHS[-1:])
    map_them(splits, rng)


def save(variant, widths):
    tensors, sizes = {}, {}
    for width in widths:
        net = network("mlp")(width, image=SHAPE, classes=CLASSES, depth=1)
        initialise(net, width)
        tensors |= {f"w{width}/{name}": value.numpy() for name, value in stack([net.state_dict()]).items()}
        sizes[f"w{width}"] = {
            "width": width,
            "seeds": [0],
            "options": {"depth": 1},
            "recipe": describe(Recipe(1, 8, 0.1)),
            "test_accuracy": [0.5],
            "train_accuracy": [0.6],
            "image": list(SHAPE),
            "classes": CLASSES,
        }
    study = {"net": "mlp", "set": "set", "labels": "class", "test": "test"}
    artifacts.save_tensors(artifacts.population(*AT, variant), tensors, {"study": study, "sizes": sizes})


def map_them(splits, rng):
    index, umap, atlas, tensors = np.arange(EXAMPLES), Cells(), Cells(), {}
    umap.put("class", splits["train/class"].astype(np.int16), "label")
    umap.put("shift", rng.integers(0, 28, EXAMPLES).astype(np.int16), "label")
    umap.put("origin", index.astype(np.int16), "label")
    for size, member in trained(*AT, "base").firsts():
        images = torch.from_numpy(splits["train/images"])
        tensors[f"{size.key}/features"] = size.features(member, images).numpy()
        umap.put("points", rng.normal(size=(EXAMPLES, 2)).astype(np.float32), size.key)
    icons = rng.integers(0, 256, (7, 3, 11, 11)).astype(np.uint8)
    for size in ("w4", "w9"):
        atlas.put("icons", icons, size)
    atlas.put("neurons", icons[:2], "w9")
    artifacts.save_tensors(artifacts.activations(*AT, "base"), {"index": index, **tensors})
    umap.save(artifacts.result(*AT, "umap", "base"))
    atlas.save(artifacts.result(*AT, "atlas", "base"))


def test_every_number_is_there_a_list_an_entry_and_one_mean():
    script.main("paper", "study", "base", "toy", "study")
    found = load(*AT, "structure", "base")
    assert found.get("equal_units") == 4 and found.keys() == ["w4", "w9"]
    for size in found.keys():
        for name, entries in (("purity", 3), ("silhouette", 3), ("colour_neighbours", 3)):
            assert len(found.get(f"{name}_classes", size)) == entries
        for name in ("colour_r2", "colour_r2_equal", "mirror_odd", "mirror_odd_equal"):
            folds = found.get(f"{name}_folds", size)
            assert len(folds) == 5 and found.get(name, size) == pytest.approx(np.mean(folds), rel=1e-4)
        for name in ("shift_r2", "shift_r2_equal", "annulus", "clusters"):
            entries = found.get(name, size)
            assert len(entries) == CLASSES
            assert found.get(f"{name}_mean", size) == pytest.approx(np.mean(entries), rel=1e-4)
        assert 0 <= found.get("zero_fraction", size) < 1


def test_the_narrowest_size_is_at_equal_units_what_it_is_and_a_wider_one_is_not():
    script.main("paper", "study", "base", "toy", "study")
    found = load(*AT, "structure", "base")
    for name in ("shift_r2", "colour_r2_folds", "mirror_odd_folds"):
        equal = name.replace("_folds", "_equal_folds") if "folds" in name else f"{name}_equal"
        assert found.get(name, "w4") == found.get(equal, "w4")
        assert found.get(name, "w9") != found.get(equal, "w9")


def test_icons_noise_and_held_out_images_are_judged_by_the_judge():
    script.main("paper", "study", "base", "toy", "study")
    found = load(*AT, "structure", "base")
    assert len(found.get("icons_cosine", "w4")) == 7 and len(found.get("neurons_cosine", "w9")) == 2
    assert not found.has("neurons_cosine", "w4")
    for name in ("noise_cosine", "smooth_noise_cosine", "real_cosine"):
        values = np.array(found.get(name))
        assert len(values) >= EXAMPLES and np.all((values >= 0) & (values <= 1 + 1e-6))
    classifier = trained(*AT, "judge").sizes[0]
    small = np.random.default_rng(0).integers(0, 256, (2, *SHAPE)).astype(np.uint8)
    assert np.array_equal(
        script.seen(classifier, small), classifier.features(0, torch.from_numpy(small)).numpy()
    )
    assert script.seen(classifier, small.repeat(2, axis=2).repeat(2, axis=3)).shape == (2, 9)


def test_without_a_judge_icons_are_left_out_and_no_atlas_is_asked_for():
    artifacts.result(*AT, "atlas", "base").unlink()
    artifacts.population(*AT, "judge").unlink()
    script.main("paper", "study", "base", "toy")
    found = load(*AT, "structure", "base")
    assert found.has("shift_r2", "w4") and not any("cosine" in name for name in found.arrays)


def test_the_same_run_gives_the_same_bytes_on_any_number_of_threads():
    path, threads = artifacts.result(*AT, "structure", "base", "json"), torch.get_num_threads()
    runs = []
    for number in (1, 2):
        torch.set_num_threads(number)
        script.main("paper", "study", "base", "toy", "study")
        runs.append(path.read_bytes())
        assert torch.get_num_threads() == number
    torch.set_num_threads(threads)
    assert runs[0] == runs[1] and json.loads(runs[0])["w4"]["width"] == 4
