"""CIFAR-100: 50,000 and 10,000 colour images of 100 classes (Krizhevsky 2009)."""

import numpy as np

from pipeline import embedded, raw
from pipeline.sets import Card

CARD = Card(
    examples={"train": 50_000, "test": 10_000},
    image=(3, 32, 32),
    classes={"fine": 100},
    at={"smoke": {"examples": {"train": 1500, "test": 300}, "classes": {"fine": 20}}},
)


def sources() -> tuple[raw.Source, ...]:
    """The official files, unpacked."""
    from torchvision import datasets  # slow to import, and a card needs nothing of it

    return (raw.Source("CIFAR100", datasets.CIFAR100, raw.cifar_files(datasets.CIFAR100)),)


def make(smoke: bool) -> tuple[dict, dict]:
    """The official splits with their fine labels; 20 classes at smoke, so that each has 75 images."""
    if smoke:
        return embedded.texture_splits(20, "fine"), {}
    train, test = raw.official(*sources())
    return {"train": _split(train), "test": _split(test)}, {}


def _split(data):
    return {"images": data.data.transpose(0, 3, 1, 2), "fine": np.array(data.targets)}
