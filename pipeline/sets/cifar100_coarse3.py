"""Three coarse classes of CIFAR-100: aquatic mammals, fish, flowers (Gilboa & Gur-Ari 2019, 5.2)."""

import pickle

import numpy as np

from pipeline import embedded, raw
from pipeline.sets import Card, cifar100

KEPT = ("aquatic_mammals", "fish", "flowers")

CARD = Card(
    examples={"train": 7_500, "test": 1_500},
    image=(3, 32, 32),
    classes={"coarse": 3, "fine": 15},
    at={"smoke": {"examples": {"train": 1500, "test": 300}}},
)

sources = cifar100.sources


def make(smoke: bool) -> tuple[dict, dict]:
    """CIFAR-100's images of the three classes: 7,500 and 1,500, of 15 fine classes, numbered anew from 0."""
    if smoke:
        splits = embedded.texture_splits(15, "fine")
        return {split: {**data, "coarse": data["fine"] // 5} for split, data in splits.items()}, {}
    train, test = raw.official(*sources())
    return {"train": _three(train, "train"), "test": _three(test, "test")}, {}


def _three(data, split):
    names = _unpickled(f"{data.base_folder}/{data.meta['filename']}")["coarse_label_names"]
    coarse = np.array(_unpickled(f"{data.base_folder}/{split}")["coarse_labels"])
    number = {names.index(name): new for new, name in enumerate(KEPT)}
    keep = np.isin(coarse, list(number))
    fine = np.array(data.targets)[keep]
    return {
        "images": data.data[keep].transpose(0, 3, 1, 2),
        "coarse": np.array([number[label] for label in coarse[keep]]),
        "fine": np.searchsorted(np.unique(fine), fine),
    }


def _unpickled(name):
    """What torchvision leaves out. A pickle may run anything, so its checksum is verified before."""
    return pickle.loads(raw.verified(*sources(), name), encoding="latin1")
