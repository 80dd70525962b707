"""Parameters files, and what a stage has declared of them."""

import os
import sys
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

ROOT = "params.yaml"  # scale, width, and the scales' caps
PIPELINE = "dvc.yaml"
PAPERS = Path("papers")


def read(file) -> dict:
    """A YAML file as DVC reads it (YAML 1.2).

    Raises ValueError in one line for one that is missing, does not parse or is no mapping.
    """
    try:
        found = YAML(typ="safe").load(Path(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{file} is missing: restore it from git") from None
    except (YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}," if mark else ""
        problem = (getattr(error, "problem", None) or str(error)).splitlines()[0]
        raise ValueError(f"{file}{where} is not YAML ({problem}): correct it") from None
    if not isinstance(found, dict):
        kind = "nothing" if found is None else f"a value of type {type(found).__name__}"
        raise ValueError(f"{file} holds {kind} where a mapping of names to values belongs: correct it")
    return found


def papers() -> list[str]:
    """Keys of the papers: the folders below papers/ that hold a pipeline."""
    return sorted(path.parent.name for path in PAPERS.glob(f"*/{PIPELINE}"))


def paper_file(paper: str, name: str) -> str:
    """Path of a paper's file, as stages declare it."""
    return f"{PAPERS}/{paper}/{name}"


def declared() -> "Declared":
    """Parameters that the running stage declares, of all files that it names, and no others.

    What dvc.api.params_show(stages=...) answers, in a fraction of the time: only this stage is resolved.
    Reading one that is not declared raises ValueError instead of using a value that DVC does not watch.
    """
    found = {}
    for entry in stage_entry().get("params", []):
        for file, places in (entry if isinstance(entry, dict) else {ROOT: [entry]}).items():
            values = read(file)
            if places is None:  # a file alone is all of it
                found.update(values)
            for place in places or []:
                _copy(values, found, place.split("."))
    return Declared(found)


@cache
def stage_entry() -> dict:
    """The running stage's resolved entry of its dvc.yaml: cmd, deps, params, outs.

    DVC names a stage's file from the folder in which DVC was started, which may be a paper's; the stage
    itself runs at the root. So the stage is looked for in all files, and known by its command's last words,
    which are this process's arguments. Raises ValueError outside of DVC, and where no file has the stage.
    """
    name = os.environ.get("DVC_STAGE")
    if not name:
        raise ValueError(
            "no stage is running: use `dvc repro <stage>`, which tells the script its name and parameters"
        )
    file, _, stage = name.rpartition(":")
    files = [PIPELINE, *(paper_file(paper, PIPELINE) for paper in papers())]
    words, first = " ".join(sys.argv[1:]), None
    for place in sorted(files, key=lambda place: place != (file or PIPELINE)):
        entry = _resolved(place, stage)
        if entry and str(entry["cmd"]).endswith(words):
            return entry
        first = first or entry
    if not first:
        raise ValueError(
            f"stage '{stage}' is in none of {', '.join(files)}: run DVC at the repository's root"
        )
    return first


def _resolved(file: str, stage: str) -> dict | None:
    """A stage's entry of a dvc.yaml, its templates filled in; None where the file has none of that name."""
    from dvc.parsing import DataResolver, EntryNotFound
    from dvc.repo import Repo

    folder = str(Path(file).parent) if file != PIPELINE else ""
    try:
        [entry] = DataResolver(Repo(), folder, read(file)).resolve_one(stage).values()
    except EntryNotFound:
        return None
    return entry


class Declared(dict):
    """A mapping in which a key that is not there is one clear error."""

    def __init__(self, values: dict, where: str = ""):
        super().__init__({key: _wrap(value, f"{where}{key}.") for key, value in values.items()})
        self.where = where

    def __missing__(self, key):
        raise ValueError(
            f"'{self.where}{key}' is not among the parameters that this stage declares: add it to the "
            "stage's `params` in its dvc.yaml, or to the parameters file"
        )


def _wrap(value, where):
    return Declared(value, where) if isinstance(value, dict) else value


def _copy(values: dict, found: dict, keys: list):
    *above, last = keys
    for key in above:
        if not isinstance(values, dict) or key not in values:
            return
        values, found = values[key], found.setdefault(key, {})
    if isinstance(values, dict) and last in values:
        found[last] = values[last]
