"""Accuracy without residual blocks: `python -m stages.deletion <paper> <study> <variant> <scale>`.

Nguyen et al. 2021, section 5.2, figure 5: blocks go one by one from the end of each stage, their shortcuts
stay.
"""

import sys
from dataclasses import dataclass

import numpy as np
import torch

from pipeline.lifetime import stage
from pipeline.measurement import Measurement
from wide import artifacts
from wide.measure.deletion import deletion_accuracies
from wide.measure.residual import Skipping, residual
from wide.training.population import prepare_inputs

BATCH = 128  # images at a time: what enters all blocks of so many stays in memory


@dataclass(frozen=True)
class Settings:
    """None."""

    def refuse(self, trial):
        """Raise ValueError for a network without residual blocks."""
        residual(trial.net)


@stage
def main(paper: str, study: str, variant: str, scale: str):
    todo = Measurement.of("deletion", paper, study, variant, scale)
    found = todo.described()
    for size in todo.variant.sizes:
        built = residual(size.build())
        last, stages = places(built)
        found.put("blocks", np.array(built.deletable), size.key)
        found.put("index", np.array(last), size.key)
        found.put("block_stage", np.array(stages), size.key)
    title, images = f"{study} {variant}: deletion", len(todo.images)
    for size, seed, numbers in todo.each(
        of_network, title, lambda size: images * (1 + len(size.build().deletable))
    ):
        found.put_all(numbers, size.key, seed)
    found.save(artifacts.result(scale, paper, study, "deletion", variant))


def of_network(todo, size, index, advance) -> dict:
    """Accuracies of a member, whole and without blocks."""
    built, images = residual(size.build()), size.view(todo.images)
    network = Skipping(size.module(index))
    standardise = size.fact["recipe"]["standardise"]

    @torch.inference_mode()
    def classify(some, skip):
        x = prepare_inputs(some, standardise).contiguous(memory_format=torch.channels_last)
        return network(x, skip)

    full, deleted = deletion_accuracies(
        classify, images, todo.labels, built.deletable, places(built)[1], batch=BATCH
    )
    advance(len(images) * (1 + len(deleted)))
    return {"full": np.float64(full), "deleted": deleted}


def places(built) -> tuple[list, list]:
    """Of each block that can go: the place of its last layer among the network's, and its stage."""
    last = [built.layers.index(f"{name}.{built.blocks[name].layers[-1]}") for name in built.deletable]
    return last, [built.stage_of(built.layers[place]) for place in last]


if __name__ == "__main__":
    main(*sys.argv[1:])
