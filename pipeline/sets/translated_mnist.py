"""Translated MNIST: digits in all their cyclic horizontal shifts (Gilboa & Gur-Ari 2019, section 4.2)."""

import numpy as np

from pipeline.balance import balanced
from pipeline.sets import Card, mnist

SHIFTS = 28  # as many as an image has columns

CARD = Card(
    examples={"train": 50_000 // SHIFTS * SHIFTS, "test": 10_000, "test_shifted": 10_000},
    image=(1, 28, 28),
    classes={"digit": 10, "shift": SHIFTS, "origin": 50_000},
    only={"origin": ("train",)},
    at={
        "smoke": {
            "examples": {"train": 1500 // SHIFTS * SHIFTS, "test": 297, "test_shifted": 297},
            "classes": {"digit": 10, "shift": SHIFTS, "origin": 1500},
        }
    },
)

sources = mnist.sources


def make(smoke: bool) -> tuple[dict, dict]:
    """Labels are digit, shift and, to train on, origin: the number of the MNIST image that it is a copy of.

    floor(50,000 / 28) = 1,785 images are drawn, each in all 28 shifts. The test set is left unchanged
    (shift 0), as in the paper; "test_shifted" gives each test image a shift drawn once, for classifying
    shifts, where the paper does not say.
    """
    splits, more = mnist.make(smoke)
    train, test = splits["train"], splits["test"]
    rng = np.random.default_rng(0)
    originals = len(train["images"]) // SHIFTS
    chosen = np.sort(rng.permutation(len(train["images"]))[:originals])
    if smoke:  # so few originals that a class could be left with one
        chosen = balanced(train["digit"], originals)
    drawn = rng.integers(0, SHIFTS, len(test["images"]))
    return {
        "train": _all_shifts(train, chosen),
        "test": {**test, "shift": np.zeros(len(test["images"]), np.int64)},
        "test_shifted": {"images": _roll(test["images"], drawn), "digit": test["digit"], "shift": drawn},
    }, more


def _all_shifts(train, chosen):
    images, digits = (np.repeat(train[key][chosen], SHIFTS, 0) for key in ("images", "digit"))
    shifts = np.tile(np.arange(SHIFTS), len(chosen))
    return {
        "images": _roll(images, shifts),
        "digit": digits,
        "shift": shifts,
        "origin": np.repeat(chosen, SHIFTS),
    }


def _roll(images, shifts):
    columns = (np.arange(images.shape[3]) - shifts[:, None]) % images.shape[3]
    return np.take_along_axis(images, columns[:, None, None], 3)
