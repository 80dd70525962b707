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
from pipeline.lifetime import stage
from pipeline.measurement import Measurement, examples
from pipeline.plan import plan
from wide import artifacts
from wide.measure.probe import train_probes
from wide.measure.residual import residual
from wide.training.augmentation import Augment
from wide.training.population import prepare_inputs
from wide.training.randomness import epoch_draws


@dataclass(frozen=True)
class Settings:
    """pool: features are averaged over squares of so many pixels. evaluations: of which the best counts."""

    batch: Annotated[int, at_least(2)]
    epochs: Count
    lr: Positive
    momentum: Annotated[float, below(1)]
    pool: Count
    evaluations: Count
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
    todo = Measurement.of("probe", paper, study, variant, scale, most=1)
    settings = todo.settings
    train, labels = training_examples(todo.params, study, variant, scale, todo.variant)
    batch = min(settings["batch"], len(train))
    total = settings["epochs"] * (len(train) // batch)
    total = max(1, min(total, todo.caps.get("views", total * batch) // batch))
    with scratch.bar(total * len(todo.variant.sizes), f"{study} {variant}: probes", "batch") as bar:
        for size, networks in todo.sizes():
            built = residual(size.build())
            put_places(todo.found, size.key, built)
            crop = round(settings["augment"]["crop"] * size.image[1] / train.shape[2])
            augment = Augment(**{**settings["augment"], "crop": crop})
            for seed, network in networks:
                shown = batches(size.view(train), labels, augment, batch, total, bar)
                best = probed(network, shown, built, size, todo, total)
                before, after = np.split(best, 2)
                todo.found.put("before", before, size.key, seed)
                todo.found.put("after", after, size.key, seed)
    todo.found.save(artifacts.result(scale, paper, study, "probe", variant))


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


def batches(images, labels, augment, batch, total, bar):
    """Minibatches (images float in [0, 1], labels), augmented, in a new order each pass."""
    a_pass, labels = len(images) // batch, labels.to(images.device)
    for step in range(total):
        if step % a_pass == 0:
            order, numbers = epoch_draws(0, step // a_pass, len(images), augment.numbers)
        here = slice(step % a_pass * batch, (step % a_pass + 1) * batch)
        index = order[here].to(images.device)
        x = prepare_inputs(images[index])
        yield (x if numbers is None else augment(x, numbers[here].to(images.device))), labels[index]
        bar.update()


if __name__ == "__main__":
    main(*sys.argv[1:])
