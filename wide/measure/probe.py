"""Linear probes: Alain & Bengio 2016; Nguyen, Raghu & Kornblith 2021, section 5.2 and figure 4.

All probes of a network are trained in one pass over the minibatches, each from the activation as the network taps it;
no activation is stored. A probe is a multinomial logistic regression on a layer's flattened activation, trained by SGD
with momentum from zero: the loss is convex, so there is no seed.

Deviation from the authors, who train for long on the plain features with lr 0.01: a layer's features go through one
invertible affine map, fixed at the first minibatch. Their mean there is taken off, the leading principal components are
shrunk to the size of the next one, and all is divided by that size. A probe has weights for all features and biases, so
what it can express is the same, but how fast it learns does not depend on a layer's scale and offset (a ReLU's outputs
have a large mean, those of the BatchNorm before an add may have none), nor on how much of its variance lies in a few
directions. Without the map a probe in the block structure, whose first component has nearly all variance, learns more
slowly than elsewhere from the same information, and would seem flat for that alone. The largest variance of the mapped
features is 1, so the softmax cross-entropy curves by at most about 1/2 in any direction, whatever the layer; the plain
features of a layer with many would be unstable at lr 0.01.
"""
from itertools import islice

import numpy as np
import torch
from torch.nn import functional as F

LEAST = 1e-4  # no component's variance is shrunk below this share: what is left of it may be noise


