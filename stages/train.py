"""All widths and seeds of a variant: `python -m stages.train <study> <net> <set> <scale> <variant>`."""
import math
import sys
from statistics import harmonic_mean

import numpy as np
import torch

from stages import declared_params, running, stage
from stages.folder import images_of
from stages.lanes import side_by_side
from stages.study import caps_of, network, plan
from wide import artifacts
from wide.population import accuracy, half_precision, members_at_once, shrink
from wide.train import describe, steps_of, train_population

CODE = ("wide/train.py", "wide/population.py", "wide/augment.py")


@stage
def main(study: str, net: str, data: str, scale: str, variant: str):
    params, source = declared_params(), artifacts.dataset(scale, data)
    splits, card = artifacts.load_tensors(source)
    inputs = math.prod(images_of(splits, "train").shape[1:])
    todo = plan(params[study], variant, caps_of(params, study, scale, "train"), params["width"], inputs, card["classes"])
    training = Training(source, net, todo)
    with running.Scratch({"plan": repr(todo), "width": params["width"]}, [source, f"wide/nets/{net}.py", *CODE]) as scratch:
        pieces = {f"{size.key} seeds {', '.join(map(str, seeds))}": (number, seeds, scratch.within(f"{size.key}-{seeds[0]}"))
                  for number, size in reversed(list(enumerate(todo.sizes))) for seeds in training.chunks(size)}  # the longest first
        with running.bar(sum(training.views(todo.sizes[number]) * len(seeds) for number, seeds, _ in pieces.values()),
                         f"{study} {variant}") as bar:
            done = side_by_side(Training.train, pieces, bar, (Training, source, net, todo))
        tensors, facts, metrics = {}, {"stand_in": scale == "smoke"}, {}
        for number, size in enumerate(todo.sizes):
            parts = [done[name] for name, piece in pieces.items() if piece[0] == number]
            tensors |= {f"{size.key}/{name}": np.concatenate([part["population"][name] for part in parts]) for name in parts[0]["population"]}
            facts[size.key], metrics[size.key] = training.said(size, parts)
        artifacts.save_tensors(artifacts.population(scale, study, variant), tensors, facts)
        artifacts.save_numbers(artifacts.training_metrics(scale, study, variant), metrics)


class Training:
    """What all networks of a variant share: data, labels, how to build and train one. Each process that trains makes one of its own."""

    def __init__(self, source, net: str, todo):
        splits, card = artifacts.load_tensors(source)
        self.net, self.todo, self.classes = net, todo, card["classes"][todo.labels]
        self.images, self.labels, self.test_images, self.test_labels = training_data(splits, todo)
        self.image, self.shrunk = list(self.images.shape[1:]), self.images.shape[2] / images_of(splits, "train").shape[2]

    def build(self, size):
        return network(self.net)(size.width, image=self.image, classes=self.classes, **size.options)

    def recipe(self, size):
        return self.todo.recipe(size.width, len(self.images), self.shrunk)

    def views(self, size) -> int:
        """Images that a member is shown."""
        recipe = self.recipe(size)
        return steps_of(recipe, len(self.images))[0] * min(recipe.batch, len(self.images))

    def chunks(self, size) -> list:
        """Seeds that are trained in one piece: one by one, or stacked where that is faster."""
        at_once = members_at_once(self.build(size), running.device(), len(size.seeds))
        return [size.seeds[start:start + at_once] for start in range(0, len(size.seeds), at_once)]

    def train(self, number: int, seeds: list, checkpoint, advance) -> dict:
        """Members of the size of that number: their population, accuracies and throughput."""
        size = self.todo.sizes[number]
        build, recipe = lambda: self.build(size), self.recipe(size)
        population, run = train_population(build, self.images, self.labels, recipe, seeds, device=running.device(), checkpoint=checkpoint,
                                           progress=advance)
        score = lambda images, labels: [round(value, 6) for value in accuracy(  # in the arithmetic that it was trained in
            build(), population, images, labels, standardise=recipe.standardise, device=running.device(),
            half=half_precision(running.device())).tolist()]
        return {"population": {name: value.numpy() for name, value in population.items()}, "run": run, "test_accuracy": score(self.test_images, self.test_labels),
                "train_accuracy": score(self.images[:5000], self.labels[:5000])}

    def said(self, size, parts: list) -> tuple[dict, dict]:
        """What the population's card says of a size, and its metrics: accuracies of all seeds, and images a second of one piece."""
        joint = {name: sum((part[name] for part in parts), []) for name in ("test_accuracy", "train_accuracy")}
        run = {**parts[0]["run"], "members_at_once": max(part["run"]["members_at_once"] for part in parts)}
        rates = [part["run"]["images_per_s"] for part in parts if part["run"]["images_per_s"]]
        run["images_per_s"] = harmonic_mean(rates) if rates else None
        fact = {"width": size.width, "seeds": size.seeds, "options": size.options, "recipe": describe(self.recipe(size)),
                "train_examples": len(self.images), **joint} | ({"image": self.image} if self.shrunk < 1 else {})
        return ({**fact, "members_at_once": run["members_at_once"], "dtype": run["dtype"]},
                {**run, **{key: fact[key] for key in ("width", "seeds", "train_accuracy", "test_accuracy")}})


def training_data(splits: dict, todo):
    """(images, labels, test images, test labels) as tensors: the variant's share of the data, its labels, its size of image."""
    kept = todo.kept(splits[f"train/{todo.labels}"])
    labels = torch.from_numpy(splits[f"train/{todo.labels}"][kept])
    images, test_images = images_of(splits, "train", kept), images_of(splits, todo.test)
    if todo.image_size:
        images, test_images = shrink(images, todo.image_size), shrink(test_images, todo.image_size)
    return images, labels, test_images, torch.from_numpy(splits[f"{todo.test}/{todo.labels}"])


if __name__ == "__main__":
    main(*sys.argv[1:])
