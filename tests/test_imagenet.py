"""ImageNet's files, and Tiny-ImageNet-200, which stands in for them. No test needs a network."""

import io
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import official_files as official
import pytest
from official_files import colour_of, imagenet_files, jpeg, md5, there, tiny_files, without, write
from PIL import Image
from torchvision.datasets import utils

from pipeline import embedded, raw
from pipeline.folder import Folder
from pipeline.sets import card, imagenet
from stages import prepare
from wide import artifacts


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """data/raw in an empty folder, and no connection to anywhere."""
    official.offline(tmp_path, monkeypatch)
    return tmp_path / "data" / "raw"


@pytest.fixture
def tables(folder, monkeypatch):
    """ImageNet's two tables, small and with checksums of their own."""
    files = {"imagenet/wordnet.is_a.txt": official.IS_A, "imagenet/words.txt": official.WORDS}
    sums = tuple((name, md5(content.encode())) for name, content in files.items())
    monkeypatch.setattr(imagenet, "SYNSETS", sums)
    monkeypatch.setattr(imagenet, "WORDNET", replace(imagenet.WORDNET, files=sums))
    write(folder, files)


# --- Tiny-ImageNet-200 ------------------------------------------------------------------------------------


def test_tiny_imagenet_numbers_classes_by_sorted_wnid(folder, tables):
    write(folder, tiny_files())
    splits, more = imagenet.make(False)
    assert more["wnids"] == ["n01", "n02", "n03"] and "Tiny-ImageNet-200" in more["source"]
    assert splits["train"]["images"].shape == (12, 3, 64, 64)
    assert splits["test"]["images"].shape == (6, 3, 64, 64)
    assert splits["train"]["class"].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert Counter(splits["test"]["class"].tolist()) == {0: 2, 1: 2, 2: 2}
    for data in splits.values():
        for image, label in zip(data["images"], data["class"], strict=True):
            assert colour_of(image) in ("grey", more["wnids"][label])
    assert [colour_of(image) for image in splits["train"]["images"]].count("grey") == 3


def test_tiny_imagenet_does_not_depend_on_the_order_of_the_folder(folder, tables, monkeypatch):
    write(folder, tiny_files())
    first, listdir = imagenet.make(False)[0], imagenet.os.listdir
    monkeypatch.setattr(imagenet.os, "listdir", lambda folder: listdir(folder)[::-1])
    second = imagenet.make(False)[0]
    for split in first:
        assert all(np.array_equal(first[split][key], second[split][key]) for key in first[split])


ONE = "tiny-imagenet-200/train/n02/images/n02_1.JPEG"
HARM = {
    "truncated": (
        lambda files: files | {ONE: files[ONE][:-30]},
        "n02_1.JPEG is missing, damaged or truncated",
    ),
    "empty": (
        lambda files: files | {ONE: b""},
        "n02_1.JPEG is missing, damaged or truncated",
    ),
    "a page": (
        lambda files: files | {ONE: b"<html>not found</html>"},
        "n02_1.JPEG is missing, damaged or truncated",
    ),
    "another size": (
        lambda files: files | {ONE: jpeg((1, 2, 3), (64, 60))},
        "n02_1.JPEG is 64 x 60 pixels, not 64 x 64",
    ),
    "a class without images": (
        lambda files: without("/train/n02/", files),
        "train/n02/images holds no images .*, or remove it to have it downloaded",
    ),
    "no test images": (
        lambda files: without("/val/images", files),
        "val/images holds no images",
    ),
    "no list": (
        lambda files: without("wnids", files),
        "wnids.txt is missing: complete data/raw/tiny",
    ),
    "no label": (
        lambda files: files | {"tiny-imagenet-200/val/images/val_77.JPEG": jpeg(3)},
        "val_77.JPEG has no class",
    ),
    "an unlisted class": (
        lambda files: files | {"tiny-imagenet-200/wnids.txt": "n01\nn03\n"},
        "val_2.JPEG has no class",
    ),
}


@pytest.mark.parametrize("harm, message", HARM.values(), ids=HARM)
def test_harm_to_tiny_imagenet_is_one_line_that_names_the_file(harm, message, folder):
    write(folder, harm(tiny_files()))
    with pytest.raises(ValueError, match=message) as error:
        imagenet.tiny_imagenet()
    assert "data/raw/tiny-imagenet-200" in str(error.value) and "\n" not in str(error.value)


