"""First principal components of all layers of each network: `python -m stages.pca <study> <net> <set> <scale> <variant>`.

Nguyen et al., section 5.1: in example space, over all test images measured; and of the last two stages together (figure D.5).
"""
import sys

import numpy as np

from stages import declared_params, running, stage
from stages.members import examples, families
from stages.study import caps_of
from wide import artifacts
from wide.measure.pca import first_components, squared_cosines


@stage
def main(study: str, net: str, data: str, scale: str, variant: str):
    params = declared_params()
    caps = caps_of(params, study, scale, "measure")
    images, _ = examples(scale, data, params[study]["test"], params[study]["labels"], caps.get("points"))
    sizes = families(artifacts.population(scale, study, variant), net, images.shape[1:])
    chosen = {family.key: family.members(caps.get("networks")) for family in sizes}
    found = {"images": np.int64(len(images))}
    with running.bar(sum(map(len, chosen.values())), f"{study} {variant}: first components", "net") as bar:
        for family in sizes:
            found |= family.described(chosen[family.key])
            layers, stages = found[f"{family.key}/layers"], found[f"{family.key}/stage"]
            late = np.isin(stages, np.unique(stages)[-3:-1])  # the last stage number is that of pool, flatten and logits
            for index, seed in chosen[family.key]:
                components = first_components(family.forward(index), family.view(images), together=tuple(layers[late]), **params["nguyen"]["pca"])
                found |= {f"{family.key}/{seed}/fraction": components.fraction, f"{family.key}/{seed}/late": np.float64(components.combined),
                          f"{family.key}/{seed}/cosine2": squared_cosines(components.first).astype(np.float16)}
                bar.update()
    artifacts.save_result(artifacts.result(scale, study, "pca", variant), found)


if __name__ == "__main__":
    main(*sys.argv[1:])
