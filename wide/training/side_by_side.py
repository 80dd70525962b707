"""Members of a convolutional network side by side on the channel axis.

Inputs are (examples, members × channels, height, width); a convolution has so many times the groups, a batch
normalisation so many times the channels, and a linear layer is a batched product. All else in the network
must treat channels alike and apart, so that its own forward pass serves: which networks do, their traced
graph says. For a few channels this is several times faster than one member after another, whose steps are
mostly overhead, and than vmap, whose grouped convolutions lose time in changes of layout
(benchmarks/population_254.py).
"""

import operator
from copy import deepcopy

import torch
from torch import fx, nn
from torch.func import functional_call
from torch.nn import functional as F

REPLACED = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
# Modules and functions without parameters that act on each channel apart.
MODULES = (nn.ReLU, nn.GELU, nn.Identity, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
FUNCTIONS = {
    operator.add,
    torch.add,
    torch.relu,
    F.relu,
    F.gelu,
    torch.max_pool2d,
    F.max_pool2d,
    F.avg_pool2d,
    F.adaptive_avg_pool2d,
}
# Axes with which flattening and averaging do so.
FLATTENED = ((1,), (1, -1))
AVERAGED = ((2, 3), (-2, -1))


def separable(net: nn.Module) -> bool:
    """Whether a network's members can lie side by side: it is made of the operations above only."""
    modules = list(net.modules())
    if not any(isinstance(module, nn.Conv2d) for module in modules):
        return False
    try:
        graph = fx.Tracer().trace(_Plain(net))
    except Exception:  # whatever a tracer cannot follow, such as a choice by the values of the input
        return False
    named = dict(_Plain(net).named_modules())
    return all(_apart(node, named) for node in graph.nodes)


class _Plain(nn.Module):
    """A network without the options of its forward pass, as it is traced."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)


def _apart(node: fx.Node, named: dict[str, nn.Module]) -> bool:
    """Whether an operation of the graph keeps channels apart, or is replaced to keep members apart."""
    if node.op == "call_module":
        module = named[node.target]
        if isinstance(module, nn.BatchNorm2d) and module.momentum is None:
            return False  # its average over all batches counts them in one number
        if type(module) is nn.Flatten:
            return (module.start_dim, module.end_dim) in FLATTENED
        return type(module) in (*REPLACED, *MODULES)
    if node.target in ("flatten", torch.flatten):
        return node.args[1:] in FLATTENED and not node.kwargs
    if node.target in ("mean", torch.mean):
        axes = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
        return isinstance(axes, list | tuple) and tuple(axes) in AVERAGED
    if node.op == "call_function":
        return node.target in FUNCTIONS
    return node.op in ("placeholder", "output")


class SideBySide(nn.Module):
    """A copy of a separable network whose layers hold all members at once."""

    def __init__(self, net: nn.Module, members: int):
        super().__init__()
        self.members, self.copy = members, deepcopy(net)
        for module in list(self.copy.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.Conv2d):
                    setattr(module, name, _Convolutions(child, members))
                if isinstance(child, nn.Linear):
                    setattr(module, name, _Linears(child, members))

    def forward(self, population: dict, x: torch.Tensor, tap=None) -> torch.Tensor:
        """Logits (members, examples, classes) of each member's inputs (members, examples, channels, height,
        width).

        population: as everywhere, {name: (members, ...)}; running statistics in it are updated in place. tap:
        sees layers (examples, members × channels, ...).
        """
        state = {name: self._joined(name, value) for name, value in population.items()}
        x = x.transpose(0, 1).flatten(1, 2).contiguous(memory_format=torch.channels_last)
        logits = functional_call(self.copy, state, (x,), {} if tap is None else {"tap": tap})
        return logits.unflatten(1, (self.members, -1)).transpose(0, 1)

    def _joined(self, name, value):
        """Members' parameters joined on the first axis; a linear layer's and counts stay as they are."""
        owner = self.copy.get_submodule(name.rpartition(".")[0])
        return value if isinstance(owner, _Linears) or value.dim() == 1 else value.flatten(0, 1)


class _Convolutions(nn.Conv2d):
    """A convolution a member, (examples, members × channels, height, width)."""

    def __init__(self, conv: nn.Conv2d, members: int):
        super().__init__(
            conv.in_channels * members,
            conv.out_channels * members,
            conv.kernel_size,
            conv.stride,
            conv.padding,
            conv.dilation,
            conv.groups * members,
            conv.bias is not None,
            conv.padding_mode,
            device="meta",
        )
        self.weight, self.bias = conv.weight, conv.bias
        # In bf16 a CPU's kernels read channels in pairs: of an odd number the last is paired with the next
        # member's first, times zero, which is not zero where that member has diverged. A GPU's kernels
        # have not been tried.
        self.paired = not (conv.in_channels // conv.groups % 2 or conv.out_channels // conv.groups % 2)

    def forward(self, x):
        if self.paired:
            return super().forward(x)
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float() if x.dtype == torch.bfloat16 else x)


class _Linears(nn.Linear):
    """A linear layer a member, (examples, members × inputs) to (examples, members × outputs).

    Still a Linear, for a network that asks what its layers are.
    """

    def __init__(self, linear: nn.Linear, members: int):
        super().__init__(linear.in_features, linear.out_features, linear.bias is not None, device="meta")
        self.weight, self.bias, self.members = linear.weight, linear.bias, members

    def forward(self, x):
        x = x.unflatten(1, (self.members, -1)).transpose(0, 1)
        weight = self.weight.transpose(1, 2)
        x = torch.bmm(x, weight) if self.bias is None else torch.baddbmm(self.bias[:, None], x, weight)
        return x.transpose(0, 1).flatten(1)
