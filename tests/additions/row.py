"""What is known of an addition."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.additions.tree import END


@dataclass(frozen=True)
class Row:
    """An addition.

    files: {path: [(mark, what is put behind it)]}, mark END for the end of a file, old or new.
    new, stale: stages that there are then, and those of before that run again.
    without: {file: what is said where it alone is left out}, by `check` or by tests/test_repository.py.
    sizes: {(study, variant): {size: seeds}} that are trained then.
    doors: stages that are run, in this order.
    """

    files: dict
    new: set = field(default_factory=set)
    stale: set = field(default_factory=set)
    without: dict = field(default_factory=dict)
    sizes: dict = field(default_factory=dict)
    doors: tuple = ()


def whole(name: str) -> list:
    """A new file, which stands in this folder."""
    return [(END, (Path(__file__).parent / name).read_text())]
