"""Recipes: what is refused, in one line, and what a recipe says of itself."""

import math

import pytest

from tests.trainings import recipe
from wide.training.augmentation import Augment
from wide.training.recipe import Recipe, describe, recipe_a_member


@pytest.mark.parametrize(
    "settings, line",
    [
        ({"momentumm": 0.9}, "recipe: unknown key 'momentumm'; did you mean 'momentum'?"),
        ({"wd": 0.1}, "recipe: unknown key 'wd'; known keys: epochs, batch, lr"),
        ({"schedule": "linear"}, "schedule 'linear' is unknown; known: constant, cosine, steps, exponential"),
        ({"schedule": ["cosine"]}, "schedule '['cosine']' is unknown"),
        ({"optimiser": "lion"}, "optimiser 'lion' is unknown; known: sgd, adam, adamw, rmsprop"),
        ({"hidden": "zeros"}, "hidden 'zeros' is unknown; known: he_normal"),
        ({"last": 1}, "last '1' is unknown"),
        ({"lr": -0.1}, "lr is -0.1; it must be a number, at least 0"),
        ({"lr": "0.1"}, "lr is '0.1'"),
        ({"lr": True}, "lr is True"),
        ({"lr": math.nan}, "lr is nan"),
        ({"lr": [0.1]}, "lr is [0.1]"),
        ({"epochs": -1}, "epochs is -1"),
        ({"epochs": math.inf}, "epochs is inf"),
        ({"batch": 0}, "batch is 0; it must be a whole number, at least 1"),
        ({"batch": 32.0}, "batch is 32.0; it must be a whole number"),
        ({"batch": True}, "batch is True"),
        ({"momentum": -0.1}, "momentum is -0.1"),
        ({"momentum": 1}, "momentum is 1; it must be a number, at least 0 and below 1"),
        ({"weight_decay": -1}, "weight_decay is -1"),
        ({"weight_decay": None}, "weight_decay is None"),
        ({"factor": "0.1"}, "factor is '0.1'"),
        ({"milestones": 0.5}, "milestones is 0.5; it must be a list of shares"),
        ({"milestones": ["a"]}, "milestones is ['a']"),
        (
            {"milestones": [91, 136]},
            "milestones is [91, 136]; it must be a list of shares of the run in (0, 1)",
        ),
        ({"milestones": [0.75, 0.5]}, "each larger than the one before"),
        ({"milestones": [0.5, 0.5]}, "each larger than the one before"),
        ({"milestones": [0]}, "milestones is [0]"),
        ({"milestones": [1]}, "milestones is [1]"),
        ({"standardise": 1}, "standardise is 1; it must be true or false"),
        ({"standardise": "yes"}, "standardise is 'yes'"),
        ({"std": -0.1}, "std is -0.1"),
        ({"bias": math.inf}, "bias is inf; it must be a finite number"),
        ({"dropout": 1}, "dropout is 1; it must be a number, at least 0 and below 1"),
        ({"dropout": -0.1}, "dropout is -0.1"),
        ({"dropped": "relu1"}, "dropped is 'relu1'; it must be a list of names"),
        ({"patience": -1}, "patience is -1; it must be a whole number, at least 0"),
        ({"patience": 2.5}, "patience is 2.5"),
        ({"snapshots": 3}, "snapshots is 3; it must be a list of whole numbers of passes"),
        ({"snapshots": [0.5]}, "snapshots is [0.5]"),
        ({"snapshots": [-1]}, "snapshots is [-1]"),
        ({"snapshots": [2, 1]}, "each larger than the one before"),
        ({"snapshots": [0, 5]}, "snapshots is [0, 5]; none can be above epochs, 4"),
        ({"augment": {"shfit": 0.1}}, "augment: unknown key 'shfit'; did you mean 'shift'?"),
        ({"augment": ["flip"]}, "augment is ['flip']; it must be a mapping"),
        ({"augment": "flip"}, "augment is 'flip'; it must be a mapping"),
        ({"augment": {"flip": 1}}, "augment: flip is 1; it must be true or false"),
        ({"augment": {"cyclic": "no"}}, "augment: cyclic is 'no'"),
        ({"augment": {"crop": 2.0}}, "augment: crop is 2.0; it must be a whole number, at least 0"),
        ({"augment": {"crop": True}}, "augment: crop is True"),
        ({"augment": {"shift": 1}}, "augment: shift is 1; it must be a number, at least 0 and below 1"),
        ({"augment": {"rotate": -5}}, "augment: rotate is -5"),
        ({"augment": {"resized_crop": "big"}}, "augment: resized_crop is 'big'"),
    ],
    ids=str,
)
def test_a_wrong_recipe_is_one_line(settings, line):
    with pytest.raises(ValueError) as error:
        recipe(**settings)
    assert line in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"milestones": [0.5, 0.75], "schedule": "steps"},
        {"epochs": 0.5, "momentum": 0, "lr": 1},
        {"bias": -0.1, "std": 0, "hidden": "normal"},
        {"augment": {}},
        {"augment": None},
        {
            "augment": {
                "shift": 0.1,
                "rotate": 30,
                "flip": True,
                "crop": 4,
                "cyclic": False,
                "resized_crop": 8,
            }
        },
        {"snapshots": [0, 4], "patience": 3, "dropout": 0.5, "dropped": ["relu1"]},
    ],
    ids=str,
)
def test_right_values_are_taken(settings):
    made = recipe(**settings)
    for name, value in settings.items():
        if name == "augment":
            value = Augment(**(value or {}))
        assert getattr(made, name) == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("key", ["epochs", "batch", "lr"])
