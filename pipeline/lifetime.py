"""How a stage lives and ends: one line for bad input, no orphan when DVC is killed, reproducible arithmetic.

Imports the standard library alone, so that the watch on DVC begins before anything that takes time to import.
"""

import os
import select
import signal
import sys
import threading
from functools import wraps
from pathlib import Path


def stage(function):
    """Make ``function(*argv)`` a stage: bad input ends it with one line and exit status 1."""

    @wraps(function)
    def main(*arguments):
        deterministic()
        try:
            _refuse_arguments(function, arguments)
            function(*arguments)
        except (ValueError, OSError) as error:
            if os.environ.get("WIDE_TRACEBACK"):
                raise
            sys.exit(f"error: {error}")

    return main


def _refuse_arguments(function, arguments):
    """Raise ValueError with the usage where a stage is called with too many or too few words."""
    import inspect

    signature = inspect.signature(function)
    try:
        signature.bind(*arguments)
    except TypeError:
        words = [
            f"[<{name}> …]" if parameter.kind is parameter.VAR_POSITIONAL
            else f"[<{name}>]" if parameter.default is not parameter.empty
            else f"<{name}>"
            for name, parameter in signature.parameters.items()
        ]  # fmt: skip
        module = function.__module__
        if module == "__main__":
            module = getattr(sys.modules["__main__"].__spec__, "name", module).removesuffix(".__main__")
        usage = " ".join(["python -m", module, *words])
        raise ValueError(f"wrong arguments {' '.join(map(str, arguments)) or '(none)'}; usage: {usage}") from None


def watch():
    """End this process when the DVC that started it ends, however it does; at once where it is gone already (Linux).

    A killed `dvc repro` must not leave its training running beside the next one; elsewhere the lock on the checkpoints guards.
    """
    if sys.platform == "linux" and os.environ.get("DVC_STAGE") and "pytest" not in sys.modules:
        for ancestor in _up_to_dvc(os.getppid()):
            die_with(ancestor)


def die_with(pid: int):
    """End this process when that one ends (Linux). SystemExit where it has ended: process 1 takes the orphans."""
    if sys.platform != "linux":
        return
    try:
        if pid <= 1 and b"dvc" not in Path("/proc/1/cmdline").read_bytes():  # in a container DVC may be process 1
            raise ProcessLookupError
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        sys.exit("error: the process that started this one is gone")
    threading.Thread(target=_die_after, args=(descriptor,), daemon=True).start()


def _up_to_dvc(pid: int) -> list[int]:
    """The processes from the parent up to DVC.

    DVC runs a command by `$SHELL -c`. Some shells become the command, others (dash) stay between it and DVC and outlive a
    killed DVC, so both are watched.
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return [pid]
    return [pid, *_up_to_dvc(parent)] if b"-c" in words[1:4] else [pid]


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
