"""Refuse a wrong params.yaml in one line: `python -m stages.check`.

Every chain of stages starts here. DVC removes a stage's outputs before it runs, so a mistake found in the stage itself would cost
the results that it was to replace; found here it costs nothing. The output never changes, so nothing downstream reruns.
"""
import math
import sys
from difflib import get_close_matches
from pathlib import Path

from ruamel.yaml import YAML

from stages import stage
from stages.study import CAPS, STUDY_KEYS, VARIANT_KEYS, network
from wide.train import Recipe

SCALE_KEYS = {"data": {"train", "test"}, "train": set(CAPS), "measure": {"points", "minimum", "steps", "views", "passes", "networks"}}
# Settings of measures that several studies share: section, measure, its keys.
SHARED = {
    "gilboa": {
        "umap": {"n_components", "n_neighbors", "min_dist", "metric", "n_epochs", "random_state"},
        "atlas": {"grid", "minimum", "damping", "canvas", "steps", "lr", "cosine", "neurons", "seed", "icon_size"}},
    "nguyen": {
        "cka": {"batch", "passes", "seed", "gram_precision"}, "pca": {"batch", "sketch", "iterations", "seed"},
        "probe": {"batch", "epochs", "lr", "momentum", "pool", "evaluations", "augment"},
        "agreement": {"draws", "seed", "shown", "least"}, "across": {"variant", "groups"}}}
MEASURES = {"atlas": {"pad", "icons"}, "colour": {"coloured", "mirrored"}, "transfer": {"labels", "recipe"}, "cka": {"removed"}}  # a study's own


SIZES_WANTED = {"widths": "a list of numbers above 0", "depths": "a list of whole numbers",
                "seeds": "how many (a whole number above 0), or a list of whole numbers"}
CAPS_WANTED = {"keep": "a list of numbers above 0", "seeds_at": "a mapping of sizes to numbers above 0, such as {w8: 3}",
               "stem": "the name of a stem", "variants": "a mapping of variants to their caps"}


def check(params: dict):
    """Raise ValueError, one line, for the first thing in the parameters that no stage could use."""
    scales = params.get("scales", {})
    if params.get("scale") not in list(scales):
        raise ValueError(f"params.yaml: scale is '{params.get('scale')}'; it must be one of {', '.join(scales)}")
    width = params.get("width")
    if isinstance(width, bool) or not isinstance(width, (int, float)) or not 0 < width < float("inf"):
        raise ValueError(f"params.yaml: width is {width!r}; it multiplies every network's width and must be a number above 0")
    for name, caps in scales.items():
        _known(caps, SCALE_KEYS, f"scales.{name}")
        for kind, allowed in SCALE_KEYS.items():
            _caps(caps.get(kind), allowed, f"scales.{name}.{kind}")
    for name, measures in SHARED.items():
        _measures(params.get(name, {}), measures, name)
    for name, study in params.items():
        if name in ("scale", "width", "scales", *SHARED):
            continue
        if not isinstance(study, dict) or "recipe" not in study:
            raise ValueError(f"params.yaml: '{name}' is neither a setting nor a study (a study has a recipe)")
        _study(name, study, scales)


