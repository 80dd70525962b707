"""Theorems about linear CKA with the unbiased HSIC, on whole matrices and streamed over minibatches."""

import itertools

import numpy as np
import pytest
import torch
from tapped import Watched, listed, seen_in

from wide.measure import grams
from wide.measure.cka import minibatches, streamed_cka, streamed_ckas
from wide.measure.exact_cka import cka, cka_biased, gram, hsic_unbiased, u_centre
from wide.measure.grams import TOLERANCE, ieee_products, leading, relative_gap, without_first_pc


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def naive_hsic(one, other):
    """Equation 3, term by term, over the examples."""
    n, indices = len(one), range(len(one))
    x, y = ([[0.0 if i == j else k[i][j] for j in indices] for i in indices] for k in (one, other))
    trace = sum(x[i][j] * y[j][i] for i in indices for j in indices)
    sums = sum(map(sum, x)) * sum(map(sum, y))
    product = sum(x[i][j] * y[j][m] for i in indices for j in indices for m in indices)
    return (trace + sums / ((n - 1) * (n - 2)) - 2 * product / (n - 2)) / (n * (n - 3))


def naive_cka(features, order, batch, change=lambda k: k):
    """Equation 2 from stored features, pair by pair in float64: lists of (N, p) and of index arrays."""

    def total(x, y):
        return sum(hsic_unbiased(change(gram(x[i])), change(gram(y[i]))) for i in order if len(i) == batch)

    return np.array([[total(x, y) / np.sqrt(total(x, x) * total(y, y)) for y in features] for x in features])


def network(seed=0, width=12, layers=("input", "a", "b", "c")):
    """A random ReLU network with a convolutional layer, as a callable; taps what `layers` lists."""
    torch.manual_seed(seed)
    conv, first, last = (
        torch.nn.Conv2d(2, width, 3),
        torch.nn.Linear(width * 9, width),
        torch.nn.Linear(width, 5),
    )

    def run(images, tap):
        a = torch.relu(conv(images))
        b = torch.relu(first(a.flatten(1)))
        for name, activation in zip(("input", "a", "b", "c"), (images, a, b, last(b))):
            if name in layers:
                tap(name, activation)

    return run


def numbers(n):
    return torch.arange(n)[:, None]


def collect(net, images):
    found = []
    with torch.no_grad():
        net(images, seen_in(found))
    return [activation.flatten(1).double().numpy() for _, activation in found]


IMAGES = torch.randn(150, 2, 5, 5, generator=torch.Generator().manual_seed(1))


def test_published_values_of_the_demonstration_by_kornblith():
    state = np.random.RandomState(1337)
    x = state.randn(100, 10)
    y = state.randn(100, 10) + x
    assert cka_biased(x, y) == pytest.approx(0.55761, abs=5e-6)
    assert cka(x, y) == pytest.approx(0.51346, abs=5e-6)


def test_unbiased_hsic_is_equation_3(rng):
    one, other = (x @ x.T for x in (rng.normal(size=(9, 4)), rng.normal(size=(9, 3)) + 2))
    assert hsic_unbiased(one, other) == pytest.approx(naive_hsic(one, other), rel=1e-6)
    assert hsic_unbiased(one, one) == pytest.approx(naive_hsic(one, one), rel=1e-6)


def test_u_centred_matrix_has_zero_diagonal_and_sums_and_ignores_constants_in_rows(rng):
    k = gram(rng.normal(size=(8, 3)))
    centred, shift = u_centre(k), rng.normal(size=8)
    assert np.all(centred.diagonal() == 0) and np.allclose(centred.sum(0), 0)
    assert np.allclose(centred, centred.T)
    assert np.allclose(u_centre(k + shift + shift[:, None]), centred)


@pytest.mark.parametrize("measure", [cka, cka_biased])
def test_same_symmetric_and_invariant_to_rotation_scale_and_shift(measure, rng):
    x, y = rng.normal(size=(40, 6)), rng.normal(size=(40, 9))
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    assert measure(x, x) == pytest.approx(1)
    assert measure(x, y) == pytest.approx(measure(y, x))
    assert measure(-3e5 * x @ rotation + 7, y) == pytest.approx(measure(x, y))
    stretched = x * np.arange(1, 7)  # single directions
    assert abs(measure(stretched, y) - measure(x, y)) > 1e-3


