"""Theorems about the accuracy of residual networks without their last blocks."""

import copy

import numpy as np
import pytest
import torch

from wide.measure.deletion import deletion_accuracies, deletions, plateau
from wide.measure.residual import Skipping
from wide.nets.resnet import Net
from wide.training.initialisation import initialise

SHAPE = {"image": (3, 8, 8), "classes": 5}


@pytest.fixture(scope="module")
def net():
    """A ResNet-20 whose branches matter: each deletion changes some of its answers."""
    net = Net(1, depth=20, base=4, **SHAPE)
    initialise(net, 0)
    return net.eval()


@pytest.fixture(scope="module")
def images():
    return torch.randn(103, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def labels(net, images):
    """The whole network's own answers, but for the first 20."""
    labels = logits_of(net)(images, frozenset()).argmax(1)
    labels[:20] = (labels[:20] + 1) % 5
    return labels


def logits_of(net):
    return lambda images, skip: net(images, skip=skip).detach()


def blocks_of(net):
    return net.deletable, [net.stage_of(f"{name}.add") for name in net.deletable]


def zeroed(net, skip):
    """The same network with branches that add nothing, though all its blocks are there."""
    net = copy.deepcopy(net)
    for name in skip:
        for layer in net.blocks[name].norm.values():
            torch.nn.init.zeros_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    return net


# ---- which blocks go


def test_deletions_are_nested_within_a_stage_and_apart_between_stages(net):
    names, stages = blocks_of(net)
    found = deletions(dict(zip(names, stages)))
    assert [name for name, _ in found] == names and len(names) == 7  # 3 + 2 + 2: a projecting block must stay
    for (name, skip), stage in zip(found, stages):
        assert name in skip and all(names.index(other) >= names.index(name) for other in skip)
        for (_, other), other_stage in zip(found, stages):
            assert skip < other or other <= skip if stage == other_stage else not skip & other
    for stage in set(stages):
        sizes = [len(skip) for (_, skip), its in zip(found, stages) if its == stage]
        assert sizes == list(range(len(sizes), 0, -1))


def test_deletions_by_hand():
    assert deletions({"a": 1, "b": 1, "c": 3}) == [("a", {"a", "b"}), ("b", {"b"}), ("c", {"c"})]
    assert deletions({}) == []


# ---- accuracy without them


@pytest.mark.parametrize("batch", [1000, 103, 40])
def test_accuracies_are_those_of_networks_whose_branches_add_nothing(net, images, labels, batch):
    names, stages = blocks_of(net)
    full, deleted = deletion_accuracies(logits_of(net), images, labels, names, stages, batch=batch)
    expected = [
        (zeroed(net, skip)(images).argmax(1) == labels).double().mean().item()
        for _, skip in deletions(dict(zip(names, stages)))
    ]
    assert full == 83 / 103
    assert deleted.dtype == np.float64 and deleted == pytest.approx(expected, abs=1e-12)
    assert len(set(expected)) > 3 and max(expected) < full  # this network tells deletions apart


def test_leaving_out_equals_a_branch_that_adds_nothing(net, images):
    names, stages = blocks_of(net)
    for _, skip in deletions(dict(zip(names, stages))):
        assert torch.equal(net(images, skip=skip), zeroed(net, skip)(images))
        assert not torch.allclose(net(images, skip=skip), net(images))


def test_branches_that_add_nothing_cost_nothing(net, images, labels):
    names, stages = blocks_of(net)
    full, deleted = deletion_accuracies(logits_of(zeroed(net, names)), images, labels, names, stages)
    assert (deleted == full).all()


def test_without_deletable_blocks_only_the_whole_network_is_measured(images, labels):
    net = Net(1, depth=20, base=4, residual=False, **SHAPE).eval()
    full, deleted = deletion_accuracies(logits_of(net), images, labels, *blocks_of(net))
    assert full == (net(images).argmax(1) == labels).double().mean().item() and deleted.shape == (0,)


def test_each_minibatch_is_classified_without_gradients(net, images, labels):
    seen = []

    def classify(chunk, skip):
        seen.append((len(chunk), skip, torch.is_grad_enabled()))
        return net(chunk, skip=skip)

    deletion_accuracies(classify, images, labels, ["stage1.block3"], [1], batch=60)
    assert seen == [(n, skip, False) for n in (60, 43) for skip in (set(), {"stage1.block3"})]


def test_bad_input_is_refused(net, images, labels):
    call = logits_of(net)
    with pytest.raises(ValueError, match="2 stages"):
        deletion_accuracies(call, images, labels, ["stage1.block1"], [1, 1])
    with pytest.raises(ValueError, match="1 different blocks of 2"):
        deletion_accuracies(call, images, labels, ["stage1.block1"] * 2, [1, 1])
    with pytest.raises(ValueError, match="0 images"):
        deletion_accuracies(call, images[:0], labels[:0], *blocks_of(net))
    with pytest.raises(ValueError, match="102 labels"):
        deletion_accuracies(call, images, labels[1:], *blocks_of(net))
    with pytest.raises(ValueError, match="cannot be left out"):
        deletion_accuracies(call, images, labels, ["stage2.block1"], [2])
    with pytest.raises(ValueError, match="not finite"):
        deletion_accuracies(lambda x, skip: call(x, skip) / 0, images, labels, *blocks_of(net))


# ---- plateau


def test_plateau_by_hand():
    stages = [1, 1, 1, 2, 2, 2, 2, 3, 3]
    deleted = [0.5, 0.85, 0.89, 0.9, 0.4, 0.91, 0.88, 0.2, 0.7]
    assert plateau(0.9, deleted, stages) == {1: 1, 2: 2, 3: 0}  # 0.9 in stage 2 lies behind a collapse
    assert plateau(0.9, deleted, stages, tolerance=0.05) == {1: 2, 2: 2, 3: 0}
    assert plateau(0.9, deleted, stages, tolerance=1) == {1: 3, 2: 4, 3: 2}


def test_a_drop_of_just_the_tolerance_is_within_it():
    for right in range(1000, 10_001):
        assert plateau(right / 10_000, [(right - 200) / 10_000], [1], 0.02) == {1: 1}
        assert plateau(right / 10_000, [(right - 201) / 10_000], [1], 0.02) == {1: 0}


def test_plateau_grows_with_the_tolerance():
    rng = np.random.default_rng(0)
    deleted, stages = rng.uniform(0.5, 1, 30), np.repeat([1, 2, 3], 10)
    found = [
        list(plateau(0.9, deleted, stages, tolerance).values()) for tolerance in np.linspace(-0.2, 0.5, 30)
    ]
    assert (np.diff(found, axis=0) >= 0).all() and found[0] != found[-1] == [10, 10, 10]


def test_plateau_refuses_what_are_no_accuracies():
    with pytest.raises(ValueError, match="stages"):
        plateau(0.9, [0.9, 0.8], [1])
    with pytest.raises(ValueError, match="finite"):
        plateau(0.9, [np.nan], [1])
    assert plateau(0.9, [], []) == {}


@pytest.mark.parametrize("family", ["cifar", "imagenet"])
def test_the_layers_before_the_deleted_blocks_need_no_second_pass(family, images):
    options = {"depth": 20} if family == "cifar" else {"blocks": [2, 2, 3, 2], "stem": "small"}
    net = Net(1, family=family, base=4, **options, **SHAPE)
    initialise(net, 0)
    skipping, seen = Skipping(net.eval()), []
    net.stem["conv"].register_forward_hook(lambda *_: seen.append("stem"))
    with torch.no_grad():
        for chunk in images.split(60):
            seen.clear()
            assert torch.equal(skipping(chunk), net(chunk))
            stage_of_block = {name: net.stage_of(f"{name}.conv1") for name in net.deletable}
            for _, skip in deletions(stage_of_block):
                assert torch.equal(skipping(chunk, skip), net(chunk, skip=skip))
            assert len(seen) == 2 + len(net.deletable)  # net's own, and one of the other
    assert list(net.blocks) == list(Net(1, family=family, base=4, **options, **SHAPE).blocks)
