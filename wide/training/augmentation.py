"""Augmentation of a batch as tensor operations, each example by numbers drawn beforehand.

Numbers are drawn per member and epoch, not per step: a member's augmentation depends on its seed alone, and a
resumed training draws the same ones.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import torch
from torch.nn import functional as F

from wide.training.settings import flag, known_keys, number, refuse_wrong, whole

CHECKS = {
    "shift": number(0, below=1),
    "rotate": number(0),
    "flip": flag,
    "crop": whole(0),
    "cyclic": flag,
    "resized_crop": whole(0),
}


@dataclass(frozen=True)
class Augment:
    """What may happen to an image. All off by default.

    shift: largest translation along each axis, as a share of the side, drawn uniformly; edge pixels are
    repeated.
    rotate: largest rotation in degrees, drawn uniformly in both directions.
    flip: mirror left and right with probability 1/2.
    crop: pixels of padding by reflection before a random crop of the image's own size, so whole-pixel
    translations; fewer than the image's shorter side.
    cyclic: cyclic horizontal shift by a uniformly drawn number of pixels.
    resized_crop: side in pixels to which a random part of the image is resized, 8 to 100 % of its area and
    3/4 to 4/3 as wide as high (ImageNet's usual training; Szegedy et al. 2015). Images of that side or less
    pass unchanged.
    """

    shift: float = 0.0
    rotate: float = 0.0
    flip: bool = False
    crop: int = 0
    cyclic: bool = False
    resized_crop: int = 0

    @classmethod
    def of(cls, settings: Mapping) -> "Augment":
        """From a mapping. Raises ValueError for unknown keys and impossible values."""
        settings = known_keys(settings, cls, "augment")
        refuse_wrong(settings, CHECKS, "augment")
        return cls(**settings)

    @property
    def numbers(self) -> int:
        """Uniform numbers used per image."""
        return 5 if any(getattr(self, field.name) for field in fields(self)) else 0

    def check(self, shape: tuple) -> None:
        """Raise ValueError unless inputs of this shape, (channels, height, width), can be augmented."""
        if not self.numbers:
            return
        if len(shape) != 3:
            raise ValueError(
                f"augment: inputs of shape {tuple(shape)} are no images (channels, height, width); "
                "leave augmentation out"
            )
        side = min(shape[1:])
        if self.crop >= side:
            raise ValueError(
                f"augment: crop is {self.crop}, and an image of {side} pixels can be padded by reflection "
                f"by at most {side - 1}"
            )

    def __call__(self, x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        """x: (examples, channels, height, width) float; u: (examples, 5) uniform in [0, 1).

        Raises ValueError as ``check`` does.
        """
        self.check(x.shape[1:])
        if self.flip:
            x = torch.where((u[:, 0] < 0.5).view(-1, 1, 1, 1), x.flip(3), x)
        if self.shift or self.rotate:
            x = self._affine(x, u)
        if self.crop:
            x = F.pad(x, [self.crop] * 4, mode="reflect")
            span = 2 * self.crop + 1
            x = _window(x, (u[:, 3] * span).long(), (u[:, 4] * span).long(), 2 * self.crop)
        if self.resized_crop and min(x.shape[2:]) > self.resized_crop:
            x = self._part(x, u)
        if self.cyclic:
            width = x.shape[3]
            columns = (torch.arange(width, device=x.device) - (u[:, 4:] * width).long()) % width
            x = x.gather(3, columns[:, None, None].expand(-1, x.shape[1], x.shape[2], -1))
        return x

    def _affine(self, x, u):
        angle = (2 * u[:, 2] - 1) * math.radians(self.rotate)
        # affine_grid counts in half sides, so a shift by a share s of the side is 2 s.
        move = (2 * u[:, 3:5] - 1) * 2 * self.shift
        cos, sin = angle.cos(), angle.sin()
        return _sample(x, (cos, -sin, move[:, 0]), (sin, cos, move[:, 1]), x.shape[2:])

    def _part(self, x, u):
        area, ratio = 0.08 + 0.92 * u[:, 1], ((2 * u[:, 2] - 1) * math.log(4 / 3)).exp()
        width, height = (area * ratio).sqrt().clamp_max(1), (area / ratio).sqrt().clamp_max(1)
        # Of the part's middle, in half sides.
        left, top = (2 * u[:, 3] - 1) * (1 - width), (2 * u[:, 4] - 1) * (1 - height)
        zero = torch.zeros_like(left)
        return _sample(x, (width, zero, left), (zero, height, top), [self.resized_crop] * 2)


def _sample(x, across, down, sides):
    """Images read at an affine map of places: rows of each one's 2 x 3 matrix, new height and width."""
    theta = torch.stack([torch.stack(across, 1), torch.stack(down, 1)], 1)
    grid = F.affine_grid(theta, [*x.shape[:2], *sides], align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _window(x, top, left, less):
    """Crop each image of (examples, channels, H, W) by ``less`` in all, from its own corner."""
    height, width = x.shape[2] - less, x.shape[3] - less
    rows = top[:, None] + torch.arange(height, device=x.device)
    columns = left[:, None] + torch.arange(width, device=x.device)
    examples = torch.arange(len(x), device=x.device)[:, None, None]
    # Indexing with the channel axis last gathers whole pixels; the result is a channels-last view, which
    # training wants anyway.
    return x.permute(0, 2, 3, 1)[examples, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)
