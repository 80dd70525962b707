"""DVC's copies of outputs: one that is linked to its output is damaged with it, and brings it back."""

import hashlib
import os
from pathlib import Path

from pipeline.locks import lock_files
from pipeline.parameters import read


def forget(path: str, cache: Path) -> list[Path]:
    """Remove an output, and its copies in DVC's cache unless they are whole and other than what was removed.

    path: of the output, from the repository's root. cache: DVC's folder of objects (…/files/md5).
    Returns what was removed. Raises ValueError for what no lock records as an output, and for a folder.
    """
    file = Path(os.path.relpath(os.path.abspath(path)))
    if file.is_dir():
        raise ValueError(f"{file} is a folder: name one file in it")
    copies = [cache / md5[:2] / md5[2:] for md5 in recorded(file.as_posix())] + _linked(file, cache)
    if not copies:
        raise ValueError(f"{file} is no output that a dvc.lock records: delete it yourself, if it is to go")
    removed = [copy for copy in copies if copy.exists() and not _worth_keeping(copy, file)]
    removed += [file] if file.exists() or file.is_symlink() else []
    for found in removed:
        found.unlink(missing_ok=True)  # a copy may be there twice, as recorded and as linked
    return list(dict.fromkeys(removed))


def recorded(name: str) -> list[str]:
    """The md5 of an output by the locks; of an output that several stages or scales record, each.

    name: its path from the repository's root, as stages declare it.
    """
    stages = [stage for lock in lock_files() for stage in read(lock).get("stages", {}).values()]
    outs = [out for stage in stages for out in stage.get("outs", [])]
    return sorted({out["md5"] for out in outs if out["path"] == name and "md5" in out})


def _linked(file: Path, cache: Path) -> list[Path]:
    """The copies that a file is a link to, hard or symbolic."""
    if not file.exists() or file.stat().st_nlink == 1 and not file.is_symlink():
        return []
    return [copy for copy in cache.glob("??/*") if copy.samefile(file)]


def _worth_keeping(copy: Path, file: Path) -> bool:
    """Whether a copy is what its name says, and other than the file that is to go."""
    name = copy.parent.name + copy.name
    return _md5(copy) == name and not (file.exists() and _md5(file) == name)


def _md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
