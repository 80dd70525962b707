"""ImageNet (ILSVRC2012) at scale paper; Tiny-ImageNet-200 with ImageNet's own synsets stands in for it below.

Classes are numbered in the order of their wnids.
"""

import os
from pathlib import Path

import numpy as np

from pipeline import embedded, raw
from pipeline.folder import RAW, raw_folder, stacked
from pipeline.sets import Card

# At paper `image` is what a network sees; trainings decode images at 256 pixels, of which they take parts.
CARD = Card(
    examples={"train": 100_000, "test": 10_000},
    image=(3, 64, 64),
    classes={"class": 200},
    fewer=True,
    at={
        "smoke": {"examples": {"train": 500, "test": 100}, "classes": {"class": 20}, "fewer": False},
        "paper": {
            "examples": {"train": 1_281_167, "test": 50_000},
            "classes": {"class": 1000},
            "image": (3, 224, 224),
        },
    },
)

FOLDER, TINY_FOLDER = "imagenet", "tiny-imagenet-200"
SYNSETS = (
    (f"{FOLDER}/wordnet.is_a.txt", "26d5d2bf0f43a269950ae5f551dfadbd"),
    (f"{FOLDER}/words.txt", "56b81e64546942b54a5946f584dba635"),
)


class TinyImageNet:
    """Downloads Tiny-ImageNet-200 into a folder, as torchvision's classes do theirs."""

    url, md5 = f"https://cs231n.stanford.edu/{TINY_FOLDER}.zip", "90528d7ca1a48142e341f4ef8d21d0de"

    def __init__(self, root, download: bool):
        from torchvision.datasets.utils import download_and_extract_archive  # slow to import

        download_and_extract_archive(self.url, root, md5=self.md5, remove_finished=True)


class WordNet:
    """Downloads ImageNet's tables of synsets into a folder: which is a kind of which, and their words."""

    url = "https://image-net.org/data/"

    def __init__(self, root, download: bool):
        from torchvision.datasets.utils import download_url  # slow to import

        for name, md5 in SYNSETS:
            download_url(self.url + Path(name).name, root / FOLDER, md5=md5)


TINY = raw.Source(
    "Tiny-ImageNet-200",
    TinyImageNet,
    files=((TINY_FOLDER, None),),
    packed=((f"{TINY_FOLDER}.zip", TinyImageNet.md5),),
)
WORDNET = raw.Source("WordNet", WordNet, files=SYNSETS)


def sources() -> tuple[raw.Source, ...]:
    """What stands in below scale paper, and the tables of synsets. ImageNet itself cannot be downloaded."""
    return (TINY, WORDNET)


def make(smoke: bool) -> tuple[dict, dict]:
    """Tiny-ImageNet-200: 64 x 64 images of 200 of ImageNet's classes; generated images of 20 at smoke."""
    if smoke:
        wnids, parents, words = embedded.synsets()
        splits = embedded.texture_splits(len(wnids), "class", 500, 100, 64)
        return splits, synsets_above(wnids, parents, words)
    wnids, splits = tiny_imagenet()
    about = {"source": "Tiny-ImageNet-200, which stands in for ImageNet"}
    return splits, about | synsets_above(wnids, *wordnet())


def index() -> tuple[dict, dict]:
    """ImageNet's files, not its images, which are more than memory holds: training decodes them as it goes.

    They are listed as data/raw/imagenet/…, wherever they lie, so that the list is the same on every machine.
    """
    wnids, splits = imagenet()
    for data in splits.values():
        data["path"] = _fixed_width(data["path"])
    about = {"source": f"ImageNet, read from {RAW / FOLDER} as it is used"}
    return splits, about | synsets_above(wnids, *wordnet())


