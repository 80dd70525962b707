"""Atlases and icons of single neurons: `python -m stages.atlas <paper> <study> <variant> <scale>`."""

import sys
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch

from pipeline import devices, scratch
from pipeline.bounds import Count, Positive, Seed, Whole, at_least, between
from pipeline.caps import at_most, measure_caps
from pipeline.cells import Cells, load
from pipeline.lanes import one_thread, side_by_side
from pipeline.lifetime import stage
from pipeline.networks import trained
from pipeline.parameters import declared
from wide import artifacts
from wide.measure import lucid, visualise
from wide.training.population import half_precision

PART = 64  # icons that are drawn together, on however many processors


@dataclass(frozen=True)
class Settings:
    """grid: cells a side. minimum: points that a cell must exceed. damping: share of the mean second moment,
    or found on held-out activations.

    canvas, icon_size: in pixels. steps, lr: of an icon's optimisation. cosine: whose formula. neurons: drawn
    at random.
    """

    grid: Count
    minimum: Whole
    damping: Annotated[float, at_least(0)] | Literal["held_out"]
    canvas: Annotated[int, at_least(34)]  # what Lucid's crops and scales leave of fewer is nothing
    steps: Count
    lr: Positive
    cosine: Literal["paper", "lucid"]
    neurons: Whole
    seed: Seed
    icon_size: Count


@dataclass(frozen=True)
class OfStudy:
    """pad: value around a smaller picture.

    icons: optimised, or the targets themselves where activations are pixels.
    """

    pad: Annotated[float, between(0, 1)]
    icons: Literal["optimised", "targets"]

    def refuse(self, trial):
        """Raise ValueError for images that no icon can be optimised for."""
        if self.icons == "optimised" and (trial.image[0] not in (1, 3) or trial.image[1] != trial.image[2]):
            raise ValueError(f"images are {trial.image}; for icons they must be square, of 1 or 3 channels")


@stage
def main(paper: str, study: str, variant: str, scale: str):
    params = declared()
    settings = at_most(params["measures"]["atlas"], measure_caps(params, params[study], scale))
    settings |= params[study]["measure"]["atlas"]
    networks = trained(scale, paper, study, variant)
    splits, _ = artifacts.load_tensors(artifacts.dataset(scale, networks.set), ["train/images"])
    images = splits["train/images"]
    mean = float(images.mean(dtype=np.float64) / 255)
    tensors, _ = artifacts.load_tensors(artifacts.activations(scale, paper, study, variant))
    maps = load(scale, paper, study, "umap", variant)
    found, drawn = Cells({"grid": np.int64(settings["grid"])}), {}
    for row, (size, _) in enumerate(networks.firsts()):
        features, points = tensors[f"{size.key}/features"], maps.get("points", size.key)
        drawn[row] = put_targets(found, size, features, points, settings)
    if settings["icons"] == "optimised":
        setting = (scale, paper, study, variant, settings, mean)
        put_icons(found, networks, drawn, setting)
    found.save(artifacts.result(scale, paper, study, "atlas", variant))


def put_targets(found, size, features, points, settings):
    """Cells of a network's map, what is in them, and the neurons shown.

    Returns the targets of all icons, (icons, units) float32.
    """
    cells, members = visualise.cells(visualise.layout(points), settings["grid"], settings["minimum"])
    targets, damping = whitened(features, members, settings["damping"])
    found.put("cells", cells.astype(np.int16), size.key)
    found.put("counts", np.array([len(rows) for rows in members], np.int32), size.key)
    found.put("units", np.int64(features.shape[1]), size.key)
    found.put("damping", np.float64(damping), size.key)
    if settings["icons"] == "targets":  # fig. 6: activations are pixels, the mean is the picture itself
        found.put("icons", as_pictures(targets, size.image, settings["icon_size"]), size.key)
        return targets
    neurons = some_neurons(features, settings)
    found.put("neuron_index", neurons.astype(np.int32), size.key)
    # A neuron's vector takes the place of a whitened average, so it is not whitened itself.
    return torch.cat([targets, torch.eye(features.shape[1])[torch.as_tensor(neurons)]])


def put_icons(found, networks, drawn, setting):
    """Icons of all networks, a part of one network's at a time. drawn: {number of the network: targets}."""
    _, _, study, _, settings, _ = setting
    pieces = {
        f"width {networks.firsts()[row][0].width:g}, icons from {start}": (row, part, start)
        for row, targets in drawn.items()
        for start, part in zip(range(0, len(targets), PART), targets.split(PART))
    }
    total = settings["steps"] * sum(map(len, drawn.values()))
    with scratch.bar(total, f"{study}: icons", "step") as bar:
        done = side_by_side(Icons.draw, pieces, bar, (Icons, *setting))
    for row, (size, _) in enumerate(networks.firsts()):
        icons = np.concatenate([done[name] for name, (other, *_) in pieces.items() if other == row])
        cells = len(found.get("cells", size.key))
        found.put("icons", icons[:cells], size.key)
        found.put("neurons", icons[cells:], size.key)


def whitened(features, members, damping):
    """Targets of the cells, and the damping under which they were whitened."""
    with one_thread():  # which sum of the cells' votes is largest must not depend on how many there are
        if damping == "held_out":
            damping = visualise.held_out_damping(features, members)
        return visualise.atlas_targets(features, members, damping), damping


def some_neurons(features, settings):
    """Units drawn at random, sorted.

    A unit that no example activates has no gradient and would stay grey: not among them.
    """
    alive = np.flatnonzero(features.any(0))
    return np.sort(np.random.default_rng(settings["seed"]).permutation(alive)[: settings["neurons"]])


class Icons:
    """Draws icons of a variant's networks. Each process that draws makes one of its own."""

    def __init__(self, scale, paper, study, variant, settings: dict, mean: float):
        self.networks = trained(scale, paper, study, variant).firsts()
        self.settings, self.mean = settings, mean

    def draw(self, row: int, targets, start: int, advance) -> np.ndarray:
        """Images that drive a network's hidden state towards each target, the part that the network sees.

        (targets, channels, s, s) uint8. start: number of the first one among the network's icons.
        """
        size, index = self.networks[row]
        names = ("canvas", "steps", "lr", "seed", "cosine")
        images, _ = visualise.icons(
            penultimate(size.module(index)),
            targets,
            image_shape=size.image,
            pad_value=self.settings["pad"],
            mean=self.mean,
            offset=start,
            device=devices.device(),
            autocast_dtype=torch.bfloat16 if half_precision(devices.device()) else None,
            progress=lambda: advance(len(targets)),
            **{name: self.settings[name] for name in names},
        )
        view = lucid.centre_view(images, self.settings["icon_size"], self.settings["pad"])
        return np.asarray(lucid.shrink(view, self.settings["icon_size"]))


def penultimate(net):
    """The hidden state as a function of images; where it is rectified, with Lucid's redirected gradient."""
    found = {}

    def keep(name, value):
        if name == net.penultimate:
            before = found.get("before")
            rectified = before is not None and torch.equal(before.relu(), value)
            found["out"] = (lucid.redirected_relu(before) if rectified else value).flatten(1)
        found["before"] = value
        return value

    def call(x):
        net(x, keep)
        return found["out"]

    return call


def as_pictures(targets, shape, side):
    """Each target scaled to [0, 1] on its own and shown as an image."""
    low, high = targets.min(1, keepdim=True).values, targets.max(1, keepdim=True).values
    return lucid.shrink(((targets - low) / (high - low).clamp_min(1e-12)).reshape(-1, *shape), side)


if __name__ == "__main__":
    main(*sys.argv[1:])
