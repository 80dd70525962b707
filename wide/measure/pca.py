"""First principal component of every layer in example space: Nguyen, Raghu & Kornblith 2021, section 5.1, figs. 3, D.5.

It is the first left singular vector of the centred activations Xc (examples x features), a number an example, so that
layers of any width compare. Where it explains most variance, CKA is the squared cosine of two of them (equation 4). No
activation is stored: a randomised block Krylov method (Musco & Musco 2015, algorithm 2), random on the examples' side.
"""
from dataclasses import dataclass

import numpy as np
import torch

from wide.measure.cka import SPREAD
from wide.measure.grams import ieee_products, power_of_two


@dataclass(frozen=True)
class Components:
    """First components of L layers over N examples.

    names: layers in forward order. first: (L, N) float64, unit norm, mean 0, the entry of largest size is positive.
    fraction: (L,) float64, share of the layer's variance that it explains. Both are NaN at dead layers, which hardly
    differ between examples. combined: the same share for the concatenated activations of the layers of `together`, in
    their own units, without dead ones (NaN if all are); None if there are none.
    """
    names: tuple
    first: np.ndarray
    fraction: np.ndarray
    combined: float | None


def first_components(network, images, *, batch=256, together=(), sketch=8, iterations=2, seed=0,
                     budget_bytes=2**30) -> Components:
    """First principal component of every layer; features are centred over all N images, not within minibatches.

    network: a callable `network(images, tap)` in evaluation mode that calls `tap(name, activation)` at every layer in
    forward order; activations are (batch, ...) and are let go at once. images: (N, ...) tensor; all count, those of a
    short last minibatch too. together: names of the layers for `combined`. sketch: columns that an iteration multiplies
    by Xc Xcᵀ; the answer is the best in the span of them all, a mixture of components that are as large as each other.
    Takes one minibatch to see the layers and 1 + 2 · iterations passes. Memory holds N x sketch x (4 + iterations)
    numbers a layer and, at 8 bytes, features x (sketch + 1), about twice that for layers in `together`; where these
    exceed budget_bytes, layers come in groups in forward order, each with as many passes, and the numbers are the same.
    Products are in float32 (float64 for float64), on GPUs in torch's own setting, sums over minibatches in float64.
    Raises ValueError for fewer than 2 images, an unknown name in together, a layer name used twice, layers or shapes
    that change between minibatches, an activation that is not finite or not of batch examples, and impossible options.
    """
    if min(len(images) - 1, batch, sketch, iterations + 1) < 1:
        raise ValueError(f"{len(images)} images, batch {batch}, sketch {sketch}, iterations {iterations}: minima 2, 1, 1, 0")
    with torch.no_grad():
        stream = _Stream(network, images, batch, set(together), sketch, seed)
        groups = stream.groups(budget_bytes)
        for _ in range(iterations):
            for group in groups:
                stream.project(group)
                stream.each(_Layer.to_examples)
            for space in stream.spaces:
                space.grow()
        for group in groups:
            stream.project(group)
        (*shares, combined), (*first, _) = zip(*(space.leading() for space in stream.spaces))
    return Components(tuple(stream.layers), np.stack(first), np.array(shares), combined if together else None)


def squared_cosines(first):
    """Squared cosine of each pair of components: (L, N) -> (L, L) float64; ValueError for rows not of norm 1 or NaN."""
    first = np.asarray(first, np.float64)
    if first.ndim != 2 or np.any(np.abs(np.linalg.norm(first, axis=1) - 1) > 1e-3):
        raise ValueError(f"components of shape {first.shape}: give layers x examples, rows of unit norm or NaN")
    return np.minimum((first @ first.T) ** 2, 1.0)


class _Layer:
    """What is kept of a layer; x is its activation divided by a scale, less a shift, the first minibatch's mean.

    No other mean has to be taken off: qᵀx with q orthogonal to the constant does not notice the shift, and to xzᵀ it
    adds a constant, to which `_Space` makes the next q orthogonal.
    """

    def __init__(self, name, activation):
        self.name, self.shape, self.features = name, activation.shape[1:], activation[0].numel()
        # The order of features must not change, and that of memory spares copies: the first minibatch decides.
        self.last = activation.ndim == 4 and activation.is_contiguous(memory_format=torch.channels_last)
        dtype = torch.promote_types(activation.dtype, torch.float32)
        self.scale, self.shift = 0.0, torch.zeros(self.features, dtype=dtype, device=activation.device)
        self.shift = torch.cat([-x.mean(0) for _, x in self.blocks(activation)])

    def blocks(self, activation):
        """(which features, x of these), on a CPU in blocks that its cache holds."""
        x = (activation.permute(0, 2, 3, 1) if self.last else activation).reshape(len(activation), -1)
        self.scale = self.scale or power_of_two(x)  # 0.0 as long as all is 0; then so is the shift
        width = 4096 if x.device.type == "cpu" else self.features
        for start in range(0, self.features, width):
            part = slice(start, start + width)
            yield part, torch.add(self.shift[part], x[:, part], alpha=1 / (self.scale or 1.0))

    def rows(self, examples):
        """[q, ..., 1]ᵀ of these examples: the newest blocks of the layer's spaces, and the constant."""
        q = [space.q[examples].to(self.shift).T for space in self.spaces]
        return torch.cat([*q, self.shift.new_ones(1, q[0].shape[1])])

    def to_features(self, z, activation, examples):
        """z += [q, ..., 1]ᵀx, and squares += |x|²."""
        q = self.rows(examples)
        for part, x in self.blocks(activation):
            z[:, part] += q @ x  # a wide product: three times as fast on a CPU as the tall xᵀq
            self.squares += torch.linalg.vector_norm(x, dim=1).double().square().sum()

    def to_examples(self, z, activation, examples):
        """y += x zᵀ in each of its spaces."""
        y = sum(z[:, part] @ x.T for part, x in self.blocks(activation)).double()
        for space, own in zip(self.spaces, y.tensor_split(len(self.spaces))):
            space.y[examples] += self.weight * own.T


