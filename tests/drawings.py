"""Figures drawn in tests: their entries as the door gives them, what they say, whether labels lie apart."""

import importlib
from functools import partial
from pathlib import Path

from matplotlib.text import Text

from pipeline import cells
from pipeline.figure import reads, resolved
from pipeline.parameters import read
from stages.plot import __main__ as command
from wide import plot

ROOT = Path(__file__).resolve().parents[1]
FILES = {path.parent.name: path for path in sorted(ROOT.glob("papers/*/figures.yaml"))}
PAPER_OF, ENTRIES = {}, {}
for _paper, _path in FILES.items():
    for _key, _entry in read(_path)["figures"].items():
        PAPER_OF[_key], ENTRIES[_key] = _paper, _entry
SHOWN = {paper: read(path.with_name("params.yaml")).get("shown", {}) for paper, path in FILES.items()}


def entry(key: str, scale: str) -> dict:
    """A figure's entry as its drawing is given it."""
    return resolved(ENTRIES[key], scale, SHOWN[PAPER_OF[key]].get(scale, ""))


def named(told: dict) -> list[str]:
    """Results that an entry names, <study>/<measure>/<variant>."""
    return [name.rpartition(".")[0] for name in reads(told)]


def draw(key: str, scale: str, seen: set | None = None, **options):
    """A figure from results in the working directory, or a table.

    seen: takes the names of what it reads. options: instead of the entry's own. AssertionError for a result
    that the entry does not name.
    """
    told = entry(key, scale) | options
    load = partial(cells.load, scale, PAPER_OF[key])

    def recorded(*name):
        read_as = "/".join(name)
        assert read_as in named(told), f"{key} reads {read_as}"
        if seen is not None:
            seen.add(read_as)
        return load(*name)

    with plot.style():
        return importlib.import_module(f"stages.plot.{told['draw']}").draw(told, scale, recorded)


def laid_out(figure):
    """The same figure, its texts and ticks in place."""
    with plot.style():
        figure.draw_without_rendering()
    return figure


def paint(key: str, scale: str):
    """Save a figure or table as the door does."""
    paper = PAPER_OF[key]
    command.paint(paper, key, ENTRIES[key], scale, SHOWN[paper].get(scale, ""))


def declare(monkeypatch, key: str):
    """Let the door take a figure's entry for what its stage declares."""
    params = {"figures": {key: ENTRIES[key]}, "shown": SHOWN[PAPER_OF[key]]}
    monkeypatch.setattr(command, "declared", lambda: params)


def texts(part) -> list[str]:
    """All texts of a figure or of a panel."""
    return [text.get_text() for text in part.findobj(Text) if text.get_text()]


def assert_apart(figure, least: int = 1):
    """Every text drawn, at least so many, lies within the page and over no other. figure: laid out."""
    beyond = set()  # labels of ticks outside of their axis, which are not drawn
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            beyond |= {tick.label1 for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high}
    drawn = [text for text in figure.findobj(Text) if text not in beyond and text.get_visible()]
    boxes = [(text.get_text(), Text.get_window_extent(text)) for text in drawn if text.get_text().strip()]
    boxes = [(text, box) for text, box in boxes if box.width]
    assert len(boxes) >= least
    page = figure.bbox
    for number, (text, box) in enumerate(boxes):
        assert page.x0 <= box.x0 and box.x1 <= page.x1, f"{text} is clipped"
        assert page.y0 <= box.y0 and box.y1 <= page.y1, f"{text} is clipped"
        over = [other for other, place in boxes[:number] if box.overlaps(place)]
        assert not over, f"{text} lies over {over}"
