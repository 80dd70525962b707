"""Data sets: what is made of the official files, and that these are never read unverified. No test needs a network."""
import gzip
import hashlib
import io
import pickle
import socket
import zipfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets
from torchvision.datasets import utils

from stages import embedded, prepare, raw
from stages.balance import balanced
from stages.folder import Folder
from stages.prepare import cut
from wide import artifacts


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty folder, and no connection to anywhere."""
    def refuse(*_, **__):
        raise OSError("no network in tests")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    before = socket.getdefaulttimeout()
    yield tmp_path
    socket.setdefaulttimeout(before)


def small_mnist(train, test, height=2):
    rng = np.random.default_rng(1)
    return lambda smoke: {split: {"images": rng.integers(0, 256, (number, 1, height, 28)).astype(np.uint8),
                                  "digit": np.arange(number) % 10}
                          for split, number in (("train", train), ("test", test))}


# --- translated MNIST -------------------------------------------------------------------------------------------------

def test_stand_in_of_translated_mnist_has_53_originals():
    splits = prepare.translated_mnist(True)
    assert len(np.unique(splits["train"]["origin"])) == 53
    assert splits["train"]["images"].shape == (53 * 28, 1, 28, 28)


@pytest.mark.parametrize("examples, originals", [(50_000, 1785), (60, 2)])
def test_every_original_has_all_28_rolled_copies(examples, originals, monkeypatch):
    made = small_mnist(examples, 30)(False)
    monkeypatch.setattr(prepare, "mnist", lambda smoke: made)
    train = prepare.translated_mnist(False)["train"]
    assert len(train["images"]) == 28 * originals and train["images"].dtype == np.uint8
    assert Counter(train["origin"].tolist()) == {origin: 28 for origin in np.unique(train["origin"]).tolist()}
    copies = set(zip(train["origin"].tolist(), train["shift"].tolist()))
    assert len(copies) == 28 * originals and set(train["shift"]) == set(range(28))
    for row in range(0, len(train["images"]), max(1, len(train["images"]) // 300)):
        origin = train["origin"][row]
        np.testing.assert_array_equal(train["images"][row],
                                      np.roll(made["train"]["images"][origin], train["shift"][row], axis=2))
        assert train["digit"][row] == made["train"]["digit"][origin]


def test_originals_are_a_fixed_draw_not_the_first(monkeypatch):
    monkeypatch.setattr(prepare, "mnist", small_mnist(2800, 30))
    first, second = (np.unique(prepare.translated_mnist(False)["train"]["origin"]) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert len(first) == 100 and first.max() > 2000


def test_test_images_are_unchanged_and_rolled_once(monkeypatch):
    made = small_mnist(60, 500)(False)
    monkeypatch.setattr(prepare, "mnist", lambda smoke: made)
    splits = prepare.translated_mnist(False)
    np.testing.assert_array_equal(splits["test"]["images"], made["test"]["images"])
    assert not splits["test"]["shift"].any()
    shifted = splits["test_shifted"]
    for image, original, shift in zip(shifted["images"], made["test"]["images"], shifted["shift"]):
        np.testing.assert_array_equal(image, np.roll(original, shift, axis=2))
    np.testing.assert_array_equal(shifted["digit"], made["test"]["digit"])
    assert set(shifted["shift"].tolist()) == set(range(28))


# --- official files' contents -----------------------------------------------------------------------------------------

def test_mnist_trains_on_the_first_50000(monkeypatch):
    part = lambda number: SimpleNamespace(data=torch.arange(number, dtype=torch.int32)[:, None, None].expand(-1, 2, 2),
                                          targets=torch.arange(number) % 10)
    monkeypatch.setattr(raw, "official", lambda name: (part(60_000), part(10_000)))
    splits = prepare.mnist(False)
    assert splits["train"]["images"].shape == (50_000, 1, 2, 2) and splits["test"]["images"].shape == (10_000, 1, 2, 2)
    np.testing.assert_array_equal(splits["train"]["images"][:, 0, 0, 0], np.arange(50_000))
    np.testing.assert_array_equal(splits["train"]["digit"], np.arange(50_000) % 10)


def test_cifar_has_channels_first(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3)).astype(np.uint8)
    monkeypatch.setattr(raw, "official", lambda name: [SimpleNamespace(data=images, targets=[0, 1, 2, 3, 4, 5])] * 2)
    splits = prepare.cifar10(False)
    assert splits["test"]["images"].shape == (6, 3, 4, 5) and splits["train"]["class"].tolist() == [0, 1, 2, 3, 4, 5]
    assert splits["train"]["images"][2, 1, 3, 4] == images[2, 3, 4, 1]


def test_cifar100_keeps_the_hundred_fine_classes(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (100, 4, 5, 3)).astype(np.uint8)
    asked = []
    monkeypatch.setattr(raw, "official", lambda name: asked.append(name) or [SimpleNamespace(data=images, targets=list(range(100)))] * 2)
    splits = prepare.cifar100(False)
    assert asked == ["CIFAR100"] and set(splits) == {"train", "test"}
    assert splits["train"]["images"].shape == (100, 3, 4, 5) and splits["test"]["fine"].tolist() == list(range(100))
    np.testing.assert_array_equal(splits["train"]["images"][:, 2], images[..., 2])


def test_three_coarse_classes_are_kept_and_numbered(elsewhere, monkeypatch):
    """Six coarse classes of five fine ones, the three wanted in another order than theirs."""
    names = ["trees", "flowers", "aquatic_mammals", "insects", "fish", "people"]
    rng = np.random.default_rng(0)
    fine = rng.permutation(np.repeat(np.arange(30), 4))
    coarse = fine % 6  # a coarse class' fine numbers are scattered, as in CIFAR-100
    folder = elsewhere / "data" / "raw" / "cifar-100-python"
    folder.mkdir(parents=True)
    (folder / "meta").write_bytes(pickle.dumps({"coarse_label_names": names}))
    data = rng.integers(0, 256, (120, 2, 2, 3)).astype(np.uint8)
    for split in ("train", "test"):
        (folder / split).write_bytes(pickle.dumps({"coarse_labels": coarse.tolist()}))
    monkeypatch.setattr(raw, "official", lambda name: [SimpleNamespace(base_folder="cifar-100-python", train=train,
                                                                       data=data, targets=fine.tolist())
                                                       for train in (True, False)])
    found = prepare.cifar100_coarse3(False)["train"]
    kept = [index for index in range(120) if names[coarse[index]] in prepare.COARSE3]
    np.testing.assert_array_equal(found["images"], data[kept].transpose(0, 3, 1, 2))
    assert [prepare.COARSE3[number] for number in found["coarse"]] == [names[coarse[index]] for index in kept]
    assert set(found["fine"]) == set(range(15))
    assert len(set(zip(found["fine"].tolist(), fine[kept].tolist()))) == 15  # new and old numbers go together
    # A fine class lies in one coarse class.
    assert len(set(zip(found["fine"].tolist(), found["coarse"].tolist()))) == 15


# --- stand-ins --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, image, labels", [
    ("mnist", (1, 28, 28), {"digit": 10}), ("translated_mnist", (1, 28, 28), {"digit": 10, "shift": 28}),
    ("cifar10", (3, 32, 32), {"class": 10}), ("cifar100", (3, 32, 32), {"fine": 20}),
    ("cifar100_coarse3", (3, 32, 32), {"coarse": 3, "fine": 15})])
def test_stand_ins_have_the_shapes_of_the_real_data(name, image, labels):
    splits = getattr(prepare, name)(True)
    for split, data in splits.items():
        assert data["images"].shape[1:] == image and data["images"].dtype == np.uint8
        assert all(len(value) == len(data["images"]) for value in data.values())
        assert data["images"].min() < 50 and data["images"].max() > 200
    for label, classes in labels.items():
        assert set(splits["train"][label].tolist()) == set(range(classes))
        assert set(splits["test"][label].tolist()) <= set(range(classes))
    assert 1400 <= len(splits["train"]["images"]) <= 1500 and 290 <= len(splits["test"]["images"]) <= 300


def test_stand_ins_are_the_same_every_time_and_no_test_image_is_trained_on():
    for name in ("mnist", "cifar10"):
        first, second = getattr(prepare, name)(True), getattr(prepare, name)(True)
        for split in first:
            for key, value in first[split].items():
                np.testing.assert_array_equal(value, second[split][key])
        trained = {image.tobytes() for image in first["train"]["images"]}
        assert not any(image.tobytes() in trained for image in first["test"]["images"])


def test_stand_in_of_imagenet_is_small_and_every_class_has_images():
    splits, _ = prepare.imagenet(True)
    for split, number in (("train", 500), ("test", 100)):
        assert splits[split]["images"].shape == (number, 3, 64, 64) and splits[split]["images"].dtype == np.uint8
        assert set(splits[split]["class"].tolist()) == set(range(20))


def test_textures_are_learnable_and_balanced():
    images, labels = embedded.textures(4, 400)
    assert Counter(labels.tolist()) == {0: 100, 1: 100, 2: 100, 3: 100}
    colour = images.std((2, 3))  # a class has its own contrast in each channel
    centres = np.stack([colour[:200][labels[:200] == kind].mean(0) for kind in range(4)])
    nearest = ((colour[200:, None] - centres) ** 2).sum(2).argmin(1)
    assert (nearest == labels[200:]).mean() > 0.6


# --- ImageNet and its stand-ins ---------------------------------------------------------------------------------------

WNIDS = ["n03", "n01", "n02"]  # as the publisher lists them: in no order
COLOURS = {"n01": (200, 30, 30), "n02": (30, 200, 30), "n03": (30, 30, 200)}
IS_A = "n90 n01\nn90 n02\nn91 n03\nn99 n90\nn99 n91\nn91 n02\nn99 n77\n"  # n02 is of two kinds; n77 is of no class
WORDS = "".join(f"{wnid}\tword of {wnid}, another\n" for wnid in ("n01", "n02", "n03", "n77", "n90", "n91", "n99"))


def jpeg(colour, size=(64, 64)):
    file = io.BytesIO()
    Image.new("L" if isinstance(colour, int) else "RGB", size, colour).save(file, "JPEG", quality=95)
    return file.getvalue()


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def tiny_files():
    """Three training images of each class and one greyscale one; two validation images of each, whose names say nothing."""
    files = {"wnids.txt": "\n".join(WNIDS) + "\n"}
    for wnid in WNIDS:
        files |= {f"train/{wnid}/images/{wnid}_{number}.JPEG": jpeg(COLOURS[wnid]) for number in range(3)}
        files[f"train/{wnid}/images/{wnid}_9.JPEG"] = jpeg(100)
    held = [WNIDS[number % 3] for number in (0, 1, 2, 2, 0, 1)]
    files |= {f"val/images/val_{number}.JPEG": jpeg(COLOURS[wnid]) for number, wnid in enumerate(held)}
    files["val/val_annotations.txt"] = "".join(f"val_{number}.JPEG\t{wnid}\t0\t0\t63\t63\n" for number, wnid in enumerate(held))
    return {f"tiny-imagenet-200/{name}": content for name, content in files.items()}


def folder_files(classes=WNIDS):
    """ImageNet as it lies at scale paper: two images a class to train on, one to test."""
    files = {f"imagenet/train/{wnid}/{wnid}_{number}.JPEG": jpeg(COLOURS[wnid], (40, 30)) for wnid in classes for number in range(2)}
    return files | {f"imagenet/val/{wnid}/ILSVRC2012_val_{place:08d}.JPEG": jpeg(COLOURS[wnid], (30, 40))
                    for place, wnid in enumerate(classes)}


@pytest.fixture
def tables(elsewhere, monkeypatch):
    """ImageNet's two tables, small and with checksums of their own."""
    files = {"imagenet/wordnet.is_a.txt": IS_A, "imagenet/words.txt": WORDS}
    sums = [(name, md5(content.encode())) for name, content in files.items()]
    monkeypatch.setitem(raw.SOURCES, "WordNet", (raw.WordNet, sums, []))
    write(elsewhere / "data" / "raw", files)


