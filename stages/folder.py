"""Images that lie in a folder: decoded once into an array, or whenever they are asked for (ImageNet at scale paper)."""
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image


def rgb(path, least: int | None = None) -> Image.Image:
    """The image in a file, as RGB whatever the file holds (greyscale and CMYK are converted).

    least: a JPEG may be decoded at a half, a quarter or an eighth of its size, which is fast, while no side falls below ``least``.
    Raises ValueError in one line for a file that is missing, damaged or truncated.
    """
    try:
        with Image.open(path) as image:
            if least:
                image.draft("RGB", (least, least))
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path} is missing, damaged or truncated ({error}): put the official file there") from error


def stacked(paths, side: int) -> np.ndarray:
    """All the images in memory, uint8 (examples, 3, side, side). Raises ValueError as `rgb` does, and for another size."""
    images = np.empty((len(paths), 3, side, side), np.uint8)
    for image, path in zip(images, paths):
        pixels = np.asarray(rgb(path))
        if pixels.shape != (side, side, 3):
            raise ValueError(f"{path} is {pixels.shape[1]} x {pixels.shape[0]} pixels, not {side} x {side}: put the official file there")
        image[:] = pixels.transpose(2, 0, 1)
    return images


def images_of(splits: dict, split: str, kept=slice(None)):
    """Images of a prepared data set's split: a uint8 tensor, or where `prepare` lists files a Folder of them (256 pixels to train on, from
    which augmentation takes parts, and the central 224 to test on, as ImageNet is used)."""
    if f"{split}/path" in splits:
        return Folder(splits[f"{split}/path"][kept], 256 if split == "train" else 224, 256)
    return torch.from_numpy(splits[f"{split}/images"][kept])


class Folder:
    """Stands for uint8 images (examples, 3, side, side) where a training or a measure indexes them, and decodes what it takes.

    paths: of the image files: strings (examples,), or uint8 (examples, bytes) as `prepare` stores them, padded with zeros.
    side, resize: in pixels; the shorter side is brought to ``resize`` (bilinear, with antialiasing), then the centre is cropped.
    device: where the images that are taken go. Raises ValueError for a crop larger than the image.
    """
    dtype = torch.uint8

    def __init__(self, paths, side: int, resize: int, device="cpu"):
        if not 0 < side <= resize:
            raise ValueError(f"a crop of {side} pixels from an image whose shorter side is {resize}: make the crop smaller")
        paths = np.asarray(paths)
        if paths.dtype == np.uint8:
            paths = np.ascontiguousarray(paths).view(f"S{paths.shape[1]}")[:, 0]
        self.paths, self.side, self.resize, self.device = paths.astype("S"), side, resize, device
        self.pool = ThreadPoolExecutor()

    def __len__(self):
        return len(self.paths)

    @property
    def shape(self) -> torch.Size:
        return torch.Size((len(self), 3, self.side, self.side))

    def to(self, device) -> "Folder":
        """The same images, delivered to another device."""
        return Folder(self.paths, self.side, self.resize, device)

    def __getitem__(self, index) -> torch.Tensor:
        """uint8 (n, 3, side, side) for a slice or a list, array or tensor of n indices; (3, side, side) for one number."""
        chosen = self.paths[index.cpu().numpy() if isinstance(index, torch.Tensor) else index]
        many = np.atleast_1d(chosen)
        images = np.empty((len(many), self.side, self.side, 3), np.uint8)
        for image, pixels in zip(images, self.pool.map(self._pixels, many)):
            image[:] = pixels
        images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().to(self.device)
        return images if np.ndim(chosen) else images[0]

    def _pixels(self, path):
        image = rgb(path.decode(), 2 * self.resize)  # twice: the antialiased reduction that remains hides JPEG's own
        shorter = min(image.size)
        width, height = (side * self.resize // shorter for side in image.size)
        left, top = (width - self.side) // 2, (height - self.side) // 2
        return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + self.side, top + self.side)))
