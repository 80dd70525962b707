"""What a study trains at a scale: the paper's settings, a variant's departure from them, then the scale's caps."""
import importlib
import math
from dataclasses import dataclass, replace

from wide.nets.mlp import constant_size_width
from wide.train import Recipe

STUDY_KEYS = {"net", "labels", "test", "widths", "depths", "widest", "seeds", "recipe", "variants", "at", "measure"}
VARIANT_KEYS = {"net", "labels", "widths", "depths", "widest", "seeds", "recipe"}
CAPS = {"views": "images shown in a training", "widest": "largest width", "seeds": "members of a population",
        "keep": "widths (or depths) kept", "lr": "learning rate that a shorter run needs"}


@dataclass(frozen=True)
class Size:
    """One member family: ``key`` names it in files (the paper's width), ``width`` is the effective one."""
    key: str
    width: float
    options: dict


@dataclass(frozen=True)
class Plan:
    """What to train: sizes, seeds, label name, recipe (its learning rate may still be a share of the width)."""
    sizes: list
    seeds: list
    labels: str
    test: str
    settings: dict
    views: float | None

    def recipe(self, width: float, examples: int) -> Recipe:
        """The recipe at a width: lr "1/width" resolved, epochs = min(paper's, views / examples)."""
        settings = dict(self.settings)
        if settings.get("lr") == "1/width":
            settings["lr"] = 1 / width
        recipe = Recipe.of(settings)
        return recipe if self.views is None else replace(recipe, epochs=min(recipe.epochs, self.views / examples))


def plan(study: dict, variant: str, caps: dict, multiplier: float, inputs: int, classes: dict) -> Plan:
    """Resolve a variant of a study.

    caps: the scale's caps with the study's own in front. multiplier: the parameter ``width``. inputs, classes: size of an
    example and {label: classes}, for depths whose width follows from a parameter count. Raises ValueError for what cannot be.
    """
    departure = study["variants"][variant] or {}
    settings = {**study["recipe"], **departure.get("recipe", {})}
    if caps.get("lr") is not None and settings["lr"] != caps["lr"]:
        settings["lr"] = caps["lr"]
    options = {**(study.get("net") or {}), **departure.get("net", {})}
    merged = {**study, **departure}
    axis = "depths" if "depths" in merged else "widths"
    kept = merged[axis] if axis in departure else _kept(merged[axis], caps)
    if axis == "depths":
        families = [(f"d{depth}", constant_size_width(depth, inputs, classes[merged["labels"]], merged["widest"]), {"depth": depth})
                    for depth in kept]
    else:
        families = [(f"w{width:g}", width, {}) for width in kept]
    sizes, seen = [], set()
    for key, width, extra in families:
        width = effective(min(width, caps.get("widest") or math.inf), multiplier)
        if (width, *extra.values()) not in seen:
            seen.add((width, *extra.values()))
            sizes.append(Size(key, width, {**options, **extra}))
    seeds = merged["seeds"][:caps.get("seeds") or None]
    return Plan(sizes, seeds, merged["labels"], merged["test"], settings, caps.get("views"))


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
