"""Settings from a file, bound to the dataclass or function that uses them: keys, types, bounds.

The annotations are the one description: ``int`` (true and false are none), ``float`` (whole numbers, too),
``list[str]``, ``dict[str, int]``, ``Literal["a", "b"]``, ``int | None``, another dataclass; and a bound
beside a type, ``Annotated[int, at_least(1)]``. ``Named("variants")`` marks what must name something that
exists; whoever binds says what does. A field whose default None is not among its types may be left out, and
null is not one of its values. A dataclass with a constructor ``of``, such as a recipe, checks itself.
"""

import inspect
import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pipeline.bounds import Bound, parts_of, words
from pipeline.places import Place, mapping, one_line

LARGEST = sys.float_info.max


def bind(target, settings, place: Place, known: Mapping[str, Collection] | None = None):
    """``target(**settings)`` of a dataclass.

    known: what `Named` names may be, by kind.
    Raises ValueError, one line, for an unknown or missing key, for a value of another type or out of bounds,
    and for what the dataclass itself refuses.
    """
    if hasattr(target, "of"):
        return _of(target, settings, place)
    values = checked(target, settings, place, known)
    try:
        return target(**values)
    except ValueError as error:
        raise place.refused(error) from None


def checked(target, settings, place: Place, known=None, *, given=(), partial: bool = False) -> dict:
    """The settings as a class wants them, {name: value}, without making one of it.

    given: names of parameters that are not the settings' to state. partial: none is missed.
    Raises ValueError as `bind` does.
    """
    known, (hints, needed) = known or {}, parameters_of(target)
    names = [name for name in hints if name not in given]
    for key in mapping(settings, place):
        if key not in names:
            raise place.unknown(key, names, settings)
    for key in () if partial else needed:
        if key not in settings:
            raise place.missing(key, words(hints[key], known))
    return {key: fit(hints[key], value, place / key, known) for key, value in settings.items()}


@cache
def parameters_of(target) -> tuple[dict, list]:
    """({name: type} of what a class is made of, names of what has no default)."""
    hints = get_type_hints(target if is_dataclass(target) else target.__init__, include_extras=True)
    parameters = inspect.signature(target).parameters.values()
    needed = [entry.name for entry in parameters if entry.default is entry.empty]
    return {entry.name: hints.get(entry.name, Any) for entry in parameters}, needed


def fit(hint, value, place: Place, known: Mapping[str, Collection]):
    """The value, as the type wants it. Raises ValueError for one of another type or out of bounds."""
    kind, bounds = parts_of(hint)
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return bind(kind, value, place, known)
    if origin in (Union, UnionType):
        return _alternative(inner, value, place, known)
    if not _is(kind, value):
        raise place.wrong(value, words(hint, known))
    if origin is list:
        value = _entries(hint, inner[0], value, place, known)
    if origin is dict:
        value = _items(inner, value, place, known)
    for bound in bounds:
        if not (bound.holds(value) if isinstance(bound, Bound) else bound.holds(value, known)):
            raise place.wrong(value, words(hint, known))
    return value


def _is(kind, value) -> bool:
    """Whether a value is of a type, whatever stands inside."""
    origin = get_origin(kind) or kind
    if origin is Any:
        return True
    if origin is Literal:
        return any(value == each and type(value) is type(each) for each in get_args(kind))
    if origin in (float, int):
        number = isinstance(value, int if origin is int else int | float) and not isinstance(value, bool)
        return number and abs(value) <= LARGEST  # neither infinite nor no number
    return isinstance(value, Mapping if origin is dict else origin)


def _alternative(kinds, value, place, known):
    """The value as the one of the types that it is outwardly."""
    alike = [kind for kind in kinds if _is(parts_of(kind)[0], value) or is_dataclass(parts_of(kind)[0])]
    if len(alike) != 1:
        raise place.wrong(value, " or ".join(words(kind, known) for kind in kinds))
    return fit(alike[0], value, place, known)


def _entries(hint, inner, values, place, known) -> list:
    """Entries of a list. What is wrong with a plain one is said of the list, with another's number else."""
    if is_dataclass(parts_of(inner)[0]):
        return [fit(inner, value, place / number, known) for number, value in enumerate(values)]
    try:
        return [fit(inner, value, place, known) for value in values]
    except ValueError:
        raise place.wrong(values, words(hint, known)) from None


def _items(inner, values, place, known) -> dict:
    """Entries of a mapping, whose keys may have to name something."""
    mapping(values, place)
    for bound in parts_of(inner[0])[1]:
        there = known.get(bound.kind, values)
        for key in values:
            if key not in there:
                raise place.unknown(key, there)
        for key in there if bound.each else ():
            if key not in values:
                raise place.missing(key, words(inner[1], known))
    return {key: fit(inner[1], value, place / key, known) for key, value in values.items()}


def _of(target, settings, place):
    """What a dataclass that checks itself makes of settings; its errors, `recipe: lr is …`, are placed."""
    mapping(settings, place)
    try:
        return target.of(settings)
    except (ValueError, OverflowError) as error:
        raise _placed(one_line(error), place, target.__name__.lower()) from None


def _placed(message: str, place: Place, own: str) -> ValueError:
    head, _, rest = message.partition(" ")
    name = head.rstrip(":")
    place = place if name == own else place / name
    if head == name:  # `augment is 3; it must be …`
        return ValueError(f"{place} {rest}")
    key = re.match(r"'?(\w+)'? (?=is )", rest)
    return ValueError(f"{place / key[1]} {rest[key.end() :]}") if key else place.refused(rest)
