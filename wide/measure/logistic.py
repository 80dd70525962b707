"""A linear probe: multinomial logistic regression on a layer's features after an affine map, by SGD.

The features go through one invertible affine map, fixed at the first minibatch: their mean there is taken
off, the leading principal components are shrunk to the size of the next one, and all is divided by that
size. A probe has weights for all features and biases, so what it can express is the same as without the
map, but how fast it learns does not depend on a layer's scale and offset (a ReLU's outputs have a large
mean, those of the BatchNorm before an add may have none), nor on how much of its variance lies in a few
directions. The largest variance of the mapped features is 1, so the softmax cross-entropy curves by at
most about 1/2 in any direction, whatever the layer.
"""

import torch
from torch.nn import functional as F

LEAST = 1e-4  # no component's variance is shrunk below this share: what is left of it may be noise


class Probe:
    """Logistic regression on one layer.

    Its weights (features, classes) and biases are float32 where the activations are.
    name: of the layer. x: (examples, features) float32 of the first minibatch, at least 2 examples.
    damped: components that are shrunk, at most an eighth of the examples. Raises ValueError for features
    that are not finite.
    """

    def __init__(self, name: str, x, classes: int, damped: int):
        self.name = name
        self.mean = x.mean(0)
        x = x - self.mean
        gram = (x @ x.t()).double().cpu() / len(x)  # has the eigenvalues of the covariance, but is small
        self._refuse(gram)
        values, vectors = torch.linalg.eigh(gram)
        first = len(x) - min(damped, len(x) // 8)
        size = max(float(values[first - 1]), LEAST * float(values[-1]))
        size = size or 1.0  # a constant layer stays as it is
        values = values[first:].clamp_min(size)
        self.axes = x.t() @ (vectors[:, first:] / (len(x) * values).sqrt()).to(x)
        self.shrink = ((size / values).sqrt() - 1).to(x)
        self.scale = size**0.5
        self.parameters = [x.new_zeros(x.shape[1], classes), x.new_zeros(classes)]
        self.velocity = [torch.zeros_like(parameter) for parameter in self.parameters]

    def learn(self, x, labels, lr: float, momentum: float):
        """One step of SGD with momentum on the mean cross-entropy: features (B, f) and labels (B,) int64."""
        x = self._mapped(x)
        wanted = F.one_hot(labels, self.parameters[1].numel())
        residual = (self._logits(x).softmax(1) - wanted) / len(x)
        gradients = x.t() @ residual, residual.sum(0)
        for value, velocity, gradient in zip(self.parameters, self.velocity, gradients, strict=True):
            velocity.mul_(momentum).add_(gradient)
            value.sub_(velocity, alpha=lr)

    def right(self, x, labels):
        """Number of examples that are classified right, a tensor.

        Raises ValueError for features that are not finite.
        """
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
            raise ValueError(
                f"layer '{self.name}' has activations that are not finite, or too large for squares in "
                "float32: check the network"
            )
