"""The stage that compares groups of networks by what they get right."""
import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats

from stages import agreement as script
from stages.folder import Folder, stacked
from stages.members import Family
from wide import artifacts
from wide.nets.resnet import Net
from wide.training.initialisation import initialise
from wide.training.population import stack
from wide.training.recipe import Recipe, describe


@pytest.fixture
def rng():
    return np.random.default_rng(0)


SIDE, CLASSES = 12, 3


def population(seeds):
    states = []
    for seed in seeds:
        net = Net(1.0, image=(3, SIDE, SIDE), classes=CLASSES, depth=8, base=4)
        initialise(net, seed)
        states.append(net.state_dict())
    fact = {"width": 1.0, "options": {"depth": 8, "base": 4}, "seeds": list(seeds), "recipe": describe(Recipe(1, 8, 0.1)),
            "test_accuracy": [0.5] * len(seeds)}
    return stack(states), fact


class ByColour(Family):
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
    for shown in (Folder(paths, SIDE, SIDE), images):
        for index in (0, 1):
            found = script.predictions(ByColour("w1", "resnet", {}, {}, (3, SIDE, SIDE), 3), index, shown, batch)
            assert found.tolist() == ((colours + index) % 3).tolist()


@pytest.mark.parametrize("name, variants", [("pair", ["deep", "wide"]), ("by_depth", ["deep"]), ("by_width", ["base", "deep", "wide"])])
def test_means_are_compared_only_where_two_groups_stand_out(name, variants, rng, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels = np.arange(30) % CLASSES
    artifacts.save_tensors(artifacts.dataset("toy", "set"), {"test/class": labels, "test/images": rng.integers(0, 256, (30, 3, SIDE, SIDE)).astype(np.uint8)})
    for number, variant in enumerate(("base", "deep", "wide")):
        members, fact = population((2 * number, 2 * number + 1))
        artifacts.save_tensors(artifacts.population("toy", "study", variant), {f"w1/{key}": value.numpy() for key, value in members.items()},
                               {"w1": fact, "stand_in": False})
    monkeypatch.setattr(script, "declared_params", lambda: {
        "scales": {"toy": {"measure": {}}}, "study": {"test": "test", "labels": "class", "at": {"toy": {"measure": {}}}},
        "nguyen": {"agreement": {"draws": 2, "seed": 0, "shown": 4}}})
    script.main("resnet", "set", "toy", name, "study", *variants)
    found = artifacts.load_result(artifacts.result("toy", "nguyen_agreement", "agreement", name))
    assert len(found["names"]) == len(variants) and found[f"{len(variants) - 1}/networks"] == 2
    means = [float(found[f"{part}_mean"]) for part in ("t", "df", "p") if f"{part}_mean" in found]
    if name == "pair":  # of deep against wide, not the other way round
        deep, wide = (np.round(found[f"{number}/accuracy"] * 30) for number in (0, 1))
        test = stats.ttest_rel(deep, wide)
        assert means == pytest.approx([test.statistic, 1, test.pvalue]) and test.statistic != 0
        assert found["shown/images"].shape == (8, 3, SIDE, SIDE)
    else:
        assert not means