def test_independent_data_have_mean_cka_0_at_32_examples_where_the_biased_one_has_not(rng):
    pairs = [(rng.normal(size=(32, 20)), rng.normal(size=(32, 20))) for _ in range(300)]
    values = np.array([cka(*pair) for pair in pairs])
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(len(values)) and values.min() < 0 < values.max()
    assert np.mean([cka_biased(*pair) for pair in pairs]) > 0.3


def test_mean_hsic_of_all_minibatches_is_the_hsic_of_all_examples(rng):
    """Appendix A, exactly: over all choices of 6 among 9 examples."""
    one, other = (gram(rng.normal(size=(9, 3)) ** 2) for _ in range(2))
    choices = [np.ix_(chosen, chosen) for chosen in itertools.combinations(range(9), 6)]
    parts = [hsic_unbiased(one[chosen], other[chosen]) for chosen in choices]
    assert np.mean(parts) == pytest.approx(hsic_unbiased(one, other))


def test_streamed_is_equation_2_of_the_stored_features():
    net = network()
    streamed = streamed_cka([net], IMAGES, batch=32, passes=3, seed=4)
    order = list(minibatches(150, 32, 3, 4))
    assert np.abs(streamed.cka - naive_cka(collect(net, IMAGES), order, 32)).max() < 1e-6
    assert streamed.names == (("input", "a", "b", "c"),) and streamed.batches == 12
    assert streamed.cka.dtype == np.float64 and not streamed.dead.any()
    assert np.array_equal(streamed.cka, streamed.cka.T) and np.allclose(
        streamed.cka.diagonal(), 1, atol=1e-12
    )


def test_one_minibatch_of_everything_is_the_debiased_cka():
    net = network()
    streamed = streamed_cka([net], IMAGES, batch=150, passes=1).cka
    features = collect(net, IMAGES)
    assert np.abs(streamed - [[cka(x, y) for y in features] for x in features]).max() < 1e-6


def test_minibatches_of_any_size_have_the_same_expectation():
    x = torch.randn(150, 8)
    net = listed(x, x[:, :4] + torch.randn(150, 4), torch.relu(x))
    few, many = (streamed_cka([net], numbers(150), batch=b, passes=p).cka for b, p in ((10, 100), (75, 20)))
    assert np.abs(few - many).max() < 0.02


def test_across_networks_in_one_pass():
    one, other = network(0), network(1, width=7, layers=("b", "c"))
    both = streamed_cka([one, other, one], IMAGES, batch=50, passes=2)
    assert np.abs(both.between(0, 0) - streamed_cka([one], IMAGES, batch=50, passes=2).cka).max() < 1e-6
    assert np.abs(both.between(0, 2) - both.between(0, 0)).max() < 1e-6  # the same network across as within
    assert both.between(1, 0).shape == (2, 4) and both.names[1] == ("b", "c")
    stored = naive_cka(collect(one, IMAGES) + collect(other, IMAGES), list(minibatches(150, 50, 2, 0)), 50)
    assert np.abs(both.between(0, 1) - stored[:4, 4:]).max() < 1e-6


def test_chunks_precision_and_layout_change_nothing_beyond_rounding():
    net, options = network(), {"batch": 50, "passes": 2}
    plain = streamed_cka([net], IMAGES, **options).cka
    assert np.abs(streamed_cka([net], IMAGES, **options, budget_bytes=1000).cka - plain).max() < 1e-6
    assert np.abs(streamed_cka([net], IMAGES, **options, gram_precision="bf16").cka - plain).max() < 5e-3
    assert (
        np.abs(streamed_cka([net], IMAGES.to(memory_format=torch.channels_last), **options).cka - plain).max()
        < 1e-6
    )
    large = torch.randn(300, 3 * 4096 + 5)
    product = grams.centred_gram(large, 128.0)
    assert np.abs(product.numpy() * 128**2 - gram(large)).max() < 1e-3 * np.sqrt(large.shape[1])


