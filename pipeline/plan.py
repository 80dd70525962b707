"""What a study trains at a scale: the paper's settings, a variant's departure, then the scale's caps."""

import math
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from pipeline.balance import balanced
from pipeline.caps import Resolved, nested, resolve, seeds_of
from pipeline.nets import constant_size_width, network
from wide.training.recipe import Recipe


@dataclass(frozen=True)
class Size:
    """What is trained from each of its seeds. ``key`` names it in files; ``width`` is the effective one.

    options: of the network besides its width, depth among them.
    settings: of the recipe, whose learning rate may still be a share of the width.
    panel: what a variant with panels changes for this one, {"recipe.hidden": "he_normal"}.
    """

    key: str
    width: float
    options: dict
    settings: dict
    seeds: list
    panel: dict


@dataclass(frozen=True)
class Plan:
    """What to train: sizes, the data, and how much of them.

    net, set: the network's file in wide/nets, and the data set.
    labels, test: the label's name, and the split that is tested on.
    views: images shown in a training, None for as many as the recipe's passes show.
    examples: at most so many training examples are kept, None for all.
    share: of these, one in so many is trained on.
    image_size: side to which images are shrunk, None for their own.
    random_labels: training labels are drawn at random.
    validation: training examples held out.
    """

    net: str
    set: str
    sizes: list
    labels: str
    test: str
    views: float | None = None
    examples: int | None = None
    share: int = 1
    image_size: int | None = None
    random_labels: bool = False
    validation: int = 0

    def kept(self, labels) -> np.ndarray:
        """Indices of the training examples, class-balanced, of (examples,) labels. ValueError for none."""
        some = balanced(labels, self.examples)
        if self.share == 1:
            return some
        if len(some) < self.share:
            raise ValueError(f"share is {self.share}, but there are {len(some)} training examples: lower it")
        return some[balanced(labels[some], len(some) // self.share)]

    def held_out(self, labels) -> tuple[np.ndarray, np.ndarray]:
        """(training, validation): a class-balanced split of (examples,) labels, drawn with a fixed seed.

        Raises ValueError where nothing is left to train on.
        """
        if not self.validation:
            return np.arange(len(labels)), np.empty(0, np.int64)
        if self.validation >= len(labels):
            raise ValueError(
                f"validation is {self.validation}, but there are {len(labels)} training examples: lower it"
            )
        out = balanced(labels, self.validation, seed=1)
        return np.setdiff1d(np.arange(len(labels)), out), out

    def drawn(self, labels, classes: int) -> np.ndarray:
        """Labels to train on: the given ones, or as many random ones.

        Random ones are uniform over the classes and the same every time (Zhang et al. 2017).
        """
        if not self.random_labels:
            return labels
        return np.random.default_rng(0).integers(0, classes, len(labels)).astype(labels.dtype)

    def recipe(self, size: Size, examples: int, shrunk: float = 1.0) -> Recipe:
        """The recipe of a size, for so many training examples.

        lr "1/width" is resolved, epochs are min(the paper's, views / examples), crops shrink as images do.
        """
        settings = dict(size.settings)
        if settings.get("lr") == "1/width":
            settings["lr"] = 1 / size.width
        recipe = Recipe.of(settings)
        crop = round(recipe.augment.crop * shrunk)
        recipe = replace(recipe, augment=replace(recipe.augment, crop=crop))
        if self.views is None:
            return recipe
        return replace(recipe, epochs=min(recipe.epochs, self.views / examples))

    def build(self, size: Size, image, classes: int):
        """The network of a size. image: (channels, height, width in pixels)."""
        return network(self.net)(size.width, image=image, classes=classes, **size.options)


def plan(study: dict, variant: str, scale: str, general: dict, multiplier: float, card) -> Plan:
    """What a variant trains. multiplier: the parameter ``width``. card: of the data set (image, classes).

    Raises ValueError for what cannot be.
    """
    found = resolve(study, variant, scale, general)
    settings, sizes = nested(found.values), []
    for panel in _panels(settings.pop("over", None) or {}):
        here = Resolved(dict(found.values), dict(found.sources))
        for place, value in panel.items():
            here.put(tuple(place.split(".")), value, "over")
        sizes += _sizes(nested(here.values), panel, multiplier, card)
    keys = [size.key for size in sizes]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise ValueError(f"two sizes would be called '{twice}': list each width, depth and panel once")
    more = {name: settings[name] for name in Plan.__dataclass_fields__ if name in settings}
    return Plan(**{**more, "net": settings["net"]["name"], "sizes": sizes})


def _panels(over: dict) -> list[dict]:
    """Every combination of what panels vary; a single empty one for none."""
    for place, values in over.items():
        if not place.startswith(("recipe.", "net.")) or place == "net.name":
            raise ValueError(f"over names '{place}': panels vary recipe.… or options of the net, net.…")
        if not isinstance(values, list) or not values:
            raise ValueError(f"over.{place} is {values!r}: it must be a list of values")
    return [dict(zip(over, values)) for values in product(*over.values())]


def _sizes(settings: dict, panel: dict, multiplier: float, card) -> list[Size]:
    """The sizes of one panel, equal ones once."""
    found, seen = [], set()
    options = {name: value for name, value in settings["net"].items() if name != "name"}
    widest = settings["sizes"].get("widest") or math.inf
    for key, width, extra in _listed(settings, card):
        width = effective(min(width, widest), multiplier)
        if (width, *extra.values()) in seen:
            continue
        seen.add((width, *extra.values()))
        label = "-".join([*(str(value).replace("/", "_") for value in panel.values()), key])
        seeds = seeds_of(settings["seeds"], key)
        if not seeds:  # the scale leaves it out
            continue
        found.append(Size(label, width, {**options, **extra}, settings.get("recipe", {}), seeds, panel))
    return found


def _listed(settings: dict, card):
    """(key, width, options) of every size that the settings list."""
    sizes = settings["sizes"]
    if "depths" not in sizes:
        return [(f"w{width:g}", width, {}) for width in sizes["widths"]]
    if "parameters_of" in sizes:
        inputs, outputs = math.prod(card.image), card.classes[settings["labels"]]
        formula = constant_size_width(settings["net"]["name"])
        widths = [formula(depth, inputs, outputs, sizes["parameters_of"]) for depth in sizes["depths"]]
    else:
        if len(sizes["widths"]) != 1:
            raise ValueError(f"sizes.widths is {sizes['widths']}: beside depths there must be one width")
        widths = sizes["widths"] * len(sizes["depths"])
    return [(f"d{depth}", width, {"depth": depth}) for depth, width in zip(sizes["depths"], widths)]


def effective(width, multiplier):
    """A width times the parameter ``width``: units stay whole and at least 1, factors stay fractions."""
    if isinstance(width, int):
        return max(1, round(width * multiplier))
    return width * multiplier
