"""Theorems that hold for every file in wide/nets, and the published sizes."""

import importlib
import inspect
from pathlib import Path

import pytest
import torch

from wide.nets import convnet, mlp, resnet
from wide.training.initialisation import INITIALISATIONS, initialise, weighted_layers

IMAGE, CLASSES = (3, 32, 32), 7
NAMES = sorted(path.stem for path in Path("wide/nets").glob("*.py") if path.stem != "__init__")


def make(name, width=2, **options):
    module = importlib.import_module(f"wide.nets.{name}")
    return module.Net(width, image=IMAGE, classes=CLASSES, **module.EXAMPLE, **options)


def images(number=3):
    return torch.rand(number, *IMAGE, generator=torch.Generator().manual_seed(0))


def size(net):
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_an_example_does_not_depend_on_its_neighbours(name):
    net, x = make(name).eval(), images()
    with torch.no_grad():
        torch.testing.assert_close(net(x)[1:2], net(x[1:2]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_wider_network_has_more_parameters(name):
    sizes = [size(make(name, width)) for width in (1, 2, 4)]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_a_gradient(name):
    net = make(name, 4)
    initialise(net, 0)
    net.train()(images(8)).square().sum().backward()
    assert [key for key, value in net.named_parameters() if value.grad is None] == []


@pytest.mark.parametrize("name", NAMES)
def test_initialisation_depends_on_the_seed_alone(name):
    first, second, other = make(name), make(name), make(name)
    for net, seed in ((first, 1), (second, 1), (other, 2)):
        initialise(net, seed)
    for a, b, c in zip(*(weighted_layers(net) for net in (first, second, other))):
        assert torch.equal(a.weight, b.weight) and not torch.equal(a.weight, c.weight)


# ---- initialisation


@pytest.mark.parametrize(
    "net",
    [
        mlp.Net(400, image=(1, 20, 20), classes=500, depth=2),
        convnet.Net(256, image=(64, 8, 8), classes=500, plan="scaled"),
    ],
    ids=["mlp", "convnet"],
)
def test_weights_have_variance_two_over_fan_in_and_one_over_it_in_the_last_layer(net):
    initialise(net, 0)
    *hidden, last = weighted_layers(net)
    for layer in (*hidden, last):
        fan_in = layer.weight[0].numel()
        assert layer.weight.var().item() * fan_in == pytest.approx(1 if layer is last else 2, rel=0.05)
        assert abs(layer.weight.mean().item()) < 0.01
        assert layer.bias.abs().max() == 0
    assert weighted_layers(net)[-1] is net.output


def test_glorot_divides_by_both_fans():
    net = convnet.Net(512, image=(32, 8, 8), classes=5, plan="scaled")
    initialise(net, 0, hidden="glorot_normal")
    layer = weighted_layers(net)[0]  # 32 to 128 channels, 3 x 3
    assert layer.weight.var().item() == pytest.approx(2 / (9 * 32 + 9 * 128), rel=0.05)


def test_unknown_initialisation_names_the_known():
    with pytest.raises(ValueError, match="'she_normal' is unknown; known: " + ", ".join(INITIALISATIONS)):
        initialise(make("mlp"), 0, hidden="she_normal")


# ---- the papers' sizes

PAPER = [2000, 931, 720, 612, 543, 494, 456, 426, 402, 381, 364, 348, 335, 323, 312, 302, 293, 285, 278, 271]


@pytest.mark.parametrize("depth, width", list(enumerate(PAPER, 1)))
def test_constant_size_widths_of_gilboa(depth, width):
    assert mlp.constant_size_width(depth, 784, 28, 2000) == width
    net = mlp.Net(width, image=(1, 28, 28), classes=28, depth=depth)
    assert 1.616e6 <= size(net) <= 1.6265e6
    wider = mlp.Net(width + 1, image=(1, 28, 28), classes=28, depth=depth)
    assert size(wider) > size(mlp.Net(2000, image=(1, 28, 28), classes=28))


@pytest.mark.parametrize("depth", range(2, 12))
def test_constant_size_width_is_the_largest_that_is_not_above(depth):
    inputs, outputs, widest = 50, 7, 300
    weights = lambda layers, n: (layers - 1) * n**2 + (layers + inputs + outputs) * n
    width = mlp.constant_size_width(depth, inputs, outputs, widest)
    assert weights(depth, width) <= weights(1, widest) < weights(depth, width + 1)


def test_depths_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="depth is 0"):
        mlp.constant_size_width(0, 784, 28, 2000)
    with pytest.raises(ValueError, match="depth is -1"):
        mlp.Net(4, image=(1, 4, 4), classes=2, depth=-1)


def test_depth_zero_is_a_linear_classifier_of_the_input():
    net = mlp.Net(99, image=(1, 4, 4), classes=2, depth=0)
    x = torch.rand(5, 1, 4, 4)
    assert size(net) == 16 * 2 + 2 and net.penultimate == "input"
    torch.testing.assert_close(net(x), x.flatten(1) @ net.output.weight.T + net.output.bias)


def test_fixed_plan_widens_the_last_hidden_layer_only():
    narrow, wide = (
        [
            tuple(layer.weight.shape)
            for layer in weighted_layers(convnet.Net(n, image=(1, 28, 28), classes=10, plan="fixed"))
        ]
        for n in (20, 2048)
    )
    assert narrow == [(32, 1, 3, 3), (32, 32, 3, 3), (64, 32, 3, 3), (64, 64, 3, 3), (20, 64 * 49), (10, 20)]
    assert wide == [*narrow[:4], (2048, 64 * 49), (10, 2048)]


@pytest.mark.parametrize("width, channels", [(512, 128), (64, 16), (2, 1), (1, 1)])
def test_scaled_plan_has_a_quarter_of_the_width_in_channels(width, channels):
    layers = weighted_layers(convnet.Net(width, image=(3, 32, 32), classes=10, plan="scaled"))
    assert [layer.weight.shape[0] for layer in layers] == [channels] * 4 + [width, 10]
    assert layers[4].weight.shape[1] == channels * 8 * 8


def test_convnet_equals_relu_before_the_pool():
    """ReLU and max-pool commute: the network is the one with the ReLU right after every convolution."""
    net = convnet.Net(12, image=(3, 16, 16), classes=4, plan="scaled")
    initialise(net, 0)
    x = images()[:, :, :16, :16]
    conv, relu, pool = weighted_layers(net), torch.relu, torch.nn.MaxPool2d(2)
    h = pool(relu(conv[1](relu(conv[0](x)))))
    h = pool(relu(conv[3](relu(conv[2](h)))))
    torch.testing.assert_close(net(x), net.output(relu(conv[4](h.flatten(1)))))


def test_unknown_plan_names_the_known():
    with pytest.raises(ValueError, match="plan 'deep' is unknown; known: fixed, scaled"):
        convnet.Net(4, image=(1, 8, 8), classes=2, plan="deep")


# ---- what is refused

MLP = {"width": 4, "image": (1, 8, 8), "classes": 3}
CONVNET = {**MLP, "plan": "fixed"}
RESNET = {"width": 1, "image": (3, 8, 8), "classes": 3, "depth": 8}


@pytest.mark.parametrize(
    "net, given, wrong, message",
    [
        *(
            (net, given, {"width": width}, "width is .* a number above 0")
            for net, given in ((mlp, MLP), (convnet, CONVNET), (resnet, RESNET))
            for width in (0, -1, "4", None, True, [4], float("nan"), float("inf"))
        ),
        *(
            (net, given, {"width": 1e9}, "too wide: lower the width")
            for net, given in ((mlp, MLP), (resnet, RESNET))
        ),
        *(
            (net, given, {"classes": classes}, "classes is .* a whole number")
            for net, given in ((mlp, MLP), (convnet, CONVNET), (resnet, RESNET))
            for classes in (0, 2.0, "3", None)
        ),
        *(
            (net, given, {"image": image}, "image is")
            for net, given in ((convnet, CONVNET), (resnet, RESNET))
            for image in ((8, 8), 8, "888", None)
        ),
        (mlp, MLP, {"image": ()}, "the sizes of its axes"),
        (mlp, MLP, {"image": (1, 0, 8)}, "a side of image is 0"),
        (resnet, RESNET, {"image": (3, 8.0, 8)}, "a side of image is 8.0"),
        (convnet, CONVNET, {"image": (1, 3, 8)}, "the pools of plan 'fixed' need at least 4 pixels a side"),
        (convnet, CONVNET, {"image": (1, 8, 3)}, "the pools of plan 'fixed' need at least 4 pixels a side"),
        *(
            (mlp, MLP, {"depth": depth}, "depth is .* a whole number")
            for depth in (1.0, "1", None, True, [1], 10**6)
        ),
        *((convnet, CONVNET, {"plan": plan}, "plan .* is unknown") for plan in (None, 3, ["fixed"], "deep")),
        (
            convnet,
            CONVNET,
            {"plan": "fixd"},
            r"plan 'fixd' is unknown \(did you mean 'fixed'\?\); known: fixed, scaled",
        ),
        (resnet, RESNET, {"depth": 37}, "depth 37 is not a depth of the cifar family; it must be 6n"),
        *(
            (resnet, RESNET, {"depth": depth}, "depth is .* a whole number")
            for depth in (8.0, "8", [8], True, 0)
        ),
        *(
            (resnet, RESNET, {"base": base}, "base is .* a whole number")
            for base in ("abc", 0, -1, 1.5, [16], True)
        ),
        *(
            (resnet, RESNET, {"stage3_width": factor}, "stage3_width is .* above 0")
            for factor in (0, -1, "2", None)
        ),
        *(
            (resnet, RESNET, {"residual": residual}, "residual is .* true or false")
            for residual in ("no", 0, None)
        ),
        *(
            (resnet, RESNET, {"bn_momentum": share}, "bn_momentum is .* at most 1")
            for share in (0, 1.5, "0.1")
        ),
        (resnet, RESNET, {"family": "cifr"}, r"did you mean 'cifar'"),
        (resnet, RESNET, {"stem": ["small"]}, "stem .* is unknown"),
        (resnet, RESNET, {"depth": None, "blocks": "222"}, "a list of 3 whole numbers"),
        (resnet, RESNET, {"depth": None, "blocks": [2, 2]}, "a list of 3 whole numbers"),
        (resnet, RESNET, {"depth": None, "blocks": [2, 2.0, 2]}, "number of blocks is 2.0"),
        (resnet, RESNET, {"blocks": [1, 1, 1]}, "give a depth, or blocks of each of 3 stages"),
        (resnet, RESNET, {"depth": None}, "give a depth, or blocks of each of 3 stages"),
    ],
)
def test_options_of_a_wrong_type_and_impossible_networks_are_one_clear_line(net, given, wrong, message):
    options = {**given, **wrong}
    with torch.device("meta"), pytest.raises(ValueError, match=message) as error:
        net.Net(options.pop("width"), **options)
    assert "\n" not in str(error.value) and len(str(error.value)) < 140


@pytest.mark.parametrize("net, given", [(mlp, MLP), (convnet, CONVNET), (resnet, RESNET)])
def test_options_are_annotated(net, given):
    """A checker binds parameters by them."""
    parameters = inspect.signature(net.Net).parameters.values()
    assert all(parameter.annotation is not inspect.Parameter.empty for parameter in parameters)
    options = dict(given)
    assert isinstance(net.Net(options.pop("width"), **options), torch.nn.Module)


def test_an_oblong_image_is_pooled_on_each_of_its_sides():
    net = convnet.Net(4, image=(1, 8, 12), classes=3, plan="fixed")
    assert weighted_layers(net)[4].in_features == 64 * 2 * 3
    assert net(torch.rand(2, 1, 8, 12)).shape == (2, 3)
