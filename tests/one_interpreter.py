"""Run stages of the pipeline in the order of its graph inside one interpreter: `python one_interpreter.py
<name> …`.

A process a stage, as DVC runs them, costs seconds of imports each, and so does a `dvc commit` that rewrites a
lock for each stage: here what all stages wrote is recorded at the end, at once.
"""

import importlib
import os
import shlex
import sys
from functools import cache
from pathlib import Path

import networkx
from dvc.parsing import DataResolver
from dvc.repo import Repo
from dvc.stage.serialize import to_single_stage_lockfile
from dvc.utils.serialize import dump_yaml, load_yaml

from pipeline import parameters

parameters.read = cache(parameters.read)


@cache
def resolver(repo, file):
    return DataResolver(repo, str(Path(file).parent) if Path(file).parent.name else "", parameters.read(file))


def main(*wanted):
    repo = Repo()

    def stage_entry():
        file, _, stage = os.environ["DVC_STAGE"].rpartition(":")
        [entry] = resolver(repo, file or "dvc.yaml").resolve_one(stage).values()
        return entry

    parameters.stage_entry = stage_entry  # the same answer without making a resolver for each stage
    stages = [stage for stage in networkx.dfs_postorder_nodes(repo.index.graph) if stage.addressing in wanted]
    for stage in stages:
        run(stage)
    record(repo, stages)


def run(stage):
    """What the stage's command runs, here."""
    python, module, script, *arguments = shlex.split(stage.cmd)
    assert (python, module) == ("python", "-m"), stage.cmd
    os.environ["DVC_STAGE"] = stage.addressing
    print(stage.addressing, flush=True)
    importlib.import_module(f"{script}.__main__" if script == "stages.plot" else script).main(*arguments)


def record(repo, stages):
    """Write the locks as DVC would have."""
    locks = {}
    with repo.lock:
        for stage in stages:
            stage.save()
            stage.commit()
            path = Path(stage.path).with_suffix(".lock")
            locks.setdefault(path, {})[stage.name] = to_single_stage_lockfile(stage)
    for path, entries in locks.items():
        lock = load_yaml(path) if path.exists() else {"schema": "2.0", "stages": {}}
        lock["stages"] |= entries
        dump_yaml(path, lock)


if __name__ == "__main__":
    main(*sys.argv[1:])
