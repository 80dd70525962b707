"""A variant at a scale: its settings, where each of them stands, and what they make of images and recipes."""

import re
from dataclasses import dataclass

from pipeline import sets
from pipeline.caps import Resolved, measure_caps
from pipeline.parameters import ROOT
from pipeline.places import Place
from pipeline.plan import Plan, Size
from wide.training.recipe import Recipe


@dataclass(frozen=True)
class Training:
    """A variant at a scale.

    place: of its study. root: params.yaml. settings: and where each of them stands. card: of its data set.
    """

    place: Place
    root: dict
    study: dict
    variant: str
    scale: str
    settings: Resolved
    card: sets.Card

    def at(self, *path) -> Place:
        """Where a setting stands that holds here; the variant where none is stated."""
        source = self.settings.sources.get(path)
        if source is None:
            return self.place / "variants" / self.variant
        above = Place(ROOT) if source.startswith("scales.") else self.place
        return Place(above.file, (*above.path, *source.split("."), *path))

    def value(self, *path):
        """A setting that holds here, None for one that is not stated."""
        return self.settings.values.get(path)

    def examples(self, todo: Plan) -> tuple[int, int]:
        """(trained on, measured). Raises ValueError where none is left to train on."""
        there = sets.kept(self.card, self.root["scales"][self.scale]["data"])
        kept = min(there["train"], todo.examples or there["train"])
        at = f"the training examples at scale {self.scale}"
        if todo.share > kept:
            raise self.at("share").wrong(todo.share, f"at most {kept}, {at}")
        kept //= todo.share
        if todo.validation >= kept:
            raise self.at("validation").wrong(todo.validation, f"less than {kept}, {at}")
        points = measure_caps({"scales": self.root["scales"]}, self.study, self.scale).get("points")
        return kept - todo.validation, min(there[todo.test], points or there[todo.test])

    def image(self, todo: Plan) -> tuple:
        """Shape of an image as the network is shown it."""
        channels, *sides = self.card.image
        if todo.image_size and len(sides) == 2 and max(sides) > todo.image_size:
            sides = [todo.image_size] * 2
        return (channels, *sides)

    def recipe(self, todo: Plan, size: Size, examples: int) -> Recipe:
        """A size's recipe. Raises ValueError for one that its images or its passes do not allow."""
        image, stored = self.image(todo), self.card.image
        try:
            recipe = todo.recipe(size, examples, image[-1] / stored[-1])
            recipe.augment.check(image)
        except (ValueError, OverflowError) as error:
            raise self._named_in(error).refused(error) from None
        if recipe.patience and not todo.validation:
            raise self.at("recipe", "patience").wrong(recipe.patience, "0 without examples for validation")
        if recipe.snapshots and recipe.snapshots[-1] > recipe.epochs:
            passes = f"{recipe.epochs:g}, the passes at scale {self.scale}"
            raise self.at("recipe", "snapshots").wrong(list(recipe.snapshots), f"at most {passes}")
        return recipe

    def _named_in(self, error: Exception) -> Place:
        """Where the setting of the recipe stands that an error names first."""
        for word in re.findall(r"\w+", str(error)):
            for path in self.settings.values:
                if path[0] == "recipe" and path[-1] == word:
                    return self.at(*path)
        return self.place / "variants" / self.variant
