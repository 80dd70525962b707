"""Networks on torch's meta device: tensors have shapes and no numbers, so that any size costs nothing."""

from functools import cache

import torch
from torch.overrides import TorchFunctionMode

from pipeline.nets import network
from pipeline.places import one_line
from wide.training.dropout import Dropout, refuse_own_dropout


class Remembered(TorchFunctionMode):
    """Gives what a function of tensors has made before of tensors of the same shapes.

    The layers of a deep network are mostly alike, and without numbers alike tensors are equal.
    """

    def __init__(self):
        super().__init__()
        self.made = {}

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        key = (func, *map(_said, args), *((name, _said(value)) for name, value in kwargs.items()))
        try:
            known = key in self.made
        except TypeError:  # an argument that is no key
            return func(*args, **kwargs)
        if not known:
            self.made[key] = func(*args, **kwargs)
        return self.made[key]


def _said(value):
    """What the result's shape depends on."""
    if isinstance(value, torch.Tensor):
        return value.shape, value.dtype
    return tuple(map(_said, value)) if isinstance(value, list | tuple) else value


REMEMBERED = Remembered()


@cache
def rehearsed(name: str, width: float, image: tuple, classes: int, options: tuple, batch: int) -> tuple:
    """A network, and {layer: shape of its output for one input}, from a training step's forward pass.

    image: shape of one input. options: ((name, value), ...), lists as tuples. batch: examples of a step.
    Raises ValueError in one line for a network that cannot be, and for inputs that it cannot be trained on.
    """
    shapes = {}

    def keep(layer, value):
        shapes[layer] = tuple(value.shape[1:])
        return value

    try:
        with torch.device("meta"):
            net = network(name)(width, image=image, classes=classes, **dict(options)).train()
            inputs = torch.zeros(min(batch, 2), *image)
        with torch.no_grad(), REMEMBERED:
            logits = net(inputs, keep)
        refuse_own_dropout(net)
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        raise ValueError(one_line(error)) from None
    if tuple(logits.shape) != (len(inputs), classes):
        raise ValueError(f"its logits are of shape {tuple(logits.shape)}, not {(len(inputs), classes)}")
    return net, shapes


def refuse_dropout(net, recipe):
    """Raise ValueError where the recipe names layers, whose units it drops, that the network lacks."""
    if recipe.dropout or recipe.dropped:
        Dropout(net, recipe.dropout, recipe.dropped)
