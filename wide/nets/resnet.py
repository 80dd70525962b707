"""Residual networks with post-activation blocks: CIFAR's 6n + 2 layers, and ImageNet's bottleneck networks.

Names of layers: ``input``; ``stem.conv``, ``stem.bn``, ``stem.relu`` (and ``stem.pool``); in each block
``stage2.block3.conv1``, ``.bn1``, ``.relu1``, ``.conv2``, ``.bn2``, ``.add``, ``.relu2`` (a bottleneck has a third
conv, bn and relu); then ``pool``, ``flatten``, ``logits``. A block that changes the shape has ``.shortcut`` (ImageNet's
also ``.shortcut_bn``) between its last conv and last bn, where Keras lists it: the layer before an add is a bn.

A CIFAR network of depth 6n + 2 has 21n + 9 layers: 7 in each of 3n blocks, 2 shortcuts, 4 at the start, 3 at the end.
Without residual connections adds and shortcuts go and 18n + 7 are left. An ImageNet network of b blocks has 10b + 16.

Strided 3x3 convolutions are centred on the pixels that the shortcut takes (padding 1), as in He et al.; those of
Keras' padding "same" lie one pixel further.
"""
from functools import partial
from typing import NamedTuple

from torch import nn
from torch.nn import functional as F

EXAMPLE = {"depth": 14}  # options of the paper's smallest network
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
    "cifar": Family((3, 3), 1, 16, 3, 1, True, False, 1e-3, 1.0, "small"),
    # ResNet-50 with the stride in the 3x3 convolution, each block at first its shortcut (appendix B; authors' code).
    "imagenet": Family((1, 3, 1), 2, 64, 4, 4, False, True, 1e-5, 0.0, "imagenet"),
}