class _Space:
    """Subspace of example space that multiplication by K = Xc Xcᵀ spans, block after block of columns.

    basis: (N, columns) orthonormal, each with mean 0. q: the newest block; narrow when N leaves no room for more.
    k: basisᵀ K basis but for q. y, gram, total: sums that become K q, qᵀ K q and the trace of K.
    """

    def __init__(self, start, like):
        self.basis = self.q = like.new_zeros(len(start), 0)
        self.k, self.y = self.basis.new_zeros(0, 0, dtype=torch.float64), start.to(like.device)
        self.grow()

    def grow(self):
        """A new block from y, by QR after the constant and the basis: orthogonal to them even if only rounding."""
        old, width, block = self.basis.shape[1], self.q.shape[1], [torch.ones_like(self.y[:, :1]), self.basis, self.y]
        self.q = torch.linalg.qr(torch.cat(block, 1))[0][:, 1 + old:].to(self.basis)
        self.basis = torch.cat([self.basis, self.q], 1)
        self.k = torch.nn.functional.pad(self.k, 2 * (0, self.q.shape[1]))
        self.k[:, old - width:old] = (self.basis.double().T @ self.y)[:, :width]
        self.y, self.gram, self.total = torch.zeros_like(self.q, dtype=torch.float64), 0.0, 0.0

    def leading(self):
        """Largest eigenvalue of K in the subspace, as a share of its trace, and its unit vector (N,); NaN if K is 0."""
        if not self.total:
            return np.nan, np.full(len(self.basis), np.nan)
        start = len(self.k) - len(self.gram)
        self.k[start:, start:] = self.gram
        values, vectors = torch.linalg.eigh(self.k)  # reads the lower triangle, all of which is known
        vector = (self.basis.double() @ vectors[:, -1]).cpu().numpy()
        vector *= np.sign(vector[np.argmax(np.abs(vector))]) / np.linalg.norm(vector)
        return min(float(values[-1]) / self.total, 1.0), vector


class _Stream:
    """The passes over the images; each layer is in its own space, some in the one of the layers together, too."""

    def __init__(self, network, images, batch, together, sketch, seed):
        self.network, self.images, self.layers = network, images, {}
        self.minibatches = [slice(i, min(i + batch, len(images))) for i in range(0, len(images), batch)]
        self._forward(self.minibatches[0], lambda name, x: self.layers.update({name: _Layer(name, x)}))
        if not self.layers or not together <= set(self.layers):
            raise ValueError(f"{len(self.layers)} layers tapped, of together not: {together - set(self.layers) or ''}")
        start = torch.randn(len(images), sketch, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        layers = list(self.layers.values())
        *own, joint = self.spaces = [_Space(start, layer.shift) for layer in [*layers, layers[-1]]]
        for layer, space in zip(layers, own):
            layer.spaces = [space, joint] if layer.name in together else [space]

    def _forward(self, examples, use):
        seen, n = [], examples.stop - examples.start

        def tap(name, activation):
            shape = n, *(self.layers[name].shape if name in self.layers else activation.shape[1:])
            if name in seen or activation.shape != shape:
                raise ValueError(f"layer '{name}' is tapped twice in a pass, or is {tuple(activation.shape)} and not "
                                 f"{shape}: give each layer one name and shape, examples first")
            seen.append(name)
            with ieee_products():
                use(name, activation.detach())
        self.network(self.images[examples], tap)
        if seen != list(self.layers):
            raise ValueError(f"{len(seen)} layers tapped, {len(self.layers)} before: tap the same in each forward pass")

    def groups(self, budget):
        """Lists of layers whose sketches fit into the budget, or of one layer."""
        groups, room = [], 0
        for layer in self.layers.values():
            room -= (size := 8 * layer.features * len(layer.rows(slice(1))))
            if not groups or room < 0:
                groups, room = [*groups, []], budget - size
            groups[-1].append(layer)
        return groups

    def each(self, use):
        """One pass over the images: `use(layer, its z, activation, examples)` where there is a z."""
        for rows in self.minibatches:
            self._forward(rows, lambda name, x: name in self.z and use(self.layers[name], self.z[name], x, rows))

    def project(self, group):
        """z of the layers of a group, and from it gram and total of their spaces."""
        self.z = {}  # frees that of the group before
        for layer in group:
            shape, layer.squares = (len(layer.rows(slice(1))), layer.features), 0.0
            self.z[layer.name] = layer.shift.new_zeros(shape, dtype=torch.float64)
        self.each(_Layer.to_features)
        for layer in group:
            *z, sums = self.z[layer.name].split([*(space.q.shape[1] for space in layer.spaces), 1])
            total = float(layer.squares - sums.square().sum() / len(self.images))
            if not np.isfinite(total):
                raise ValueError(f"layer '{layer.name}' has NaN or infinite activations: no component is defined")
            layer.weight = layer.scale**2 if total > SPREAD**2 * len(self.images) else 0.0
            for space, own in zip(layer.spaces, z):
                space.gram = space.gram + layer.weight * (own @ own.T)
                space.total += layer.weight * total
            self.z[layer.name] = torch.cat(z).to(layer.shift)