def test_bf16_multiplies_in_bf16_where_the_processor_does(monkeypatch):
    """Rounding each of f features moves an entry of the Gram matrix by about 2^-9 of a product · sqrt(f)."""
    x = torch.randn(300, 8192 + 5)
    exact, rounded = (grams.centred_gram(x, 128.0, half).numpy() * 128**2 for half in (False, True))
    assert np.abs(exact - gram(x)).max() < 1e-3 * np.sqrt(x.shape[1])
    error = (rounded - exact)[~np.eye(300, dtype=bool)].std()
    assert 1e-4 * np.sqrt(x.shape[1]) < error < 2**-8 * np.sqrt(x.shape[1])
    assert np.array_equal(*(grams.centred_gram(x.double(), 128.0, half) for half in (False, True)))
    for native in (False, True):
        monkeypatch.setattr("wide.measure.cka.native_bf16", lambda native=native: native)
        results = [
            streamed_cka([network()], IMAGES, batch=50, passes=1, gram_precision=p).cka
            for p in ("float32", "bf16")
        ]
        assert np.array_equal(*results) is not native


def test_a_lower_precision_of_products_does_not_get_in(monkeypatch):
    matmul = getattr(torch.backends.mkldnn, "matmul", None)
    if not hasattr(matmul, "fp32_precision"):
        pytest.skip("this torch has no such setting")
    before = matmul.fp32_precision
    try:
        matmul.fp32_precision = "bf16"
        with pytest.raises(KeyError), ieee_products():
            assert matmul.fp32_precision == "ieee"
            raise KeyError
        assert matmul.fp32_precision == "bf16"
    finally:
        matmul.fp32_precision = before


def test_a_torch_without_the_precision_setting_computes_in_float32(monkeypatch):
    plain = streamed_cka([network()], IMAGES, batch=50, passes=1).cka
    monkeypatch.delattr(type(torch.backends.mkldnn), "matmul", raising=False)
    assert np.array_equal(streamed_cka([network()], IMAGES, batch=50, passes=1).cka, plain)


def test_a_seed_fixes_the_result():
    same, again, other = (
        streamed_cka([network()], IMAGES, batch=32, passes=1, seed=s).cka for s in (0, 0, 1)
    )
    assert np.array_equal(same, again) and not np.array_equal(same, other)


def test_short_last_batch_of_each_pass_is_left_out():
    batches = list(minibatches(150, 64, 3, 0))
    assert [len(b) for b in batches] == 6 * [64]
    passes = [torch.cat(batches[i : i + 2]) for i in (0, 2, 4)]
    assert all(len(p.unique()) == 128 for p in passes) and not torch.equal(passes[0], passes[1])


def test_huge_tiny_and_shifted_activations_neither_overflow_nor_lose_precision(rng):
    x, y = rng.normal(size=(2, 64, 30))
    features = [
        torch.tensor(f * scale + shift, dtype=torch.float32)
        for scale, shift in ((1, 0), (1e20, 0), (1e37, 0), (1e-30, 0), (1, 1e3))
        for f in (x, y)
    ]
    values = streamed_cka([listed(*features)], numbers(64), batch=64, passes=1)
    expected = np.tile([[1, cka(x, y)], [cka(x, y), 1]], (5, 5))
    assert not values.dead.any() and np.abs(values.cka[:8, :8] - expected[:8, :8]).max() < 1e-6
    assert np.abs(values.cka - expected).max() < 1e-3  # float32 holds 1 + 1000 to 6e-5


def test_dead_layers_are_masked_and_nothing_else_is(rng):
    x = torch.randn(64, 20)
    one = torch.zeros(64, 3)
    one[5] = 1.0
    noise = 0.1 + 1e-8 * torch.randn(64, 20)
    dying = torch.where(torch.arange(64)[:, None] < 60, 0.0, x)  # alive in 4 examples only
    features = [x, torch.zeros(64, 3), torch.full((64, 700), 0.1), noise, one, dying, x[:, :2]]
    result = streamed_cka([listed(*features)], numbers(64), batch=16, passes=5)
    assert result.dead.tolist() == [False, True, True, True, True, False, False]
    gone = result.dead | result.dead[:, None]
    assert np.array_equal(np.isnan(result.cka), gone)
    assert np.array_equal(result.between().mask, gone) and not np.isnan(result.between().compressed()).any()


def test_dead_representations_and_wrong_shapes_are_errors_of_the_whole_matrix_forms(rng):
    x = rng.normal(size=(10, 3))
    for measure, dead in itertools.product((cka, cka_biased), (np.zeros((10, 3)), np.full((10, 3), 0.1))):
        with pytest.raises(ValueError, match="same for all examples"):
            measure(x, dead)
    with pytest.raises(ValueError, match="9 examples"):
        cka(x, x[:9])
    with pytest.raises(ValueError, match="at least 4"):
        cka(x[:3], x[:3])
    with pytest.raises(ValueError, match="n at least 4"):
        hsic_unbiased(np.eye(3), np.eye(3))
    with pytest.raises(ValueError, match="finite"):
        cka(np.where(x > 0, np.nan, x), x)