def colour_of(image):
    """The class whose colour an image is, or grey where its channels agree."""
    means = image.reshape(3, -1).mean(1)
    return "grey" if np.ptp(means) < 5 else min(COLOURS, key=lambda wnid: np.abs(means - COLOURS[wnid]).max())


def test_tiny_imagenet_numbers_classes_by_sorted_wnid(elsewhere, tables):
    write(elsewhere / "data" / "raw", tiny_files())
    splits, more = prepare.imagenet(False)
    assert more["wnids"] == ["n01", "n02", "n03"] and "Tiny-ImageNet-200" in more["source"]
    assert splits["train"]["images"].shape == (12, 3, 64, 64) and splits["test"]["images"].shape == (6, 3, 64, 64)
    assert splits["train"]["class"].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert Counter(splits["test"]["class"].tolist()) == {0: 2, 1: 2, 2: 2}
    for data in splits.values():
        seen = [colour_of(image) for image in data["images"]]
        assert all(name in ("grey", more["wnids"][label]) for name, label in zip(seen, data["class"]))
    assert [colour_of(image) for image in splits["train"]["images"]].count("grey") == 3


def test_tiny_imagenet_does_not_depend_on_the_order_of_the_folder(elsewhere, tables, monkeypatch):
    write(elsewhere / "data" / "raw", tiny_files())
    first, listdir = prepare.imagenet(False)[0], raw.os.listdir
    monkeypatch.setattr(raw.os, "listdir", lambda folder: listdir(folder)[::-1])
    second = prepare.imagenet(False)[0]
    assert all(np.array_equal(first[split][key], second[split][key]) for split in first for key in first[split])


