"""First principal component of every layer in example space: Nguyen, Raghu & Kornblith 2021, section 5.1.

Figures 3 and D.5. It is the first left singular vector of the centred activations Xc (examples x
features), a number an example, so that layers of any width compare. Where it explains most variance, CKA
is the squared cosine of two of them (equation 4). No activation is stored: a randomised block Krylov
method, random on the examples' side (`krylov`). `wide.measure.shared` has whole Gram matrices of few images.
"""

from dataclasses import dataclass

import numpy as np
import torch

from wide.measure.grams import SPREAD, ieee_products
from wide.measure.krylov import Layer, Space


@dataclass(frozen=True)
class Components:
    """First components of L layers over N examples.

    names: layers in forward order. first: (L, N) float64, unit norm, mean 0, the entry of largest size is
    positive.
    fraction: (L,) float64, share of the layer's variance that it explains.
    residual: (L,) float64, |K v - λ v| / λ of the Gram matrix K of centred activations.
    gap: (L,) float64, 1 - second / first eigenvalue of K; where it is below `krylov.GAP` two directions
    explain as much, and the component is a mixture of them. Otherwise the angle to the true component is
    at most residual / gap. All are NaN at dead layers, which hardly differ between examples.
    combined: the share of the concatenated activations of the layers of `together`, in their own units,
    without dead ones (NaN if all are); None if there are none.
    """

    names: tuple
    first: np.ndarray
    fraction: np.ndarray
    residual: np.ndarray
    gap: np.ndarray
    combined: float | None

    @classmethod
    def of(cls, names, pairs, combined):
        """From a `krylov.Pair` a layer, and one of all together or None."""
        share, first, residual, gap = map(np.array, zip(*pairs, strict=True))
        return cls(tuple(names), first, share, residual, gap, None if combined is None else combined.share)


def first_components(
    network,
    images,
    *,
    batch: int = 256,
    together=(),
    sketch: int = 8,
    iterations: int = 40,
    seed: int = 0,
    budget_bytes: int = 2**30,
) -> Components:
    """First principal component of every layer, to an angle that moves a squared cosine of two by 0.01.

    Features are centred over all N images, not within minibatches.
    network: a callable `network(images, tap)` in evaluation mode that calls `tap(name, activation)` at
    every layer in forward order and goes on with what it returns, the same activation. Activations are
    (batch, ...) and are let go at once. images: (N, ...) tensor; all count, those of a short last
    minibatch too.
    together: names of the layers for `combined`.
    sketch: columns that an iteration multiplies by Xc Xcᵀ; the answer is the best in the span of them
    all. iterations: at most so many; a layer takes no part any more once its residual is small enough beside
    its gap (`krylov.Pair.found`), and `Components.residual` says what was reached. An iteration takes two
    passes. Memory holds N x sketch x (4 + iterations so far) numbers a layer and, at 8 bytes, features x
    (sketch + 1), about twice that for layers in `together`; where these exceed budget_bytes, layers come
    in groups in forward order, each with as many passes, and the numbers are the same. Products are in
    float32 (float64 for float64), on GPUs in torch's own setting, sums over minibatches in float64.
    Raises ValueError for fewer than 2 images, an unknown name in together, a layer name used twice, layers
    or shapes that change between minibatches, an activation that is not finite or not of batch examples,
    and impossible options.
    """
    if min(len(images) - 1, batch, sketch, iterations) < 1:
        given = f"{len(images)} images, batch {batch}, sketch {sketch}, iterations {iterations}"
        raise ValueError(f"{given}: minima 2, 1, 1, 1")
    with torch.no_grad():
        stream = _Stream(network, images, batch, set(together), sketch, seed)
        for _ in range(iterations):
            for group in stream.groups(budget_bytes):
                stream.project(group)
                stream.each(Layer.to_examples)
            if not stream.go_on():
                break
        *own, combined = (space.leading() for space in stream.spaces)
    return Components.of(stream.layers, own, combined if together else None)


