"""How often units are active: `python -m stages.sparsity <paper> <study> <variant> <scale>`.

Nguyen et al. 2021, figure D.8.
"""

import sys
from dataclasses import dataclass

import numpy as np

from pipeline.lifetime import stage
from pipeline.measurement import Measurement
from wide import artifacts
from wide.measure.sparsity import relu_usage


@dataclass(frozen=True)
class Settings:
    """None."""


@stage
def main(paper: str, study: str, variant: str, scale: str):
    todo = Measurement.of("sparsity", paper, study, variant, scale, most=1)
    found = todo.found
    for size, networks in todo.sizes(f"{study} {variant}: sparsity"):
        units, images = size.build().units, size.view(todo.images)
        found.put("relus", np.flatnonzero(np.isin(found.get("layers", size.key), units)), size.key)
        for seed, network in networks:
            usage = relu_usage(network, images, units)
            for name in ("histogram", "nonzero", "between"):
                found.put(name, getattr(usage, name), size.key, seed)
    found.save(artifacts.result(scale, paper, study, "sparsity", variant))


if __name__ == "__main__":
    main(*sys.argv[1:])
