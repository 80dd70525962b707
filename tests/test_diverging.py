"""A member that diverges ends with a flag; its neighbours do not notice."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.trainings import (
    BUILDS,
    Checkpoints,
    content,
    data,
    fit,
    killed_and_resumed,
    recipe,
    stacks_of,
    train,
)
from wide.training import run as running
from wide.training.population import member

# 60 steps: looks at 50 and at the end.
WILD = 1e30


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

    monkeypatch.setattr(running, "CHECK", 1)
    # Infinite after the second step: a factor of 1e30 on the loss's slope, not yet on the first one's.
    slow = [recipe(epochs=12, lr=rate, schedule="exponential", factor=1e20) for rate in (0.0, 1e-3)]
    state, metrics = train(BUILDS["mlp"], [0, 1], recipes=slow)
    assert metrics["diverged"] == [False, True]
    # The second pass multiplies the rate; the last finite state may lie in it, but all is finite.
    assert all(value.isfinite().all() for value in state.values())
    assert content(member(state, 1)) != content(member(start, 1))


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
    settings = {"recipes": [recipe(epochs=1, lr=0.0)] * 2}
    with pytest.raises(ValueError, match="diverged"):
        running_on(bad, labels, **settings)
    running_on(images, labels, **settings)


def running_on(images, labels, recipes):
    from wide.training.train_population import train_population

    return train_population(Spoiled, images, labels, recipes, [0, 1], half=False)


def test_where_all_diverge_it_is_refused_with_the_learning_rate():
    for stack in ([0], [0, 1]):
        with pytest.raises(ValueError) as error:
            fit(BUILDS["mlp"], stack, lr=WILD)
        assert str(error.value) == (
            "training diverged at step 20 of 20 (loss nan) with lr 1e+30: lower the learning rate of this study"
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
    assert run(checkpoint) == whole
    for stop in range(1, 10):
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


@pytest.mark.parametrize("kernel, channels", [(1, 1), (3, 2), (3, 8), (5, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_grouped_convolution_keeps_infinities_to_their_group(kernel, channels, dtype):
    """Some libraries fill groups up with zeros, and 0 × inf is not 0: what stands beside must stay as it is."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 16 * channels, 8, 8, generator=generator)
    weight = torch.randn(16 * channels, channels, kernel, kernel, generator=generator)
    spoiled = x.clone(), weight.clone()
    spoiled[0][:, channels : 2 * channels] = math.inf
    spoiled[1][channels : 2 * channels] = math.nan

    def outputs(x, weight):
        x = x.to(dtype).contiguous(memory_format=torch.channels_last).requires_grad_()
        weight = weight.to(dtype).contiguous(memory_format=torch.channels_last).requires_grad_()
        y = F.conv2d(x, weight, padding=kernel // 2, groups=16)
        y.square().sum(dim=(0, 2, 3)).sum().backward()
        return y.detach().transpose(0, 1), x.grad.transpose(0, 1), weight.grad

    for clean, dirty in zip(outputs(x, weight), outputs(*spoiled), strict=True):
        clean, dirty = (part.unflatten(0, (16, channels)) for part in (clean, dirty))
        others = [0, *range(2, 16)]
        assert torch.equal(clean[others], dirty[others])
        assert not dirty[1].isfinite().any()
