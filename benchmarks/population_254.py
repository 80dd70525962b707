"""Many narrow residual networks side by side: `python -m benchmarks.population_254 [members [steps]]`.

254 of the narrowest networks make as many parameters as one wide network, so populations of them are trained.
A step of such a network is overhead at any width; in a stack members share it. Prints, for 1, 2, 4 and 8
channels in the first stage, images trained per second (summed over members) of members one after another and
in stacks, in one run, turn about, the best of each, and their ratio. members: 64 by default, in stacks of 16.
steps: 8 by default, of each member and turn.
"""

import sys

import torch

from wide.nets import resnet
from wide.training.population import half_precision
from wide.training.recipe import Recipe
from wide.training.stacking import FEWEST, members_at_once
from wide.training.train_population import train_population

CHANNELS, BATCH, IMAGE, CLASSES, TURNS = (1, 2, 4, 8), 64, (3, 16, 16), 10, 2


def rate(build, images, labels, members: int, half: bool) -> float:
    """Images a second of so many members, stacked by the trainer's own rule."""
    recipe = Recipe.of({"epochs": 1, "batch": BATCH, "lr": 0.01})
    return train_population(build, images, labels, recipe, range(members), half=half)[1]["images_per_s"]


def main(members: str = "64", steps: str = "8"):
    generator, examples = torch.Generator().manual_seed(0), BATCH * int(steps)
    images = torch.randint(0, 256, (examples, *IMAGE), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, CLASSES, (examples,), generator=generator)
    print(f"{members} ResNets of 20 layers, {IMAGE[1]} px, batch {BATCH}, {torch.get_num_threads()} threads")
    print("channels  arithmetic  alone, images/s  stacked  ratio")
    for channels in CHANNELS:

        def build(channels=channels):
            return resnet.Net(channels / 64, base=64, depth=20, image=IMAGE, classes=CLASSES)

        assert members_at_once(build(), "cpu", int(members)) > 1, "members are one after another already"
        for half in (False, True)[: 1 + half_precision("cpu")]:
            rates = {few: [] for few in (FEWEST // 2, int(members))}  # fewer than that are not stacked
            for _ in range(TURNS):
                for few, found in rates.items():
                    found.append(rate(build, images, labels, few, half))
            alone, stacked = map(max, rates.values())
            print(
                f"{channels:8d}  {'bf16' if half else 'float32':10s}  {alone:15,.0f}  {stacked:7,.0f}  "
                f"{stacked / alone:5.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
