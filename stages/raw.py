"""Official files: found in data/raw, or downloaded there, and never read before their checksum is verified."""
import hashlib
import shutil
import socket
from pathlib import Path

from torchvision import datasets

RAW = Path("data/raw")
# md5 of MNIST's unpacked files, which torchvision reads unchecked; the packed ones' stand in torchvision, as do CIFAR's.
MNIST_UNPACKED = [
    ("train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb"), ("train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624"),
    ("t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea"), ("t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637"),
]


def _cifar(cls):
    return [(f"{cls.base_folder}/{name}", md5) for name, md5 in
            [*cls.train_list, *cls.test_list, (cls.meta["filename"], cls.meta["md5"])]]


SOURCES = {  # set: (torchvision's class, files read, files that are as good because torchvision unpacks them)
    "MNIST": (datasets.MNIST, [(f"MNIST/raw/{name}", md5) for name, md5 in MNIST_UNPACKED],
              [(f"MNIST/raw/{name}", md5) for name, md5 in datasets.MNIST.resources]),
    "CIFAR10": (datasets.CIFAR10, _cifar(datasets.CIFAR10), []),
    "CIFAR100": (datasets.CIFAR100, _cifar(datasets.CIFAR100), []),
}


def official(name: str):
    """(train, test) of torchvision's data set ``name``. ValueError in one line for a damaged file or one not to be had."""
    cls, files, packed = SOURCES[name]
    _refuse_damage([*files, *packed])
    if not _all_there(files):
        _unpack_or_download(cls, name, files, packed)
        _refuse_damage(files)
    return cls(RAW, train=True, download=False), cls(RAW, train=False, download=False)


def available(name: str, seconds: float = 5) -> bool:
    """Whether the set is in data/raw or its source answers: what `make repro` asks before it chooses a scale."""
    cls, files, packed = SOURCES[name]
    if _all_there(files) or packed and _all_there(packed):
        return True
    host = (cls.mirrors[0] if hasattr(cls, "mirrors") else cls.url).split("/")[2]
    try:
        socket.create_connection((host, 443), timeout=seconds).close()
        return True
    except OSError:
        return False


def file_md5(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _all_there(files) -> bool:
    return all((RAW / name).exists() for name, _ in files)


def _refuse_damage(files):
    for name, expected in files:
        if (RAW / name).exists() and (found := file_md5(RAW / name)) != expected:
            raise ValueError(f"{RAW / name} is damaged: its md5 is {found}, the official file's is {expected}; "
                             "delete it to have it downloaded, or put the official file there")


def _unpack_or_download(cls, name, files, packed):
    """torchvision does both; into a folder of its own, so that a kill half-way leaves nothing in data/raw that looks whole."""
    part = RAW / ".download" / name
    shutil.rmtree(part, ignore_errors=True)
    for file, _ in packed:
        if (RAW / file).exists():
            (part / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(RAW / file, part / file)
    socket.setdefaulttimeout(30)
    try:
        cls(part, download=True)
    except (RuntimeError, OSError) as error:
        shutil.rmtree(part, ignore_errors=True)
        missing = [file for file, _ in files if not (RAW / file).exists()]
        raise ValueError(f"{name} is not to be had: {missing[0]} is not in {RAW}/ and the download failed ({_short(error)}). Ways "
                         f"out: connect a network; put the official files into {RAW}/ as torchvision lays them out; or run on "
                         "embedded stand-ins with `dvc exp run -S scale=smoke`") from error
    for file, _ in [*files, *packed]:
        if (part / file).exists():
            (RAW / file).parent.mkdir(parents=True, exist_ok=True)
            (part / file).replace(RAW / file)
    shutil.rmtree(part, ignore_errors=True)


def _short(error) -> str:
    return str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
