"""What one pass gives of a network is what the measures give one by one."""

import numpy as np
import pytest
import torch
from tapped import Watched, listed

from wide.measure.cka import streamed_ckas
from wide.measure.pca import first_components, squared_cosines
from wide.measure.shared import layers_of
from wide.measure.sparsity import relu_usage
from wide.nets.resnet import Net

N, CKA = 90, {"batch": 20, "passes": 2, "seed": 3}


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(0)
    return Net(1, image=(3, 8, 8), classes=10, depth=8, base=4).eval()


def images(n=N):
    make = torch.Generator().manual_seed(1)
    return torch.randn(n, 3, 8, 8, generator=make) + torch.linspace(0, 2, n)[:, None, None, None]


@pytest.mark.parametrize("most", [N, N - 1])
def test_all_at_once_or_streamed_they_are_those_of_the_measures_alone(resnet, most):
    late = [name for name in resnet.layers if resnet.stage_of(name) in (2, 3)]
    wanted = {"removed": True, "components": True, "together": late, "units": resnet.units}
    found = layers_of(resnet, images(), **CKA, **wanted, most=most)
    for one, other in zip(found.similarities, streamed_ckas([resnet], images(), **CKA), strict=True):
        assert np.abs(one.cka - other.cka).max() < 1e-5 and one.names == other.names
        assert one.batches == other.batches and np.array_equal(one.dead, other.dead)
    alone = first_components(resnet, images(), together=late)
    assert found.components.names == alone.names
    assert np.abs(found.components.fraction - alone.fraction).max() < 1e-4
    assert found.components.combined == pytest.approx(alone.combined, abs=1e-4)
    clear = (alone.gap > 0.02) & (found.components.gap > 0.02)
    assert clear.mean() > 0.8
    pair = [squared_cosines(each.first[clear]) for each in (found.components, alone)]
    assert np.abs(pair[0] - pair[1]).max() < 0.01
    usage = relu_usage(resnet, images(), resnet.units)
    for name in ("histogram", "nonzero", "between"):
        assert np.array_equal(getattr(found.usage, name), getattr(usage, name))


def test_they_share_the_passes(resnet):
    calls = []
    counted = lambda x, tap: calls.append(len(x)) or resnet(x, tap)
    wanted = {"removed": True, "components": True, "units": resnet.units}
    layers_of(counted, images(), **CKA, **wanted)
    assert calls == [N] * 2  # one a pass of CKA
    calls.clear()
    layers_of(counted, images(), **CKA, removed=True)
    assert calls == [20] * 8


def test_only_what_is_asked_for(resnet):
    found = layers_of(resnet, images(), **CKA)
    assert len(found.similarities) == 1 and found.components is None and found.usage is None
    found = layers_of(resnet, images(), **CKA, components=True)
    assert len(found.similarities) == 1 and found.components.combined is None and found.usage is None


def test_components_are_to_the_last_digits_and_of_raw_activations_together():
    make = torch.Generator().manual_seed(0)
    x, y = torch.randn(N, 6, generator=make), 100 * torch.randn(N, 30, generator=make) + 7
    dead = torch.full((N, 4), 1e6)
    net = listed(x, y, dead)
    found = layers_of(
        net, torch.arange(N)[:, None], **CKA, components=True, together=["layer0", "layer1", "layer2"]
    )
    for number, each in enumerate((x, y)):
        each = each.double() - each.double().mean(0)
        left, values, _ = np.linalg.svd(each.numpy(), full_matrices=False)
        assert abs(found.components.first[number] @ left[:, 0]) > 1 - 1e-8
        assert found.components.fraction[number] == pytest.approx(
            values[0] ** 2 / (values**2).sum(), abs=1e-6
        )
        assert found.components.gap[number] == pytest.approx(1 - values[1] ** 2 / values[0] ** 2, abs=2e-3)
        assert found.components.residual[number] < 1e-6
    both = torch.cat([x, y], 1).double()
    values = np.linalg.svd((both - both.mean(0)).numpy(), compute_uv=False)
    assert found.components.combined == pytest.approx(values[0] ** 2 / (values**2).sum(), abs=1e-6)
    first = found.components.first
    assert np.isnan(first[2]).all() and np.isnan(found.components.fraction[2])
    assert np.abs(first[:2].mean(1)).max() < 1e-12 and np.allclose(np.linalg.norm(first[:2], axis=1), 1)


def test_no_activation_is_kept():
    net = Watched(10)
    layers_of(net, torch.zeros(32, 1), batch=16, passes=1, removed=True, components=True)
    assert net.most == 1 and not net.alive


def test_the_number_of_threads_changes_nothing_that_one_thread_gives(resnet):
    from pipeline.lanes import one_thread

    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        with one_thread():
            found.append(layers_of(resnet, images(), **CKA, removed=True, components=True))
    torch.set_num_threads(1)
    assert np.array_equal(found[0].components.first, found[1].components.first)
    assert all(np.array_equal(a.cka, b.cka) for a, b in zip(*(each.similarities for each in found)))


def test_networks_without_such_measures():
    x = torch.randn(N, 5, generator=torch.Generator().manual_seed(0))
    infinite = torch.where(torch.arange(N)[:, None] == 89, torch.inf, x)
    for net, options, message in (
        (listed(x, infinite), {}, "'layer1' has NaN or infinite"),
        (listed(x), {"together": ["layer7"]}, "layer7"),
        (listed(x), {"units": ["layer7"]}, "'layer7' is not one"),
        (lambda images, tap: [tap("a", images), tap("a", images)], {}, "'a' twice"),
        (lambda images, tap: tap("a", images[1:]), {}, "89 rows for 90 images"),
        (lambda images, tap: None, {}, "0 layers tapped"),
    ):
        with pytest.raises(ValueError, match=message):
            layers_of(net, torch.arange(N)[:, None].float(), **CKA, components=True, **options)
    with pytest.raises(ValueError, match="one full minibatch"):
        layers_of(listed(x), torch.arange(N)[:, None], batch=91, components=True)
