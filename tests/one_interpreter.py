"""Run stages of the pipeline in the order of its graph inside one interpreter: `python -m tests.one_interpreter <name> …`.

A process a stage, as DVC runs them, costs seconds of imports each. What a stage writes is recorded afterwards by `dvc commit`.
"""
import importlib
import os
import shlex
import sys

import dvc.api
import networkx
from dvc.repo import Repo


def main(*wanted):
    repo = Repo()
    dvc.api.params_show = lambda stages: declared(repo, stages)  # the same answer without opening the repository for each stage
    names = [stage.addressing for stage in networkx.dfs_postorder_nodes(repo.index.graph) if stage.addressing in wanted]
    commands = {stage.addressing: stage.cmd for stage in repo.index.stages}
    for name in names:
        python, module, script, *arguments = shlex.split(commands[name])
        assert (python, module) == ("python", "-m"), commands[name]
        os.environ["DVC_STAGE"] = name
        print(name, flush=True)
        importlib.import_module(f"{script}.__main__" if script in ("stages.plot", "stages.claims") else script).main(*arguments)


def declared(repo, name):
    found = {}
    for file in repo.params.show(stages=[name])[""]["data"].values():
        found |= file["data"]
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
