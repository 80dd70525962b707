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
from pipeline.lifetime import stage
from pipeline.networks import trained
from pipeline.parameters import declared
from wide import artifacts
from wide.measure import lucid, visualise
from wide.training.population import half_precision


@dataclass(frozen=True)
class Settings:
    """grid: cells a side. minimum: points that a cell must exceed. damping: share of the mean second moment.

    canvas, icon_size: in pixels. steps, lr: of an icon's optimisation. cosine: whose formula. neurons: drawn
    at random.
    """

    grid: Count
    minimum: Whole
    damping: Annotated[float, at_least(0)]
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
    found = Cells({"grid": np.int64(settings["grid"])})
    for size, index in networks.firsts():
        features, points = tensors[f"{size.key}/features"], maps.get("points", size.key)
        put_atlas(found, size, index, features, points, mean, settings, study)
    found.save(artifacts.result(scale, paper, study, "atlas", variant))


def put_atlas(found, size, index, features, points, mean, settings, study):
    """Icons of the map's cells and of single neurons of one network, a size's member ``index``."""
    cells, members = visualise.cells(visualise.layout(points), settings["grid"], settings["minimum"])
    targets = visualise.atlas_targets(features, members, settings["damping"])
    counts = np.array([len(rows) for rows in members], np.int32)
    if (
        settings["icons"] == "targets"
    ):  # fig. 6: activations are pixels, the whitened mean is the picture itself
        icons = as_pictures(targets, size.image, settings["icon_size"])
    else:
        neurons = some_neurons(features, settings)
        rows = visualise.whitening(features, settings["damping"])[torch.as_tensor(neurons)].float()
        both = optimised(size, index, torch.cat([targets, rows]), mean, settings, study)
        icons = both[: len(targets)]
        found.put("neurons", both[len(targets) :], size.key)
        found.put("neuron_index", neurons.astype(np.int32), size.key)
    found.put("icons", icons, size.key)
    found.put("cells", cells.astype(np.int16), size.key)
    found.put("counts", counts, size.key)
    found.put("units", np.int64(features.shape[1]), size.key)


def some_neurons(features, settings):
    """Units drawn at random, sorted.

    A unit that no example activates has no gradient and would stay grey: not among them.
    """
    alive = np.flatnonzero(features.any(0))
    return np.sort(np.random.default_rng(settings["seed"]).permutation(alive)[: settings["neurons"]])


def optimised(size, index, targets, mean, settings, study):
    """Images that drive the hidden state towards each target, the part that the network sees: (targets,
    channels, s, s) uint8.
    """
    net, found = size.module(index), {}

    def keep(name, value):
        if name == net.penultimate:
            found["out"] = value.flatten(1)
        return value

    def penultimate(x):
        net(x, keep)
        return found["out"]

    title = f"{study} atlas width {size.width:g}, {len(targets)} icons"
    with scratch.bar(settings["steps"], title, "step") as bar:
        images, _ = visualise.icons(
            penultimate,
            targets,
            image_shape=size.image,
            canvas=settings["canvas"],
            steps=settings["steps"],
            lr=settings["lr"],
            pad_value=settings["pad"],
            mean=mean,
            seed=settings["seed"],
            cosine=settings["cosine"],
            device=devices.device(),
            autocast_dtype=torch.bfloat16 if half_precision(devices.device()) else None,
            progress=bar.update,
        )
    view = lucid.centre_view(images, settings["icon_size"], settings["pad"])
    return lucid.shrink(view, settings["icon_size"])


def as_pictures(targets, shape, side):
    """Each target scaled to [0, 1] on its own and shown as an image."""
    low, high = targets.min(1, keepdim=True).values, targets.max(1, keepdim=True).values
    return lucid.shrink(((targets - low) / (high - low).clamp_min(1e-12)).reshape(-1, *shape), side)


if __name__ == "__main__":
    main(*sys.argv[1:])
