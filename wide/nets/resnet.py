"""Residual networks with post-activation blocks: CIFAR's 6n + 2 layers, and ImageNet's bottleneck networks.

Names of layers: ``input``; ``stem.conv``, ``stem.bn``, ``stem.relu`` (and ``stem.pool``); in each block
``stage2.block3.conv1``, ``.bn1``, ``.relu1``, ``.conv2``, ``.bn2``, ``.add``, ``.relu2`` (a bottleneck
has a third conv, bn and relu); then ``pool``, ``flatten``, ``logits``. A block that changes the shape has
``.shortcut`` (ImageNet's also ``.shortcut_bn``) between its last conv and last bn, where Keras lists it:
the layer before an add is a bn.

A CIFAR network of depth 6n + 2 has 21n + 9 layers: 7 in each of 3n blocks, 2 shortcuts, 4 at the start, 3
at the end. Without residual connections adds and shortcuts go and 18n + 7 are left. An ImageNet network
of b blocks has 10b + 16.

Strided 3x3 convolutions are centred on the pixels that the shortcut takes (padding 1), as in He et al.;
those of Keras' padding "same" lie one pixel further.
"""

from functools import partial

from torch import nn

from wide.nets import MOST_LAYERS, flag, input_shape, inside, one_of, positive, tapped, unit_count, whole
from wide.nets.parts.residual import FAMILIES, STEMS, Block, blocks_of, convolution, run

EXAMPLE = {"depth": 14}  # options of the paper's smallest network