def without(part, files):
    return {name: content for name, content in files.items() if part not in name}


ONE = "tiny-imagenet-200/train/n02/images/n02_1.JPEG"


@pytest.mark.parametrize("harm, message", [
    (lambda files: files | {ONE: files[ONE][:-30]}, "n02_1.JPEG is missing, damaged or truncated"),
    (lambda files: files | {ONE: b""}, "n02_1.JPEG is missing, damaged or truncated"),
    (lambda files: files | {ONE: b"<html>not found</html>"}, "n02_1.JPEG is missing, damaged or truncated"),
    (lambda files: files | {ONE: jpeg((1, 2, 3), (64, 60))}, "n02_1.JPEG is 64 x 60 pixels, not 64 x 64"),
    (lambda files: without("/train/n02/", files), "train/n02/images holds no images"),
    (lambda files: without("/val/images", files), "val/images holds no images"),
    (lambda files: without("wnids", files), "wnids.txt is missing: complete data/raw/tiny"),
    (lambda files: files | {"tiny-imagenet-200/val/images/val_77.JPEG": jpeg(3)}, "val_77.JPEG has no class"),
    (lambda files: files | {"tiny-imagenet-200/wnids.txt": "n01\nn03\n"}, "val_2.JPEG has no class"),
], ids=["truncated", "empty", "a page", "another size", "a class without images", "no test images", "no list", "no label",
        "an unlisted class"])
