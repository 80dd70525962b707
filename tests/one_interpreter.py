"""Run stages of the pipeline in the order of its graph inside one interpreter: `python -m tests.one_interpreter <name> …`.

A process a stage, as DVC runs them, costs seconds of imports each, and so does a `dvc commit` that rewrites dvc.lock for each stage: here
what all stages wrote is recorded at the end, at once.
"""
import importlib
import os
import shlex
import sys

import networkx
from dvc.repo import Repo
from dvc.stage.serialize import to_single_stage_lockfile
from dvc.utils.serialize import dump_yaml, load_yaml

import stages


def main(*wanted):
    repo = Repo()
    stages.declared_params = lambda: declared(repo, os.environ["DVC_STAGE"])  # the same answer without reading the files for each stage
    names = [stage.addressing for stage in networkx.dfs_postorder_nodes(repo.index.graph) if stage.addressing in wanted]
    known = {stage.addressing: stage for stage in repo.index.stages}
    for name in names:
        python, module, script, *arguments = shlex.split(known[name].cmd)
        assert (python, module) == ("python", "-m"), known[name].cmd
        os.environ["DVC_STAGE"] = name
        print(name, flush=True)
        importlib.import_module(f"{script}.__main__" if script in ("stages.plot", "stages.claims") else script).main(*arguments)
    lock = load_yaml("dvc.lock")
    with repo.lock:
        for name in names:
            known[name].save()
            known[name].commit()
            lock["stages"][name] = to_single_stage_lockfile(known[name])
    dump_yaml("dvc.lock", lock)


def declared(repo, name):
    found = {}
    for file in repo.params.show(stages=[name])[""]["data"].values():
        found |= file["data"]
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
