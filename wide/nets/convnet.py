"""Plain convolutional networks, each a plan of layers.

A step of a plan is ``("conv", kernel, channels)``, ``("pool", size)`` or ``("fc", units)``; a last linear
layer to the classes follows. An integer size is fixed, a fractional one is multiplied by the width:
("conv", 3, 0.25) has width / 4 channels. A ReLU follows every conv and fc; where a pool follows the conv,
the ReLU comes after it, which is the same function at a quarter of the cost.

Names of layers: ``input``; ``conv1``, ``fc5``, numbered together; ``relu1`` after each, with its number;
``pool2`` with the position in the plan, from 0; ``logits``.
"""

from math import prod

from torch import nn

from wide.nets import input_shape, one_of, positive, tapped, unit_count, whole

EXAMPLE = {"plan": "fixed"}
PLANS = {
    # Gilboa & Gur-Ari, B.2: two blocks of two 3x3 convolutions and a pool, then FC(n). The paper leaves the
    # filters open.
    "fixed": [
        ("conv", 3, 32),
        ("conv", 3, 32),
        ("pool", 2),
        ("conv", 3, 64),
        ("conv", 3, 64),
        ("pool", 2),
        ("fc", 1.0),
    ],
    # Filters linear in n; a quarter of it, from the 128 filters beside 512 units of the untrained network
    # of figure 5.
    "scaled": [
        ("conv", 3, 0.25),
        ("conv", 3, 0.25),
        ("pool", 2),
        ("conv", 3, 0.25),
        ("conv", 3, 0.25),
        ("pool", 2),
        ("fc", 1.0),
    ],
}


class Net(nn.Module):
    """A plan of layers at a width.

    width: units of the last hidden layer for Gilboa's plans.
    image: (channels, height, width in pixels) of one input.
    Raises ValueError for an unknown plan, an image that the pools leave nothing of, and impossible
    options.
    """

    def __init__(self, width: float, *, image: tuple[int, int, int], classes: int, plan: str):
        super().__init__()
        positive("width", width)
        one_of("plan", plan, PLANS)
        image = input_shape(image, 3)
        coarsest = prod(size for kind, size, *_ in PLANS[plan] if kind == "pool")
        if min(image[1:]) < coarsest:
            raise ValueError(
                f"image is {image}: the pools of plan '{plan}' need at least {coarsest} pixels a side"
            )
        self.steps = nn.ModuleDict(dict(_layers(PLANS[plan], width, image)))
        features = [layer.out_features for layer in self.steps.values() if isinstance(layer, nn.Linear)][-1]
        self.output = nn.Linear(features, whole("classes", classes))
        self.layers = ["input", *self.steps, "logits"]
        self.units = [name for name in self.steps if name.startswith("relu")]
        self.penultimate = self.units[-1]

    def forward(self, x, tap=None):
        """Logits (examples, classes) of images (examples, *image); ``tap`` as in every network."""
        x = tapped(tap, "input", x)
        for name, layer in self.steps.items():
            x = layer(x.flatten(1) if isinstance(layer, nn.Linear) else x)
            x = tapped(tap, name, x)
        return tapped(tap, "logits", self.output(x))


def _layers(plan, width, image):
    """(name, layer) of every step of a plan and of the ReLUs between, in forward order."""
    channels, *pixels = image
    count = 0
    for position, (kind, *sizes) in enumerate(plan):
        if kind == "pool":
            yield f"pool{position}", nn.MaxPool2d(sizes[0])
            pixels = [side // sizes[0] for side in pixels]
        else:
            count += 1
            after = sizes[-1] if isinstance(sizes[-1], int) else unit_count(sizes[-1] * width)
            if kind == "conv":
                yield f"conv{count}", nn.Conv2d(channels, after, sizes[0], padding=sizes[0] // 2)
            else:
                yield f"fc{count}", nn.Linear(channels * prod(pixels), after)
                pixels = []  # flattened
            channels = after
        following = plan[position + 1 : position + 2]
        if not following or following[0][0] != "pool":
            yield f"relu{count}", nn.ReLU()
