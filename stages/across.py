"""CKA between networks: seeds of one architecture, and architectures: `python -m stages.across <net> <set> <scale> <group>`.

Nguyen et al., section 6, figures 6 and E.1.
"""
import sys

import numpy as np

from stages import declared_params, stage
from stages.members import examples, families
from stages.study import caps_of
from wide import artifacts
from wide.measure.blocks import block_fraction
from wide.measure.cka import streamed_cka


@stage
def main(net: str, data: str, scale: str, group: str):
    params = declared_params()
    caps = caps_of(params, "nguyen_wide", scale, "measure")
    settings, across = params["nguyen"]["cka"], params["nguyen"]["across"]
    images, _ = examples(scale, data, "test", "class", caps.get("points"))
    networks, found, names = [], {}, []
    for part in across["groups"][group]:
        variant = part.get("variant") or across["variant"][scale]
        family = choose(families(artifacts.population(scale, part["study"], variant), net, images.shape[1:]), part["size"])
        described = family.described(family.members(part["members"]))
        for position, (index, seed) in enumerate(family.members(part["members"])):
            prefix = len(networks)
            networks.append(family.forward(index))
            names.append(f"ResNet-{family.fact['options']['depth']} ({family.fact['width']:g}x) seed {seed}")
            found |= {f"{prefix}/{key}": described[f"{family.key}/{key}"] for key in ("layers", "post", "stage")}
            found[f"{prefix}/accuracy"] = described[f"{family.key}/accuracy"][position]
    similarity = streamed_cka(networks, family.view(images), batch=min(settings["batch"], len(images)), seed=settings["seed"],
                              passes=min(settings["passes"], caps.get("passes", settings["passes"])), gram_precision=settings["gram_precision"])
    for row in range(len(networks)):
        found[f"{row}/block"] = np.array(block_fraction(similarity.between(row, row)))
        for column in range(row, len(networks)):
            found[f"{row}/{column}/cka"] = similarity.between(row, column).filled(np.nan).astype(np.float16)
    artifacts.save_result(artifacts.result(scale, "nguyen_across", "cka", group),
                          {**found, "names": np.array(names), "images": np.int64(len(images)), "batches": np.int64(similarity.batches)})


def choose(sizes, wanted):
    """The size with a key, or the largest that the scale keeps: of the key's own, where a cap has left it out, and for "last"."""
    return next((family for family in sizes if family.key == wanted), sizes[-1])


if __name__ == "__main__":
    main(*sys.argv[1:])
