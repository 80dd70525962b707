"""First principal components, streamed, are those of the stored activations by a whole SVD."""

import numpy as np
import pytest
import torch
from tapped import Watched, listed, seen_in

from wide.measure.exact_cka import cka_biased
from wide.measure.krylov import ANGLE
from wide.measure.pca import first_components, squared_cosines
from wide.measure.shared import layers_of
from wide.nets.resnet import Net

N = 96


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def numbers(n=N):
    return torch.arange(n)[:, None]


def whole_grams(network, images, **options):
    """The components from whole Gram matrices."""
    return layers_of(network, images, components=True, passes=1, **options).components


def spectrum(rng, values, features=60, mean=0.0, n=N):
    """Features (n, features) float32 with the given singular values when centred, and the left vectors."""
    left = rng.normal(size=(n, len(values)))
    left = np.linalg.qr(left - left.mean(0))[0]
    right = np.linalg.qr(rng.normal(size=(features, len(values))))[0]
    return torch.tensor(left * values @ right.T + mean, dtype=torch.float32), left


def whole(x):
    """Left singular vectors and shares of variance of features (n, ...), centred."""
    x = np.asarray(x, np.float64).reshape(len(x), -1)
    left, values, _ = np.linalg.svd(x - x.mean(0), full_matrices=False)
    return left, values**2 / (values**2).sum()


def blobs(n=N, side=16):
    """Images (n, 3, side, side) that drift, brighter from first to last; a bright spot, colours and noise."""
    make = torch.Generator().manual_seed(1)
    centre, grid = torch.rand(n, 2, 1, 1, generator=make) * side, torch.arange(side)
    spot = torch.exp(-((grid[:, None] - centre[:, :1]) ** 2 + (grid - centre[:, 1:]) ** 2) / 30)
    rest = 0.2 * torch.randn(n, 3, 1, 1, generator=make) + 0.1 * torch.randn(n, 3, side, side, generator=make)
    return spot + rest + torch.linspace(0, 2, n)[:, None, None, None]


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(0)
    return Net(1, image=(3, 16, 16), classes=10, depth=8, base=4).eval()


@pytest.fixture(scope="module")
def stored(resnet):
    """{layer: activations of all images}."""
    found = []
    with torch.no_grad():
        resnet(blobs(), seen_in(found))
    return {name: x.flatten(1).double().numpy() for name, x in found}


def assert_same(found, other, atol=1e-6):
    assert found.names == other.names and np.allclose(found.fraction, other.fraction, rtol=0, atol=atol)
    assert (np.abs((found.first * other.first).sum(1)) > 1 - atol).all()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_components_of_a_residual_network_are_those_of_the_stored_activations(resnet, stored, layout):
    late = [name for name in resnet.layers if resnet.stage_of(name) in (2, 3)]
    found = first_components(resnet, blobs().to(memory_format=layout), batch=40, together=late)
    assert found.names == tuple(resnet.layers) and found.first.dtype == found.fraction.dtype == np.float64
    for name, first, fraction in zip(found.names, found.first, found.fraction):
        left, shares = whole(stored[name])
        assert (
            shares[0] > 1.3 * shares[1]
            and abs(fraction - shares[0]) < 1e-4
            and abs(first @ left[:, 0]) > 0.9999
        )
    together = whole(np.concatenate([stored[name] for name in late], 1))[1][0]
    assert abs(found.combined - together) < 1e-4
    assert abs(found.combined - found.fraction.mean()) > 0.01  # and that is not the mean of shares


def test_components_have_unit_norm_mean_0_and_a_fixed_sign(resnet):
    first = first_components(resnet, blobs(), batch=40).first
    assert np.allclose(np.linalg.norm(first, axis=1), 1) and np.abs(first.mean(1)).max() < 1e-6
    assert (first.max(1) >= -first.min(1)).all()


