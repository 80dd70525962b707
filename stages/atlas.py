"""Activation atlases and icons of single neurons: `python -m stages.atlas <study> <net> <set> <scale> <variant>`."""
import sys

import numpy as np
import torch

from stages import declared_params, running, stage
from stages.members import families
from stages.study import caps_of
from wide import artifacts
from wide.measure import lucid, visualise
from wide.population import half_precision, member


@stage
def main(study: str, net: str, data: str, scale: str, variant: str):
    params = declared_params()
    settings, caps = params["gilboa"]["atlas"], caps_of(params, study, scale, "measure")
    settings = {name: min(value, caps.get(name, value)) if isinstance(value, (int, float)) else value for name, value in settings.items()}
    own = params[study]["measure"]["atlas"]
    images = artifacts.load_tensors(artifacts.dataset(scale, data), ["train/images"])[0]["train/images"]
    shape, mean = images.shape[1:], float(images.mean(dtype=np.float64) / 255)
    tensors, _ = artifacts.load_tensors(artifacts.activations(scale, study, variant))
    maps = artifacts.load_result(artifacts.result(scale, study, "umap", variant))
    arrays = {}
    for family in families(artifacts.population(scale, study, variant), net, shape):
        features, points = tensors[f"{family.key}/features"], maps[f"{family.key}/points"]
        cells, members = visualise.cells(visualise.layout(points), settings["grid"], settings["minimum"])
        targets = visualise.atlas_targets(features, members, settings["damping"])
        whitening = visualise.whitening(features, settings["damping"])
        alive = np.flatnonzero(features.any(0))  # a unit that no example activates has no gradient and would stay grey
        neurons = np.sort(np.random.default_rng(settings["seed"]).permutation(alive)[:settings["neurons"]])
        if own["icons"] == "targets":  # fig. 6: activations are pixels, the whitened mean is the picture itself
            icons, single = as_pictures(targets, shape, settings["icon_size"]), None
        else:
            both = torch.cat([targets, whitening[torch.as_tensor(neurons)].float()])
            icons = optimised(family, both, shape, mean, settings | {"pad": own["pad"]}, study)
            icons, single = icons[:len(targets)], icons[len(targets):]
        arrays |= {f"{family.key}/icons": icons, f"{family.key}/cells": cells.astype(np.int16),
                   f"{family.key}/counts": np.array([len(rows) for rows in members], np.int32),
                   f"{family.key}/units": np.int64(features.shape[1])}
        if single is not None:
            arrays |= {f"{family.key}/neurons": single, f"{family.key}/neuron_index": neurons.astype(np.int32)}
    artifacts.save_result(artifacts.result(scale, study, "atlas", variant), arrays | {"grid": np.int64(settings["grid"])})


def optimised(family, targets, shape, mean, settings, study):
    """Images that drive the hidden state towards each target, the part that the network sees: (targets, channels, size, size) uint8."""
    net, found = family.build().to(running.device()).eval(), {}
    net.load_state_dict(member(family.population, 0))
    keep = lambda name, value: found.update(out=value.flatten(1)) if name == net.penultimate else None

    def penultimate(x):
        net(x, keep)
        return found["out"]

    with running.bar(settings["steps"], f"{study} atlas width {family.fact['width']:g}, {len(targets)} icons", "step") as bar:
        images, _ = visualise.icons(penultimate, targets, image_shape=shape, canvas=settings["canvas"], steps=settings["steps"],
                                    lr=settings["lr"], pad_value=settings["pad"], mean=mean, seed=settings["seed"], cosine=settings["cosine"], device=running.device(),
                                    autocast_dtype=torch.bfloat16 if half_precision(running.device()) else None, progress=bar.update)
    view = lucid.centre_view(images, settings["icon_size"], settings["pad"])
    return lucid.shrink(view, settings["icon_size"])


def as_pictures(targets, shape, size):
    """Each target scaled to [0, 1] on its own and shown as an image."""
    low, high = targets.min(1, keepdim=True).values, targets.max(1, keepdim=True).values
    return lucid.shrink(((targets - low) / (high - low).clamp_min(1e-12)).reshape(-1, *shape), size)


if __name__ == "__main__":
    main(*sys.argv[1:])