def test_harm_to_tiny_imagenet_is_one_line_that_names_the_file(harm, message, elsewhere):
    write(elsewhere / "data" / "raw", harm(tiny_files()))
    with pytest.raises(ValueError, match=message) as error:
        raw.tiny_imagenet()
    assert "data/raw/tiny-imagenet-200" in str(error.value) and "\n" not in str(error.value)


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
    monkeypatch.setattr(raw.TinyImageNet, "md5", md5(content))
    sums = [(f"{raw.TINY}.zip", md5(content))]
    monkeypatch.setitem(raw.SOURCES, "Tiny-ImageNet-200", (raw.TinyImageNet, [(raw.TINY, None)], sums))
    return content


def test_the_official_archive_of_tiny_imagenet_is_unpacked_and_verified(archive, elsewhere):
    folder = elsewhere / "data" / "raw"
    write(folder, {"tiny-imagenet-200.zip": archive[:-1]})
    with pytest.raises(ValueError, match="tiny-imagenet-200.zip is damaged: its md5 is"):
        raw.tiny_imagenet()
    assert not (folder / "tiny-imagenet-200").exists()
    write(folder, {"tiny-imagenet-200.zip": archive})
    assert raw.available("Tiny-ImageNet-200")
    assert raw.tiny_imagenet()[0] == ["n01", "n02", "n03"]
    assert there(folder.parent.parent).keys() == {name.split("/")[-1] for name in tiny_files()} | {"tiny-imagenet-200.zip"}


