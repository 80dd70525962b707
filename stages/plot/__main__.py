"""Figures and tables from results: `python -m stages.plot <key> <scale>`; `--all [<scale>]` draws every figure, without DVC."""
import importlib
import sys
from itertools import groupby
from pathlib import Path

from ruamel.yaml import YAML

from stages import declared_params, stage
from wide import artifacts, plot


@stage
def main(key: str, scale: str | None = None):
    if key != "--all":
        return paint(key, declared_params()["figures"][key], scale)
    scales = [scale] if scale else sorted(path.name for path in artifacts.RESULTS.glob("*") if path.is_dir())
    if not scales:
        raise FileNotFoundError("results/ holds nothing to draw: run `dvc repro`")
    figures, missing = YAML(typ="safe").load(Path("figures.yaml"))["figures"], []
    for at in scales:
        for name, entry in figures.items():
            try:
                paint(name, entry, at)
            except FileNotFoundError as error:
                missing.append(f"{name} not drawn, {error}")
    if missing and (scale or len(missing) == len(scales) * len(figures)):
        raise FileNotFoundError("; ".join(missing))
    print(*missing, sep="\n", end="\n" if missing else "", file=sys.stderr)  # no scale named: draws what there is


def paint(key: str, entry: dict, scale: str):
    """Draw one figure, or write one table, and save it. What was made from stand-ins says so."""
    path = artifacts.figure(scale, key, entry["to"])
    with plot.style():
        drawn = importlib.import_module(f"stages.plot.{entry['draw']}").draw(entry, scale)
        if isinstance(drawn, str):
            return artifacts.write_text(path, "**STAND-IN DATA**\n\n" * (scale == "smoke") + aligned(drawn))
        if scale == "smoke":
            plot.stamp(drawn)
        artifacts.write_bytes(path, plot.png(drawn))


def aligned(text: str) -> str:
    """Markdown with the cells of its tables padded, so that columns line up in plain text too. No cell may hold a "|"."""
    blocks = groupby(text.splitlines(), lambda line: line.startswith("|"))
    return "\n".join(line for table, block in blocks for line in (padded(block) if table else block)) + "\n"


def padded(lines):
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "| " + " | ".join(cell.ljust(width, "-" if cell == "---" else " ") for cell, width in zip(row, widths)) + " |"


if __name__ == "__main__":
    main(*sys.argv[1:])