def test_known_spectra_with_and_without_a_gap(rng):
    dominant, left = spectrum(rng, np.r_[30, 3 * np.ones(40)])
    slow, slow_left = spectrum(rng, 10 * 0.95 ** np.arange(50.0))
    pair, pair_left = spectrum(rng, np.r_[10, 10, np.ones(30)])
    found = first_components(listed(dominant, slow, pair), numbers(), batch=32)
    assert found.fraction[0] == pytest.approx(900 / (900 + 40 * 9), abs=1e-6)
    assert abs(found.first[0] @ left[:, 0]) > 1 - 1e-6
    exact = 100 / np.sum(100 * 0.95 ** (2 * np.arange(50.0)))
    assert found.fraction[1] == pytest.approx(exact, abs=1e-5)
    assert abs(found.first[1] @ slow_left[:, 0]) > 1 - ANGLE**2
    assert found.fraction[2] == pytest.approx(100 / 230, abs=1e-5)
    assert np.linalg.norm(pair_left[:, :2].T @ found.first[2]) > 1 - 1e-5  # some mixture of the two
    assert found.gap == pytest.approx([0.99, 1 - 0.95**2, 0], abs=1e-3)


@pytest.mark.parametrize("measure", [first_components, whole_grams])
@pytest.mark.parametrize("ratio", [0.5, 0.9, 0.97])
def test_a_component_of_4_percent_is_found_to_a_hundredth_of_a_squared_cosine(measure, ratio, rng):
    """Two iterations, the rule before, would be off by more."""
    values = np.r_[1.0, ratio**0.5 * np.linspace(1, 0.75, 31)]
    values = np.r_[values, np.full(400, ((25 - (values**2).sum()) / 400) ** 0.5)]  # the first holds 1 / 25
    lefts = [spectrum(rng, values, 450, n=500) for _ in range(2)]
    mixed = 0.6 * lefts[0][1][:, 0] + 0.8 * lefts[1][1][:, 0]
    x = lefts[0][0] + 3 * torch.tensor(mixed / np.linalg.norm(mixed), dtype=torch.float32)[:, None]
    features = [lefts[0][0], lefts[1][0], x]
    found = measure(listed(*features), numbers(500), batch=100)
    exact = np.stack([whole(each)[0][:, 0] for each in features])
    assert found.fraction[:2] == pytest.approx([0.04, 0.04], abs=1e-4)
    assert np.abs(squared_cosines(found.first) - squared_cosines(exact)).max() < 0.01
    angles = np.sqrt(np.clip(1 - (found.first * exact).sum(1) ** 2, 0, 1))
    assert (angles <= 1.2 * found.residual / found.gap + 1e-4).all()
    assert (found.residual <= ANGLE * found.gap).all() and found.gap[:2] == pytest.approx(
        2 * [1 - ratio], abs=0.01
    )


def test_the_ceiling_on_iterations_is_kept_and_what_is_left_is_told(rng):
    slow, _ = spectrum(rng, 10 * 0.99 ** np.arange(50.0))
    calls = []
    net = listed(slow)
    found = first_components(lambda *both: calls.append(net(*both)), numbers(), sketch=2, iterations=3)
    assert len(calls) == 1 + 2 * 3 and found.residual[0] > ANGLE * found.gap[0]
    assert first_components(net, numbers(), sketch=2).residual[0] < found.residual[0] / 10


def test_the_mean_is_that_of_the_data_set_not_of_the_minibatch(rng):
    drift = 5 * np.repeat(np.arange(3.0), 32)  # constant within each minibatch of 32
    x = torch.tensor(rng.normal(size=(N, 20)) + drift[:, None], dtype=torch.float32)
    found = first_components(listed(x), numbers(), batch=32)
    centred = (drift - drift.mean()) / np.linalg.norm(drift - drift.mean())
    assert found.fraction[0] > 0.9 and abs(found.first[0] @ centred) > 0.99


@pytest.mark.parametrize("batch", [1, 7, 95, 96, 500])
def test_minibatches_of_any_size_give_the_same(resnet, batch):
    found, other = (
        first_components(resnet, blobs(), batch=size, together=["stem.relu", "pool"]) for size in (batch, 32)
    )
    assert_same(found, other, 1e-5)
    assert found.combined == pytest.approx(other.combined, abs=1e-6)


def test_the_order_of_features_survives_a_change_of_layout():
    images = blobs()
    layouts = {0: torch.contiguous_format, 64: torch.channels_last, 32: torch.channels_last}
    first = {float(images[start].sum()): layout for start, layout in layouts.items()}
    changing = lambda x, tap: tap("a", x.contiguous(memory_format=first[float(x[0].sum())]))
    assert_same(
        first_components(changing, images, batch=32),
        first_components(lambda x, tap: tap("a", x), images, batch=32),
    )


