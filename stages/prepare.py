"""Data sets, cut to a scale: `python -m stages.prepare <set> <scale>`.

One function a data set returns its splits, {split: {"images": uint8 (examples, channels, height, width), <label>: int64}}, or those and
what its card says besides. At scale smoke, and only there, they come from embedded stand-ins of the same shapes. ImageNet at
scale paper has "path" in the place of "images": uint8 (examples, bytes), the file's path padded with zeros.
"""
import sys

import numpy as np

from stages import declared_params, embedded, raw, stage
from stages.balance import balanced
from wide import artifacts

COARSE3 = ("aquatic_mammals", "fish", "flowers")
INPUTS = ("images", "path")  # what is not a label


def mnist(smoke: bool) -> dict:
    """50,000 images to train on (the first of the official 60,000; the last 10,000 stay unused) and 10,000 to test."""
    if smoke:
        images, labels = embedded.digits()
        return {"train": {"images": images[:1500], "digit": labels[:1500]}, "test": {"images": images[1500:], "digit": labels[1500:]}}
    train, test = raw.official("MNIST")
    return {"train": {"images": train.data.numpy()[:50_000, None], "digit": train.targets.numpy()[:50_000]},
            "test": {"images": test.data.numpy()[:, None], "digit": test.targets.numpy()}}


def translated_mnist(smoke: bool) -> dict:
    """Label shift, digit, and origin (which image it is a copy of): floor(50,000 / 28) = 1,785 images in all 28 cyclic horizontal shifts (Gilboa & Gur-Ari, 4.2).

    The test set is left unchanged (shift 0), as in the paper; "test_shifted" gives each test image a shift drawn once, for
    classifying shifts, where the paper does not say.
    """
    splits, rng = mnist(smoke), np.random.default_rng(0)
    train, test = splits["train"], splits["test"]
    originals = len(train["images"]) // 28
    chosen = np.sort(rng.permutation(len(train["images"]))[:originals])
    if smoke:  # so few originals that a class could be left with one
        chosen = cut({"images": np.arange(len(train["images"])), "digit": train["digit"]}, originals)["images"]
    images, digits, shifts = (np.repeat(train["images"][chosen], 28, 0), np.repeat(train["digit"][chosen], 28),
                              np.tile(np.arange(28), len(chosen)))
    drawn = rng.integers(0, 28, len(test["images"]))
    return {"train": {"images": _roll(images, shifts), "digit": digits, "shift": shifts, "origin": np.repeat(chosen, 28)},
            "test": {**test, "shift": np.zeros(len(test["images"]), np.int64)},
            "test_shifted": {"images": _roll(test["images"], drawn), "digit": test["digit"], "shift": drawn}}


def cifar10(smoke: bool) -> dict:
    """50,000 and 10,000 images of 10 classes."""
    if smoke:
        return _textures(10, "class")
    return {split: {"images": data.data.transpose(0, 3, 1, 2), "class": np.array(data.targets)}
            for split, data in zip(("train", "test"), raw.official("CIFAR10"))}


def cifar100(smoke: bool) -> dict:
    """50,000 and 10,000 images of 100 classes; 20 classes at smoke, so that each has 75 images."""
    if smoke:
        return _textures(20, "fine")
    return {split: {"images": data.data.transpose(0, 3, 1, 2), "fine": np.array(data.targets)}
            for split, data in zip(("train", "test"), raw.official("CIFAR100"))}


