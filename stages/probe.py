"""Linear probes before and after each residual addition: `python -m stages.probe <paper> <study> <variant>
<scale>`.

Nguyen et al. 2021, figure 4. Probes learn from the network's own training images, augmented as in its
training.
"""

import sys
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from pipeline import devices, scratch
from pipeline.bounds import Count, Positive, at_least, below
from pipeline.lanes import side_by_side
from pipeline.lifetime import stage
from pipeline.measurement import Measurement, examples
from pipeline.parameters import declared
from pipeline.plan import plan
from wide import artifacts
from wide.measure.probe import train_probes
from wide.measure.residual import residual
from wide.training.augmentation import Augment
from wide.training.population import prepare_inputs
from wide.training.randomness import epoch_draws


@dataclass(frozen=True)
class Settings:
    """pool: features are averaged over squares of so many pixels. evaluations: of which the best counts.

    networks: members of a size that are probed.
    """

    batch: Annotated[int, at_least(2)]
    epochs: Count
    lr: Positive
    momentum: Annotated[float, below(1)]
    pool: Count
    evaluations: Count
    networks: Count
    augment: Augment

    def refuse(self, trial):
        """Raise ValueError for networks and images that cannot be probed like this."""
        built, shrunk = residual(trial.net), trial.image[1] / trial.stored[1]
        replace(self.augment, crop=round(self.augment.crop * shrunk)).check(trial.image)
        smallest = min((side for layer in built.adds for side in trial.shapes[layer][1:]), default=self.pool)
        if smallest < self.pool:
            raise ValueError(f"pool is {self.pool}; it must be at most {smallest}, the smallest map's side")


@stage
def main(paper: str, study: str, variant: str, scale: str):
    params = declared()
    setting = paper, study, variant, scale, params
    probing = Probing(*setting)
    most = probing.todo.settings["networks"]
    found, sizes = probing.todo.described(most), probing.todo.variant.sizes
    for size in sizes:
        put_places(found, size.key, residual(size.build()))
    pieces = {
        f"{size.key} seed {seed}": (row, index)
        for row, size in reversed(list(enumerate(sizes)))
        for index, seed in size.members(most)
    }
    with scratch.bar(probing.views * len(pieces), f"{study} {variant}: probes") as bar:
        done = side_by_side(Probing.probe, pieces, bar, (Probing, *setting))
    for size in sizes:
        for _, seed in size.members(most):
            found.put_all(done[f"{size.key} seed {seed}"], size.key, seed)
    found.save(artifacts.result(scale, paper, study, "probe", variant))


class Probing:
    """The networks of a variant, their test images, and what they were trained on.

    Each process that trains probes makes one of its own. total: minibatches that each network's probes learn
    from. views: images in them.
    """

    def __init__(self, paper, study, variant, scale, params: dict):
        self.todo = Measurement.of("probe", paper, study, variant, scale, params=params)
        self.batch = self.total = self.views = 0
        if self.todo.variant.sizes:  # none where the scale leaves the variant out
            self.train, self.labels = training_examples(params, study, variant, scale, self.todo.variant)
            self._count()

    def _count(self):
        settings = self.todo.settings
        self.batch = min(settings["batch"], len(self.train))
        total = settings["epochs"] * (len(self.train) // self.batch)
        most = self.todo.caps.get("views", total * self.batch) // self.batch
        self.total = max(1, min(total, most))
        self.views = self.total * self.batch

    def probe(self, row: int, index: int, advance) -> dict:
        """Best accuracies of the probes of a member, before and after all residual additions."""
        size, settings = self.todo.variant.sizes[row], self.todo.settings["augment"]
        crop = round(settings["crop"] * size.image[1] / self.train.shape[2])
        shown = batches(
            size.view(self.train),
            self.labels,
            Augment(**{**settings, "crop": crop}),
            self.batch,
            self.total,
            advance,
        )
        best = probed(size.forward(index), shown, residual(size.build()), size, self.todo, self.total)
        before, after = np.split(best, 2)
        return {"before": before, "after": after}


def put_places(found, key, built):
    """Where in the network's layers the probes stand."""
    for place, layers in (("before", built.before_adds), ("after", built.adds)):
        found.put(f"index_{place}", np.array([built.layers.index(layer) for layer in layers]), key)


def probed(network, shown, built, size, todo, total):
    """Best accuracies of the probes before all residual additions, then after them."""
    options = {name: todo.settings[name] for name in ("lr", "momentum", "evaluations", "pool")}
    return train_probes(
        network,
        shown,
        [*built.before_adds, *built.adds],
        size.fact["classes"],
        prepare_inputs(size.view(todo.images)),
        todo.labels.to(devices.device()),
        total=total,
        **options,
    )


def training_examples(params, study, variant, scale, networks):
    """What the networks themselves were trained on, at the size of the data set's images; labels are true."""
    images, labels = examples(scale, networks.set, "train", networks.labels)
    todo = plan(params[study], variant, scale, params["scales"][scale]["train"], 1, None)
    kept = todo.kept(labels.numpy())
    drawn = todo.drawn(labels.numpy()[kept], networks.sizes[0].fact["classes"])
    kept = kept[todo.held_out(drawn)[0]]
    return images[kept], labels[kept]


def batches(images, labels, augment, batch, total, advance):
    """Minibatches (images float in [0, 1], labels), augmented, in a new order each pass."""
    a_pass, labels = len(images) // batch, labels.to(images.device)
    for step in range(total):
        if step % a_pass == 0:
            order, numbers = epoch_draws(0, step // a_pass, len(images), augment.numbers)
        here = slice(step % a_pass * batch, (step % a_pass + 1) * batch)
        index = order[here].to(images.device)
        x = prepare_inputs(images[index])
        yield (x if numbers is None else augment(x, numbers[here].to(images.device))), labels[index]
        advance(batch)


if __name__ == "__main__":
    main(*sys.argv[1:])
