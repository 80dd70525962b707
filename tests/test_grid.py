"""A grid of recipes is one population: each member as if it were trained alone with its recipe."""

import pytest
import torch
from torch.nn import functional as F

from tests.trainings import (
    BUILDS,
    assert_close,
    content,
    data,
    double,
    fit,
    recipe,
    stacks_of,
)
from wide.training.initialisation import initialise
from wide.training.population import member
from wide.training.randomness import epoch_draws
from wide.training.train_population import train_population

OPTIMISERS = {
    "sgd": {"momentum": 0.8},
    "adam": {},
    "adamw": {},
    "rmsprop": {"momentum": 0.5},
}
RATES = (0.02, 0.0, 0.003)


@pytest.mark.parametrize("net", BUILDS)
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_learning_rates_of_a_stack_equal_those_of_members_alone(net, optimiser, decay, monkeypatch):
    stacks_of(monkeypatch, 3)
    settings = {"optimiser": optimiser, "weight_decay": decay, "schedule": "cosine", **OPTIMISERS[optimiser]}
    recipes = [recipe(lr=rate, epochs=2, **settings) for rate in RATES]
    # A bias before a normalisation has no gradient but rounding, which adam divides by its own size.
    atol = 1e-7 if net == "normed" and optimiser.startswith("adam") else 1e-10
    with double():
        grid = fit(BUILDS[net], [5, 0, 5], recipes=recipes)
        for row, (seed, own) in enumerate(zip([5, 0, 5], recipes, strict=True)):
            assert_close(member(grid, row), member(fit(BUILDS[net], [seed], recipes=[own]), 0), atol)


def test_initialisations_of_a_stack_equal_those_of_members_alone(monkeypatch):
    stacks_of(monkeypatch, 4)
    own = [
        {"hidden": "glorot_uniform", "last": "he_normal"},
        {"hidden": "normal", "last": "normal", "std": 0.3},
        {"hidden": "normal", "std": 0.001},
        {"bias": 0.1, "lr": 0.2},
    ]
    recipes = [recipe(**settings) for settings in own]
    with double():
        grid = fit(BUILDS["mlp"], [3] * 4, recipes=recipes)
        for row, one in enumerate(recipes):
            assert_close(member(grid, row), member(fit(BUILDS["mlp"], [3], recipes=[one]), 0), 1e-10)


def test_seeds_may_repeat():
    grid = fit(BUILDS["mlp"], [3, 3, 4], recipes=[recipe(lr=rate) for rate in (0.05, 0.01, 0.05)])
    first, second, other = (grid["output.weight"][row] for row in range(3))
    assert not torch.equal(first, second) and not torch.equal(first, other)
    same = fit(BUILDS["mlp"], [3, 3])
    assert content(member(same, 0)) == content(member(same, 1))


@pytest.mark.parametrize("net", BUILDS)
def test_one_recipe_for_all_is_the_same_recipe_for_each(net):
    assert content(fit(BUILDS[net], [1, 2])) == content(fit(BUILDS[net], [1, 2], recipes=[recipe()] * 2))


def test_other_differences_are_refused():
    with pytest.raises(ValueError, match="differ in momentum"):
        fit(BUILDS["mlp"], [1, 2], recipes=[recipe(), recipe(momentum=0)])
    with pytest.raises(ValueError, match="1 recipes for 2 seeds"):
        fit(BUILDS["mlp"], [1, 2], recipes=[recipe()])


# --- a step is the textbook's ------------------------------------------------------------------------------


def adam(moments, gradient, count):
    """Kingma & Ba 2015, algorithm 1: the step that the learning rate multiplies."""
    first, second = moments.setdefault("m", 0), moments.setdefault("v", 0)
    moments["m"] = first = 0.9 * first + 0.1 * gradient
    moments["v"] = second = 0.999 * second + 0.001 * gradient**2
    return first / (1 - 0.9**count) / ((second / (1 - 0.999**count)).sqrt() + 1e-8)


def rmsprop(moments, gradient, count):
    """Tieleman & Hinton 2012, with momentum 0.5 on the scaled gradient and torch's decay of 0.99."""
    moments["v"] = 0.99 * moments.get("v", 0) + 0.01 * gradient**2
    moments["b"] = 0.5 * moments.get("b", 0) + gradient / (moments["v"].sqrt() + 1e-8)
    return moments["b"]


@pytest.mark.parametrize("rates", [(0.01,), (0.01, 0.02)], ids=["one rate", "a rate a member"])
@pytest.mark.parametrize("optimiser, rule", [("adam", adam), ("adamw", adam), ("rmsprop", rmsprop)])
def test_steps_equal_hand_written_ones(optimiser, rule, rates):
    """Decay of adamw is decoupled (Loshchilov & Hutter 2019, algorithm 2), that of others a penalty."""
    decay, seed = 0.3, 6
    with double():
        features, labels = data()[0] / 255.0, data()[1]
        recipes = [
            recipe(epochs=1, lr=rate, optimiser=optimiser, momentum=0.5, weight_decay=decay) for rate in rates
        ]
        trained, _ = train_population(
            BUILDS["mlp"], features, labels, recipes, [seed] * len(rates), half=False
        )
        for row, rate in enumerate(rates):
            plain = BUILDS["mlp"]()
            initialise(plain, seed)
            weights = dict(plain.named_parameters())
            moments = {name: {} for name in weights}
            order, _ = epoch_draws(seed, 0, 40, 0)
            for step in range(5):
                batch = order[8 * step : 8 * step + 8]
                loss = F.cross_entropy(plain(features[batch]), labels[batch])
                gradients = torch.autograd.grad(loss, list(weights.values()))
                for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
                    own = decay if name.endswith("weight") else 0
                    if optimiser == "adamw":
                        weight.data *= 1 - rate * own
                    else:
                        gradient = gradient + own * weight.detach()
                    weight.data -= rate * rule(moments[name], gradient, step + 1)
            expected = {name: weight.detach() for name, weight in weights.items()}
            assert_close(member(trained, row), expected, 1e-12)
