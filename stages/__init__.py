"""Stages: thin scripts that load, make one call into the library and save. `python -m stages.<name> …` runs one.

What every stage shares is here: the parameters that it declared, and what happens when it fails or is killed.
"""
import os
import select
import signal
import sys
import threading
from functools import cache, wraps
from pathlib import Path


def declared_params() -> dict:
    """Parameters that the running stage declares in dvc.yaml, and no others: reading an undeclared one is a KeyError.

    What dvc.api.params_show(stages=...) answers, in a fifth of a second instead of several: only this stage is resolved, not all.
    """
    from dvc.parsing import DataResolver
    from dvc.repo import Repo

    name = os.environ.get("DVC_STAGE")
    if not name:
        raise ValueError("no stage is running: use `dvc repro <stage>`, which tells the script its name and parameters")
    [entry] = DataResolver(Repo(), "", _yaml("dvc.yaml")).resolve_one(name).values()
    found = {}
    for declared in entry.get("params", []):
        for file, places in (declared if isinstance(declared, dict) else {"params.yaml": [declared]}).items():
            values = _yaml(file)
            for place in places:
                _copy(values, found, place.split("."))
    return found


def _yaml(file):
    from ruamel.yaml import YAML

    return YAML(typ="safe").load(Path(file).read_text())


def _copy(values: dict, found: dict, keys: list):
    *above, last = keys
    for key in above:
        if not isinstance(values, dict) or key not in values:
            return
        values, found = values[key], found.setdefault(key, {})
    if isinstance(values, dict) and last in values:
        found[last] = values[last]


def stage(function):
    """Make ``function(*argv)`` a stage: one line for bad input, no orphan when DVC is killed, reproducible arithmetic."""

    @wraps(function)
    def main(*arguments):
        _die_with_parent()
        deterministic()
        try:
            function(*arguments)
        except (ValueError, OSError) as error:
            if os.environ.get("WIDE_TRACEBACK"):
                raise
            sys.exit(f"error: {error}")
        except KeyError as error:
            if os.environ.get("WIDE_TRACEBACK"):
                raise
            sys.exit(f"error: {error} is not among the parameters that this stage declares in dvc.yaml, or not in params.yaml")

    return main


@cache
def _die_with_parent():
    """A killed `dvc repro` must not leave its training running beside the next one (Linux; elsewhere the file lock guards)."""
    if sys.platform == "linux" and os.environ.get("DVC_STAGE") and "pytest" not in sys.modules:
        for ancestor in _up_to_dvc(os.getppid()):
            die_with(ancestor)


def die_with(pid: int):
    """Ends this process when that one ends, however it does (Linux)."""
    if sys.platform == "linux":
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            sys.exit("error: the process that started this one is gone")
        threading.Thread(target=_die_after, args=(descriptor,), daemon=True).start()


def _up_to_dvc(pid: int) -> list[int]:
    """DVC runs a command by `$SHELL -c`. Some shells become the command, others (dash) stay between it and DVC and outlive a killed DVC."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return [pid]
    return [pid, *_up_to_dvc(parent)] if b"-c" in words[1:4] and parent > 1 else [pid]


def _die_after(descriptor: int):
    ended = select.poll()
    ended.register(descriptor, select.POLLIN)
    ended.poll()
    os.kill(os.getpid(), signal.SIGKILL)


def deterministic():
    """The same numbers from the same GPU or CPU, each time."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch = sys.modules.get("torch")
    if torch:
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.benchmark = False
