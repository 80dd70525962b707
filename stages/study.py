"""What a study trains at a scale: the paper's settings, a variant's departure from them, then the scale's caps."""
import importlib
import math
from dataclasses import dataclass, replace

import numpy as np

from stages.balance import balanced
from wide.nets.mlp import constant_size_width
from wide.train import Recipe

STUDY_KEYS = {"net", "labels", "test", "widths", "depths", "widest", "seeds", "recipe", "variants", "at", "measure"}
VARIANT_KEYS = {"net", "labels", "widths", "depths", "widest", "seeds", "recipe", "share"}
CAPS = {"views": "images shown in a training", "widest": "largest width", "seeds": "members of a population",
        "seeds_at": "members at single sizes, where that differs: {w8: 3}", "keep": "widths (or depths) kept",
        "lr": "learning rate that a shorter run needs", "batch": "examples a step", "examples": "training examples before a variant's share",
        "base": "channels of a residual network's first stage at width 1", "stem": "first layers that smaller images need",
        "bn_momentum": "a minibatch's share in running statistics, which few steps need larger",
        "image_size": "side of an image in pixels", "variants": "caps of single variants"}


@dataclass(frozen=True)
class Size:
    """One member family: ``key`` names it in files (the paper's width), ``width`` is the effective one."""
    key: str
    width: float
    options: dict
    seeds: list


@dataclass(frozen=True)
class Plan:
    """What to train: sizes, label name, recipe (its learning rate may still be a share of the width).

    examples: at most so many training examples are kept, None for all; share: of these, one in so many is trained on.
    image_size: side to which images are shrunk, None for their own.
    """
    sizes: list
    labels: str
    test: str
    settings: dict
    views: float | None
    examples: int | None = None
    share: int = 1
    image_size: int | None = None

    def kept(self, labels) -> np.ndarray:
        """Indices of the training examples, class-balanced, of (examples,) labels."""
        some = balanced(labels, self.examples)
        return some if self.share == 1 else some[balanced(labels[some], len(some) // self.share)]

    def recipe(self, width: float, examples: int, shrunk: float = 1.0) -> Recipe:
        """The recipe at a width: lr "1/width" resolved, epochs = min(paper's, views / examples), crops shrunk like the images."""
        settings = dict(self.settings)
        if settings.get("lr") == "1/width":
            settings["lr"] = 1 / width
        recipe = Recipe.of(settings)
        recipe = replace(recipe, augment=replace(recipe.augment, crop=round(recipe.augment.crop * shrunk)))
        return recipe if self.views is None else replace(recipe, epochs=min(recipe.epochs, self.views / examples))


def plan(study: dict, variant: str, caps: dict, multiplier: float, inputs: int, classes: dict) -> Plan:
    """Resolve a variant of a study.

    caps: the scale's caps with the study's own in front. multiplier: the parameter ``width``. inputs, classes: size of an
    example and {label: classes}, for depths whose width follows from a parameter count. Raises ValueError for what cannot be.
    """
    departure = study["variants"][variant] or {}
    caps = {**caps, **(caps.get("variants") or {}).get(variant, {})}
    settings = {**study["recipe"], **departure.get("recipe", {})}
    if caps.get("lr") is not None and settings["lr"] != caps["lr"]:
        settings["lr"] = caps["lr"]
    settings["batch"] = min(settings["batch"], caps.get("batch") or settings["batch"])
    options = {**(study.get("net") or {}), **departure.get("net", {})}
    if "base" in options:
        options["base"] = min(options["base"], caps.get("base") or options["base"])
    options |= {key: caps[key] for key in ("stem", "bn_momentum") if caps.get(key)}
    merged = {**study, **departure}
    axis = "depths" if "depths" in merged else "widths"
    kept = merged[axis] if axis in departure else _kept(merged[axis], caps)
    if axis == "widths":
        families = [(f"w{width:g}", width, {}) for width in kept]
    elif "widest" in merged:
        families = [(f"d{depth}", constant_size_width(depth, inputs, classes[merged["labels"]], merged["widest"]), {"depth": depth})
                    for depth in kept]
    else:
        [width] = merged["widths"]
        families = [(f"d{depth}", width, {"depth": depth}) for depth in kept]
    seeds = list(range(merged["seeds"])) if isinstance(merged["seeds"], int) else merged["seeds"]
    sizes, seen, some = [], set(), caps.get("seeds_at") or {}
    for key, width, extra in families:
        width = effective(min(width, caps.get("widest") or math.inf), multiplier)
        if (width, *extra.values()) not in seen:
            seen.add((width, *extra.values()))
            sizes.append(Size(key, width, {**options, **extra}, seeds[:some.get(key, caps.get("seeds")) or None]))
    return Plan(sizes, merged["labels"], merged["test"], settings, caps.get("views"), caps.get("examples"),
                merged.get("share", 1), caps.get("image_size"))


def _kept(listed, caps):
    kept = [entry for entry in listed if not caps.get("keep") or entry in caps["keep"]]
    if not kept:
        raise ValueError(f"the scale keeps {caps['keep']}, but the study has {listed}: nothing is left to train")
    return kept


def effective(width, multiplier):
    """A width times the parameter ``width``: whole units stay whole and at least 1, width multipliers stay fractions."""
    if isinstance(width, int):
        return max(1, round(width * multiplier))
    return width * multiplier


def caps_of(params: dict, study: str, scale: str, kind: str) -> dict:
    """Caps of a kind (train, measure): the scale's, overridden by the study's own for that scale."""
    return {**params["scales"][scale][kind], **params[study]["at"][scale][kind]}


def network(name: str):
    """The network's constructor; ValueError names the known ones."""
    try:
        return importlib.import_module(f"wide.nets.{name}").Net
    except ModuleNotFoundError as error:
        raise ValueError(f"network '{name}' is unknown: there is no wide/nets/{name}.py") from error
