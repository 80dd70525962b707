"""Linear CKA with the unbiased HSIC over minibatches: Nguyen, Raghu & Kornblith 2021, section 3.1 and appendix A.

`streamed_cka` compares all layers of any number of networks in one pass and stores no activation. `gram`, `u_centre`,
`hsic_unbiased`, `cka` and `cka_biased` are the same on whole matrices in float64, for reference. X is (examples, ...):
what comes after the first axis, feature maps included, is flattened. Values are not clamped: an unbiased estimate of a
CKA near 0 may be negative.
"""
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import torch

from wide.measure.grams import (add_outer_, centred_gram, flat, ieee_products, mirrored, native_bf16, power_of_two, u_centre_,
                                 without_first_pc)

PRECISIONS = ("float32", "bf16")
SPREAD = 1e-6  # a layer whose units vary less than this share of their largest value is dead: float32 holds only noise
RANK = 3e-6  # so is one whose U-centred Gram matrix is this small beside its diagonal: only rounding is left of it


def gram(x):
    """Gram matrix of centred features: (n, ...) -> (n, n) float64; centring changes no CKA and spares precision."""
    x = np.asarray(x, np.float64)
    x = x.reshape(len(x), -1)
    if len(x) < 4 or not np.isfinite(x).all():
        raise ValueError(f"{len(x)} examples, finite: {np.isfinite(x).all()}; HSIC needs at least 4, finite throughout")
    x = x - x.mean(0)
    return x @ x.T


def u_centre(k):
    """U-centred Gram matrix (Székely & Rizzo 2014): (n, n) -> (n, n) float64; diagonal and all sums of rows are 0."""
    k = torch.as_tensor(k, dtype=torch.float64).clone()
    if k.ndim != 2 or len(k) != k.shape[1] or len(k) < 4:
        raise ValueError(f"a Gram matrix of shape {tuple(k.shape)}: U-centring needs n x n with n at least 4")
    return u_centre_(k).numpy()


def hsic_unbiased(k, l):
    """Equation 3 (Song et al. 2012) of two (n, n) Gram matrices: dot product of U-centred ones over n(n - 3), float."""
    return float(np.sum(u_centre(k) * u_centre(l)) / (len(k) * (len(k) - 3)))


def cka(x, y):
    """Debiased linear CKA of (n, ...) and (n, ...), all examples in one batch: float."""
    return _ratio(x, y, u_centre)


def cka_biased(x, y):
    """Linear CKA as in equation 1 (Kornblith et al. 2019) of (n, ...) and (n, ...): float in [0, 1]."""
    return _ratio(x, y, lambda k: k)


@dataclass(frozen=True)
class Similarity:
    """CKA of all layers of all networks, network after network in the order given, layers in forward order.

    cka: (L, L) float64, symmetric; NaN exactly at the rows and columns of dead layers, 1 on the rest of the diagonal.
    dead: (L,) bool; layers that hardly differ between examples, or of which no more than noise is left: no CKA exists.
    names: a tuple of layer names for each network. batches: number of minibatches averaged over.
    """
    cka: np.ndarray
    dead: np.ndarray
    names: tuple
    batches: int

    def between(self, a=0, b=0):
        """CKA of the layers of network a (rows) and of network b (columns): masked array, dead layers masked."""
        edges = np.cumsum([0, *map(len, self.names)])
        rows, columns = slice(edges[a], edges[a + 1]), slice(edges[b], edges[b + 1])
        return np.ma.masked_invalid(self.cka[rows, columns])


