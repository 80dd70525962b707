"""First principal components of all layers of each network: `python -m stages.pca <paper> <study> <variant>
<scale>`.

Nguyen et al. 2021, section 5.1: in example space, over all test images measured; of the last two stages
together, figure D.5.
"""

import sys
from dataclasses import dataclass

import numpy as np

from pipeline.bounds import Count, Seed, Whole
from pipeline.lifetime import stage
from pipeline.measurement import Measurement
from wide import artifacts
from wide.measure.pca import first_components, squared_cosines


@dataclass(frozen=True)
class Settings:
    """batch: images a forward pass. sketch, iterations: width and rounds of the subspace iteration."""

    batch: Count
    sketch: Count
    iterations: Whole
    seed: Seed

    def refuse(self, trial):
        """Raise ValueError for too few images."""
        if trial.examples < 2:
            raise ValueError(f"{trial.examples} images are measured; points must be 2 or more")


@stage
def main(paper: str, study: str, variant: str, scale: str):
    todo = Measurement.of("pca", paper, study, variant, scale)
    found = todo.found
    for size, networks in todo.sizes(f"{study} {variant}: first components"):
        images, late = size.view(todo.images), late_layers(found, size.key)
        for seed, network in networks:
            components = first_components(network, images, together=late, **todo.settings)
            cosines = squared_cosines(components.first).astype(np.float16)
            found.put("fraction", components.fraction, size.key, seed)
            found.put("cosine2", cosines, size.key, seed)
            if late:
                found.put("late", np.float64(components.combined), size.key, seed)
    found.save(artifacts.result(scale, paper, study, "pca", variant))


def late_layers(found, key) -> tuple:
    """Layers of the last two stages of a residual network; none for another one."""
    if not found.has("stage", key):
        return ()
    layers, stages = found.get("layers", key), found.get("stage", key)
    return tuple(
        layers[np.isin(stages, np.unique(stages)[-3:-1])]
    )  # the last number is that of pool, flatten and logits


if __name__ == "__main__":
    main(*sys.argv[1:])
