"""What a study trains at a scale: the paper's settings, a variant's departure from them, then the scale's caps."""

import math
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from pipeline.balance import balanced
from pipeline.caps import LISTS, Resolved, nested, overridden
from pipeline.nets import constant_size_width, network
from wide.training.recipe import Recipe

OTHERS = "others"  # in a mapping of seeds: every size that is not named


@dataclass(frozen=True)
class Size:
    """What is trained from each of its seeds. ``key`` names it in files; ``width`` is the effective one.

    options: of the network besides its width, depth among them. settings: of the recipe, whose learning rate may still be
    a share of the width. panel: what a variant with panels changes for this one, {"recipe.hidden": "he_normal"}.
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

    net, set: the network's file in wide/nets, and the data set. labels, test: the label's name, the split that is tested on.
    views: images shown in a training, None for as many as the recipe's passes show. examples: at most so many training
    examples are kept, None for all. share: of these, one in so many is trained on. image_size: side to which images are
    shrunk, None for their own. random_labels: training labels are drawn at random. validation: training examples held out.
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
        """Indices of the training examples, class-balanced, of (examples,) labels."""
        some = balanced(labels, self.examples)
        return some if self.share == 1 else some[balanced(labels[some], len(some) // self.share)]

    def held_out(self, labels) -> tuple[np.ndarray, np.ndarray]:
        """(training, validation): a class-balanced split of (examples,) labels, drawn with a fixed seed."""
        out = balanced(labels, self.validation, seed=1) if self.validation else np.empty(0, np.int64)
        return np.setdiff1d(np.arange(len(labels)), out), out

    def drawn(self, labels, classes: int) -> np.ndarray:
        """Labels to train on: the given ones, or as many random ones, uniform over the classes and the same every time."""
        if not self.random_labels:
            return labels
        return np.random.default_rng(0).integers(0, classes, len(labels)).astype(labels.dtype)

    def recipe(self, size: Size, examples: int, shrunk: float = 1.0) -> Recipe:
        """The recipe of a size: lr "1/width" resolved, epochs = min(the paper's, views / examples), crops shrunk as images."""
        settings = dict(size.settings)
        if settings.get("lr") == "1/width":
            settings["lr"] = 1 / size.width
        recipe = Recipe.of(settings)
        recipe = replace(recipe, augment=replace(recipe.augment, crop=round(recipe.augment.crop * shrunk)))
        if self.views is None:
            return recipe
        return replace(recipe, epochs=min(recipe.epochs, self.views / examples))

    def build(self, size: Size, image, classes: int):
        """The network of a size. image: (channels, height, width in pixels)."""
        return network(self.net)(size.width, image=image, classes=classes, **size.options)


def resolve(study: dict, variant: str, scale: str, general: dict) -> Resolved:
    """Settings of a variant at a scale, and where each came from.

    study: {train, variants: {variant: ...}, at: {scale: {train: ...}}}. general: the scale's caps for all studies.
    Raises ValueError for a variant that the study lacks, and for caps that leave nothing to train.
    """
    if variant not in study["variants"]:
        raise ValueError(f"variant '{variant}' is unknown; the study has {', '.join(study['variants'])}")
    departure = study["variants"][variant] or {}
    own = dict(study["at"][scale]["train"])
    single = (own.pop("variants", None) or {}).get(variant, {})
    found = Resolved()
    found.put_all(study["train"], "train")
    found.put_all(departure, f"variants.{variant}")
    named = [path for path in LISTS if path[1] in departure.get("sizes", {})]  # a variant keeps the sizes that it names
    for path, value in overridden(general, own, single).items():
        source = _source(path, value, scale, own, single, variant)
        if path[0] == "instead":
            continue
        if path[0] == "seeds":
            found.put(path, _fewest(found.values.get(path), value), source)
        elif path not in named:
            found.cap(path, value, source)
    for settings in (general, own, single):
        for path, value in overridden(settings.get("instead", {})).items():
            found.depart(path, value, f"at.{scale}.train.instead")
    return found


def _source(path, value, scale, own, single, variant):
    if overridden(single).get(path) == value:
        return f"at.{scale}.train.variants.{variant}"
    return f"at.{scale}.train" if overridden(own).get(path) == value else f"scales.{scale}.train"


def plan(study: dict, variant: str, scale: str, general: dict, multiplier: float, card) -> Plan:
    """What a variant trains. multiplier: the parameter ``width``. card: of the data set (image, classes).

    Raises ValueError for what cannot be.
    """
    flat = resolve(study, variant, scale, general).values
    sizes, settings = [], nested(flat)
    panels = settings.pop("over", None) or {}
    for values in product(*panels.values()):
        panel = dict(zip(panels, values))
        here = Resolved(dict(flat), dict.fromkeys(flat, ""))
        for place, value in panel.items():
            here.put(tuple(place.split(".")), value, "over")
        sizes += _sizes(nested(here.values), panel, multiplier, card)
    more = {name: settings[name] for name in Plan.__dataclass_fields__ if name in settings and name not in ("net", "sizes")}
    return Plan(net=settings["net"]["name"], sizes=sizes, **more)


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
        label = "-".join([*map(str, panel.values()), key])
        seeds = _seeds(settings["seeds"], key)
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


def _seeds(stated, key: str) -> list:
    """Seeds of a size: so many from 0, a list, or a mapping of sizes to one or the other."""
    if isinstance(stated, dict):
        if key not in stated and OTHERS not in stated:
            raise ValueError(f"seeds names {', '.join(stated)}, but not {key}: add it, or '{OTHERS}'")
        stated = stated.get(key, stated.get(OTHERS))
    if isinstance(stated, _Capped):
        return _seeds(stated.stated, key)[: len(_seeds(stated.cap, key))]
    return list(range(stated)) if isinstance(stated, int) else list(stated)


@dataclass(frozen=True)
class _Capped:
    """A number of seeds and a cap on it, where one of them differs from size to size."""

    stated: object
    cap: object


def _fewest(stated, cap):
    """The seeds that a cap leaves: the first so many."""
    if isinstance(stated, int) and isinstance(cap, int):
        return min(stated, cap)
    return stated[:cap] if isinstance(stated, list) and isinstance(cap, int) else _Capped(stated, cap)


def effective(width, multiplier):
    """A width times the parameter ``width``: whole units stay whole and at least 1, width multipliers stay fractions."""
    if isinstance(width, int):
        return max(1, round(width * multiplier))
    return width * multiplier