class Net(nn.Module):
    """A residual network (Nguyen, Raghu & Kornblith 2021).

    width: factor on the channels; stage s has round(base · width) · 2^(s - 1) of them, at least 1.
    image: (channels, height, width in pixels) of one input.
    depth: layers with weights, see blocks_of; or instead blocks: residual blocks of each stage.
    family: cifar or imagenet. base: channels of stage 1 at width 1, by default the family's 16 or 64.
    residual: False leaves out adds and shortcuts (figure C.1).
    stage3_width: a further factor on the third stage, bottlenecks and outputs (2.8 in section 7).
    stem: small (3x3) or imagenet (7x7 / 2 and a max-pool), by default the family's.
    bn_momentum: a minibatch's share in BatchNorm's running statistics (Keras' momentum 0.99 is torch's
    0.01). After a few hundred steps those of 0.01 lag behind the weights.
    Raises ValueError for an unknown family or stem, impossible options, and unless either depth or blocks
    is given.

    What only residual networks have:
    blocks: {name: block}. deletable: names of the blocks that ``forward`` can leave out.
    adds, before_adds, post_residual: names of the sums, of the bn before and of the ReLU after each.
    """

    def __init__(
        self,
        width: float,
        *,
        image: tuple[int, int, int],
        classes: int,
        depth: int | None = None,
        blocks: list[int] | None = None,
        family: str = "cifar",
        base: int | None = None,
        residual: bool = True,
        stage3_width: float = 1,
        stem: str | None = None,
        bn_momentum: float = 0.01,
    ):
        super().__init__()
        kind = FAMILIES[one_of("family", family, FAMILIES)]
        numbers = _blocks_of_stages(depth, blocks, family)
        momentum = positive("bn_momentum", bn_momentum, most=1)
        normalisation = partial(nn.BatchNorm2d, eps=kind.eps, momentum=momentum)
        first = unit_count((kind.base if base is None else whole("base", base)) * positive("width", width))
        channels = [unit_count(first * 2**stage) for stage in range(kind.stages)]
        channels[2] = unit_count(first * 4 * positive("stage3_width", stage3_width))
        stem = kind.stem if stem is None else one_of("stem", stem, STEMS)
        self.stem = _stem(input_shape(image, 3)[0], first, stem, kind.bias, normalisation)
        block = partial(Block, family=kind, residual=flag("residual", residual), normalisation=normalisation)
        self.stages = nn.ModuleList()
        before = first
        for stage, count in enumerate(numbers):
            self.stages.append(_stage(count, before, channels[stage], 2 if stage else 1, block))
            before = self.stages[-1][-1].outputs
        self.output = nn.Linear(before, whole("classes", classes))
        self._name_layers()

    def _name_layers(self):
        self.blocks = {
            f"stage{stage}.block{position}": block
            for stage, blocks in enumerate(self.stages, 1)
            for position, block in enumerate(blocks, 1)
        }
        in_blocks = [f"{name}.{layer}" for name, block in self.blocks.items() for layer in block.layers]
        in_stem = [f"stem.{layer}" for layer in self.stem]
        self.layers = ["input", *in_stem, *in_blocks, "pool", "flatten", "logits"]
        self.penultimate = "flatten"
        self.units = [name for name in self.layers if name.split(".")[-1].startswith("relu")]
        sums = [index for index, name in enumerate(self.layers) if name.endswith(".add")]
        self.before_adds = [self.layers[index - 1] for index in sums]
        self.adds = [self.layers[index] for index in sums]
        self.post_residual = [self.layers[index + 1] for index in sums]
        self.deletable = [name for name, block in self.blocks.items() if block.deletable]

    def forward(self, x, tap=None, skip=frozenset()):
        """Logits (examples, classes) of images (examples, *image); ``tap`` as in every network.

        skip: names of deletable blocks to leave out, their identity shortcut kept (section 5.2): what
        enters such a block has passed a ReLU and leaves it unchanged. Their layers are not tapped.
        ValueError for other names.
        """
        wrong = set(skip) - set(self.deletable)
        if wrong:
            known = ", ".join(self.deletable) or "none"
            raise ValueError(f"block '{min(wrong)}' cannot be left out, only: {known}")
        x = tapped(tap, "input", x)
        x = run(self.stem, x, inside(tap, "stem"))
        for name, block in self.blocks.items():
            if name not in skip:
                x = block(x, inside(tap, name))
        x = tapped(tap, "pool", x.mean((2, 3), keepdim=True))
        x = tapped(tap, "flatten", x.flatten(1))
        return tapped(tap, "logits", self.output(x))

    def stage_of(self, layer: str) -> int:
        """Stage of a layer, from 1.

        0 for input and stem, the number of stages + 1 for pool, flatten and logits. Raises ValueError for
        a layer that the network lacks.
        """
        if layer not in self.layers:
            raise ValueError(f"layer '{layer}' does not exist in this network")
        if layer.startswith("stage"):
            return int(layer.split(".")[0].removeprefix("stage"))
        return len(self.stages) + 1 if layer in self.layers[-3:] else 0


def _blocks_of_stages(depth, blocks, family):
    """Residual blocks of each stage, from whichever of the two options is given."""
    stages = FAMILIES[family].stages
    if (depth is None) == (blocks is None):
        raise ValueError(
            f"depth {depth}, blocks {blocks}: give a depth, or blocks of each of {stages} stages"
        )
    if depth is not None:
        return blocks_of(whole("depth", depth, most=MOST_LAYERS), family)
    if not isinstance(blocks, (list, tuple)) or len(blocks) != stages:
        raise ValueError(f"blocks is {blocks!r}: it must be a list of {stages} whole numbers, one a stage")
    return [whole("a stage's number of blocks", count, most=MOST_LAYERS) for count in blocks]


def _stem(inputs, channels, name, bias, normalisation):
    """The layers before the first stage."""
    kernel, stride = STEMS[name]
    layers = nn.ModuleDict()
    layers["conv"] = convolution(inputs, channels, kernel, stride, bias)
    layers["bn"] = normalisation(channels)
    layers["relu"] = nn.ReLU()
    if stride > 1:
        layers["pool"] = nn.MaxPool2d(3, 2, padding=1)
    return layers


def _stage(count, before, channels, stride, block):
    """So many blocks, of which the first has the stride."""
    blocks = nn.ModuleList([block(before, channels, stride)])
    for _ in range(count - 1):
        blocks.append(block(blocks[-1].outputs, channels, 1))
    return blocks
