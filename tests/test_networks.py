"""The one door to trained networks: images as the training viewed them by every way in, members, results."""

import numpy as np
import pytest
import torch
from PIL import Image
from tapped import seen_in

from pipeline import devices, networks, scratch
from pipeline import measurement as opening
from pipeline.cells import Cells
from pipeline.folder import Folder
from pipeline.nets import network
from wide import artifacts
from wide.training.initialisation import initialise
from wide.training.population import accuracy, shrink, stack
from wide.training.recipe import Recipe, describe

SHAPE, DEPTHS, SEEDS = (3, 16, 16), (14, 8), (0, 7)
PAPER, STUDY, SCALE = "paper", "study", "toy"
KINDS = {  # network, options of each size
    "resnet": {f"d{depth}": {"depth": depth, "base": 4} for depth in DEPTHS},
    "mlp": {"d2": {"depth": 2}, "d0": {"depth": 0}},
    "convnet": {"w4": {"plan": "fixed"}},
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(devices, "device", lambda: "cpu")
    rng = np.random.default_rng(0)
    artifacts.save_tensors(
        artifacts.dataset(SCALE, "set"),
        {
            "test/images": rng.integers(0, 256, (40, *SHAPE)).astype(np.uint8),
            "test/class": np.arange(40) % 4,
        },
    )
    return tmp_path


def made(name, options, seed, side=16):
    """One member in evaluation mode, its weights and running statistics away from where they start."""
    net = network(name)(4.0 if name != "resnet" else 1.0, image=(3, side, side), classes=4, **options).eval()
    initialise(net, seed)
    with torch.no_grad():
        for key, value in net.state_dict().items():
            if key.endswith("running_mean"):
                value.fill_(0.1 + 0.01 * seed)
    return net


def save(name="resnet", side=16, standardise=False, variant="all", **more):
    """A variant's population as training leaves it; its networks, as measures are given them."""
    tensors, sizes = {}, {}
    for key, options in KINDS[name].items():
        population = stack([made(name, options, seed, side).state_dict() for seed in SEEDS])
        tensors |= {f"{key}/{weight}": value.numpy() for weight, value in population.items()}
        sizes[key] = {
            "width": 4.0 if name != "resnet" else 1.0,
            "seeds": list(SEEDS),
            "options": options,
            "recipe": describe(Recipe(1, 8, 0.1, standardise=standardise)),
            "test_accuracy": [0.25, 0.5],
            "image": [3, side, side],
            "classes": 4,
            **more,
        }
    study = {"net": name, "set": "set", "labels": "class", "test": "test"}
    card = {"stand_in": False, "study": study, "sizes": sizes}
    artifacts.save_tensors(artifacts.population(SCALE, PAPER, STUDY, variant), tensors, card)
    return networks.trained(SCALE, PAPER, STUDY, variant).sizes


def some(most=None):
    return opening.examples(SCALE, "set", "test", "class", most)


def as_inputs(images, side, standardise):
    """What the training showed its networks, written out: averaged down, in [0, 1], standardised."""
    factor = images.shape[-1] // side
    x = images.double().unflatten(3, (side, factor)).unflatten(2, (side, factor)).mean((3, 5))
    x = x.round().float() / 255
    if standardise:
        least = x[0].numel() ** -0.5
        x = (x - x.mean((1, 2, 3), keepdim=True)) / x.std((1, 2, 3), keepdim=True).clamp_min(least)
    return x


# The networks of a variant


def test_sizes_come_from_shallow_to_deep_with_all_their_members():
    found = save()
    assert [(size.key, size.depth, size.width, size.net) for size in found] == [
        ("d8", 8, 1.0, "resnet"),
        ("d14", 14, 1.0, "resnet"),
    ]
    for size in found:
        for index, seed in size.members():
            wanted = made("resnet", {"depth": size.depth, "base": 4}, seed).state_dict()
            state = size.module(index).state_dict()
            assert state.keys() == wanted.keys()
            assert all(torch.equal(value, wanted[name]) for name, value in state.items())
    assert found[0].members(1) == [(0, 0)] and found[0].members() == [(0, 0), (1, 7)]


def test_sizes_whose_names_begin_alike_are_kept_apart():
    tensors = {"w1/a": np.zeros((1, 2)), "w16/a": np.ones((1, 3)), "w16/b/c": np.ones(1)}
    facts = {"width": 1, "options": {}}
    card = {"study": {"net": "mlp", "set": "s", "labels": "l", "test": "t"}}
    card["sizes"] = {"w16": {**facts, "width": 16}, "w1": facts}
    artifacts.save_tensors(artifacts.population(SCALE, PAPER, STUDY, "all"), tensors, card)
    variant = networks.trained(SCALE, PAPER, STUDY, "all")
    assert [(size.key, list(size.population)) for size in variant.sizes] == [
        ("w1", ["a"]),
        ("w16", ["a", "b/c"]),
    ]
    assert (variant.set, variant.labels, variant.test) == ("s", "l", "t")


def test_networks_that_are_not_there_or_damaged_are_one_line(tmp_path):
    with pytest.raises(FileNotFoundError, match="all.safetensors is missing: run `dvc repro`"):
        networks.trained(SCALE, PAPER, STUDY, "all")
    save()
    path = artifacts.population(SCALE, PAPER, STUDY, "all")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="all.safetensors is damaged"):
        networks.trained(SCALE, PAPER, STUDY, "all")


