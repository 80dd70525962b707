"""How often units of the ReLU layers are active: `python -m stages.sparsity <study> <net> <set> <scale> <variant>`.

Nguyen et al., figure D.8.
"""
import sys

import numpy as np

from stages import stage
from stages.members import Measurement
from wide import artifacts
from wide.measure.sparsity import relu_usage


@stage
def main(study: str, net: str, data: str, scale: str, variant: str):
    todo = Measurement.of(study, net, data, scale, variant, most=1)
    found = todo.found
    for family, networks in todo.sizes(f"{study} {variant}: sparsity"):
        relus = family.build().relus
        found[f"{family.key}/relus"] = np.flatnonzero(np.isin(found[f"{family.key}/layers"], relus))
        for seed, network in networks:
            usage = relu_usage(network, family.view(todo.images), relus)
            found |= {f"{family.key}/{seed}/{name}": getattr(usage, name) for name in ("histogram", "nonzero", "between")}
    artifacts.save_result(artifacts.result(scale, study, "sparsity", variant), found)


if __name__ == "__main__":
    main(*sys.argv[1:])
