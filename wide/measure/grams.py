"""Gram matrices of activations, in float32 or their float64, where they are: the inner loop of CKA.

And their leading eigenvectors, which are the first principal components in example space.
"""

from math import frexp, isfinite, sqrt

import torch

# A layer whose units vary less than this share of their largest value is dead: float32 holds only noise.
SPREAD = 1e-6
BLOCK = 2**21  # numbers of a block of features on a CPU: what its cache holds
# A leading pair counts as found when |K v - value v| is at most so much of the value. K - value v vᵀ is then
# off by as much, and v by TOLERANCE over the relative gap to the next value.
TOLERANCE = 1e-7
STEPS = 96  # of Lanczos, at most; beyond that a full eigenproblem is as fast
LOOK = 4  # steps between two looks at the residual


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
    width = max(1, BLOCK // n) if on_cpu else features
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


def add_outer_(total, z):
    """Adds z zᵀ to the upper triangle of total in place.

    On a CPU in strips of rows, which spare most of the other half.
    """
    rows = max(64, len(z) // 4) if z.device.type == "cpu" else len(z)
    for start in range(0, len(z), rows):
        strip = total[start : start + rows, start:]
        left, right = z[start : start + rows], z[start:].t()
        if z.dtype == total.dtype:
            strip.addmm_(left, right)
        else:
            strip.add_(torch.mm(left, right))
    return total


def mirrored(k):
    """The symmetric matrix with the upper triangle of k, whose lower one is overwritten."""
    diagonal = k.diagonal().clone()
    k = k.triu_() + k.t()
    k.diagonal().copy_(diagonal)
    return k


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
    k = torch.as_tensor(k, dtype=torch.float64)
    k = k - k.mean(0) - k.mean(1, keepdim=True) + k.mean()
    value, vector, _ = leading(k)
    return k - value * torch.outer(vector, vector)


def leading(k, tolerance=TOLERANCE):
    """Largest eigenvalue of a positive semi-definite (n, n) float64, its unit vector (n,), the residual.

    residual: |K v - value v| / value, which is at most `tolerance`: Lanczos with full orthogonalisation from
    a fixed random start, or a full eigenproblem where that does not get there. Of equal values any mixture
    of their vectors. A matrix of zeros has value 0 and the zero vector.
    """
    value, vector, residual = _pair(k, _lanczos(k, tolerance))
    if residual > tolerance:
        value, vector, residual = _pair(k, torch.linalg.eigh(k)[1][:, -1])
    return value, vector, residual


def relative_gap(k, value, vector):
    """1 - second / first eigenvalue of k, to 1e-3, whose leading pair is given: 0 where two are equal."""
    if value <= 0:
        return 0.0
    second = _lanczos(k, 1e-3, vector[None], value)
    return min(max(1 - float(second @ (k @ second)) / value, 0.0), 1.0)


def _pair(k, vector):
    norm = float(vector.norm())
    vector = vector / norm if norm > 0 else vector
    image = k @ vector
    value = float(vector @ image)
    off = float((image - value * vector).norm())
    return (value, vector, off / value) if value > 0 else (0.0, torch.zeros_like(vector), 0.0)


def _lanczos(k, tolerance, locked=None, value=None):
    """An estimate (n,) of the leading eigenvector, after at most STEPS products.

    locked: (m, n), a vector orthogonal to these. value: that the residual is compared with, by default its
    own.
    """
    n, m = len(k), 0 if locked is None else len(locked)
    basis = k.new_zeros(m + min(STEPS, n - m), n)
    basis[:m] = locked if m else 0
    new = torch.randn(n, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(k)
    diagonal, beside = [], []
    for step in range(m, len(basis)):
        for _ in range(2):  # once leaves rounding, which grows
            new = new - basis[:step].T @ (basis[:step] @ new)
        beside.append(float(new.norm()))
        ended = beside[-1] <= 1e-14 * max(diagonal, default=0.0)
        if diagonal and (ended or len(diagonal) % LOOK == 0):
            values, vectors = torch.linalg.eigh(_tridiagonal(diagonal, beside))
            size = float(values[-1]) if value is None else value
            if ended or beside[-1] * abs(float(vectors[-1, -1])) <= 0.5 * tolerance * size:
                return basis[m:step].T @ vectors[:, -1].to(k)
        basis[step] = new / beside[-1] if beside[-1] > 0 else 0
        new = k @ basis[step]
        diagonal.append(float(basis[step] @ new))
    vectors = torch.linalg.eigh(_tridiagonal(diagonal, [*beside, 0.0]))[1]
    return basis[m:].T @ vectors[:, -1].to(k)


def _tridiagonal(diagonal, beside):
    t = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    sides = torch.tensor(
        beside[1:-1], dtype=torch.float64
    )  # the first is the start's norm, the last leads out
    return t + torch.diag(sides, 1) + torch.diag(sides, -1)


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
