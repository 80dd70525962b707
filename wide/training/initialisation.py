"""Initial weights of a member, from a generator of its own."""

import math

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

# name: (variance × fan, fan: "in", or "both" for fan-in + fan-out, distribution)
INITIALISATIONS = {
    "he_normal": (2.0, "in", "normal"),
    "lecun_normal": (1.0, "in", "normal"),
    "glorot_normal": (2.0, "both", "normal"),
    "he_uniform": (2.0, "in", "uniform"),
    "lecun_uniform": (1.0, "in", "uniform"),
    "glorot_uniform": (2.0, "both", "uniform"),
    "normal": (None, None, "normal"),  # of the recipe's own standard deviation, whatever the fan
}
# Gains and offsets of a normalisation stay as its constructor set them.
NORMALISATIONS = (_BatchNorm, nn.LayerNorm, nn.GroupNorm)


def weighted_layers(net: nn.Module) -> list[nn.Module]:
    """Linear and convolutional layers in order of definition; the last is the network's output layer."""
    return [module for module in net.modules() if isinstance(module, nn.Linear | nn.Conv2d)]


def initialise(
    net: nn.Module,
    seed: int,
    hidden: str = "he_normal",
    last: str = "lecun_normal",
    *,
    std: float = 0.01,
    bias: float = 0.0,
) -> None:
    """Draw the weights of one member in place, float32 on the CPU; biases are constant.

    hidden, last: names in INITIALISATIONS, of the hidden layers and of the output layer; fan-in counts the
    kernel's area. std: standard deviation of "normal".

    Linear and convolutional layers are drawn in order of definition. The joint projection of
    nn.MultiheadAttention (queries, keys and values) counts as one linear layer, nn.Embedding is normal with
    standard deviation 1, gains and offsets of a normalisation keep their constructor's values. Raises
    ValueError for an unknown name, and for any other parameter, which would keep values that no seed has
    drawn.
    """
    generator = torch.Generator().manual_seed(seed)
    layers = weighted_layers(net)
    for path, module in net.named_modules():
        scheme = last if layers and module is layers[-1] else hidden
        for name, parameter in module.named_parameters(path, recurse=False):
            kind = _kind(module, name.rpartition(".")[2])
            if kind is None:
                raise ValueError(
                    f"parameter '{name}' of {type(module).__name__} has no rule of initialisation: make it a "
                    "Linear, Conv2d, Embedding or MultiheadAttention layer, or a normalisation"
                )
            with torch.no_grad():
                if kind == "weight":
                    _draw(parameter, scheme, std, generator)
                elif kind == "bias":
                    parameter.fill_(bias)
                elif kind == "embedding":
                    parameter.copy_(torch.randn(parameter.shape, generator=generator))


def _kind(module, name) -> str | None:
    """What a parameter is: weight, bias, embedding or kept; None where it is not known."""
    if isinstance(module, NORMALISATIONS):
        return "kept"
    if isinstance(module, nn.Embedding):
        return "embedding"
    if isinstance(module, nn.Linear | nn.Conv2d):
        return name if name in ("weight", "bias") else None
    if isinstance(module, nn.MultiheadAttention):
        return {"in_proj_weight": "weight", "in_proj_bias": "bias"}.get(name)
    return None


def _draw(weight, scheme, std, generator):
    if scheme not in INITIALISATIONS:
        raise ValueError(f"initialisation '{scheme}' is unknown; known: {', '.join(INITIALISATIONS)}")
    numerator, fan, distribution = INITIALISATIONS[scheme]
    deviation = std if fan is None else math.sqrt(numerator / _fan(weight, fan))
    if distribution == "normal":
        weight.copy_(torch.randn(weight.shape, generator=generator) * deviation)
    else:
        # Uniform numbers in [-1, 1) have variance 1/3.
        span = 2 * torch.rand(weight.shape, generator=generator) - 1
        weight.copy_(span * (deviation * math.sqrt(3)))


def _fan(weight, fan) -> int:
    fan_in = weight[0].numel()
    fan_out = weight.shape[0] * weight[0, 0].numel()
    return fan_in if fan == "in" else fan_in + fan_out
