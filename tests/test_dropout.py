"""Dropout: torch's on average, by a member's seed, the step and the layer."""

import pytest
import torch
from torch import nn

from tests.trainings import (
    BUILDS,
    CLASSES,
    IMAGE,
    Normed,
    assert_close,
    content,
    data,
    double,
    fit,
    stacks_of,
    train,
)
from wide.nets import mlp
from wide.training.dropout import Dropout
from wide.training.population import layer_outputs, member
from wide.training.randomness import step_keys


def net():
    return mlp.Net(6, image=IMAGE, classes=CLASSES, depth=2)


def test_a_share_of_units_is_dropped_and_the_others_make_up_for_it():
    x = torch.rand(200, 500) + 1
    dropped = Dropout(net(), 0.3).tap(step_keys([0], 0)[0])("relu1", x)
    gone = dropped == 0
    assert gone.double().mean() == pytest.approx(0.3, abs=0.008)  # 5 standard errors of 100,000
    torch.testing.assert_close(dropped[~gone], x[~gone] / 0.7)
    assert dropped.mean() == pytest.approx(x.mean().item(), rel=0.01)
    assert gone.double().mean(0).max() < 0.5 and gone.double().mean(1).max() < 0.45  # no unit, no example


def test_masks_differ_by_seed_step_and_layer():
    x, dropout = torch.ones(4, 100), Dropout(net(), 0.5)
    masks = [
        dropout.tap(step_keys([seed], step)[0])(layer, x)
        for seed in (0, 1)
        for step in (0, 1)
        for layer in ("relu1", "relu2")
    ]
    assert len({mask.numpy().tobytes() for mask in masks}) == 8


def test_only_units_are_dropped_or_the_layers_that_are_named():
    x, key = torch.ones(4, 100), step_keys([0], 0)[0]

    def touched(dropout):
        return [name for name in net().layers if not torch.equal(dropout.tap(key)(name, x), x)]

    assert touched(Dropout(net(), 0.5)) == ["relu1", "relu2"]
    assert touched(Dropout(net(), 0.5, ("fc2",))) == ["fc2"]


def test_members_side_by_side_lose_what_they_lose_alone():
    x, keys = torch.rand(5, 3 * 4, 2, 2), step_keys([3, 9, 4], 2)
    dropout = Dropout(Normed(), 0.5)
    together = dropout.tap_side_by_side(keys)("relu", x).unflatten(1, (3, 4))
    for row, own in enumerate(x.unflatten(1, (3, 4)).unbind(1)):
        assert torch.equal(together[:, row], dropout.tap(keys[row])("relu", own))


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("beside", [True, False])
def test_a_member_equals_the_same_seed_trained_alone(build, beside, monkeypatch):
    stacks_of(monkeypatch, 3, beside)
    with double():
        together = fit(BUILDS[build], [5, 0, 7], dropout=0.4)
        for row, seed in enumerate([5, 0, 7]):
            alone = fit(BUILDS[build], [seed], dropout=0.4)
            assert_close(member(together, row), member(alone, 0), 1e-10)


def test_training_uses_it_and_evaluation_does_not():
    plain, dropped = (fit(net, [0], dropout=rate) for rate in (0.0, 0.5))
    assert not torch.equal(plain["output.weight"], dropped["output.weight"])
    outputs = [layer_outputs(net(), member(dropped, 0), data()[0], "relu2") for _ in range(2)]
    assert torch.equal(*outputs)
    _, metrics = train(net, [0], dropout=0.5, validation=data())
    expected = (layer_outputs(net(), member(dropped, 0), data()[0]).argmax(1) == data()[1]).double().mean()
    assert metrics["validation_accuracy"][0][-1] == pytest.approx(expected.item())


def test_no_dropout_is_no_tap():
    assert content(fit(net, [0, 1])) == content(fit(net, [0, 1], dropout=0.0))


class Silent(nn.Module):
    """A network that names no layers and may drop units by itself."""

    def __init__(self, extra=None):
        super().__init__()
        self.extra, self.output = extra or nn.Identity(), nn.Linear(128, CLASSES)

    def forward(self, x, tap=None):
        return self.output(self.extra(x.flatten(1)))


def test_a_network_without_units_or_the_layer_is_refused():
    with pytest.raises(ValueError, match="names no `units`; name the layers in recipe.dropped"):
        fit(Silent, [0], dropout=0.5)
    with pytest.raises(ValueError, match="layer 'relu9' does not exist"):
        fit(net, [0], dropout=0.5, dropped=["relu9"])


@pytest.mark.parametrize("extra", [nn.Dropout(0.1), nn.MultiheadAttention(128, 4, dropout=0.1)], ids=repr)
def test_a_network_that_drops_units_itself_is_refused(extra):
    with pytest.raises(ValueError, match="'extra' drops units by itself.*set recipe.dropout"):
        fit(lambda: Silent(extra), [0])
    fit(lambda: Silent(nn.Dropout(0)), [0], epochs=0)  # one that is off may stay