def test_all_images_count(rng):
    x = torch.tensor(rng.normal(size=(N, 20)), dtype=torch.float32)
    x[-1] += 100
    found = first_components(listed(x), numbers(), batch=N - 1)
    assert np.argmax(found.first[0]) == N - 1 and found.first[0, -1] > 0.99 and found.fraction[0] > 0.98


def test_groups_give_the_same_and_take_as_many_passes_each(resnet):
    calls, images, together = 0, blobs(), ["stem.relu", "stage2.block1.add", "logits"]

    def counted(images, tap):
        nonlocal calls
        calls += 1
        resnet(images, tap)

    plain = first_components(counted, images, batch=32, together=together, iterations=1)
    assert calls == 1 + 2 * 3
    calls, features = 0, 4 * 16 * 16
    grouped = first_components(
        counted, images, batch=32, together=together, iterations=1, budget_bytes=8 * 9 * features * 4
    )
    groups = (calls - 1) / 6
    assert groups == int(groups) and 2 < groups < len(plain.names)
    assert_same(plain, grouped, 1e-9)
    assert grouped.combined == pytest.approx(plain.combined, abs=1e-9)
    calls = 0
    alone = first_components(counted, images, batch=32, together=together, iterations=1, budget_bytes=1)
    assert_same(plain, alone, 1e-9)
    assert calls == 1 + len(plain.names) * 6


def test_a_layer_that_is_found_takes_no_part_any_more(rng):
    easy, slow = spectrum(rng, [30.0, 1, 1])[0], spectrum(rng, 10 * 0.97 ** np.arange(50.0))[0]
    one, both = (first_components(listed(*layers), numbers()) for layers in ([easy], [easy, slow]))
    assert np.array_equal(one.first[0], both.first[0])


def test_groups_hold_as_many_layers_as_the_budget():
    calls, x = [], torch.randn(N, 10, generator=torch.Generator().manual_seed(0))
    net = listed(*7 * [x])
    first_components(
        lambda *both: calls.append(net(*both)), numbers(), iterations=1, budget_bytes=3 * 8 * 9 * 10
    )
    assert len(calls) == 1 + 2 * 3  # 3, 3 and 1


def test_the_combined_share_is_of_raw_activations(rng):
    x, y = (spectrum(rng, values, features=30)[0] for values in ([9, 3, 1], [8, 5, 2]))
    features = [x, 1000 * y + 7, torch.full((N, 5), 1e6)]
    found = first_components(listed(*features), numbers(), batch=20, together=["layer0", "layer1", "layer2"])
    assert found.combined == pytest.approx(whole(np.concatenate(features, 1))[1][0], abs=1e-6)
    assert found.combined == pytest.approx(found.fraction[1], abs=1e-4)  # the large one decides
    assert first_components(listed(*features), numbers()).combined is None
    assert np.isnan(first_components(listed(*features), numbers(), together=["layer2"]).combined)


def test_dead_layers_are_nan_and_nothing_else_is(rng):
    x = torch.randn(N, 20, generator=torch.Generator().manual_seed(0))
    late = torch.where(numbers() < 64, 0.0, x[:, :6])  # nothing in the first two minibatches
    one = torch.where(numbers() == 5, 1.0, torch.zeros(N, 3))
    noise = 0.1 + 1e-8 * x
    dead = [torch.zeros(N, 3), torch.full((N, 700), 0.1), noise]
    found = first_components(listed(x, *dead, one, late, x[:, :1]), numbers(), batch=32)
    assert np.isnan(found.fraction).tolist() == [False, True, True, True, False, False, False]
    assert np.array_equal(np.isnan(found.first).all(1), np.isnan(found.fraction))
    assert np.array_equal(np.isnan(found.first).any(1), np.isnan(found.fraction))
    assert found.fraction[4] == pytest.approx(1) and found.fraction[6] == pytest.approx(1)  # rank 1
    assert found.fraction[5] == pytest.approx(whole(late)[1][0], abs=1e-6)
    assert np.argmax(found.first[4]) == 5


