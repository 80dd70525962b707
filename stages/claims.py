"""Judge a paper's claims: `python -m stages.claims <paper> <scale>`.

A paper's claims are the functions of papers/<paper>/claims that bear the names of its figures, without the
paper's key: `fig1` judges gilboa_fig1.
"""

import importlib
import pkgutil
import sys
from collections import Counter
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np

from pipeline import cells
from pipeline.claims import Case
from pipeline.lifetime import stage
from pipeline.parameters import declared, stage_entry
from wide import artifacts


@stage
def main(paper: str, scale: str):
    params = declared()
    trainings = [dep for dep in stage_entry()["deps"] if "/training/" in dep]
    claims = judge(paper, scale, params, stage_entry()["deps"])
    artifacts.save_numbers(artifacts.claims(scale, paper), [asdict(claim) for claim in claims])
    artifacts.save_numbers(artifacts.summary(scale, paper), summary(paper, claims, trainings))


def judge(paper: str, scale: str, params: dict, deps=None) -> list:
    """Every claim of a paper on the results of a scale, in the order of its figures.

    deps: results that may be read, None for all. ValueError for another one.
    """

    @cache
    def load(study, measure, variant):
        path = artifacts.result(scale, paper, study, measure, variant)
        if deps is not None and not {str(path), str(path.with_suffix(".json"))} & set(deps):
            raise ValueError(f"{path} is read, and claims does not depend on it: add it to its deps")
        return cells.load(scale, paper, study, measure, variant)

    shown, found = params.get("shown", {}).get(scale, ""), floors(paper, scale, deps)
    return judged(paper, Case(load, scale, params["width"], shown, params["figures"], found))


def floors(paper: str, scale: str, deps=None) -> dict:
    """{(study, variant): test accuracy of a linear classifier on the pixels}, of all data sets.

    deps: as of `judge`.
    """
    folder = artifacts.result(scale, paper, "floor", "linear", "").parent
    found = folder.glob("*.json") if deps is None else map(Path, deps)
    files = [artifacts.load_numbers(path) for path in sorted(found) if path.parent == folder]
    return {
        (study, variant): facts["accuracy"]
        for studies in files
        for study, variants in studies.items()
        for variant, facts in variants.items()
    }


def judged(paper: str, case: Case) -> list:
    """Every claim of a paper, in the order of its figures. ValueError for a figure without a function."""
    judges = functions(paper)
    for key in case.entries:
        if key not in judges:
            name = key.partition("_")[2]
            raise ValueError(f"{key} has no claim: write a function {name} in papers/{paper}/claims")
    return [claim for key in case.entries for claim in judges[key](case.of(key))]


def functions(paper: str) -> dict:
    """{figure key: function} of a paper's claims."""
    try:
        package = importlib.import_module(f"papers.{paper}.claims")
    except ModuleNotFoundError as error:
        must = "it must be a module, or a package, with a function for each figure"
        raise ValueError(f"papers/{paper}/claims cannot be imported ({error}); {must}") from None
    names = [found.name for found in pkgutil.iter_modules(getattr(package, "__path__", []))]
    modules = [package, *(importlib.import_module(f"{package.__name__}.{name}") for name in names)]
    return {
        f"{paper}_{name}": value
        for module in modules
        for name, value in vars(module).items()
        if callable(value) and name.startswith(("fig", "tab")) and value.__module__ == module.__name__
    }


def summary(paper: str, claims: list, trainings: list) -> dict:
    """What `dvc metrics diff` and `dvc exp show` show of a paper: few numbers, since a screen is narrow.

    judged: findings that could be tested; how many of these are reproduced, and confounded. accuracy: the
    mean on the test sets. Sanity checks are no findings. trainings: files of accuracies.
    """
    counts = Counter(claim.verdict for claim in claims if not claim.sanity)
    found = [cells.Cells.load(path) for path in trainings]
    accuracies = [np.nanmean(size.accuracy) for training in found for size in training.sizes()]
    numbers = {name: counts[name] for name in ("reproduced", "confounded")}
    numbers["judged"] = counts.total() - counts["not testable"]
    return {paper: numbers | {"accuracy": float(np.nanmean(accuracies)) if accuracies else None}}


if __name__ == "__main__":
    main(*sys.argv[1:])
