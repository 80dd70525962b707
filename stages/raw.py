"""Official files: found in data/raw, or downloaded there, and never read before their checksum is verified.

Folders of images carry no checksums of their own once they are unpacked: of these each image is decoded to its end.
"""
import hashlib
import os
import shutil
import socket
from pathlib import Path

import numpy as np
from torchvision import datasets
from torchvision.datasets.utils import download_and_extract_archive, download_url

from stages.folder import stacked

RAW = Path("data/raw")
# md5 of MNIST's unpacked files, which torchvision reads unchecked; the packed ones' stand in torchvision, as do CIFAR's.
MNIST_UNPACKED = [
    ("train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb"), ("train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624"),
    ("t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea"), ("t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637"),
]
TINY, IMAGENET = "tiny-imagenet-200", "imagenet"
SYNSETS = [("imagenet/wordnet.is_a.txt", "26d5d2bf0f43a269950ae5f551dfadbd"), ("imagenet/words.txt", "56b81e64546942b54a5946f584dba635")]


class TinyImageNet:
    """Downloads Tiny-ImageNet-200 into a folder, as torchvision's classes do theirs."""
    url, md5 = f"https://cs231n.stanford.edu/{TINY}.zip", "90528d7ca1a48142e341f4ef8d21d0de"

    def __init__(self, root, download: bool):
        download_and_extract_archive(self.url, root, md5=self.md5, remove_finished=True)


class WordNet:
    """Downloads ImageNet's tables of synsets into a folder: which is a kind of which, and their words."""
    url = "https://image-net.org/data/"

    def __init__(self, root, download: bool):
        for name, md5 in SYNSETS:
            download_url(self.url + Path(name).name, root / IMAGENET, md5=md5)


def _cifar(cls):
    return [(f"{cls.base_folder}/{name}", md5) for name, md5 in
            [*cls.train_list, *cls.test_list, (cls.meta["filename"], cls.meta["md5"])]]


SOURCES = {  # set: (class that downloads it, what is read, packed files that are as good); None: a folder, it has no md5
    "MNIST": (datasets.MNIST, [(f"MNIST/raw/{name}", md5) for name, md5 in MNIST_UNPACKED],
              [(f"MNIST/raw/{name}", md5) for name, md5 in datasets.MNIST.resources]),
    "CIFAR10": (datasets.CIFAR10, _cifar(datasets.CIFAR10), []),
    "CIFAR100": (datasets.CIFAR100, _cifar(datasets.CIFAR100), []),
    "Tiny-ImageNet-200": (TinyImageNet, [(TINY, None)], [(f"{TINY}.zip", TinyImageNet.md5)]),
    "WordNet": (WordNet, SYNSETS, []),
}


def official(name: str):
    """(train, test) of torchvision's data set ``name``. ValueError in one line for a damaged file or one not to be had."""
    cls = _have(name)
    return cls(RAW, train=True, download=False), cls(RAW, train=False, download=False)


def tiny_imagenet() -> tuple[list, dict]:
    """(wnids, sorted; {split: (images uint8 (examples, 3, 64, 64), classes int64, places in wnids)}) of Tiny-ImageNet-200.

    The publisher's validation images are the test set: labels of its own test images are not public. A folder with fewer images
    than the official 500 and 50 a class is accepted. ValueError in one line for a class without images, an image without a label,
    or one that cannot be decoded.
    """
    _have("Tiny-ImageNet-200")
    folder = RAW / TINY
    wnids = sorted(_text(folder / "wnids.txt").split())
    number = {wnid: label for label, wnid in enumerate(wnids)}
    train = [(path, label) for wnid, label in number.items() for path in _jpegs(folder / "train" / wnid / "images")]
    annotated = dict(line.split("\t")[:2] for line in _text(folder / "val" / "val_annotations.txt").splitlines())
    test = [(path, number.get(annotated.get(os.path.basename(path)))) for path in _jpegs(folder / "val" / "images")]
    for path, label in test:
        if label is None:
            raise ValueError(f"{path} has no class of wnids.txt in val_annotations.txt: {_again(folder)}")
    return wnids, {split: (stacked([path for path, _ in pairs], 64), np.array([label for _, label in pairs]))
                   for split, pairs in (("train", train), ("test", test))}


