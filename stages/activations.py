"""Penultimate activations of training examples: `python -m stages.activations <study> <net> <set> <scale> <variant>`.

Of the first seed of every width, without augmentation, for a seeded draw of examples (all of them at scale paper).
"""
import sys

import numpy as np
import torch

from stages import declared_params, running, stage
from stages.members import families
from stages.study import caps_of
from wide import artifacts
from wide.population import layer_outputs, member


@stage
def main(study: str, net: str, data: str, scale: str, variant: str):
    caps = caps_of(declared_params(), study, scale, "measure")
    images = torch.from_numpy(artifacts.load_tensors(artifacts.dataset(scale, data), ["train/images"])[0]["train/images"])
    index = np.sort(np.random.default_rng(0).permutation(len(images))[:caps.get("points")])
    tensors, facts = {"index": index}, {}
    for family in families(artifacts.population(scale, study, variant), net, images.shape[1:]):
        built = family.build()
        features = layer_outputs(built, member(family.population, 0), images[index], built.penultimate,
                                 standardise=family.standardise, device=running.device())
        tensors[f"{family.key}/features"] = features.numpy()
        facts[family.key] = {**family.fact, "units": features.shape[1]}
    artifacts.save_tensors(artifacts.activations(scale, study, variant), tensors, facts)


if __name__ == "__main__":
    main(*sys.argv[1:])
