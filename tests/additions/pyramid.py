"""Fully connected ReLU networks that grow narrower: each hidden layer has half of the last one's units."""

from math import prod

from torch import nn
from torch.nn import functional as F

from wide.nets import input_shape, positive, tapped, unit_count, whole

EXAMPLE = {"depth": 2}


class Net(nn.Module):
    """``depth`` hidden layers, the first of ``width`` ReLU units.

    image: shape of one input without the batch axis; it is flattened. Layers are named ``input``, ``fc1``,
    ``relu1``, ``fc2``, ..., ``logits``. Raises ValueError for impossible options.
    """

    def __init__(self, width: float, *, image: tuple[int, ...], classes: int, depth: int = 2):
        super().__init__()
        numbers = range(whole("depth", depth))
        sizes = [unit_count(positive("width", width) / 2**number) for number in numbers]
        before = [prod(input_shape(image)), *sizes]
        self.hidden = nn.ModuleList(nn.Linear(*pair) for pair in zip(before, sizes))
        self.output = nn.Linear(sizes[-1], whole("classes", classes))
        self.units = [f"relu{number + 1}" for number in numbers]
        self.penultimate = self.units[-1]
        pairs = [(f"fc{number + 1}", f"relu{number + 1}") for number in numbers]
        self.layers = ["input", *(name for pair in pairs for name in pair), "logits"]

    def forward(self, x, tap=None):
        """Logits (examples, classes) of inputs (examples, *image); ``tap`` as in every network."""
        x = tapped(tap, "input", x).flatten(1)
        for number, layer in enumerate(self.hidden, 1):
            x = tapped(tap, f"fc{number}", layer(x))
            x = tapped(tap, f"relu{number}", F.relu(x))
        return tapped(tap, "logits", self.output(x))
