"""Untrained networks whose running statistics of batch normalisation are those of images."""

import pytest
import torch

from wide.nets.convnet import Net as Plain
from wide.nets.resnet import Net
from wide.training.population import layer_outputs, member
from wide.training.recipe import Recipe
from wide.training.train_population import train_population

IMAGE = (3, 8, 8)
IMAGES = torch.randint(0, 256, (64, *IMAGE), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(64) % 10


def build(depth=14):
    return Net(1, image=IMAGE, classes=10, depth=depth, base=4)


def untrained(calibration, make=build):
    recipe = Recipe.of({"epochs": 0, "batch": 16, "lr": 0.1, "calibration": calibration})
    return train_population(make, IMAGES, LABELS, recipe, [0, 1])[0]


def normed(population, index):
    """Outputs of every block's first normalisation, in evaluation mode: a row a channel."""
    net, found = build(), []
    for name in net.layers:
        if name.endswith(".bn1"):
            values = layer_outputs(net, member(population, index), IMAGES, name)
            channels = 4 * 2 ** (int(name.removeprefix("stage")[0]) - 1)
            found.append(values.view(len(IMAGES), channels, -1).transpose(0, 1).flatten(1))
    return found


@pytest.mark.parametrize("index", [0, 1])
def test_every_channel_of_a_calibrated_network_has_mean_0_and_variance_1(index):
    for rows in normed(untrained(len(IMAGES)), index):
        assert torch.allclose(rows.mean(1), torch.zeros(len(rows)), atol=0.02)
        assert torch.allclose(rows.std(1), torch.ones(len(rows)), atol=0.05)


def test_as_constructed_channels_are_not_normalised():
    for rows in normed(untrained(0), 0):
        assert rows.mean(1).abs().max() > 0.2 or (rows.std(1) - 1).abs().max() > 0.2


def test_only_statistics_differ_and_the_same_images_give_the_same_ones():
    plain, first, again = untrained(0), untrained(32), untrained(32)
    for name in plain:
        assert torch.equal(first[name], again[name])
        assert torch.equal(first[name], plain[name]) == ("running" not in name)


def test_a_network_without_normalisation_stays_as_it_is():
    def make():
        return Plain(16, image=IMAGE, classes=10, plan="fixed")

    plain, calibrated = untrained(0, make), untrained(32, make)
    assert all(torch.equal(plain[name], calibrated[name]) for name in plain)


def test_a_trained_network_takes_its_own():
    with pytest.raises(ValueError, match="calibration is 64 with epochs 1"):
        Recipe.of({"epochs": 1, "batch": 16, "lr": 0.1, "calibration": 64})
