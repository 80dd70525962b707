"""How members are stacked: a fixed rule, and the same outputs alone, under vmap and side by side."""

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from tests.trainings import Normed, assert_close, double, recipe
from wide.nets import convnet, mlp, resnet
from wide.training import stacking
from wide.training.initialisation import initialise
from wide.training.population import member, stack
from wide.training.side_by_side import SideBySide, separable
from wide.training.stacking import arranged, beside, forward, members_at_once, pieces
from wide.training.train_population import train_population

IMAGE, CLASSES = (3, 16, 16), 4


def plain(width, plan="scaled"):
    return convnet.Net(width, image=IMAGE, classes=CLASSES, plan=plan)


def residual(width, **options):
    return resnet.Net(width, image=IMAGE, classes=CLASSES, **(options or {"depth": 8}))


NARROW = {
    "convnet": lambda: plain(12),
    "resnet": lambda: residual(0.125),
    "no skips": lambda: residual(0.125, depth=8, residual=False),
    "bottleneck": lambda: residual(0.0625, blocks=[1, 1, 1, 1], family="imagenet"),
    "small stem": lambda: residual(0.0625, blocks=[1, 1, 1, 1], family="imagenet", stem="small"),
    "normed": Normed,
}


class Made(nn.Module):
    """A narrow convolution, and then what is to be tried."""

    def __init__(self, rest, layer=None):
        super().__init__()
        self.conv, self.layer, self.rest = nn.Conv2d(3, 4, 3), layer or nn.Identity(), rest
        self.output = nn.Linear(4, CLASSES)

    def forward(self, x, tap=None):
        return self.output(self.rest(self.layer(self.conv(x))))


def pooled(x):
    return x.mean((2, 3))


# --- the rule -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds, expected", [(1, 1), (7, 1), (8, 8), (16, 16), (254, 16)])
def test_narrow_convolutional_networks_lie_side_by_side_from_eight_members_on(seeds, expected):
    assert members_at_once(plain(32), "cpu", seeds) == expected  # 8 channels
    assert members_at_once(residual(0.5), "cpu", seeds) == expected
    assert members_at_once(plain(36), "cpu", seeds) == 1  # 9 channels


@pytest.mark.parametrize("width, expected", [(32, 64), (100, 64), (2000, 1)])
def test_small_dense_networks_are_stacked(width, expected):
    net = mlp.Net(width, image=(1, 28, 28), classes=10)
    assert members_at_once(net, "cpu", 200) == expected
    assert members_at_once(net, "cpu", 3) == min(expected, 3)


def test_a_gpu_takes_as_many_as_fill_it():
    parameters = sum(parameter.numel() for parameter in plain(64).parameters())
    assert members_at_once(plain(64), "cuda", 1000) == 4_000_000 // parameters
    assert members_at_once(plain(64), "cuda", 3) == 3
    assert members_at_once(plain(2048), "cuda", 3) == 1


@pytest.mark.parametrize("seeds", [1, 7, 8, 16, 17, 20, 24, 40, 254])
def test_pieces_cover_all_members_and_are_stacked_alike_alone(seeds):
    for net in (plain(8), plain(80), mlp.Net(8, image=IMAGE, classes=2)):
        found = pieces(net, "cpu", seeds)
        assert [index for piece in found for index in range(seeds)[piece]] == list(range(seeds))
        for piece in found:
            assert pieces(net, "cpu", piece.stop - piece.start) == [slice(0, piece.stop - piece.start)]


def test_only_narrow_ones_change_their_form():
    assert isinstance(arranged(plain(8), 3), SideBySide)
    for net, members in ((plain(8), 1), (plain(80), 3), (mlp.Net(8, image=IMAGE, classes=2), 3)):
        assert arranged(net, members) is net


# --- which networks can -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NARROW)
def test_our_networks_can_lie_side_by_side(name):
    assert separable(NARROW[name]()) and beside(NARROW[name]())


@pytest.mark.parametrize(
    "net",
    [
        Made(pooled),
        Made(lambda x: torch.flatten(F.adaptive_avg_pool2d(F.gelu(x), 1), 1)),
        Made(pooled, nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2))),
        Made(lambda x: pooled(x + F.relu(x))),
        Made(nn.Flatten(), nn.AdaptiveAvgPool2d(1)),
    ],
    ids=["mean", "functions", "modules", "sum", "flatten"],
)
def test_networks_of_known_operations_can(net):
    assert separable(net)


