"""Networks: a file a network, each with a class ``Net(width, *, image, classes, **options)``.

Every network has ``layers``, the names of all its layers in forward order, "input" first and "logits"
last; ``penultimate``, the name of the layer whose output the last linear layer reads; ``units``, the
names of the layers whose units are measured, which are the outputs of ReLUs; and ``forward(x,
tap=None)``, which gives logits (examples, classes) and goes on from every layer with what ``tap(name,
activation)`` returns for it: the activation itself, or another tensor of its shape in its place. A module
may name options of a small network in ``EXAMPLE``, for tests.

Constructors raise ValueError for options of a wrong type and for networks that cannot be; the checks
stand below.
"""

import sys
from difflib import get_close_matches
from numbers import Integral, Real

MOST_UNITS = 2**20  # of one layer: beyond it lies a slip of the pen, and not a network
MOST_LAYERS = 10_000


def tapped(tap, name: str, activation):
    """What a network goes on with after a layer: the activation, or what a tap returns for it.

    Raises ValueError for a tap that returns nothing.
    """
    if tap is None:
        return activation
    returned = tap(name, activation)
    if returned is None:
        raise ValueError(f"the tap returned nothing at layer '{name}': return the activation")
    return returned


def inside(tap, place: str):
    """The tap for the layers of a part of a network: it sees them as ``place.name``."""
    if tap is None:
        return None
    return lambda name, activation: tapped(tap, f"{place}.{name}", activation)


def unit_count(amount: float) -> int:
    """A number of units or channels: rounded, at least 1. Raises ValueError for more than any layer has."""
    if amount > MOST_UNITS:
        raise ValueError(
            f"a layer of {amount:g} units is too wide: lower the width, at most {MOST_UNITS} units"
        )
    return max(1, round(amount))


def positive(name: str, value: float, *, most: float | None = None) -> float:
    """The value, if it is a finite number above 0 and at most ``most``."""
    highest = sys.float_info.max if most is None else most
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value <= highest:
        limit = "" if most is None else f" and at most {most:g}"
        raise ValueError(f"{name} is {value!r}: it must be a number above 0{limit}")
    return value


def whole(name: str, value: int, *, least: int = 1, most: int = MOST_UNITS) -> int:
    """The value, if it is a whole number within the limits."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= value <= most:
        raise ValueError(f"{name} is {value!r}: it must be a whole number from {least} to {most}")
    return value


def flag(name: str, value: bool) -> bool:
    """The value, if it is true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}: it must be true or false")
    return value


def one_of(name: str, value: str, known) -> str:
    """The value, if it is among the known names."""
    if not isinstance(value, str) or value not in known:
        near = get_close_matches(str(value), known, 1)
        guess = f" (did you mean '{near[0]}'?)" if near else ""
        raise ValueError(f"{name} {value!r} is unknown{guess}; known: {', '.join(known)}")
    return value


def input_shape(image, axes: int | None = None) -> tuple[int, ...]:
    """The shape of one input as a tuple, if it consists of so many whole numbers above 0."""
    valid = isinstance(image, (tuple, list)) and image and axes in (None, len(image))
    if not valid:
        wanted = "(channels, height, width)" if axes == 3 else "the sizes of its axes"
        raise ValueError(f"image is {image!r}: it must be the shape of one input, {wanted}")
    return tuple(whole("a side of image", side) for side in image)
