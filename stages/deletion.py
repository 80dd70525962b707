"""Accuracy without residual blocks: `python -m stages.deletion <study> <net> <set> <scale> <variant>`.

Nguyen et al., section 5.2, figure 5: blocks go one by one from the end of each stage, their shortcuts stay.
"""
import sys

import numpy as np

from stages import stage
from stages.members import Measurement
from wide import artifacts
from wide.measure.deletion import deletion_accuracies


@stage
def main(study: str, net: str, data: str, scale: str, variant: str):
    todo = Measurement.of(study, net, data, scale, variant)
    found = todo.found
    for family, networks in todo.sizes(f"{study} {variant}: deletion"):
        built = family.build()
        last = [built.layers.index(f"{name}.{built.blocks[name].layers[-1]}") for name in built.deletable]
        stages = [built.stage_of(built.layers[position]) for position in last]
        found |= {f"{family.key}/blocks": np.array(built.deletable), f"{family.key}/index": np.array(last),
                  f"{family.key}/block_stage": np.array(stages)}
        for seed, network in networks:
            full, deleted = deletion_accuracies(lambda x, skip: network(x, skip=skip), family.view(todo.images), todo.labels,
                                                built.deletable, stages)
            found |= {f"{family.key}/{seed}/full": np.float64(full), f"{family.key}/{seed}/deleted": deleted}
    artifacts.save_result(artifacts.result(scale, study, "deletion", variant), found)


if __name__ == "__main__":
    main(*sys.argv[1:])
