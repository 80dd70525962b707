"""Settings from a file, checked: each wrong one is refused by one line that says what it must be."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches

# Says what is wrong with a value: None for nothing, else what it must be.
Check = Callable[[object], str | None]


def known_keys(settings: Mapping, cls, where: str) -> Mapping:
    """The mapping itself, if every key is a field of the dataclass ``cls`` and none without a default is
    missing.

    Raises ValueError with the nearest name otherwise; ``where`` begins the line.
    """
    if not isinstance(settings, Mapping):
        raise ValueError(f"{where} is {settings!r}; it must be a mapping of settings to values")
    names = [entry.name for entry in fields(cls)]
    for key in settings:
        if key not in names:
            near = get_close_matches(str(key), names, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(names)}"
            raise ValueError(f"{where}: unknown key '{key}'; {hint}")
    for entry in fields(cls):
        # A field with neither kind of default has the same mark of absence in both.
        if entry.name not in settings and entry.default is entry.default_factory:
            raise ValueError(f"{where}: '{entry.name}' is missing")
    return settings


def refuse_wrong(settings: Mapping, checks: Mapping[str, Check], where: str) -> None:
    """Raise ValueError for the first setting that its check finds wrong."""
    for name, check in checks.items():
        if name in settings and (must := check(settings[name])):
            raise ValueError(f"{where}: {name} {must}")


def is_number(value) -> bool:
    """Whether it is a finite number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_whole(value) -> bool:
    """Whether it is a whole number; true, false and 2.0 are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def number(least: float = -math.inf, below: float = math.inf) -> Check:
    """A finite number in [least, below)."""
    words = "a finite number" if least == -math.inf else f"a number, at least {least:g}"
    words += f" and below {below:g}" if below < math.inf else ""

    def check(value):
        if is_number(value) and least <= value < below:
            return None
        return f"is {value!r}; it must be {words}"

    return check


def whole(least: int) -> Check:
    """A whole number that is not below ``least``."""

    def check(value):
        if is_whole(value) and value >= least:
            return None
        return f"is {value!r}; it must be a whole number, at least {least}"

    return check


def flag(value) -> str | None:
    """true or false."""
    return None if isinstance(value, bool) else f"is {value!r}; it must be true or false"


def one_of(names: Iterable[str]) -> Check:
    """One of the names."""
    names = list(names)

    def check(value):
        return None if value in names else f"'{value}' is unknown; known: {', '.join(names)}"

    return check


def rising(holds: Callable[[object], bool], words: str) -> Check:
    """A list whose entries pass ``holds``, each larger than the one before. words: what the entries are."""

    def check(values):
        good = isinstance(values, list | tuple) and all(map(holds, values))
        if good and all(a < b for a, b in zip(values, values[1:], strict=False)):
            return None
        return f"is {values!r}; it must be a list of {words}, each larger than the one before"

    return check


def names_only(values) -> str | None:
    """A list of names."""
    good = isinstance(values, list | tuple) and all(isinstance(value, str) for value in values)
    return None if good else f"is {values!r}; it must be a list of names"
