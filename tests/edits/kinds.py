"""What an edit may do to a key besides giving it another value."""

from dataclasses import dataclass


class _Missing:
    def __repr__(self):
        return "missing"


MISSING = _Missing()  # the key goes


@dataclass(frozen=True)
class Renamed:
    """The key's other name."""

    name: str
