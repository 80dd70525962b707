"""A step of training is the textbook's: gradients, momentum, weight decay, schedules."""

import pytest
import torch
from torch.nn import functional as F

from tests.trainings import BUILDS, Normed, assert_close, data, double, fit, recipe
from wide.training import optimisers
from wide.training.initialisation import initialise
from wide.training.population import member
from wide.training.randomness import epoch_draws
from wide.training.recipe import steps_of
from wide.training.train_population import train_population


@pytest.fixture
def in_double():
    with double():
        yield


@pytest.fixture
def rates(monkeypatch):
    """The learning rates of every step."""
    seen = []

    class Spy(torch.optim.SGD):
        def step(self):
            seen.append({group["lr"] for group in self.param_groups})
            super().step()

    monkeypatch.setitem(optimisers.OPTIMISERS, "sgd", lambda groups, r: Spy(groups, r.lr))
    return seen


@pytest.mark.parametrize("net", ["mlp", "convnet"])
def test_steps_equal_hand_written_sgd_with_momentum(net, in_double):
    rate, momentum, decay, seed = 0.05, 0.8, 0.3, 6
    features, labels = data()[0] / 255.0, data()[1]
    plain = BUILDS[net]()
    initialise(plain, seed)
    weights = dict(plain.named_parameters())
    velocity = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    order, _ = epoch_draws(seed, 0, 40, 0)
    for step in range(5):
        batch = order[8 * step : 8 * step + 8]
        loss = F.cross_entropy(plain(features[batch]), labels[batch])
        gradients = torch.autograd.grad(loss, list(weights.values()))
        for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
            gradient = gradient + (decay * weight.detach() if name.endswith("weight") else 0)
            velocity[name] = momentum * velocity[name] + gradient
            weight.data -= rate * velocity[name]
    settings = recipe(epochs=1, lr=rate, momentum=momentum, weight_decay=decay)
    trained, _ = train_population(BUILDS[net], features, labels, settings, [seed], half=False)
    assert_close(member(trained, 0), {name: weight.detach() for name, weight in weights.items()}, 1e-12)


def test_weight_decay_touches_weights_only(in_double):
    start = fit(Normed, [0, 1], examples=8, epochs=0)
    free, decayed = (
        fit(Normed, [0, 1], examples=8, epochs=1, lr=0.1, weight_decay=decay) for decay in (0.0, 0.5)
    )
    for name in free:
        shrunk = 0.1 * 0.5 * start[name] if name in ("conv.weight", "output.weight") else 0 * start[name]
        torch.testing.assert_close(free[name] - decayed[name], shrunk, rtol=0, atol=1e-12)


def test_the_loss_is_a_mean_over_the_batch(in_double):
    """A batch of one image repeated is that image: the gradient does not grow with the number of examples."""
    images, labels = data(1)
    one, many = (
        train_population(
            BUILDS["mlp"],
            images.repeat(n, 1, 1, 1),
            labels.repeat(n),
            recipe(epochs=1, batch=n),
            [0],
            half=False,
        )[0]
        for n in (1, 16)
    )
    assert_close(many, one, 1e-12)


def test_constant_and_stepped_schedules(rates):
    fit(BUILDS["mlp"], [0])
    assert rates == [{0.05}] * 20
    rates.clear()
    fit(BUILDS["mlp"], [0], schedule="steps", milestones=[0.5, 0.75], factor=0.1)
    assert [round(rate, 9) for [rate] in rates] == [0.05] * 10 + [0.005] * 5 + [0.0005] * 5


def test_cosine_schedule_falls_from_the_learning_rate_to_zero(rates):
    fit(BUILDS["mlp"], [0], schedule="cosine", epochs=40)
    found = [rate for [rate] in rates]
    assert found[0] == 0.05 and 0 < found[-1] < 0.05 * 1e-3
    assert all(before > after for before, after in zip(found, found[1:], strict=False))
    assert found[100] == pytest.approx(0.025)  # half-way of 200 steps


def test_exponential_schedule_falls_by_its_factor_a_pass(rates):
    fit(BUILDS["mlp"], [0], schedule="exponential", factor=0.95, epochs=3.4)
    expected = [0.05 * 0.95 ** (step // 5) for step in range(17)]
    assert [rate for [rate] in rates] == pytest.approx(expected)


@pytest.mark.parametrize(
    "epochs, batch, examples, expected",
    [
        (2, 8, 24, (6, 3)),
        (2, 8, 31, (6, 3)),
        (0, 8, 24, (0, 3)),
        (0.5, 8, 64, (4, 8)),
        (2.25, 8, 64, (18, 8)),
        (3, 8, 5, (3, 1)),
        (10, 128, 50_000, (3900, 390)),
    ],
)
def test_steps_of_a_recipe(epochs, batch, examples, expected):
    assert steps_of(recipe(epochs=epochs, batch=batch), examples) == expected
