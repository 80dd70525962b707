"""Figures from results: `python -m stages.plot <key> <scale>`; `--all [<scale>]` draws every figure, without DVC."""
import importlib
import sys
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
    """Draw one figure and save it."""
    with plot.style():
        figure = importlib.import_module(f"stages.plot.{entry['draw']}").draw(entry, scale)
        if scale == "smoke":
            plot.stamp(figure)
        plot.save(figure, artifacts.figure(scale, key, entry["to"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
