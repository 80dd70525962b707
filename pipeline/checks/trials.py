"""What a run would train: every variant's plan and recipes and, at the scale that is set, its networks."""

from dataclasses import dataclass
from typing import Any

from pipeline import sets
from pipeline.caps import resolve
from pipeline.checks.meta import refuse_dropout, rehearsed
from pipeline.checks.training import Training
from pipeline.parameters import ROOT
from pipeline.places import Place
from pipeline.plan import Plan, Size, effective, plan
from wide.training.recipe import Recipe


@dataclass(frozen=True)
class Trial:
    """What a measure is given of one size.

    net: on the meta device. shapes: of its layers' outputs for one image, {layer: shape}.
    image, stored: shapes of an image as the network is shown it, and as the data set's file has it.
    members: {size: number of its networks} of the variant. examples: test images measured.
    """

    net: Any
    shapes: dict
    image: tuple
    stored: tuple
    members: dict
    examples: int


def trials(study: dict, place: Place, root: dict) -> dict[str, list[Trial]]:
    """Every variant's sizes at the scale that is set, or the next that keeps one; plans of all are checked.

    study: of the right shape. place: where it stands. root: params.yaml.
    Raises ValueError, one line, for what could not be trained.
    """
    found = {variant: [] for variant in study["variants"]}
    scales = list(root["scales"])
    for scale in scales:
        _refuse_sizes_not_there(study, place / "at" / scale / "train", scale)
    # What the scale that is set leaves out is tried at the next one that does not.
    first = scales.index(root["scale"])
    for scale in [*scales[first:], *scales[:first]]:
        for variant in study["variants"]:
            training = _resolved(study, place, variant, scale, root)
            _agree_with_card(training)
            todo = _planned(training)
            trained, measured = training.examples(todo)
            recipes = [training.recipe(todo, size, trained) for size in todo.sizes]
            if not found[variant]:
                pairs = zip(todo.sizes, recipes, strict=True)
                found[variant] = [_trial(training, todo, *pair, measured) for pair in pairs]
    return found


def _refuse_sizes_not_there(study, place, scale):
    """A scale's own caps keep widths and depths that the study, or the variant, has."""
    caps = study["at"][scale]["train"]
    layers = [(caps, study["train"]["sizes"], place)]
    for name, own in caps.get("variants", {}).items():
        sizes = study["train"]["sizes"] | study["variants"][name].get("sizes", {})
        layers.append((own, sizes, place / "variants" / name))
    for own, stated, here in layers:
        for name in ("widths", "depths"):
            kept, there = own.get("sizes", {}).get(name, []), stated.get(name, [])
            if not set(kept) <= set(there):
                raise (here / "sizes" / name).wrong(kept, f"some of the study's {name}, {there}")


def _resolved(study, place, variant, scale, root) -> Training:
    """A variant's settings, whose network and data set are the study's."""
    try:
        settings = resolve(study, variant, scale, root["scales"][scale]["train"])
    except ValueError as error:
        raise (place / "variants" / variant).refused(f"at scale {scale}: {error}") from None
    name, data = study["train"]["net"]["name"], study["train"]["set"]
    training = Training(place, root, study, variant, scale, settings, sets.card(data, scale))
    for path, stated in ((("net", "name"), name), (("set",), data)):
        if training.value(*path) != stated:
            must = f"{stated!r} as in the whole study; make another study for another one"
            raise training.at(*path).wrong(training.value(*path), must)
    return training


def _agree_with_card(training: Training):
    """The data set has the split, and the label in it and in the training examples."""
    card, test, label = training.card, training.value("test"), training.value("labels")
    if test not in card.splits:
        raise training.at("test").wrong(test, f"a split of the data set, {' or '.join(card.splits)}")
    there = [name for name in card.labels("train") if name in card.labels(test)]
    if label not in there:
        raise training.at("labels").wrong(label, f"a label of the data set, {' or '.join(there)}")


def _planned(training: Training) -> Plan:
    widths, depths = training.value("sizes", "widths"), training.value("sizes", "depths")
    place = training.place / "variants" / training.variant
    if widths is None and depths is None:
        must = "a list of numbers, or depths one of whole numbers"
        raise (training.place / "train" / "sizes").missing("widths", must)
    if depths is not None and widths is None and training.value("sizes", "parameters_of") is None:
        raise training.at("sizes", "depths").refused("depths stand beside one width, or parameters_of")
    general, width = training.root["scales"][training.scale]["train"], training.root["width"]
    try:
        return plan(training.study, training.variant, training.scale, general, width, training.card)
    except OverflowError:
        raise Place(ROOT, ("width",)).wrong(width, "smaller: no layer is so wide") from None
    except ValueError as error:
        raise place.refused(f"at scale {training.scale}: {error}") from None


def _trial(training: Training, todo: Plan, size: Size, recipe: Recipe, measured: int) -> Trial:
    image, stored = training.image(todo), tuple(training.card.image)
    try:
        net, shapes = _rehearsed(training, todo, size, size.width, image, recipe)
    except ValueError as error:
        raise _blamed(training, todo, size, recipe, image, error) from None
    try:
        refuse_dropout(net, recipe)
    except ValueError as error:
        raise training.at("recipe", "dropped" if recipe.dropped else "dropout").refused(error) from None
    members = {each.key: len(each.seeds) for each in todo.sizes}
    return Trial(net, shapes, image, stored, members, measured)


def _rehearsed(training, todo, size, width, image, recipe):
    pairs = size.options.items()
    options = tuple((name, tuple(value) if isinstance(value, list) else value) for name, value in pairs)
    return rehearsed(todo.net, width, image, training.card.classes[todo.labels], options, recipe.batch)


def _blamed(training, todo, size, recipe, image, error) -> ValueError:
    """The error with the key that is to blame: the network could be without its value, or begins with it."""
    what = f"{'.'.join(training.place.path)}, {training.variant}, {size.key}: {error}"
    multiplier, stored = training.root["width"], tuple(training.card.image)
    paper = effective(size.width, 1 / multiplier)
    if multiplier != 1 and _can_be(training, todo, size, paper, image, recipe):
        return Place(ROOT, ("width",)).wrong(multiplier, f"nearer to 1 ({what})")
    if image != stored and _can_be(training, todo, size, size.width, stored, recipe):
        return training.at("image_size").wrong(todo.image_size, f"larger ({what})")
    named = next((word for word in str(error).replace(":", "").split()[:3] if word in size.options), None)
    if named and training.value("net", named) is not None:
        return training.at("net", named).wrong(training.value("net", named), f"another ({what})")
    depths = training.value("sizes", "depths")
    return training.at("sizes", "depths" if depths else "widths").refused(f"{size.key}: {error}")


def _can_be(training, todo, size, width, image, recipe) -> bool:
    try:
        return bool(_rehearsed(training, todo, size, width, image, recipe))
    except ValueError:
        return False
