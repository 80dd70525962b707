"""CKA between networks: `python -m stages.across <paper> <group> <scale> <study>`.

Of seeds or of architectures: Nguyen et al. 2021, section 6, figures 6 and E.1. In the result networks have
numbers; pairs of them have matrices. study: whose caps on measures hold.
"""

import sys
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from pipeline.bounds import Count, Named
from pipeline.caps import at_most, measure_caps
from pipeline.cells import Cells
from pipeline.lanes import one_thread
from pipeline.lifetime import stage
from pipeline.measurement import examples
from pipeline.networks import trained
from pipeline.parameters import declared
from wide import artifacts
from wide.measure.blocks import block_fraction
from wide.measure.cka import streamed_cka


@dataclass(frozen=True)
class Part:
    """Networks of a group: the first members of a size of a study's variant, by default the one shown.

    nearest: take the largest size that the scale keeps where it leaves this one out. A group that lacks a
    part is left out, since there is nothing to compare with.
    """

    study: Annotated[str, Named("studies")]
    size: str
    members: Count
    variant: str | None = None
    nearest: bool = False


@stage
def main(paper: str, group: str, scale: str, study: str):
    params = declared()
    caps = measure_caps(params, params[study], scale)
    settings = at_most(params["measures"]["cka"], caps)
    found, networks, sizes = Cells(), [], []
    parts = [Part(**part) for part in params["across"][group]]
    variants = [trained(scale, paper, part.study, part.variant or params["shown"][scale]) for part in parts]
    chosen = [choose(variant.sizes, part) for variant, part in zip(variants, parts, strict=True)]
    variant = variants[-1]
    for size, part in zip(chosen, parts) if all(chosen) else ():
        for index, seed in size.members(part.members):
            describe(found, len(networks), size, index, seed)
            networks.append(size.forward(index))
            sizes.append(size)
    images, _ = examples(scale, variant.set, variant.test, variant.labels, caps.get("points"))
    found.put("images", np.int64(len(images)))
    if networks:
        compare(found, networks, sizes[0].view(images), settings)
    found.save(artifacts.result(scale, paper, "across", "cka", group))


def compare(found, networks, images, settings):
    """Put the matrix of each pair of networks, and each one's block."""
    options = {name: settings[name] for name in ("passes", "seed", "gram_precision")}
    with one_thread():  # so that no number depends on how many there are
        batch = min(settings["batch"], len(images))
        similarity = streamed_cka(networks, images, batch=batch, **options)
    for row in range(len(networks)):
        found.put("block", np.array(block_fraction(similarity.between(row, row))), row)
        for column in range(row, len(networks)):
            matrix = similarity.between(row, column).filled(np.nan)
            found.put("cka", matrix.astype(np.float16), row, column)
    found.put("batches", np.int64(similarity.batches))


def describe(found, number, size, index, seed):
    """What is known of one network, at its number."""
    own = Cells()
    size.describe(own, [(index, seed)])
    for name in ("layers", "post", "stage", "width", "depth", "channels"):
        if own.has(name, size.key):
            found.put(name, own.get(name, size.key), number)
    found.put("seed", np.int64(seed), number)
    found.put("accuracy", own.get("accuracy", size.key)[0], number)


def choose(sizes, part: Part):
    """The size of a part, or the largest that the scale keeps for "last" and for `nearest`; None for none."""
    found = next((size for size in sizes if size.key == part.size), None)
    largest = sizes[-1] if sizes and (part.nearest or part.size == "last") else None
    return found or largest


if __name__ == "__main__":
    main(*sys.argv[1:])
