"""What the layers of each network have in common: `python -m stages.cka <paper> <study> <variant> <scale>`.

Nguyen et al. 2021. CKA of all pairs of layers and its block, section 4; where the study says so, also with
every layer's first principal component removed, the components themselves, in example space (5.1, figure
D.5), and how often ReLU units are active (figure D.8). All from the same forward passes of a network. Results
are cka/<variant>, pca/<variant> and sparsity/<variant>.
"""

import sys
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import numpy as np

from pipeline.bounds import DISTINCT, Count, Named, Seed, at_least
from pipeline.lifetime import stage
from pipeline.measurement import Measurement
from wide import artifacts
from wide.measure.blocks import block_fraction, checkerboard
from wide.measure.pca import squared_cosines
from wide.measure.shared import layers_of

WORTH = 8  # images of a training: what measuring an image takes, Gram matrices and their eigenvectors


@dataclass(frozen=True)
class Settings:
    """batch: images a minibatch. passes over them. gram_precision: of the Gram matrices' products.

    iterations: of the Krylov method at most, where there are too many images for whole Gram matrices.
    """

    batch: Annotated[int, at_least(4)]
    passes: Count
    seed: Seed
    gram_precision: Literal["float32", "bf16"]
    iterations: Count = 40

    def refuse(self, trial):
        """Raise ValueError for too few images."""
        if trial.examples < 4:
            raise ValueError(f"{trial.examples} images are measured; points must be 4 or more")


@dataclass(frozen=True)
class OfStudy:
    """removed: variants that are also measured without each layer's first principal component.

    components, sparsity: whether all variants have a result pca, and one sparsity.
    """

    removed: Annotated[list[Annotated[str, Named("variants")]], DISTINCT]
    components: bool = False
    sparsity: bool = False


@stage
def main(paper: str, study: str, variant: str, scale: str):
    todo = Measurement.of("cka", paper, study, variant, scale)
    found = {"cka": todo.described()}
    if todo.own.get("components"):
        found["pca"] = todo.described()
    if todo.own.get("sparsity"):
        found["sparsity"] = put_relus(todo.described(), todo.variant.sizes)
    todo.settings["batch"] = min(todo.settings["batch"], len(todo.images))
    measure = partial(of_network, removed=variant in todo.own["removed"])
    work = WORTH * len(todo.images) * todo.settings["passes"]
    for size, seed, values in todo.each(measure, f"{study} {variant}: CKA", lambda size: work):
        for name, cells in found.items():
            cells.put_all(values.get(name, {}), size.key, seed)
    a_pass = len(todo.images) // todo.settings["batch"]
    found["cka"].put("batches", np.int64(a_pass * todo.settings["passes"]))
    for name, cells in found.items():
        cells.save(artifacts.result(scale, paper, study, name, variant))


def of_network(todo, size, index, advance, removed) -> dict:
    """{measure: {name: value}} of a member."""
    built, settings = size.build(), {**todo.settings, "batch": min(todo.settings["batch"], len(todo.images))}
    late = late_layers(built)
    measured = layers_of(
        size.forward(index),
        size.view(todo.images),
        removed=removed,
        components=bool(todo.own.get("components")),
        together=late,
        units=built.units if todo.own.get("sparsity") else (),
        **settings,
    )
    advance(WORTH * len(todo.images) * settings["passes"])
    values = {"cka": of_matrices([each.between() for each in measured.similarities], built)}
    if measured.components:
        values["pca"] = of_components(measured.components, late)
    if measured.usage:
        values["sparsity"] = {
            name: getattr(measured.usage, name) for name in ("histogram", "nonzero", "between")
        }
    return values


def of_matrices(matrices, built) -> dict:
    """The matrices, rounded to half precision (5e-4), and the numbers of their structure, which are taken
    before rounding.
    """
    numbers = {}
    for name, block, cka in zip(("cka", "removed"), ("block", "removed_block"), matrices):
        numbers |= {name: cka.filled(np.nan).astype(np.float16), block: np.array(block_fraction(cka))}
    post = np.isin(built.layers, getattr(built, "post_residual", []))
    if post.sum() > 1:
        numbers["block_post"] = np.array(block_fraction(matrices[0][np.ix_(post, post)]))
        numbers["checkerboard"] = np.float64(checkerboard(matrices[0], post))
    return numbers


def of_components(components, late) -> dict:
    """Shares, squared cosines, and how well the components are known; of the last two stages together."""
    numbers = {
        "fraction": components.fraction,
        "cosine2": squared_cosines(components.first).astype(np.float16),
        "residual": components.residual.astype(np.float32),
        "gap": components.gap.astype(np.float32),
    }
    return numbers | ({"late": np.float64(components.combined)} if late else {})


def late_layers(built) -> tuple:
    """Layers of the last two stages of a residual network; none for another one."""
    if not hasattr(built, "stage_of"):
        return ()
    stages = np.array([built.stage_of(layer) for layer in built.layers])
    last = np.unique(stages)[-3:-1]  # the last number is that of pool, flatten and logits
    return tuple(np.array(built.layers)[np.isin(stages, last)].tolist())


def put_relus(found, sizes):
    """The result with the places of the ReLUs among each size's layers."""
    for size in sizes:
        layers, units = found.get("layers", size.key), size.build().units
        found.put("relus", np.flatnonzero(np.isin(layers, units)), size.key)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
