"""How often units are non-zero, streamed, is what counting in the stored activations says."""

import numpy as np
import pytest
import torch
from tapped import listed, seen_in

from wide.measure.sparsity import relu_usage
from wide.nets.resnet import Net


@pytest.fixture
def resnet():
    torch.manual_seed(0)
    return Net(1, image=(3, 8, 8), classes=10, depth=8, base=3).eval()


def images(n=50):
    return torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def numbers(n):
    return torch.arange(n)[:, None]


def used(*counts, n):
    """Features (n, units) that are non-zero at the first count of n examples: negative, tiny, or large."""
    return torch.where(
        numbers(n) < torch.tensor(counts), torch.tensor([-1.0, 1e-38, 1e30])[numbers(n) % 3], 0.0
    )


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("batch", [1, 16, 50, 256])
def test_usage_is_what_stored_activations_say(resnet, batch, layout):
    seen = []
    with torch.no_grad():
        resnet(images(), seen_in(seen))
    stored = {name: x.flatten(1).numpy() != 0 for name, x in seen}
    usage = relu_usage(resnet, images().to(memory_format=layout), resnet.units, batch=batch)
    assert usage.histogram.shape == (len(resnet.units), 20) and np.allclose(usage.histogram.sum(1), 1)
    for row, name in enumerate(resnet.units):
        share = stored[name].mean(0)
        assert usage.nonzero[row] == pytest.approx(stored[name].mean())
        assert usage.between[row] == pytest.approx(np.mean((share > 0) & (share < 1)))
        edges = np.append(np.linspace(0, 0.95, 20) - 1e-9, 1)  # shares of 50 images lie on edges, too
        assert np.allclose(usage.histogram[row], np.histogram(share, edges)[0] / share.size)
    assert 0.3 < usage.nonzero.mean() < 0.9 and usage.between.max() > 0.5  # and these are no corner cases


def test_a_share_on_an_edge_belongs_to_the_bin_above_and_always_to_the_last():
    n = 20
    usage = relu_usage(listed(used(*range(n + 1), n=n)), numbers(n), ["layer0"], batch=7)
    assert np.allclose(
        usage.histogram[0] * 21, [1] * 19 + [2]
    )  # every twentieth; 19 and 20 of 20 in the last
    assert usage.between[0] == pytest.approx(19 / 21) and usage.nonzero[0] == pytest.approx(0.5)


def test_layers_come_in_the_order_asked_for_and_each_position_is_a_unit():
    always, never, half = used(10, n=10), used(0, 0, n=10), used(0, 5, 10, 10, n=10).reshape(10, 2, 2)
    usage = relu_usage(listed(always, never, half), numbers(10), ["layer2", "layer0", "layer1"], bins=4)
    assert np.allclose(usage.histogram, [[0.25, 0, 0.25, 0.5], [0, 0, 0, 1], [1, 0, 0, 0]])
    assert np.allclose(usage.nonzero, [0.625, 1, 0]) and np.allclose(usage.between, [0.25, 0, 0])


def test_a_short_last_minibatch_counts():
    x = torch.zeros(9, 1)
    x[8] = 1.0
    assert relu_usage(listed(x), numbers(9), ["layer0"], batch=4).nonzero[0] == pytest.approx(1 / 9)


def test_networks_and_options_without_usage():
    x, infinite = used(3, 5, n=9), torch.full((9, 2), torch.inf)
    for net, layers, message in (
        (listed(x), ["layer0", "other"], "'other' is not one"),
        (listed(x, infinite), ["layer1"], "'layer1' has NaN"),
        (listed(torch.where(x > 2, torch.nan, x)), ["layer0"], "'layer0' has NaN"),
        (lambda images, tap: [tap("a", images), tap("a", images)], ["a"], "'a' is tapped twice"),
        (lambda images, tap: tap("a", images[1:]), ["a"], "3 rows for 4 images"),
        (
            lambda images, tap: tap("a", images.repeat(1, 1 + int(images[0, 0] > 0))),
            ["a"],
            "changes its shape",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            relu_usage(net, numbers(9), layers, batch=4)
    for options in ({"images": numbers(0)}, {"units": []}, {"batch": 0}, {"bins": 0}):
        with pytest.raises(ValueError, match="at least one"):
            relu_usage(listed(x), **{"images": numbers(9), "units": ["layer0"], **options})
