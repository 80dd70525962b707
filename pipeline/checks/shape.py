"""The shape of parameters files: which keys stand where, and of what type their values are.

Root: scale, width, scales. Papers: measures, shared, shown, across, and studies of one shape, {train,
variants, measure, at}. A variant has the shape of ``train``, and so do caps, which have a few keys more.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pipeline.bounds import DISTINCT, FILLED, Count, Named, Positive, Whole, between

MOST_SEEDS = 10_000

Seeds = Annotated[int, between(1, MOST_SEEDS)] | Annotated[list[Whole], FILLED, DISTINCT]
SeedsLeft = Annotated[int, between(0, MOST_SEEDS)] | Annotated[list[Whole], FILLED, DISTINCT]  # 0: left out
BySize = dict[Annotated[str, Named("sizes")], Seeds]
BySizeLeft = dict[Annotated[str, Named("sizes")], SeedsLeft]
ABSENT = None  # a default that no value can state: null is not of these types


@dataclass(frozen=True)
class Root:
    """params.yaml."""

    scale: Annotated[str, Named("scales")]
    width: Positive
    scales: Annotated[dict[str, Any], FILLED]


@dataclass(frozen=True)
class Scale:
    """What a scale caps."""

    data: dict[str, Any]
    train: dict[str, Any]
    measure: dict[str, Any]


@dataclass(frozen=True)
class Data:
    """Examples of a data set, training and other splits."""

    train: Count = ABSENT
    test: Count = ABSENT


@dataclass(frozen=True)
class Sizes:
    """Sizes of a study: widths, or depths beside one width or widths of equal parameters."""

    widths: Annotated[list[Positive], FILLED, DISTINCT] = ABSENT
    depths: Annotated[list[Whole], FILLED, DISTINCT] = ABSENT
    parameters_of: Count = ABSENT


@dataclass(frozen=True)
class SizeCaps(Sizes):
    """Caps on a study's sizes: those that are kept, and the largest width."""

    widest: Positive = ABSENT


@dataclass(frozen=True)
class Widest:
    """Caps on the sizes of all studies."""

    widest: Positive = ABSENT


@dataclass(frozen=True)
class Train:
    """What is trained; of a variant, what it changes of that."""

    net: dict[str, Any] = ABSENT
    set: Annotated[str, Named("data sets")] = ABSENT
    labels: str = ABSENT
    test: str = ABSENT
    sizes: Sizes = ABSENT
    seeds: Seeds | BySize = ABSENT
    recipe: dict[str, Any] = ABSENT
    share: Count = ABSENT
    random_labels: bool = ABSENT
    validation: Whole = ABSENT
    over: Annotated[dict[str, Annotated[list[Any], FILLED, DISTINCT]], FILLED] = ABSENT


NEEDED = ("net", "set", "labels", "test", "sizes", "seeds", "recipe")


@dataclass(frozen=True)
class Caps(Train):
    """Caps on training."""

    sizes: SizeCaps = ABSENT
    seeds: SeedsLeft | BySizeLeft = ABSENT
    views: Count = ABSENT
    examples: Count = ABSENT
    image_size: Count = ABSENT
    instead: dict[str, Any] = ABSENT


@dataclass(frozen=True)
class GeneralCaps(Caps):
    """Caps on the training of all studies."""

    sizes: Widest = ABSENT


@dataclass(frozen=True)
class StudyCaps(Caps):
    """Caps on one study's training."""

    variants: dict[Annotated[str, Named("variants")], Any] = ABSENT


@dataclass(frozen=True)
class MeasureCaps:
    """Caps on what measures are given; numbers of their own settings can be capped, too.

    points: examples measured or mapped. views: images shown in a retraining or probing.
    networks: members of a size.
    """

    points: Count = ABSENT
    views: Count = ABSENT
    networks: Count = ABSENT


@dataclass(frozen=True)
class Study:
    """One network on one data set with one recipe."""

    train: dict[str, Any]
    variants: Annotated[dict[str, dict[str, Any]], FILLED]
    measure: dict[str, Any]
    at: dict[Annotated[str, Named("scales", each=True)], dict[str, Any]]


@dataclass(frozen=True)
class OfScale:
    """A study's own caps at a scale."""

    train: dict[str, Any]
    measure: dict[str, Any]
