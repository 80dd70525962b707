"""Fully connected ReLU networks of any depth and width. Depth 0 is a linear classifier, whose last features are the input."""
from math import floor, isqrt, sqrt

from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    """``depth`` hidden layers of ``width`` ReLU units.

    width: units of every hidden layer, at least 1.
    image: shape of one input without the batch axis; it is flattened.
    """

    def __init__(self, width, *, image, classes, depth=1):
        super().__init__()
        if depth < 0:
            raise ValueError(f"depth is {depth}: a network has 0 or more hidden layers")
        inputs, width = 1, max(1, round(width))
        for side in image:
            inputs *= side
        sizes = [inputs] + [width] * depth
        self.hidden = nn.ModuleList(nn.Linear(before, after) for before, after in zip(sizes, sizes[1:]))
        self.output = nn.Linear(sizes[-1], classes)
        self.penultimate = f"relu{depth}" if depth else "input"

    def forward(self, x, tap=None):
        """Logits (examples, classes) of inputs (examples, *image); ``tap(name, activation)`` sees every layer in order."""
        tap = tap or (lambda name, activation: None)
        tap("input", x)
        x = x.flatten(1)
        for number, layer in enumerate(self.hidden, 1):
            x = layer(x)
            tap(f"fc{number}", x)
            x = F.relu(x)
            tap(f"relu{number}", x)
        x = self.output(x)
        tap("logits", x)
        return x


def constant_size_width(depth: int, inputs: int, outputs: int, widest: int) -> int:
    """n(L): width at which ``depth`` hidden layers have as many parameters as one hidden layer of ``widest`` units.

    The positive root of (L - 1) n² + (L + n0 + out) n = (n0 + out + 1) widest, rounded down (Gilboa & Gur-Ari, B.3.1).
    The paper's text names 250 for 20 layers; its formula gives 271, which is used here.
    """
    if depth < 1:
        raise ValueError(f"depth is {depth}: the formula holds for 1 or more hidden layers")
    if depth == 1:
        return widest
    linear = depth + inputs + outputs
    discriminant = linear**2 + 4 * (depth - 1) * (inputs + outputs + 1) * widest
    root = isqrt(discriminant)
    exact = root if root * root == discriminant else sqrt(discriminant)
    return floor((exact - linear) / (2 * (depth - 1)))
