"""A member that diverges ends with a flag; its neighbours do not notice."""

import math

import pytest
import torch
from torch import nn

from tests.trainings import (
    BUILDS,
    CLASSES,
    IMAGE,
    Checkpoints,
    content,
    data,
    fit,
    killed_and_resumed,
    recipe,
    stacks_of,
    train,
)
from wide.nets import mlp
from wide.training import run as running
from wide.training.population import member
from wide.training.train_population import train_population

# 60 steps: looks at 50 and at the end.
WILD = 1e30


def linear():
    return mlp.Net(1, image=IMAGE, classes=CLASSES, depth=0)


def grid(*rates, **settings):
    return [recipe(epochs=12, lr=rate, **settings) for rate in rates]


@pytest.mark.parametrize("net", BUILDS)
@pytest.mark.parametrize("stack, beside", [(3, True), (3, False), (1, True)])
def test_neighbours_of_a_diverging_member_keep_their_bytes(net, stack, beside, monkeypatch):
    stacks_of(monkeypatch, stack, beside)
    tame, _ = train(BUILDS[net], [5, 0, 7], recipes=grid(0.05, 0.06, 0.07))
    state, metrics = train(BUILDS[net], [5, 0, 7], recipes=grid(0.05, WILD, 0.07))
    assert metrics["diverged"] == [False, True, False]
    for row in (0, 2):
        assert content(member(state, row)) == content(member(tame, row))
    assert all(value.isfinite().all() for value in state.values())


@pytest.mark.parametrize("stack", [2, 1])
def test_a_diverged_member_keeps_its_last_finite_state_at_a_look(stack, monkeypatch):
    stacks_of(monkeypatch, stack)
    state, metrics = train(BUILDS["mlp"], [0, 1], recipes=grid(0.05, WILD))
    assert metrics["diverged"] == [False, True]
    start = fit(BUILDS["mlp"], [0, 1], epochs=0)
    assert content(member(state, 1)) == content(member(start, 1))  # there was no look before

    # The rate grows until all is infinite; looks are after every pass.
    monkeypatch.setattr(running, "CHECK", 5)

    def passes(number):
        settings = {"epochs": number, "schedule": "exponential", "factor": 1e19}
        return train(linear, [0, 1], recipes=[recipe(lr=rate, **settings) for rate in (0.0, 1e-20)])

    state, metrics = passes(4)
    assert metrics["diverged"] == [False, True]
    shorter = [passes(number) for number in range(4)]
    finite = [content(member(before, 1)) for before, said in shorter if not any(said["diverged"])]
    assert len(finite) >= 2 and len(set(map(str, finite))) == len(finite)
    assert content(member(state, 1)) == finite[-1]


class Spoiled(nn.Module):
    """Linear, but image 0 has an infinite loss: parameters would not tell at once."""

    def __init__(self):
        super().__init__()
        self.output = nn.Linear(128, 3)

    def forward(self, x, tap=None):
        x = x.flatten(1)
        return self.output(x) * torch.where(x[:, :1] > 0.99, math.inf, 1.0)


def test_an_infinite_loss_is_divergence_too():
    images, labels = data()
    images = images.clamp_max(250)
    bad = images.clone()
    bad[3, 0, 0, 0] = 255
    # Without a step no parameter shows it.
    still = recipe(epochs=1, batch=40, lr=0.0)
    train_population(Spoiled, images, labels, still, [0], half=False)
    with pytest.raises(ValueError, match="diverged"):
        train_population(Spoiled, bad, labels, still, [0], half=False)


def test_where_all_diverge_it_is_refused_with_the_learning_rate():
    for stack in ([0], [0, 1]):
        with pytest.raises(ValueError) as error:
            fit(BUILDS["mlp"], stack, lr=WILD)
        assert str(error.value) == (
            "training diverged at step 20 of 20 (loss nan) with lr 1e+30: "
            "lower the learning rate of this study"
        )
    with pytest.raises(ValueError, match=r"at step 50 of 60 .* with lr 1e\+30, 1e\+31"):
        train(BUILDS["mlp"], [0, 1], recipes=grid(WILD, 10 * WILD))


def test_or_flagged_on_request():
    counted = []
    state, metrics = train(
        BUILDS["mlp"], [0, 1], lr=WILD, epochs=12, may_diverge=True, progress=counted.append
    )
    assert metrics["diverged"] == [True, True]
    assert content(state) == content(fit(BUILDS["mlp"], [0, 1], epochs=0))
    assert sum(counted) == 60 * 8 * 2


@pytest.mark.parametrize("stack", [3, 1])
def test_a_killed_run_ends_with_the_same_bytes(stack, monkeypatch):
    stacks_of(monkeypatch, stack)
    monkeypatch.setattr(running, "CHECK", 4)

    def run(checkpoint=None):
        recipes = [recipe(epochs=2, lr=rate) for rate in (0.05, WILD, 0.07)]
        state, metrics = train(BUILDS["normed"], [5, 0, 7], recipes=recipes, checkpoint=checkpoint)
        assert metrics["diverged"] == [False, True, False]
        return content(state)

    checkpoint = Checkpoints()
    whole = run(checkpoint)
    asked = checkpoint.asked
    assert run(checkpoint) == whole, "a finished run is read back"
    for stop in range(1, asked):
        assert killed_and_resumed(stop, run) == whole, f"stopped after {stop}"


def test_with_patience_a_diverged_member_ends_with_its_best_state():
    """The second member trains two passes well, then its rate explodes."""
    recipes = [
        recipe(epochs=6, lr=rate, patience=6, schedule="exponential", factor=1e12) for rate in (0.0, 1e-13)
    ]
    state, metrics = train(BUILDS["mlp"], [0, 1], recipes=recipes, validation=data(60, seed=1))
    assert metrics["diverged"] == [False, True]
    seen = metrics["validation_accuracy"][1]
    assert 2 <= len(seen) < 6
    assert metrics["best_pass"][1] == seen.index(max(seen)) + 1
    assert all(value.isfinite().all() for value in state.values())


class Narrow(nn.Module):
    """Convolutions of odd and even numbers of channels without normalisation, so that infinities pass on."""

    def __init__(self, first, second):
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv2d(2, first, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(second, 2, 1),
        )
        self.output = nn.Linear(32, 3)

    def forward(self, x, tap=None):
        return self.output(self.convs(x).flatten(1))


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("first, second", [(1, 1), (2, 4), (3, 5), (8, 7)])
def test_infinities_keep_to_their_member(first, second, half, monkeypatch):
    """Kernels that fill up a group with its neighbour's channels, times zero, would spread them."""
    stacks_of(monkeypatch, 3)

    def states(rate):
        recipes = [recipe(lr=rate) for rate in (0.01, rate, 0.02)]
        build = lambda: Narrow(first, second)  # noqa: E731
        return train_population(build, *data(), recipes, [5, 0, 7], half=half)

    (tame, _), (wild, metrics) = states(0.03), states(WILD)
    assert metrics["diverged"] == [False, True, False]
    for row in (0, 2):
        assert content(member(wild, row)) == content(member(tame, row))
