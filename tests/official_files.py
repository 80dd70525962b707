"""Official files in miniature, and a test without a network. No test needs one."""

import hashlib
import io
import socket

import numpy as np
from PIL import Image

WNIDS = ["n03", "n01", "n02"]  # as the publisher lists them: in no order
COLOURS = {"n01": (200, 30, 30), "n02": (30, 200, 30), "n03": (30, 30, 200)}
# n02 is of two kinds; n77 is of no class.
IS_A = "n90 n01\nn90 n02\nn91 n03\nn99 n90\nn99 n91\nn91 n02\nn99 n77\n"
KNOWN = ("n01", "n02", "n03", "n77", "n90", "n91", "n99")
WORDS = "".join(f"{wnid}\tword of {wnid}, another\n" for wnid in KNOWN)


def offline(folder, monkeypatch):
    """Go to a folder, and have no connection to anywhere, nor data anywhere else."""

    def refuse(*_, **__):
        raise OSError("no network in tests")

    monkeypatch.chdir(folder)
    monkeypatch.delenv("WIDE_RAW", raising=False)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


def md5(content: bytes) -> str:
    """As checksums are written."""
    return hashlib.md5(content).hexdigest()


def write(folder, files: dict):
    """Lay out {path: content} in a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def there(folder) -> dict:
    """{name: content} of all files below a folder."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def without(part: str, files: dict) -> dict:
    """The files whose path does not hold a string."""
    return {name: content for name, content in files.items() if part not in name}


def idx(array: np.ndarray) -> bytes:
    """An array as MNIST's files hold it."""
    sides = b"".join(side.to_bytes(4, "big") for side in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sides + array.tobytes()


def jpeg(colour, size=(64, 64)) -> bytes:
    """A picture of one colour, or of one grey."""
    file = io.BytesIO()
    Image.new("L" if isinstance(colour, int) else "RGB", size, colour).save(file, "JPEG", quality=95)
    return file.getvalue()


def colour_of(image: np.ndarray) -> str:
    """The class whose colour an image (3, height, width) is, or grey where its channels agree."""
    means = image.reshape(3, -1).mean(1)
    return "grey" if np.ptp(means) < 5 else min(COLOURS, key=lambda wnid: np.abs(means - COLOURS[wnid]).max())


def tiny_files() -> dict:
    """Tiny-ImageNet-200 with three classes.

    Three training images of each class and a greyscale one; two validation images of each, whose names say
    nothing.
    """
    files = {"wnids.txt": "\n".join(WNIDS) + "\n"}
    for wnid in WNIDS:
        files |= {f"train/{wnid}/images/{wnid}_{number}.JPEG": jpeg(COLOURS[wnid]) for number in range(3)}
        files[f"train/{wnid}/images/{wnid}_9.JPEG"] = jpeg(100)
    held = [WNIDS[number % 3] for number in (0, 1, 2, 2, 0, 1)]
    files |= {f"val/images/val_{number}.JPEG": jpeg(COLOURS[wnid]) for number, wnid in enumerate(held)}
    rows = [f"val_{number}.JPEG\t{wnid}\t0\t0\t63\t63\n" for number, wnid in enumerate(held)]
    files["val/val_annotations.txt"] = "".join(rows)
    return {f"tiny-imagenet-200/{name}": content for name, content in files.items()}


def imagenet_files(classes=WNIDS) -> dict:
    """ImageNet as it lies at scale paper: two images a class to train on, one to test."""
    files = {}
    for place, wnid in enumerate(classes):
        for number in range(2):
            files[f"imagenet/train/{wnid}/{wnid}_{number}.JPEG"] = jpeg(COLOURS[wnid], (40, 30))
        files[f"imagenet/val/{wnid}/ILSVRC2012_val_{place:08d}.JPEG"] = jpeg(COLOURS[wnid], (30, 40))
    return files
