"""The figures' entries: what they read, how they are drawn, and the drawing's own options."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from importlib import import_module
from typing import Annotated, Any, Literal

from pipeline.bounds import FILLED
from pipeline.checks.runs import HERE
from pipeline.figure import OTHERS, resolved
from pipeline.places import Place, mapping, nearest
from pipeline.reports.headlines import Headline
from pipeline.typed import bind


@dataclass(frozen=True)
class File:
    """figures.yaml; shared holds what several figures have in common."""

    paper: dict[str, Any]
    figures: Annotated[dict[str, dict[str, Any]], FILLED]
    shared: dict[str, Any] = None


@dataclass(frozen=True)
class About:
    """The paper, what was chosen where it is silent, and the findings that the report begins with."""

    title: str
    authors: str
    year: int
    choices: list[str]
    headlines: list[Headline] = None


@dataclass(frozen=True)
class Figure:
    """What every figure's entry has, whatever draws it. reads: results, by a letter each."""

    draw: str
    to: Literal["png", "md"]
    reads: Annotated[dict[str, str], FILLED]
    title: str
    caption: str


def check_figures(
    entries: dict, place: Place, paper: str, *, results: list[str], claims, known: dict, shown: dict
):
    """Raise ValueError, one line, for an entry that could not be drawn, judged or found.

    entries: figures.yaml, of its shape. paper: its key.
    results: of the paper, that stages make, as <study>/<measure>/<variant>.<suffix>.
    claims: keys of figures that are judged. known: names by kind. shown: variants by scale.
    """
    about = bind(About, entries["paper"], place / "paper")
    for number, headline in enumerate(about.headlines or []):
        if headline.figure not in entries["figures"]:
            must = f"a figure's key; {nearest(headline.figure, entries['figures'], 'there are')}"
            raise (place / "paper" / "headlines" / number / "figure").wrong(headline.figure, must)
    for key, entry in entries["figures"].items():
        here = place / "figures" / key
        if not key.startswith(f"{paper}_"):
            raise (place / "figures").wrong(key, f"a key that begins with the paper's, {paper}_")
        _refuse_unknown_scales(entry, here, known["scales"])
        at_scales = []
        for scale in known["scales"]:
            at_scale = _resolved(entry, here, scale, shown)
            if at_scale not in at_scales:
                _check_entry(at_scale, here, results, known)
                at_scales.append(at_scale)
        if key not in claims:
            name = key.removeprefix(f"{paper}_")
            raise here.refused(f"nothing judges it; papers/{paper}/claims must have a function {name}")


def _resolved(entry, place, scale, shown) -> dict:
    try:
        return resolved(entry, scale, shown.get(scale, ""))
    except ValueError as error:
        raise place.refused(error) from None


def _check_entry(entry, place, results, known):
    """One entry, as it is at a scale."""
    names = [field.name for field in fields(Figure)]
    bind(Figure, {name: entry[name] for name in names if name in entry}, place)
    _check_reads(entry["reads"], place / "reads", results)
    own = {name: value for name, value in entry.items() if name not in names}
    options = bind(_options(entry["draw"], place / "draw"), own, place, known)
    try:
        getattr(options, "refuse", lambda classes: None)(known["classes"])
    except ValueError as error:
        raise place.refused(error) from None
    for here, study, variant in _shown_networks(entry, place):
        if not any(fnmatch(result, f"{study}/*/{variant}.*") for result in entry["reads"].values()):
            raise here.refused(
                f"{study}, {variant} is drawn; {place / 'reads'} must have {study}/…/{variant}"
            )


def _check_reads(reads, place, results):
    """Stages make what is read; a path out of the paper's results, ../../checked, stands for nothing."""
    for letter, result in reads.items():
        if not result.startswith("../") and result not in results:
            must = f"a result that a stage makes; {nearest(result, results, 'there are')}"
            raise (place / letter).wrong(result, must)


def _options(draw: str, place: Place):
    """The dataclass of a drawing's options."""
    known = sorted(path.stem for path in (HERE / "stages" / "plot").glob("*.py") if path.stem[0] != "_")
    if draw not in known:
        raise place.wrong(draw, f"a module in stages/plot; {nearest(draw, known, 'there are')}")
    module = import_module(f"stages.plot.{draw}")
    if not hasattr(module, "Options"):
        raise place.wrong(draw, "a drawing with a dataclass Options, which says what can be set")
    return module.Options


def _refuse_unknown_scales(value, place: Place, scales):
    """A mapping that chooses by scale, known by its key `others`, names scales."""
    if isinstance(value, dict):
        for key, inner in mapping(value, place).items():
            if OTHERS in value and key not in (OTHERS, *scales):
                raise place.unknown(key, [*scales, OTHERS])
            _refuse_unknown_scales(inner, place / key, scales)
    if isinstance(value, list):
        for number, inner in enumerate(value):
            _refuse_unknown_scales(inner, place / number, scales)


def _shown_networks(value, place: Place) -> Iterator[tuple[Place, str, str]]:
    """Where networks are named, their study and variant."""
    if isinstance(value, dict):
        if "variant" in value:
            for study in [value["study"]] if "study" in value else value.get("studies", []):
                yield place, study, value["variant"]
        for key, inner in value.items():
            yield from _shown_networks(inner, place / key)
    if isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _shown_networks(inner, place / number)
