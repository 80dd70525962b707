"""Settings from a file, bound to the dataclass or function that uses them: keys, types and bounds are checked.

The annotations are the one description: ``int`` (true and false are none), ``float`` (whole numbers, too),
``list[str]``, ``dict[str, int]``, ``Literal["a", "b"]``, ``int | None``, another dataclass; and a bound beside
a type, ``Annotated[int, at_least(1)]``. ``Named("variants")`` marks what must name something that exists;
whoever binds says what does. A dataclass with a constructor ``of``, such as a recipe, checks itself.
"""

import inspect
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import is_dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pipeline.bounds import Bound, parts_of, words
from pipeline.places import Place, mapping, one_line


def bind(target, settings, place: Place, known: Mapping[str, Collection] | None = None):
    """``target(**settings)`` of a dataclass.

    known: what `Named` names may be, by kind. Raises ValueError, one line, for an unknown or missing key, for a
    value of another type or out of bounds, and for what the dataclass itself refuses.
    """
    if hasattr(target, "of"):
        return _of(target, settings, place)
    values = checked(target, settings, place, known)
    try:
        return target(**values)
    except ValueError as error:
        raise place.refused(error) from None


def checked(target, settings, place: Place, known=None, *, given: Collection = (), partial: bool = False) -> dict:
    """The settings as a dataclass or a function wants them, {name: value}, without calling it.

    given: names of parameters that are not the settings' to state. partial: none is missed. Raises ValueError
    as `bind` does.
    """
    known = known or {}
    hints = get_type_hints(target if is_dataclass(target) else target.__init__, include_extras=True)
    parameters = [entry for entry in inspect.signature(target).parameters.values() if entry.name not in given]
    names = [entry.name for entry in parameters]
    for key in mapping(settings, place):
        if key not in names:
            raise place.unknown(key, names)
    for entry in parameters:
        if entry.default is entry.empty and entry.name not in settings and not partial:
            raise place.missing(entry.name, words(hints[entry.name], known))
    return {key: fit(hints[key], value, place / key, known) for key, value in settings.items()}


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
    if origin is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if origin is int:
        return isinstance(value, int) and not isinstance(value, bool)
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
    """What a dataclass that checks itself makes of settings; its errors, `recipe: lr is …`, get their place."""
    mapping(settings, place)
    try:
        return target.of(settings)
    except ValueError as error:
        raise _placed(one_line(error), place, target.__name__.lower()) from None


def _placed(message: str, place: Place, own: str) -> ValueError:
    head, _, rest = message.partition(" ")
    name = head.rstrip(":")
    place = place if name == own else place / name
    if head == name:  # `augment is 3; it must be …`
        return ValueError(f"{place} {rest}")
    key = re.match(r"'?(\w+)'? (?=is )", rest)
    return ValueError(f"{place / key[1]} {rest[key.end() :]}") if key else place.refused(rest)
