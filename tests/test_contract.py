"""What every file in wide/nets promises, and what every general measure therefore can do with it."""

import copy
import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from tapped import seen_in
from torch import nn

from wide.measure.cka import streamed_cka
from wide.measure.pca import first_components
from wide.measure.probe import train_probes
from wide.measure.residual import residual
from wide.measure.sparsity import relu_usage
from wide.measure.visualise import icons
from wide.training.initialisation import initialise, weighted_layers
from wide.training.population import accuracy, layer_outputs, stack
from wide.training.recipe import Recipe
from wide.training.train_population import train_population

IMAGE, CLASSES = (3, 12, 12), 5
NAMES = sorted(path.stem for path in Path("wide/nets").glob("*.py") if path.stem != "__init__")
WIDTHS = {"resnet": 0.25}  # a factor there, units elsewhere


def build(name):
    module = importlib.import_module(f"wide.nets.{name}")
    return module.Net(WIDTHS.get(name, 8), image=IMAGE, classes=CLASSES, **module.EXAMPLE)


def seeded(name, seed=0):
    """A network in evaluation mode whose parameters and running statistics are all away from 0 and 1."""
    net = build(name).eval()
    initialise(net, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, value in net.state_dict().items():
            if value.dim() == 1:
                drawn = 0.3 * torch.randn(len(value), generator=generator)
                value.copy_(drawn.abs() + 0.5 if key.endswith(("weight", "var")) else drawn)
    return net


def images(count=40, seed=1):
    return torch.rand(count, *IMAGE, generator=torch.Generator().manual_seed(seed))


def labels(count=40):
    return torch.arange(count) % CLASSES


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def net(name):
    return seeded(name)


@pytest.fixture
def taps(net):
    """{layer: activation} of the images."""
    found = []
    with torch.no_grad():
        net(images(), seen_in(found))
    return dict(found)


def logits(net, tap=None, shown=None):
    with torch.no_grad():
        return net(images() if shown is None else shown, tap)


def at(layer, change):
    """A tap that changes one layer."""
    return lambda name, activation: change(activation) if name == layer else activation


# ---- what networks promise


def test_there_are_networks():
    assert {"convnet", "mlp", "resnet"} <= set(NAMES)


def test_layers_are_what_the_tap_sees_in_order(net, taps):
    assert list(taps) == net.layers and len(set(net.layers)) == len(net.layers)
    assert net.layers[0] == "input" and torch.equal(taps["input"], images())
    assert net.layers[-1] == "logits" and torch.equal(taps["logits"], logits(net))
    assert taps["logits"].shape == (40, CLASSES)


def test_units_are_the_layers_after_relus(net, taps):
    """Judged by the activations alone: a ReLU's output is its input without the negatives."""
    pairs = zip(net.layers, net.layers[1:], strict=False)
    after = [name for before, name in pairs if is_relu(taps[before], taps[name])]
    assert net.units == after and len(after) > 1


def is_relu(before, after):
    return before.shape == after.shape and bool((before < 0).any()) and torch.equal(before.relu(), after)


def test_the_penultimate_layer_feeds_the_last_linear_layer(net, taps):
    last = weighted_layers(net)[-1]
    features = taps[net.penultimate].flatten(1)
    torch.testing.assert_close(features @ last.weight.T + last.bias, taps["logits"])


def test_looking_changes_no_byte(net):
    assert logits(net).numpy().tobytes() == logits(net, seen_in([])).numpy().tobytes()


def test_a_tap_that_returns_nothing_is_named_with_its_layer(net):
    for layer in (net.layers[0], net.units[1], "logits"):
        with pytest.raises(ValueError, match=f"the tap returned nothing at layer '{layer}': return the act"):
            logits(net, at(layer, lambda activation: None))


# ---- interventions


def modules_of_layers(net):
    """{layer: module} of the layers that are the output of a module with weights."""
    outputs = {}
    weighted = [module for module in net.modules() if getattr(module, "weight", None) is not None]
    hooks = [
        module.register_forward_hook(lambda module, _, output: outputs.update({id(output): module}))
        for module in weighted
    ]
    kept = []
    with torch.no_grad():
        net(images(4), seen_in(kept))
    for hook in hooks:
        hook.remove()
    found = {layer: outputs[id(activation)] for layer, activation in kept if id(activation) in outputs}
    assert len(found) == len(weighted) > 2
    return found


@pytest.mark.parametrize("unit, value", [(0, 0.0), (-1, 0.0), (0, 0.7)])
def test_holding_a_unit_is_what_editing_its_weights_does(net, unit, value):
    """At every layer with weights: no incoming weights, and a bias of that value."""

    def hold(activation):
        activation = activation.clone()
        activation[:, unit] = value
        return activation

    plain, changed, modules = logits(net), 0, modules_of_layers(net)
    for layer, module in modules.items():
        edited = copy.deepcopy(net)
        path = next(path for path, other in net.named_modules() if other is module)
        with torch.no_grad():
            edited.get_submodule(path).weight[unit] = 0
            edited.get_submodule(path).bias[unit] = value
        held = logits(net, at(layer, hold))
        assert torch.equal(held, logits(edited))
        changed += not torch.equal(held, plain)
    assert changed > len(modules) / 2


def test_silencing_a_unit_of_the_penultimate_layer_is_cutting_its_outgoing_weights(net, taps):
    strongest = int(taps[net.penultimate].flatten(1).mean(0).argmax())
    edited = copy.deepcopy(net)
    with torch.no_grad():
        weighted_layers(edited)[-1].weight[:, strongest] = 0

    def silence(activation):
        flat = activation.flatten(1).clone()
        flat[:, strongest] = 0
        return flat.view_as(activation)

    silenced = logits(net, at(net.penultimate, silence))
    assert torch.equal(silenced, logits(edited)) and not torch.equal(silenced, logits(net))


def test_a_layer_of_other_images_gives_the_logits_of_the_other_images(net):
    """Where all that follows comes from the layer: outside of the blocks of a residual network."""
    others, found = images(seed=2), []
    with torch.no_grad():
        wanted = net(others, seen_in(found))
    inside = [layer for layer in net.layers if "block" in layer and layer not in net.post_residual]
    for layer, activation in found:
        if layer not in inside:
            assert torch.equal(logits(net, at(layer, lambda _, other=activation: other)), wanted)
    assert not torch.equal(wanted, logits(net))


def test_an_intervention_is_differentiable(net):
    net(images(), at(net.units[0], lambda activation: activation * 2)).sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


# ---- every general measure


def test_cka(net):
    found = streamed_cka([net], images(), batch=20, passes=1)
    assert found.names == (tuple(net.layers),) and found.cka.shape == (len(net.layers),) * 2
    assert np.allclose(found.cka.diagonal()[~found.dead], 1)


def test_first_components(net):
    found = first_components(net, images(), batch=16, together=net.units)
    assert found.names == tuple(net.layers) and 0 < found.combined <= 1
    shares = found.fraction[~np.isnan(found.fraction)]
    assert len(shares) > len(net.layers) / 2 and (shares > 0).all() and (shares <= 1).all()


def test_relu_usage(net, taps):
    found = relu_usage(net, images(), net.units, batch=16)
    expected = [(taps[layer] != 0).double().mean().item() for layer in net.units]
    assert found.nonzero == pytest.approx(expected) and 0 < found.nonzero.mean() < 1


def test_probes(net):
    batches = [(images(20, seed), labels(20)) for seed in range(3)]
    layers = [net.layers[0], net.penultimate]
    found = train_probes(net, batches, layers, CLASSES, images(), labels())
    assert found.shape == (2,) and (found > 0).all()


def test_icons(net, name):
    def features(shown):
        found = []
        net(shown, seen_in(found))
        return dict(found)[net.penultimate].flatten(1)

    units = features(images(2)).shape[1]
    targets = torch.eye(units)[:2]
    options = {"image_shape": IMAGE, "canvas": 44, "steps": 3}
    drawn, scores = icons(features, targets, **options)
    start, _ = icons(features, targets, **(options | {"steps": 0}))
    assert drawn.shape == (2, 3, 44, 44) and scores.isfinite().all()
    assert not torch.equal(drawn, start)


def test_layer_outputs_and_accuracy(net, taps):
    state = net.state_dict()
    for layer in (None, net.penultimate, net.units[0]):
        expected = taps[layer or "logits"].flatten(1)
        found = layer_outputs(net, state, images(), layer, batch=17)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="layer 'nowhere' does not exist"):
        layer_outputs(net, state, images(), "nowhere")
    right = taps["logits"].argmax(1)
    assert accuracy(net, stack([state]), images(), right).item() == 1
    assert accuracy(net, stack([state]), images(), (right + 1) % CLASSES).item() == 0