def test_a_part_of_its_classes_is_not_tiny_imagenet(folder, tables, monkeypatch, capsys):
    """Fewer images of a class are accepted, fewer classes are another task."""
    monkeypatch.setattr(prepare, "declared", lambda: {"scales": {"quick": {"data": {}}}})
    write(folder, tiny_files())
    with pytest.raises(SystemExit, match="imagenet at quick, train: classes of class 3, but 200"):
        prepare.main("imagenet", "quick")
    assert not artifacts.dataset("quick", "imagenet").exists()


def zipped(files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.fixture
def archive(monkeypatch):
    """The archive of a small Tiny-ImageNet, with a checksum of its own."""
    content = zipped(tiny_files())
    monkeypatch.setattr(imagenet.TinyImageNet, "md5", md5(content))
    packed = (("tiny-imagenet-200.zip", md5(content)),)
    monkeypatch.setattr(imagenet, "TINY", replace(imagenet.TINY, packed=packed))
    return content


def test_the_official_archive_of_tiny_imagenet_is_unpacked_and_verified(archive, folder):
    write(folder, {"tiny-imagenet-200.zip": archive[:-1]})
    with pytest.raises(ValueError, match="tiny-imagenet-200.zip is damaged: its md5 is"):
        imagenet.tiny_imagenet()
    assert not (folder / "tiny-imagenet-200").exists()
    write(folder, {"tiny-imagenet-200.zip": archive})
    assert raw.available(imagenet.TINY)
    assert imagenet.tiny_imagenet()[0] == ["n01", "n02", "n03"]
    names = {name.split("/")[-1] for name in tiny_files()}
    assert there(folder).keys() == names | {"tiny-imagenet-200.zip"}


def test_a_downloaded_archive_is_not_kept(archive, folder, monkeypatch):
    def download(url, root, filename, md5):
        write(Path(root), {filename: archive})

    monkeypatch.setattr(utils, "download_url", download)
    assert imagenet.tiny_imagenet()[0] == ["n01", "n02", "n03"]
    assert there(folder).keys() == {name.split("/")[-1] for name in tiny_files()}


# --- synsets ----------------------------------------------------------------------------------------------


def test_the_tables_are_read_whole_and_the_card_keeps_what_lies_above_the_classes(folder, tables):
    parents, words = imagenet.wordnet()
    assert parents["n02"] == ["n90", "n91"] and parents["n77"] == ["n99"]
    assert words["n77"] == "word of n77, another"
    write(folder, tiny_files())
    _, more = imagenet.make(False)
    above = {"n01": ["n90"], "n02": ["n90", "n91"], "n03": ["n91"], "n90": ["n99"], "n91": ["n99"], "n99": []}
    assert more["parents"] == above
    assert more["words"].keys() == above.keys() and more["words"]["n91"] == "word of n91, another"


def test_a_changed_table_is_refused(folder, tables):
    write(folder, {"imagenet/words.txt": official.WORDS[:-1]})
    with pytest.raises(ValueError, match="imagenet/words.txt is damaged: its md5 is"):
        imagenet.wordnet()


def test_a_download_of_the_tables_is_put_in_place(folder, tables, monkeypatch):
    """And of no other file: the two are asked for by name, with their checksums."""
    for path in (folder / "imagenet").iterdir():
        path.unlink()
    address = "https://image-net.org/data/"
    served = {f"{address}wordnet.is_a.txt": official.IS_A, f"{address}words.txt": official.WORDS}

    def download(url, root, md5):
        assert md5 == official.md5(served[url].encode())
        write(root, {url.split("/")[-1]: served[url]})

    monkeypatch.setattr(utils, "download_url", download)
    assert imagenet.wordnet()[0]["n01"] == ["n90"]
    expected = {"wordnet.is_a.txt": official.IS_A.encode(), "words.txt": official.WORDS.encode()}
    assert there(folder) == expected


def test_a_class_that_the_tables_do_not_know_is_refused(folder, tables):
    files = {"imagenet/train/dogs/1.JPEG": jpeg(1), "imagenet/val/dogs/1.JPEG": jpeg(1)}
    write(folder, imagenet_files() | files)
    with pytest.raises(ValueError, match="dogs is a class or synset that ImageNet's words.txt does not know"):
        imagenet.index()


def test_the_stand_in_has_the_embedded_synsets():
    _, more = imagenet.make(True)
    wnids, _, words = embedded.synsets()
    assert more["wnids"] == wnids and more["parents"].keys() == words.keys()


# --- ImageNet at scale paper ------------------------------------------------------------------------------


@pytest.fixture
def three_classes(monkeypatch):
    """A card of an ImageNet with three classes, and a stage that runs at scale paper."""
    at = imagenet.CARD.at | {"paper": imagenet.CARD.at["paper"] | {"classes": {"class": 3}}}
    monkeypatch.setattr(imagenet, "CARD", replace(imagenet.CARD, at=at))
    monkeypatch.setattr(prepare, "declared", lambda: {"scales": {"paper": {"data": {}}}})


def prepared():
    return artifacts.load_tensors(artifacts.dataset("paper", "imagenet"))


def test_paper_lists_imagenets_files_and_opens_none(folder, tables, three_classes, monkeypatch):
    write(folder, imagenet_files())
    with monkeypatch.context() as patch:
        patch.setattr(Image, "open", lambda path: pytest.fail("an image was opened"))
        prepare.main("imagenet", "paper")
    tensors, about = prepared()
    assert about["examples"] == {"train": 6, "test": 3} and about["classes"] == {"class": 3}
    assert about["wnids"] == ["n01", "n02", "n03"]
    assert set(tensors) == {"train/path", "train/class", "test/path", "test/class"}
    assert tensors["train/path"].dtype == np.uint8
    for split in ("train", "test"):
        images = Folder(tensors[f"{split}/path"], 24, 24)[:].numpy()
        expected = [about["wnids"][label] for label in tensors[f"{split}/class"]]
        assert [colour_of(image) for image in images] == expected


def test_the_list_of_files_is_the_same_wherever_they_lie(folder, tables, three_classes, monkeypatch):
    """And is found there: a copy of the repository trains on the same prepared file."""
    write(folder, imagenet_files())
    prepare.main("imagenet", "paper")
    here = artifacts.dataset("paper", "imagenet").read_bytes()
    elsewhere = folder.parents[1] / "a" / "very" / "long" / "way"
    elsewhere.parent.mkdir(parents=True)
    folder.rename(elsewhere)
    monkeypatch.setenv("WIDE_RAW", str(elsewhere))
    prepare.main("imagenet", "paper")
    assert artifacts.dataset("paper", "imagenet").read_bytes() == here
    tensors, about = prepared()
    images = Folder(tensors["test/path"], 24, 24)[:].numpy()
    assert [colour_of(image) for image in images] == about["wnids"]


@pytest.mark.parametrize("files", [{}, without("/val/", imagenet_files())], ids=["none", "no val"])
def test_absent_imagenet_is_one_line_that_says_where_to_put_it(files, folder, tables):
    write(folder, files)
    with pytest.raises(ValueError) as error:
        imagenet.index()
    message = str(error.value)
    parts = ("data/raw/imagenet", "train/<wnid>/*.JPEG", "val/<wnid>/*.JPEG", "account", "quick", "gpu")
    assert all(part in message for part in (*parts, "Tiny-ImageNet-200")) and "\n" not in message


HALVES = {
    "another class": (
        {**imagenet_files(), "imagenet/train/n04/1.JPEG": b""},
        "4 classes in train/ and 3 in val/",
    ),
    "an empty class": (
        {**imagenet_files(["n01"]), "imagenet/train/n02/readme": b"", "imagenet/val/n02/1.JPEG": b""},
        "train/n02 holds no images .* from the official archive$",
    ),
    "no class": (
        {"imagenet/train/a": b"", "imagenet/val/a": b""},
        "0 classes in train/",
    ),
}


@pytest.mark.parametrize("files, message", HALVES.values(), ids=HALVES)
def test_half_an_imagenet_is_refused(files, message, folder):
    write(folder, files)
    with pytest.raises(ValueError, match=message):
        imagenet.imagenet()


def test_the_card_knows_which_sizes_stand_in():
    assert card("imagenet", "smoke").examples == {"train": 500, "test": 100}
    assert [card("imagenet", scale).fewer for scale in ("smoke", "quick", "paper")] == [False, True, True]