def test_members_that_diverged_are_left_out():
    size = save(diverged=[True, False])[0]
    assert size.members() == size.members(1) == size.members(2) == [(1, 7)]
    found = Cells()
    size.describe(found, size.members())
    assert found.size("d8").seeds == (7,) and found.size("d8").accuracy == (0.5,)
    assert save(diverged=[True, True])[0].members() == []


# Every way in


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("standardise", [False, True])
@pytest.mark.parametrize("side", [16, 8, 4])
def test_by_every_way_in_images_are_viewed_as_the_training_did(name, side, standardise):
    size = save(name, side, standardise)[0]
    images, labels = some()
    for index, seed in size.members():
        net, seen = made(name, size.fact["options"], seed, side), []
        with torch.no_grad():
            wanted = net(as_inputs(images, side, standardise), tap=seen_in(seen))
        of_layer = dict(seen)
        close = {"rtol": 1e-4, "atol": 1e-5}
        torch.testing.assert_close(size.logits(index, images), wanted, **close)
        torch.testing.assert_close(size.forward(index)(size.view(images)), wanted, **close)
        torch.testing.assert_close(
            size.features(index, images), of_layer[net.penultimate].flatten(1), **close
        )
        for layer in (net.layers[1], net.layers[-2], "logits"):
            torch.testing.assert_close(
                size.features(index, images, layer), of_layer[layer].flatten(1), **close
            )
        with torch.no_grad():
            module = size.module(index)(as_inputs(images, side, standardise))
        torch.testing.assert_close(module, wanted, **close)
        share = (size.logits(index, images).argmax(1) == labels).double().mean()
        options = {"standardise": standardise}
        assert share == accuracy(size.build(), size.population, size.view(images), labels, **options)[index]


def test_a_network_that_takes_any_size_sees_the_trainings_all_the_same():
    """A ResNet takes images of 16 pixels although it was trained at 8, and answers something else."""
    size = save(side=8)[0]
    images, _ = some()
    assert size.view(images).shape == (40, 3, 8, 8) and torch.equal(size.view(images), shrink(images, 8))
    unviewed = size.forward(0)(images)
    assert not torch.allclose(unviewed, size.logits(0, images), rtol=0.01, atol=0.01)
    assert torch.equal(size.view(size.view(images)), size.view(images))


def test_views_do_not_enlarge():
    size = save(side=16)[0]
    images = some()[0][..., ::2, ::2]
    assert size.view(images) is images


def test_features_that_are_no_images_pass_as_they_are():
    size = save("mlp")[0]
    features = torch.rand(5, 3 * 16 * 16)
    assert size.view(features) is features
    torch.testing.assert_close(size.features(1, features, "input"), features)


def test_a_folder_of_files_gives_what_its_images_give(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (6, 16, 16, 3)).astype(np.uint8)
    paths = [str(tmp_path / f"{number}.png") for number in range(6)]
    for path, picture in zip(paths, pixels, strict=True):
        Image.fromarray(picture).save(path)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    size, folder = save(standardise=True)[0], Folder(paths, 16, 16)
    assert isinstance(size.view(folder), Folder)
    torch.testing.assert_close(size.logits(1, folder), size.logits(1, images), rtol=0, atol=0)
    torch.testing.assert_close(size.features(1, folder), size.features(1, images), rtol=0, atol=0)


