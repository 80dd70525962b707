"""How a network is trained: a recipe, its values checked when it is read."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields

from wide.training.augmentation import Augment
from wide.training.initialisation import INITIALISATIONS
from wide.training.optimisers import OPTIMISERS
from wide.training.settings import (
    flag,
    is_number,
    is_whole,
    known_keys,
    names_only,
    number,
    one_of,
    refuse_wrong,
    rising,
    whole,
)

SCHEDULES = {  # factor on the learning rate at a share t in [0, 1) of the run, after so many whole passes
    "constant": lambda recipe, t, passes: 1.0,
    "cosine": lambda recipe, t, passes: (1 + math.cos(math.pi * t)) / 2,
    "steps": lambda recipe, t, passes: (
        recipe.factor ** sum(t >= milestone for milestone in recipe.milestones)
    ),
    "exponential": lambda recipe, t, passes: recipe.factor**passes,
}
CHECKS = {
    "epochs": number(0),
    "batch": whole(1),
    "lr": number(0),
    "optimiser": one_of(OPTIMISERS),
    "momentum": number(0, below=1),
    "weight_decay": number(0),
    "schedule": one_of(SCHEDULES),
    "milestones": rising(lambda value: is_number(value) and 0 < value < 1, "shares of the run in (0, 1)"),
    "factor": number(0),
    "hidden": one_of(INITIALISATIONS),
    "last": one_of(INITIALISATIONS),
    "standardise": flag,
    "std": number(0),
    "bias": number(),
    "dropout": number(0, below=1),
    "dropped": names_only,
    "patience": whole(0),
    "snapshots": rising(lambda value: is_whole(value) and value >= 0, "whole numbers of passes"),
    "calibration": whole(0),
}
# What may differ between the members of one population.
OF_A_MEMBER = ("lr", "hidden", "last", "std", "bias")
# Options that came later: a description leaves them out while they are off.
LATER = ("std", "bias", "dropout", "dropped", "patience", "snapshots", "calibration")


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    epochs: passes over the data, may be a fraction; 0 leaves the network untrained.
    batch: examples a step; the last, short batch of a pass is left out (passes are reshuffled).
    lr: learning rate at the start. optimiser: sgd, adam, adamw or rmsprop; momentum: of sgd and rmsprop.
    weight_decay: on weights, not on biases or normalisation; an L2 coefficient, which adamw takes off the
    weights themselves, × learning rate (Loshchilov & Hutter 2019).
    schedule: constant, cosine (per step, to 0), steps (× factor at each milestone, a share of the run) or
    exponential (× factor for every whole pass done).
    hidden, last: initialisation of the hidden layers and of the output layer, see initialisation.py; std:
    standard deviation of "normal"; bias: the value at which all biases start.
    standardise: each image to mean 0 and variance 1.
    dropout: probability with which a unit's output is 0 in a training step, the others × 1 / (1 - dropout).
    dropped: names of the layers that this concerns, by default the network's ``units``.
    patience: passes without a better validation accuracy after which a member stops; it ends with its best
    state. 0 trains to the end and keeps the last state.
    snapshots: passes after which the state is returned, too; 0 is the initial one.
    calibration: training images from which an untrained network's running statistics of batch normalisation
    are taken; 0 leaves them as constructed.
    """

    epochs: float
    batch: int
    lr: float
    optimiser: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: str = "constant"
    milestones: tuple = ()
    factor: float = 0.1
    hidden: str = "he_normal"
    last: str = "lecun_normal"
    standardise: bool = False
    augment: Augment = field(default_factory=Augment)
    std: float = 0.01
    bias: float = 0.0
    dropout: float = 0.0
    dropped: tuple = ()
    patience: int = 0
    snapshots: tuple = ()
    calibration: int = 0

    @classmethod
    def of(cls, settings: Mapping) -> "Recipe":
        """A recipe from a mapping. Raises ValueError for unknown keys and wrong values."""
        settings = dict(known_keys(settings, cls, "recipe"))
        refuse_wrong(settings, CHECKS, "recipe")
        augment = settings.get("augment")
        settings["augment"] = Augment() if augment is None else Augment.of(augment)
        for name in ("milestones", "dropped", "snapshots"):
            settings[name] = tuple(settings.get(name, ()))
        recipe = cls(**settings)
        if recipe.snapshots and recipe.snapshots[-1] > recipe.epochs:
            raise ValueError(
                f"recipe: snapshots is {list(recipe.snapshots)}; none can be above epochs, {recipe.epochs:g}"
            )
        if recipe.calibration and recipe.epochs:
            raise ValueError(
                f"recipe: calibration is {recipe.calibration} with epochs {recipe.epochs:g}; training takes "
                "its own running statistics: set epochs to 0 or calibration to 0"
            )
        return recipe

    def rate_factor(self, step: int, steps: int, a_pass: int) -> float:
        """What multiplies the learning rate in a step, from 0, of so many; a pass has ``a_pass``."""
        return SCHEDULES[self.schedule](self, step / steps, step // a_pass)


def steps_of(recipe: Recipe, examples: int) -> tuple[int, int]:
    """(steps in all, steps a pass)."""
    a_pass = max(1, examples // recipe.batch)
    return round(recipe.epochs * a_pass), a_pass


def recipe_a_member(recipe: Recipe | Sequence[Recipe], seeds: Sequence[int]) -> list[Recipe]:
    """One recipe for each member.

    Raises ValueError unless there are as many as seeds, equal but for what may be a member's own
    (OF_A_MEMBER); it names the first setting that differs.
    """
    if isinstance(recipe, Recipe):
        return [recipe] * len(seeds)
    recipes = list(recipe)
    if len(recipes) != len(seeds):
        raise ValueError(f"{len(recipes)} recipes for {len(seeds)} seeds: need one recipe a member")
    for entry in fields(Recipe):
        values = [getattr(recipe, entry.name) for recipe in recipes]
        odd = next((value for value in values if value != values[0]), None)
        if entry.name not in OF_A_MEMBER and odd is not None:
            raise ValueError(
                f"recipes of one population differ in {entry.name} ({values[0]!r}, {odd!r}); "
                f"only {', '.join(OF_A_MEMBER)} may differ between its members"
            )
    return recipes


def describe(recipe: Recipe) -> dict:
    """The recipe as a plain mapping, for cards and hashes, without later options that are off."""
    found = asdict(recipe)
    for entry in fields(Recipe):
        if entry.name in LATER and found[entry.name] == entry.default:
            del found[entry.name]
    if not recipe.augment.resized_crop:
        del found["augment"]["resized_crop"]
    return found
