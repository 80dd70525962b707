"""CKA of all layers of each network, and its block: `python -m stages.cka <paper> <study> <variant> <scale>`.

Nguyen et al. 2021, section 4; where the study says so, also with every layer's first principal component
removed (5.1).
"""

import sys
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from pipeline.bounds import DISTINCT, Count, Named, Seed, at_least
from pipeline.lifetime import stage
from pipeline.measurement import Measurement
from wide import artifacts
from wide.measure.blocks import block_fraction, checkerboard
from wide.measure.cka import streamed_cka


@dataclass(frozen=True)
class Settings:
    """batch: images a minibatch. passes over them. gram_precision: of the Gram matrices' products."""

    batch: Annotated[int, at_least(4)]
    passes: Count
    seed: Seed
    gram_precision: Literal["float32", "bf16"]

    def refuse(self, trial):
        """Raise ValueError for too few images."""
        if trial.examples < 4:
            raise ValueError(f"{trial.examples} images are measured; points must be 4 or more")


@dataclass(frozen=True)
class OfStudy:
    """removed: variants that are also measured without each layer's first principal component."""

    removed: Annotated[list[Annotated[str, Named("variants")]], DISTINCT]


@stage
def main(paper: str, study: str, variant: str, scale: str):
    todo = Measurement.of("cka", paper, study, variant, scale)
    found, settings = todo.found, todo.settings
    options = {**settings, "batch": min(settings["batch"], len(todo.images))}
    names = ["cka"] + ["removed"] * (variant in todo.own["removed"])
    for size, networks in todo.sizes(f"{study} {variant}: CKA"):
        post = found.get("post", size.key) if found.has("post", size.key) else None
        images = size.view(todo.images)
        for seed, network in networks:
            for name in names:
                similarity = streamed_cka([network], images, remove_first_pc=name == "removed", **options)
                found.put_all(of_matrix(name, similarity.between(), post), size.key, seed)
    found.put("batches", np.int64(similarity.batches))
    found.save(artifacts.result(scale, paper, study, "cka", variant))


def of_matrix(name, cka, post) -> dict:
    """The matrix, rounded to half precision (5e-4), and the numbers of its structure, which are taken before
    rounding.

    post: which layers follow a residual addition, None where the network has none.
    """
    block = "block" if name == "cka" else "removed_block"
    numbers = {name: cka.filled(np.nan).astype(np.float16), block: np.array(block_fraction(cka))}
    if name == "cka" and post is not None and post.sum() > 1:
        numbers["block_post"] = np.array(block_fraction(cka[np.ix_(post, post)]))
        numbers["checkerboard"] = np.float64(checkerboard(cka, post))
    return numbers


if __name__ == "__main__":
    main(*sys.argv[1:])
