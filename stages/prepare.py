"""A data set, cut to a scale: `python -m stages.prepare <set> <scale>`.

What a set is, and how it is made, stands in pipeline/sets/<set>.py.
"""

import sys

import numpy as np

from pipeline import sets
from pipeline.balance import balanced
from pipeline.lifetime import stage
from pipeline.parameters import declared
from pipeline.sets import INPUTS, Card
from wide import artifacts


@stage
def main(name: str, scale: str):
    """Write the set's images and labels; the file's card says where they are from and how many they are."""
    card, module = sets.card(name, scale), sets.module(name)
    caps = declared()["scales"][scale]["data"]
    sets.kept(card, caps)  # refuses a wrong cap before anything is downloaded
    listed = scale == "paper" and hasattr(module, "index")
    splits, more = module.index() if listed else module.make(scale == "smoke")
    agree(f"{name} at {scale}", card, splits)
    splits = {split: cut(data, caps.get(sets.capped_as(split))) for split, data in splits.items()}
    first = {
        "set": name,
        "source": "embedded stand-in" if scale == "smoke" else "official files, md5 verified",
        "examples": {split: len(next(iter(data.values()))) for split, data in splits.items()},
        "classes": {key: int(value.max()) + 1 for key, value in splits["train"].items() if key not in INPUTS},
    }
    artifacts.save_tensors(artifacts.dataset(scale, name), _tensors(splits), {**first, **more})


def cut(split: dict, most: int | None) -> dict:
    """At most ``most`` examples in their order, as many of each class (the first label) as can be; seeded.

    split: {"images" or "path": (examples, ...), label: (examples,)}, and so is what is returned.
    """
    labels = next(value for name, value in split.items() if name not in INPUTS)
    if most is None or most >= len(labels):
        return split
    kept = balanced(labels, most)
    return {name: value[kept] for name, value in split.items()}


def agree(what: str, card: Card, splits: dict):
    """Raise ValueError where the splits that were made are not what the set's card says of them."""
    _same(what, "splits", sorted(splits), sorted(card.splits))
    for split, data in splits.items():
        where = f"{what}, {split}:"
        number, most = len(next(iter(data.values()), ())), card.examples[split]
        if not card.fewer or not 0 < number <= most:
            _same(where, "examples", number, most)
        labels = {name: value for name, value in data.items() if name not in INPUTS}
        _same(where, "labels", sorted(labels), sorted(card.labels(split)))
        for name, value in labels.items():
            classes = card.classes[name]
            if split == "train" and name not in card.only:
                _same(where, f"classes of {name}", len(np.unique(value)), classes)
            if value.min() < 0 or value.max() >= classes:
                _same(where, f"values of {name}", f"{value.min()} to {value.max()}", f"0 to {classes - 1}")
        if "images" in data:
            _same(where, "shape of an image", data["images"].shape[1:], card.image)


def _same(where: str, what: str, found, expected):
    if found != expected:
        raise ValueError(
            f"{where} {what} {found}, but {expected} by the set's CARD in pipeline/sets: "
            "complete the official files, or correct the CARD"
        )


def _tensors(splits: dict) -> dict:
    """Images and paths as uint8, features, which are floats, as float32, labels as int64."""
    return {
        f"{split}/{key}": value.astype(_dtype(value) if key in INPUTS else np.int64)
        for split, data in splits.items()
        for key, value in data.items()
    }


def _dtype(inputs):
    return np.float32 if np.issubdtype(inputs.dtype, np.floating) else np.uint8


if __name__ == "__main__":
    main(*sys.argv[1:])
