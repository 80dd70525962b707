"""CIFAR-10: 50,000 and 10,000 colour images of 10 classes (Krizhevsky 2009)."""

import numpy as np

from pipeline import embedded, raw
from pipeline.sets import Card

CARD = Card(
    examples={"train": 50_000, "test": 10_000},
    image=(3, 32, 32),
    classes={"class": 10},
    at={"smoke": {"examples": {"train": 1500, "test": 300}}},
)


def sources() -> tuple[raw.Source, ...]:
    """The official files, unpacked."""
    from torchvision import datasets  # slow to import, and a card needs nothing of it

    return (raw.Source("CIFAR10", datasets.CIFAR10, raw.cifar_files(datasets.CIFAR10)),)


def make(smoke: bool) -> tuple[dict, dict]:
    """The official splits."""
    if smoke:
        return embedded.texture_splits(10, "class"), {}
    train, test = raw.official(*sources())
    return {"train": _split(train), "test": _split(test)}, {}


def _split(data):
    return {"images": data.data.transpose(0, 3, 1, 2), "class": np.array(data.targets)}
