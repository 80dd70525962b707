"""Residual networks: published layers and parameter counts; the same function as a naive forward pass."""

import re

import pytest
import torch
from tapped import seen_in
from torch.func import functional_call
from torch.nn import functional as F
from torchvision.models.resnet import Bottleneck, ResNet

from wide.nets.resnet import EXAMPLE, Net, blocks_of
from wide.training import stacking
from wide.training.initialisation import initialise, weighted_layers
from wide.training.population import stack

KERAS_LAYERS = {
    14: 51,
    20: 72,
    26: 93,
    32: 114,
    38: 135,
    44: 156,
    56: 198,
    110: 387,
    164: 576,
    218: 765,
    224: 786,
}
CIFAR = {"image": (3, 32, 32), "classes": 10}
TINY = {"image": (3, 8, 8), "classes": 5}


def on_meta(width, *, image=(3, 32, 32), classes=10, **options):
    with torch.device("meta"):
        return Net(width, image=image, classes=classes, **options).eval(), torch.empty(1, *image)


def trained(width=0.25, seed=0, shape=TINY, **options):
    """A float64 network with biases, gains and running statistics away from where they start."""
    net = Net(width, **shape, **options).double()
    initialise(net, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if value.dim() == 1:
                drawn = torch.randn(len(value), generator=generator).double()
                value.copy_(drawn.abs() + 0.5 if name.endswith(("weight", "var")) else 0.3 * drawn)
    return net.eval()


def images(count=6, shape=TINY, seed=1):
    return torch.randn(count, *shape["image"], generator=torch.Generator().manual_seed(seed)).double()


def tapped(net, x, **options):
    """[(name, activation)] as the tap sees them."""
    seen = []
    logits = net(x, tap=seen_in(seen), **options)
    assert seen[-1][1] is logits and seen[0][1] is x
    return seen


def parameters(net):
    return sum(parameter.numel() for parameter in net.parameters())


# ---- layers


@pytest.mark.parametrize("depth", KERAS_LAYERS)
def test_layers_are_as_many_as_keras_lists(depth):
    net, x = on_meta(1, depth=depth)
    names = [name for name, _ in tapped(net, x)]
    assert len(names) == KERAS_LAYERS[depth] == 21 * (depth - 2) // 6 + 9
    assert names == net.layers and len(set(names)) == len(names)
    assert len(weighted_layers(net)) == depth + 2  # two shortcuts, which a depth does not count


def test_layers_come_in_keras_order():
    block = ["conv1", "bn1", "relu1", "conv2", "bn2", "add", "relu2"]
    projecting = ["conv1", "bn1", "relu1", "conv2", "shortcut", "bn2", "add", "relu2"]
    assert Net(0.1, **CIFAR, **EXAMPLE).layers == (
        ["input", "stem.conv", "stem.bn", "stem.relu"]
        + [f"stage1.block{b}.{layer}" for b in (1, 2) for layer in block]
        + [
            f"stage{s}.block{b}.{layer}"
            for s in (2, 3)
            for b in (1, 2)
            for layer in (projecting if b == 1 else block)
        ]
        + ["pool", "flatten", "logits"]
    )


@pytest.mark.parametrize(
    "options",
    [
        {"depth": 20},
        {"family": "imagenet", "blocks": (1, 2, 1, 1), "stem": "small"},
        {"family": "imagenet", "blocks": [1, 1, 2, 1]},
        {"depth": 14, "residual": False},
    ],
)
def test_named_groups_tell_what_a_layer_is(options):
    """Judged by the tensors alone: a ReLU's output is its input without the negatives."""
    shape = {"image": (3, 64, 64), "classes": 4}
    net = trained(0.2, shape=shape, **options)
    seen = tapped(net, images(2, shape))
    assert [name for name, _ in seen] == net.layers
    value = dict(seen)
    before = dict(zip(net.layers[1:], net.layers))
    assert net.units == [
        name for name in net.layers[1:] if torch.equal(value[name], value[before[name]].clamp_min(0))
    ]
    assert len(net.adds) == len(net.before_adds) == len(net.post_residual)
    assert len(net.adds) == (len(net.blocks) if options.get("residual", True) else 0)
    for bn, add, relu in zip(net.before_adds, net.adds, net.post_residual):
        assert before[add] == bn and before[relu] == add and bn.split(".")[-1].startswith("bn")
        assert value[bn].shape == value[add].shape and not torch.equal(value[bn], value[add])
    stages = [net.stage_of(name) for name in net.layers]
    assert stages == sorted(stages) and set(stages) == set(range(len(net.stages) + 2))
    for stage in range(1, len(net.stages) + 1):
        sizes = {value[name].shape[2] for name in net.post_residual if net.stage_of(name) == stage}
        assert len(sizes) == (1 if net.adds else 0)
    assert value[net.penultimate].shape == (2, net.output.in_features)


def test_a_resnet_38_has_37_relus():
    """The axis of figure D.8."""
    assert len(on_meta(1, depth=38)[0].units) == 37


def test_each_stage_halves_the_image_and_doubles_the_channels():
    value = dict(tapped(*on_meta(1, depth=14)))
    shapes = [tuple(value[f"stage{stage}.block2.relu2"].shape[1:]) for stage in (1, 2, 3)]
    assert shapes == [(16, 32, 32), (32, 16, 16), (64, 8, 8)]


@pytest.mark.parametrize(
    "width, channels", [(10, [160, 320, 640]), (1.4, [22, 44, 88]), (2.6, [42, 84, 168]), (0.001, [1, 2, 4])]
)
def test_width_multiplies_channels(width, channels):
    net, _ = on_meta(width, depth=14)
    assert [stage[0].outputs for stage in net.stages] == channels
    assert [stage[0].outputs for stage in on_meta(width / 2, depth=14, base=32)[0].stages] == channels


def test_without_residual_connections_adds_and_shortcuts_go_and_nothing_else():
    plain, x = on_meta(1, depth=38, residual=False)
    net, _ = on_meta(1, depth=38)
    assert (
        [name for name, _ in tapped(plain, x)]
        == [name for name in net.layers if not name.endswith((".add", ".shortcut"))]
        == plain.layers
    )
    assert len(plain.layers) == 18 * 6 + 7 and not plain.adds and not plain.deletable
    assert parameters(net) - parameters(plain) == 16 * 32 + 32 + 32 * 64 + 64


# ---- parameters


def cifar_parameters(depth, width, classes):
    n, channels = (depth - 2) // 6, round(16 * width)
    total = 30 * channels + 2 * n * (9 * channels**2 + 3 * channels) + 4 * channels * classes + classes
    for m in (2 * channels, 4 * channels):  # half the inputs in the first convolution and in the shortcut
        total += (2 * n - 1) * 9 * m**2 + 9 * m**2 // 2 + 2 * n * 3 * m + m**2 // 2 + m
    return total


def imagenet_parameters(thirds, factor=1):
    total, before = 3 * 49 * 64 + 128, 64
    for inner, number in ((64, 3), (128, 4), (round(256 * factor), thirds), (512, 3)):
        for block in range(number):
            total += before * inner + 9 * inner**2 + 4 * inner**2 + 2 * (inner + inner + 4 * inner)
            total += before * 4 * inner + 8 * inner if block == 0 else 0
            before = 4 * inner
    return total + 1000 * before + 1000


@pytest.mark.parametrize("depth, width, classes", [(14, 1, 10), (38, 10, 100), (164, 1, 10), (26, 1.7, 10)])
def test_cifar_parameters_agree_with_the_formula(depth, width, classes):
    assert parameters(on_meta(width, depth=depth, classes=classes)[0]) == cifar_parameters(
        depth, width, classes
    )


@pytest.mark.parametrize(
    "options, published",
    [
        ({"depth": 20}, 273_066),
        *(
            ({"family": "imagenet", "depth": depth, "classes": 1000, "image": (3, 224, 224)}, count)
            for depth, count in ((50, 25_557_032), (101, 44_549_160))
        ),
    ],
)
def test_parameters_are_as_many_as_published(options, published):
    """Keras' example of ResNet-20 v1, and torchvision's ResNet-50 and ResNet-101."""
    assert parameters(on_meta(1, **options)[0]) == published


@pytest.mark.parametrize("depth, factor, thirds", [(50, 1, 6), (83, 1, 17), (50, 2.8, 6)])
def test_imagenet_networks_scale_only_the_third_stage(depth, factor, thirds):
    net, x = on_meta(
        1, family="imagenet", depth=depth, stage3_width=factor, image=(3, 224, 224), classes=1000
    )
    assert parameters(net) == imagenet_parameters(thirds, factor)
    assert [len(stage) for stage in net.stages] == [3, 4, thirds, 3]
    assert [stage[0].outputs for stage in net.stages] == [256, 512, 4 * round(256 * factor), 2048]
    seen = tapped(net, x)
    assert [name for name, _ in seen] == net.layers and len(seen) == 10 * len(net.blocks) + 16
    assert dict(seen)["stem.pool"].shape[2] == 56 and dict(seen)[net.adds[-1]].shape[2] == 7


def test_small_stem_keeps_small_images():
    net, x = on_meta(1, family="imagenet", depth=50, stem="small", image=(3, 64, 64))
    assert dict(tapped(net, x))[net.adds[-1]].shape[2:] == (8, 8) and "stem.pool" not in net.layers


# ---- the function


def naive(net, x, residual=True, skip=()):
    """A CIFAR network's logits in evaluation mode, out of its state alone."""
    state = net.state_dict()

    def layer(x, conv, bn, stride=1):
        x = F.conv2d(x, state[f"{conv}.weight"], state[f"{conv}.bias"], stride, padding=1)
        mean, var, weight, bias = (
            state[f"{bn}.{key}"][:, None, None] for key in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-3).sqrt() * weight + bias

    x = layer(x, "stem.conv", "stem.bn").clamp_min(0)
    for stage, blocks in enumerate(net.stages):
        for position in range(len(blocks)):
            if f"stage{stage + 1}.block{position + 1}" in skip:
                continue
            at, stride = f"stages.{stage}.{position}", 2 if stage and not position else 1
            y = layer(x, f"{at}.branch.conv1", f"{at}.branch.bn1", stride).clamp_min(0)
            y = layer(y, f"{at}.branch.conv2", f"{at}.norm.bn2")
            if residual and stride == 2:
                kernel, bias = (state[f"{at}.shortcut.shortcut.{key}"] for key in ("weight", "bias"))
                x = torch.einsum("oi,nihw->nohw", kernel[:, :, 0, 0], x[:, :, ::2, ::2]) + bias[:, None, None]
            x = (x + y if residual else y).clamp_min(0)
    return x.mean((2, 3)) @ state["output.weight"].T + state["output.bias"]


@pytest.mark.parametrize("residual", [True, False])
def test_logits_agree_with_a_naive_forward_pass(residual):
    net, x = trained(depth=14, residual=residual), images()
    torch.testing.assert_close(net(x), naive(net, x, residual), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("skip", [{"stage1.block1"}, {"stage2.block3", "stage2.block2"}, {"stage3.block2"}])
def test_a_deleted_block_is_its_identity_shortcut(skip):
    net, x = trained(depth=20), images()
    without = net(x, skip=skip)
    torch.testing.assert_close(without, naive(net, x, skip=skip), rtol=1e-9, atol=1e-9)
    assert not torch.allclose(without, net(x), rtol=1e-3)
    kept = [name for name, _ in tapped(net, x, skip=skip)]
    assert kept == [name for name in net.layers if not name.startswith(tuple(f"{block}." for block in skip))]


@pytest.mark.parametrize(
    "options", [{"depth": 14}, {"family": "imagenet", "blocks": (1, 2, 3, 2), "stem": "small"}]
)
def test_deleting_blocks_is_silencing_their_branches(options):
    net, x = trained(0.1, **options), images()
    without = net(x, skip=net.deletable)
    with torch.no_grad():
        for name in net.deletable:
            for norm in net.blocks[name].norm.values():
                norm.weight.zero_()
                norm.bias.zero_()
    torch.testing.assert_close(net(x), without, rtol=1e-12, atol=1e-12)


def test_blocks_with_a_projection_cannot_be_deleted():
    net = Net(0.1, **TINY, depth=20)
    assert net.deletable == [name for name in net.blocks if name not in ("stage2.block1", "stage3.block1")]
    bottlenecks = Net(0.1, **TINY, family="imagenet", blocks=(2, 1, 2, 1), stem="small")
    assert bottlenecks.deletable == ["stage1.block2", "stage3.block2"]


def test_imagenet_family_is_torchvisions_function():
    ours = trained(1, shape={"image": (3, 64, 64), "classes": 7}, family="imagenet", blocks=(1, 2, 1, 1))
    theirs, state = ResNet(Bottleneck, [1, 2, 1, 1], num_classes=7).double().eval(), ours.state_dict()
    for name in list(theirs.state_dict()):
        source = re.sub(r"layer(\d)\.", lambda match: f"stages.{int(match[1]) - 1}.", name)
        source = source.replace("downsample.0", "shortcut.shortcut").replace(
            "downsample.1", "shortcut.shortcut_bn"
        )
        source = (
            re.sub(r"^(conv|bn)1", r"stem.\1", source).replace("fc.", "output.").replace(".bn3", ".norm.bn3")
        )
        theirs.state_dict()[name].copy_(state[re.sub(r"(\d\.)(conv.|bn[12])", r"\1branch.\2", source)])
    x = images(2, {"image": (3, 64, 64)})
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-9, atol=1e-9)


# ---- training mode, populations


def test_running_statistics_move_by_a_hundredth_a_step():
    net, x = Net(0.25, **TINY, depth=8).double().train(), images(20)
    conv = dict(tapped(net, x))["stem.conv"]
    torch.testing.assert_close(net.stem.bn.running_mean, 0.01 * conv.mean((0, 2, 3)))
    torch.testing.assert_close(net.stem.bn.running_var, 0.99 + 0.01 * conv.var((0, 2, 3)))


@pytest.mark.parametrize(
    "options", [{"depth": 110}, {"family": "imagenet", "blocks": (3, 4, 6, 3), "stem": "small"}]
)
def test_activations_do_not_blow_up_at_initialisation(options):
    """A bn of gain 1 has mean square at most 1: an identity block adds at most 1 to the root mean square."""
    net, x = Net(0.25, **TINY, **options).double().train(), images(16)
    initialise(net, 3)
    with torch.no_grad():
        value = {name: activation.square().mean().sqrt().item() for name, activation in tapped(net, x)}
    before = dict(zip(net.post_residual[1:], net.post_residual))
    for name in net.post_residual[1:]:
        if name.rsplit(".", 1)[0] in net.deletable:
            assert value[name] <= value[before[name]] + 1
    assert 0.05 < value["logits"] < 30 and max(value[name] for name in net.post_residual) < 30


def test_imagenet_blocks_start_as_their_shortcut_but_learn():
    net, x = Net(0.1, **TINY, family="imagenet", blocks=(1, 2, 1, 1), stem="small").double().train(), images()
    torch.testing.assert_close(net(x), net(x, skip={"stage2.block2"}))
    net(x).square().sum().backward()
    assert net.blocks["stage2.block2"].norm["bn3"].weight.grad.abs().max() > 0


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {"depth": 8},
        {"depth": 8, "residual": False},
        {"family": "imagenet", "blocks": (1, 1, 1, 1), "stem": "small"},
    ],
)
def test_a_member_is_the_same_alone_and_in_a_population(options, training):
    members = [trained(seed=seed, **options) for seed in (0, 1)]
    x = torch.stack([images(seed=seed) for seed in (5, 6)])
    population = stack([{name: value.clone() for name, value in net.state_dict().items()} for net in members])
    blank = Net(0.25, **TINY, **options).double().train(training)
    logits = stacking.forward(blank, population, x)
    assert not torch.allclose(logits[0], logits[1])
    for index, net in enumerate(members):
        before = net.stem.bn.running_mean.clone()
        torch.testing.assert_close(logits[index], net.train(training)(x[index]), rtol=1e-9, atol=1e-9)
        assert torch.equal(net.stem.bn.running_mean, before) != training
        for name, value in net.state_dict().items():
            torch.testing.assert_close(population[name][index], value, rtol=1e-9, atol=1e-9)