@pytest.mark.parametrize(
    "net",
    [
        mlp.Net(4, image=IMAGE, classes=2),
        Made(lambda x: pooled(torch.cat([x[:, :2], x[:, 2:]], 1))),
        Made(lambda x: pooled(x.softmax(1))),
        Made(lambda x: pooled(F.local_response_norm(x, 3))),
        Made(lambda x: x.mean((1, 2))[:, :4]),
        Made(lambda x: x.mean(1).flatten(1)[:, :4]),
        Made(lambda x: x.flatten(2).mean(2)),
        Made(lambda x: pooled(x) if x.sum() > 0 else pooled(-x)),
        Made(pooled, nn.GroupNorm(2, 4)),
        Made(pooled, nn.LayerNorm(14)),
        Made(pooled, nn.PReLU(4)),
        Made(pooled, nn.BatchNorm2d(4, momentum=None)),
        Made(pooled, nn.Softmax(1)),
        Made(pooled, nn.ConvTranspose2d(4, 4, 3)),
        Made(nn.Flatten(2), nn.AdaptiveAvgPool2d(1)),
    ],
    ids=str,
)
def test_networks_that_mix_channels_or_hold_other_parameters_cannot(net):
    assert not separable(net)


# --- the same outputs ---------------------------------------------------------------------------------------


def members(build, number=3, batch=5):
    """(network, population, inputs (members, batch, ...)) in float64."""
    states = []
    for seed in range(number):
        net = build()
        initialise(net, seed, bias=0.1)
        states.append({name: value.clone() for name, value in net.state_dict().items()})
    image = (2, 8, 8) if isinstance(net, Normed) else IMAGE
    x = torch.rand(number, batch, *image, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return net, stack(states), x


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", NARROW)
def test_side_by_side_is_one_after_another(name, training):
    with double():
        net, population, x = members(NARROW[name])
        joined = SideBySide(net, 3).train(training)
        expected, states = [], []
        for row in range(3):
            state = {name: value.clone() for name, value in member(population, row).items()}
            expected.append(functional_call(net.train(training), state, (x[row],)))
            states.append(state)
        logits = forward(joined, population, x)
        torch.testing.assert_close(logits, torch.stack(expected), rtol=0, atol=1e-10)
        assert_close(population, stack(states), 1e-12)  # running statistics, too


def test_a_tap_sees_all_members_and_may_replace():
    with double():
        net, population, x = members(lambda: plain(12))
        joined, seen = SideBySide(net, 3).eval(), {}

        def look(name, value):
            seen[name] = value
            return value

        logits = joined(population, x, tap=look)
        assert list(seen) == net.layers
        assert seen["relu1"].shape == (5, 3 * 3, 16, 16)
        silenced = joined(population, x, tap=lambda name, value: value * (name != "logits"))
        assert not silenced.any() and logits.any()


def test_the_network_itself_stays_as_it_is():
    net = residual(0.125)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    SideBySide(net, 3)
    assert_close(net.state_dict(), before, 0)
    assert net(torch.rand(2, *IMAGE)).shape == (2, CLASSES)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("name", ["convnet", "resnet"])
def test_training_side_by_side_is_training_alone(name, half, monkeypatch):
    """Twenty steps of eight members, by the rule; in float32 and bf16 as near as these are."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (32, *IMAGE), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, CLASSES, (32,), generator=generator)
    run = recipe(epochs=5, lr=0.01, augment={"flip": True, "crop": 2})
    atol = 0.05 if half else 1e-3
    together, metrics = train_population(NARROW[name], images, labels, run, range(8), half=half)
    assert metrics["members_at_once"] == 8
    alone, metrics = train_population(NARROW[name], images, labels, run, [5], half=half)
    assert metrics["members_at_once"] == 1
    for key, value in member(alone, 0).items():
        torch.testing.assert_close(member(together, 5)[key], value, rtol=0, atol=atol)


def test_vmap_takes_the_networks_that_cannot_lie_side_by_side(monkeypatch):
    net = Made(lambda x: pooled(x.softmax(1)))
    joined = []
    monkeypatch.setattr(
        stacking, "vmap", lambda one, **how: joined.append(how) or torch.func.vmap(one, **how)
    )
    population = stack([{name: value.clone() for name, value in net.state_dict().items()}] * 2)
    x = torch.rand(2, 5, *IMAGE)
    logits = forward(arranged(net, 2), population, x)
    assert joined and logits.shape == (2, 5, CLASSES)
    torch.testing.assert_close(logits[1], net(x[1]))