def test_training(name):
    recipe = Recipe(epochs=0.5, batch=20, lr=0.05)
    population, metrics = train_population(
        lambda: build(name), images(), labels(), recipe, [3, 4], half=False
    )
    untrained, _ = train_population(
        lambda: build(name), images(), labels(), Recipe(epochs=0, batch=20, lr=0.05), [3, 4], half=False
    )
    assert metrics["epochs"] == 0.5 and list(population) == list(build(name).state_dict())
    for key, _ in build(name).named_parameters():
        assert population[key].shape[0] == 2 and population[key].isfinite().all()
        assert not torch.equal(population[key], untrained[key])


# ---- what only residual networks have


def test_measures_of_residual_blocks_ask_for_them(net, name):
    if name == "resnet":
        assert residual(net) is net
        assert set(net.adds + net.before_adds + net.post_residual) <= set(net.layers)
        assert set(net.deletable) <= set(net.blocks) and all(map(net.stage_of, net.post_residual))
    else:
        wanted = f"this measure needs residual blocks, and {name} has none: measure another network"
        with pytest.raises(ValueError, match=wanted):
            residual(net)


def test_a_network_that_names_only_some_of_its_parts_is_not_residual():
    class Half(nn.Module):
        blocks = {}

    with pytest.raises(ValueError, match="needs residual blocks"):
        residual(Half())
