"""Official files are found, unpacked or asked for, and never read unverified. No test needs a network."""

import gzip
import socket
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import official_files as official
import pytest
from official_files import idx, md5, there, write
from torchvision import datasets

from pipeline import raw, sets
from pipeline.folder import located, raw_folder
from pipeline.sets import imagenet, mnist

SOURCES = {source.name: source for source in sets.sources()}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """data/raw in an empty folder, and no connection to anywhere."""
    official.offline(tmp_path, monkeypatch)
    return tmp_path / "data" / "raw"


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
    sums = [tuple((f"MNIST/raw/{name}", md5(some[name])) for name in some) for some in (unpacked, packed)]
    return SimpleNamespace(unpacked=unpacked, packed=packed, cls=cls, source=raw.Source("MNIST", cls, *sums))


def put(folder, files):
    write(folder / "MNIST" / "raw", files)


def forbid(monkeypatch, tiny):
    """Neither download nor unpacking may be asked for."""
    monkeypatch.setattr(tiny.cls, "download", lambda self: pytest.fail("a download was asked for"))


# --- found, unpacked --------------------------------------------------------------------------------------


def test_unpacked_files_are_read_without_a_download(tiny, folder, monkeypatch):
    put(folder, tiny.unpacked)
    forbid(monkeypatch, tiny)
    train, test = raw.official(tiny.source)
    assert train.data.shape == (6, 2, 2) and test.data.shape == (3, 2, 2)
    assert train.data.numpy().tobytes() == tiny.unpacked["train-images-idx3-ubyte"][16:]
    assert raw.available(tiny.source)


def test_packed_files_are_unpacked_without_a_download(tiny, folder):
    put(folder, tiny.packed)
    assert raw.available(tiny.source)
    train, test = raw.official(tiny.source)
    assert train.data.numpy().tobytes() == tiny.unpacked["train-images-idx3-ubyte"][16:]
    assert len(test.targets) == 3
    assert there(folder) == {**tiny.packed, **tiny.unpacked}


def test_the_set_of_real_files_is_made_from_its_source(tiny, folder, monkeypatch):
    put(folder, tiny.unpacked)
    monkeypatch.setattr(mnist, "sources", lambda: (tiny.source,))
    made, more = mnist.make(False)
    assert made["train"]["images"].tobytes() == tiny.unpacked["train-images-idx3-ubyte"][16:] and more == {}
    assert made["test"]["digit"].tolist() == list(tiny.unpacked["t10k-labels-idx1-ubyte"][8:])


# --- damaged ----------------------------------------------------------------------------------------------

HARM = {
    "truncated": lambda content: content[:-1],
    "empty": lambda content: b"",
    "changed": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
}


@pytest.mark.parametrize("kind", ["packed", "unpacked"])
@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_a_damaged_file_is_named_with_both_checksums_and_not_replaced(kind, harm, tiny, folder, monkeypatch):
    files = dict(getattr(tiny, kind))
    name = sorted(files)[1]
    right, files[name] = md5(files[name]), harm(files[name])
    put(folder, files)
    forbid(monkeypatch, tiny)
    with pytest.raises(ValueError) as error:
        raw.official(tiny.source)
    message = str(error.value)
    wanted = (f"data/raw/MNIST/raw/{name} is damaged", md5(files[name]), right, "delete it")
    assert all(part in message for part in wanted) and "\n" not in message
    assert there(folder) == files


def test_verified_gives_the_bytes_that_were_checked(tiny, folder):
    put(folder, tiny.unpacked)
    name = "t10k-labels-idx1-ubyte"
    assert raw.verified(tiny.source, f"MNIST/raw/{name}") == tiny.unpacked[name]
    put(folder, {name: tiny.unpacked[name] + b" "})
    with pytest.raises(ValueError, match=f"{name} is damaged: its md5 is"):
        raw.verified(tiny.source, f"MNIST/raw/{name}")


# --- not to be had ----------------------------------------------------------------------------------------

ERRORS = [
    URLError("Name or service not known"),
    RuntimeError("Error downloading x:\nTried mirror, got:\nno"),
    OSError("timed out"),
    RuntimeError(),
]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("name", SOURCES)
def test_missing_data_without_a_network_is_one_line_with_three_ways_out(name, error, folder):
    first = SOURCES[name].files[0][0]

    class Failing:
        """A download that breaks off in the middle of the first file."""

        def __init__(self, root, download):
            assert download
            write(root, {first: b"half"})
            raise error

    before = socket.getdefaulttimeout()
    with pytest.raises(ValueError) as found:
        raw.official(replace(SOURCES[name], cls=Failing))
    message = str(found.value)
    ways = ("connect a network", "put the official files into data/raw/", "WIDE_RAW", "-S scale=smoke")
    assert all(part in message for part in (name, first, *ways)) and "\n" not in message
    assert there(folder) == {} and socket.getdefaulttimeout() == before


