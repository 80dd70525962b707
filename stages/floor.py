"""What a linear classifier makes of pixels: `python -m stages.floor <paper> <set> <scale>`.

For every variant that is trained on a data set, of the same pixels and examples: a claim about trained
networks is judged only where they are above it. Equal examples at an equal size are classified once. Images
larger than 32 pixels are classified at 32, and of more than 50,000 examples 50,000 (both only ImageNet's).
Random labels leave nothing to classify: their floor is chance.
"""

import sys
from dataclasses import dataclass

import numpy as np
import torch

from pipeline import scratch
from pipeline.balance import balanced
from pipeline.folder import images_of
from pipeline.lanes import side_by_side
from pipeline.lifetime import stage
from pipeline.parameters import declared
from pipeline.plan import Plan, plan
from pipeline.training import shape_of
from wide import artifacts
from wide.measure.linear_pixels import linear_accuracy
from wide.training.population import shrink

SIDE, MOST = 32, 50_000
CHUNK = 1000  # images of a folder that are decoded at once


@dataclass(frozen=True)
class Task:
    """What a classifier is given. kept: which training examples. side: of images, in pixels."""

    labels: str
    test: str
    kept: tuple
    side: int | None


@stage
def main(paper: str, set_name: str, scale: str):
    params, source = declared(), artifacts.dataset(scale, set_name)
    todo = plans(params, set_name, scale, shape_of(source))
    data = Data(source)
    tasks = {place: data.task(one) for place, one in todo.items() if not one.random_labels}
    distinct = {f"classifier {n + 1}": (task,) for n, task in enumerate(dict.fromkeys(tasks.values()))}
    total = sum(len(task.kept) for (task,) in distinct.values())
    with scratch.bar(max(total, 1), f"{paper} {set_name}: linear classifiers", "image") as bar:
        done = side_by_side(Data.classify, distinct, bar, (Data, source))
    found = {task: done[name] for name, (task,) in distinct.items()}
    floors = {}
    for (study, variant), one in todo.items():
        fact = found[tasks[study, variant]] if (study, variant) in tasks else data.chance(one)
        floors.setdefault(study, {})[variant] = fact
    artifacts.save_numbers(artifacts.result(scale, paper, "floor", "linear", set_name, "json"), floors)


def plans(params: dict, set_name: str, scale: str, card) -> dict:
    """{(study, variant): plan} of what is trained on the set; variants that the scale leaves out are not."""
    studies = {name: study for name, study in params.items() if isinstance(study, dict) and "train" in study}
    general, found = params["scales"][scale]["train"], {}
    for name, study in studies.items():
        if study["train"]["set"] != set_name:
            continue
        for variant in study["variants"]:
            one = plan(study, variant, scale, general, params["width"], card)
            if one.sizes:
                found[name, variant] = one
    return found


class Data:
    """A prepared data set. Each process that classifies makes one of its own."""

    def __init__(self, source):
        self.splits, self.card = artifacts.load_tensors(source)

    def task(self, one: Plan) -> Task:
        """What a variant's networks learn from, as a linear classifier is given it."""
        labels = self.splits[f"train/{one.labels}"]
        kept = one.kept(labels)
        kept = kept[one.held_out(labels[kept])[0]]
        if len(kept) > MOST:
            kept = kept[balanced(labels[kept], MOST)]
        return Task(one.labels, one.test, tuple(kept.tolist()), one.image_size)

    def chance(self, one: Plan) -> dict:
        return {"accuracy": 1 / self.card["classes"][one.labels], "classifier": "chance"}

    def classify(self, task: Task, advance) -> dict:
        """The floor of a task: accuracy on the test examples, and how it came about."""
        kept = np.array(task.kept)
        side = min(task.side or SIDE, SIDE)
        pixels = self.pixels("train", kept, side), self.pixels(task.test, slice(None), side)
        labels = self.splits[f"train/{task.labels}"][kept], self.splits[f"{task.test}/{task.labels}"]
        accuracy, strength = linear_accuracy(pixels[0], labels[0], pixels[1], labels[1])
        advance(len(kept))
        return {
            "accuracy": round(float(accuracy), 6),
            "classifier": "logistic regression on pixels",
            "examples": len(kept),
            "side": side,
            "strength": strength,
        }

    def pixels(self, split: str, which, side: int) -> np.ndarray:
        """Images of a split as rows of float32 in [0, 1]."""
        images, rows = images_of(self.splits, split, which), []
        for start in range(0, len(images), CHUNK):
            part = images[torch.arange(start, min(start + CHUNK, len(images)))]
            rows.append(shrink(part, side).flatten(1).numpy().astype(np.float32) / 255)
        return np.concatenate(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
