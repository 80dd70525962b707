"""Types of settings in annotations, bounds beside them, and what either is called in an error."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pipeline.places import listed

NOUNS = {  # of a type: one, several
    bool: ("true or false", "true or false"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
    NoneType: ("null", "null"),
    Any: ("a value", "values"),
}


@dataclass(frozen=True)
class Bound:
    """What holds for a value besides its type. words: stand behind the type's."""

    words: str
    holds: Callable[[Any], bool]


def at_least(least: float) -> Bound:
    """For numbers."""
    return Bound(f" of at least {least}", lambda value: value >= least)


def above(limit: float) -> Bound:
    """For numbers."""
    return Bound(f" above {limit}", lambda value: value > limit)


def below(limit: float, least: float = 0) -> Bound:
    """For numbers."""
    return Bound(f" of at least {least} and below {limit}", lambda value: least <= value < limit)


def between(least: float, most: float) -> Bound:
    """For numbers."""
    return Bound(f" from {least} to {most}", lambda value: least <= value <= most)


FILLED = Bound(", at least one", bool)  # for lists and mappings
DISTINCT = Bound(", none twice", lambda values: not any(one in values[:at] for at, one in enumerate(values)))

Count = Annotated[int, at_least(1)]
Whole = Annotated[int, at_least(0)]
Positive = Annotated[float, above(0)]
Seed = Annotated[int, between(0, 2**32 - 1)]


@dataclass(frozen=True)
class Named:
    """A name, or a number, of something that exists. kind: of what, in the plural.

    each: of a mapping's keys, that it must have one for each of these.
    """

    kind: str
    each: bool = False

    def holds(self, value, known: Mapping[str, Collection]) -> bool:
        """Whether it exists, as far as that is known."""
        return self.kind not in known or value in known[self.kind]

    def words(self, known: Mapping[str, Collection]) -> str:
        """What does exist."""
        there = known.get(self.kind)
        if there is None:
            return ""
        if isinstance(there, range):
            return f" among the {self.kind} {there.start} to {there.stop - 1}"
        return f" among the {self.kind} {listed(there)}"


def words(hint, known: Mapping[str, Collection], many: bool = False) -> str:
    """What a value of a type is, in words. many: in the plural."""
    kind, bounds = parts_of(hint)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(words(each, known, many) for each in inner)
    if origin is Literal:
        return "one of " + ", ".join(map(str, inner))
    if origin is list:
        noun = f"{'lists' if many else 'a list'} of {words(inner[0], known, many=True)}"
    elif origin is dict:
        noun = f"{'mappings' if many else 'a mapping'} of names to {words(inner[1], known, many=True)}"
    else:
        noun = NOUNS.get(kind, ("a mapping of names to values", "mappings of names to values"))[many]
    limits = [bound.words if isinstance(bound, Bound) else bound.words(known) for bound in bounds]
    return noun + "".join(limits)


def parts_of(hint):
    """A type and its bounds."""
    if get_origin(hint) is Annotated:
        kind, *bounds = get_args(hint)
        return kind, bounds
    return hint, []
