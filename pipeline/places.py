"""Where a value stands in which file, and the one line that says what is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

LONGEST = 80  # characters of a value in a message
MOST = 12  # names listed in a message


@dataclass(frozen=True)
class Place:
    """A key in a file. ``place / "key"`` is the place of an entry."""

    file: str
    path: tuple = ()

    def __truediv__(self, key) -> "Place":
        return Place(self.file, (*self.path, str(key)))

    def __str__(self) -> str:
        return f"{self.file}: {'.'.join(self.path)}" if self.path else self.file

    def wrong(self, value, must: str) -> ValueError:
        """The error that a value is not what it must be."""
        return ValueError(f"{self} is {shown(value)}; it must be {must}")

    def refused(self, reason) -> ValueError:
        """The error that something about what stands here cannot be."""
        return ValueError(f"{self}: {one_line(reason)}")

    def unknown(self, key, known: Iterable, stated: Iterable = ()) -> ValueError:
        """The error that a key means nothing here. stated: keys that are here, so another was meant."""
        absent = [name for name in known if name not in stated]
        meant = absent if get_close_matches(str(key), map(str, absent), 1) else known
        return self.refused(f"unknown key '{key}'; {nearest(key, meant, 'known keys')}")

    def missing(self, key, must: str) -> ValueError:
        """The error that a key is not here."""
        return ValueError(f"{self / key} is missing; it must be {must}")


def mapping(value, place: Place) -> Mapping:
    """The value, if it is a mapping of names to values. Raises ValueError otherwise."""
    if not isinstance(value, Mapping):
        raise place.wrong(value, "a mapping of names to values")
    for key in value:
        if not isinstance(key, str):
            raise place.refused(f"the key {shown(key)} is no text; it must be one, in quotation marks")
    return value


def shown(value) -> str:
    """A value in one line, cut where it is long."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def one_line(text) -> str:
    """A text without its line breaks."""
    return " ".join(str(text).split())


def nearest(name, known: Iterable, kind: str) -> str:
    """What may have been meant by a name that is not known; known ones where none is near."""
    names = [str(each) for each in known]
    near = get_close_matches(str(name), names, 1)
    return f"did you mean '{near[0]}'?" if near else f"{kind}: {listed(names)}"


def listed(names: Iterable) -> str:
    """Names in a row, the first ones of many."""
    names = [str(each) for each in names]
    more = f", and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more if names else "(none)"
