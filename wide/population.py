"""A population: one network, several seeds, its parameters stacked on a leading seed axis.

A population is a dictionary ``{name: tensor (seeds, ...)}`` of parameters and buffers, named as in the network's state_dict.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.func import functional_call, vmap

INITIALISATIONS = {  # name: (variance numerator, divisor: fan-in or fan-in + fan-out)
    "he_normal": (2.0, "in"),
    "lecun_normal": (1.0, "in"),
    "glorot_normal": (2.0, "both"),
}


def half_precision(device) -> bool:
    """Whether bf16 arithmetic is the processor's own: on any recent GPU, on a CPU with AMX or AVX512-BF16."""
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported()
    return any(getattr(torch.cpu, name, bool)() for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))


def weighted_layers(net: nn.Module) -> list[nn.Module]:
    """Linear and convolutional layers in order of definition; the last is the network's output layer."""
    return [module for module in net.modules() if isinstance(module, (nn.Linear, nn.Conv2d))]


def initialise(net: nn.Module, seed: int, hidden: str = "he_normal", last: str = "lecun_normal"):
    """Draw the weights of one member in place, float32 on the CPU, from a generator of its own; biases are 0.

    hidden, last: names in INITIALISATIONS; fan-in counts the kernel's area.
    """
    generator = torch.Generator().manual_seed(seed)
    layers = weighted_layers(net)
    for layer in layers:
        scheme = last if layer is layers[-1] else hidden
        if scheme not in INITIALISATIONS:
            raise ValueError(f"initialisation '{scheme}' is unknown; known: {', '.join(INITIALISATIONS)}")
        numerator, fan = INITIALISATIONS[scheme]
        fan_in = layer.weight[0].numel()
        fan_out = layer.weight.shape[0] * layer.weight[0, 0].numel()
        deviation = math.sqrt(numerator / (fan_in if fan == "in" else fan_in + fan_out))
        with torch.no_grad():
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator) * deviation)
            if layer.bias is not None:
                layer.bias.zero_()


def members_at_once(net: nn.Module, device, seeds: int) -> int:
    """How many members train as one stacked batch: a fixed rule, so that the same run gives the same bytes.

    On a CPU convolutions gain nothing from stacking (vmap turns them into grouped ones, two to four times slower), and
    dense networks gain until their parameters leave the cache: benchmarks/train_population.py measures both. On a GPU small
    networks leave most of it idle, so they are stacked until a member's share of it is large.
    """
    parameters = sum(parameter.numel() for parameter in net.parameters())
    convolutional = any(isinstance(layer, nn.Conv2d) for layer in weighted_layers(net))
    if torch.device(device).type == "cpu":
        return 1 if convolutional or parameters > 300_000 else min(seeds, 64)
    return max(1, min(seeds, (4_000_000 if convolutional else 100_000_000) // parameters))


def stack(members: list[dict]) -> dict[str, torch.Tensor]:
    """Members' state dicts to one population."""
    return {name: torch.stack([member[name] for member in members]) for name in members[0]}


def member(population: dict, index: int) -> dict[str, torch.Tensor]:
    """State dict of one member."""
    return {name: torch.as_tensor(value[index]) for name, value in population.items()}


def forward(net: nn.Module, population: dict, x: torch.Tensor) -> torch.Tensor:
    """Logits (seeds, examples, classes) of each member's own inputs (seeds, examples, ...).

    Running statistics of batch normalisation are kept per member: buffers carry the seed axis like parameters. A single
    member runs without vmap.
    """
    if len(x) == 1:
        state = {name: value[0] for name, value in population.items()}
        return functional_call(net, state, (x[0],)).unsqueeze(0)
    return vmap(lambda state, inputs: functional_call(net, state, (inputs,)), randomness="different")(population, x)


def prepare_inputs(images: torch.Tensor, standardise: bool = False) -> torch.Tensor:
    """uint8 images to float32 in [0, 1] (floats pass unchanged); ``standardise`` then gives each image mean 0 and variance 1."""
    x = images.float().div_(255) if images.dtype == torch.uint8 else images
    if standardise:
        dims = tuple(range(x.dim() - 3, x.dim()))
        x = (x - x.mean(dims, keepdim=True)) / x.std(dims, keepdim=True).clamp_min(1 / math.sqrt(x[0].numel()))
    return x


def shrink(images: torch.Tensor, side: int) -> torch.Tensor:
    """uint8 images (examples, channels, height, width) averaged down to ``side`` pixels; smaller ones pass unchanged."""
    if max(images.shape[2:]) <= side:
        return images
    return torch.cat([F.interpolate(part.float(), (side, side), mode="area").round_().to(torch.uint8) for part in images.split(5000)])


@torch.no_grad()
def layer_outputs(net: nn.Module, state: dict, images: torch.Tensor, layer: str | None = None, *, batch: int = 500,
                  standardise: bool = False, half: bool = False, device="cpu") -> torch.Tensor:
    """Outputs of one member in evaluation mode: logits, or the named layer flattened, float32 on the CPU, (examples, units).

    images: uint8 or float (examples, ...). half: bf16 arithmetic, an error of about 1e-2 in a logit; off for measures.
    """
    net = net.to(device).eval()
    state = {name: value.to(device) for name, value in state.items()}
    found = []
    for start in range(0, len(images), batch):
        x = prepare_inputs(images[start:start + batch].to(device), standardise)
        x = x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
        seen = {}
        tap = None if layer is None else lambda name, value: seen.update({name: value}) if name == layer else None
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half):
            logits = functional_call(net, state, (x,), {"tap": tap})
        if layer is not None and layer not in seen:
            raise ValueError(f"layer '{layer}' does not exist in this network")
        found.append((logits if layer is None else seen[layer]).flatten(1).float().cpu())
    return torch.cat(found)


def accuracy(net, population: dict, images, labels, **options) -> torch.Tensor:
    """Share of examples classified right, one number in [0, 1] a member, (seeds,) float64."""
    seeds = len(next(iter(population.values())))
    return torch.stack([(layer_outputs(net, member(population, seed), images, **options).argmax(1) == labels.cpu())
                        .double().mean() for seed in range(seeds)])
