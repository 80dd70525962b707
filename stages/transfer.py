"""Frozen features, last layer retrained on another task: `python -m stages.transfer <study> <net> <set> <scale>`.

Gilboa & Gur-Ari, section 5: all weights below the last layer stay as the original task left them; the best test accuracy during
the retraining counts. The linear classifier on raw pixels is the same retraining with the pixels as features.
"""
import sys

import numpy as np
import torch

from stages import declared_params, running, stage
from stages.members import families
from stages.study import caps_of
from wide import artifacts
from wide.nets import mlp
from wide.population import half_precision, layer_outputs, member, prepare_inputs
from wide.train import Recipe, steps_of, train_population


@stage
def main(study: str, net: str, data: str, scale: str):
    params = declared_params()
    task, caps = params[study]["measure"]["transfer"], caps_of(params, study, scale, "measure")
    split = params[study]["test"]
    splits, card = artifacts.load_tensors(artifacts.dataset(scale, data))
    images = {name: torch.from_numpy(splits[f"{name}/images"]) for name in ("train", split)}
    labels = {name: torch.from_numpy(splits[f"{name}/{task['labels']}"]) for name in ("train", split)}
    recipe = Recipe.of({**task["recipe"], **({"epochs": min(task["recipe"]["epochs"], caps["views"] / len(images["train"]))}
                                             if "views" in caps else {})})
    sizes = families(artifacts.population(scale, study, "base"), net, images["train"].shape[1:])
    retrain = lambda features, seed, bar: best_accuracy(features, labels, split, card["classes"][task["labels"]], recipe, seed, bar)
    seeds, views = sizes[0].fact["seeds"], steps_of(recipe, len(images["train"]))[0] * recipe.batch
    tuned = np.zeros((len(sizes), len(seeds)))
    with running.bar(views * len(seeds) * (len(sizes) + 1), f"{study}: last layer on {task['labels']}") as bar:
        for row, family in enumerate(sizes):
            for column, seed in enumerate(seeds):
                built = family.build()
                frozen = {name: layer_outputs(built, member(family.population, column), images[name], built.penultimate,
                                              standardise=family.standardise, half=half_precision(running.device()),
                                              device=running.device()) for name in images}
                tuned[row, column] = retrain(frozen, seed, bar)
        pixels = {name: prepare_inputs(value).flatten(1) for name, value in images.items()}
        linear = np.array([retrain(pixels, seed, bar) for seed in seeds])
    artifacts.save_result(artifacts.result(scale, "gilboa_transfer", "transfer", study), {
        "width": np.array([family.fact["width"] for family in sizes]), "inputs": np.int64(images["train"][0].numel()),
        "depth": np.array([family.fact["options"].get("depth", 0) for family in sizes]),
        "original": np.array([family.fact["test_accuracy"] for family in sizes]), "tuned": tuned, "linear": linear})


def best_accuracy(features, labels, split, classes, recipe, seed, bar) -> float:
    """Best test accuracy over the passes of a linear classifier on features {split: (examples, units)}."""
    found = []
    net = lambda: mlp.Net(1, image=features["train"].shape[1:], classes=classes, depth=0)

    def measure(_, population):
        logits = layer_outputs(net(), member(population, 0), features[split], batch=5000, device=running.device())
        found.append((logits.argmax(1) == labels[split]).double().mean().item())

    population, _ = train_population(net, features["train"], labels["train"], recipe, [seed], device=running.device(), half=False,
                                     progress=bar.update, each_epoch=measure)
    measure(None, population)
    return max(found)


if __name__ == "__main__":
    main(*sys.argv[1:])
