"""How long activations are: `python -m stages.norms <paper> <study> <variant> <scale>`."""

import sys
from dataclasses import dataclass

from pipeline.bounds import Count
from pipeline.lifetime import stage
from pipeline.measurement import Measurement
from wide import artifacts
from wide.measure import norms


@dataclass(frozen=True)
class Settings:
    """batch: images a forward pass."""

    batch: Count


@stage
def main(paper: str, study: str, variant: str, scale: str):
    todo = Measurement.of("norms", paper, study, variant, scale)
    for size, networks in todo.sizes():
        for seed, network in networks:
            found = norms.mean_norms(network, size.view(todo.images), **todo.settings)
            todo.found.put("norms", list(found.values()), size.key, seed)
    todo.found.save(artifacts.result(scale, paper, study, "norms", variant))


if __name__ == "__main__":
    main(*sys.argv[1:])
