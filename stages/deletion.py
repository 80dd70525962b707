"""Accuracy without residual blocks: `python -m stages.deletion <study> <net> <set> <scale> <variant>`.

Nguyen et al., section 5.2, figure 5: blocks go one by one from the end of each stage, their shortcuts stay.
"""
import sys

import numpy as np

from stages import declared_params, running, stage
from stages.members import examples, families
from stages.study import caps_of
from wide import artifacts
from wide.measure.deletion import deletion_accuracies


@stage
def main(study: str, net: str, data: str, scale: str, variant: str):
    params = declared_params()
    caps = caps_of(params, study, scale, "measure")
    images, labels = examples(scale, data, params[study]["test"], params[study]["labels"], caps.get("points"))
    sizes = families(artifacts.population(scale, study, variant), net, images.shape[1:])
    found = {"images": np.int64(len(images))}
    with running.bar(sum(len(family.members(caps.get("networks"))) for family in sizes), f"{study} {variant}: deletion", "net") as bar:
        for family in sizes:
            members, built = family.members(caps.get("networks")), family.build()
            found |= family.described(members)
            last = [built.layers.index(f"{name}.{built.blocks[name].layers[-1]}") for name in built.deletable]
            stages = [built.stage_of(built.layers[position]) for position in last]
            found |= {f"{family.key}/blocks": np.array(built.deletable), f"{family.key}/index": np.array(last),
                      f"{family.key}/block_stage": np.array(stages)}
            for index, seed in members:
                call = family.forward(index)
                full, deleted = deletion_accuracies(lambda x, skip: call(x, skip=skip), family.view(images), labels, built.deletable, stages)
                found |= {f"{family.key}/{seed}/full": np.float64(full), f"{family.key}/{seed}/deleted": deleted}
                bar.update()
    artifacts.save_result(artifacts.result(scale, study, "deletion", variant), found)


if __name__ == "__main__":
    main(*sys.argv[1:])
