"""Dropout by a tap in the training's forward pass, drawn from a member's seed, the step and the layer."""

import torch
from torch import nn

from wide.training.randomness import random_bits


class Dropout:
    """Which layers lose units at which rate; the others are × 1 / (1 - rate), as in
    torch.nn.functional.dropout.

    Dropped is each element of a layer's output, of an image each pixel of a channel, with the same
    probability.
    """

    def __init__(self, net: nn.Module, rate: float, dropped: tuple = ()):
        """dropped: names of layers, () for the network's ``units``. Raises ValueError for unknown ones."""
        layers = list(getattr(net, "layers", ()))
        self.rate, self.threshold = rate, round(rate * 2**32)
        names = dropped or getattr(net, "units", ())
        if not names:
            raise ValueError("dropout: this network names no `units`; name the layers in recipe.dropped")
        for name in names:
            if name not in layers:
                raise ValueError(f"dropout: layer '{name}' does not exist in this network")
        self.streams = {name: layers.index(name) for name in names}

    def tap(self, key: torch.Tensor):
        """The tap of one member, whose key in this step is (2,)."""

        def drop(name, x):
            if name not in self.streams:
                return x
            kept = random_bits(key, self.streams[name], x.numel()) >= self.threshold
            return x * kept.view(x.shape) / (1 - self.rate)

        return drop

    def tap_side_by_side(self, keys: torch.Tensor):
        """The tap of members side by side, (examples, members × channels, ...); keys (members, 2)."""

        def drop(name, x):
            if name not in self.streams:
                return x
            own = (len(x), x.shape[1] // len(keys), *x.shape[2:])
            kept = random_bits(keys, self.streams[name], x.numel() // len(keys)) >= self.threshold
            kept = kept.view(len(keys), *own).transpose(0, 1).flatten(1, 2)
            return x * kept / (1 - self.rate)

        return drop


def refuse_own_dropout(net: nn.Module) -> None:
    """Raise ValueError for a network that drops units itself, not by a member's seed."""
    for name, module in net.named_modules():
        layer = isinstance(module, nn.modules.dropout._DropoutNd) and module.p
        attention = isinstance(module, nn.MultiheadAttention) and module.dropout
        if layer or attention:
            raise ValueError(
                f"the network's layer '{name}' drops units by itself, which no seed determines: "
                "leave it out and set recipe.dropout"
            )
