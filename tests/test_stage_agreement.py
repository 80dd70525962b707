"""The stage that compares groups of networks by what they get right."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats

from pipeline.cells import Cells, load
from pipeline.folder import Folder, stacked
from pipeline.networks import Trained
from stages import agreement as script
from wide import artifacts
from wide.measure import agreement
from wide.nets.resnet import Net
from wide.training.initialisation import initialise
from wide.training.population import stack
from wide.training.recipe import Recipe, describe

SIDE, CLASSES = 12, 3


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def population(seeds):
    states = []
    for seed in seeds:
        net = Net(1.0, image=(3, SIDE, SIDE), classes=CLASSES, depth=8, base=4)
        initialise(net, seed)
        states.append(net.state_dict())
    fact = {
        "width": 1.0,
        "options": {"depth": 8, "base": 4},
        "seeds": list(seeds),
        "recipe": describe(Recipe(1, 8, 0.1)),
        "test_accuracy": [0.5] * len(seeds),
        "image": [3, SIDE, SIDE],
        "classes": CLASSES,
    }
    return stack(states), fact


class ByColour(Trained):
    """Member 0 says which channel is brightest, member 1 the next one."""

    def forward(self, index):
        return lambda images: images.double().mean((2, 3)).roll(index, 1)


@pytest.mark.parametrize("batch", [1, 7, 10, 500])
def test_predictions_on_a_folder_are_those_on_its_images(batch, rng, tmp_path):
    paths = [str(tmp_path / f"{number}.png") for number in range(10)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)).save(path)
    images = torch.from_numpy(stacked(paths, SIDE))
    colours = images.double().mean((2, 3)).argmax(1).numpy()
    assert len(set(colours)) == 3
    size = ByColour("w1", "resnet", {"image": [3, SIDE, SIDE]}, {})
    for shown in (Folder(paths, SIDE, SIDE), images):
        for index in (0, 1):
            found = script.predictions(size, index, shown, batch)
            assert found.tolist() == ((colours + index) % 3).tolist()


def save_networks(rng):
    labels, images = np.arange(30) % CLASSES, rng.integers(0, 256, (30, 3, SIDE, SIDE)).astype(np.uint8)
    artifacts.save_tensors(artifacts.dataset("toy", "set"), {"test/class": labels, "test/images": images})
    study = {"net": "resnet", "set": "set", "labels": "class", "test": "test"}
    for number, variant in enumerate(("base", "deep", "wide")):
        members, fact = population((2 * number, 2 * number + 1))
        tensors = {f"w1/{key}": value.numpy() for key, value in members.items()}
        card = {"study": study, "sizes": {"w1": fact}}
        artifacts.save_tensors(artifacts.population("toy", "paper", "study", variant), tensors, card)


@pytest.mark.parametrize("variants", [["deep", "wide"], ["deep"]])
def test_means_are_compared_only_where_two_variants_stand_against_each_other(
    variants, rng, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    save_networks(rng)
    settings = {"draws": 2, "seed": 0, "shown": 4, "least": {"toy": 1}}
    params = {
        "scales": {"toy": {"measure": {}}},
        "study": {"at": {"toy": {"measure": {}}}},
        "measures": {"agreement": settings},
    }
    monkeypatch.setattr(script, "declared", lambda: params)
    script.main("paper", "study", "toy", *variants)
    found = load("toy", "paper", "study", "agreement", "groups")
    last = len(variants) - 1
    assert found.get("networks", last) == 2 and not found.has("networks", last + 1)
    assert (found.get("depth", last), found.get("width", last)) == (8, 1.0)
    if len(variants) < 2:
        assert not found.has("p_mean")
        return
    means = [float(found.get(f"{part}_mean")) for part in ("t", "df", "p")]
    deep, wide = (np.round(found.get("accuracy", number) * 30) for number in (0, 1))
    test = stats.ttest_rel(deep, wide)  # of deep against wide, not the other way round
    assert means == pytest.approx([test.statistic, 1, test.pvalue]) and test.statistic != 0
    assert found.get("images", "shown").shape == (8, 3, SIDE, SIDE)


@pytest.mark.parametrize("networks", [2, 8])
def test_classes_and_synsets_are_also_compared_between_two_halves_of_the_deep_networks(networks, rng):
    labels = np.arange(120) % 4
    deep, wide = (rng.random((networks, 120)) < share for share in (0.5, 0.7))
    card = {
        "wnids": list("abcd"),
        "parents": {**dict.fromkeys("abcd", ["top"]), "top": []},
        "words": {**dict(zip("abcd", "abcd", strict=True)), "top": "entity"},
    }
    found = Cells()
    script.put_classes(found, deep, wide, labels)
    script.put_synsets(found, deep, wide, labels, card, 4)
    half = networks // 2
    for name, pair in (("fall", (wide, deep)), ("control_fall", (deep[:half], deep[half:]))):
        fall, error = agreement.aic_falls(*pair, labels)
        assert np.array_equal(found.get(name, "models"), fall)
        assert np.array_equal(found.get(f"{name}_se", "models"), error)
    assert found.get("fall", "models") == pytest.approx(-np.diff(found.get("aic", "models")))
    assert found.get("name", "synset").tolist() == ["entity"]
    assert networks == 2 or found.get("p", "synset") < 0.05
    control = found.get("p_control", "synset")
    assert np.isnan(control).all() if networks == 2 else control > 0.05
