"""Fully connected ReLU networks of any depth and width.

Depth 0 is a linear classifier, whose last features are the input.
"""

from math import floor, isqrt, prod, sqrt

from torch import nn
from torch.nn import functional as F

from wide.nets import MOST_LAYERS, input_shape, positive, tapped, unit_count, whole

EXAMPLE = {"depth": 2}


class Net(nn.Module):
    """``depth`` hidden layers of ``width`` ReLU units.

    width: units of every hidden layer, rounded, at least 1.
    image: shape of one input without the batch axis; it is flattened. Layers are named ``input``,
    ``fc1``, ``relu1``, ``fc2``, ..., ``logits``. Raises ValueError for impossible options.
    """

    def __init__(self, width: float, *, image: tuple[int, ...], classes: int, depth: int = 1):
        super().__init__()
        whole("depth", depth, least=0, most=MOST_LAYERS)
        inputs = prod(input_shape(image))
        sizes = [inputs] + [unit_count(positive("width", width))] * depth
        self.hidden = nn.ModuleList(
            nn.Linear(before, after) for before, after in zip(sizes, sizes[1:], strict=False)
        )
        self.output = nn.Linear(sizes[-1], whole("classes", classes))
        self.units = [f"relu{number}" for number in range(1, depth + 1)]
        self.penultimate = self.units[-1] if depth else "input"
        pairs = [(f"fc{number}", f"relu{number}") for number in range(1, depth + 1)]
        self.layers = ["input", *(name for pair in pairs for name in pair), "logits"]

    def forward(self, x, tap=None):
        """Logits (examples, classes) of inputs (examples, *image); ``tap`` as in every network."""
        x = tapped(tap, "input", x)
        x = x.flatten(1)
        for number, layer in enumerate(self.hidden, 1):
            x = tapped(tap, f"fc{number}", layer(x))
            x = tapped(tap, f"relu{number}", F.relu(x))
        return tapped(tap, "logits", self.output(x))


def constant_size_width(depth: int, inputs: int, outputs: int, widest: int) -> int:
    """n(L): width at which ``depth`` hidden layers have as many parameters as one of ``widest`` units.

    The positive root of (L - 1) n² + (L + n0 + out) n = (n0 + out + 1) widest, rounded down (Gilboa &
    Gur-Ari 2019, B.3.1). The paper's text names 250 for 20 layers; its formula gives 271, which is used
    here. Raises ValueError for a depth below 1.
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
