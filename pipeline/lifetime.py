"""How a stage lives and ends: one line for bad input, no orphan of a killed DVC, reproducible arithmetic.

Imports the standard library alone, so that the watch on DVC begins before anything that takes time to import.
"""

import inspect
import os
import select
import signal
import sys
import threading
import time
from contextlib import suppress
from functools import wraps
from pathlib import Path


def stage(function):
    """Make ``function(*argv)`` a stage: bad input ends it with one line and exit status 1.

    Bad input is ValueError and OSError, and a wrong number of arguments; with WIDE_TRACEBACK set they are
    raised instead.
    """

    @wraps(function)
    def main(*arguments):
        deterministic()
        started = time.monotonic()
        try:
            _refuse_arguments(function, arguments)
            function(*arguments)
            with suppress(ValueError, OSError):  # hours of work must not fail for a note
                _record(function, arguments, time.monotonic() - started)
        except (ValueError, OSError) as error:
            if os.environ.get("WIDE_TRACEBACK"):
                raise
            sys.exit(f"error: {' '.join(str(error).split()) or type(error).__name__}")

    return main


def _record(function, arguments, seconds: float):
    """Note how long a paper's stage took, for `make plan`: in git, no dependency and no metric."""
    where = inspect.signature(function).bind(*arguments).arguments
    name = os.environ.get("DVC_STAGE")
    if not name or not {"paper", "study", "scale"} <= set(where):  # redrawing leaves a clone as it was
        return
    from pipeline import devices, parameters  # torch among what they import, which stages have by now
    from wide import artifacts

    path = artifacts.timing(where["scale"], where["paper"])
    took = artifacts.load_numbers(path) if path.exists() else {}
    width = parameters.read(parameters.ROOT).get("width")
    took[name.rpartition(":")[2]] = {"seconds": seconds, "width": width, "device": devices.name()}
    artifacts.save_numbers(path, took)


def _refuse_arguments(function, arguments):
    """Raise ValueError with the usage where a stage is called with too many or too few words."""
    signature = inspect.signature(function)
    try:
        signature.bind(*arguments)
    except TypeError:
        words = " ".join(map(_usage, signature.parameters.values()))
        given = " ".join(map(str, arguments)) or "(none)"
        usage = f"python -m {_module_of(function)} {words}".rstrip()
        raise ValueError(f"wrong arguments {given}; usage: {usage}") from None


def _usage(parameter) -> str:
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"[<{parameter.name}> …]"
    return f"<{parameter.name}>" if parameter.default is parameter.empty else f"[<{parameter.name}>]"


def _module_of(function) -> str:
    """The module as `python -m` takes it."""
    if function.__module__ != "__main__":
        return function.__module__.removesuffix(".__main__")
    return getattr(sys.modules["__main__"].__spec__, "name", "__main__").removesuffix(".__main__")


def watch():
    """End this process when the DVC that started it ends, however it does; at once where it is gone (Linux).

    A killed `dvc repro` must not leave its training running beside the next one; elsewhere the lock on the
    checkpoints guards.
    """
    if sys.platform == "linux" and os.environ.get("DVC_STAGE") and "pytest" not in sys.modules:
        for ancestor in _up_to_dvc(os.getppid()):
            die_with(ancestor)


def die_with(pid: int):
    """End this process when that one, its parent or a parent's parent, ends (Linux).

    SystemExit where it has ended already: then process 1 or another that collects orphans is in its place.
    """
    if sys.platform != "linux":
        return
    try:
        if _collects_orphans(pid):
            raise ProcessLookupError
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        sys.exit("error: the process that started this one is gone")
    except OSError:  # a kernel without pidfd: as elsewhere, the lock on the checkpoints guards
        return
    threading.Thread(target=_die_after, args=(descriptor,), daemon=True).start()


def _collects_orphans(pid: int) -> bool:
    """Whether an ancestor is none that started this process: children stay in the session of their parent.

    Process 1 may share the session in a container, where it may also be DVC itself.
    """
    if pid <= 1:
        return b"dvc" not in Path("/proc/1/cmdline").read_bytes()
    return os.getsid(pid) != os.getsid(0)


def _up_to_dvc(pid: int) -> list[int]:
    """The processes from the parent up to DVC.

    DVC runs a command by `$SHELL -c`. Some shells become the command, others (dash) stay between it and DVC
    and outlive a killed DVC, so both are watched. DVC names the stage to what it starts, and not to itself.
    """
    try:
        named = b"\0DVC_STAGE=" in b"\0" + Path(f"/proc/{pid}/environ").read_bytes()
        parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return [pid]
    return [pid, *_up_to_dvc(parent)] if named else [pid]


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
