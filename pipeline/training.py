"""The training of a variant: its data, the pieces that it falls into, and what is said of each size."""

from pathlib import Path
from statistics import harmonic_mean
from types import SimpleNamespace

import numpy as np
import torch

from pipeline import devices
from pipeline.folder import images_of
from pipeline.plan import Plan, Size
from wide import artifacts
from wide.training.population import accuracy, half_precision, shrink
from wide.training.recipe import OF_A_MEMBER, Recipe, describe, steps_of
from wide.training.stacking import pieces
from wide.training.train_population import train_population

SCORED = 5000  # training examples whose accuracy is reported
ACCURACIES = ("test_accuracy", "train_accuracy")


def shape_of(source) -> SimpleNamespace:
    """What a plan asks of a prepared data set: the shape of an image, and {label: classes}."""
    splits, card = artifacts.load_tensors(source)
    return SimpleNamespace(image=tuple(images_of(splits, "train").shape[1:]), classes=card["classes"])


def seen(shape, todo: Plan) -> list[int]:
    """Shape of what a network is shown in training: augmentation may cut out a part of the stored images."""
    parts = {(size.settings.get("augment") or {}).get("resized_crop") or 0 for size in todo.sizes}
    part = max(parts, default=0)
    return (
        [shape[0], *(min(side, part) if part else side for side in shape[1:])]
        if len(shape) == 3
        else list(shape)
    )


def code(net: str) -> list[Path]:
    """Files on which a checkpoint depends: what a network is shown, and how it is trained on it."""
    data = [Path(f"pipeline/{name}.py") for name in ("balance", "folder", "plan", "training")]
    nets = [Path("wide/nets/__init__.py"), *sorted(Path("wide/nets/parts").glob("*.py"))]
    return [*data, Path(f"wide/nets/{net}.py"), *nets, *sorted(Path("wide/training").glob("*.py"))]


