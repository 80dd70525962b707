"""Augmentation against loops over images with numpy."""

import numpy as np
import pytest
import torch

from wide.training.augmentation import Augment


@pytest.fixture
def batch():
    """(float images, numbers): 24 images of 2 x 8 x 10, each with its own numbers."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(24, 2, 8, 10, generator=generator), torch.rand(24, 5, generator=generator)


def still(numbers=0.5, examples=24):
    return torch.full((examples, 5), numbers)


def assert_equal(found, expected):
    np.testing.assert_allclose(found.numpy(), np.asarray(expected), atol=1e-5)


def test_nothing_on_is_the_identity_and_needs_no_numbers(batch):
    x, u = batch
    assert torch.equal(Augment()(x, u), x)
    assert Augment().numbers == 0


@pytest.mark.parametrize(
    "settings", [{"shift": 0.1}, {"rotate": 5}, {"flip": True}, {"crop": 1}, {"cyclic": True}], ids=str
)
def test_each_setting_draws_numbers_moves_images_and_keeps_their_shape(batch, settings):
    x, u = batch
    augment = Augment(**settings)
    assert augment.numbers == u.shape[1]
    moved = augment(x, u)
    assert moved.shape == x.shape and moved.dtype == x.dtype
    assert not torch.allclose(moved, x)


def test_input_is_left_alone(batch):
    x, u = batch
    kept = x.clone()
    Augment(shift=0.1, rotate=5, flip=True, crop=1, cyclic=True)(x, u)
    assert torch.equal(x, kept)


def test_flip_equals_a_loop(batch):
    x, u = batch
    expected = [
        image[:, :, ::-1] if number < 0.5 else image for image, number in zip(x.numpy(), u[:, 0].numpy())
    ]
    assert_equal(Augment(flip=True)(x, u), expected)
    assert 0 < (u[:, 0] < 0.5).sum() < 24  # both happen


def test_cyclic_equals_roll(batch):
    x, u = batch
    expected = [np.roll(image, int(number * 10), axis=2) for image, number in zip(x.numpy(), u[:, 4].numpy())]
    assert_equal(Augment(cyclic=True)(x, u), expected)


def test_cyclic_reaches_every_shift_equally_often():
    x = torch.eye(10)[0].expand(1000, 1, 1, 10)
    found = (
        Augment(cyclic=True)(x, torch.linspace(0, 1 - 1e-6, 1000)[:, None].expand(1000, 5))
        .argmax(3)
        .flatten()
    )
    assert torch.bincount(found, minlength=10).tolist() == [100] * 10


def test_crop_equals_a_loop_over_reflected_images(batch):
    x, u = batch
    expected = []
    for image, top, left in zip(x.numpy(), (u[:, 3] * 7).long().tolist(), (u[:, 4] * 7).long().tolist()):
        padded = np.pad(image, ((0, 0), (3, 3), (3, 3)), mode="reflect")
        expected.append(padded[:, top : top + 8, left : left + 10])
    assert_equal(Augment(crop=3)(x, u), expected)


@pytest.mark.parametrize("number, corner", [(0.0, (0, 0)), (1 - 2**-24, (4, 4)), (0.5, (2, 2))])
def test_crop_reaches_both_ends(batch, number, corner):
    x, _ = batch
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)), mode="reflect")
    top, left = corner
    assert_equal(Augment(crop=2)(x, still(number)), padded[:, :, top : top + 8, left : left + 10])


@pytest.mark.parametrize(
    "settings", [{"shift": 0.3}, {"rotate": 40}, {"shift": 0.3, "rotate": 40}, {"crop": 3}], ids=str
)
def test_numbers_of_one_half_move_nothing(batch, settings):
    x, _ = batch
    assert_equal(Augment(**settings)(x, still()), x)


def test_numbers_of_zero_flip_but_do_not_roll(batch):
    x, _ = batch
    assert_equal(Augment(flip=True, cyclic=True)(x, still(0.0)), x.flip(3))


@pytest.mark.parametrize("number, pixels", [(1.0, 2), (0.75, 1), (0.25, -1), (0.0, -2)])
@pytest.mark.parametrize("axis, column", [(3, 3), (2, 4)])
def test_a_whole_pixel_shift_is_a_roll_away_from_the_border(axis, column, number, pixels):
    x, u = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(1)), still(examples=4)
    u[:, column] = number
    moved = Augment(shift=2 / 16)(x, u)
    assert_equal(moved[:, :, 2:-2, 2:-2], np.roll(x.numpy(), -pixels, axis)[:, :, 2:-2, 2:-2])


def test_a_shift_repeats_edge_pixels():
    x, u = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(1)), still(examples=4)
    u[:, 3] = 1.0
    moved = Augment(shift=2 / 16)(x, u)
    assert_equal(moved[:, :, :, -2:], x[:, :, :, -1:].expand(-1, -1, -1, 2))


@pytest.mark.parametrize("number, turns", [(1.0, 1), (0.0, -1)])
def test_a_rotation_by_a_right_angle_is_rot90(number, turns):
    x, u = torch.rand(3, 2, 9, 9, generator=torch.Generator().manual_seed(2)), still(examples=3)
    u[:, 2] = number
    assert_equal(Augment(rotate=90)(x, u), np.rot90(x.numpy(), turns, (2, 3)))


@pytest.mark.parametrize(
    "settings",
    [
        {"shift": 0.2},
        {"rotate": 30},
        {"flip": True},
        {"crop": 2},
        {"cyclic": True},
        {"shift": 0.2, "rotate": 30, "flip": True},
    ],
    ids=str,
)
def test_every_image_uses_its_own_numbers(batch, settings):
    x, u = batch
    augment = Augment(**settings)
    alone = torch.cat([augment(x[i : i + 1], u[i : i + 1]) for i in range(24)])
    assert_equal(augment(x, u), alone)
    order = torch.randperm(24, generator=torch.Generator().manual_seed(3))
    assert not torch.allclose(augment(x, u[order]), alone)


def test_flip_comes_before_the_crop(batch):
    x, u = batch
    both = Augment(flip=True, crop=2)(x, u)
    assert_equal(both, Augment(crop=2)(Augment(flip=True)(x, u), u))


def test_a_resized_crop_is_a_part_of_the_image_at_the_new_size():
    """Where channels are coordinates, every crop is a window: evenly spaced, inside, 8 to 100 % in area."""
    axis = (torch.arange(32) + 0.5) / 32
    x = torch.stack([axis.expand(32, 32), axis[:, None].expand(32, 32)]).expand(500, 2, 32, 32)
    u = torch.rand(500, 5, generator=torch.Generator().manual_seed(4))
    part = Augment(resized_crop=16)(x, u)
    assert part.shape == (500, 2, 16, 16)
    across, down = part[:, 0, 8, 1:-1], part[:, 1, 1:-1, 8]
    width, height = (16 * (line[:, -1] - line[:, 0]) / 13 for line in (across, down))
    for line, side in ((across, width), (down, height)):
        np.testing.assert_allclose(line.diff(), (side / 16)[:, None].expand(-1, 13), atol=2e-3)
        assert (line[:, 0] > 0).all() and (line[:, -1] < 1).all()
    area = width * height
    assert 0.07 < area.min() < 0.15 and 0.8 < area.max() <= 1.02
    square = area < 0.5  # larger parts are cut off at the image's sides
    assert 0.74 < (width / height)[square].min() < 0.8 and 1.25 < (width / height)[square].max() < 1.35


def test_small_images_are_not_cropped(batch):
    x, u = batch
    assert_equal(Augment(resized_crop=16)(x, u), x)
    assert_equal(Augment(resized_crop=16, flip=True)(x, u), Augment(flip=True)(x, u))


@pytest.mark.parametrize("crop", [8, 10, 100])
def test_a_crop_that_reflection_cannot_pad_is_refused_in_one_line(batch, crop):
    x, u = batch
    line = f"augment: crop is {crop}, and an image of 8 pixels can be padded by reflection by at most 7"
    for refused in (lambda: Augment(crop=crop)(x, u), lambda: Augment(crop=crop).check((2, 8, 10))):
        with pytest.raises(ValueError) as error:
            refused()
        assert str(error.value) == line
    assert Augment(crop=7)(x, u).shape == x.shape
    Augment(crop=7).check((2, 8, 10))


@pytest.mark.parametrize("shape", [(6,), (5, 8), (2, 3, 8, 8)])
def test_only_images_can_be_augmented(shape):
    with pytest.raises(ValueError, match="are no images"):
        Augment(flip=True).check(shape)
    Augment().check(shape)
