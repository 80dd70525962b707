"""How members are stacked: a fixed rule of device, network and their number."""

import pytest

from wide.nets import convnet, mlp, resnet
from wide.training.side_by_side import SideBySide
from wide.training.stacking import arranged, members_at_once, pieces

IMAGE, CLASSES = (3, 16, 16), 4


def plain(width, plan="scaled"):
    return convnet.Net(width, image=IMAGE, classes=CLASSES, plan=plan)


def residual(width, **options):
    return resnet.Net(width, image=IMAGE, classes=CLASSES, **(options or {"depth": 8}))


# --- the rule -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds, expected", [(1, 1), (7, 1), (8, 8), (16, 16), (254, 16)])
def test_narrow_convolutional_networks_lie_side_by_side_from_eight_members_on(seeds, expected):
    assert members_at_once(plain(32), "cpu", seeds) == expected  # 8 channels
    assert members_at_once(residual(0.5), "cpu", seeds) == expected
    assert members_at_once(plain(36), "cpu", seeds) == 1  # 9 channels


@pytest.mark.parametrize("width, expected", [(32, 64), (100, 64), (2000, 1)])
def test_small_dense_networks_are_stacked(width, expected):
    net = mlp.Net(width, image=(1, 28, 28), classes=10)
    assert members_at_once(net, "cpu", 200) == expected
    assert members_at_once(net, "cpu", 3) == min(expected, 3)


def test_a_gpu_takes_as_many_as_fill_it():
    parameters = sum(parameter.numel() for parameter in plain(64).parameters())
    assert members_at_once(plain(64), "cuda", 1000) == 4_000_000 // parameters
    assert members_at_once(plain(64), "cuda", 3) == 3
    assert members_at_once(plain(2048), "cuda", 3) == 1


@pytest.mark.parametrize("seeds", [1, 7, 8, 16, 17, 20, 24, 40, 254])
def test_pieces_cover_all_members_and_are_stacked_alike_alone(seeds):
    for net in (plain(8), plain(80), mlp.Net(8, image=IMAGE, classes=2)):
        found = pieces(net, "cpu", seeds)
        assert [index for piece in found for index in range(seeds)[piece]] == list(range(seeds))
        for piece in found:
            assert pieces(net, "cpu", piece.stop - piece.start) == [slice(0, piece.stop - piece.start)]


def test_only_narrow_ones_change_their_form():
    assert isinstance(arranged(plain(8), 3), SideBySide)
    for net, members in ((plain(8), 1), (plain(80), 3), (mlp.Net(8, image=IMAGE, classes=2), 3)):
        assert arranged(net, members) is net
