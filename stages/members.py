"""Trained populations as measures want them: a network that can be built, its parameters, and what its training said."""
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch.func import functional_call

from stages import declared_params, running
from stages.balance import balanced
from stages.folder import images_of
from stages.study import caps_of, network
from wide import artifacts
from wide.population import member, prepare_inputs, shrink


@dataclass
class Family:
    """One size of a variant. ``population`` is {name: (seeds, ...)}; ``fact`` the card's entry (width, accuracies, recipe)."""
    key: str
    net: str
    fact: dict
    population: dict
    image: tuple
    classes: int

    def build(self):
        return network(self.net)(self.fact["width"], image=self.image, classes=self.classes, **self.fact["options"])

    @property
    def standardise(self) -> bool:
        return self.fact["recipe"]["standardise"]

    def view(self, images: torch.Tensor) -> torch.Tensor:
        """Images (uint8) at the size that this network was trained on, where they lie on the device."""
        return (shrink(images, self.image[1]) if "image" in self.fact else images).to(running.device())

    def forward(self, index: int):
        """Member ``index`` in evaluation mode, as measures call it: f(images uint8 or float, tap=None, **options) -> logits, float32."""
        net, device = self.build().to(running.device()).eval(), running.device()
        state = {name: value.to(device) for name, value in member(self.population, index).items()}

        @torch.no_grad()
        def call(images, tap=None, **options):
            x = prepare_inputs(images.to(device), self.standardise).contiguous(memory_format=torch.channels_last)
            return functional_call(net, state, (x,), {"tap": tap, **options})

        return call

    def members(self, most: int | None = None):
        """(index, seed) of the first members, at most so many."""
        return list(enumerate(self.fact["seeds"]))[:most]

    def described(self, members) -> dict:
        """What each result says of a residual network's layers and of the members that were measured."""
        built = self.build()
        post = set(built.post_residual)
        return {f"{self.key}/{name}": np.asarray(value) for name, value in {
            "width": self.fact["width"], "depth": self.fact["options"].get("depth", 0), "layers": built.layers,
            "post": [layer in post for layer in built.layers], "stage": [built.stage_of(layer) for layer in built.layers],
            "seeds": [seed for _, seed in members], "accuracy": [self.fact["test_accuracy"][index] for index, _ in members]}.items()}


def families(path, net: str, image: tuple) -> list[Family]:
    """Every size in a population file, from narrow and shallow to wide and deep. image: shape of the data set's images, which a
    training may have shrunk."""
    tensors, card = artifacts.load_tensors(path)
    found = []
    for key in sorted((key for key in card if key != "stand_in"), key=lambda key: (card[key]["width"], card[key]["options"].get("depth", 0), key)):
        seen = tuple(card[key].get("image", image))
        population = {name.removeprefix(f"{key}/"): torch.from_numpy(value) for name, value in tensors.items() if name.startswith(f"{key}/")}
        last = list(network(net)(card[key]["width"], image=seen, classes=2, **card[key]["options"]).state_dict())[-1]
        found.append(Family(key, net, card[key], population, seen, population[last].shape[1]))
    return found


def examples(scale: str, data: str, split: str, label: str, most: int | None = None):
    """(images uint8, labels int64) of a split, class-balanced where only some are measured."""
    tensors, _ = artifacts.load_tensors(artifacts.dataset(scale, data))
    kept = balanced(tensors[f"{split}/{label}"], most)
    return images_of(tensors, split, kept), torch.from_numpy(tensors[f"{split}/{label}"][kept])


@dataclass
class Measurement:
    """A variant's networks and the test images that a measure shows them; ``found`` is its result so far, which begins with their number.

    params: what the running stage declares. caps: the scale's on measures. images, labels: as `examples` gives them. most: members of
    a size that are measured, None for all.
    """
    params: dict
    caps: dict
    images: torch.Tensor
    labels: torch.Tensor
    families: list[Family]
    most: int | None
    found: dict

    @classmethod
    def of(cls, study: str, net: str, data: str, scale: str, variant: str, most: int | None = None) -> "Measurement":
        """most: members of a size, fewer than the scale's cap says."""
        params = declared_params()
        caps = caps_of(params, study, scale, "measure")
        images, labels = examples(scale, data, params[study]["test"], params[study]["labels"], caps.get("points"))
        sizes = families(artifacts.population(scale, study, variant), net, images.shape[1:])
        return cls(params, caps, images, labels, sizes, most or caps.get("networks"), {"images": np.int64(len(images))})

    def sizes(self, title: str | None = None):
        """Each size, described in ``found``, with its members: (family, iterator of (seed, network)). title: of a progress bar over
        the networks, if there is to be one."""
        chosen = [family.members(self.most) for family in self.families]
        with running.bar(sum(map(len, chosen)), title, "net") if title else nullcontext() as bar:
            for family, members in zip(self.families, chosen):
                self.found |= family.described(members)
                yield family, _networks(family, members, bar)


def _networks(family, members, bar):
    for index, seed in members:
        yield seed, family.forward(index)
        if bar is not None:
            bar.update()
