"""All sizes and seeds of a variant: `python -m stages.train <paper> <study> <variant> <scale>`."""

import sys
from pathlib import Path
from statistics import harmonic_mean
from types import SimpleNamespace

import numpy as np
import torch

from pipeline import devices, scratch
from pipeline.folder import images_of
from pipeline.lanes import side_by_side
from pipeline.lifetime import stage
from pipeline.parameters import declared
from pipeline.plan import plan
from wide import artifacts
from wide.training.population import accuracy, half_precision, shrink
from wide.training.recipe import OF_A_MEMBER, describe, steps_of
from wide.training.stacking import pieces
from wide.training.train_population import train_population

SCORED = 5000  # training examples whose accuracy is reported


@stage
def main(paper: str, study: str, variant: str, scale: str):
    params = declared()
    general = params["scales"][scale]["train"]
    source = artifacts.dataset(scale, params[study]["train"]["set"])
    todo = plan(params[study], variant, scale, general, params["width"], shape_of(source))
    training = Training(source, todo)
    with scratch.Scratch(
        {"plan": repr(todo), "width": params["width"]}, [source, *code(todo.net)]
    ) as checkpoints:
        pieces = {
            said(todo, piece): (piece, checkpoints.within(place(todo, piece))) for piece in training.pieces()
        }
        images = sum(
            training.views(todo.sizes[number]) for piece, _ in pieces.values() for number, _ in piece
        )
        with scratch.bar(images, f"{study} {variant}") as bar:
            done = side_by_side(Training.train, pieces, bar, (Training, source, todo))
        save(training, pieces, done, scale, paper, study, variant)


def shape_of(source) -> SimpleNamespace:
    """What a plan asks of a data set: the shape of an image, and {label: classes}."""
    splits, card = artifacts.load_tensors(source)
    return SimpleNamespace(image=tuple(images_of(splits, "train").shape[1:]), classes=card["classes"])


def code(net: str) -> list[Path]:
    """Files on which a checkpoint depends."""
    return [Path(f"wide/nets/{net}.py"), *sorted(Path("wide/training").glob("*.py"))]


def said(todo, piece: list) -> str:
    """A piece, [(number of the size, seed)], in words."""
    keys = dict.fromkeys(todo.sizes[number].key for number, _ in piece)
    return f"{', '.join(keys)} seeds {', '.join(str(seed) for _, seed in piece)}"


def place(todo, piece: list) -> str:
    """Where a piece's checkpoints lie."""
    number, seed = piece[0]
    return f"{todo.sizes[number].key}-{seed}"


def save(training, pieces, done, scale, paper, study, variant):
    """Write the population, its accuracies, and how fast it was trained."""
    todo, tensors, facts, accuracies, rates = training.todo, {}, {}, {}, {}
    for number, size in enumerate(todo.sizes):
        parts = [
            (position, done[name])
            for name, (piece, _) in pieces.items()
            for position, (other, _) in enumerate(piece)
            if other == number
        ]
        for name in parts[0][1]["population"]:
            tensors[f"{size.key}/{name}"] = np.stack(
                [part["population"][name][position] for position, part in parts]
            )
        facts[size.key] = training.said(size, parts)
        shown = ("width", "seeds", "train_accuracy", "test_accuracy", "diverged", "dtype", "panel")
        accuracies[size.key] = {name: facts[size.key][name] for name in shown if name in facts[size.key]}
        accuracies[size.key]["mean_test_accuracy"] = float(np.mean(facts[size.key]["test_accuracy"]))
        accuracies[size.key] |= {
            "depth": size.options.get("depth", 0),
            "epochs": training.recipe(size).epochs,
        }
        rates[size.key] = training.rate(size, [part for _, part in parts])
    card = {name: getattr(todo, name) for name in ("net", "set", "labels", "test")}
    artifacts.save_tensors(
        artifacts.population(scale, paper, study, variant),
        tensors,
        {"stand_in": scale == "smoke", "study": card, "sizes": facts},
    )
    artifacts.save_numbers(artifacts.training(scale, paper, study, variant), accuracies)
    artifacts.save_numbers(artifacts.throughput(scale, paper, study, variant), rates)