@pytest.mark.parametrize("name", KINDS)
def test_a_tap_looks_at_every_layer_in_order_and_may_replace(name):
    size = save(name)[0]
    view, seen = size.view(some()[0][:4]), []
    call, layers = size.forward(0), size.build().layers
    call(view, tap=seen_in(seen))
    assert [layer for layer, _ in seen] == layers
    last = size.build().penultimate
    replaced = call(view, tap=lambda layer, value: torch.zeros_like(value) if layer == last else value)
    assert torch.equal(replaced, replaced[:1].expand_as(replaced))  # no example can be told from another
    assert not torch.equal(call(view)[0], call(view)[1])


def test_blocks_can_be_left_out():
    size = save()[1]
    view, call, block = size.view(some()[0]), size.forward(0), size.build().deletable[0]
    assert not torch.allclose(call(view, skip={block}), call(view))


def test_no_gradients_are_kept_but_a_module_gives_them():
    size = save()[0]
    x = (size.view(some()[0][:2]).float() / 255).requires_grad_()
    assert not size.forward(0)(x).requires_grad and not size.logits(0, x).requires_grad
    module = size.module(0)
    module(x).sum().backward()
    assert x.grad.abs().max() > 0 and not module.training


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="layer 'relu9' does not exist"):
        save()[0].features(0, some()[0], "relu9")


def test_half_precision_is_taken_where_the_machine_has_it(monkeypatch):
    size = save()[0]
    images, _ = some()
    whole, logits = size.features(0, images), size.logits(0, images)
    monkeypatch.setattr(networks, "half_precision", lambda device: False)
    assert torch.equal(size.features(0, images, half=True), whole)
    monkeypatch.setattr(networks, "half_precision", lambda device: True)
    half = size.features(0, images, half=True)
    assert half.dtype == torch.float32 and not torch.equal(half, whole)
    torch.testing.assert_close(half, whole, rtol=0.1, atol=0.1)
    assert not torch.equal(size.logits(0, images, half=True), logits)
    assert torch.equal(size.features(0, images), whole)


@pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter")
def test_networks_and_images_go_to_this_processes_device(monkeypatch):
    size = save("mlp", side=8)[0]
    monkeypatch.setattr(devices, "device", lambda: "meta")
    assert size.view(some()[0]).device.type == "meta"
    assert {value.device.type for value in size.module(0).state_dict().values()} == {"meta"}
    assert size.forward(0)(size.view(some()[0])).device.type == "meta"


# Descriptions


def described(size, members=None):
    found = Cells()
    size.describe(found, size.members() if members is None else members)
    return found


def test_a_description_names_layers_and_members():
    size = save()[0]
    found, built = described(size, size.members(1)), size.build()
    [size_of] = found.sizes()
    assert (size_of.key, size_of.width, size_of.depth, size_of.seeds, size_of.accuracy) == (
        "d8",
        1.0,
        8,
        (0,),
        (0.25,),
    )
    layers, post = found.get("layers", "d8"), found.get("post", "d8")
    assert layers.tolist() == built.layers and layers[post].tolist() == built.post_residual
    assert found.get("stage", "d8").tolist() == [built.stage_of(layer) for layer in built.layers]


@pytest.mark.parametrize("name, depths", [("mlp", [0, 2]), ("convnet", [0])])
def test_networks_without_residual_blocks_can_be_described(name, depths, tmp_path):
    found = save(name)
    assert [size.depth for size in found] == depths
    for size in found:
        cells = described(size)
        assert cells.get("layers", size.key).tolist() == size.build().layers
        assert not cells.has("post", size.key) and not cells.has("stage", size.key)
        assert cells.size(size.key).seeds == SEEDS and cells.size(size.key).depth == size.depth
        cells.save(tmp_path / "a.npz")
        assert Cells.load(tmp_path / "a.npz").size(size.key) == cells.size(size.key)


def test_a_residual_network_without_its_sums_has_stages_but_no_layers_after_them():
    size = save()[0]
    size.fact["options"] = {**size.fact["options"], "residual": False}
    found, built = described(size), size.build()
    assert found.get("post", "d8").tolist() == [False] * len(built.layers)
    assert found.get("stage", "d8").tolist() == [built.stage_of(layer) for layer in built.layers]


