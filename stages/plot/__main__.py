"""Figures and tables from results: `python -m stages.plot <paper> <key> <scale>`.

`python -m stages.plot --all [<scale>]` draws every paper's figures, at all scales that have results,
without DVC.
"""

import importlib
import sys
from functools import partial

from pipeline import cells
from pipeline.figure import resolved
from pipeline.lifetime import stage
from pipeline.parameters import declared, paper_file, papers, read
from wide import artifacts, plot

USAGE = "usage: python -m stages.plot <paper> <key> <scale>, or python -m stages.plot --all [<scale>]"


@stage
def main(paper: str, key: str = "", scale: str = ""):
    if paper == "--all":
        if scale:
            raise ValueError(f"--all takes one scale or none; {USAGE}")
        return draw_all(key)
    if not scale:
        raise ValueError(f"a figure needs its paper, its key and a scale; {USAGE}")
    params = declared()
    paint(paper, key, params["figures"][key], scale, params.get("shown", {}).get(scale, ""))


def draw_all(scale: str):
    """Draw every figure, at one scale or, with no scale named, whatever has its results.

    Raises FileNotFoundError where a figure of a scale that was named has no results, or no figure of any has.
    """
    scales = [scale] if scale else sorted(path.name for path in artifacts.RESULTS.glob("*") if path.is_dir())
    figures = [(paper, key, entry, shown) for paper in papers() for key, entry, shown in listed(paper)]
    if not scales or not figures:
        raise FileNotFoundError("there is nothing to draw in results/ and papers/: run `dvc repro`")
    missing = []
    for at in scales:
        for paper, key, entry, shown in figures:
            try:
                paint(paper, key, entry, at, shown.get(at, ""))
            except FileNotFoundError as error:
                missing.append(f"{key} not drawn, {error}")
    if missing and (scale or len(missing) == len(scales) * len(figures)):
        raise FileNotFoundError("; ".join(missing))
    for line in missing:
        print(line, file=sys.stderr)


def listed(paper: str):
    """(key, entry, variant shown by scale) of every figure of a paper."""
    shown = read(paper_file(paper, "params.yaml")).get("shown", {})
    for key, entry in read(paper_file(paper, "figures.yaml"))["figures"].items():
        yield key, entry, shown


def paint(paper: str, key: str, entry: dict, scale: str, shown: str = ""):
    """Draw one figure, or write one table, and save it. What was made from stand-ins says so.

    entry: as it stands in figures.yaml. shown: the paper's variant for {shown}.
    """
    path = artifacts.figure(scale, key, entry["to"])
    drawing = importlib.import_module(f"stages.plot.{entry['draw']}")
    with plot.style():
        drawn = drawing.draw(resolved(entry, scale, shown), scale, partial(cells.load, scale, paper))
        if isinstance(drawn, str):
            return artifacts.write_text(path, "**STAND-IN DATA**\n\n" * (scale == "smoke") + drawn)
        if scale == "smoke":
            plot.stamp(drawn)
        artifacts.write_bytes(path, plot.png(drawn))


if __name__ == "__main__":
    main(*sys.argv[1:])
