"""A variant's settings as they are used, where each came from, and what the paper has in its place."""

import inspect
from dataclasses import MISSING, dataclass, fields

from pipeline import parameters
from pipeline.nets import network
from pipeline.variants import Variant
from pipeline.work import Network, work_of
from wide.training.augmentation import Augment
from wide.training.recipe import Recipe

FIRST = ("net", "set", "labels", "test", "sizes", "seeds", "recipe")  # groups of settings, in this order
GIVEN = ("width", "image", "classes")  # what a network's constructor is given by others than the settings
CROP = ("recipe", "augment", "crop")
RECIPE, AUGMENT = "wide/training/recipe.py", "wide/training/augmentation.py"


@dataclass(frozen=True)
class Setting:
    """One setting in words. origin: file and dotted key. remark: the paper's value, where ours is another."""

    name: str
    value: str
    origin: str
    remark: str = ""


def settings(variant: Variant) -> list[Setting]:
    """What is stated of a variant, and the defaults of what is not, of its network and recipe."""
    stated, defaults = variant.resolved.values, _defaults(variant)
    found = [(path, value, _origin(variant, path), _remark(variant, path)) for path, value in stated.items()]
    for path, (value, file) in defaults.items():
        if path not in stated and path not in _varied(variant):
            found.append((path, value, f"{file}: default", ""))
    found.sort(key=lambda row: FIRST.index(row[0][0]) if row[0][0] in FIRST else len(FIRST))
    width = "" if variant.width == 1 else "DEPARTS, the paper has 1"
    first = Setting("width", _words(variant.width), f"{parameters.ROOT}: width", width)
    return [first, *(Setting(".".join(path), _words(value), *rest) for path, value, *rest in found)]


def _varied(variant: Variant) -> set[tuple]:
    """Paths of what differs from size to size, and is shown there."""
    sizes = variant.plan.sizes
    panels = {tuple(place.split(".")) for size in sizes for place in size.panel}
    return panels | {("net", name) for size in sizes for name in size.options}


def _remark(variant: Variant, path: tuple) -> str:
    """What the paper has in the place of a value that is another, and what a shrunk image makes of it."""
    ours, paper = variant.resolved.values[path], variant.stated.get(path)
    if path == CROP and variant.plan.sizes:
        crop = variant.recipe(variant.plan.sizes[0]).augment.crop
        return "" if crop == ours else f"{crop} of the shrunk image"
    if path in [place for place, *_ in variant.resolved.departures]:
        default = _defaults(variant).get(path, (None, ""))[0]
        by_default = "states none" if default is None else f"has {_words(default)}, the default"
        return f"DEPARTS, the paper {by_default if paper is None else f'has {_words(paper)}'}"
    if paper == ours:
        return ""
    return "a cap, the paper has none" if paper is None else f"capped, the paper has {_words(paper)}"


def _origin(variant: Variant, path: tuple) -> str:
    """File and dotted key of a stated setting."""
    key = ".".join((variant.resolved.sources[path], *path))
    if key.startswith("scales."):
        return f"{parameters.ROOT}: {key}"
    return f"{_file(variant)}: {variant.study}.{key}"


def _file(variant: Variant) -> str:
    return parameters.paper_file(variant.paper, "params.yaml")


def _defaults(variant: Variant) -> dict[tuple, tuple]:
    """{path: (value, file)} of every option of the network and recipe that has a default."""
    net = variant.plan.net
    options = inspect.signature(network(net)).parameters.values()
    found = {
        ("net", entry.name): (entry.default, f"wide/nets/{net}.py")
        for entry in options
        if entry.name not in GIVEN and entry.default is not entry.empty
    }
    for entry in fields(Recipe):
        if entry.default is not MISSING:
            found["recipe", entry.name] = entry.default, RECIPE
    for entry in fields(Augment):
        found["recipe", "augment", entry.name] = entry.default, AUGMENT
    return found


def _words(value) -> str:
    """A value as a parameters file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_words, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_words(entry)}' for key, entry in value.items())}}}"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def data(variant: Variant) -> list[Setting]:
    """What is trained and tested on."""
    plan, whole = variant.plan, variant.card.examples["train"]
    found = [
        Setting("set", f"{plan.set}, {plan.labels} of {variant.classes} classes", _card(variant)),
        _image(variant),
        _split(variant, "train", "train"),
        *_cuts(variant),
        Setting(
            "trained on", f"{variant.examples:,}", "", f"{variant.examples / whole:.1%} of all {whole:,}"
        ),
        _split(variant, plan.test, "test"),
    ]
    if plan.random_labels:
        found.append(Setting("labels", "random", _origin(variant, ("random_labels",))))
    return found


def _card(variant: Variant) -> str:
    """Where it stands what a data set is."""
    return f"pipeline/sets/{variant.plan.set}.py: CARD"


def _image(variant: Variant) -> Setting:
    ours, whole = (" x ".join(map(str, image)) for image in (variant.image, variant.card.image))
    if ours == whole:
        return Setting("image", ours, _card(variant))
    return Setting("image", ours, _origin(variant, ("image_size",)), f"shrunk from {whole}")


def _split(variant: Variant, split: str, cap: str) -> Setting:
    """A split of the prepared data set. cap: which of the scale's caps on data holds for it."""
    ours, whole = variant.splits[split], variant.card.examples[split]
    if ours == whole:
        return Setting(f"{split} split", f"{ours:,}", _card(variant))
    return Setting(f"{split} split", f"{ours:,}", _of_root(variant, f"data.{cap}"), f"of {whole:,}")


def _of_root(variant: Variant, key: str) -> str:
    return f"{parameters.ROOT}: scales.{variant.scale}.{key}"


def _cuts(variant: Variant) -> list[Setting]:
    """What is taken from the training split, in this order."""
    plan, found = variant.plan, []
    if plan.examples and plan.examples < variant.splits["train"]:
        found.append(Setting("kept of it", f"{plan.examples:,}", _origin(variant, ("examples",))))
    if plan.share > 1:
        found.append(Setting("share", f"one in {plan.share}", _origin(variant, ("share",))))
    if plan.validation:
        found.append(Setting("validation", f"{plan.validation:,}", _origin(variant, ("validation",))))
    return found


def sizes(variant: Variant) -> list[dict[str, str]]:
    """Of each size, {column: words}: what it is and how it is trained."""
    found = []
    for size in variant.plan.sizes:
        recipe = variant.recipe(size)
        net = Network.of(variant.plan.net, size.width, size.options, variant.image, variant.classes)
        found.append(
            {
                "size": size.key,
                "width": f"{size.width:g}",
                "depth": str(size.options.get("depth", "")),
                **{place: _words(value) for place, value in size.panel.items()},
                "parameters": f"{work_of(net).parameters:,}",
                "seeds": _seeds(size.seeds),
                "lr": f"{recipe.lr:g}",
                "batch": str(variant.batch(size)),
                "passes": f"{recipe.epochs:.4g}",
                "steps": f"{variant.steps(size):,}",
                "views": f"{variant.shown(size):,}",
            }
        )
    return found


def _seeds(seeds: list) -> str:
    """Seeds in words, a run of them by its ends."""
    if len(seeds) > 3 and seeds == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))
