"""The stage that makes icons: what they are sought for, and that none is stranded."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from pipeline.cells import Cells
from pipeline.nets import network
from stages import atlas
from wide.measure import visualise

SETTINGS = {"grid": 2, "minimum": 3, "damping": 0.1, "icons": "optimised", "neurons": 3, "seed": 0}
FEATURES = np.maximum(np.random.default_rng(0).normal(size=(80, 6)), 0).astype(np.float32)
POINTS = np.random.default_rng(1).uniform(size=(80, 2))


def put(**changed):
    """(result, targets that icons are sought for)."""
    found, size = Cells(), SimpleNamespace(key="w6", image=(1, 2, 3))
    return found, atlas.put_targets(found, size, FEATURES, POINTS, SETTINGS | changed)


def test_cells_are_whitened_and_single_neurons_are_not():
    found, targets = put()
    cells, members = visualise.cells(visualise.layout(POINTS), 2, 3)
    assert torch.equal(targets[: len(cells)], visualise.atlas_targets(FEATURES, members, 0.1))
    neurons = torch.as_tensor(found.get("neuron_index", "w6")).long()
    assert torch.equal(targets[len(cells) :], torch.eye(6)[neurons]) and len(neurons) == 3
    assert found.get("damping", "w6") == 0.1


def test_damping_is_found_on_held_out_activations_where_asked():
    found, targets = put(damping="held_out")
    cells, members = visualise.cells(visualise.layout(POINTS), 2, 3)
    damping = visualise.held_out_damping(FEATURES, members)
    assert found.get("damping", "w6") == damping
    assert torch.equal(targets[: len(cells)], visualise.atlas_targets(FEATURES, members, damping))


def test_icons_are_put_together_from_parts_in_their_order(monkeypatch):
    monkeypatch.setattr(atlas, "PART", 4)
    found, targets = put()
    size = SimpleNamespace(key="w6", width=6)
    networks = SimpleNamespace(firsts=lambda: [(size, 0)])
    monkeypatch.setattr(atlas, "Icons", made)
    atlas.put_icons(found, networks, {0: targets}, ("quick", "p", "study", "base", {"steps": 2}, 0.5))
    cells = len(found.get("cells", "w6"))
    assert np.array_equal(found.get("icons", "w6"), 10 * np.arange(cells))
    assert np.array_equal(found.get("neurons", "w6"), 10 * np.arange(cells, cells + 3))


def made(*setting):
    """In the place of what draws: numbers ten times those of the icons."""
    return None


made.draw = lambda setting, row, targets, start, advance: 10 * (start + np.arange(len(targets)))


def test_a_unit_that_the_first_picture_leaves_silent_has_a_gradient():
    net = network("convnet")(5, image=(1, 8, 8), classes=3, plan="fixed").eval()
    hidden = [layer for layer in net.modules() if isinstance(layer, nn.Linear)][0]
    nn.init.constant_(hidden.bias, -9)  # no picture activates a unit
    images = torch.rand(2, 1, 8, 8, requires_grad=True)
    activations = atlas.penultimate(net)(images)
    assert not activations.any()
    (gradient,) = torch.autograd.grad(activations[:, 0].sum(), images)
    assert gradient.flatten(1).abs().sum(1).min() > 0
