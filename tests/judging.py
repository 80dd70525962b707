"""Judges a paper's claims on made-up results."""

from functools import cache
from pathlib import Path

from pipeline.cells import Cells
from pipeline.claims import Case
from pipeline.parameters import read
from stages import claims

ROOT = Path(__file__).resolve().parents[1]


@cache
def entries(paper: str) -> dict:
    """The figures of a paper, as its figures.yaml has them."""
    return read(ROOT / "papers" / paper / "figures.yaml")["figures"]


def case(paper: str, results: dict, scale="paper", width=1, shown="", figures=None, floors=None) -> Case:
    """results: {(study, measure, variant): arrays by name}; what is not there, the scale has left out.

    figures: keys of those that are judged, by default all. floors: of `Case`, 0 for what is not there.
    """

    def load(*place):
        if place not in results:
            raise FileNotFoundError(place)
        return Cells(results[place], "/".join(place))

    kept = {key: entry for key, entry in entries(paper).items() if figures is None or key in figures}
    return Case(load, scale, width, shown, kept, Floors(floors or {}))


class Floors(dict):
    """Accuracies of linear classifiers, 0 for every other variant."""

    def __contains__(self, place):
        return True

    def __missing__(self, place):
        return 0.0


def judge(paper: str, results: dict, **settings) -> list:
    return claims.judged(paper, case(paper, results, **settings))
