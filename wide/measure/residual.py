"""What only residual networks have, asked for by the measures that need it."""

from copy import copy

from torch import nn

NEEDED = ("blocks", "post_residual", "adds", "before_adds", "deletable", "stage_of")


def residual(net):
    """The network itself, if it names its residual blocks and their layers.

    A variant without additions (figure C.1) names them, too. Raises ValueError for a network without
    blocks.
    """
    if not all(hasattr(net, name) for name in NEEDED):
        name = type(net).__module__.rpartition(".")[2]
        raise ValueError(f"this measure needs residual blocks, and {name} has none: measure another network")
    return net


class Skipping:
    """A residual network as a function of images and blocks to leave out, which repeats no layer before them.

    net: in evaluation mode. Called with no block to leave out it keeps what enters each block; called with
    the same images and blocks of one stage up to its last, it goes on with what entered the first of them,
    behind the last. Memory holds the inputs of all blocks.
    """

    def __init__(self, net):
        self.net, self.entering, self.ends = residual(net), {}, {}
        self.names = list(net.blocks)
        before = [list(net.stem)[-1], *(f"{name}.{block.layers[-1]}" for name, block in net.blocks.items())]
        before[0] = f"stem.{before[0]}"
        self.enters = dict(zip(before, self.names))

    def __call__(self, images, skip=frozenset()):
        """Logits (B, classes) of images (B, ...) as the network takes them, without the blocks in skip."""
        if not skip:
            self.entering = {}
            return self.net(images, tap=self._keep)
        places = [place for place, name in enumerate(self.names) if name in skip]
        return self._behind(places[-1])(self.entering[self.names[places[0]]])

    def _keep(self, name, activation):
        if name in self.enters:
            self.entering[self.enters[name]] = activation
        return activation

    def _behind(self, place):
        """The same network without the stem and the blocks up to a place; it shares all weights."""
        if place not in self.ends:
            end = copy(self.net)
            end.__dict__["_modules"] = dict(self.net.__dict__["_modules"])
            end.stem = nn.ModuleDict()
            end.blocks = {name: self.net.blocks[name] for name in self.names[place + 1 :]}
            self.ends[place] = end
        return self.ends[place]