def minibatches(examples, batch, passes, seed):
    """Index tensors (batch,): `passes` passes in new orders; the short last batch of a pass is left out."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(passes):
        order = torch.randperm(examples, generator=generator)
        yield from order[:examples // batch * batch].split(batch)


def streamed_cka(networks, images, *, batch=256, passes=10, seed=0, remove_first_pc=False, gram_precision="float32",
                 budget_bytes=2**26) -> Similarity:
    """CKA of every pair of layers, within each network and across networks: HSICs summed, then the ratio (equation 2).

    networks: callables `network(images, tap)` in evaluation mode that call `tap(name, activation)` at every layer in
    forward order; activations are (batch, ...) and are let go at once. images: (N, ...) tensor, given to all alike, maps
    of pixels channels-last in memory, for which convolutions on a CPU are twice as fast.
    remove_first_pc: take the first principal component off every layer of every minibatch first.
    gram_precision: "float32", within 1e-6 of float64; "bf16" multiplies in bfloat16 where a CPU does that itself (else
    in float32), faster, errors of 1e-4. GPUs follow torch's own setting for float32 products.
    budget_bytes: what the copy in the product of stacked Gram matrices may take. Besides it, memory holds one layer's
    activation and half a batch x batch matrix a layer.
    Raises ValueError for a batch below 4 or above N, an activation that is not finite or not of batch examples, a layer
    name used twice, layers that change between minibatches, or an unknown precision.
    """
    if batch < 4 or batch > len(images):
        raise ValueError(f"minibatches of {batch} from {len(images)} examples: give at least 4 (unbiased HSIC) in one, "
                         "and at least one full minibatch")
    if passes < 1 or not networks:
        raise ValueError(f"{len(networks)} networks, {passes} passes: give at least one of each")
    if gram_precision not in PRECISIONS:
        raise ValueError(f"gram_precision '{gram_precision}' is unknown; known: {', '.join(PRECISIONS)}")
    stream = _Stream(batch, remove_first_pc, gram_precision == "bf16" and native_bf16(), budget_bytes)
    with torch.no_grad():
        for chosen in minibatches(len(images), batch, passes, seed):
            minibatch = images[chosen.to(images.device)]
            stream.add(networks, minibatch.contiguous(memory_format=torch.channels_last) if minibatch.ndim == 4 else minibatch)
    return stream.result(len(networks))


class _Stream:
    """HSIC of all pairs of layers, summed over minibatches; a layer is known as (network, name)."""

    def __init__(self, n, remove_first_pc, half, budget_bytes):
        self.n, self.remove_first_pc, self.half, self.budget = n, remove_first_pc, half, budget_bytes
        self.scales, self.spread, self.layers, self.hsic, self.batches = {}, defaultdict(float), None, 0.0, 0
        i, j = torch.triu_indices(n, n, 1)
        self.upper = i * n + j

    def add(self, networks, images):
        rows = {}
        for which, network in enumerate(networks):
            def tap(name, activation, which=which):
                if (which, name) in rows:
                    raise ValueError(f"network {which} taps layer '{name}' twice in a pass: rename one of them")
                rows[which, name] = self._row((which, name), activation)
            network(images, tap)
        self.layers = self.layers or list(rows)
        if list(rows) != self.layers or not rows:
            raise ValueError(f"{len(rows)} layers tapped, {len(self.layers)} before: tap the same in each forward pass")
        self.hsic = self.hsic + self._products(list(rows.values()))
        self.batches += 1
        finite = self.hsic.diagonal().isfinite()
        if not finite.all():
            which, name = self.layers[int(finite.int().argmin())]
            raise ValueError(f"layer '{name}' of network {which} has NaN or infinite activations: CKA is not defined")

    def _row(self, layer, activation):
        """U-centred Gram matrix of an activation, what is above its diagonal: (n (n - 1) / 2,)."""
        if len(activation) != self.n:
            raise ValueError(f"layer '{layer[1]}' has {len(activation)} rows for {self.n} images: examples come first")
        x = flat(activation)
        if not self.scales.get(layer):  # fixed at its first minibatch with a value other than 0
            self.scales[layer] = power_of_two(x)
        k = centred_gram(x, self.scales[layer] or 1.0, self.half)
        self.spread[layer] += k.diagonal().mean().double()
        if self.remove_first_pc:
            k = torch.as_tensor(without_first_pc(k.cpu())).to(k)
        self.upper = self.upper.to(k.device)
        return u_centre_(k).view(-1).index_select(0, self.upper)

    def _products(self, rows):
        """Products of all pairs of rows, float64 (L, L), in chunks of columns that fit into the budget."""
        width = max(1, self.budget // (len(rows) * rows[0].element_size()))
        total = torch.zeros(len(rows), len(rows), dtype=torch.float64, device=rows[0].device)
        with ieee_products():
            for start in range(0, len(rows[0]), width):
                stack = torch.stack([row[start:start + width] for row in rows])
                total += add_outer_(stack.new_zeros(total.shape), stack)
        return mirrored(total) * 2 / (self.n * (self.n - 3))

    def result(self, networks):
        hsic = self.hsic.cpu().numpy() / self.batches
        spread = np.array([float(self.spread[layer]) for layer in self.layers]) / self.batches
        norm = np.sqrt(hsic.diagonal())
        dead = (spread <= SPREAD**2) | (norm <= RANK * spread)
        norm = np.where(dead, np.nan, norm)
        names = tuple(tuple(name for which, name in self.layers if which == network) for network in range(networks))
        return Similarity(hsic / np.outer(norm, norm), dead, names, self.batches)


def _ratio(x, y, centre):
    if len(x) != len(y):
        raise ValueError(f"{len(x)} and {len(y)} examples: CKA compares two representations of the same examples")
    k, l = _varied(x), _varied(y)
    k, l = centre(k), centre(l)
    return float(np.sum(k * l) / np.linalg.norm(k) / np.linalg.norm(l))


def _varied(x):
    """gram(x); ValueError if the examples are alike, or all but one: the U-centred matrix is then only rounding."""
    k = gram(x)
    spread = np.trace(k) / len(k)
    if spread <= (1e-12 * np.abs(x).max()) ** 2 or np.linalg.norm(u_centre(k)) <= 1e-12 * spread:
        raise ValueError("a representation is the same for all examples, or all but one: CKA is not defined")
    return k
