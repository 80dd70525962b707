"""Lucid's image parameterisation and random transforms, as in its activation-atlas notebook."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

# Square root (by SVD) of the correlation of ImageNet's colours, as published with Lucid: red, green, blue.
COLOUR = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
COLOUR /= np.linalg.norm(COLOUR, axis=0).max()


@dataclass(frozen=True)
class Transforms:
    """Lucid's regularisation, in the order of the fields, in pixels and degrees.

    The defaults are those of its atlas notebook.
    """

    pad: int = 2
    jitters: tuple = (4, 4, 8, 8, 8)  # each a random crop that takes so many pixels off either side length
    scales: tuple = tuple(0.995**n for n in range(-5, 80)) + 2 * tuple(0.998**n for n in range(20, 40))
    angles: tuple = (*range(-20, 20), *range(-10, 10), *range(-5, 5), *5 * [0])
    last_jitter: int = 2

    def window(self, canvas):
        """Side lengths (pixels) after the first crops and after the last one."""
        side = canvas + 2 * self.pad - sum(self.jitters)
        return side, side - self.last_jitter


ATLAS = Transforms()


class Pose(NamedTuple):
    """One draw of the transforms: summed offsets of the first crops, scale, degrees, offsets of the last."""

    top: int
    left: int
    scale: float
    angle: float
    last_top: int
    last_left: int


def spectra(indices, channels, canvas, seed=0):
    """First Fourier coefficients, sd 0.01: (m, channels, canvas, canvas // 2 + 1, 2) float32.

    Each icon has its own seed, made of `seed` and its index.
    """
    shape = (channels, canvas, canvas // 2 + 1, 2)
    drawn = []
    for index in indices:
        own = np.random.SeedSequence((seed, index)).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(own))
        drawn.append(torch.randn(shape, generator=generator))
    return 0.01 * torch.stack(drawn)


def paint(spectrum, mean=0.5):
    """Images (m, C, h, h) in [0, 1] of Fourier coefficients: Lucid's decorrelated parameters, decay power 1.

    mean: brightness of an image whose coefficients are 0. Lucid starts at a middle grey, which suits
    photographs; on digits the dark background would have to be found first, so that of the data set is
    given.
    """
    channels, side = spectrum.shape[1], spectrum.shape[2]
    fy, fx = torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)
    scale = (side / 4) / torch.sqrt(fx**2 + fy**2).clamp(min=1 / side)
    waves = torch.view_as_complex(spectrum) * scale.to(spectrum.device)
    # Axis by axis: what irfft2 makes of coefficients without Hermitian symmetry differs between processors.
    pixels = torch.fft.irfft(torch.fft.ifft(waves, dim=-2), n=side, dim=-1)
    if channels == 3:
        pixels = (torch.as_tensor(COLOUR).to(pixels) @ pixels.flatten(2)).view_as(pixels)
    return torch.sigmoid(pixels + np.log(mean / (1 - mean)))


def draw_pose(generator, transforms=ATLAS):
    """A random Pose from a CPU torch.Generator. Offsets of successive crops add up, so their sum is kept."""

    def below(n):
        return int(torch.randint(n, (), generator=generator))

    top = sum(below(jitter + 1) for jitter in transforms.jitters)
    left = sum(below(jitter + 1) for jitter in transforms.jitters)
    scale = transforms.scales[below(len(transforms.scales))]
    angle = transforms.angles[below(len(transforms.angles))]
    last_top = below(transforms.last_jitter + 1)
    last_left = below(transforms.last_jitter + 1)
    return Pose(top, left, scale, angle, last_top, last_left)


def transformed(images, pose, size, pad_value, transforms=ATLAS):
    """Images (m, C, h, h) as the network sees them in a pose: (m, C, size, size).

    Scale and rotation (counter-clockwise) are one bilinear resampling about the centre, where Lucid does
    two. The frame keeps its size, so a smaller scale shows a smaller picture: Lucid hands on an image of
    fewer pixels, but stretching that to the network's fixed input size would undo the scale. What lies
    outside is pad_value.
    """
    inner, final = transforms.window(images.shape[-1])
    picture = _crop(images, pose.top - transforms.pad, pose.left - transforms.pad, inner, pad_value)
    radians = np.radians(pose.angle)
    cos, sin = np.cos(radians) / pose.scale, np.sin(radians) / pose.scale
    inverse = torch.tensor([[[cos, -sin, 0], [sin, cos, 0]]], dtype=torch.float64)
    points = F.affine_grid(inverse, (1, 1, inner, inner), align_corners=False)
    points = points[:, pose.last_top : pose.last_top + final, pose.last_left : pose.last_left + final]
    points = points.to(images.device, images.dtype).expand(len(images), -1, -1, -1)
    # What grid_sample finds outside is 0, so that pad_value is made 0 for its time.
    moved = F.grid_sample(picture - pad_value, points, padding_mode="zeros", align_corners=False)
    return _resize(moved + pad_value, size)


def centre_view(images, size, pad_value, transforms=ATLAS):
    """What the network is shown of finished icons (m, C, h, h): their central crop, as (m, C, size, size)."""
    side = images.shape[-1]
    final = transforms.window(side)[1]
    offset = (side - final) // 2
    return _resize(_crop(images, offset, offset, final, pad_value), size)


class _Redirected(torch.autograd.Function):
    """A ReLU; see `redirected_relu`."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.relu()

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        passed = torch.where(x > 0, gradient, 0)
        blocked = (passed == 0).flatten(1).all(1)
        return torch.where(blocked.view(-1, *[1] * (x.dim() - 1)), gradient.clamp_min(0), passed)


def redirected_relu(x):
    """ReLU of pre-activations (m, ...) that does not strand an icon: Lucid's redirected gradient.

    A picture that does not yet activate its unit has no gradient and would stay as it started. Of a row
    (icon) all of whose gradient the ReLU blocks, what would raise a silent unit passes, for a score that is
    to be raised; any other row's is a ReLU's.
    """
    return _Redirected.apply(x)


def shrink(images, size):
    """Images (m, C, h, w) in [0, 1], antialiased and rounded for storing: uint8 (m, C, size, size)."""
    return _resize(images, size).mul(255).round().clamp(0, 255).to(torch.uint8)


def _crop(images, top, left, window, pad_value):
    """Rows top.. and columns left.. of a window x window crop; what reaches beyond the image is pad_value."""
    height, width = images.shape[-2:]
    return F.pad(images, (-left, left + window - width, -top, top + window - height), value=pad_value)


def _resize(images, size):
    return F.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