def _study(name, study, scales):
    _known(study, STUDY_KEYS, name)
    for key in ("labels", "test", "seeds", "recipe", "variants", "measure", "at"):
        if key not in study:
            raise ValueError(f"params.yaml: {name} lacks '{key}'")
    if "widths" not in study and "depths" not in study:
        raise ValueError(f"params.yaml: {name} lacks 'widths' (or 'depths')")
    if not isinstance(study["variants"], dict) or not study["variants"]:
        raise ValueError(f"params.yaml: {name}.variants is {study['variants']!r}; it must name a variant: {{base: {{}}}} departs in nothing")
    _sizes(study, name)
    _recipe(study["recipe"], name)
    for variant, departure in study["variants"].items():
        _known(departure, VARIANT_KEYS, f"{name}.variants.{variant}")
        _sizes(departure, f"{name}.variants.{variant}")
        _recipe({**study["recipe"], **departure.get("recipe", {})}, f"{name}.variants.{variant}")
    _measures(study["measure"], MEASURES, f"{name}.measure")
    if "transfer" in study["measure"]:
        _recipe(study["measure"]["transfer"].get("recipe", {}), f"{name}.measure.transfer")
    _known(study["at"], set(scales), f"{name}.at")
    for scale in scales:
        if scale not in study["at"]:
            raise ValueError(f"params.yaml: {name}.at lacks '{scale}'; write {{train: {{}}, measure: {{}}}} for no caps of its own")
    for scale, caps in study["at"].items():
        _known(caps, {"train", "measure"}, f"{name}.at.{scale}")
        for kind in ("train", "measure"):
            _caps(caps.get(kind), SCALE_KEYS[kind], f"{name}.at.{scale}.{kind}")


def _known(mapping, allowed, where):
    if not isinstance(mapping, dict):
        raise ValueError(f"params.yaml: {where} is {mapping!r}; it must be a mapping")
    for key in mapping:
        if key not in allowed:
            near = get_close_matches(str(key), [str(name) for name in allowed], 1)
            hint = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(sorted(map(str, allowed)))}"
            raise ValueError(f"params.yaml: {where}: unknown key '{key}'; {hint}")


def _measures(settings, allowed, where):
    _known(settings, allowed, where)
    for measure, own in settings.items():
        _known(own, allowed[measure], f"{where}.{measure}")


def _caps(caps, allowed, where):
    _known(caps, allowed, where)
    for key, value in caps.items():
        if key == "variants" and isinstance(value, dict):
            for variant, own in value.items():
                _caps(own, set(allowed) - {"variants"}, f"{where}.variants.{variant}")
            continue
        entries = {"keep": lambda: value, "seeds_at": lambda: list(value.values())}.get(key, lambda: [value])
        try:
            numbers = entries()
        except AttributeError:
            numbers = None
        good = isinstance(value, str) if key == "stem" else isinstance(numbers, list) and (numbers or key == "seeds_at") and all(
            _number(entry) and entry > 0 for entry in numbers)
        if not good:
            wanted = CAPS_WANTED.get(key, "a number above 0")
            raise ValueError(f"params.yaml: {where}.{key} is {value!r}; it must be {wanted}")


def _number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _sizes(settings, where):
    for key, least in (("widths", 1e-9), ("depths", 0), ("seeds", 0)):
        listed = settings.get(key, [1])
        if key == "seeds" and isinstance(listed, int) and not isinstance(listed, bool) and listed >= 1:
            continue
        if not isinstance(listed, list) or not listed or not all(_number(entry) and entry >= least for entry in listed):
            raise ValueError(f"params.yaml: {where}.{key} is {listed!r}; it must be {SIZES_WANTED[key]}")
        if key != "widths" and not all(isinstance(entry, int) for entry in listed):
            raise ValueError(f"params.yaml: {where}.{key} is {listed!r}; it must be {SIZES_WANTED[key]}")


def _recipe(recipe, where):
    _known(recipe, set(Recipe.__dataclass_fields__), f"{where}.recipe")
    settings = {**recipe, "lr": 1.0} if recipe.get("lr") == "1/width" else recipe
    try:
        Recipe.of(settings)
    except ValueError as error:
        raise ValueError(f"params.yaml: {where}.{error}") from None


def networks(pipeline: dict):
    """Every network that dvc.yaml names exists."""
    for stage_ in pipeline["stages"].values():
        for entry in stage_.get("vars", []):
            if isinstance(entry, dict) and "net" in entry:
                network(entry["net"])


@stage
def main():
    yaml = YAML(typ="safe")
    params = yaml.load(Path("params.yaml").read_text())
    check(params)
    networks(yaml.load(Path("dvc.yaml").read_text()))
    Path("data").mkdir(exist_ok=True)
    Path("data/checked").write_text("params.yaml has passed stages/check.py\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
