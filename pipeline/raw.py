"""Official files: found in data/raw, or downloaded there, and never read before their checksum is verified.

Which files a data set has is said in its module (`pipeline.sets`); here is what all have in common. Folders
of images carry no
checksums of their own once they are unpacked: of these each image is decoded to its end.
"""

import hashlib
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from pipeline.folder import raw_folder

Files = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Source:
    """Where official files come from.

    name: what messages call it.
    cls: called as ``cls(folder, download=True)`` it puts the files into a folder, as torchvision's data
        sets do; its ``url``, or the first of its ``mirrors``, is where it downloads them from.
    files: what is read, as (path below data/raw, md5); a folder has None for an md5.
    packed: what is as good, since ``cls`` unpacks it without a download.
    """

    name: str
    cls: type
    files: Files
    packed: Files = ()


def cifar_files(cls) -> Files:
    """Paths below data/raw and md5 of a CIFAR, as they stand in torchvision's class of it."""
    meta = (cls.meta["filename"], cls.meta["md5"])
    return tuple((f"{cls.base_folder}/{name}", md5) for name, md5 in (*cls.train_list, *cls.test_list, meta))


def official(source: Source) -> tuple:
    """(train, test) of a torchvision data set.

    Raises ValueError in one line for a damaged file or one that is not to be had.
    """
    have(source)
    return tuple(source.cls(raw_folder(), train=train, download=False) for train in (True, False))


def have(source: Source):
    """See to it that a source's files are in data/raw and undamaged.

    Raises ValueError in one line where they are not, and cannot be had.
    """
    _refuse_damage((*source.files, *source.packed))
    if not _all_there(source.files):
        _unpack_or_download(source)
        _refuse_damage(source.files)


def available(source: Source, seconds: float = 5) -> bool:
    """Whether the files are in data/raw or their source answers: `make repro` asks, to choose a scale."""
    if _all_there(source.files) or source.packed and _all_there(source.packed):
        return True
    address = source.cls.mirrors[0] if hasattr(source.cls, "mirrors") else source.cls.url
    try:
        socket.create_connection((address.split("/")[2], 443), timeout=seconds).close()
        return True
    except OSError:
        return False


def verified(source: Source, name: str) -> bytes:
    """A file's content, which is the official one to the last bit. Raises ValueError where it is not.

    name: below data/raw, one of the source's files with an md5.
    """
    content = (raw_folder() / name).read_bytes()
    _refuse_another(name, hashlib.md5(content).hexdigest(), dict(source.files)[name])
    return content


def text(path: Path) -> str:
    """A text file in a data set's folder below data/raw. Raises ValueError where it is missing."""
    if not path.is_file():
        raise ValueError(f"{path} is missing: {again(path.parent)}")
    return path.read_text(encoding="utf-8")


def again(folder: Path, download: bool = True) -> str:
    """What to do about an incomplete folder below data/raw. download: whether that is a way out, too."""
    top = raw_folder() / folder.relative_to(raw_folder()).parts[0]
    other = ", or remove it to have it downloaded" if download else ""
    return f"complete {top} from the official archive{other}"


def _all_there(files: Files) -> bool:
    return all((raw_folder() / name).exists() for name, _ in files)


def _refuse_damage(files: Files):
    for name, expected in files:
        path = raw_folder() / name
        if expected and path.exists():
            with open(path, "rb") as file:
                _refuse_another(name, hashlib.file_digest(file, "md5").hexdigest(), expected)


def _refuse_another(name: str, found: str, expected: str):
    if found != expected:
        raise ValueError(
            f"{raw_folder() / name} is damaged: its md5 is {found}, the official file's is {expected}; "
            "delete it to have it downloaded, or put the official file there"
        )


def _unpack_or_download(source: Source):
    """Into a folder of its own, so that a kill half-way leaves nothing that looks whole."""
    raw = raw_folder()
    part = raw / ".download" / source.name
    shutil.rmtree(part, ignore_errors=True)
    _copy_existing(source.packed, part)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(30)
    try:
        source.cls(part, download=True)
    except (RuntimeError, OSError) as error:
        shutil.rmtree(part, ignore_errors=True)
        raise _not_to_be_had(source, error) from error
    finally:
        socket.setdefaulttimeout(before)
    for file, _ in (*source.files, *source.packed):
        if (part / file).exists():
            (raw / file).parent.mkdir(parents=True, exist_ok=True)
            (part / file).replace(raw / file)
    shutil.rmtree(part, ignore_errors=True)


def _copy_existing(files: Files, target: Path):
    for file, _ in files:
        if (raw_folder() / file).exists():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(raw_folder() / file, target / file)


def _not_to_be_had(source: Source, error: Exception) -> ValueError:
    raw = raw_folder()
    missing = next(file for file, _ in source.files if not (raw / file).exists())
    return ValueError(
        f"{source.name} is not to be had: {missing} is not in {raw}/ and the download failed "
        f"({_short(error)}). Ways out: connect a network; put the official files into {raw}/ as torchvision "
        "or the publisher lays them out (data/README.md), or name the folder that has them in WIDE_RAW; or "
        "run on embedded stand-ins with `dvc exp run -S scale=smoke`"
    )


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:120] if lines else type(error).__name__