def test_a_description_names_the_panel():
    assert described(save()[0]).size("d8").panel == ""
    panel = {"recipe.hidden": "he_normal", "recipe.lr": 0.1}
    assert described(save(panel=panel)[0]).size("d8").panel == "recipe.hidden=he_normal recipe.lr=0.1"


# Examples, and what a measure goes through


def test_some_examples_are_class_balanced_and_theirs():
    images, labels = some(12)
    assert labels.bincount().tolist() == [3] * 4 and len(images) == 12 and labels.dtype == torch.int64
    every, all_labels = some()
    places = [int((every == image).flatten(1).all(1).nonzero()) for image in images]
    assert all_labels[places].tolist() == labels.tolist() and places == sorted(places)
    assert len(every) == 40 and len(some(1000)[0]) == 40


@pytest.mark.parametrize("split, label", [("test", "digit"), ("test_shifted", "class")])
def test_a_label_that_the_data_lack_is_one_line(split, label):
    with pytest.raises(ValueError, match=f"set.safetensors has no label '{label}' of a split '{split}'"):
        opening.examples(SCALE, "set", split, label)


def measurement(monkeypatch, caps=None, most=None, own=None, settings=None):
    at = {SCALE: {"train": {}, "measure": caps or {}}}
    params = {
        "scales": {SCALE: {"measure": {"points": 12, "passes": 3}}},
        "measures": {"cka": settings or {}},
        STUDY: {"measure": {"cka": own or {}}, "at": at},
    }
    monkeypatch.setattr(opening, "declared", lambda: params)
    return opening.Measurement.of("cka", PAPER, STUDY, "all", SCALE, most)


CASES = [({}, None, [0, 7]), ({"networks": 1}, None, [0]), ({"networks": 2}, 1, [0])]


@pytest.mark.parametrize("caps, most, seeds", CASES)
def test_a_measurement_goes_through_the_members_of_every_size(caps, most, seeds, monkeypatch):
    wanted = save()
    todo = measurement(monkeypatch, caps, most)
    assert todo.found.names() == ["images"] and todo.found.get("images") == 12
    assert len(todo.images) == len(todo.labels) == 12  # as many as the scale's cap says
    for (size, members), other in zip(todo.sizes(), wanted, strict=True):
        assert size.key == other.key and todo.found.size(size.key).seeds == tuple(seeds)
        for index, (seed, call) in enumerate(members):
            assert seed == seeds[index]
            view = size.view(todo.images)
            torch.testing.assert_close(call(view), other.forward(index)(view), rtol=0, atol=0)
        assert index == len(seeds) - 1
    assert todo.found.keys() == ["d8", "d14"]


def test_a_measurement_leaves_out_members_that_diverged(monkeypatch):
    save(diverged=[True, False])
    todo = measurement(monkeypatch)
    assert [[seed for seed, _ in members] for _, members in todo.sizes()] == [[7], [7]]


def test_a_measurements_settings_are_cut_to_the_caps_of_its_study_and_scale(monkeypatch):
    save()
    settings = {"passes": 10, "batch": 256, "seed": 0}
    todo = measurement(monkeypatch, {"batch": 8, "points": 20}, own={"removed": ["all"]}, settings=settings)
    assert todo.settings == {"passes": 3, "batch": 8, "seed": 0} and todo.own == {"removed": ["all"]}
    assert todo.caps == {"passes": 3, "batch": 8, "points": 20} and len(todo.images) == 20


class FakeBar:
    """A progress bar that remembers."""

    def __init__(self, total, title, unit):
        self.total, self.title, self.done, self.closed = total, title, 0, False

    def update(self):
        self.done += 1

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.closed = True


def test_a_measurements_bar_counts_networks_that_are_done(monkeypatch):
    save()
    bars = []
    monkeypatch.setattr(scratch, "bar", lambda *facts: bars.append(FakeBar(*facts)) or bars[-1])
    done = [bars[-1].done for _, members in measurement(monkeypatch).sizes("toy") for _ in members]
    assert [(bar.total, bar.title, bar.done, bar.closed) for bar in bars] == [(4, "toy", 4, True)]
    assert done == [0, 1, 2, 3]


def test_shrinking_averages():
    images = torch.tensor([[0, 2], [4, 6]], dtype=torch.uint8).repeat(2, 2).view(1, 1, 4, 4)
    assert shrink(images, 2).tolist() == [[[[3, 3], [3, 3]]]]
    assert shrink(images, 4) is images and shrink(images, 9) is images
