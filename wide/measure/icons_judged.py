"""Whether an icon looks like a real image, by an independently trained network's features.

A classifier's confidence cannot tell: it is as sure of noise as of digits. What it was trained on fills a
small part of its feature space, and an icon is judged by how near it lies to real images there.
"""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata

from wide.measure.arrays import finite

BLUR = 2.0  # pixels: blots about as wide as a stroke of a digit, or a part of an object
LEVELS = 256  # of a pixel


def neighbour_cosine(features, reference, k: int = 10):
    """Mean cosine to the k nearest of the reference's rows, for each row: (m, n), (r, n) -> (m,) float64.

    features: of icons, reference: of real images, in the same network. In [-1, 1], in [0, 1] behind a ReLU;
    0 for a row without any activation. Raises ValueError for different numbers of units, fewer than k
    references, NaN and infinite values.
    """
    features, reference = finite("features", features, 2), finite("reference", reference, 2)
    if features.shape[1] != reference.shape[1] or not 1 <= k <= len(reference):
        shapes = f"features {features.shape} and reference {reference.shape}"
        raise ValueError(f"{shapes} need as many units, and {k} neighbours as many references or more")
    cosines = _unit(features) @ _unit(reference).T
    return np.partition(cosines, -k, axis=1)[:, -k:].mean(axis=1)


def _unit(rows):
    rows = rows.astype(np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms > 0, norms, 1)


def uniform_noise(count: int, shape, seed: int = 0):
    """Pictures whose pixels are independent and uniform: uint8 (count, *shape)."""
    return np.random.default_rng(seed).integers(0, LEVELS, (count, *shape), dtype=np.uint8)


def smooth_noise(images, count: int, blur: float = BLUR, seed: int = 0):
    """Blurred noise with the pixels' values of real images: uint8 (N, C, H, W) -> (count, C, H, W).

    Gaussian noise, blurred by `blur` pixels, each channel's values replaced rank by rank by those of the
    images: mean, contrast and the share of the dark are the images' own, and only what is shown differs.
    Raises ValueError for what is no uint8 images.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.dtype != np.uint8 or not images.size or count < 1:
        raise ValueError(f"images are {images.dtype} {images.shape}: give uint8 (N, C, H, W), and count >= 1")
    noise = np.random.default_rng(seed).normal(size=(count, *images.shape[1:]))
    noise = gaussian_filter(noise, (0, 0, blur, blur), mode="wrap")
    found = np.empty(noise.shape, np.uint8)
    for channel in range(images.shape[1]):
        counted = np.bincount(images[:, channel].ravel(), minlength=LEVELS).cumsum()
        rank = (rankdata(noise[:, channel], "ordinal") - 0.5) / noise[:, channel].size
        found[:, channel] = np.searchsorted(counted / counted[-1], rank).reshape(noise[:, channel].shape)
    return found
