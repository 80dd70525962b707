"""What a network does with an image and how large it is, counted on torch's meta device: without numbers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.utils.flop_counter import FlopCounterMode

from pipeline.nets import network
from wide.training.stacking import members_at_once

ELEMENTWISE = (nn.ReLU, _NormBase)  # modules without FLOPs that count, slow on the meta device


@dataclass(frozen=True)
class Network:
    """A network before it is built: its file in wide/nets and what its constructor takes.

    options: as JSON, so that equal networks are equal keys.
    image: shape of an input as it reaches the network.
    """

    net: str
    width: float
    options: str
    image: tuple[int, ...]
    classes: int

    @classmethod
    def of(cls, net: str, width: float, options: dict, image: Sequence[int], classes: int) -> "Network":
        """A network with its options as a mapping."""
        return cls(net, width, json.dumps(options, sort_keys=True), tuple(image), classes)

    def build(self) -> nn.Module:
        """The network without numbers. Raises ValueError for one that cannot be."""
        with torch.device("meta"):
            options = json.loads(self.options)
            return network(self.net)(self.width, image=self.image, classes=self.classes, **options)


@dataclass(frozen=True)
class Work:
    """What a network does with one image, forward, and how large it is.

    layers, outputs: how many layers, and how many numbers they all put out. stored: bytes of parameters and
    buffers.
    """

    net: str
    layers: int
    outputs: int
    flops: int
    parameters: int
    stored: int


@cache
def work_of(told: Network) -> Work:
    """What a network does. Raises ValueError for one that cannot be."""
    net, outputs = told.build().eval(), {}
    stored = sum(value.numel() * value.element_size() for value in net.state_dict().values())
    for module in net.modules():
        if isinstance(module, ELEMENTWISE):
            module.forward = lambda x: x

    def tap(name, x):
        outputs[name] = x.numel()
        return x

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(torch.empty(1, *told.image, device="meta"), tap)
    parameters = sum(value.numel() for value in net.parameters())
    flops = counter.get_total_flops()
    return Work(told.net, len(net.layers), sum(outputs.values()), flops, parameters, stored)


@cache
def stacked(told: Network, device: str, members: int) -> int:
    """How many of so many members train at once on a kind of device."""
    return 1 if members == 1 else members_at_once(told.build(), device, members)