def squared_cosines(first):
    """Squared cosine of each pair of components: (L, N) -> (L, L) float64.

    Raises ValueError for rows not of norm 1 or NaN.
    """
    first = np.asarray(first, np.float64)
    if first.ndim != 2 or np.any(np.abs(np.linalg.norm(first, axis=1) - 1) > 1e-3):
        raise ValueError(
            f"components of shape {first.shape}: give layers x examples, rows of unit norm or NaN"
        )
    return np.minimum((first @ first.T) ** 2, 1.0)


class _Stream:
    """The passes over the images.

    Each layer is in its own space, some in the one of the layers together, too.
    layers: {name: Layer}. spaces: one a layer in the same order, and the joint one. z: {name: sketch of a
    layer's features} of the group of layers that is at work.
    """

    def __init__(self, network, images, batch, together, sketch, seed):
        self.network = network
        self.images = images
        self.minibatches = [slice(i, min(i + batch, len(images))) for i in range(0, len(images), batch)]
        self.layers = {}
        self.z = {}
        self._forward(self.minibatches[0], self._meet)
        unknown = together - set(self.layers)
        if not self.layers or unknown:
            raise ValueError(f"{len(self.layers)} layers tapped, of together not: {unknown or ''}")
        generator = torch.Generator().manual_seed(seed)
        start = torch.randn(len(images), sketch, generator=generator, dtype=torch.float64)
        layers = list(self.layers.values())
        own = [Space(start, layer.shift) for layer in layers]
        joint = Space(start, layers[-1].shift)
        self.spaces = [*own, joint]
        for layer, space in zip(layers, own, strict=True):
            layer.spaces = [space, joint] if layer.name in together else [space]

    def go_on(self):
        """Ends an iteration: new blocks for spaces that need them. Whether any does."""
        for space in self.spaces:
            if any(space in layer.spaces for layer in self.layers.values()):
                space.begin()
        done = {id(space) for space in self.spaces if space.leading().found}
        for layer in self.layers.values():
            layer.spaces = [space for space in layer.spaces if id(space) not in done]
        return any(layer.spaces for layer in self.layers.values())

    def _meet(self, name, activation):
        self.layers[name] = Layer(name, activation)

    def _forward(self, examples, use):
        """One minibatch through the network: `use(name, activation)` at every layer."""
        seen = []
        n = examples.stop - examples.start

        def tap(name, activation):
            known = self.layers[name].shape if name in self.layers else activation.shape[1:]
            shape = n, *known
            if name in seen or activation.shape != shape:
                raise ValueError(
                    f"layer '{name}' is tapped twice in a pass, or is {tuple(activation.shape)} and not "
                    f"{shape}: give each layer one name and shape, examples first"
                )
            seen.append(name)
            with ieee_products():
                use(name, activation.detach())
            return activation

        self.network(self.images[examples], tap)
        if seen != list(self.layers):
            counts = f"{len(seen)} layers tapped, {len(self.layers)} before"
            raise ValueError(f"{counts}: tap the same in each forward pass")

    def groups(self, budget):
        """Lists of layers whose sketches fit into the budget, or of one layer."""
        groups, room = [], 0
        for layer in (layer for layer in self.layers.values() if layer.spaces):
            size = 8 * layer.features * len(layer.rows(slice(1)))
            room -= size
            if not groups or room < 0:
                groups.append([])
                room = budget - size
            groups[-1].append(layer)
        return groups

    def each(self, use):
        """One pass over the images: `use(layer, its z, activation, examples)` where there is a z."""
        for examples in self.minibatches:

            def step(name, activation, examples=examples):
                if name in self.z:
                    use(self.layers[name], self.z[name], activation, examples)

            self._forward(examples, step)

    def project(self, group):
        """z of the layers of a group, and from it gram and total of their spaces."""
        self.z = {}  # frees that of the group before
        for layer in group:
            self.z[layer.name] = layer.empty()
        self.each(Layer.to_features)
        for layer in group:
            self.z[layer.name] = layer.close(self.z[layer.name], len(self.images), SPREAD)
