"""Stages: thin scripts that load, make one call into the library and save. `python -m stages.<name> …` runs one.

What every stage shares is here: the parameters that it declared, and what happens when it fails or is killed.
"""
import ctypes
import os
import signal
import sys
from functools import wraps


def declared_params() -> dict:
    """Parameters that the running stage declares in dvc.yaml, and no others: reading an undeclared one is a KeyError."""
    import dvc.api

    name = os.environ.get("DVC_STAGE")
    if not name:
        raise ValueError("no stage is running: use `dvc repro <stage>`, which tells the script its name and parameters")
    return dvc.api.params_show(stages=name)


def stage(function):
    """Make ``function(*argv)`` a stage: one line for bad input, no orphan when DVC is killed, reproducible arithmetic."""

    @wraps(function)
    def main(*arguments):
        _die_with_parent()
        _deterministic()
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


def _die_with_parent():
    """A killed `dvc repro` must not leave its training running beside the next one (Linux; elsewhere the file lock guards)."""
    if sys.platform == "linux" and os.environ.get("DVC_STAGE") and "pytest" not in sys.modules:
        parents = os.getppid()
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parents:
            sys.exit("error: the process that started this stage is gone")


def _deterministic():
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch = sys.modules.get("torch")
    if torch:
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.benchmark = False
