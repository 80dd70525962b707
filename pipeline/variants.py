"""Variants of the papers' studies as a run would train them, known without their data."""

import math
from dataclasses import dataclass

from pipeline import parameters, sets
from pipeline.caps import Resolved, resolve
from pipeline.places import Place
from pipeline.plan import Plan, Size, plan
from wide.training.recipe import Recipe, steps_of


@dataclass(frozen=True)
class Variant:
    """A variant of a study at a scale and width.

    resolved: its settings, and where each came from. stated: the paper's own, without caps, {path: value}.
    card: of the data set. splits: {split: examples}, after the scale's caps on data.
    """

    paper: str
    study: str
    name: str
    scale: str
    width: float
    resolved: Resolved
    stated: dict[tuple, object]
    plan: Plan
    card: sets.Card
    splits: dict[str, int]

    @property
    def held_out(self) -> int:
        """Training examples that are only looked at, for validation."""
        return self.plan.validation

    @property
    def examples(self) -> int:
        """Examples that are trained on."""
        kept = min(self.splits["train"], self.plan.examples or math.inf)
        return kept // self.plan.share - self.held_out

    @property
    def image(self) -> tuple[int, ...]:
        """(channels, height, width in pixels) of an image as it is trained on."""
        return self._at_most(self.plan.image_size)

    @property
    def classes(self) -> int:
        """Classes of the label."""
        return self.card.classes[self.plan.labels]

    def recipe(self, size: Size) -> Recipe:
        """The recipe of a size, its passes and crops as they will be."""
        return self.plan.recipe(size, self.examples, self.image[-1] / self.card.image[-1])

    def batch(self, size: Size) -> int:
        """Examples of a member in a step."""
        return min(self.recipe(size).batch, self.examples)

    def steps(self, size: Size) -> int:
        """Steps of a training."""
        return steps_of(self.recipe(size), self.examples)[0]

    def shown(self, size: Size) -> int:
        """Images that a member is shown."""
        return self.steps(size) * self.batch(size)

    def _at_most(self, side: int | None) -> tuple[int, ...]:
        image = self.card.image
        if side is None or len(image) != 3 or max(image[1:]) <= side:
            return tuple(image)
        return (image[0], side, side)


def scale_and_width(scale: str = "", width: str = "") -> tuple[str, float]:
    """Both from words; an empty one is the root's parameter. ValueError for an unknown scale, or no width."""
    root = parameters.read(parameters.ROOT)
    scale, known = scale or root.get("scale"), list(root.get("scales") or {})
    if scale not in known:
        raise ValueError(f"scale '{scale}' is unknown; the scales are {', '.join(known)}")
    found = width or root.get("width")
    try:
        number = float("nan" if isinstance(found, bool) else found)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError(f"width is '{found}'; it multiplies every network's width, so it must be above 0")
    return scale, number


def studies(paper: str) -> dict:
    """{study: what the paper's parameters say of it}."""
    found = parameters.read(_file(paper))
    return {name: section for name, section in found.items() if _is_study(section)}


def of_paper(paper: str, scale: str, width: float) -> list[Variant]:
    """All variants of a paper. Raises ValueError, which names the place, for one that cannot be trained."""
    return [
        _variant(paper, name, study, variant, scale, width)
        for name, study in studies(paper).items()
        for variant in study["variants"]
    ]


def one(study: str, variant: str, scale: str, width: float) -> Variant:
    """A variant by name, ``study`` as paper.study. Raises ValueError with the known names for others."""
    known = {
        f"{paper}.{name}": section
        for paper in parameters.papers()
        for name, section in studies(paper).items()
    }
    if study not in known:
        raise ValueError(f"study '{study}' is unknown; the studies are {', '.join(known)}")
    variants = known[study]["variants"]
    if variant not in variants:
        raise ValueError(f"variant '{variant}' is unknown; {study} has {', '.join(variants)}")
    paper, _, name = study.partition(".")
    return _variant(paper, name, known[study], variant, scale, width)


def _file(paper: str) -> str:
    return parameters.paper_file(paper, "params.yaml")


def _is_study(section) -> bool:
    return isinstance(section, dict) and "train" in section and "variants" in section


def _stated(study: dict, variant: str) -> dict[tuple, object]:
    found = Resolved()
    found.put_all(study["train"], "")
    found.put_all(study["variants"][variant] or {}, "")
    return found.values


def _variant(paper, name, study, variant, scale, width) -> Variant:
    place = Place(_file(paper), (name, "variants", variant))
    caps = parameters.read(parameters.ROOT)["scales"][scale]
    try:
        resolved = resolve(study, variant, scale, caps["train"])
        card = sets.card(resolved.values[("set",)], scale)
        planned = plan(study, variant, scale, caps["train"], width, card)
        splits = sets.kept(card, caps["data"])
        stated = _stated(study, variant)
        found = Variant(paper, name, variant, scale, width, resolved, stated, planned, card, splits)
        if found.examples < 1:
            raise ValueError(f"{found.examples} training examples are left: lower share or validation")
        for size in planned.sizes:
            found.recipe(size)
    except ValueError as error:
        raise place.refused(error) from None
    except KeyError as error:
        raise place.refused(f"{error} is missing") from None
    return found
