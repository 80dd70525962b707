"""Plain convolutional networks, each a plan of layers.

A step of a plan is ``("conv", kernel, channels)``, ``("pool", size)`` or ``("fc", units)``; a last linear layer to the
classes follows. An integer size is fixed, a fractional one is multiplied by the width: ("conv", 3, 0.25) has width / 4
channels. A ReLU follows every conv and fc; where a pool follows the conv, the ReLU comes after it, which is the same function
at a quarter of the cost.
"""
from torch import nn
from torch.nn import functional as F

PLANS = {
    # Gilboa & Gur-Ari, B.2: two blocks of two 3x3 convolutions and a pool, then FC(n). The paper leaves the filters open.
    "fixed": [("conv", 3, 32), ("conv", 3, 32), ("pool", 2), ("conv", 3, 64), ("conv", 3, 64), ("pool", 2), ("fc", 1.0)],
    # Filters linear in n; a quarter of it, from the 128 filters beside 512 units of the paper's untrained network (fig. 5).
    "scaled": [("conv", 3, 0.25), ("conv", 3, 0.25), ("pool", 2), ("conv", 3, 0.25), ("conv", 3, 0.25), ("pool", 2),
               ("fc", 1.0)],
}


class Net(nn.Module):
    """A plan of layers at a width.

    width: units of the last hidden layer for Gilboa's plans.
    image: (channels, height, width in pixels) of one input.
    """

    def __init__(self, width, *, image, classes, plan):
        super().__init__()
        if plan not in PLANS:
            raise ValueError(f"plan '{plan}' is unknown; known plans: {', '.join(PLANS)}")
        channels, side = image[0], image[1]
        self.steps, self.layers, flat = [], nn.ModuleList(), False
        for kind, *sizes in PLANS[plan]:
            if kind == "pool":
                self.steps.append((kind, sizes[0]))
                side //= sizes[0]
                continue
            after = sizes[-1] if isinstance(sizes[-1], int) else max(1, round(sizes[-1] * width))
            if kind == "conv":
                layer = nn.Conv2d(channels, after, sizes[0], padding=sizes[0] // 2)
            else:
                layer = nn.Linear(channels if flat else channels * side**2, after)
                flat = True
            self.steps.append((kind, len(self.layers)))
            self.layers.append(layer)
            channels = after
        self.output = nn.Linear(channels, classes)
        self.penultimate = f"relu{len(self.layers)}"

    def forward(self, x, tap=None):
        """Logits (examples, classes) of images (examples, *image); ``tap(name, activation)`` sees every layer in order."""
        tap = tap or (lambda name, activation: None)
        tap("input", x)
        for position, (kind, which) in enumerate(self.steps):
            if kind == "pool":
                x = F.max_pool2d(x, which)
                tap(f"pool{position}", x)
            else:
                x = self.layers[which](x if kind == "conv" else x.flatten(1))
                tap(f"{kind}{which + 1}", x)
            if position + 1 == len(self.steps) or self.steps[position + 1][0] != "pool":
                x = F.relu(x)
                tap(f"relu{sum(step[0] != 'pool' for step in self.steps[:position + 1])}", x)
        x = self.output(x)
        tap("logits", x)
        return x
