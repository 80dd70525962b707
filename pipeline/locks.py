"""dvc.lock files that cannot be read any more: DVC writes them in place, and a kill leaves half of one."""

import subprocess
from pathlib import Path

from pipeline.parameters import PAPERS, read


def lock_files() -> list[Path]:
    """The lock of what all papers share, and one lock a paper, those that are there."""
    return [path for path in (Path("dvc.lock"), *sorted(PAPERS.glob("*/dvc.lock"))) if path.exists()]


def problem(path: Path) -> str | None:
    """Why DVC would refuse a lock, in one line; None for one that it reads."""
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from voluptuous import Error

    try:
        COMPILED_LOCKFILE_SCHEMA(read(path))
    except (ValueError, Error) as error:
        return " ".join(str(error).removeprefix(str(path)).strip(" ,").split())
    return None


def restore() -> list[str]:
    """Bring unreadable locks back from git. Returns a line for each.

    Raises ValueError for one that git cannot bring back, and leaves that as it is.
    """
    return [_restore(path, wrong) for path in lock_files() if (wrong := problem(path))]


def _restore(path: Path, wrong: str) -> str:
    if not _git("ls-files", "--error-unmatch", "--", path):
        raise ValueError(
            f"{path} is unreadable ({wrong}), and git has no version of it: delete it and run `dvc repro`, "
            "which takes what it can from DVC's run cache"
        )
    if not _git("checkout", "--", path) or problem(path):
        raise ValueError(
            f"{path} is unreadable ({wrong}), and so is git's version of it, or git could not write it: "
            f"take an older one with `git checkout <commit> -- {path}`"
        )
    return f"{path} was unreadable ({wrong}): restored from git; what ran since comes from DVC's run cache"


def _git(*words) -> bool:
    """Whether git carried a command out; it did not where there is no git."""
    try:
        return subprocess.run(["git", *words], capture_output=True).returncode == 0
    except OSError:
        return False