def test_a_recipe_needs_its_first_three_settings(key):
    settings = {"epochs": 1, "batch": 8, "lr": 0.1}
    del settings[key]
    with pytest.raises(ValueError, match=f"'{key}' is missing"):
        Recipe.of(settings)


@pytest.mark.parametrize("settings", [None, [], "sgd"])
def test_a_recipe_is_a_mapping(settings):
    with pytest.raises(ValueError, match="recipe is .*; it must be a mapping"):
        Recipe.of(settings)


def test_a_recipe_is_made_without_touching_its_settings():
    settings = {"epochs": 1, "batch": 8, "lr": 0.1, "augment": {"flip": True}, "milestones": [0.5]}
    made = Recipe.of(settings)
    assert made.augment == Augment(flip=True) and made.milestones == (0.5,)
    assert settings == {"epochs": 1, "batch": 8, "lr": 0.1, "augment": {"flip": True}, "milestones": [0.5]}


def test_a_description_is_a_recipe_again():
    made = recipe(patience=3, snapshots=[1], augment={"flip": True}, schedule="steps", milestones=[0.5])
    assert Recipe.of(describe(made)) == made
    assert describe(made)["augment"]["flip"] is True


def test_an_option_that_came_later_changes_no_description_while_it_is_off():
    """Cards of populations hold the description: a new option must not change those that do not use it."""
    plain = {
        "epochs": 1, "batch": 8, "lr": 0.1, "optimiser": "sgd", "momentum": 0.9, "weight_decay": 0.0,
        "schedule": "constant", "milestones": (), "factor": 0.1, "hidden": "he_normal",
        "last": "lecun_normal", "standardise": False,
        "augment": {"shift": 0.0, "rotate": 0.0, "flip": True, "crop": 0, "cyclic": False},
    }  # fmt: skip
    made = {"epochs": 1, "batch": 8, "lr": 0.1, "augment": {"flip": True}}
    assert describe(Recipe.of(made)) == plain
    assert list(describe(Recipe.of(made))) == list(plain)
    for name, value in {"std": 1, "bias": 0.1, "dropout": 0.5, "patience": 2, "snapshots": [1]}.items():
        assert name in describe(Recipe.of({**made, name: value}))
    cropped = describe(Recipe.of({**made, "augment": {"resized_crop": 16}}))
    assert cropped["augment"]["resized_crop"] == 16


@pytest.mark.parametrize(
    "other, name",
    [
        ({"batch": 4}, "batch"),
        ({"epochs": 2}, "epochs"),
        ({"optimiser": "adam"}, "optimiser"),
        ({"optimiser": "adam", "batch": 4}, "batch"),
        ({"augment": {"flip": True}}, "augment"),
        ({"dropout": 0.1}, "dropout"),
    ],
    ids=str,
)
def test_recipes_of_a_population_may_differ_in_what_is_a_members_own_only(other, name):
    own = {"lr": 1, "hidden": "glorot_uniform", "last": "normal", "std": 0.1, "bias": 0.2}
    assert len(recipe_a_member([recipe(), recipe(**own)], [0, 0])) == 2
    with pytest.raises(ValueError, match=f"differ in {name} .*only lr, hidden, last, std, bias may differ"):
        recipe_a_member([recipe(), recipe(**own), recipe(**own, **other)], [0, 1, 2])


def test_every_member_has_a_recipe():
    assert recipe_a_member(recipe(), [1, 2]) == [recipe()] * 2
    with pytest.raises(ValueError, match="2 recipes for 3 seeds"):
        recipe_a_member([recipe(), recipe()], [0, 1, 2])
