"""What an edit may do to a key besides giving it another value."""

from dataclasses import dataclass

MISSING = object()  # the key goes


@dataclass(frozen=True)
class Renamed:
    """The key's other name."""

    name: str
