"""Linear probes: Alain & Bengio 2016; Nguyen, Raghu & Kornblith 2021, section 5.2 and figure 4.

All probes of a network are trained in one pass over the minibatches, each from the activation as the
network taps it; no activation is stored. A probe is a multinomial logistic regression on a layer's
flattened activation, trained by SGD with momentum from zero: the loss is convex, so there is no seed.

Deviation from the authors, who train for long on the plain features with lr 0.01: a layer's features go
through one invertible affine map first (`logistic`). Without it a probe in the block structure, whose
first component has nearly all variance, learns more slowly than elsewhere from the same information, and
would seem flat for that alone; the plain features of a layer with many would be unstable at lr 0.01.
"""

from itertools import islice

import numpy as np
import torch
from torch.nn import functional as F

from wide.measure.logistic import Probe


def train_probes(
    network,
    batches,
    layers,
    classes: int,
    test_images,
    test_labels,
    *,
    lr: float = 1.0,
    momentum: float = 0.9,
    evaluations: int = 5,
    total: int | None = None,
    batch: int = 256,
    pool: int = 1,
    damped: int = 4,
) -> np.ndarray:
    """Best test accuracy of a linear probe on each layer: (len(layers),) float64 in [0, 1].

    network: callable `network(images, tap)` of a frozen network in evaluation mode that calls `tap(name,
    activation)` at every layer and goes on with what it returns, the same activation; activations are
    (examples, ...).
    layers: names of the layers to probe.
    batches: iterable of minibatches (images, labels (B,) int64 in [0, classes)), augmented, over all
    passes.
    total: how many it yields, by default len(batches). The first fixes the affine map of each layer: let
    it be as large as any.
    test_images, test_labels: (N, ...) and (N,), looked at in minibatches of `batch`.
    lr: constant learning rate on the mapped features; full-batch descent is stable below about 4 (1 +
    momentum).
    evaluations: test evaluations, evenly spaced, the last after the last minibatch. The best of them
    counts, after the authors, who keep the best test epoch: slightly optimistic, for the test set
    chooses.
    pool: side (pixels) of a max-pool on feature maps before they are flattened, 1 for none (the authors
    offer 2).
    damped: principal components that are shrunk, at most an eighth of the first minibatch; 0 leaves all
    proportions. Memory holds (2 classes + damped + 1) float32 a feature of all layers.
    Raises ValueError for an unknown layer or one tapped twice, minibatches that are not `total`, a first
    minibatch of one example, labels out of range, activations that are not finite, or impossible
    settings.
    """
    total = _length(batches) if total is None else total
    counts = {
        "layers": len(layers),
        "minibatches": total,
        "test images": len(test_images),
        "evaluations": evaluations,
        "examples a batch": batch,
        "pixels a pool": pool,
    }
    _check(counts, damped, lr, momentum)
    due = {-(-total * number // evaluations) for number in range(1, evaluations + 1)}
    probes = _Probes(layers, classes, lr, momentum, pool, damped)
    best = np.zeros(len(layers))
    step = 0
    with torch.no_grad():
        for step, (images, labels) in enumerate(islice(batches, total + 1), 1):
            probes.learn(network, images, labels)
            if step in due:
                best = np.maximum(best, probes.accuracies(network, test_images, test_labels, batch))
    if step != total:
        raise ValueError(f"{step} or more minibatches instead of {total}: give their true number as total")
    return best


def _length(batches):
    if not hasattr(batches, "__len__"):
        raise ValueError("batches has no length: give the number of minibatches as total")
    return len(batches)


def _check(counts, damped, lr, momentum):
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{count} {name}: give at least 1")
    if not (lr > 0 and 0 <= momentum < 1 and damped >= 0):
        given = f"lr {lr}, momentum {momentum}, damped {damped}"
        raise ValueError(f"{given}: give lr above 0, momentum in [0, 1) and damped at least 0")


class _Probes:
    """The probes of one network, by layer."""

    def __init__(self, layers, classes, lr, momentum, pool, damped):
        self.layers = list(layers)
        self.classes = classes
        self.lr = lr
        self.momentum = momentum
        self.pool = pool
        self.damped = damped
        self.probes = {}

    def learn(self, network, images, labels):
        """One step of every probe; the first also makes them."""
        if not self.probes and len(images) < 2:
            raise ValueError(
                "the first minibatch fixes the scale of the features: give it at least 2 examples"
            )

        def step(name, x, labels):
            if name not in self.probes:
                self.probes[name] = Probe(name, x, self.classes, self.damped)
            self.probes[name].learn(x, labels, self.lr, self.momentum)

        self._at_layers(network, images, labels, step)

    def accuracies(self, network, images, labels, batch):
        """Of all probes: (layers,) float64."""
        self._check_labels(images, labels)
        right = dict.fromkeys(self.layers, 0)

        def count(name, x, labels):
            right[name] += self.probes[name].right(x, labels)

        for chunk, wanted in zip(images.split(batch), labels.split(batch), strict=True):
            self._at_layers(network, chunk, wanted, count)
        return np.array([float(right[name]) for name in self.layers]) / len(images)

    def _at_layers(self, network, images, labels, use):
        """use(name, features (B, f) float32, labels) at each layer that has a probe, in one forward pass."""
        self._check_labels(images, labels)
        missing = set(self.layers)

        def tap(name, activation):
            if name not in self.layers:
                return activation
            if name not in missing:
                raise ValueError(f"layer '{name}' is tapped twice in a pass: rename one of them")
            missing.remove(name)
            with torch.autocast(activation.device.type, enabled=False):
                use(name, self._features(name, activation), labels.to(activation.device))
            return activation

        network(images, tap)
        if missing:
            raise ValueError(f"layer '{min(missing)}' does not exist in this network")

    def _check_labels(self, images, labels):
        least, most = int(labels.min()), int(labels.max())
        if len(labels) != len(images) or least < 0 or most >= self.classes:
            raise ValueError(
                f"{len(images)} images, {len(labels)} labels, from {least} to {most}: "
                f"give a label an image, in 0..{self.classes - 1}"
            )

    def _features(self, name, activation):
        """A layer's activation as (B, f) float32, pooled where it is a map."""
        if self.pool > 1 and activation.ndim == 4:
            pixels = tuple(activation.shape[2:])
            if min(pixels) < self.pool:
                raise ValueError(f"layer '{name}' has maps of {pixels} pixels: pool {self.pool} is too large")
            activation = F.max_pool2d(activation, self.pool)
        return activation.detach().flatten(1).float()