def cifar100_coarse3(smoke: bool) -> dict:
    """CIFAR-100's images of three coarse classes, aquatic mammals, fish and flowers: 7,500 and 1,500, 15 fine classes."""
    if smoke:
        splits = _textures(15, "fine")
        return {split: {**data, "coarse": data["fine"] // 5} for split, data in splits.items()}
    return {split: _coarse3(data) for split, data in zip(("train", "test"), raw.official("CIFAR100"))}


def _coarse3(data):
    # torchvision leaves the coarse labels out; the file's checksum has been verified by now.
    import pickle
    folder = raw.RAW / data.base_folder
    entry = pickle.loads((folder / ("train" if data.train else "test")).read_bytes(), encoding="latin1")
    names = pickle.loads((folder / "meta").read_bytes(), encoding="latin1")["coarse_label_names"]
    coarse = np.array(entry["coarse_labels"])
    keep = np.isin(coarse, [names.index(name) for name in COARSE3])
    wanted = {names.index(name): number for number, name in enumerate(COARSE3)}
    fine = np.array(data.targets)[keep]
    return {"images": data.data[keep].transpose(0, 3, 1, 2), "coarse": np.array([wanted[label] for label in coarse[keep]]),
            "fine": np.searchsorted(np.unique(fine), fine)}


def imagenet(smoke: bool) -> tuple[dict, dict]:
    """Tiny-ImageNet-200, which stands in for ImageNet below scale paper: 64 x 64 images of 200 of its classes."""
    if smoke:
        wnids, parents, words = embedded.synsets()
        return _textures(len(wnids), "class", 500, 100, 64), _synsets(wnids, parents, words)
    wnids, splits = raw.tiny_imagenet()
    return ({split: {"images": images, "class": labels} for split, (images, labels) in splits.items()},
            {"source": "Tiny-ImageNet-200, which stands in for ImageNet", **_synsets(wnids, *raw.wordnet())})


def imagenet_index(smoke: bool) -> tuple[dict, dict]:
    """ImageNet's files, not its images, which are more than memory holds: training decodes them as it goes."""
    wnids, splits = raw.imagenet()
    return ({split: {"path": _fixed_width(paths), "class": labels} for split, (paths, labels) in splits.items()},
            {"source": f"ImageNet, read from {raw.RAW / raw.IMAGENET} as it is used", **_synsets(wnids, *raw.wordnet())})


AT_PAPER = {"imagenet": imagenet_index}  # sets that scale paper lists instead of storing them


def _fixed_width(paths):
    paths = np.array(paths, "S")
    return paths.view(np.uint8).reshape(len(paths), -1)


def _synsets(wnids, parents, words):
    """For the card: wnids in the order of their numbers as classes, and parents and words of these and of every synset above."""
    above, todo = set(), list(wnids)
    while todo:
        synset = todo.pop()
        if synset not in above:
            above.add(synset)
            todo += parents.get(synset, [])
    unknown = sorted(above - words.keys())
    if unknown:
        raise ValueError(f"{unknown[0]} is a class or synset that ImageNet's words.txt does not know: are its folders named by wnids?")
    return {"wnids": wnids, "parents": {synset: parents.get(synset, []) for synset in above},
            "words": {synset: words[synset] for synset in above}}


def _textures(classes, label, train=1500, test=300, side=32):
    images, labels = embedded.textures(classes, train + test, side)
    return {"train": {"images": images[:train], label: labels[:train]}, "test": {"images": images[train:], label: labels[train:]}}


def _roll(images, shifts):
    columns = (np.arange(images.shape[3]) - shifts[:, None]) % images.shape[3]
    return np.take_along_axis(images, columns[:, None, None], 3)


def cut(split: dict, most: int | None) -> dict:
    """At most ``most`` examples, as many of each class (the first label) as can be, in the original order; seeded."""
    labels = next(value for name, value in split.items() if name not in INPUTS)
    if most is None or most >= len(labels):
        return split
    kept = balanced(labels, most)
    return {name: value[kept] for name, value in split.items()}


@stage
def main(name: str, scale: str):
    caps = declared_params()["scales"][scale]["data"]
    made = (AT_PAPER if scale == "paper" else {}).get(name, globals()[name])(scale == "smoke")
    splits, more = made if isinstance(made, tuple) else (made, {})
    splits = {split: cut(data, caps.get("train" if split == "train" else "test")) for split, data in splits.items()}
    tensors = {f"{split}/{key}": value.astype(np.uint8 if key in INPUTS else np.int64)
               for split, data in splits.items() for key, value in data.items()}
    card = {"set": name, "source": "embedded stand-in" if scale == "smoke" else "official files, md5 verified",
            "examples": {split: len(next(iter(data.values()))) for split, data in splits.items()},
            "classes": {key: int(value.max()) + 1 for key, value in splits["train"].items() if key not in INPUTS}, **more}
    artifacts.save_tensors(artifacts.dataset(scale, name), tensors, card)


if __name__ == "__main__":
    main(*sys.argv[1:])
