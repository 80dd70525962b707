"""Frozen features, last layer retrained on another task: `python -m stages.transfer <paper> <study> <variant>
<scale>`.

Gilboa & Gur-Ari, section 5: all weights below the last layer stay as the original task left them; the best
test accuracy during the retraining counts. The linear classifier on raw pixels is the same retraining with
the pixels as features.
"""

import sys
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch

from pipeline import scratch
from pipeline.bounds import Named
from pipeline.caps import measure_caps
from pipeline.cells import Cells
from pipeline.lanes import side_by_side
from pipeline.lifetime import stage
from pipeline.linear import best_accuracy
from pipeline.networks import trained
from pipeline.parameters import declared
from wide import artifacts
from wide.training.population import prepare_inputs
from wide.training.recipe import Recipe, steps_of


@dataclass(frozen=True)
class OfStudy:
    """labels: the other task's. test: the split that it is tested on. recipe: of the retraining."""

    labels: Annotated[str, Named("labels")]
    test: Annotated[str, Named("splits")]
    recipe: Recipe

    def __post_init__(self):
        """Features, which a linear classifier is trained on, cannot be augmented, and there are no others."""
        if self.recipe.augment.numbers or self.recipe.dropout or self.recipe.patience:
            raise ValueError("recipe: augment, dropout and patience must be left out for a last layer")

    def refuse(self, trial):
        """Raise ValueError unless a seed has networks of all sizes."""
        if len(set(trial.members.values())) > 1:
            raise ValueError(f"seeds must be the same for all sizes, and they number {trial.members}")


@stage
def main(paper: str, study: str, variant: str, scale: str):
    params = declared()
    task = params[study]["measure"]["transfer"]
    setting = (scale, paper, study, variant, task, measure_caps(params, params[study], scale).get("views"))
    transfer = Transfer(*setting)
    seeds, rows = transfer.sizes[0].fact["seeds"], [*range(len(transfer.sizes)), None]
    pieces = {
        f"{'pixels' if row is None else transfer.sizes[row].key} seed {seed}": (row, column)
        for row in reversed(rows)
        for column, seed in enumerate(seeds)
        if row is None or transfer.is_trained(row, column)
    }
    with scratch.bar(transfer.views * len(pieces), f"{study}: last layer on {task['labels']}") as bar:
        done = side_by_side(Transfer.retrain, pieces, bar, (Transfer, *setting))
    accuracies = np.full((len(rows), len(seeds)), np.nan)
    for name, (row, column) in pieces.items():
        accuracies[-1 if row is None else row, column] = done[name]
    found = transfer.described()
    found.put("tuned", accuracies[:-1])
    found.put("linear", accuracies[-1])
    found.save(artifacts.result(scale, paper, study, "transfer", variant))


class Transfer:
    """The networks of a study and the data of the other task.

    Each process that retrains makes one of its own.
    """

    def __init__(self, scale, paper, study, variant, task: dict, views: float | None):
        networks = trained(scale, paper, study, variant)
        tensors, card = artifacts.load_tensors(artifacts.dataset(scale, networks.set))
        self.sizes, self.test, self.classes = networks.sizes, task["test"], card["classes"][task["labels"]]
        splits = ("train", self.test)
        self.images = {name: torch.from_numpy(tensors[f"{name}/images"]) for name in splits}
        self.labels = {name: torch.from_numpy(tensors[f"{name}/{task['labels']}"]) for name in splits}
        examples, passes = len(self.images["train"]), task["recipe"]["epochs"]
        self.recipe = Recipe.of(
            {**task["recipe"], "epochs": passes if views is None else min(passes, views / examples)}
        )
        self.views = steps_of(self.recipe, examples)[0] * self.recipe.batch

    def described(self) -> Cells:
        """A result's account of the networks: their widths, depths and original accuracies."""
        return Cells(
            {
                "width": np.array([size.width for size in self.sizes]),
                "depth": np.array([size.depth for size in self.sizes]),
                "inputs": np.int64(self.images["train"][0].numel()),
                "original": np.array([size.fact["test_accuracy"] for size in self.sizes], float),
            }
        )

    def is_trained(self, row: int, column: int) -> bool:
        """Whether a network did not diverge; one that did has NaN for its accuracies."""
        return column in dict(self.sizes[row].members())

    def features(self, row: int | None, column: int) -> dict:
        """What a last layer is given, or the pixels themselves: {split: (examples, units) float32}."""
        if row is None:
            return {name: prepare_inputs(value).flatten(1) for name, value in self.images.items()}
        size = self.sizes[row]
        return {name: size.features(column, images, half=True) for name, images in self.images.items()}

    def retrain(self, row: int | None, column: int, advance) -> float:
        """Best test accuracy of a network's retrained last layer, or of the classifier on pixels."""
        seed = self.sizes[0].fact["seeds"][column]
        features = self.features(row, column)
        return best_accuracy(features, self.labels, self.test, self.classes, self.recipe, seed, advance)


if __name__ == "__main__":
    main(*sys.argv[1:])
