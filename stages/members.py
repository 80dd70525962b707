"""Trained populations as measures want them: a network that can be built, its parameters, and what its training said."""
from dataclasses import dataclass

import torch

from stages.study import network
from wide import artifacts


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


def families(path, net: str, image: tuple) -> list[Family]:
    """Every size in a population file, in the order of training."""
    tensors, card = artifacts.load_tensors(path)
    found = []
    for key in sorted((key for key in card if key != "stand_in"), key=lambda key: (card[key]["width"], key)):
        population = {name.removeprefix(f"{key}/"): torch.from_numpy(value) for name, value in tensors.items() if name.startswith(f"{key}/")}
        last = list(network(net)(card[key]["width"], image=image, classes=2, **card[key]["options"]).state_dict())[-1]
        found.append(Family(key, net, card[key], population, tuple(image), population[last].shape[1]))
    return found