def test_torchvision_itself_fails_with_the_same_line(tiny, folder):
    kept = {name: tiny.unpacked[name] for name in list(tiny.unpacked)[:2]}
    put(folder, kept)
    message = "t10k-images-idx3-ubyte is not in data/raw/ .* Ways out: connect a network"
    with pytest.raises(ValueError, match=message):
        raw.official(tiny.source)
    assert there(folder) == kept


READERS = [(imagenet.tiny_imagenet, "Tiny-ImageNet-200"), (imagenet.wordnet, "WordNet")]


@pytest.mark.parametrize("read, name", READERS)
def test_the_downloads_for_imagenet_fail_with_the_same_line(read, name, folder):
    message = f"{name} is not to be had: .* is not in data/raw/ .* Ways out: connect a network"
    with pytest.raises(ValueError, match=message):
        read()
    assert there(folder) == {}


def half_a_download(content):
    """A download that leaves files of this content in its own folder."""

    def download(self):
        put(Path("data/raw/.download/MNIST"), content)

    return download


def test_a_killed_download_leaves_nothing_that_looks_whole(tiny, folder, monkeypatch):
    half = half_a_download({name: content[:-1] for name, content in tiny.unpacked.items()})

    def killed(self):
        half(self)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(tiny.cls, "download", killed)
        raw.official(tiny.source)
    assert there(folder) and not (folder / "MNIST").exists()
    put(folder, tiny.packed)
    assert len(raw.official(tiny.source)[0].data) == 6  # what was left does no harm to the next try


def test_a_download_of_other_files_than_the_official_is_refused(tiny, folder, monkeypatch):
    wrong = half_a_download({name: content[:-1] + b"!" for name, content in tiny.unpacked.items()})
    monkeypatch.setattr(tiny.cls, "download", wrong)
    with pytest.raises(ValueError, match="is damaged: its md5 is"):
        raw.official(tiny.source)


def test_a_set_is_available_where_its_source_answers(monkeypatch):
    assert not any(map(raw.available, SOURCES.values()))
    asked = []

    def answer(address, timeout):
        asked.append(address)
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(socket, "create_connection", answer)
    assert all(map(raw.available, SOURCES.values())) and len(asked) == len(SOURCES) == 5
    assert all(port == 443 and "/" not in host and "." in host for host, port in asked)


# --- data/raw elsewhere -----------------------------------------------------------------------------------


def test_the_official_files_may_lie_elsewhere(tiny, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("WIDE_RAW", str(tmp_path / "shared files"))
    put(tmp_path / "shared files", tiny.unpacked)
    assert len(raw.official(tiny.source)[0].data) == 6 and raw.available(tiny.source)
    assert not folder.exists()
    put(tmp_path / "shared files", {"train-labels-idx1-ubyte": b"damaged"})
    message = f"{tmp_path}/shared files/MNIST/raw/train-labels-idx1-ubyte is damaged"
    with pytest.raises(ValueError, match=message):
        raw.official(tiny.source)


def test_errors_name_the_folder_in_use(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("WIDE_RAW", str(tmp_path / "there"))
    there = f"{tmp_path}/there"
    with pytest.raises(ValueError, match=f"is not in {there}/ and .* put the official files into {there}/"):
        raw.official(tiny.source)
    with pytest.raises(ValueError, match=f"ImageNet is not in {there}/imagenet: put it there"):
        imagenet.index()


@pytest.mark.parametrize("value", ["data/raw", "~/data", ".", "raw files"])
def test_a_relative_folder_is_refused(value, monkeypatch):
    monkeypatch.setenv("WIDE_RAW", value)
    with pytest.raises(ValueError, match=f"WIDE_RAW is '{value}', and it must be an absolute path"):
        raw_folder()


def test_an_empty_variable_is_none(monkeypatch):
    monkeypatch.setenv("WIDE_RAW", "")
    assert raw_folder() == Path("data/raw")


@pytest.mark.parametrize("copy", ["tmp4a8y", "standalone/tmp_9z"])  # of `--queue`, of `--temp`
def test_a_copy_of_dvcs_finds_the_files_of_the_repository(copy, tiny, folder, tmp_path, monkeypatch):
    put(folder, tiny.unpacked)
    inside = tmp_path / ".dvc" / "tmp" / "exps" / copy
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert raw_folder() == folder and located("data/raw/a.JPEG") == f"{folder}/a.JPEG"
    assert len(raw.official(tiny.source)[0].data) == 6
    assert not (inside / "data").exists()
    write(inside, {"data/raw/file": b""})  # a copy that has its own takes them
    assert raw_folder() == Path("data/raw") and located("data/raw/a.JPEG") == "data/raw/a.JPEG"


def test_other_paths_are_left_where_they_are(monkeypatch, tmp_path):
    monkeypatch.setenv("WIDE_RAW", str(tmp_path))
    assert located("/a/data/raw/b.JPEG") == "/a/data/raw/b.JPEG" and located("data/raws/b") == "data/raws/b"
    assert located("data/raw/a/b.JPEG") == f"{tmp_path}/a/b.JPEG"
