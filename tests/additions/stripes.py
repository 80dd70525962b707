"""Stripes: made-up images of two classes, one striped along its rows and the other along its columns."""

import numpy as np

from pipeline.sets import Card

CARD = Card(examples={"train": 64, "test": 32}, image=(1, 8, 8), classes={"direction": 2})


def sources() -> tuple:
    """None: the images are made here, at every scale."""
    return ()


def make(smoke: bool) -> tuple[dict, dict]:
    """Both splits, noise upon the stripes, the classes in turn."""
    return {split: _split(number) for split, number in CARD.examples.items()}, {}


def _split(number: int) -> dict:
    directions = np.arange(number) % 2
    rows = np.tile(np.arange(8)[:, None] % 2, (1, 8)) * 200.0
    images = np.where(directions[:, None, None], rows.T, rows)
    noise = np.random.default_rng(number).uniform(0, 55, images.shape)
    return {"images": (images + noise).astype(np.uint8)[:, None], "direction": directions}
