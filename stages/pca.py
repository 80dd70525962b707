"""First principal components of all layers of each network: `python -m stages.pca <study> <net> <set> <scale> <variant>`.

Nguyen et al., section 5.1: in example space, over all test images measured; and of the last two stages together (figure D.5).
"""
import sys

import numpy as np

from stages import stage
from stages.members import Measurement
from wide import artifacts
from wide.measure.pca import first_components, squared_cosines


@stage
def main(study: str, net: str, data: str, scale: str, variant: str):
    todo = Measurement.of(study, net, data, scale, variant)
    found, options = todo.found, todo.params["nguyen"]["pca"]
    for family, networks in todo.sizes(f"{study} {variant}: first components"):
        layers, stages = found[f"{family.key}/layers"], found[f"{family.key}/stage"]
        late = np.isin(stages, np.unique(stages)[-3:-1])  # the last stage number is that of pool, flatten and logits
        for seed, network in networks:
            components = first_components(network, family.view(todo.images), together=tuple(layers[late]), **options)
            found |= {f"{family.key}/{seed}/fraction": components.fraction, f"{family.key}/{seed}/late": np.float64(components.combined),
                      f"{family.key}/{seed}/cosine2": squared_cosines(components.first).astype(np.float16)}
    artifacts.save_result(artifacts.result(scale, study, "pca", variant), found)


if __name__ == "__main__":
    main(*sys.argv[1:])
