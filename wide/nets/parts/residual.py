"""Residual blocks with post-activation, and the two families that are made of them."""

from typing import NamedTuple

from torch import nn
from torch.nn import functional as F

from wide.nets import tapped

STEMS = {"small": (3, 1), "imagenet": (7, 2)}  # kernel and stride; a strided stem ends in a 3x3 / 2 max-pool


class Family(NamedTuple):
    """What the networks of one family share."""

    kernels: tuple  # of the convolutions of a block
    strided: int  # which of them, from 1, has the stride of a stage's first block
    base: int  # channels of stage 1 at width 1; each stage has twice as many as the one before
    stages: int
    expansion: int  # a block's outputs per channel
    bias: bool  # of convolutions
    normed: bool  # BatchNorm on projection shortcuts
    eps: float  # added to BatchNorm's variances
    gain: float  # with which a block's last BatchNorm starts
    stem: str


FAMILIES = {
    # Nguyen et al., appendix B; He et al. 2016, section 4.2; Keras' convolutions and BatchNorm.
    "cifar": Family(
        kernels=(3, 3),
        strided=1,
        base=16,
        stages=3,
        expansion=1,
        bias=True,
        normed=False,
        eps=1e-3,
        gain=1.0,
        stem="small",
    ),
    # ResNet-50 with the stride in the 3x3 convolution, each block at first its shortcut (appendix B; authors'
    # code).
    "imagenet": Family(
        kernels=(1, 3, 1),
        strided=2,
        base=64,
        stages=4,
        expansion=4,
        bias=False,
        normed=True,
        eps=1e-5,
        gain=0.0,
        stem="imagenet",
    ),
}


def blocks_of(depth: int, family: str = "cifar") -> tuple[int, ...]:
    """Residual blocks of each stage.

    cifar: (depth - 2) / 6 in each of three stages. imagenet: only the third of four stages varies, (3, 4,
    k, 3) with depth = 3k + 32: 50, 83 and 101 have k = 6, 17 and 23. Raises ValueError for depths
    between.
    """
    if family == "cifar":
        number, rest = divmod(depth - 2, 6)
        rule, blocks = "6n + 2: 8, 14, 20, 26, ...", (number,) * 3
    else:
        number, rest = divmod(depth - 32, 3)
        rule, blocks = "3k + 32: 35, ..., 50, ..., 83, ...", (3, 4, number, 3)
    if rest or number < 1:
        raise ValueError(f"depth {depth} is not a depth of the {family} family; it must be {rule}")
    return blocks


def convolution(before: int, after: int, kernel: int, stride: int, bias: bool) -> nn.Conv2d:
    """A convolution that keeps the image's size but for the stride."""
    return nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=bias)


def run(layers: nn.ModuleDict, x, tap):
    """One layer after another, each with its name to ``tap``."""
    for name, layer in layers.items():
        x = tapped(tap, name, layer(x))
    return x


class Block(nn.Module):
    """relu(shortcut(x) + branch(x)); the shortcut is the identity unless the shape changes.

    branch, norm: the layers up to the last convolution, and the last BatchNorm. outputs: channels of the
    result.
    layers: names of the layers in forward order, as ``forward`` taps them. deletable: whether without its
    branch it is the identity.
    """

    def __init__(self, before, channels, stride, family, residual, normalisation):
        super().__init__()
        self.outputs = channels * family.expansion
        self.residual = residual
        self.branch = nn.ModuleDict()
        self.shortcut = nn.ModuleDict()
        self.norm = nn.ModuleDict()
        self._build_branch(before, channels, stride, family, normalisation)
        last = len(family.kernels)
        if residual:
            nn.init.constant_(self.norm[f"bn{last}"].weight, family.gain)
        if residual and (stride > 1 or before != self.outputs):
            self.shortcut["shortcut"] = convolution(before, self.outputs, 1, stride, family.bias)
            if family.normed:
                self.shortcut["shortcut_bn"] = normalisation(self.outputs)
        self.deletable = residual and not self.shortcut
        self.relu = f"relu{last}"
        add = ["add"] if residual else []
        self.layers = [*self.branch, *self.shortcut, *self.norm, *add, self.relu]

    def _build_branch(self, before, channels, stride, family, normalisation):
        last = len(family.kernels)
        for number, kernel in enumerate(family.kernels, 1):
            after = self.outputs if number == last else channels
            step = stride if number == family.strided else 1
            self.branch[f"conv{number}"] = convolution(before, after, kernel, step, family.bias)
            norms = self.norm if number == last else self.branch
            norms[f"bn{number}"] = normalisation(after)
            if number < last:
                self.branch[f"relu{number}"] = nn.ReLU()
            before = after

    def forward(self, x, tap=None):
        """Activation (examples, outputs, ...) of one (examples, before, ...)."""
        y = run(self.branch, x, tap)
        x = run(self.shortcut, x, tap)
        y = run(self.norm, y, tap)
        if self.residual:
            y = tapped(tap, "add", x + y)
        return tapped(tap, self.relu, F.relu(y))