class Training:
    """What all networks of a variant share: data, labels, how to build and train one.

    Each process makes one of its own.
    """

    def __init__(self, source, todo):
        splits, card = artifacts.load_tensors(source)
        self.todo, self.classes = todo, card["classes"][todo.labels]
        kept = todo.kept(splits[f"train/{todo.labels}"])
        labels = todo.drawn(splits[f"train/{todo.labels}"][kept], self.classes)
        rest, out = todo.held_out(labels)
        self.images, self.labels = (
            self._view(images_of(splits, "train", kept[rest])),
            torch.from_numpy(labels[rest]),
        )
        self.validation = None
        if len(out):
            self.validation = self._view(images_of(splits, "train", kept[out])), torch.from_numpy(labels[out])
        self.test = (
            self._view(images_of(splits, todo.test)),
            torch.from_numpy(splits[f"{todo.test}/{todo.labels}"]),
        )
        self.image = list(self.images.shape[1:])
        whole = images_of(splits, "train", kept[:1]).shape
        self.shrunk = self.image[1] / whole[2] if len(whole) == 4 else 1.0

    def _view(self, images):
        side = self.todo.image_size
        return shrink(images, side) if side and len(images.shape) == 4 else images

    def build(self, size):
        return self.todo.build(size, self.image, self.classes)

    def recipe(self, size):
        return self.todo.recipe(size, len(self.images), self.shrunk)

    def views(self, size) -> int:
        """Images that a member is shown."""
        recipe = self.recipe(size)
        return steps_of(recipe, len(self.images))[0] * min(recipe.batch, len(self.images))

    def pieces(self) -> list:
        """What is trained in one piece, [(number of the size, seed)]: members one by one, or stacked where
        that is faster.

        Sizes of a panel that differ in what one population may mix (learning rate, initialisation) share a
        stack. The longest come first.
        """
        found = []
        for group in self._alike():
            members = [(number, seed) for number in group for seed in self.todo.sizes[number].seeds]
            net = self.build(self.todo.sizes[group[0]])
            stacks = [members[stack] for stack in pieces(net, devices.device(), len(members))]
            found = stacks + found
        return found

    def _alike(self) -> list:
        """Numbers of the sizes that can be members of one population."""
        groups = {}
        for number, size in enumerate(self.todo.sizes):
            own = describe(self.recipe(size))
            shared = {name: value for name, value in own.items() if name not in OF_A_MEMBER}
            groups.setdefault(repr((size.width, size.options, shared)), []).append(number)
        return list(groups.values())

    def train(self, piece: list, checkpoint, advance) -> dict:
        """Members of one piece: their population, accuracies and throughput."""
        sizes = [self.todo.sizes[number] for number, _ in piece]
        recipes = [self.recipe(size) for size in sizes]
        population, run = train_population(
            lambda: self.build(sizes[0]),
            self.images,
            self.labels,
            recipes[0] if all(recipe == recipes[0] for recipe in recipes) else recipes,
            [seed for _, seed in piece],
            device=devices.device(),
            checkpoint=checkpoint,
            progress=advance,
            validation=self.validation,
        )
        some = self.images[:SCORED], self.labels[:SCORED]
        return {
            "population": {name: value.numpy() for name, value in population.items()},
            "run": run,
            "test_accuracy": self._score(sizes[0], population, *self.test),
            "train_accuracy": self._score(sizes[0], population, *some),
        }

    def _score(self, size, population, images, labels) -> list:
        """Accuracies of the members, in the arithmetic that they were trained in."""
        device, standardise = devices.device(), self.recipe(size).standardise
        found = accuracy(
            self.build(size),
            population,
            images,
            labels,
            standardise=standardise,
            device=device,
            half=half_precision(device),
        )
        return [round(value, 6) for value in found.tolist()]

    def said(self, size, parts: list) -> dict:
        """What the population's card says of a size. parts: (place in its piece, piece) of every seed."""
        joint = {
            name: [part[name][position] for position, part in parts]
            for name in ("test_accuracy", "train_accuracy")
        }
        diverged = [part["run"]["diverged"][position] for position, part in parts]
        return {
            "width": size.width,
            "seeds": size.seeds,
            "options": size.options,
            "recipe": describe(self.recipe(size)),
            "train_examples": len(self.images),
            "image": self.image,
            "classes": self.classes,
            **joint,
            **({"diverged": diverged} if any(diverged) else {}),
            **({"panel": size.panel} if size.panel else {}),
            "members_at_once": max(part["run"]["members_at_once"] for _, part in parts),
            "dtype": parts[0][1]["run"]["dtype"],
        }

    def rate(self, size, parts: list) -> dict:
        """How fast a size was trained: images a second of one piece, and what `make plan` compares other
        networks by.
        """
        rates = [part["run"]["images_per_s"] for part in parts if part["run"]["images_per_s"]]
        return {
            "net": self.todo.net,
            "width": size.width,
            "options": size.options,
            "image": self.image,
            "batch": self.recipe(size).batch,
            "device": devices.name(),
            "dtype": parts[0]["run"]["dtype"],
            "members_at_once": max(part["run"]["members_at_once"] for part in parts),
            "images_per_s": harmonic_mean(rates) if rates else None,
        }


if __name__ == "__main__":
    main(*sys.argv[1:])
