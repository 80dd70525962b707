"""A randomised block Krylov method in example space (Musco & Musco 2015, algorithm 2).

For a layer, or several together. K = Xc Xcᵀ is the Gram matrix of a layer's centred activations Xc
(examples x features). It is multiplied with blocks of columns in two halves, Xcᵀq and then Xc(Xcᵀq),
while activations stream by. `Layer` knows one layer's activations, `Space` the subspace that the products
span.
"""

from typing import NamedTuple

import numpy as np
import torch

from wide.measure.grams import power_of_two

BLOCK = 4096  # features at once on a CPU: what its cache holds
ANGLE = (
    0.005  # radians: a squared cosine of two components moves by no more than the sum of their angles, 0.01
)
GAP = 0.01  # two directions that explain as much but for so much of it: either could be called the first


class Layer:
    """What is kept of a layer.

    x is its activation divided by a scale, less a shift, the first minibatch's mean. No other mean has to
    be taken off: qᵀx with q orthogonal to the constant does not notice the shift, and to xzᵀ it adds a
    constant, to which `Space` makes the next q orthogonal.

    spaces: those in which the layer takes part. weight: of its products in them. squares: sum of |x|²
    over a pass.
    """

    def __init__(self, name, activation):
        self.name = name
        self.shape = activation.shape[1:]
        self.features = activation[0].numel()
        self.spaces = []
        self.weight = 0.0
        self.squares = 0.0
        # The order of features must not change, and that of memory spares copies: the first minibatch
        # decides.
        self.last = activation.ndim == 4 and activation.is_contiguous(memory_format=torch.channels_last)
        dtype = torch.promote_types(activation.dtype, torch.float32)
        self.scale = 0.0
        self.shift = torch.zeros(self.features, dtype=dtype, device=activation.device)
        self.shift = torch.cat([-x.mean(0) for _, x in self.blocks(activation)])

    def blocks(self, activation):
        """(which features, x of these), on a CPU in blocks that its cache holds."""
        if self.last:
            activation = activation.permute(0, 2, 3, 1)
        x = activation.reshape(len(activation), -1)
        self.scale = self.scale or power_of_two(x)  # 0.0 as long as all is 0; then so is the shift
        width = BLOCK if x.device.type == "cpu" else self.features
        for start in range(0, self.features, width):
            part = slice(start, start + width)
            yield part, torch.add(self.shift[part], x[:, part], alpha=1 / (self.scale or 1.0))

    def rows(self, examples):
        """[q, ..., 1]ᵀ of these examples: the newest blocks of the layer's spaces, and the constant."""
        q = [space.q[examples].to(self.shift).T for space in self.spaces]
        return torch.cat([*q, self.shift.new_ones(1, q[0].shape[1])])

    def empty(self):
        """z = 0 for a new pass, float64 (columns of the spaces + 1, features); squares = 0."""
        self.squares = 0.0
        shape = len(self.rows(slice(1))), self.features
        return self.shift.new_zeros(shape, dtype=torch.float64)

    def to_features(self, z, activation, examples):
        """z += [q, ..., 1]ᵀx, and squares += |x|²."""
        q = self.rows(examples)
        for part, x in self.blocks(activation):
            z[:, part] += q @ x  # a wide product: three times as fast on a CPU as the tall xᵀq
            self.squares += torch.linalg.vector_norm(x, dim=1).double().square().sum()

    def to_examples(self, z, activation, examples):
        """y += x zᵀ in each of its spaces."""
        y = sum(z[:, part] @ x.T for part, x in self.blocks(activation)).double()
        for space, own in zip(self.spaces, y.tensor_split(len(self.spaces)), strict=True):
            space.y[examples] += self.weight * own.T

    def close(self, z, examples, spread):
        """After a pass over so many examples: gram and total of its spaces, and z without the constant's row.

        A layer whose mean squared size is at most `spread`² is dead and weighs nothing. ValueError for
        activations that are not finite.
        """
        *z, sums = z.split([*(space.q.shape[1] for space in self.spaces), 1])
        total = float(self.squares - sums.square().sum() / examples)
        if not np.isfinite(total):
            raise ValueError(f"layer '{self.name}' has NaN or infinite activations: no component is defined")
        self.weight = self.scale**2 if total > spread**2 * examples else 0.0
        for space, own in zip(self.spaces, z, strict=True):
            space.gram = space.gram + self.weight * (own @ own.T)
            space.total += self.weight * total
        return torch.cat(z).to(self.shift)


class Space:
    """Subspace of example space that multiplication by K spans, block after block of columns.

    basis: (N, columns) orthonormal, each with mean 0. q: the newest block; narrow when N leaves no room
    for more. known: columns of the basis before q.
    k: basisᵀ K basis but for q. beyond: qᵀ K b of the block b before q, what K leads out of the known.
    y, gram, total: sums that become K q, qᵀ K q and the trace of K.
    """

    def __init__(self, start, like):
        self.basis = self.q = like.new_zeros(len(start), 0)
        self.k = self.basis.new_zeros(0, 0, dtype=torch.float64)
        self.y = start.to(like.device)
        self.total = 0.0
        self.begin()

    def begin(self):
        """A new block from y, by QR: orthogonal to the constant and the basis even if only rounding."""
        known, width = self.basis.shape[1], self.q.shape[1]
        constant = torch.ones_like(self.y[:, :1])
        orthogonal = torch.linalg.qr(torch.cat([constant, self.basis, self.y], 1))[0]
        self.q = orthogonal[:, 1 + known :].to(self.basis)
        self.basis = torch.cat([self.basis, self.q], 1)
        self.k = torch.nn.functional.pad(self.k, 2 * (0, self.q.shape[1]))
        products = self.basis.double().T @ self.y
        self.k[:, known - width : known] = products[:, :width]
        self.beyond = products[known:, :width]
        self.known = known
        self.trace = self.total
        self.y = torch.zeros_like(self.q, dtype=torch.float64)
        self.gram = 0.0
        self.total = 0.0

    def leading(self):
        """`Pair` of the largest eigenvalue of K in the known subspace; its numbers are NaN if K is 0."""
        if not self.trace:
            return Pair(np.nan, np.full(len(self.basis), np.nan), np.nan, np.nan)
        values, vectors = torch.linalg.eigh(self.k[: self.known, : self.known])  # reads the lower triangle
        value, last = float(values[-1]), vectors[self.known - self.beyond.shape[1] :, -1]
        vector = (self.basis[:, : self.known].double() @ vectors[:, -1]).cpu().numpy()
        second = max(float(values[-2]), 0.0) if len(values) > 1 else 0.0
        residual = float((self.beyond @ last).norm()) / value if value > 0 else np.inf
        share = min(value / self.trace, 1.0)
        return Pair(share, upright(vector), residual, 1 - second / value if value > 0 else 0.0)


def upright(vector):
    """The vector (N,) at unit norm, its entry of largest size positive."""
    return vector * np.sign(vector[np.argmax(np.abs(vector))]) / np.linalg.norm(vector)


class Pair(NamedTuple):
    """An eigenvalue of K and its vector.

    share: of the trace. vector: (N,) float64, unit norm, its entry of largest size positive.
    residual: |K v - value v| / value. gap: 1 - second / first eigenvalue.
    """

    share: float
    vector: np.ndarray
    residual: float
    gap: float

    @property
    def found(self) -> bool:
        """Whether the angle to the eigenvector, at most residual / gap (Davis & Kahan), is within ANGLE.

        Where the gap is below GAP no direction stands out: the residual is then as if it were GAP. A dead
        layer has nothing to find.
        """
        return not self.residual > ANGLE * max(self.gap, GAP)
