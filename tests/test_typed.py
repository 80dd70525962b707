"""Settings bound to annotations: what fits is converted, all else is one line that names the place."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from pipeline.bounds import (
    DISTINCT,
    FILLED,
    Count,
    Named,
    Positive,
    Seed,
    Whole,
    above,
    at_least,
    below,
    between,
)
from pipeline.places import MOST, Place, listed, nearest, shown
from pipeline.typed import bind, checked
from wide.training.augmentation import Augment
from wide.training.recipe import Recipe

PLACE = Place("params.yaml", ("toy",))
KNOWN = {"variants": ["all", "half"], "scales": ["smoke", "paper"], "classes": range(10)}


@dataclass(frozen=True)
class Part:
    study: str
    members: Count = 1


@dataclass(frozen=True)
class Toy:
    """One field of each kind; one is needed."""

    whole: Annotated[int, at_least(2)]
    number: float = 0.0
    share: Annotated[float, below(1)] = 0.0
    pad: Annotated[float, between(0, 1)] = 0.0
    seed: Seed = 0
    flag: bool = False
    name: Literal["cosine", "steps"] = "cosine"
    text: str = ""
    maybe: int | None = 1
    absent: int = None
    widths: Annotated[list[Positive], FILLED, DISTINCT] = (1,)
    seeds: Count | list[Whole] | dict[str, Count | list[Whole]] = 1
    variants: list[Annotated[str, Named("variants")]] = ()
    scales: dict[Annotated[str, Named("scales", each=True)], Count] = None
    label: Annotated[int, Named("classes")] = 0
    parts: list[Part] = ()
    recipe: Recipe = None
    augment: Augment = None
    anything: Any = None

    def __post_init__(self):
        if self.number > self.whole:
            raise ValueError("number must not be above whole")


RECIPE = {"epochs": 1, "batch": 8, "lr": 0.1}
RIGHT = [
    ("whole", 2),
    ("number", 1),
    ("share", 0),
    ("pad", 1),
    ("maybe", None),
    ("widths", [1, 2.5]),
    ("seeds", 3),
    ("seeds", [0, 4]),
    ("seeds", {"w1": 2, "w2": [7]}),
    ("variants", ["half"]),
    ("scales", {"smoke": 1, "paper": 50}),
    ("label", 9),
    ("anything", [None]),
]
WRONG = [
    ("whole", 1, "toy.whole is 1; it must be a whole number of at least 2"),
    ("whole", 2.0, "toy.whole is 2.0; it must be a whole number of at least 2"),
    ("whole", True, "toy.whole is True; it must be a whole number of at least 2"),
    ("number", "a", "toy.number is 'a'; it must be a number"),
    ("number", float("nan"), "toy.number is nan; it must be a number"),
    ("number", 10**400, "toy.number is 1000"),
    ("number", 3, "toy: number must not be above whole"),
    ("share", 1, "toy.share is 1; it must be a number of at least 0 and below 1"),
    ("pad", -0.5, "toy.pad is -0.5; it must be a number from 0 to 1"),
    ("seed", 2**32, "toy.seed is 4294967296; it must be a whole number from 0 to 4294967295"),
    ("flag", 1, "toy.flag is 1; it must be true or false"),
    ("name", "linear", "toy.name is 'linear'; it must be one of cosine, steps"),
    ("text", 3, "toy.text is 3; it must be a text"),
    ("maybe", "a", "toy.maybe is 'a'; it must be a whole number or null"),
    ("absent", None, "toy.absent is None; it must be a whole number"),
    ("widths", [], "toy.widths is []; it must be a list of numbers above 0, at least one, none twice"),
    ("widths", [1, 1.0], "toy.widths is [1, 1.0]; it must be a list of numbers above 0, at least one"),
    ("widths", [0], "toy.widths is [0]; it must be a list of numbers above 0"),
    ("widths", 1, "toy.widths is 1; it must be a list of numbers above 0"),
    ("seeds", "a", "toy.seeds is 'a'; it must be a whole number of at least 1 or a list of whole numbers"),
    ("seeds", [-1], "toy.seeds is [-1]; it must be a list of whole numbers of at least 0"),
    ("seeds", {"w1": 0}, "toy.seeds.w1 is 0; it must be a whole number of at least 1"),
    ("seeds", {1: 1}, "toy.seeds: the key 1 is no text"),
    ("variants", ["hlf"], "toy.variants is ['hlf']; it must be a list of texts among the variants all, half"),
    ("scales", {"smoke": 1}, "toy.scales.paper is missing; it must be a whole number of at least 1"),
    ("scales", {"smok": 1, "paper": 1}, "toy.scales: unknown key 'smok'; did you mean 'smoke'?"),
    ("label", 10, "toy.label is 10; it must be a whole number among the classes 0 to 9"),
    ("parts", [{"members": 2}], "toy.parts.0.study is missing; it must be a text"),
    ("parts", ["wide"], "toy.parts.0 is 'wide'; it must be a mapping of names to values"),
    ("recipe", {**RECIPE, "lr": -1}, "toy.recipe.lr is -1; it must be a number, at least 0"),
    ("recipe", {"epochs": 1}, "toy.recipe.batch is missing"),
    ("recipe", {**RECIPE, "epoch": 1}, "toy.recipe: unknown key 'epoch'; did you mean 'epochs'?"),
    ("recipe", {**RECIPE, "augment": {"crop": -1}}, "toy.recipe.augment.crop is -1; it must be a whole"),
    ("recipe", {**RECIPE, "augment": 3}, "toy.recipe.augment is 3; it must be a mapping"),
    ("recipe", {**RECIPE, "schedule": "up"}, "toy.recipe: schedule 'up' is unknown; known: constant"),
    ("recipe", 3, "toy.recipe is 3; it must be a mapping"),
    ("augment", {"flip": 1}, "toy.augment.flip is 1; it must be true or false"),
    ("wohle", 3, "toy: unknown key 'wohle'; did you mean 'whole'?"),
]


@pytest.mark.parametrize("name, value", RIGHT, ids=str)
def test_what_fits_is_bound(name, value):
    assert getattr(bind(Toy, {"whole": 2, name: value}, PLACE, KNOWN), name) == value


def test_nested_classes_are_made():
    toy = bind(
        Toy, {"whole": 2, "parts": [{"study": "a"}], "recipe": RECIPE, "augment": {"flip": True}}, PLACE
    )
    assert toy.parts == [Part("a", 1)] and toy.recipe == Recipe.of(RECIPE) and toy.augment.flip


@pytest.mark.parametrize("name, value, says", WRONG, ids=lambda part: str(part)[:30])
def test_what_does_not_fit_is_one_line(name, value, says):
    with pytest.raises(ValueError) as error:
        bind(Toy, {"whole": 2, name: value}, PLACE, KNOWN)
    message = str(error.value)
    assert message.startswith(f"params.yaml: {says}") and "\n" not in message


def test_what_is_missing_is_named_unless_a_part_is_enough():
    with pytest.raises(ValueError, match=r"toy\.whole is missing; it must be a whole number of at least 2"):
        bind(Toy, {}, PLACE)
    assert checked(Toy, {"number": 1}, PLACE, partial=True) == {"number": 1}
    with pytest.raises(ValueError, match="unknown key 'whole'"):
        checked(Toy, {"whole": 2}, PLACE, given=("whole",))


def test_a_constructor_is_described_by_its_keywords():
    class Net:
        def __init__(self, width: float, *, image, depth: int, plan: str = "fixed"):
            raise AssertionError("is not made")

    given = ("width", "image")
    assert checked(Net, {"depth": 2}, PLACE, given=given, partial=True) == {"depth": 2}
    with pytest.raises(ValueError, match="unknown key 'plna'; did you mean 'plan'?"):
        checked(Net, {"plna": "a"}, PLACE, given=given, partial=True)
    with pytest.raises(ValueError, match="depth is 2.5; it must be a whole number"):
        checked(Net, {"depth": 2.5}, PLACE, given=given, partial=True)


def test_names_that_nobody_lists_may_be_any():
    assert bind(Toy, {"whole": 2, "variants": ["any"]}, PLACE).variants == ["any"]


def test_a_key_like_one_that_is_not_there_is_meant_rather_than_one_that_is():
    assert "did you mean 'scales'?" in str(Place("a").unknown("scals", ["scale", "scales"], ["scale"]))
    assert "did you mean 'scale'?" in str(
        Place("a").unknown("scal", ["scale", "scales"], ["scale", "scales"])
    )


def test_long_values_and_many_names_are_cut():
    assert len(shown("a" * 1000)) == 80 and shown(["a"]) == "['a']"
    assert listed(range(MOST + 3)).endswith(", and 3 more") and listed([]) == "(none)"
    assert nearest("xyz", ["abc"], "known") == "known: abc"


def test_a_number_above_a_limit_is_not_the_limit():
    assert not above(0).holds(0) and above(0).holds(1e-9) and not below(1, 0.5).holds(0.4)
