"""Frozen features, last layer retrained on another task: `python -m stages.transfer <study> <net> <set> <scale>`.

Gilboa & Gur-Ari, section 5: all weights below the last layer stay as the original task left them; the best test accuracy during
the retraining counts. The linear classifier on raw pixels is the same retraining with the pixels as features.
"""
import sys

import numpy as np
import torch

from stages import declared_params, running, stage
from stages.lanes import side_by_side
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
    setting = (artifacts.population(scale, study, "base"), artifacts.dataset(scale, data), net, params[study]["test"], task, caps.get("views"))
    transfer = Transfer(*setting)
    seeds, rows = transfer.sizes[0].fact["seeds"], [*range(len(transfer.sizes)), None]
    pieces = {f"{'pixels' if row is None else transfer.sizes[row].key} seed {seed}": (row, column)
              for row in reversed(rows) for column, seed in enumerate(seeds)}
    with running.bar(transfer.views * len(pieces), f"{study}: last layer on {task['labels']}") as bar:
        done = side_by_side(Transfer.best_accuracy, pieces, bar, (Transfer, *setting))
    found = np.zeros((len(rows), len(seeds)))
    for name, (row, column) in pieces.items():
        found[-1 if row is None else row, column] = done[name]
    sizes = transfer.sizes
    artifacts.save_result(artifacts.result(scale, "gilboa_transfer", "transfer", study), {
        "width": np.array([family.fact["width"] for family in sizes]), "inputs": np.int64(transfer.images["train"][0].numel()),
        "depth": np.array([family.fact["options"].get("depth", 0) for family in sizes]),
        "original": np.array([family.fact["test_accuracy"] for family in sizes]), "tuned": found[:-1], "linear": found[-1]})


class Transfer:
    """The networks of a study and the data of the other task. Each process that retrains makes one of its own."""

    def __init__(self, population, source, net: str, split: str, task: dict, views: float | None):
        tensors, card = artifacts.load_tensors(source)
        self.split, self.classes = split, card["classes"][task["labels"]]
        self.images = {name: torch.from_numpy(tensors[f"{name}/images"]) for name in ("train", split)}
        self.labels = {name: torch.from_numpy(tensors[f"{name}/{task['labels']}"]) for name in ("train", split)}
        examples = len(self.images["train"])
        epochs = task["recipe"]["epochs"] if views is None else min(task["recipe"]["epochs"], views / examples)
        self.recipe = Recipe.of({**task["recipe"], "epochs": epochs})
        self.views = steps_of(self.recipe, examples)[0] * self.recipe.batch
        self.sizes = families(population, net, self.images["train"].shape[1:])

    def features(self, row: int | None, column: int) -> dict:
        """What a network's last layer is given, or the pixels themselves: {split: (examples, units) float32}."""
        if row is None:
            return {name: prepare_inputs(value).flatten(1) for name, value in self.images.items()}
        family, built, device = self.sizes[row], self.sizes[row].build(), running.device()
        return {name: layer_outputs(built, member(family.population, column), images, built.penultimate, standardise=family.standardise,
                                    half=half_precision(device), device=device) for name, images in self.images.items()}

    def best_accuracy(self, row: int | None, column: int, advance) -> float:
        """Best test accuracy over the passes of a linear classifier on the features."""
        features, found, split = self.features(row, column), [], self.split
        net = lambda: mlp.Net(1, image=features["train"].shape[1:], classes=self.classes, depth=0)

        def measure(_, population):
            logits = layer_outputs(net(), member(population, 0), features[split], batch=5000, device=running.device())
            found.append((logits.argmax(1) == self.labels[split]).double().mean().item())

        population, _ = train_population(net, features["train"], self.labels["train"], self.recipe, [self.sizes[0].fact["seeds"][column]],
                                         device=running.device(), half=False, progress=advance, each_epoch=measure)
        measure(None, population)
        return max(found)


if __name__ == "__main__":
    main(*sys.argv[1:])
