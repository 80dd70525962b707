"""Networks made up for tests of measures that stream through activations."""

import weakref

import numpy as np
import torch


def seen_in(found):
    """A tap that appends (name, activation) to a list and changes nothing."""

    def tap(name, activation):
        found.append((name, activation))
        return activation

    return tap


def listed(*features):
    """A network whose layers are given features of example number `images[:, 0]`."""
    return lambda images, tap: [tap(f"layer{i}", x[images[:, 0].long()]) for i, x in enumerate(features)]


class Store(np.ndarray):
    """Storage that can be watched: it lives as long as any tensor or view that shares its memory."""

    __hash__ = object.__hash__


class Watched:
    """A network of so many layers of 50 units that knows how many of its activations are in memory.

    alive: those now. most: of how many there were so far.
    """

    def __init__(self, layers):
        self.layers, self.alive, self.most = layers, weakref.WeakSet(), 0

    def __call__(self, images, tap):
        for layer in range(self.layers):
            memory = (
                np.random.default_rng(layer).normal(size=(len(images), 50)).astype(np.float32).view(Store)
            )
            self.alive.add(memory)
            activation = torch.from_numpy(memory)
            del memory
            self.most = max(self.most, len(self.alive))
            tap(f"layer{layer}", activation)
            del activation
