"""Running statistics of a network that nothing has trained, so that it can stand as a control."""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from wide.training.population import prepare_inputs


@torch.no_grad()
def calibrate(net: nn.Module, images: torch.Tensor, most: int, standardise: bool = False) -> None:
    """Set the running statistics of batch normalisation to those of images, in place, float32 on the CPU.

    As constructed they are 0 and 1, whatever a layer's activations are: in evaluation mode such a network
    normalises nothing, and its activations grow from block to block. images: uint8 or float (examples, ...),
    of which `most`, drawn with a fixed seed, go through the network at once in training mode. A network
    without batch normalisation stays as it is.
    """
    layers = [module for module in net.modules() if isinstance(module, _BatchNorm)]
    if not layers:
        return
    chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:most]
    x = prepare_inputs(images[chosen.to(images.device)].cpu(), standardise)
    training, momenta = net.training, [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 1.0  # the statistics of this batch alone
    net.train()
    net(x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
        layer.num_batches_tracked.zero_()
    net.train(training)
