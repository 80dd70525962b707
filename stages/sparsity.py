"""How often units of the ReLU layers are active: `python -m stages.sparsity <study> <net> <set> <scale> <variant>`.

Nguyen et al., figure D.8.
"""
import sys

import numpy as np

from stages import declared_params, stage
from stages.members import examples, families
from stages.study import caps_of
from wide import artifacts
from wide.measure.sparsity import relu_usage


@stage
def main(study: str, net: str, data: str, scale: str, variant: str):
    params = declared_params()
    caps = caps_of(params, study, scale, "measure")
    images, _ = examples(scale, data, params[study]["test"], params[study]["labels"], caps.get("points"))
    found = {"images": np.int64(len(images))}
    for family in families(artifacts.population(scale, study, variant), net, images.shape[1:]):
        members, relus = family.members(1), family.build().relus
        found |= family.described(members)
        found[f"{family.key}/relus"] = np.flatnonzero(np.isin(found[f"{family.key}/layers"], relus))
        for index, seed in members:
            usage = relu_usage(family.forward(index), family.view(images), relus)
            found |= {f"{family.key}/{seed}/{name}": getattr(usage, name) for name in ("histogram", "nonzero", "between")}
    artifacts.save_result(artifacts.result(scale, study, "sparsity", variant), found)


if __name__ == "__main__":
    main(*sys.argv[1:])