def test_a_downloaded_archive_is_not_kept(archive, elsewhere, monkeypatch):
    monkeypatch.setattr(utils, "download_url", lambda url, root, filename, md5: write(Path(root), {filename: archive}))
    assert raw.tiny_imagenet()[0] == ["n01", "n02", "n03"]
    assert there(elsewhere).keys() == {name.split("/")[-1] for name in tiny_files()}


def test_the_tables_are_read_whole_and_the_card_keeps_what_lies_above_the_classes(elsewhere, tables):
    parents, words = raw.wordnet()
    assert parents["n02"] == ["n90", "n91"] and parents["n77"] == ["n99"] and words["n77"] == "word of n77, another"
    write(elsewhere / "data" / "raw", tiny_files())
    more = prepare.imagenet(False)[1]
    assert more["parents"] == {"n01": ["n90"], "n02": ["n90", "n91"], "n03": ["n91"], "n90": ["n99"], "n91": ["n99"], "n99": []}
    assert more["words"].keys() == more["parents"].keys() and more["words"]["n91"] == "word of n91, another"


def test_a_changed_table_is_refused(elsewhere, tables):
    write(elsewhere / "data" / "raw", {"imagenet/words.txt": WORDS[:-1]})
    with pytest.raises(ValueError, match="imagenet/words.txt is damaged: its md5 is"):
        raw.wordnet()


def test_a_class_that_the_tables_do_not_know_is_refused(elsewhere, tables):
    files = folder_files() | {"imagenet/train/dogs/1.JPEG": jpeg(1), "imagenet/val/dogs/1.JPEG": jpeg(1)}
    write(elsewhere / "data" / "raw", files)
    with pytest.raises(ValueError, match="dogs is a class or synset that ImageNet's words.txt does not know"):
        prepare.imagenet_index(False)


def test_embedded_synsets_are_a_tree_with_every_class_under_one_root():
    wnids, parents, words = embedded.synsets()
    assert len(wnids) == 20 == len(set(wnids)) and wnids == sorted(wnids) and words.keys() == embedded.KINDS.keys()
    assert not {wnid for wnid in wnids} & {parent for some in parents.values() for parent in some}
    above = Counter()
    for wnid in wnids:
        while wnid in parents:
            [wnid] = parents[wnid]
            above[wnid] += 1
        assert words[wnid] == "entity"
    assert set(above.values()) == {5, 10, 20} and prepare.imagenet(True)[1]["parents"].keys() == words.keys()


def test_paper_lists_imagenets_files_and_opens_none(elsewhere, tables, monkeypatch):
    monkeypatch.setattr(prepare, "declared_params", lambda: {"scales": {"paper": {"data": {}}}})
    write(elsewhere / "data" / "raw", folder_files())
    with monkeypatch.context() as patch:
        patch.setattr(Image, "open", lambda path: pytest.fail("an image was opened"))
        prepare.main("imagenet", "paper")
    tensors, card = artifacts.load_tensors(artifacts.dataset("paper", "imagenet"))
    assert card["examples"] == {"train": 6, "test": 3} and card["classes"] == {"class": 3} and card["wnids"] == ["n01", "n02", "n03"]
    assert set(tensors) == {"train/path", "train/class", "test/path", "test/class"} and tensors["train/path"].dtype == np.uint8
    for split in ("train", "test"):
        images = Folder(tensors[f"{split}/path"], 24, 24)[:].numpy()
        assert [colour_of(image) for image in images] == [card["wnids"][label] for label in tensors[f"{split}/class"]]


@pytest.mark.parametrize("files", [{}, without("/val/", folder_files())], ids=["none", "no val"])
def test_absent_imagenet_is_one_line_that_says_where_to_put_it(files, elsewhere, tables):
    write(elsewhere / "data" / "raw", files)
    with pytest.raises(ValueError) as error:
        prepare.imagenet_index(False)
    message = str(error.value)
    assert all(part in message for part in ("data/raw/imagenet", "train/<wnid>/*.JPEG", "val/<wnid>/*.JPEG", "account", "quick", "gpu",
                                            "Tiny-ImageNet-200")) and "\n" not in message


