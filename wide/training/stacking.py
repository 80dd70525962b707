"""Members side by side: how many train as one stack, in which way, and their forward pass.

Both are fixed rules of device, network and number of members, so that the same run gives the same bytes.
"""

import torch
from torch import nn
from torch.func import functional_call, vmap

from wide.training.dropout import Dropout
from wide.training.initialisation import weighted_layers
from wide.training.side_by_side import SideBySide, separable

NARROW = 8  # channels of the first convolution, up to which members lie side by side on the channel axis
FEWEST, MOST = 8, 16  # members that are worth it on a CPU, and in one stack


def members_at_once(net: nn.Module, device, members: int) -> int:
    """How many members train as one stack.

    On a CPU convolutions gain nothing from vmap, which turns them into grouped ones, two to four times
    slower; narrow ones gain from lying side by side on the channel axis, 16 at a time, once there are 8 or
    more. Dense networks gain until their parameters leave the cache. benchmarks/ measures all three. On a GPU
    small networks leave most of it idle, so they are stacked until a member's share of it is large.
    """
    parameters = sum(parameter.numel() for parameter in net.parameters())
    convolutional = any(isinstance(layer, nn.Conv2d) for layer in weighted_layers(net))
    if torch.device(device).type != "cpu":
        # Measured under vmap; narrow convolutional networks side by side have never run on a GPU.
        return max(1, min(members, (4_000_000 if convolutional else 100_000_000) // parameters))
    if not convolutional:
        return 1 if parameters > 300_000 else min(members, 64)
    return min(members, MOST) if members >= FEWEST and beside(net) else 1


def pieces(net: nn.Module, device, members: int) -> list[slice]:
    """The members of each stack. A piece trained by a call of its own is stacked in the same way."""
    found, start = [], 0
    while start < members:
        stop = start + members_at_once(net, device, members - start)
        found.append(slice(start, stop))
        start = stop
    return found


def beside(net: nn.Module) -> bool:
    """Whether the members of a stack lie side by side on the channel axis: narrow convolutional networks.

    Narrow is a first convolution of at most 8 channels: a member alone leaves most of its time to overhead,
    at 1, 2, 4 and 8 channels 16 members side by side train 5, 3, 2.5 and 1.9 times as fast.
    """
    first = next((layer for layer in weighted_layers(net) if isinstance(layer, nn.Conv2d)), None)
    return first is not None and first.out_channels <= NARROW and separable(net)


def arranged(net: nn.Module, members: int) -> nn.Module:
    """The network as ``forward`` takes it for a stack of so many members: or a copy that holds all."""
    return SideBySide(net, members) if members > 1 and beside(net) else net


def forward(
    net: nn.Module,
    population: dict,
    x: torch.Tensor,
    *,
    mask: torch.Tensor | None = None,
    dropout: Dropout | None = None,
    keys: torch.Tensor | None = None,
) -> torch.Tensor:
    """Logits (members, examples, classes) of each member's own inputs (members, examples, ...).

    net: as ``arranged`` gives it. mask: bool (members, examples, tokens), given to the network as ``mask``.
    dropout, keys: layers whose units are dropped, and the members' keys in this step, (members, 2).

    Running statistics of batch normalisation are kept per member: buffers carry the members' axis like
    parameters. A single member runs plainly, several side by side on the channel axis or under vmap.
    """
    if isinstance(net, SideBySide):
        return net(population, x, tap=None if dropout is None else dropout.tap_side_by_side(keys))

    def one(state, inputs, own):
        options = {"mask": own["mask"]} if "mask" in own else {}
        if dropout is not None:
            options["tap"] = dropout.tap(own["keys"])
        return functional_call(net, state, (inputs,), options)

    own = {name: value for name, value in (("mask", mask), ("keys", keys)) if value is not None}
    if len(x) > 1:
        return vmap(one, randomness="different")(population, x, own)
    state, own = ({name: value[0] for name, value in part.items()} for part in (population, own))
    return one(state, x[0], own).unsqueeze(0)
