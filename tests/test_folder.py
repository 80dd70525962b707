"""Images decoded as they are asked for: the right ones, cropped right, to a training the same as a tensor."""

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.folder import Folder, images_of, rgb, stacked
from wide.nets.mlp import Net
from wide.training.population import accuracy, shrink
from wide.training.recipe import Recipe
from wide.training.train_population import train_population


def smooth(width, height, seed=0):
    """A picture without fine detail, uint8 (height, width, 3)."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return str(path)


@pytest.fixture
def pictures(tmp_path):
    """Paths of 24 JPEGs of 12 x 12 pixels, and what they hold."""
    paths = [save(tmp_path / f"{number}.JPEG", smooth(12, 12, number)) for number in range(24)]
    return paths, torch.from_numpy(stacked(paths, 12))


def test_an_image_of_the_right_size_is_left_as_it_is(pictures):
    paths, images = pictures
    folder = Folder(paths, 12, 12)
    assert len(folder) == 24 and folder.shape == (24, 3, 12, 12) == images.shape
    assert folder[:].dtype == folder.dtype == torch.uint8 and torch.equal(folder[:], images)
    for path, image in zip(paths, images, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), image.permute(1, 2, 0))


PLACES = [
    torch.tensor([5, 0, 5, 23]),
    torch.tensor([], dtype=torch.int64),
    slice(3, 9),
    slice(20, 99),
    [1, -1],
    np.array([7]),
    torch.arange(24) % 2 == 0,
    4,
]


@pytest.mark.parametrize("index", PLACES, ids=str)
def test_indexing_is_a_tensors(index, pictures):
    paths, images = pictures
    assert torch.equal(Folder(paths, 12, 12)[index], images[index])


def test_a_place_outside_is_an_error(pictures):
    with pytest.raises(IndexError):
        Folder(pictures[0], 12, 12)[torch.tensor([24])]


def test_parts_are_decoded_one_after_another(pictures):
    paths, images = pictures
    parts = list(Folder(paths, 12, 12).split(10))
    assert [len(part) for part in parts] == [10, 10, 4] and torch.equal(torch.cat(parts), images)
    assert torch.equal(shrink(Folder(paths, 12, 12), 6), shrink(images, 6))


def as_stored(paths):
    """Paths as `prepare` stores them: uint8 (examples, bytes), padded with zeros."""
    longest = max(map(len, paths))
    return np.array([list(path.encode().ljust(longest, b"\0")) for path in paths], np.uint8)


def test_paths_are_taken_as_prepare_stores_them(pictures):
    paths, images = pictures
    for some in (as_stored(paths), np.asfortranarray(as_stored(paths))):
        assert torch.equal(Folder(some, 12, 12)[:], images)
        assert torch.equal(Folder(some[::2], 12, 12)[:], images[::2])


def test_a_split_is_a_folder_or_a_tensor(pictures):
    """Of paths a folder, of 256 pixels to train on and 224 to test; of images a tensor."""
    paths, images = pictures
    splits = {"train/path": as_stored(paths), "test/path": as_stored(paths), "other/images": images.numpy()}
    assert images_of(splits, "train", np.arange(5)).shape == (5, 3, 256, 256)
    assert images_of(splits, "test").shape == (24, 3, 224, 224)
    assert torch.equal(images_of(splits, "other"), images)
    assert torch.equal(images_of(splits, "other", np.arange(3)), images[:3])


def test_stored_paths_are_looked_up_where_the_official_files_lie(pictures, tmp_path, monkeypatch):
    """As data/raw/… below the repository, or in the folder that WIDE_RAW names."""
    paths, images = pictures
    stored = as_stored([path.replace(str(tmp_path), "data/raw/imagenet") for path in paths])
    (tmp_path / "here" / "data").mkdir(parents=True)
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("WIDE_RAW", str(tmp_path / "there"))
    (tmp_path / "there" / "imagenet").symlink_to(tmp_path)
    assert torch.equal(Folder(stored, 12, 12)[:], images)
    monkeypatch.delenv("WIDE_RAW")
    with pytest.raises(ValueError, match="^data/raw/imagenet/0.JPEG is missing"):
        Folder(stored, 12, 12)[0]
    (tmp_path / "here" / "data" / "raw").symlink_to(tmp_path / "there")
    assert torch.equal(Folder(stored, 12, 12)[:], images)


@pytest.mark.parametrize("width, height", [(30, 12), (12, 30), (13, 12), (12, 12)])
def test_the_centre_is_kept(width, height, tmp_path):
    """Where the shorter side is right, nothing is resized: the crop is a part of the file's pixels."""
    pixels = smooth(width, height)
    path = save(tmp_path / "a.png", pixels)
    left, top = (width - 8) // 2, (height - 8) // 2
    found = Folder([path], 8, 12)[0].permute(1, 2, 0)
    np.testing.assert_array_equal(found, pixels[top : top + 8, left : left + 8])