def imagenet() -> tuple[list, dict]:
    """(wnids, sorted; {split: (paths, classes int64, places in wnids)}) of ImageNet's files, of which none is opened.

    ImageNet's validation images are the test set. ValueError in one line where the files are not.
    """
    folders = {"train": RAW / IMAGENET / "train", "test": RAW / IMAGENET / "val"}
    if not all(folder.is_dir() for folder in folders.values()):
        raise ValueError(f"ImageNet is not in {RAW / IMAGENET}: put it there as train/<wnid>/*.JPEG and val/<wnid>/*.JPEG, as "
                         "torchvision.datasets.ImageNet unpacks the official archives; it cannot be downloaded without an account at "
                         "image-net.org. Scales quick and gpu use Tiny-ImageNet-200 instead")
    wnids, held = (sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()) for folder in folders.values())
    if wnids != held or not wnids:
        raise ValueError(f"{RAW / IMAGENET} has {len(wnids)} classes in train/ and {len(held)} in val/, and they must be the same: "
                         f"{_again(folders['train'])}")
    splits = {}
    for split, folder in folders.items():
        paths = [_jpegs(folder / wnid) for wnid in wnids]
        splits[split] = [path for some in paths for path in some], np.repeat(np.arange(len(wnids)), [len(some) for some in paths])
    return wnids, splits


def wordnet() -> tuple[dict, dict]:
    """({synset: [synsets that it is a kind of]}, {synset: its words}) by ImageNet's own tables."""
    _have("WordNet")
    is_a, words = (_text(RAW / name) for name, _ in SYNSETS)
    parents = {}
    for parent, child in map(str.split, is_a.splitlines()):
        parents.setdefault(child, []).append(parent)
    return parents, dict(line.split("\t") for line in words.splitlines())


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


def _text(path: Path) -> str:
    if not path.is_file():
        raise ValueError(f"{path} is missing: {_again(path.parent)}")
    return path.read_text(encoding="utf-8")


def _jpegs(folder: Path) -> list[str]:
    """Sorted paths; strings, as ImageNet has 1.3 million."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(".JPEG")) if folder.is_dir() else []
    if not names:
        raise ValueError(f"{folder} holds no images (*.JPEG): {_again(folder)}")
    return [f"{folder}/{name}" for name in names]


def _again(folder: Path) -> str:
    top = RAW / folder.relative_to(RAW).parts[0]
    return f"complete {top} from the official archive" + ("" if top.name == IMAGENET else ", or remove it to have it downloaded")


def _have(name: str):
    """See to it that the files of ``name`` are in data/raw and undamaged; its class."""
    cls, files, packed = SOURCES[name]
    _refuse_damage([*files, *packed])
    if not _all_there(files):
        _unpack_or_download(cls, name, files, packed)
        _refuse_damage(files)
    return cls


def _all_there(files) -> bool:
    return all((RAW / name).exists() for name, _ in files)


def _refuse_damage(files):
    for name, expected in files:
        if expected and (RAW / name).exists() and (found := file_md5(RAW / name)) != expected:
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
                         f"out: connect a network; put the official files into {RAW}/ as torchvision or the publisher lays them out; or "
                         "run on embedded stand-ins with `dvc exp run -S scale=smoke`") from error
    for file, _ in [*files, *packed]:
        if (part / file).exists():
            (RAW / file).parent.mkdir(parents=True, exist_ok=True)
            (part / file).replace(RAW / file)
    shutil.rmtree(part, ignore_errors=True)


def _short(error) -> str:
    return str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
