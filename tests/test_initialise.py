"""Initialisation: the variances of the textbooks, one generator a seed, and no parameter left over."""

import math

import pytest
import torch
from torch import nn

from wide.training.initialisation import INITIALISATIONS, initialise

FAN_IN, FAN_OUT = 400, 250


def wide():
    """A hidden linear layer, a convolution of the same fans and an output layer."""
    return nn.Sequential(
        nn.Linear(FAN_IN, FAN_OUT), nn.Conv2d(FAN_IN // 25, FAN_OUT // 25, 5), nn.Linear(FAN_OUT, 100)
    )


# Glorot & Bengio 2010, eq. 16; He et al. 2015, eq. 10; LeCun et al. 1998, eq. 16.
VARIANCES = {"he": 2 / FAN_IN, "lecun": 1 / FAN_IN, "glorot": 2 / (FAN_IN + FAN_OUT)}


@pytest.mark.parametrize("layer", [0, 1], ids=["linear", "convolution"])
@pytest.mark.parametrize("name", [name for name in INITIALISATIONS if name != "normal"])
def test_variances_are_the_textbooks(name, layer):
    net = wide()
    initialise(net, 0, name)
    weight, variance = net[layer].weight.detach(), VARIANCES[name.split("_")[0]]
    # A mean and a variance of n numbers have standard errors of about 1 / sqrt(n) and sqrt(2 / n).
    error = 5 / math.sqrt(weight.numel())
    assert abs(weight.mean()) < error * math.sqrt(variance)
    assert weight.var() / variance == pytest.approx(1, abs=error * math.sqrt(2))
    if name.endswith("uniform"):
        bound = math.sqrt(3 * variance)
        assert 0.99 * bound < weight.abs().max() <= bound
    else:
        assert weight.abs().max() > 3 * math.sqrt(variance)


def test_normal_has_the_given_deviation_whatever_the_fan():
    net = wide()
    initialise(net, 0, "normal", "normal", std=0.3)
    for layer in net:
        assert layer.weight.std().item() == pytest.approx(0.3, rel=0.03)


def test_the_output_layer_has_its_own():
    net, other = wide(), wide()
    initialise(net, 0, "he_normal", "normal", std=0)
    initialise(other, 0, "he_normal", "lecun_normal")
    assert not net[2].weight.any()
    assert torch.equal(net[1].weight, other[1].weight)


def test_normals_of_one_seed_differ_by_a_factor_only():
    """So members of a grid of initialisations start in the same direction."""
    he, glorot = wide(), wide()
    initialise(he, 3, "he_normal")
    initialise(glorot, 3, "glorot_normal")
    factor = math.sqrt(VARIANCES["glorot"] / VARIANCES["he"])
    torch.testing.assert_close(glorot[0].weight, he[0].weight * factor)


def test_biases_are_constant():
    net = wide()
    initialise(net, 0)
    assert all((layer.bias == 0).all() for layer in net)
    initialise(net, 0, bias=0.1)
    assert all((layer.bias == 0.1).all() for layer in net)


def test_seeds_differ_and_repeat():
    first, again, other = wide(), wide(), wide()
    initialise(first, 0)
    torch.rand(7)  # the global generator has no say
    initialise(again, 0)
    initialise(other, 1)
    for one, two, three in zip(*(net.parameters() for net in (first, again, other)), strict=True):
        assert torch.equal(one, two)
        assert one.dim() == 1 or (one != three).float().mean() > 0.99


def test_draws_are_those_of_one_generator_in_order_of_definition():
    net = wide()
    initialise(net, 5)
    generator = torch.Generator().manual_seed(5)
    for layer, variance in zip(net, (2 / FAN_IN, 2 / FAN_IN, 1 / FAN_OUT), strict=True):
        drawn = torch.randn(layer.weight.shape, generator=generator) * math.sqrt(variance)
        assert torch.equal(layer.weight, drawn)


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(4), nn.LayerNorm(4), nn.GroupNorm(2, 4)], ids=repr)
def test_normalisations_stay_as_constructed(norm):
    nn.init.constant_(
        norm.weight, 0.25
    )  # a network's own choice, as of a residual block's last normalisation
    net = nn.Sequential(nn.Linear(4, 4), norm, nn.Linear(4, 2))
    initialise(net, 0, bias=0.5)
    assert (norm.weight == 0.25).all() and (norm.bias == 0).all()


def test_attention_is_a_linear_layer_and_an_embedding_normal():
    net = nn.ModuleList([nn.Embedding(50, 64), nn.MultiheadAttention(64, 4), nn.Linear(64, 2)])
    initialise(net, 0, "glorot_normal", bias=0.2)
    assert net[0].weight.std().item() == pytest.approx(1, rel=0.05)
    assert net[1].in_proj_weight.std().item() == pytest.approx(math.sqrt(2 / (64 + 3 * 64)), rel=0.05)
    assert net[1].out_proj.weight.std().item() == pytest.approx(math.sqrt(2 / (64 + 64)), rel=0.05)
    assert (net[1].in_proj_bias == 0.2).all() and (net[1].out_proj.bias == 0.2).all()


class Positions(nn.Linear):
    """A linear layer with a parameter that nobody knows."""

    def __init__(self):
        super().__init__(4, 4)
        self.positions = nn.Parameter(torch.zeros(3, 4))


@pytest.mark.parametrize(
    "odd, name",
    [
        (Positions(), "0.positions"),
        (nn.Conv1d(2, 2, 3), "0.weight"),
        (nn.PReLU(), "0.weight"),
        (nn.MultiheadAttention(4, 2, kdim=3, vdim=3), "0.q_proj_weight"),
        (nn.LSTM(4, 4), "0.weight_ih_l0"),
    ],
    ids=["parameter", "conv1d", "prelu", "attention", "lstm"],
)
def test_an_unknown_parameter_is_refused_by_name(odd, name):
    with pytest.raises(ValueError, match=f"parameter '{name}' of {type(odd).__name__}"):
        initialise(nn.Sequential(odd, nn.Linear(4, 2)), 0)


def test_an_unknown_initialisation_is_refused():
    with pytest.raises(ValueError, match="initialisation 'zeros' is unknown; known: he_normal"):
        initialise(wide(), 0, "zeros")
