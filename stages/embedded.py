"""Stand-ins for scale smoke: data of the right shapes that need no network, learnable, and of no scientific meaning."""
import numpy as np
from scipy import ndimage
from sklearn.datasets import load_digits


def digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's 1,797 handwritten digits, 8 × 8 brought to 28 × 28: uint8 (examples, 1, 28, 28) and labels."""
    images, labels = load_digits(return_X_y=True)
    images = ndimage.zoom(images.reshape(-1, 8, 8), (1, 3, 3), order=1) * (255 / 16)
    images = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    return images.clip(0, 255).astype(np.uint8)[:, None], labels


def textures(classes: int, examples: int, side: int = 32, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Colour gratings, a direction, frequency and colour a class, with noise: uint8 (examples, 3, side, side) and labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(examples) % classes
    kinds = np.random.default_rng(1234)
    angle, frequency = kinds.uniform(0, np.pi, classes), kinds.uniform(1, 4, classes)
    colour = kinds.uniform(0.2, 1, (classes, 3))
    y, x = np.mgrid[:side, :side] / side
    wave = (x * np.cos(angle)[labels, None, None] + y * np.sin(angle)[labels, None, None]) * frequency[labels, None, None]
    wave = np.sin(2 * np.pi * (wave + rng.uniform(0, 1, (examples, 1, 1))))
    images = 0.5 + 0.35 * wave[:, None] * colour[labels][:, :, None, None] + rng.normal(0, 0.12, (examples, 3, side, side))
    order = rng.permutation(examples)
    return (images.clip(0, 1) * 255).astype(np.uint8)[order], labels[order]
