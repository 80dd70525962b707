"""Linear CKA on whole matrices in float64, for reference: Nguyen, Raghu & Kornblith 2021, section 3.1.

X is (examples, ...): what comes after the first axis, feature maps included, is flattened. Values are not
clamped: an unbiased estimate of a CKA near 0 may be negative. `wide.measure.cka` gives the same from
minibatches.
"""

import numpy as np
import torch

from wide.measure.grams import u_centre_


def gram(x):
    """Gram matrix of centred features: (n, ...) -> (n, n) float64.

    Centring changes no CKA and spares precision.
    Raises ValueError for fewer than 4 examples, and for NaN or infinite values.
    """
    x = np.asarray(x, np.float64)
    x = x.reshape(len(x), -1)
    finite = np.isfinite(x).all()
    if len(x) < 4 or not finite:
        raise ValueError(f"{len(x)} examples, finite: {finite}; HSIC needs at least 4, finite throughout")
    x = x - x.mean(0)
    return x @ x.T


def u_centre(k):
    """U-centred Gram matrix (Székely & Rizzo 2014): (n, n) -> (n, n) float64.

    The diagonal and all sums of rows are 0. Raises ValueError for a matrix that is not square, or below 4
    x 4.
    """
    k = torch.as_tensor(k, dtype=torch.float64).clone()
    if k.ndim != 2 or len(k) != k.shape[1] or len(k) < 4:
        raise ValueError(f"a Gram matrix of shape {tuple(k.shape)}: U-centring needs n x n with n at least 4")
    return u_centre_(k).numpy()


def hsic_unbiased(k_x, k_y):
    """Equation 3 (Song et al. 2012) of two (n, n) Gram matrices: float.

    It is the dot product of the U-centred matrices over n(n - 3).
    """
    return float(np.sum(u_centre(k_x) * u_centre(k_y)) / (len(k_x) * (len(k_x) - 3)))


def cka(x, y):
    """Debiased linear CKA of (n, ...) and (n, ...), all examples in one batch: float.

    Raises ValueError for unequal n, and for a representation that is the same for all examples.
    """
    return _ratio(x, y, u_centre)


def cka_biased(x, y):
    """Linear CKA as in equation 1 (Kornblith et al. 2019) of (n, ...) and (n, ...): float in [0, 1].

    Raises ValueError as `cka` does.
    """
    return _ratio(x, y, lambda k: k)


def _ratio(x, y, centre):
    if len(x) != len(y):
        raise ValueError(
            f"{len(x)} and {len(y)} examples: CKA compares two representations of the same examples"
        )
    k_x, k_y = _varied(x), _varied(y)
    k_x, k_y = centre(k_x), centre(k_y)
    return float(np.sum(k_x * k_y) / np.linalg.norm(k_x) / np.linalg.norm(k_y))


def _varied(x):
    """gram(x); ValueError if the examples are alike, or all but one: U-centring then leaves only rounding."""
    k = gram(x)
    spread = np.trace(k) / len(k)
    alike = spread <= (1e-12 * np.abs(x).max()) ** 2
    if alike or np.linalg.norm(u_centre(k)) <= 1e-12 * spread:
        raise ValueError("a representation is the same for all examples, or all but one: CKA is not defined")
    return k
