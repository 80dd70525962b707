"""Refuse wrong parameters and pipelines in one line: `python -m stages.check`.

Every chain of stages starts here. DVC removes a stage's outputs before it runs, so a mistake found in the
stage itself would cost the results that it was to replace; found here it costs nothing. The output never
changes, so nothing downstream reruns.
"""

import gc
import sys
from pathlib import Path

from pipeline.checks.layers import root_shape
from pipeline.checks.measures import check_caps
from pipeline.checks.papers import Paper
from pipeline.checks.pipelines import check_deps, check_listed, check_params
from pipeline.checks.runs import runs_of
from pipeline.checks.templates import Entry, entries
from pipeline.lifetime import stage
from pipeline.parameters import PIPELINE, ROOT, paper_file, papers, read
from pipeline.places import Place
from stages.claims import functions
from wide import artifacts

CHECKED = Path("results/checked")
PASSED = "The parameters and pipelines have passed stages/check.py.\n"
FIGURES = "figures.yaml"


@stage
def main():
    """Check the files of this folder, and say in results/checked that they have passed."""
    gc.disable()  # nothing becomes garbage here, and looking for it takes a quarter of the time
    try:
        check(*parsed())
    finally:
        gc.enable()
    if not CHECKED.exists() or CHECKED.read_text(encoding="utf-8") != PASSED:
        artifacts.write_text(CHECKED, PASSED)


def parsed() -> tuple[dict, dict, dict]:
    """The files of this folder as `check` takes them. ValueError for one that is missing or no YAML."""
    own, pipelines = {}, {"": read(PIPELINE)}
    for paper in papers():
        params, figures = (read(paper_file(paper, name)) for name in (ROOT, FIGURES))
        own[paper] = {"params": params, "figures": figures}
        pipelines[paper] = read(paper_file(paper, PIPELINE))
    return read(ROOT), own, pipelines


def check(root: dict, papers: dict, pipelines: dict):
    """Raise ValueError, one line, for the first thing that a run would refuse, or that nothing answers to.

    root: params.yaml. papers: {paper: {"params": ..., "figures": ...}}.
    pipelines: dvc.yaml of each paper by its key, and the root's under "".
    """
    root_shape(root, Place(ROOT))
    own = entries(pipelines[""], root, Place(PIPELINE))
    runs_of(own)
    found = [Paper.of(key, **files, pipeline=pipelines[key], root=root) for key, files in papers.items()]
    settings = [run.described("Settings") for paper in found for run in paper.runs]
    for scale, caps in root["scales"].items():
        place = Place(ROOT) / "scales" / scale / "measure"
        check_caps(caps["measure"], place, dict.fromkeys(filter(None, settings)), {})
    for paper in found:
        paper.check(functions(paper.key))
    _check_files(root, found, own)


def _check_files(root: dict, found: list[Paper], own: list[Entry]):
    """What stages declare and depend on is there, in all files together."""
    files, drawn = {ROOT: root}, {}
    for paper in found:
        figures = paper.place(FIGURES)
        files |= {paper.place().file: paper.params, figures.file: paper.figures}
        for key, entry in paper.figures["figures"].items():
            picture = artifacts.figure(root["scale"], key, entry["to"])
            drawn[str(picture)] = str(figures / "figures" / key)
    for entry in [*own, *(entry for paper in found for entry in paper.entries)]:
        check_params(entry, files)
    check_deps({"": own} | {paper.key: paper.entries for paper in found})
    judged = [str(artifacts.claims(root["scale"], paper.key)) for paper in found]
    check_listed(own, list(files), drawn, [*files, *judged])


if __name__ == "__main__":
    main(*sys.argv[1:])
