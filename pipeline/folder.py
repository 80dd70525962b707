"""Images that lie in a folder: decoded once into an array, or whenever they are asked for.

The latter is for ImageNet at scale paper, which is more than memory holds.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image

RAW = Path("data/raw")  # where official files lie, and how paths of them are stored wherever they lie
# Below a checkout: where `dvc exp run --temp` and `--queue` run in copies of it, without ignored files.
COPIES = (".dvc", "tmp", "exps")


def raw_folder() -> Path:
    """The folder of the official files: WIDE_RAW, or data/raw of this checkout or of the one it is a copy of.

    Raises ValueError for a WIDE_RAW that is not an absolute path.
    """
    named = os.environ.get("WIDE_RAW")
    if named:
        if not Path(named).is_absolute():
            raise ValueError(f"WIDE_RAW is {named!r}, and it must be an absolute path: give the whole path")
        return Path(named)
    if not RAW.is_dir():
        for folder in Path.cwd().parents:
            if folder.parts[-3:] == COPIES:
                return folder.parents[2] / RAW
    return RAW


def located(path: str) -> str:
    """Where a file lies that is stored as data/raw/…; other paths are left as they are."""
    below = path.removeprefix(f"{RAW}/")
    return path if below == path else f"{raw_folder()}/{below}"


def rgb(path, least: int | None = None) -> Image.Image:
    """The image in a file, as RGB whatever the file holds (greyscale and CMYK are converted).

    least: a JPEG may be decoded at a half, a quarter or an eighth of its size, which is fast, while no side
        falls below ``least``.
    Raises ValueError in one line for a file that is missing, damaged or truncated.
    """
    try:
        with Image.open(path) as image:
            if least:
                image.draft("RGB", (least, least))
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        problem = f"{path} is missing, damaged or truncated ({error}): put the official file there"
        raise ValueError(problem) from error


def stacked(paths, side: int) -> np.ndarray:
    """All the images in memory, uint8 (examples, 3, side, side).

    Raises ValueError as `rgb` does, and for an image of another size.
    """
    images = np.empty((len(paths), 3, side, side), np.uint8)
    for image, path in zip(images, paths, strict=True):
        pixels = np.asarray(rgb(path))
        if pixels.shape != (side, side, 3):
            size = f"{pixels.shape[1]} x {pixels.shape[0]} pixels, not {side} x {side}"
            raise ValueError(f"{path} is {size}: put the official file there")
        image[:] = pixels.transpose(2, 0, 1)
    return images


def images_of(splits: dict, split: str, kept=slice(None)):
    """Images of a prepared data set's split: a uint8 tensor, or a `Folder` where `prepare` lists files.

    Of a folder, 256 pixels to train on, from which augmentation takes parts, and the central 224 to test
    on, as ImageNet is used.
    """
    if f"{split}/path" in splits:
        return Folder(splits[f"{split}/path"][kept], 256 if split == "train" else 224, 256)
    return torch.from_numpy(splits[f"{split}/images"][kept])


class Folder:
    """Stands for uint8 images (examples, 3, side, side) where they are indexed, and decodes what is taken.

    paths: of the image files: strings (examples,), or uint8 (examples, bytes) as `prepare` stores them,
        padded with zeros; data/raw/… is wherever the official files are.
    side, resize: in pixels; the shorter side is brought to ``resize`` (bilinear, with antialiasing), then
        the centre is cropped.
    device: where the images that are taken go.
    Raises ValueError for a crop larger than the image.
    """

    dtype = torch.uint8

    def __init__(self, paths, side: int, resize: int, device="cpu"):
        if not 0 < side <= resize:
            raise ValueError(
                f"a crop of {side} pixels from an image whose shorter side is {resize}: make the crop smaller"
            )
        paths = np.asarray(paths)
        if paths.dtype == np.uint8:
            paths = np.ascontiguousarray(paths).view(f"S{paths.shape[1]}")[:, 0]
        self.paths, self.side, self.resize, self.device = paths.astype("S"), side, resize, device
        self.pool = ThreadPoolExecutor()

    def __len__(self):
        return len(self.paths)

    @property
    def shape(self) -> torch.Size:
        """That of the tensor that this stands for."""
        return torch.Size((len(self), 3, self.side, self.side))

    def to(self, device) -> "Folder":
        """The same images, delivered to another device."""
        return Folder(self.paths, self.side, self.resize, device)

    def __getitem__(self, index) -> torch.Tensor:
        """uint8 (n, 3, side, side) for n indices as a tensor takes them; (3, side, side) for one number."""
        chosen = self.paths[index.cpu().numpy() if isinstance(index, torch.Tensor) else index]
        many = np.atleast_1d(chosen)
        images = np.empty((len(many), self.side, self.side, 3), np.uint8)
        for image, pixels in zip(images, self.pool.map(self._pixels, many), strict=True):
            image[:] = pixels
        images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().to(self.device)
        return images if np.ndim(chosen) else images[0]

    def split(self, size: int):
        """Tensors of at most so many images, each decoded when its turn comes."""
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def _pixels(self, path):
        # Twice the size: the antialiased reduction that remains hides JPEG's own.
        image = rgb(located(path.decode()), 2 * self.resize)
        shorter = min(image.size)
        width, height = (side * self.resize // shorter for side in image.size)
        left, top = (width - self.side) // 2, (height - self.side) // 2
        whole = image.resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(whole.crop((left, top, left + self.side, top + self.side)))
