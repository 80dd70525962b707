"""HSIC of all pairs of layers, summed over minibatches, of which no activation is kept: what CKA is made of.

Nguyen, Raghu & Kornblith 2021, section 3.1 and appendix A.
"""

from collections import defaultdict
from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np
import torch

from wide.measure.grams import (
    SPREAD,
    add_outer_,
    centred_gram,
    flat,
    ieee_products,
    mirrored,
    power_of_two,
    u_centre_,
    without_first_pc,
)

# Float32 products are off by about 1e-7 of the diagonal of a Gram matrix. Where what U-centring, or the first
# component, leaves is smaller than this share of the diagonal, they are made again in float64.
PRECISE = 2**-6
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


class Streams:
    """What minibatches leave of each layer, for CKA with first components and without them.

    A layer is known as (network, name). scales: of each, a power of two that its activations are divided by.
    """

    def __init__(self, removed, n, half, budget_bytes):
        self.n, self.half = n, half
        self.sums = [_Sums(n, without, budget_bytes) for without in removed]
        self.scales = {}

    def forward(self, network, which, images):
        """One minibatch through a network."""

        def tap(name, activation):
            self.add((which, name), activation)
            return activation

        network(images, tap)

    def add(self, layer, activation):
        """A minibatch's activation of a layer."""
        self.refuse(layer, activation, self.n)
        x = flat(activation)
        k = centred_gram(x, self.scale(layer, x), self.half)
        self.add_gram(layer, x, k)

    def refuse(self, layer, activation, n):
        """ValueError for a layer that was seen already, and for other than n examples."""
        self.sums[0].refuse(layer, activation, n)

    def scale(self, layer, x):
        """Fixed at the layer's first minibatch with a value other than 0; 1 until then."""
        if not self.scales.get(layer):
            self.scales[layer] = power_of_two(x)
        return self.scales[layer] or 1.0

    def add_gram(self, layer, x, k, part=0, rows=slice(None)):
        """The Gram matrix of x (n, features) over the scale, its features less any constants.

        part: number of the minibatch among those that come side by side. rows: of x, that k is of.
        """
        found, shares = zip(*(sums.row(k) for sums in self.sums), strict=True)
        if k.dtype == torch.float32 and not self.half and k.device.type == "cpu" and min(shares) < PRECISE:
            k = centred_gram(x[rows].double(), self.scale(layer, x))
            found = [sums.row(k)[0] for sums in self.sums]
        for sums, row in zip(self.sums, found, strict=True):
            sums.put(layer, row.to(torch.promote_types(x.dtype, torch.float32)), spread(k), part)

    def close(self):
        """The end of a minibatch, or of several that came side by side."""
        for sums in self.sums:
            sums.close()

    def results(self, networks):
        """A Similarity for each, over all minibatches so far."""
        return [sums.result(networks) for sums in self.sums]


def spread(k):
    """Mean diagonal of the Gram matrix of centred features, from one that is centred in some way; float64."""
    return (k.diagonal().mean(dtype=torch.float64) - k.mean(dtype=torch.float64)).clamp(min=0)


class _Sums:
    """HSIC of all pairs of layers, summed over minibatches.

    remove: whether first components are taken off. spread: of each layer, the mean diagonal of its Gram
    matrices, summed over minibatches. rows: of the minibatches at work, {number: {layer: what is above the
    diagonal of its U-centred Gram matrix}}. upper: where a flattened n x n matrix is above its diagonal.
    """

    def __init__(self, n, remove, budget_bytes):
        self.n, self.remove, self.budget = n, remove, budget_bytes
        self.spread = defaultdict(float)
        self.rows = defaultdict(dict)
        self.layers = None
        self.hsic = 0.0
        self.batches = 0
        i, j = torch.triu_indices(n, n, 1)
        self.upper = i * n + j

    def refuse(self, layer, activation, n):
        """ValueError for a layer that was seen already, and for other examples."""
        which, name = layer
        if layer in self.rows[0]:
            raise ValueError(f"network {which} taps layer '{name}' twice in a pass: rename one of them")
        if len(activation) != n:
            raise ValueError(f"layer '{name}' has {len(activation)} rows for {n} images: examples come first")

    def row(self, k):
        """(n (n - 1) / 2,) and its size as a share of the spread, 1 where that is nothing or not finite."""
        most = float(spread(k))
        k = without_first_pc(k).to(k) if self.remove and isfinite(most) else k.clone()
        self.upper = self.upper.to(k.device)
        row = u_centre_(k).view(-1).index_select(0, self.upper)
        size = float(row.norm()) * sqrt(2 / (self.n * (self.n - 3)))
        return row, (size / most if most > SPREAD**2 and isfinite(size) else 1.0)

    def put(self, layer, row, spread, part):
        self.rows[part][layer] = row
        self.spread[layer] += spread

    def close(self):
        """Adds the products of the rows of each minibatch at work, and lets them go."""
        parts, self.rows = self.rows, defaultdict(dict)
        for part in list(parts) or [0]:
            self._close(parts.pop(part, {}))

    def _close(self, rows):
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