def test_huge_tiny_and_shifted_activations_keep_their_precision(rng):
    x, left = spectrum(rng, np.r_[60, 20 * np.ones(30)])
    shifted = x.double() + 1e3
    features = [x, x * 1e20, x * 1e36, x * 1e-30, shifted.float(), shifted]
    found = first_components(listed(*features), numbers(), batch=32)
    assert np.abs(found.fraction - 3600 / (3600 + 30 * 400)).max() < 1e-5
    assert (np.abs(found.first @ left[:, 0]) > 1 - 1e-5).all()


def test_few_images_leave_room_for_few_columns(rng):
    for n in (2, 3, 10, 20):
        x = torch.tensor(rng.normal(size=(n, 50)), dtype=torch.float32)
        found = first_components(
            listed(x, x[:, :4]), numbers(n), batch=4, together=["layer0", "layer1"], iterations=3
        )
        left, shares = whole(x)
        assert (
            found.fraction[0] == pytest.approx(shares[0], abs=1e-4)
            and abs(found.first[0] @ left[:, 0]) > 0.999
        )
        assert found.combined == pytest.approx(whole(np.concatenate([x, x[:, :4]], 1))[1][0], abs=1e-4)


def test_a_seed_fixes_the_result(rng):
    slow, _ = spectrum(rng, 10 * 0.99 ** np.arange(50.0))
    same, again, other = (
        first_components(listed(slow), numbers(), seed=s, iterations=1).fraction for s in (0, 0, 1)
    )
    assert np.array_equal(same, again) and not np.array_equal(same, other)


def test_squared_cosines_are_cka_where_the_components_dominate(rng):
    common = rng.normal(size=(N, 1))
    features = [
        torch.tensor(
            30 * (common + shift * rng.normal(size=(N, 1))) @ rng.normal(size=(1, 40))
            + 0.1 * rng.normal(size=(N, 40)),
            dtype=torch.float32,
        )
        for shift in (0, 0.5, 2)
    ]
    found = first_components(listed(*features, torch.zeros(N, 2)), numbers())
    squares, ckas = (
        squared_cosines(found.first),
        [[cka_biased(x.numpy(), y.numpy()) for y in features] for x in features],
    )
    assert (
        np.isnan(squares[3]).all()
        and np.isnan(squares[:, 3]).all()
        and np.allclose(squares.diagonal()[:3], 1)
    )
    assert np.allclose(squares[:3, :3], ckas, atol=1e-3)
    assert squares[0, 2] < 0.5 < squares[0, 1]  # equation 4, and not for want of differences
    for wrong in (found.first[0], 2 * found.first):
        with pytest.raises(ValueError, match="unit norm"):
            squared_cosines(wrong)


def test_no_activation_is_kept():
    net = Watched(10)
    first_components(net, torch.zeros(32, 1), batch=16, together=["layer1", "layer5"])
    assert net.most == 1 and not net.alive


def test_networks_and_options_without_components():
    x = torch.randn(64, 5, generator=torch.Generator().manual_seed(0))
    infinite = torch.where(numbers(64) == 63, torch.inf, x)
    calls = iter((1, 2))
    for net, message in (
        (listed(x, infinite), "'layer1' has NaN or infinite"),
        (listed(torch.full((64, 2), torch.nan)), "'layer0' has NaN or infinite"),
        (lambda images, tap: [tap("a", images), tap("a", images)], "'a' is tapped twice"),
        (lambda images, tap: tap("a", images[1:]), "examples first"),
        (
            lambda images, tap: tap("a", images.repeat(1, 1 + int(images[0] > 0))),
            r"is \(32, 2\) and not \(32, 1\)",
        ),
        (lambda images, tap: [tap(f"{i}", images) for i in range(next(calls))], "2 layers tapped, 1 before"),
        (lambda images, tap: None, "0 layers tapped"),
    ):
        with pytest.raises(ValueError, match=message):
            first_components(net, numbers(64).float(), batch=32)
    for options, message in (
        ({"together": ["layer0", "layer7"]}, "layer7"),
        ({"batch": 0}, "batch 0"),
        ({"sketch": 0}, "sketch 0"),
        ({"iterations": 0}, "iterations 0"),
    ):
        with pytest.raises(ValueError, match=message):
            first_components(listed(x), numbers(64), **options)
    with pytest.raises(ValueError, match="1 images"):
        first_components(listed(x), numbers(1))