def test_the_first_principal_component_is_taken_off(rng):
    x = rng.normal(size=(64, 20)) + 3
    u, s, vt = np.linalg.svd(x - x.mean(0), full_matrices=False)
    rest = (u[:, 1:] * s[1:]) @ vt[1:]
    assert np.allclose(without_first_pc(x @ x.T).numpy(), rest @ rest.T, atol=1e-8)
    assert np.allclose(without_first_pc(x @ x.T).numpy() @ u[:, 0], 0, atol=1e-8)

    common = 30 * rng.normal(
        size=(64, 1)
    )  # two independent layers that share one dominant direction in example space
    pair = [torch.tensor(rng.normal(size=(64, 20)) + common, dtype=torch.float32) for _ in range(2)]
    net = listed(*pair, pair[0][:, :1])
    with_it, without = (
        streamed_cka([net], numbers(64), batch=64, passes=1, remove_first_pc=remove)
        for remove in (False, True)
    )
    assert with_it.cka[0, 1] > 0.99 and abs(without.cka[0, 1]) < 0.3
    assert without.dead.tolist() == [False, False, True]  # nothing is left of a single unit
    stored = naive_cka([p.double().numpy() for p in pair], [np.arange(64)], 64, without_first_pc)
    assert without.cka[0, 1] == pytest.approx(stored[0, 1], abs=1e-3)


SPECTRA = {
    "dominated": np.r_[30.0, np.ones(63)],
    "slow": 0.97 ** np.arange(64.0),
    "close": np.r_[2, 2 * (1 - 1e-9), np.linspace(1, 0.1, 62)],
    "equal": np.r_[2.0, 2, np.linspace(1, 0.1, 62)],
    "all equal": np.ones(64),
    "dense at the top": np.linspace(1, 1 - 1e-4, 64),
    "rank 1": np.r_[3.0, np.zeros(63)],
    "rank 0": np.zeros(64),
}


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("size", [1e-20, 1, 1e20])
def test_the_leading_pair_is_that_of_a_full_eigenproblem_by_its_residual(name, size, rng):
    values = size * SPECTRA[name]
    basis = np.linalg.qr(rng.normal(size=(64, 64)))[0]
    k = torch.tensor((basis * values) @ basis.T)
    exact, vectors = torch.linalg.eigh(k)
    value, vector, residual = leading(k)
    assert value == pytest.approx(float(exact[-1]), rel=1e-9, abs=1e-12 * size)
    if not values.any():
        assert not vector.any() and residual == 0 == relative_gap(k, value, vector)
        return
    assert float((k @ vector - value * vector).norm()) <= 2 * TOLERANCE * value and residual <= TOLERANCE
    assert float(vector.norm()) == pytest.approx(1)
    top = vectors[:, exact > float(exact[-1]) * (1 - 1e-6)]  # a vector, or any of the span of those that tie
    assert name == "dense at the top" or float((top.T @ vector).norm()) > 1 - 1e-6
    assert relative_gap(k, value, vector) == pytest.approx(1 - values[1] / values[0], abs=1e-3)
    assert torch.equal(leading(k)[1], vector)


def test_where_lanczos_is_too_slow_a_full_eigenproblem_finds_it(monkeypatch, rng):
    basis = np.linalg.qr(rng.normal(size=(64, 64)))[0]
    k = torch.tensor((basis * SPECTRA["slow"]) @ basis.T)
    monkeypatch.setattr(grams, "STEPS", 4)
    value, vector, residual = leading(k)
    assert value == pytest.approx(1) and residual <= TOLERANCE
    assert abs(vector.numpy() @ basis[:, 0]) > 1 - 1e-9


@pytest.mark.parametrize("name", SPECTRA)
def test_without_the_leading_pair_the_others_are_left(name, rng):
    left = rng.normal(size=(65, 64))
    left = np.linalg.qr(left - left.mean(0))[0]
    k = (left * SPECTRA[name]) @ left.T
    rest = np.linalg.eigvalsh(without_first_pc(k).numpy())
    assert np.allclose(np.sort(rest)[2:], np.sort(SPECTRA[name])[:-1], atol=1e-6)


