"""Gram matrices of activations, in float32 or their float64, where they are: the inner loop of CKA."""

from math import frexp, isfinite, sqrt

import numpy as np
import torch
from scipy.linalg import eigh

# A layer whose units vary less than this share of their largest value is dead: float32 holds only noise.
SPREAD = 1e-6
BLOCK = 8192  # features at once on a CPU: what its cache holds


def flat(activation):
    """(n, features), the features in the order of memory where that saves a copy.

    The Gram matrix knows no order of features.
    """
    if activation.ndim == 4 and activation.is_contiguous(memory_format=torch.channels_last):
        activation = activation.permute(0, 2, 3, 1)
    return activation.detach().reshape(len(activation), -1)


def power_of_two(x):
    """A power of two, at least largest value · √features; 0.0 for all zeros or a value that is not finite.

    Divided by it no Gram matrix overflows.
    """
    largest = max(abs(float(bound)) for bound in x.aminmax())
    if largest == 0 or not isfinite(largest):
        return 0.0
    exponent = frexp(largest)[1] + frexp(sqrt(x.shape[1]))[1]
    return 2.0 ** min(max(exponent, -118), 118)


def centred_gram(x, scale, half=False):
    """Gram matrix of (x - mean) / scale in blocks of features: (n, features) -> (n, n).

    half: of float32 features rounded to bfloat16 on a CPU, each block's product rounded to it; the blocks
    add up in float32.
    """
    n, features = x.shape
    dtype = torch.promote_types(x.dtype, torch.float32)
    on_cpu = x.device.type == "cpu"
    width = BLOCK if on_cpu else features
    half = half and on_cpu and dtype == torch.float32
    # The mean by a product: there is no sum that could overflow.
    mean = torch.full((n,), 1 / (n * scale), dtype=dtype, device=x.device)
    k = torch.zeros(n, n, dtype=dtype, device=x.device)
    with ieee_products():
        for start in range(0, features, width):
            block = x[:, start : start + width].to(dtype)
            block = torch.add(-(mean @ block), block, alpha=1 / scale)
            add_outer_(k, block.bfloat16() if half else block)
    return mirrored(k)


def add_outer_(total, z, rows=64):
    """Adds z zᵀ to the upper triangle of total in place.

    On a CPU in strips of rows, which spare most of the other half.
    """
    rows = rows if z.device.type == "cpu" else len(z)
    for start in range(0, len(z), rows):
        strip = total[start : start + rows, start:]
        left, right = z[start : start + rows], z[start:].t()
        if z.dtype == total.dtype:
            strip.addmm_(left, right)
        else:
            strip.add_(torch.mm(left, right))
    return total


def mirrored(k):
    """The symmetric matrix with the upper triangle of k."""
    return k.triu() + k.triu(1).t()


def u_centre_(k):
    """U-centring in place: zero diagonal, rows and columns that sum to 0."""
    n = len(k)
    k.fill_diagonal_(0)
    rows = k.sum(0) / (n - 2)
    k -= rows
    k -= rows[:, None]
    k += rows.sum() / (n - 1)
    return k.fill_diagonal_(0)


def without_first_pc(k):
    """Gram matrix (n, n) float64 of features, centred and without their first principal component.

    Section 5.1. In example space the component is the leading eigenvector of the centred Gram matrix.
    """
    k = np.asarray(k, np.float64)
    k = k - k.mean(0) - k.mean(1, keepdims=True) + k.mean()
    last = len(k) - 1
    value, vector = eigh(k, subset_by_index=[last, last])
    return k - value * (vector @ vector.T)


class ieee_products:
    """While entered, float32 matrix products on a CPU are float32's own, whatever torch is set to.

    Where torch has no setting they always are.
    """

    def __init__(self):
        self.matmul = getattr(torch.backends.mkldnn, "matmul", None)
        self.before = getattr(self.matmul, "fp32_precision", None)

    def __enter__(self):
        if self.before is not None:
            self.matmul.fp32_precision = "ieee"

    def __exit__(self, *error):
        if self.before is not None:
            self.matmul.fp32_precision = self.before


def native_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 itself (AMX, AVX512-BF16): elsewhere float32 is faster."""
    features = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, name, bool)() for name in features)