def blocks_of(depth: int, family: str = "cifar") -> tuple[int, ...]:
    """Residual blocks of each stage.

    cifar: (depth - 2) / 6 in each of three stages. imagenet: only the third of four stages varies, (3, 4, k, 3) with
    depth = 3k + 32: 50, 83 and 101 have k = 6, 17 and 23. Raises ValueError for depths between.
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
    """One layer after another; ``tap`` sees each."""
    for name, layer in layers.items():
        x = layer(x)
        tap(name, x)
    return x


class Block(nn.Module):
    """relu(shortcut(x) + branch(x)); the shortcut is the identity unless the shape changes."""

    def __init__(self, before, channels, stride, family, residual, normalisation):
        super().__init__()
        self.outputs, last, inputs = channels * family.expansion, len(family.kernels), before
        self.branch, self.shortcut, self.norm = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleDict()
        for number, kernel in enumerate(family.kernels, 1):
            after, step = self.outputs if number == last else channels, stride if number == family.strided else 1
            self.branch[f"conv{number}"] = convolution(inputs, after, kernel, step, family.bias)
            (self.norm if number == last else self.branch)[f"bn{number}"] = normalisation(after)
            if number < last:
                self.branch[f"relu{number}"] = nn.ReLU()
            inputs = after
        if residual:
            nn.init.constant_(self.norm[f"bn{last}"].weight, family.gain)
        if residual and (stride > 1 or before != after):
            self.shortcut["shortcut"] = convolution(before, after, 1, stride, family.bias)
            if family.normed:
                self.shortcut["shortcut_bn"] = normalisation(after)
        self.residual, self.relu = residual, f"relu{last}"
        self.layers = [*self.branch, *self.shortcut, *self.norm, *["add"] * residual, self.relu]

    def forward(self, x, tap):
        y = run(self.branch, x, tap)
        x = run(self.shortcut, x, tap)
        y = run(self.norm, y, tap)
        if self.residual:
            y = x + y
            tap("add", y)
        y = F.relu(y)
        tap(self.relu, y)
        return y


class Net(nn.Module):
    """A residual network (Nguyen, Raghu & Kornblith 2021).

    width: factor on the channels; stage s has round(base · width) · 2^(s - 1) of them, at least 1.
    image: (channels, height, width in pixels) of one input.
    depth: layers with weights, see blocks_of; or instead blocks: residual blocks of each stage.
    family: cifar or imagenet. base: channels of stage 1 at width 1, by default the family's 16 or 64.
    residual: False leaves out adds and shortcuts (figure C.1).
    stage3_width: a further factor on the third stage, bottlenecks and outputs (2.8 in section 7).
    stem: small (3x3) or imagenet (7x7 / 2 and a max-pool), by default the family's.
    bn_momentum: a minibatch's share in BatchNorm's running statistics (Keras' momentum 0.99 is torch's 0.01). After a few hundred steps
    those of 0.01 lag behind the weights.
    Raises ValueError for an unknown family or stem, an impossible depth or momentum, and unless either depth or blocks is given.

    penultimate: name of the pooled features. layers: names of all layers in forward order. blocks: {name: block}.
    deletable: names of the blocks that ``forward`` can leave out.
    relus: names of all ReLU layers. adds, before_adds, post_residual: of the sums, the bn before, the ReLU after each.
    """

    def __init__(self, width, *, image, classes, depth=None, blocks=None, family="cifar", base=None, residual=True,
                 stage3_width=1, stem=None, bn_momentum=0.01):
        super().__init__()
        if family not in FAMILIES or stem not in (None, *STEMS):
            raise ValueError(f"family '{family}' or stem '{stem}' is unknown; known families: {', '.join(FAMILIES)}; "
                             f"known stems: {', '.join(STEMS)}")
        kind = FAMILIES[family]
        if (depth is None) == (blocks is None) or depth is None and (len(blocks) != kind.stages or min(blocks) < 1):
            raise ValueError(f"depth {depth}, blocks {blocks}: give a depth, or blocks of each of {kind.stages} stages")
        if not 0 < bn_momentum <= 1:
            raise ValueError(f"bn_momentum is {bn_momentum}: a minibatch's share must be above 0 and at most 1")
        normalisation = partial(nn.BatchNorm2d, eps=kind.eps, momentum=bn_momentum)
        before = first = max(1, round((base or kind.base) * width))
        kernel, stride = STEMS[stem or kind.stem]
        self.stem = nn.ModuleDict({"conv": convolution(image[0], first, kernel, stride, kind.bias),
                                   "bn": normalisation(first), "relu": nn.ReLU()})
        if stride > 1:
            self.stem["pool"] = nn.MaxPool2d(3, 2, padding=1)
        self.stages, self.blocks = nn.ModuleList(), {}
        for stage, number in enumerate(blocks or blocks_of(depth, family), 1):
            channels = max(1, round(first * 2**(stage - 1) * (stage3_width if stage == 3 else 1)))
            self.stages.append(nn.ModuleList())
            for position in range(1, number + 1):
                block = Block(before, channels, 2 if stage > 1 and position == 1 else 1, kind, residual, normalisation)
                self.stages[-1].append(block)
                self.blocks[f"stage{stage}.block{position}"], before = block, block.outputs
        self.output = nn.Linear(before, classes)
        self._name_layers()

    def _name_layers(self):
        blocks = [f"{name}.{layer}" for name, block in self.blocks.items() for layer in block.layers]
        self.layers = ["input", *(f"stem.{layer}" for layer in self.stem), *blocks, "pool", "flatten", "logits"]
        self.penultimate = "flatten"
        self.relus = [name for name in self.layers if name.split(".")[-1].startswith("relu")]
        sums = [index for index, name in enumerate(self.layers) if name.endswith(".add")]
        self.before_adds, self.adds, self.post_residual = (
            [self.layers[index + shift] for index in sums] for shift in (-1, 0, 1))
        self.deletable = [name for name, block in self.blocks.items() if block.residual and not block.shortcut]

    def forward(self, x, tap=None, skip=frozenset()):
        """Logits (examples, classes) of images (examples, *image); ``tap(name, activation)`` sees every layer in order.

        skip: names of deletable blocks to leave out, their identity shortcut kept (section 5.2): what enters such a
        block has passed a ReLU and leaves it unchanged. Their layers are not tapped. ValueError for other names.
        """
        wrong = set(skip) - set(self.deletable)
        if wrong:
            raise ValueError(f"block '{min(wrong)}' cannot be left out, only: {', '.join(self.deletable) or 'none'}")
        tap = tap or (lambda name, activation: None)
        tap("input", x)
        x = run(self.stem, x, lambda layer, activation: tap(f"stem.{layer}", activation))
        for name, block in self.blocks.items():
            if name not in skip:
                x = block(x, lambda layer, activation, name=name: tap(f"{name}.{layer}", activation))
        x = x.mean((2, 3), keepdim=True)
        tap("pool", x)
        x = x.flatten(1)
        tap("flatten", x)
        x = self.output(x)
        tap("logits", x)
        return x

    def stage_of(self, layer: str) -> int:
        """Stage of a layer, from 1; 0 for input and stem, the number of stages + 1 for pool, flatten and logits."""
        if layer not in self.layers:
            raise ValueError(f"layer '{layer}' does not exist in this network")
        if layer.startswith("stage"):
            return int(layer.split(".")[0].removeprefix("stage"))
        return len(self.stages) + 1 if layer in self.layers[-3:] else 0
