"""Parameters files, and what a stage has declared of them."""

import os
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

ROOT = "params.yaml"  # scale, width, and the scales' caps
PAPERS = Path("papers")


def read(file) -> dict:
    """A YAML file as DVC reads it (YAML 1.2). Raises ValueError in one line for one that is missing or does not parse."""
    try:
        found = YAML(typ="safe").load(Path(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{file} is missing: restore it from git") from None
    except (YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}:" if mark else ":"
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ValueError(f"{file},{where} is not YAML ({problem})") from None
    if not isinstance(found, dict):
        raise ValueError(f"{file} holds {type(found).__name__} where a mapping of names to values belongs")
    return found


def papers() -> list[str]:
    """Keys of the papers: the folders below papers/ that hold a pipeline."""
    return sorted(path.parent.name for path in PAPERS.glob("*/dvc.yaml"))


def paper_file(paper: str, name: str) -> str:
    """Path of a paper's file, as stages declare it."""
    return f"{PAPERS}/{paper}/{name}"


def declared() -> dict:
    """Parameters that the running stage declares, of all files that it names, and no others.

    What dvc.api.params_show(stages=...) answers, in a fraction of the time: only this stage is resolved. Reading one that
    is not declared raises ValueError instead of using a value that DVC does not watch.
    """
    found = {}
    for entry in stage_entry().get("params", []):
        for file, places in (entry if isinstance(entry, dict) else {ROOT: [entry]}).items():
            values = read(file)
            for place in places:
                _copy(values, found, place.split("."))
    return Declared(found)


@cache
def stage_entry() -> dict:
    """The running stage's resolved entry of its dvc.yaml: cmd, deps, params, outs. Raises ValueError outside of DVC."""
    from dvc.parsing import DataResolver
    from dvc.repo import Repo

    name = os.environ.get("DVC_STAGE")
    if not name:
        raise ValueError("no stage is running: use `dvc repro <stage>`, which tells the script its name and parameters")
    file, _, stage = name.rpartition(":")
    folder = str(Path(file).parent) if file else ""
    [entry] = DataResolver(Repo(), folder, read(file or "dvc.yaml")).resolve_one(stage).values()
    return entry


class Declared(dict):
    """A mapping in which a key that is not there is one clear error."""

    def __init__(self, values: dict, where: str = ""):
        super().__init__({key: _wrap(value, f"{where}{key}.") for key, value in values.items()})
        self.where = where

    def __missing__(self, key):
        raise ValueError(
            f"'{self.where}{key}' is not among the parameters that this stage declares: add it to the stage's `params` in "
            "its dvc.yaml, or to the parameters file"
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
