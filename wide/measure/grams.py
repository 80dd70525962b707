"""Gram matrices of activations where the activations are, in float32 (float64 for float64): the inner loop of CKA."""
from math import frexp, isfinite, sqrt

import numpy as np
import torch
from scipy.linalg import eigh


def flat(activation):
    """(n, features), features in the order of memory where that saves a copy: the Gram matrix knows no order."""
    if activation.ndim == 4 and activation.is_contiguous(memory_format=torch.channels_last):
        activation = activation.permute(0, 2, 3, 1)
    return activation.detach().reshape(len(activation), -1)


def power_of_two(x):
    """A power of two, at least largest value · √features: divided by it no Gram matrix overflows. 0.0 for all zeros."""
    largest = max(abs(float(bound)) for bound in x.aminmax())
    if largest == 0 or not isfinite(largest):
        return 0.0
    return 2.0 ** min(max(frexp(largest)[1] + frexp(sqrt(x.shape[1]))[1], -118), 118)


def centred_gram(x, scale, half=False):
    """Gram matrix of (x - mean) / scale in blocks of features; on a CPU blocks that its cache holds.

    half: of float32 features rounded to bfloat16 on a CPU, each block's product rounded to it; the blocks add up in float32.
    """
    n, features = x.shape
    dtype = torch.promote_types(x.dtype, torch.float32)
    width = 8192 if x.device.type == "cpu" else features
    half = half and x.device.type == "cpu" and dtype == torch.float32
    mean = torch.full((n,), 1 / (n * scale), dtype=dtype, device=x.device)  # by a product: no sum that could overflow
    k = torch.zeros(n, n, dtype=dtype, device=x.device)
    with ieee_products():
        for start in range(0, features, width):
            block = x[:, start:start + width].to(dtype)
            block = torch.add(-(mean @ block), block, alpha=1 / scale)
            add_outer_(k, block.bfloat16() if half else block)
    return mirrored(k)


def add_outer_(total, z, rows=64):
    """Adds z zᵀ to the upper triangle of total in place: strips of rows on a CPU spare most of the other half."""
    rows = rows if z.device.type == "cpu" else len(z)
    for start in range(0, len(z), rows):
        strip, factors = total[start:start + rows, start:], (z[start:start + rows], z[start:].t())
        strip.addmm_(*factors) if z.dtype == total.dtype else strip.add_(torch.mm(*factors))
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
    """Gram matrix (n, n) float64 of features that are centred and rid of their first principal component (section 5.1).

    In example space the component is the leading eigenvector of the centred Gram matrix.
    """
    k = np.asarray(k, np.float64)
    k = k - k.mean(0) - k.mean(1, keepdims=True) + k.mean()
    value, vector = eigh(k, subset_by_index=[len(k) - 1, len(k) - 1])
    return k - value * (vector @ vector.T)


class ieee_products:
    """While entered, float32 matrix products on a CPU are float32's own, whatever torch is set to; where it has no setting they always are."""

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
    """Whether the CPU multiplies bfloat16 itself (AMX, AVX512-BF16): elsewhere that is slower than float32."""
    return any(getattr(torch.cpu, name, bool)() for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
