"""Linear CKA with the unbiased HSIC over minibatches: Nguyen, Raghu & Kornblith 2021.

Section 3.1 and appendix A. `streamed_cka` compares all layers of any number of networks in one pass and
stores no activation. Values are not clamped, so that an unbiased estimate of a CKA near 0 may be negative.
`wide.measure.exact_cka` is the same on whole matrices.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import torch

from wide.measure.grams import (
    SPREAD,
    add_outer_,
    centred_gram,
    flat,
    ieee_products,
    mirrored,
    native_bf16,
    power_of_two,
    u_centre_,
    without_first_pc,
)

PRECISIONS = ("float32", "bf16")
# Dead, besides a layer that hardly varies (SPREAD), is one whose U-centred Gram matrix is this small beside
# its diagonal: only rounding is left of it.
RANK = 3e-6


@dataclass(frozen=True)
class Similarity:
    """CKA of all layers of all networks, network after network in the order given, layers in forward order.

    cka: (L, L) float64, symmetric; NaN exactly at the rows and columns of dead layers, 1 on the rest of
    the diagonal.
    dead: (L,) bool; layers that hardly differ between examples, or of which no more than noise is left.
    names: a tuple of layer names for each network. batches: number of minibatches averaged over.
    """

    cka: np.ndarray
    dead: np.ndarray
    names: tuple
    batches: int

    def between(self, a=0, b=0):
        """CKA of the layers of network a (rows) and b (columns), dead ones masked."""
        edges = np.cumsum([0, *map(len, self.names)])
        rows, columns = (slice(edges[which], edges[which + 1]) for which in (a, b))
        return np.ma.masked_invalid(self.cka[rows, columns])


def minibatches(examples, batch, passes, seed):
    """Index tensors (batch,): `passes` passes in new orders; the short last batch of a pass is left out."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(passes):
        order = torch.randperm(examples, generator=generator)
        yield from order[: examples // batch * batch].split(batch)


def streamed_cka(
    networks,
    images,
    *,
    batch: int = 256,
    passes: int = 10,
    seed: int = 0,
    remove_first_pc: bool = False,
    gram_precision: str = "float32",
    budget_bytes: int = 2**26,
) -> Similarity:
    """CKA of every pair of layers, within each network and across networks: a `Similarity`.

    HSICs are summed over minibatches, then divided (equation 2).
    networks: callables `network(images, tap)` in evaluation mode that call `tap(name, activation)` at
    every layer in forward order and go on with what it returns, the same activation. Activations are
    (batch, ...) and are let go at once. images: (N, ...) tensor, given to all alike, maps of pixels
    channels-last in memory, for which convolutions on a CPU are twice as fast.
    remove_first_pc: take the first principal component off every layer of every minibatch first.
    gram_precision: "float32", within 1e-6 of float64; "bf16" multiplies in bfloat16 where a CPU does that
    itself (else in float32), faster, errors of 1e-4. GPUs follow torch's own setting for float32
    products.
    budget_bytes: what the copy in the product of stacked Gram matrices may take. Besides it, memory holds
    one layer's activation and half a batch x batch matrix a layer.
    Raises ValueError for a batch below 4 or above N, an activation that is not finite or not of batch
    examples, a layer name used twice, layers that change between minibatches, or an unknown precision.
    """
    _check(networks, images, batch, passes, gram_precision)
    half = gram_precision == "bf16" and native_bf16()
    stream = _Stream(batch, remove_first_pc, half, budget_bytes)
    with torch.no_grad():
        for chosen in minibatches(len(images), batch, passes, seed):
            minibatch = images[chosen.to(images.device)]
            if minibatch.ndim == 4:
                minibatch = minibatch.contiguous(memory_format=torch.channels_last)
            stream.add(networks, minibatch)
    return stream.result(len(networks))


def _check(networks, images, batch, passes, gram_precision):
    if batch < 4 or batch > len(images):
        raise ValueError(
            f"minibatches of {batch} from {len(images)} examples: give at least 4 (unbiased HSIC) in one, "
            "and at least one full minibatch"
        )
    if passes < 1 or not networks:
        raise ValueError(f"{len(networks)} networks, {passes} passes: give at least one of each")
    if gram_precision not in PRECISIONS:
        raise ValueError(f"gram_precision '{gram_precision}' is unknown; known: {', '.join(PRECISIONS)}")


class _Stream:
    """HSIC of all pairs of layers, summed over minibatches; a layer is known as (network, name).

    scales and spread: of each layer, a power of two that its activations are divided by, and the mean
    diagonal of its Gram matrices, summed over minibatches. upper: where a flattened n x n matrix is above
    its diagonal.
    """

    def __init__(self, n, remove_first_pc, half, budget_bytes):
        self.n = n
        self.remove_first_pc = remove_first_pc
        self.half = half
        self.budget = budget_bytes
        self.scales = {}
        self.spread = defaultdict(float)
        self.layers = None
        self.hsic = 0.0
        self.batches = 0
        i, j = torch.triu_indices(n, n, 1)
        self.upper = i * n + j

    def add(self, networks, images):
        """One minibatch through all networks."""
        rows = {}
        for which, network in enumerate(networks):
            self._pass(network, which, images, rows)
        self.layers = self.layers or list(rows)
        if list(rows) != self.layers or not rows:
            counts = f"{len(rows)} layers tapped, {len(self.layers)} before"
            raise ValueError(f"{counts}: tap the same in each forward pass")
        self.hsic = self.hsic + self._products(list(rows.values()))
        self.batches += 1
        finite = self.hsic.diagonal().isfinite()
        if not finite.all():
            which, name = self.layers[int(finite.int().argmin())]
            raise ValueError(
                f"layer '{name}' of network {which} has NaN or infinite activations: CKA is not defined"
            )

    def _pass(self, network, which, images, rows):
        """Fills rows with the Gram matrix of each layer of a network."""

        def tap(name, activation):
            if (which, name) in rows:
                raise ValueError(f"network {which} taps layer '{name}' twice in a pass: rename one of them")
            rows[which, name] = self._row((which, name), activation)
            return activation

        network(images, tap)

    def _row(self, layer, activation):
        """U-centred Gram matrix of an activation, what is above its diagonal: (n (n - 1) / 2,)."""
        if len(activation) != self.n:
            raise ValueError(
                f"layer '{layer[1]}' has {len(activation)} rows for {self.n} images: examples come first"
            )
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
                stack = torch.stack([row[start : start + width] for row in rows])
                total += add_outer_(stack.new_zeros(total.shape), stack)
        return mirrored(total) * 2 / (self.n * (self.n - 3))

    def result(self, networks):
        """Similarity over all minibatches so far."""
        hsic = self.hsic.cpu().numpy() / self.batches
        spread = np.array([float(self.spread[layer]) for layer in self.layers]) / self.batches
        norm = np.sqrt(hsic.diagonal())
        dead = (spread <= SPREAD**2) | (norm <= RANK * spread)
        norm = np.where(dead, np.nan, norm)
        names = tuple(
            tuple(name for which, name in self.layers if which == network) for network in range(networks)
        )
        return Similarity(hsic / np.outer(norm, norm), dead, names, self.batches)
