"""A population: one network, several seeds, its parameters stacked on a leading seed axis.

A population is a dictionary ``{name: tensor (seeds, ...)}`` of parameters and buffers, named as in the
network's state_dict.
"""

import math
from functools import partial

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F


def half_precision(device) -> bool:
    """Whether bf16 arithmetic is the processor's own: on any recent GPU, on a CPU with AMX or AVX512-BF16."""
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported()
    return any(
        getattr(torch.cpu, name, bool)() for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    )


def stack(members: list[dict]) -> dict[str, torch.Tensor]:
    """Members' state dicts to one population."""
    return {name: torch.stack([member[name] for member in members]) for name in members[0]}


def member(population: dict, index: int) -> dict[str, torch.Tensor]:
    """State dict of one member."""
    return {name: torch.as_tensor(value[index]) for name, value in population.items()}


def prepare_inputs(images: torch.Tensor, standardise: bool = False) -> torch.Tensor:
    """uint8 images to float32 in [0, 1]; features pass unchanged, but those of 16 bits as float32.

    standardise: give each image (channels, height, width on the last axes), or each example of features
    (examples, ...) of fewer axes, mean 0 and variance 1.
    """
    x = images.float() if images.dtype in (torch.uint8, torch.bfloat16, torch.float16) else images
    if images.dtype == torch.uint8:
        x.div_(255)
    if standardise:
        dims = tuple(range(max(1, x.dim() - 3), x.dim()))
        least = 1 / math.sqrt(x[0].numel())
        x = (x - x.mean(dims, keepdim=True)) / x.std(dims, keepdim=True).clamp_min(least)
    return x


def shrink(images: torch.Tensor, side: int) -> torch.Tensor:
    """uint8 images (examples, channels, height, width) averaged down to ``side`` pixels, or as they are."""
    if max(images.shape[2:]) <= side:
        return images
    parts = [F.interpolate(part.float(), (side, side), mode="area") for part in images.split(5000)]
    return torch.cat([part.round_().to(torch.uint8) for part in parts])


@torch.no_grad()
def layer_outputs(
    net: nn.Module,
    state: dict,
    images: torch.Tensor,
    layer: str | None = None,
    *,
    mask: torch.Tensor | None = None,
    batch: int = 500,
    standardise: bool = False,
    half: bool = False,
    device="cpu",
) -> torch.Tensor:
    """Outputs of one member in evaluation mode: logits, or the named layer flattened, (examples, units).

    float32 on the CPU. images: uint8 or float (examples, ...). mask: bool (examples, tokens), given to the
    network as ``mask``. half: bf16 arithmetic, an error of about 1e-2 in a logit; off for measures. Raises
    ValueError for a layer that the network does not have.
    """
    net = net.to(device).eval()
    state = {name: value.to(device) for name, value in state.items()}
    found = []
    for start in range(0, len(images), batch):
        here, seen = slice(start, start + batch), {}
        x = prepare_inputs(images[here].to(device), standardise)
        x = x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
        options = {"tap": None if layer is None else partial(_keep, seen, layer)}
        if mask is not None:
            options["mask"] = mask[here].to(device)
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half):
            logits = functional_call(net, state, (x,), options)
        if layer is not None and layer not in seen:
            raise ValueError(f"layer '{layer}' does not exist in this network")
        found.append((logits if layer is None else seen[layer]).flatten(1).float().cpu())
    return torch.cat(found)


def _keep(seen: dict, layer: str, name: str, value: torch.Tensor) -> torch.Tensor:
    """A tap that looks at one layer and changes nothing."""
    if name == layer:
        seen[name] = value
    return value


def accuracy(
    net: nn.Module, population: dict, images: torch.Tensor, labels: torch.Tensor, **options
) -> torch.Tensor:
    """Share of examples classified right, one number in [0, 1] a member, (seeds,) float64.

    options: of ``layer_outputs``.
    """
    shares = []
    for seed in range(len(next(iter(population.values())))):
        logits = layer_outputs(net, member(population, seed), images, **options)
        shares.append((logits.argmax(1) == labels.cpu()).double().mean())
    return torch.stack(shares)
