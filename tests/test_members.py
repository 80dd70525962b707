"""Trained populations as measures see them: sizes in order, images at the training's size, networks in evaluation mode."""
import numpy as np
import pytest
import torch

from stages import members, running
from wide import artifacts
from wide.nets.resnet import Net
from wide.population import accuracy, initialise, layer_outputs, member, shrink, stack
from wide.train import Recipe, describe

SHAPE, DEPTHS = (3, 16, 16), (14, 8)


def made(depth, seed, side):
    net = Net(1.0, image=(3, side, side), classes=4, depth=depth, base=4)
    initialise(net, seed)
    return net.state_dict()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    splits = {"test/images": rng.integers(0, 256, (40, *SHAPE)).astype(np.uint8), "test/class": np.arange(40) % 4}
    artifacts.save_tensors(artifacts.dataset("toy", "set"), splits)


def save(side):
    fact = {"width": 1.0, "seeds": [0, 7], "recipe": describe(Recipe(1, 8, 0.1)), "test_accuracy": [0.25, 0.5],
            **({"image": [3, side, side]} if side < 16 else {})}
    tensors, facts = {}, {"stand_in": False}
    for depth in DEPTHS:
        population = stack([made(depth, seed, side) for seed in (0, 7)])
        tensors |= {f"d{depth}/{name}": value.numpy() for name, value in population.items()}
        facts[f"d{depth}"] = {**fact, "options": {"depth": depth, "base": 4}}
    artifacts.save_tensors(artifacts.population("toy", "study", "all"), tensors, facts)
    return members.families(artifacts.population("toy", "study", "all"), "resnet", SHAPE)


def test_sizes_come_from_shallow_to_deep_with_all_their_members():
    found = save(16)
    assert [family.key for family in found] == ["d8", "d14"]
    for family, depth in zip(found, (8, 14)):
        for index, seed in family.members():
            expected = made(depth, seed, 16)
            assert all(torch.equal(value, expected[name]) for name, value in member(family.population, index).items())
    assert found[0].members(1) == [(0, 0)]


@pytest.mark.parametrize("side", [16, 8])
def test_networks_are_called_as_they_were_trained(side):
    """Images at the training's size, batch normalisation in evaluation mode, the same logits as the library's own evaluation."""
    family = save(side)[0]
    images, labels = members.examples("toy", "set", "test", "class")
    view = family.view(images)
    assert view.shape[2:] == (side, side) and torch.equal(view, shrink(images, side))
    state = member(family.population, 1)
    logits = family.forward(1)(view)
    torch.testing.assert_close(logits, layer_outputs(family.build(), state, view))
    assert (logits.argmax(1) == labels).double().mean() == accuracy(family.build(), family.population, view, labels)[1]
    seen = []
    family.forward(1)(view[:4], tap=lambda name, value: seen.append(name))
    assert seen == family.build().layers


def test_blocks_can_be_left_out():
    family = save(16)[1]
    images, _ = members.examples("toy", "set", "test", "class")
    call, name = family.forward(0), family.build().deletable[0]
    assert not torch.allclose(call(images, skip={name}), call(images))


def test_some_examples_are_class_balanced():
    images, labels = members.examples("toy", "set", "test", "class", 12)
    assert labels.bincount().tolist() == [3] * 4 and len(images) == 12


def test_a_description_names_layers_and_members():
    family = save(16)[0]
    found = family.described(family.members(1))
    built = family.build()
    assert found["d8/layers"].tolist() == built.layers and found["d8/seeds"].tolist() == [0] and found["d8/accuracy"].tolist() == [0.25]
    assert found["d8/layers"][found["d8/post"]].tolist() == built.post_residual
    assert found["d8/stage"][0] == 0 and found["d8/stage"][-1] == 4 and int(found["d8/depth"]) == 8


def measurement(monkeypatch, caps, most=None):
    params = {"scales": {"toy": {"measure": {"points": 12}}}, "study": {"test": "test", "labels": "class", "at": {"toy": {"measure": caps}}}}
    monkeypatch.setattr(members, "declared_params", lambda: params)
    return members.Measurement.of("study", "resnet", "set", "toy", "all", most)


@pytest.mark.parametrize("caps, most, seeds", [({}, None, [0, 7]), ({"networks": 1}, None, [0]), ({"networks": 2}, 1, [0])])
def test_a_measurement_goes_through_the_members_of_every_size(caps, most, seeds, monkeypatch):
    families = save(16)
    todo = measurement(monkeypatch, caps, most)
    assert todo.found == {"images": 12} and len(todo.images) == len(todo.labels) == 12  # as many as the scale's cap says
    for (family, networks), wanted in zip(todo.sizes(), families, strict=True):
        assert family.key == wanted.key and todo.found[f"{family.key}/seeds"].tolist() == seeds  # described when it is reached
        for index, (seed, network) in enumerate(networks):
            assert seed == seeds[index]
            torch.testing.assert_close(network(todo.images), wanted.forward(index)(todo.images), rtol=0, atol=0)
        assert index == len(seeds) - 1
    assert set(todo.found) == {"images"}.union(*(wanted.described(wanted.members()) for wanted in families))


def test_a_measurement_s_bar_counts_networks_that_are_done(monkeypatch):
    save(16)
    bars = []
    monkeypatch.setattr(running, "bar", lambda *facts: bars.append(FakeBar(*facts)) or bars[-1])
    done = [bars[-1].done for _, networks in measurement(monkeypatch, {}).sizes("toy") for _ in networks]
    assert [(bar.total, bar.title, bar.done, bar.closed) for bar in bars] == [(4, "toy", 4, True)] and done == [0, 1, 2, 3]


class FakeBar:
    def __init__(self, total, title, unit):
        self.total, self.title, self.done, self.closed = total, title, 0, False

    def update(self):
        self.done += 1

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.closed = True


def test_shrinking_averages():
    images = torch.tensor([[0, 2], [4, 6]], dtype=torch.uint8).repeat(2, 2).view(1, 1, 4, 4)
    assert shrink(images, 2).tolist() == [[[[3, 3], [3, 3]]]]
    assert shrink(images, 4) is images and shrink(images, 9) is images