def test_deletion_works_on_a_members_state():
    net, other, x = trained(depth=14), trained(seed=9, depth=14), images()
    found = functional_call(net, other.state_dict(), (x,), {"skip": ["stage3.block2"]})
    torch.testing.assert_close(found, other(x, skip=["stage3.block2"]))


# ---- bad input


@pytest.mark.parametrize(
    "options",
    [
        {"depth": 16},
        {"depth": 2},
        {"depth": 51, "family": "imagenet"},
        {"depth": 32, "family": "imagenet"},
        {"depth": 14, "family": "vgg"},
        {"depth": 14, "stem": "large"},
        {},
        {"depth": 14, "blocks": (2, 2, 2)},
        {"blocks": (2, 2)},
        {"blocks": ()},
        {"blocks": (2, 0, 2)},
    ],
)
def test_impossible_networks_are_one_clear_line(options):
    with pytest.raises(ValueError) as error:
        Net(1, **TINY, **options)
    assert re.fullmatch(r".{40,140}", str(error.value))


def test_depths_name_the_blocks_of_each_stage():
    assert blocks_of(62) == (10, 10, 10)
    assert [blocks_of(depth, "imagenet") for depth in (50, 83)] == [(3, 4, 6, 3), (3, 4, 17, 3)]


@pytest.mark.parametrize(
    "residual, skip",
    [
        (True, {"stage2.block1"}),
        (True, {"stage4.block1"}),
        (True, "stage1.block1"),
        (False, {"stage1.block1"}),
    ],
)
def test_blocks_that_cannot_be_deleted_are_refused(residual, skip):
    net = Net(0.1, **TINY, depth=8, residual=residual)
    with pytest.raises(ValueError, match="cannot be left out"):
        net(images().float(), skip=skip)


def test_stage_of_an_unknown_layer_is_refused():
    with pytest.raises(ValueError, match="'stage9.block1.add' does not exist"):
        Net(0.1, **TINY, **EXAMPLE).stage_of("stage9.block1.add")


def test_running_statistics_take_the_share_that_is_asked_for():
    image = torch.randn(64, 3, 8, 8) + 3
    for share in (0.01, 0.5):
        net = Net(1, image=(3, 8, 8), classes=2, depth=8, bn_momentum=share)
        net.train()(image)
        assert torch.allclose(
            net.stem["bn"].running_mean, share * net.stem["conv"](image).mean((0, 2, 3)), rtol=1e-4, atol=1e-5
        )
    for wrong in (0, -1, 1.5):
        with pytest.raises(ValueError, match="bn_momentum"):
            Net(1, image=(3, 8, 8), classes=2, depth=8, bn_momentum=wrong)