@pytest.mark.parametrize("width, height", [(500, 375), (375, 500), (64, 90), (2000, 1500)])
def test_the_shorter_side_is_resized_whatever_the_size(width, height, tmp_path):
    """A smooth picture is the same at the size asked for, also by JPEG's own reduction."""
    path = save(tmp_path / "a.JPEG", smooth(width, height), quality=95)
    found = Folder([path], 96, 96)[0].permute(1, 2, 0).numpy().astype(float)
    shorter = min(width, height)
    left, top = (width - shorter) / 2, (height - shorter) / 2
    square = (left, top, left + shorter, top + shorter)
    whole = Image.fromarray(smooth(width, height))
    wanted = np.asarray(whole.resize((96, 96), Image.Resampling.BILINEAR, square))
    assert np.abs(found - wanted).mean() < 3


def test_other_kinds_of_image_become_rgb(tmp_path):
    grey, colour = smooth(20, 20)[..., 0], smooth(20, 20)
    found = np.asarray(rgb(save(tmp_path / "grey.png", grey)))
    np.testing.assert_array_equal(found, np.repeat(grey[..., None], 3, 2))
    Image.fromarray(colour).convert("CMYK").save(tmp_path / "cmyk.JPEG", quality=100)
    assert np.abs(np.asarray(rgb(tmp_path / "cmyk.JPEG")).astype(float) - colour).mean() < 6
    Image.fromarray(colour).save(tmp_path / "named_wrong.JPEG", format="PNG")  # ImageNet has one of these
    np.testing.assert_array_equal(np.asarray(rgb(tmp_path / "named_wrong.JPEG")), colour)


HARM = {
    "truncated": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "a page": lambda content: b"no image",
    "missing": None,
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
def test_a_file_that_cannot_be_decoded_is_one_line_that_names_it(harm, pictures, tmp_path):
    paths, _ = pictures
    bad = tmp_path / "7.JPEG"
    if harm:
        bad.write_bytes(harm(bad.read_bytes()))
    else:
        bad.unlink()
    with pytest.raises(ValueError, match="7.JPEG is missing, damaged or truncated") as error:
        Folder(paths, 12, 12)[torch.arange(24)]
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("side, resize", [(13, 12), (0, 12)])
def test_a_crop_that_does_not_fit_is_refused(side, resize):
    with pytest.raises(ValueError, match=f"a crop of {side} pixels"):
        Folder(["a"], side, resize)


def build():
    """A small network for the pictures."""
    return Net(8, image=(3, 12, 12), classes=3, depth=1)


def test_a_training_cannot_tell_a_folder_from_a_tensor(pictures):
    paths, images = pictures
    folder, labels = Folder(paths, 12, 12), torch.arange(24) % 3
    recipe = Recipe.of({"epochs": 2, "batch": 6, "lr": 0.05, "augment": {"flip": True}})
    found, _ = train_population(build, folder, labels, recipe, [0, 1], half=False)
    wanted, _ = train_population(build, images, labels, recipe, [0, 1], half=False)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    shares = [accuracy(build(), wanted, some, labels, batch=7) for some in (folder, images)]
    assert torch.equal(*shares)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_images_go_to_the_device(pictures):
    paths, images = pictures
    folder = Folder(paths, 12, 12).to("cuda")
    assert torch.equal(folder[torch.tensor([3, 1], device="cuda")], images[[3, 1]].cuda())
