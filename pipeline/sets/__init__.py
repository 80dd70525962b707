"""Data sets: one module a set, found by its name. A new set is one new file here, with

CARD: what the set is, known before anything is prepared (`Card`).
sources(): where its official files come from, a tuple of `pipeline.raw.Source`.
make(smoke): its splits, {split: {"images": uint8 (examples, channels, height, width), label: int
    (examples,)}}, and what the prepared file's card says of it besides, a dictionary. smoke: whether they are
    stand-ins of the same shapes, as at scale smoke and only there.
index(): only where a set is larger than memory; scale paper calls it instead of ``make``. "path" stands in
    the place of "images": uint8 (examples, bytes), each image's file padded with zeros.

What a set needs and no other does, such as a stand-in of its own kind, belongs into its file: then no other
set is prepared again. Slow imports belong into the functions: `check` asks for every card.
"""

import pkgutil
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType

INPUTS = ("images", "path")  # what is not a label


@dataclass(frozen=True)
class Card:
    """What a data set is at a scale.

    examples: {split: number of examples}, before a scale's caps.
    image: (channels, height, width) in pixels.
    classes: {label: number of classes}; labels run from 0.
    only: {label: splits that have it}, for a label that some splits lack.
    fewer: the official files may be there in part, so that ``examples`` is the most there can be.
    at: {scale: fields that differ there}; `card` has applied them.
    """

    examples: dict[str, int]
    image: tuple[int, int, int]
    classes: dict[str, int]
    only: dict[str, tuple[str, ...]] = field(default_factory=dict)
    fewer: bool = False
    at: dict[str, dict] = field(default_factory=dict)

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits."""
        return tuple(self.examples)

    def labels(self, split: str) -> tuple[str, ...]:
        """Names of the labels that a split has."""
        return tuple(label for label in self.classes if split in self.only.get(label, self.splits))


def names() -> list[str]:
    """Every data set's name, in alphabetical order."""
    return sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_"))


def module(name: str) -> ModuleType:
    """A set's module. Raises ValueError for a name that no set has."""
    known = names()
    if name not in known:
        near = get_close_matches(str(name), known, 1)
        guess = f" (did you mean {near[0]}?)" if near else ""
        raise ValueError(f"there is no data set {name!r}{guess}; the sets are {', '.join(known)}")
    return import_module(f"{__name__}.{name}")


def card(name: str, scale: str) -> Card:
    """What a set is at a scale, before the scale's caps. Raises ValueError for a name that no set has."""
    general = module(name).CARD
    return replace(general, **general.at.get(scale, {}), at={})


def kept(card: Card, caps: dict) -> dict[str, int]:
    """Examples of each split after a scale's caps, {"train": n, "test": n}, of which either may be left out.

    Raises ValueError for a cap of another name, and for one that is not a whole number from 1 up.
    """
    for name, cap in caps.items():
        if name not in ("train", "test"):
            raise ValueError(f"data.{name} caps nothing: examples are capped by data.train and data.test")
        if type(cap) is not int or cap < 1:
            raise ValueError(f"data.{name} is {cap!r}, and it must be a whole number of examples, 1 or more")
    number = card.examples
    return {split: min(number[split], caps.get(capped_as(split), number[split])) for split in card.splits}


def capped_as(split: str) -> str:
    """Which of a scale's caps holds for a split: "train" for the one to train on, "test" for every other."""
    return "train" if split == "train" else "test"


def sources() -> list:
    """Every source of official files (`pipeline.raw.Source`), once each."""
    return list({source.name: source for name in names() for source in module(name).sources()}.values())
