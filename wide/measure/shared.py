"""CKA, first components and usage of units of one network from the same forward passes.

`layers_of` gives what `streamed_ckas`, `first_components` and `relu_usage` give one by one. Few images go
through the network all at once: a layer's Gram matrix of all of them is then made once, its blocks are those
of the minibatches of CKA, and its leading eigenvector is the first component, to a residual of
`grams.TOLERANCE`. That takes one pass where a Krylov method takes two an iteration. More images stream.
"""

from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
import torch

from wide.measure.cka import check, minibatches, streamed_ckas
from wide.measure.grams import SPREAD, centred_gram, flat, leading, relative_gap
from wide.measure.hsic import Similarity, Streams
from wide.measure.krylov import Pair, upright
from wide.measure.pca import Components, first_components
from wide.measure.sparsity import Usage, relu_usage, usage_of, used

MOST = (
    2048  # images whose Gram matrices are made whole: 16 MiB each, and all minibatches' rows stay in memory
)


@dataclass(frozen=True)
class Shared:
    """What was asked for: one or two `Similarity` (the second without first components), the rest or None."""

    similarities: list[Similarity]
    components: Components | None
    usage: Usage | None


def layers_of(
    network,
    images,
    *,
    removed: bool = False,
    components: bool = False,
    together=(),
    units=(),
    batch: int = 256,
    passes: int = 10,
    seed: int = 0,
    gram_precision: str = "float32",
    iterations: int = 40,
    most: int = MOST,
) -> Shared:
    """CKA of all layers; where asked for the same without first components, the components, usage of units.

    network, images, batch, passes, seed, gram_precision: as in `streamed_ckas`.
    removed, components: whether these are wanted. together: as in `first_components`. units: as in
    `relu_usage`, () for none.
    most: images that go through the network at once where components are wanted. Memory then holds a layer's
    activation of all images, a few N x N matrices, and 2 N · batch bytes a layer and kind of CKA; products
    for components are float32, whatever gram_precision. iterations: of the Krylov method beyond `most`.
    Raises ValueError as those do.
    """
    check([network], images, batch, passes, gram_precision)
    kinds = (False, True) if removed else (False,)
    if components and len(images) <= most:
        return _whole(network, images, kinds, together, units, batch, passes, seed)
    options = {"batch": batch, "passes": passes, "seed": seed, "gram_precision": gram_precision}
    similarities = streamed_ckas([network], images, kinds, **options)
    krylov = {"batch": batch, "together": together, "iterations": iterations, "seed": seed}
    return Shared(
        similarities,
        first_components(network, images, **krylov) if components else None,
        relu_usage(network, images, units, batch=batch) if len(units) else None,
    )


def _whole(network, images, kinds, together, units, batch, passes, seed):
    """`layers_of` where all images go through the network at once, once a pass."""
    streams, first = Streams(kinds, batch, False, 2**26), _Firsts(set(together), set(units))
    chosen = list(minibatches(len(images), batch, passes, seed))
    a_pass = len(chosen) // passes
    with torch.no_grad():
        for number in range(passes):
            groups = chosen[number * a_pass : (number + 1) * a_pass]
            _pass(network, images, groups, streams, first if number == 0 else None)
    similarities = streams.results(1)
    return Shared(similarities, first.components(), first.usage(units, len(images)))


def _pass(network, images, groups, streams, first):
    """One pass. groups: indices (batch,) of each minibatch of CKA. first: `_Firsts`, before it has looked."""

    def tap(name, activation):
        layer = 0, name
        streams.refuse(layer, activation, len(images))
        x = flat(activation)
        scale = streams.scale(layer, x)
        k = centred_gram(x, scale)
        if first is not None:
            first.look(name, activation, k.double(), scale)
        for part, group in enumerate(groups):
            here = group.to(k.device)
            streams.add_gram(layer, x, k[here][:, here], part, here)
        return activation

    network(images, tap)
    streams.close()


class _Firsts:
    """First components and usage of units, layer after layer, from whole Gram matrices.

    together, units: names of layers. joint: Gram matrix of the former's concatenated activations.
    """

    def __init__(self, together, units):
        self.together, self.units = together, units
        self.pairs, self.counts, self.joint = {}, {}, 0.0

    def look(self, name, activation, k, scale):
        """k: float64 Gram matrix of the activation over its scale, centred."""
        total = float(k.trace())
        if not isfinite(total):
            raise ValueError(f"layer '{name}' has NaN or infinite activations: no component is defined")
        dead = total <= SPREAD**2 * len(k)
        self.pairs[name] = _pair(k, 0.0 if dead else total)
        if name in self.together and not dead:
            self.joint = self.joint + scale**2 * k
        if name in self.units:
            self.counts[name] = used(name, activation)

    def components(self):
        unknown = self.together - set(self.pairs)
        if unknown:
            raise ValueError(f"of together, no layers of the network: {', '.join(sorted(unknown))}")
        joint = None
        if self.together:
            some = torch.is_tensor(self.joint)
            joint = _pair(self.joint, float(self.joint.trace())) if some else _pair(torch.zeros(1, 1), 0.0)
        return Components.of(self.pairs, list(self.pairs.values()), joint)

    def usage(self, units, n):
        missing = [name for name in units if name not in self.counts]
        if missing:
            raise ValueError(f"layer '{missing[0]}' is not one that the network taps")
        return usage_of([self.counts[name] for name in units], n) if len(units) else None


def _pair(k, total):
    """`krylov.Pair` of a centred Gram matrix (N, N) of that trace; NaN for 0."""
    if not total:
        return Pair(nan, np.full(len(k), nan), nan, nan)
    value, vector, residual = leading(k)
    gap = relative_gap(k, value, vector)
    return Pair(min(value / total, 1.0), upright((vector - vector.mean()).cpu().numpy()), residual, gap)
