"""CKA with and without first components, the components and usage of units: from shared passes, and one by
one, in one run: `python -m benchmarks.shared [depth [base [images]]]`, default 38 8 1024.

A ResNet on 16-pixel images, one thread. Printed: CPU seconds of each (other work on the machine does not
count), of the forward pass alone as measures call it and as a functional call of parameters that keep
account of gradients, and of finding the first components of a minibatch's layers by Lanczos and by a full
eigenproblem. About two minutes.
"""

import sys
import time

import torch
from torch.func import functional_call
from torch.nn import functional as F

from wide.measure.cka import streamed_ckas
from wide.measure.grams import centred_gram, flat, leading, power_of_two
from wide.measure.pca import first_components
from wide.measure.shared import layers_of
from wide.measure.sparsity import relu_usage
from wide.nets.resnet import Net

SIDE, BATCH = 16, 256


def setting(depth, base, count):
    """Network in evaluation mode, images that vary from coarse to fine."""
    torch.manual_seed(0)
    net = Net(1, image=(3, SIDE, SIDE), classes=10, depth=depth, base=base)
    sides = (2, 4, SIDE)
    images = sum(F.interpolate(torch.rand(count, 3, side, side), SIDE, mode="bilinear") for side in sides) / 3
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # running statistics become those of the images shown
    with torch.no_grad():
        net(images[:BATCH])
    return net.eval(), images.contiguous(memory_format=torch.channels_last)


def timed(name, function):
    """CPU seconds of a call, printed; what it returns."""
    started = time.process_time()
    found = function()
    print(f"{name:52s}{time.process_time() - started:8.2f} s", flush=True)
    return found


def forward(net, images):
    with torch.inference_mode():
        for part in images.split(BATCH):
            net(part, tap=lambda name, x: x)


def functional(net, images):
    state = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    for part in images.split(BATCH):
        functional_call(net, state, (part,), {"tap": lambda name, x: x})


def grams(net, images):
    """Gram matrices of all layers of a minibatch."""
    found = []

    def tap(name, activation):
        x = flat(activation)
        found.append(centred_gram(x, power_of_two(x) or 1.0).double())
        return activation

    with torch.inference_mode():
        net(images[:BATCH], tap)
    return found


def main(depth="38", base="8", count="1024"):
    torch.set_num_threads(1)
    net, images = setting(int(depth), int(base), int(count))
    late = [layer for layer in net.layers if net.stage_of(layer) in (2, 3)]
    print(f"ResNet-{depth}, {base} channels, {len(net.layers)} layers, {count} images")
    forward(net, images)
    timed("forward pass", lambda: forward(net, images))
    timed("the same with account of gradients", lambda: functional(net, images))
    net.requires_grad_(False)
    wanted = {"removed": True, "components": True, "together": late, "units": net.units, "passes": 1}
    timed("all from shared passes", lambda: layers_of(net, images, **wanted))
    timed("CKA with and without components, one pass", lambda: streamed_ckas([net], images, passes=1))
    timed("first components by Krylov passes", lambda: first_components(net, images, together=late))
    timed("usage of units", lambda: relu_usage(net, images, net.units))
    found = grams(net, images)
    timed(f"leading pairs of {len(found)} Gram matrices, certified", lambda: [leading(k) for k in found])
    timed("by a full eigenproblem", lambda: [torch.linalg.eigh(k) for k in found])


if __name__ == "__main__":
    main(*sys.argv[1:])
