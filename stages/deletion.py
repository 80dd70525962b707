"""Accuracy without residual blocks: `python -m stages.deletion <paper> <study> <variant> <scale>`.

Nguyen et al. 2021, section 5.2, figure 5: blocks go one by one from the end of each stage, their shortcuts
stay.
"""

import sys
from dataclasses import dataclass

import numpy as np

from pipeline.lifetime import stage
from pipeline.measurement import Measurement
from wide import artifacts
from wide.measure.deletion import deletion_accuracies
from wide.measure.residual import residual


@dataclass(frozen=True)
class Settings:
    """None."""

    def refuse(self, trial):
        """Raise ValueError for a network without residual blocks."""
        residual(trial.net)


@stage
def main(paper: str, study: str, variant: str, scale: str):
    todo = Measurement.of("deletion", paper, study, variant, scale)
    found = todo.found
    for size, networks in todo.sizes(f"{study} {variant}: deletion"):
        built, images = residual(size.build()), size.view(todo.images)
        last = [built.layers.index(f"{name}.{built.blocks[name].layers[-1]}") for name in built.deletable]
        stages = [built.stage_of(built.layers[position]) for position in last]
        found.put("blocks", np.array(built.deletable), size.key)
        found.put("index", np.array(last), size.key)
        found.put("block_stage", np.array(stages), size.key)
        for seed, network in networks:
            full, deleted = deletion_accuracies(
                without(network), images, todo.labels, built.deletable, stages
            )
            found.put("full", np.float64(full), size.key, seed)
            found.put("deleted", deleted, size.key, seed)
    found.save(artifacts.result(scale, paper, study, "deletion", variant))


def without(network):
    """The network as a function of images and of the blocks that are left out."""
    return lambda images, skip: network(images, skip=skip)


if __name__ == "__main__":
    main(*sys.argv[1:])