def train_probes(network, batches, layers, classes, test_images, test_labels, *, lr=1.0, momentum=0.9, evaluations=5,
                 total=None, batch=256, pool=1, damped=4) -> np.ndarray:
    """Best test accuracy of a linear probe on each layer: (len(layers),) float64 in [0, 1].

    network: callable `network(images, tap)` of a frozen network in evaluation mode that calls `tap(name, activation)`
    at every layer; activations are (examples, ...). layers: names of the layers to probe.
    batches: iterable of minibatches (images, labels (B,) int64 in [0, classes)), augmented, over all passes. total: how
    many it yields, by default len(batches). The first fixes the affine map of each layer: let it be as large as any.
    test_images, test_labels: (N, ...) and (N,), looked at in minibatches of `batch`.
    lr: constant learning rate on the mapped features; full-batch descent is stable below about 4 (1 + momentum).
    evaluations: test evaluations, evenly spaced, the last after the last minibatch. The best of them counts, after the
    authors, who keep the best test epoch: slightly optimistic, for the test set chooses.
    pool: side (pixels) of a max-pool on feature maps before they are flattened, 1 for none (the authors offer 2).
    damped: principal components that are shrunk, at most an eighth of the first minibatch; 0 leaves all proportions.
    Memory holds (2 classes + damped + 1) float32 a feature of all layers.
    Raises ValueError for an unknown layer or one tapped twice, minibatches that are not `total`, a first minibatch of
    one example, labels out of range, activations that are not finite, or impossible settings.
    """
    total = _length(batches) if total is None else total
    if not layers or min(total, len(test_images), evaluations, batch, pool, damped + 1) < 1 or not (
            lr > 0 and 0 <= momentum < 1):
        raise ValueError(f"{len(layers)} layers, {total} minibatches, {len(test_images)} test images, {evaluations} "
                         f"evaluations, batch {batch}, pool {pool}, lr {lr}, momentum {momentum}, damped {damped}: "
                         "give at least 1 of each, but lr above 0, momentum in [0, 1) and damped at least 0")
    due = {-(-total * number // evaluations) for number in range(1, evaluations + 1)}
    probes, best, step = _Probes(layers, classes, lr, momentum, pool, damped), np.zeros(len(layers)), 0
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


class _Probe:
    """Logistic regression on one layer; weights (features, classes) and biases, float32 where the activations are."""

    def __init__(self, name, x, classes, damped):
        self.name, self.mean = name, x.mean(0)
        x = x - self.mean
        gram = (x @ x.t()).double().cpu() / len(x)  # has the eigenvalues of the covariance, but is small
        self._refuse(gram)
        values, vectors = torch.linalg.eigh(gram)
        first = len(x) - min(damped, len(x) // 8)
        size = max(float(values[first - 1]), LEAST * float(values[-1])) or 1.0  # a constant layer stays as it is
        values = values[first:].clamp_min(size)
        self.axes = x.t() @ (vectors[:, first:] / (len(x) * values).sqrt()).to(x)
        self.shrink = ((size / values).sqrt() - 1).to(x)
        self.scale = size**0.5
        self.parameters = [x.new_zeros(x.shape[1], classes), x.new_zeros(classes)]
        self.velocity = [torch.zeros_like(parameter) for parameter in self.parameters]

    def learn(self, x, labels, lr, momentum):
        x = self._mapped(x)
        residual = (self._logits(x).softmax(1) - F.one_hot(labels, self.parameters[1].numel())) / len(x)
        for value, velocity, gradient in zip(self.parameters, self.velocity, (x.t() @ residual, residual.sum(0))):
            value.sub_(velocity.mul_(momentum).add_(gradient), alpha=lr)

    def right(self, x, labels):
        """Number of examples that are classified right, a tensor."""
        logits = self._logits(self._mapped(x))
        self._refuse(logits)
        return (logits.argmax(1) == labels).sum()

    def _mapped(self, x):
        x = x - self.mean
        return x.addmm_((x @ self.axes) * self.shrink, self.axes.t()).div_(self.scale)

    def _logits(self, x):
        weights, biases = self.parameters
        return torch.addmm(biases, x, weights)

    def _refuse(self, values):
        if not values.isfinite().all():
            raise ValueError(f"layer '{self.name}' has activations that are not finite, or too large for squares in "
                             "float32: check the network")


class _Probes:
    """The probes of one network, by layer."""

    def __init__(self, layers, classes, lr, momentum, pool, damped):
        self.layers, self.classes, self.lr, self.momentum = list(layers), classes, lr, momentum
        self.pool, self.damped, self.probes = pool, damped, {}

    def learn(self, network, images, labels):
        """One step of every probe; the first also makes them."""
        if not self.probes and len(images) < 2:
            raise ValueError("the first minibatch fixes the scale of the features: give it at least 2 examples")

        def step(name, x, labels):
            if name not in self.probes:
                self.probes[name] = _Probe(name, x, self.classes, self.damped)
            self.probes[name].learn(x, labels, self.lr, self.momentum)
        self._at_layers(network, images, labels, step)

    def accuracies(self, network, images, labels, batch):
        """Of all probes: (layers,) float64."""
        right = dict.fromkeys(self.layers, 0)

        def count(name, x, labels):
            right[name] += self.probes[name].right(x, labels)
        for chunk, wanted in zip(images.split(batch), labels.split(batch)):
            self._at_layers(network, chunk, wanted, count)
        return np.array([float(right[name]) for name in self.layers]) / len(images)

    def _at_layers(self, network, images, labels, use):
        """use(name, features (B, f) float32, labels) at each layer that has a probe, in one forward pass."""
        if len(labels) != len(images) or labels.min() < 0 or labels.max() >= self.classes:
            raise ValueError(f"{len(images)} images, {len(labels)} labels, from {int(labels.min())} to "
                             f"{int(labels.max())}: give a label an image, in 0..{self.classes - 1}")
        missing = set(self.layers)

        def tap(name, activation):
            if name not in self.layers:
                return
            if name not in missing:
                raise ValueError(f"layer '{name}' is tapped twice in a pass: rename one of them")
            missing.remove(name)
            with torch.autocast(activation.device.type, enabled=False):
                use(name, self._features(activation), labels.to(activation.device))
        network(images, tap)
        if missing:
            raise ValueError(f"layer '{min(missing)}' does not exist in this network")

    def _features(self, activation):
        if self.pool > 1 and activation.ndim == 4:
            if min(activation.shape[2:]) < self.pool:
                raise ValueError(f"feature maps of {tuple(activation.shape[2:])} pixels: pool {self.pool} is too large")
            activation = F.max_pool2d(activation, self.pool)
        return activation.detach().flatten(1).float()