def test_with_and_without_the_component_in_one_pass_are_those_of_two():
    calls, net = [], network()
    both = streamed_ckas([lambda *x: calls.append(net(*x))], IMAGES, batch=50, passes=2)
    assert len(calls) == 6
    for remove, found in zip((False, True), both, strict=True):
        alone = streamed_cka([net], IMAGES, batch=50, passes=2, remove_first_pc=remove)
        assert np.array_equal(found.cka, alone.cka) and np.array_equal(found.dead, alone.dead)


def few_examples_stand_out(rng, size):
    """Features of which U-centring leaves little beside the diagonal: an example is far from all others."""
    x = rng.normal(size=(64, 50))
    x[0] *= size
    return torch.tensor(x, dtype=torch.float32)


def nearly_orthogonal(rng, noise):
    """Features of which U-centring leaves the noise."""
    return torch.tensor(np.eye(64) + noise * rng.normal(size=(64, 64)), dtype=torch.float32)


def noise(rng, features):
    return torch.tensor(rng.normal(size=(64, features)), dtype=torch.float32)


@pytest.mark.parametrize("remove", [False, True])
@pytest.mark.parametrize(
    "make, size",
    [
        (noise, 2),
        (noise, 300),
        (noise, 50_000),
        (few_examples_stand_out, 100),
        (few_examples_stand_out, 1e3),
        (nearly_orthogonal, 1e-2),
        (nearly_orthogonal, 1e-4),
    ],
)
def test_float32_is_within_1e_5_of_float64_also_where_gram_matrices_are_nearly_diagonal(
    make, size, remove, rng
):
    pair = [make(rng, size), make(rng, size)]
    found = streamed_cka([listed(*pair)], numbers(64), batch=64, passes=1, remove_first_pc=remove)
    change = without_first_pc if remove else lambda k: k
    exact = naive_cka([x.double().numpy() for x in pair], [np.arange(64)], 64, change)
    assert not found.dead.any() and np.abs(found.cka - exact).max() < 1e-5


def test_bf16_is_off_by_1e_4_to_1e_3(monkeypatch, rng):
    """By the former where layers have much in common, by the latter for noise."""
    monkeypatch.setattr("wide.measure.cka.native_bf16", lambda: True)
    common = rng.normal(size=(64, 4)) @ rng.normal(size=(4, 2000))
    alike = [torch.tensor(common + rng.normal(size=(64, 2000)), dtype=torch.float32) for _ in range(2)]
    for pair, least, most in ((alike, 1e-7, 3e-4), ([noise(rng, 2000), noise(rng, 2000)], 1e-5, 3e-3)):
        exact, half = (
            streamed_cka([listed(*pair)], numbers(64), batch=64, passes=1, gram_precision=precision).cka
            for precision in ("float32", "bf16")
        )
        assert least < np.abs(exact - half).max() < most


def test_no_activation_is_kept():
    net = Watched(20)
    streamed_cka([net, net], torch.zeros(32, 1), batch=16, passes=1)
    assert net.most == 1 and not net.alive


@pytest.mark.parametrize(
    "options, message",
    [
        ({"batch": 3}, "at least 4"),
        ({"batch": 151}, "one full minibatch"),
        ({"passes": 0}, "at least one"),
        ({"gram_precision": "half"}, "unknown; known: float32, bf16"),
    ],
)
def test_impossible_options(options, message):
    with pytest.raises(ValueError, match=message):
        streamed_cka([network()], IMAGES, **{"batch": 50, "passes": 1, **options})


def test_networks_that_cannot_be_compared(rng):
    x = torch.randn(64, 5)
    infinite = torch.where(numbers(64) == 63, torch.inf, x)
    calls = iter((1, 2))
    for net, message in (
        (listed(x, infinite), "'layer1' of network 0 has NaN or infinite"),
        (lambda images, tap: [tap("a", images), tap("a", images)], "'a' twice"),
        (lambda images, tap: tap("a", images[1:]), "31 rows for 32 images"),
        (lambda images, tap: [tap(f"{i}", images) for i in range(next(calls))], "2 layers tapped, 1 before"),
        (lambda images, tap: None, "0 layers tapped"),
    ):
        with pytest.raises(ValueError, match=message):
            streamed_cka([net], numbers(64), batch=32, passes=1)
    with pytest.raises(ValueError, match="0 networks"):
        streamed_cka([], numbers(64), batch=32)
