"""CKA of all layers of each network, and its block: `python -m stages.cka <study> <net> <set> <scale> <variant>`.

Nguyen et al., section 4; where the study says so, also with every layer's first principal component removed (section 5.1).
"""
import sys

import numpy as np

from stages import stage
from stages.members import Measurement
from wide import artifacts
from wide.measure.blocks import block_fraction, checkerboard
from wide.measure.cka import streamed_cka


@stage
def main(study: str, net: str, data: str, scale: str, variant: str):
    todo = Measurement.of(study, net, data, scale, variant)
    found, caps, settings = todo.found, todo.caps, todo.params["nguyen"]["cka"]
    options = {"batch": min(settings["batch"], len(todo.images)), "passes": min(settings["passes"], caps.get("passes", settings["passes"])),
               "seed": settings["seed"], "gram_precision": settings["gram_precision"]}
    names = ["cka"] + ["removed"] * (variant in todo.params[study]["measure"]["cka"]["removed"])
    for family, networks in todo.sizes(f"{study} {variant}: CKA"):
        post = found[f"{family.key}/post"]
        for seed, network in networks:
            for name in names:
                similarity = streamed_cka([network], family.view(todo.images), remove_first_pc=name == "removed", **options)
                found |= {f"{family.key}/{seed}/{key}": value for key, value in of_matrix(name, similarity.between(), post).items()}
    found["batches"] = np.int64(similarity.batches)
    artifacts.save_result(artifacts.result(scale, study, "cka", variant), found)


def of_matrix(name, cka, post) -> dict:
    """The matrix, rounded to half precision (5e-4), and the numbers of its structure, which are taken before rounding."""
    numbers = {name: cka.filled(np.nan).astype(np.float16), "block" if name == "cka" else "removed_block": np.array(block_fraction(cka))}
    if name == "cka" and post.sum() > 1:
        numbers["block_post"] = np.array(block_fraction(cka[np.ix_(post, post)]))
        numbers["checkerboard"] = np.float64(checkerboard(cka, post))
    return numbers


if __name__ == "__main__":
    main(*sys.argv[1:])