@pytest.mark.parametrize("files, message", [
    ({**folder_files(), "imagenet/train/n04/1.JPEG": b""}, "4 classes in train/ and 3 in val/"),
    ({**folder_files(["n01"]), "imagenet/train/n02/readme": b"", "imagenet/val/n02/1.JPEG": b""}, "train/n02 holds no images"),
    ({"imagenet/train/a": b"", "imagenet/val/a": b""}, "0 classes in train/")], ids=["another class", "an empty class", "no class"])
def test_half_an_imagenet_is_refused(files, message, elsewhere):
    write(elsewhere / "data" / "raw", files)
    with pytest.raises(ValueError, match=message):
        raw.imagenet()


# --- balanced ---------------------------------------------------------------------------------------------------------

def test_balanced_draws_by_seed_and_keeps_all_where_there_are_no_more():
    labels = np.random.default_rng(0).integers(0, 5, 200)
    assert balanced(labels, None).tolist() == balanced(labels, 200).tolist() == list(range(200))
    first, other = balanced(labels, 50), balanced(labels, 50, seed=1)
    assert first.tolist() == balanced(labels, 50).tolist() != other.tolist()
    for index in (first, other):
        assert (np.diff(index) > 0).all() and set(Counter(labels[index].tolist()).values()) == {10}


def test_balanced_of_nothing_can_index_and_less_than_nothing_is_refused():
    assert np.arange(9)[balanced(np.zeros(9), 0)].tolist() == []
    with pytest.raises(ValueError, match="-1 examples"):
        balanced(np.zeros(9), -1)


# --- cut --------------------------------------------------------------------------------------------------------------

def split(counts, seed=0):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    return {"images": np.arange(len(labels)), "digit": labels, "origin": np.arange(len(labels)) * 2}


@pytest.mark.parametrize("most", [1, 7, 10, 29, 30, 95, 99])
def test_cut_is_balanced_and_never_more_than_asked(most):
    found = cut(split([10] * 10), most)
    counts = Counter(found["digit"].tolist())
    assert len(found["images"]) == most
    assert max(counts.values()) - min((counts.get(kind, 0) for kind in range(10))) <= 1


def test_cut_takes_all_of_a_rare_class_and_shares_the_rest():
    assert Counter(cut(split([2, 50, 50]), 22)["digit"].tolist()) == {0: 2, 1: 10, 2: 10}


def test_cut_keeps_the_order_and_what_belongs_together():
    data = split([40, 40, 40])
    found = cut(data, 50)
    assert (np.diff(found["images"]) > 0).all()
    np.testing.assert_array_equal(found["digit"], data["digit"][found["images"]])
    np.testing.assert_array_equal(found["origin"], 2 * found["images"])


def test_cut_is_seeded_and_not_the_first_of_a_class():
    data = split([100, 100])
    np.testing.assert_array_equal(cut(data, 20)["images"], cut(data, 20)["images"])
    assert cut(data, 20)["images"].max() > 120


@pytest.mark.parametrize("most", [None, 30, 31, 10_000])
def test_cut_leaves_small_splits_alone(most):
    data = split([10, 20])
    assert all(np.array_equal(cut(data, most)[key], data[key]) for key in data)


def test_the_stage_writes_the_set_cut_to_the_scale(monkeypatch):
    monkeypatch.setattr(prepare, "declared_params", lambda: {"scales": {"smoke": {"data": {"train": 100, "test": 30}}}})
    prepare.main("translated_mnist", "smoke")
    tensors, card = artifacts.load_tensors(artifacts.dataset("smoke", "translated_mnist"))
    assert card["examples"] == {"train": 100, "test": 30, "test_shifted": 30} and "stand-in" in card["source"]
    assert card["classes"]["digit"] == 10
    assert tensors["train/images"].dtype == np.uint8 and tensors["test_shifted/shift"].dtype == np.int64
    first = artifacts.dataset("smoke", "translated_mnist").read_bytes()
    prepare.main("translated_mnist", "smoke")
    assert artifacts.dataset("smoke", "translated_mnist").read_bytes() == first


