"""Parameters against their shape, layer by layer: what a study states, its variants, its caps.

A layer states a part of what is trained; each part is checked as if the others were right.
"""

from dataclasses import fields

from pipeline.bounds import words
from pipeline.caps import nested
from pipeline.checks import shape
from pipeline.nets import network
from pipeline.places import Place, mapping
from pipeline.typed import bind, checked, parameters_of
from wide.training.recipe import Recipe


def root_shape(root: dict, place: Place):
    """Raise ValueError unless the root's parameters have their shape."""
    if isinstance(root.get("scales"), dict):
        checked(shape.Root, root, place, {"scales": list(root["scales"])})
    else:
        checked(shape.Root, root, place)
    for name, caps in root["scales"].items():
        here = place / "scales" / name
        checked(shape.Scale, caps, here)
        checked(shape.Data, caps["data"], here / "data")
        layer(shape.GeneralCaps, caps["train"], here / "train", None, {})
        _caps_of_all_measures(caps["measure"], here / "measure")


def study_shape(study: dict, place: Place, known: dict):
    """Raise ValueError unless a study has its shape; its measures are not looked at.

    known: names of scales and data sets.
    """
    checked(shape.Study, study, place, known)
    train, variants = study["train"], study["variants"]
    known = known | {"variants": list(variants)}
    _whole(train, place / "train")
    net = train["net"]["name"]
    layers = {place / "train": train} | {place / "variants" / name: variants[name] for name in variants}
    for here, settings in layers.items():
        layer(shape.Train, settings, here, net, known)
        if settings is not train:
            _refuse_empty(settings, here)
    known["sizes"] = [*keys_of(study), "others"]
    for here, settings in layers.items():
        checked(shape.Train, settings, here, known, partial=True)
    for scale, caps in study["at"].items():
        here = place / "at" / scale
        checked(shape.OfScale, caps, here)
        layer(shape.StudyCaps, caps["train"], here / "train", net, known)
        _refuse_empty(caps["train"], here / "train")
        _caps_of_all_measures(caps["measure"], here / "measure")
        for name, own in caps["train"].get("variants", {}).items():
            layer(shape.Caps, own, here / "train" / "variants" / name, net, known)


def _refuse_empty(settings: dict, place: Place):
    """An empty mapping inside a layer would change nothing, whatever it was meant to turn off."""
    for name in ("net", "sizes", "recipe"):
        inner = settings.get(name)
        if inner == {}:
            raise (place / name).wrong(inner, "left out, or a mapping of what it changes")
        if isinstance(inner, dict) and inner.get("augment") == {}:
            must = "null to turn all augmentation off, or a mapping of what it changes"
            raise (place / name / "augment").wrong({}, must)


def _caps_of_all_measures(caps: dict, place: Place):
    """Caps that no single measure describes; the others belong to measures' settings."""
    general = parameters_of(shape.MeasureCaps)[0]
    checked(shape.MeasureCaps, {name: value for name, value in caps.items() if name in general}, place)


def _whole(train: dict, place: Place):
    """Raise ValueError unless everything is stated that a study needs."""
    for name in shape.NEEDED:
        if name not in train:
            raise place.missing(name, words(parameters_of(shape.Train)[0][name], {}))
    if "name" not in mapping(train["net"], place / "net"):
        raise (place / "net").missing("name", "the name of a file in wide/nets")
    recipe = mapping(train["recipe"], place / "recipe")
    _part_of_recipe(recipe, place / "recipe")  # a misspelt key is said to be one, not to be missing
    for name in ("epochs", "batch", "lr"):
        if name not in recipe:
            raise (place / "recipe").missing(name, "a number")


def layer(kind, settings, place: Place, net: str | None, known: dict):
    """Raise ValueError unless settings have their shape, whatever other layers add.

    kind: a dataclass. net: the study's network.
    """
    checked(kind, settings, place, known)
    if "net" in settings:
        _options(settings["net"], place / "net", net)
    if "recipe" in settings:
        _part_of_recipe(settings["recipe"], place / "recipe")
    for name, values in settings.get("over", {}).items():
        for value in values:
            _panel(name, value, place / "over", net)
    if "instead" in settings:
        layer(shape.Train, settings["instead"], place / "instead", net, known)


def _options(options: dict, place: Place, net: str | None):
    """Options of a network, by the types of its constructor; unknown ones where the network is not known."""
    name = options.get("name", net)
    if name is None:
        return
    if not isinstance(name, str):
        raise (place / "name").wrong(name, "the name of a file in wide/nets")
    try:
        constructor = network(name)
    except ValueError as error:
        raise (place / "name").refused(error) from None
    options = {key: value for key, value in options.items() if key != "name"}
    checked(constructor, options, place, given=("width", "image", "classes"), partial=True)


def _part_of_recipe(settings: dict, place: Place):
    """Settings of a recipe, by its own checks, as if the others were stated."""
    others = {"epochs": 1e9, "batch": 1, "lr": 1.0}
    rate = {"lr": 1.0} if settings.get("lr") == "1/width" else {}
    bind(Recipe, {**others, **settings, **rate}, place)


def _panel(name: str, value, place: Place, net: str | None):
    """A value of a panel, of a setting of the recipe or of an option of the network."""
    head, _, option = name.partition(".")
    if head == "recipe" and option:
        return _part_of_recipe(nested({tuple(option.split(".")): value}), place / "recipe")
    if head == "net" and option not in ("", "name"):
        return _options({option: value}, place / "net", net)
    raise place.unknown(name, [f"recipe.{entry.name}" for entry in fields(Recipe)])


def keys_of(study: dict) -> list[str]:
    """Keys of all sizes that a study names."""
    found = []
    for departure in ({}, *study["variants"].values()):
        sizes = {**study["train"]["sizes"], **departure.get("sizes", {})}
        letter, listed = ("d", sizes["depths"]) if "depths" in sizes else ("w", sizes.get("widths", []))
        found += [f"{letter}{number:g}" for number in listed]
    return list(dict.fromkeys(found))
