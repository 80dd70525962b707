"""Linear CKA with the unbiased HSIC over minibatches: Nguyen, Raghu & Kornblith 2021.

Section 3.1 and appendix A. `streamed_cka` compares all layers of any number of networks in one pass and
stores no activation. Values are not clamped, so that an unbiased estimate of a CKA near 0 may be negative.
`wide.measure.exact_cka` is the same on whole matrices.
"""

import torch

from wide.measure.grams import native_bf16
from wide.measure.hsic import Similarity, Streams

PRECISIONS = ("float32", "bf16")


def minibatches(examples, batch, passes, seed):
    """Index tensors (batch,): `passes` passes in new orders; the short last batch of a pass is left out."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(passes):
        order = torch.randperm(examples, generator=generator)
        yield from order[: examples // batch * batch].split(batch)


def streamed_cka(networks, images, *, remove_first_pc: bool = False, **options) -> Similarity:
    """CKA of every pair of layers, within each network and across networks: a `Similarity`.

    remove_first_pc: take the first principal component off every layer of every minibatch first.
    All else as in `streamed_ckas`.
    """
    return streamed_ckas(networks, images, (remove_first_pc,), **options)[0]


def streamed_ckas(
    networks,
    images,
    removed=(False, True),
    *,
    batch: int = 256,
    passes: int = 10,
    seed: int = 0,
    gram_precision: str = "float32",
    budget_bytes: int = 2**26,
) -> list[Similarity]:
    """CKA of every pair of layers as they are, and without their first components, from the same passes.

    A `Similarity` for each entry of removed, which says whether the components are taken off. HSICs are
    summed over minibatches, then divided (equation 2).
    networks: callables `network(images, tap)` in evaluation mode that call `tap(name, activation)` at
    every layer in forward order and go on with what it returns, the same activation. Activations are
    (batch, ...) and are let go at once. images: (N, ...) tensor, given to all alike, maps of pixels
    channels-last in memory, for which convolutions on a CPU are twice as fast.
    gram_precision: "float32", on a CPU within 1e-5 of float64 on the same activations: layers of which
    little is left beside the diagonal of their Gram matrix (PRECISE) are multiplied in float64. "bf16"
    multiplies in bfloat16 where a CPU does that itself (else in float32), faster; errors of 1e-4 where
    layers have much in common, of 1e-3 where their Gram matrices are nearly diagonal, as of noise, and
    more without first components. GPUs follow torch's own setting for float32 products.
    budget_bytes: what the copy in the product of stacked Gram matrices may take. Besides it, memory holds
    one layer's activation and half a batch x batch matrix a layer and entry of removed.
    Raises ValueError for a batch below 4 or above N, an activation that is not finite or not of batch
    examples, a layer name used twice, layers that change between minibatches, or an unknown precision.
    """
    check(networks, images, batch, passes, gram_precision)
    half = gram_precision == "bf16" and native_bf16()
    streams = Streams(removed, batch, half, budget_bytes)
    with torch.no_grad():
        for chosen in minibatches(len(images), batch, passes, seed):
            minibatch = images[chosen.to(images.device)]
            if minibatch.ndim == 4:
                minibatch = minibatch.contiguous(memory_format=torch.channels_last)
            for which, network in enumerate(networks):
                streams.forward(network, which, minibatch)
            streams.close()
    return streams.results(len(networks))


def check(networks, images, batch, passes, gram_precision):
    """Raise ValueError for options that no CKA is defined for."""
    if batch < 4 or batch > len(images):
        raise ValueError(
            f"minibatches of {batch} from {len(images)} examples: give at least 4 (unbiased HSIC) in one, "
            "and at least one full minibatch"
        )
    if passes < 1 or not networks:
        raise ValueError(f"{len(networks)} networks, {passes} passes: give at least one of each")
    if gram_precision not in PRECISIONS:
        raise ValueError(f"gram_precision '{gram_precision}' is unknown; known: {', '.join(PRECISIONS)}")
