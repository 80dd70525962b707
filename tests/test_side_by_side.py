"""Members side by side on the channel axis: which networks can, and the same outputs as one after another."""

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
from wide.training.stacking import arranged, beside, forward
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