class Training:
    """What all networks of a variant share: data, labels, how to build and train one.

    source: file of the prepared data set. Each process that trains makes one of its own.
    """

    def __init__(self, source, todo: Plan):
        splits, card = artifacts.load_tensors(source)
        self.todo, self.classes = todo, card["classes"][todo.labels]
        kept = todo.kept(splits[f"train/{todo.labels}"])
        labels = todo.drawn(splits[f"train/{todo.labels}"][kept], self.classes)
        rest, out = todo.held_out(labels)
        self.images = self._view(images_of(splits, "train", kept[rest]))
        self.labels = torch.from_numpy(labels[rest])
        self.validation = None
        if len(out):
            self.validation = self._view(images_of(splits, "train", kept[out])), torch.from_numpy(labels[out])
        self.test = (
            self._view(images_of(splits, todo.test)),
            torch.from_numpy(splits[f"{todo.test}/{todo.labels}"]),
        )
        self.image = seen(self.images.shape[1:], todo)
        whole = images_of(splits, "train", kept[:1]).shape
        self.shrunk = self.images.shape[2] / whole[2] if len(whole) == 4 else 1.0

    def _view(self, images):
        side = self.todo.image_size
        return shrink(images, side) if side and len(images.shape) == 4 else images

    def build(self, size: Size):
        """A size's network, its weights not yet drawn."""
        return self.todo.build(size, self.image, self.classes)

    def recipe(self, size: Size) -> Recipe:
        """How a size is trained."""
        return self.todo.recipe(size, len(self.images), self.shrunk)

    def views(self, size: Size) -> int:
        """Images that a member is shown."""
        recipe = self.recipe(size)
        return steps_of(recipe, len(self.images))[0] * min(recipe.batch, len(self.images))

    def pieces(self) -> dict[str, list]:
        """What is trained in one piece, {in words: [(number of the size, seed)]}, the longest first.

        Members train one by one, or stacked where that is faster. Sizes of a panel that differ in what the
        members of one population may have of their own (learning rate, initialisation) share a stack.
        """
        found = []
        for group in self._alike():
            members = [(number, seed) for number in group for seed in self.todo.sizes[number].seeds]
            net = self.build(self.todo.sizes[group[0]])
            found = [members[stack] for stack in pieces(net, devices.device(), len(members))] + found
        return {self._said(piece): piece for piece in found}

    def _alike(self) -> list:
        """Numbers of the sizes that can be members of one population."""
        groups = {}
        for number, size in enumerate(self.todo.sizes):
            own = describe(self.recipe(size))
            shared = {name: value for name, value in own.items() if name not in OF_A_MEMBER}
            groups.setdefault(repr((size.width, size.options, shared)), []).append(number)
        return list(groups.values())

    def _said(self, piece: list) -> str:
        keys = dict.fromkeys(self.todo.sizes[number].key for number, _ in piece)
        return f"{', '.join(keys)} seeds {', '.join(str(seed) for _, seed in piece)}"

    def place(self, piece: list) -> str:
        """Where a piece's checkpoints lie."""
        number, seed = piece[0]
        return f"{self.todo.sizes[number].key}-{seed}"

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
            may_diverge=sum(len(size.seeds) for size in self.todo.sizes) > 1,
        )
        some = self.images[:SCORED]
        if len(self.image) == 3:  # what augmentation cuts out in training, in the whole image's place
            some = shrink(some, self.image[1])
        scored = (self.test, (some, self.labels[:SCORED]))
        accuracies = [self._score(sizes[0], population, *some) for some in scored]
        return {
            "population": _arrays(population),
            "snapshots": {number: _arrays(state) for number, state in run.pop("snapshots", {}).items()},
            "run": run,
            **dict(zip(ACCURACIES, accuracies)),
        }

    def _score(self, size, population, images, labels) -> list:
        """Accuracies of the members, in the arithmetic that they were trained in."""
        device, standardise = devices.device(), self.recipe(size).standardise
        half = half_precision(device)
        how = {"standardise": standardise, "device": device, "half": half}
        found = accuracy(self.build(size), population, images, labels, **how)
        return [round(value, 6) for value in found.tolist()]

    def parts(self, number: int, pieces: dict, done: dict) -> list:
        """(place in its piece, what the piece gave) of every seed of a size."""
        return [
            (position, done[name])
            for name, piece in pieces.items()
            for position, (other, _) in enumerate(piece)
            if other == number
        ]

    def refuse_divergence(self, done: dict):
        """Raise ValueError where no network of the variant stayed finite."""
        if done and all(all(part["run"]["diverged"]) for part in done.values()):
            rates = sorted({self.recipe(size).lr for size in self.todo.sizes})
            raise ValueError(
                f"every network diverged (lr {', '.join(f'{rate:g}' for rate in rates)}): "
                "lower the learning rate of this study"
            )

    def said(self, size: Size, parts: list) -> dict:
        """What the population's card says of a size; accuracies are null where a member diverged."""
        diverged = [part["run"]["diverged"][position] for position, part in parts]
        accuracies = {
            name: [None if lost else part[name][position] for lost, (position, part) in zip(diverged, parts)]
            for name in ACCURACIES
        }
        best = [part["run"]["best_pass"][position] for position, part in parts if "best_pass" in part["run"]]
        return {
            "width": size.width,
            "seeds": size.seeds,
            "options": size.options,
            "recipe": describe(self.recipe(size)),
            "train_examples": len(self.images),
            "image": self.image,
            "classes": self.classes,
            **accuracies,
            **({"diverged": diverged} if any(diverged) else {}),
            **({"best_pass": best} if best else {}),
            **({"panel": size.panel} if size.panel else {}),
            "members_at_once": max(part["run"]["members_at_once"] for _, part in parts),
            "dtype": parts[0][1]["run"]["dtype"],
        }

    def reported(self, size: Size, fact: dict) -> dict:
        """What stands in git of a size's training."""
        names = ("width", "seeds", *ACCURACIES, "diverged", "best_pass", "dtype", "panel")
        known = [value for value in fact["test_accuracy"] if value is not None]
        return {
            **{name: fact[name] for name in names if name in fact},
            "depth": size.options.get("depth", 0),
            "epochs": self.recipe(size).epochs,
            "mean_test_accuracy": float(np.mean(known)) if known else None,
        }

    def rate(self, size: Size, parts: list) -> dict:
        """How fast a size was trained, in images a second of one piece, and what tells it from others."""
        runs = [part["run"] for _, part in parts]
        rates = [run["images_per_s"] for run in runs if run["images_per_s"]]
        return {
            "net": self.todo.net,
            "width": size.width,
            "options": size.options,
            "image": self.image,
            "classes": self.classes,
            "batch": self.recipe(size).batch,
            "device": devices.name(),
            "dtype": runs[0]["dtype"],
            "members_at_once": max(run["members_at_once"] for run in runs),
            "images_per_s": harmonic_mean(rates) if rates else None,
        }


def _arrays(population: dict) -> dict:
    return {name: value.numpy() for name, value in population.items()}