# --- official files: verified, unpacked, or asked for -----------------------------------------------------------------

def idx(array):
    return bytes([0, 0, 8, array.ndim]) + b"".join(side.to_bytes(4, "big") for side in array.shape) + array.tobytes()


def md5(content):
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def tiny(monkeypatch):
    """MNIST of a few 2 x 2 images: {file: content} unpacked and packed, with checksums of their own."""
    rng = np.random.default_rng(0)
    unpacked = {}
    for part, number in (("train", 6), ("t10k", 3)):
        unpacked[f"{part}-images-idx3-ubyte"] = idx(rng.integers(0, 256, (number, 2, 2)).astype(np.uint8))
        unpacked[f"{part}-labels-idx1-ubyte"] = idx(rng.integers(0, 10, number).astype(np.uint8))
    packed = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in unpacked.items()}
    resources = [(name, md5(content)) for name, content in packed.items()]
    cls = type("MNIST", (datasets.MNIST,), {"resources": resources, "mirrors": ["http://mirror.invalid/"]})
    monkeypatch.setitem(raw.SOURCES, "MNIST",
                        (cls, [(f"MNIST/raw/{name}", md5(content)) for name, content in unpacked.items()],
                                               [(f"MNIST/raw/{name}", value) for name, value in resources]))
    return SimpleNamespace(unpacked=unpacked, packed=packed, cls=cls)


def put(folder, files):
    for name, content in files.items():
        target = folder / "data" / "raw" / "MNIST" / "raw" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def there(folder):
    return {path.name: path.read_bytes() for path in (folder / "data").rglob("*")
            if path.is_file()} if (folder / "data").exists() else {}


def forbid(monkeypatch, tiny):
    """Neither download nor unpacking may be asked for."""
    monkeypatch.setattr(tiny.cls, "download", lambda self: pytest.fail("a download was asked for"))


def test_unpacked_files_are_read_without_a_download(tiny, elsewhere, monkeypatch):
    put(elsewhere, tiny.unpacked)
    forbid(monkeypatch, tiny)
    train, test = raw.official("MNIST")
    assert train.data.shape == (6, 2, 2) and test.data.shape == (3, 2, 2)
    assert train.data.numpy().tobytes() == tiny.unpacked["train-images-idx3-ubyte"][16:]
    assert raw.available("MNIST")


def test_packed_files_are_unpacked_without_a_download(tiny, elsewhere):
    put(elsewhere, tiny.packed)
    assert raw.available("MNIST")
    train, test = raw.official("MNIST")
    assert train.data.numpy().tobytes() == tiny.unpacked["train-images-idx3-ubyte"][16:] and len(test.targets) == 3
    assert there(elsewhere) == {**tiny.packed, **tiny.unpacked}


@pytest.mark.parametrize("kind", ["packed", "unpacked"])
@pytest.mark.parametrize("harm", [lambda content: content[:-1], lambda content: b"",
                                  lambda content: content[:-1] + bytes([content[-1] ^ 1])],
                         ids=["truncated", "empty", "changed"])
def test_a_damaged_file_is_named_with_both_checksums_and_not_replaced(kind, harm, tiny, elsewhere, monkeypatch):
    files = dict(getattr(tiny, kind))
    name = sorted(files)[1]
    right, files[name] = md5(files[name]), harm(files[name])
    put(elsewhere, files)
    forbid(monkeypatch, tiny)
    with pytest.raises(ValueError) as error:
        raw.official("MNIST")
    message = str(error.value)
    wanted = (f"data/raw/MNIST/raw/{name} is damaged", md5(files[name]), right, "delete it")
    assert all(part in message for part in wanted) and "\n" not in message
    assert there(elsewhere) == files


ERRORS = [URLError("Name or service not known"), RuntimeError("Error downloading x:\nTried mirror, got:\nno"),
          OSError("timed out"), RuntimeError()]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("name", ["MNIST", "CIFAR10", "CIFAR100", "Tiny-ImageNet-200", "WordNet"])