def tiny_imagenet() -> tuple[list, dict]:
    """(wnids; {split: {"images": uint8 (examples, 3, 64, 64), "class": int64}}) of Tiny-ImageNet-200.

    The publisher's validation images are the test set: labels of its own test images are not public. A
    folder with fewer images than the official 500 and 50 a class is accepted. Raises ValueError in one line
    for a class without images, an image without a label, or one that cannot be decoded.
    """
    raw.have(TINY)
    folder = raw_folder() / TINY_FOLDER
    wnids = sorted(raw.text(folder / "wnids.txt").split())
    number = {wnid: label for label, wnid in enumerate(wnids)}
    train = [(path, number[wnid]) for wnid in wnids for path in _jpegs(folder / "train" / wnid / "images")]
    rows = raw.text(folder / "val" / "val_annotations.txt").splitlines()
    wnid_of = dict(row.split("\t")[:2] for row in rows)
    test = [(path, number.get(wnid_of.get(Path(path).name))) for path in _jpegs(folder / "val" / "images")]
    for path, label in test:
        if label is None:
            raise ValueError(f"{path} has no class of wnids.txt in val_annotations.txt: {raw.again(folder)}")
    return wnids, {"train": _decoded(train), "test": _decoded(test)}


def imagenet() -> tuple[list, dict]:
    """(wnids; {split: {"path": strings, "class": int64}}) of ImageNet's files, of which none is opened.

    ImageNet's validation images are the test set. Raises ValueError in one line where the files are absent.
    """
    top = raw_folder() / FOLDER
    folders = {"train": top / "train", "test": top / "val"}
    if not all(folder.is_dir() for folder in folders.values()):
        raise ValueError(
            f"ImageNet is not in {top}: put it there as train/<wnid>/*.JPEG and val/<wnid>/*.JPEG, as "
            "torchvision.datasets.ImageNet unpacks the official archives; it cannot be downloaded without an "
            "account at image-net.org. Scales quick and gpu use Tiny-ImageNet-200 instead"
        )
    wnids, held = (_subfolders(folder) for folder in folders.values())
    if wnids != held or not wnids:
        raise ValueError(
            f"{top} has {len(wnids)} classes in train/ and {len(held)} in val/, and they must be the same: "
            f"{raw.again(top, download=False)}"
        )
    splits = {}
    for split, folder in folders.items():
        paths = [_jpegs(folder / wnid) for wnid in wnids]
        labels = np.repeat(np.arange(len(wnids)), [len(some) for some in paths])
        splits[split] = {"path": [path for some in paths for path in some], "class": labels}
    return wnids, splits


def wordnet() -> tuple[dict, dict]:
    """({synset: [synsets that it is a kind of]}, {synset: its words}) by ImageNet's own tables."""
    raw.have(WORDNET)
    is_a, words = (raw.text(raw_folder() / name) for name, _ in SYNSETS)
    parents = {}
    for parent, child in map(str.split, is_a.splitlines()):
        parents.setdefault(child, []).append(parent)
    return parents, dict(line.split("\t") for line in words.splitlines())


def synsets_above(wnids: list, parents: dict, words: dict) -> dict:
    """For the file's card: wnids, and parents and words of these and of every synset above them.

    Raises ValueError for a synset that has no words.
    """
    above, todo = set(), list(wnids)
    while todo:
        synset = todo.pop()
        if synset not in above:
            above.add(synset)
            todo += parents.get(synset, [])
    unknown = sorted(above - words.keys())
    if unknown:
        raise ValueError(
            f"{unknown[0]} is a class or synset that ImageNet's words.txt does not know: "
            "are its folders named by wnids?"
        )
    kinds = {synset: parents.get(synset, []) for synset in above}
    return {"wnids": wnids, "parents": kinds, "words": {synset: words[synset] for synset in above}}


def _decoded(pairs):
    paths, labels = zip(*pairs, strict=True)
    return {"images": stacked(paths, 64), "class": np.array(labels)}


def _subfolders(folder: Path) -> list[str]:
    return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())


def _jpegs(folder: Path) -> list[str]:
    """Sorted paths; strings, as ImageNet has 1.3 million."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(".JPEG")) if folder.is_dir() else []
    if not names:
        tiny = TINY_FOLDER in folder.relative_to(raw_folder()).parts
        raise ValueError(f"{folder} holds no images (*.JPEG): {raw.again(folder, download=tiny)}")
    return [f"{folder}/{name}" for name in names]


def _fixed_width(paths):
    """uint8 (paths, bytes of the longest), as they are stored."""
    top = f"{raw_folder()}/"
    stored = np.array([f"{RAW}/{path.removeprefix(top)}" for path in paths], "S")
    return stored.view(np.uint8).reshape(len(stored), -1)
