"""CKA of all layers of each network, and its block: `python -m stages.cka <study> <net> <set> <scale> <variant>`.

Nguyen et al., section 4; where the study says so, also with every layer's first principal component removed (section 5.1).
"""
import sys

import numpy as np

from stages import declared_params, running, stage
from stages.members import examples, families
from stages.study import caps_of
from wide import artifacts
from wide.measure.blocks import block_fraction, checkerboard
from wide.measure.cka import streamed_cka


@stage
def main(study: str, net: str, data: str, scale: str, variant: str):
    params = declared_params()
    caps, settings = caps_of(params, study, scale, "measure"), params["nguyen"]["cka"]
    images, _ = examples(scale, data, params[study]["test"], params[study]["labels"], caps.get("points"))
    options = {"batch": min(settings["batch"], len(images)), "passes": min(settings["passes"], caps.get("passes", settings["passes"])),
               "seed": settings["seed"], "gram_precision": settings["gram_precision"]}
    removed = variant in params[study]["measure"]["cka"]["removed"]
    sizes = families(artifacts.population(scale, study, variant), net, images.shape[1:])
    chosen = {family.key: family.members(caps.get("networks")) for family in sizes}
    found = {"images": np.int64(len(images))}
    with running.bar(sum(map(len, chosen.values())) * (1 + removed), f"{study} {variant}: CKA", "net") as bar:
        for family in sizes:
            found |= family.described(chosen[family.key])
            post = found[f"{family.key}/post"]
            for index, seed in chosen[family.key]:
                for name in ["cka"] + ["removed"] * removed:
                    similarity = streamed_cka([family.forward(index)], family.view(images), remove_first_pc=name == "removed", **options)
                    found |= {f"{family.key}/{seed}/{key}": value for key, value in of_matrix(name, similarity.between(), post).items()}
                    bar.update()
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