def test_missing_data_without_a_network_is_one_line_with_three_ways_out(name, error, elsewhere, monkeypatch):
    _, files, packed = raw.SOURCES[name]

    class Failing:
        """A download that breaks off in the middle of the first file."""

        def __init__(self, root, download):
            assert download
            (root / files[0][0]).parent.mkdir(parents=True, exist_ok=True)
            (root / files[0][0]).write_bytes(b"half")
            raise error

    monkeypatch.setitem(raw.SOURCES, name, (Failing, files, packed))
    with pytest.raises(ValueError) as found:
        raw.official(name)
    message = str(found.value)
    assert name in message and files[0][0] in message and "\n" not in message
    assert all(way in message for way in ("connect a network", "put the official files into data/raw/",
                                          "dvc exp run -S scale=smoke"))
    assert there(elsewhere) == {}


def test_torchvision_itself_fails_with_the_same_line(tiny, elsewhere):
    kept = {name: tiny.unpacked[name] for name in list(tiny.unpacked)[:2]}
    put(elsewhere, kept)
    with pytest.raises(ValueError, match="t10k-images-idx3-ubyte is not in data/raw/ .* Ways out: connect a network"):
        raw.official("MNIST")
    assert there(elsewhere) == kept


def test_a_killed_download_leaves_nothing_that_looks_whole(tiny, elsewhere, monkeypatch):
    def killed(self):
        folder = elsewhere / "data" / "raw" / ".download" / "MNIST" / "MNIST" / "raw"
        folder.mkdir(parents=True)
        for name, content in tiny.unpacked.items():
            (folder / name).write_bytes(content[:-1])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(tiny.cls, "download", killed)
        raw.official("MNIST")
    assert not (elsewhere / "data" / "raw" / "MNIST").exists()
    put(elsewhere, tiny.packed)
    assert len(raw.official("MNIST")[0].data) == 6  # what was left does no harm to the next try


def test_a_download_of_other_files_than_the_official_is_refused(tiny, elsewhere, monkeypatch):
    def wrong(self):
        folder = elsewhere / "data" / "raw" / ".download" / "MNIST" / "MNIST" / "raw"
        folder.mkdir(parents=True)
        for name, content in tiny.unpacked.items():
            (folder / name).write_bytes(content[:-1] + b"!")

    monkeypatch.setattr(tiny.cls, "download", wrong)
    with pytest.raises(ValueError, match="is damaged: its md5 is"):
        raw.official("MNIST")


def test_a_set_is_available_where_its_source_answers(monkeypatch):
    assert not any(map(raw.available, raw.SOURCES))
    asked = []
    monkeypatch.setattr(socket, "create_connection",
                        lambda address, timeout: asked.append(address) or SimpleNamespace(close=lambda: None))
    assert all(map(raw.available, raw.SOURCES)) and len(asked) == len(raw.SOURCES) == 5
    assert all(port == 443 and "/" not in host and "." in host for host, port in asked)


@pytest.mark.parametrize("read, name", [(raw.tiny_imagenet, "Tiny-ImageNet-200"), (raw.wordnet, "WordNet")])
def test_the_downloads_for_imagenet_fail_with_the_same_line(read, name, elsewhere):
    with pytest.raises(ValueError, match=f"{name} is not to be had: .* is not in data/raw/ .* Ways out: connect a network"):
        read()
    assert there(elsewhere) == {}


def test_a_download_of_the_tables_is_put_in_place(elsewhere, tables, monkeypatch):
    """And of no other file: the two are asked for by name, with their checksums."""
    for path in (elsewhere / "data" / "raw" / "imagenet").iterdir():
        path.unlink()
    served = {"https://image-net.org/data/wordnet.is_a.txt": IS_A, "https://image-net.org/data/words.txt": WORDS}
    monkeypatch.setattr(raw, "download_url", lambda url, root, md5: write(root, {url.split("/")[-1]: served[url]}))
    assert raw.wordnet()[0]["n01"] == ["n90"]
    assert there(elsewhere) == {"wordnet.is_a.txt": IS_A.encode(), "words.txt": WORDS.encode()}
