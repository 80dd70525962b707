"""Linear probes before and after each residual addition: `python -m stages.probe <study> <net> <set> <scale> <variant>`.

Nguyen et al., figure 4. Probes learn from the network's own training images, augmented as in its training.
"""
import sys

import numpy as np

from stages import running, stage
from stages.members import Measurement, examples
from stages.study import caps_of, plan
from wide import artifacts
from wide.augment import Augment
from wide.measure.probe import train_probes
from wide.population import prepare_inputs
from wide.train import epoch_draws


@stage
def main(study: str, net: str, data: str, scale: str, variant: str):
    todo = Measurement.of(study, net, data, scale, variant, most=1)
    found, own, settings = todo.found, todo.params[study], todo.params["nguyen"]["probe"]
    train, train_labels = training_examples(own, variant, caps_of(todo.params, study, scale, "train"), scale, data)
    batch = min(settings["batch"], len(train))
    total = settings["epochs"] * (len(train) // batch)
    total = max(1, min(total, todo.caps.get("views", total * batch) // batch))
    with running.bar(total * len(todo.families), f"{study} {variant}: probes", "batch") as bar:
        for family, networks in todo.sizes():
            built = family.build()
            augment = Augment(**{**settings["augment"], "crop": round(settings["augment"]["crop"] * family.image[1] / train.shape[2])})
            for place, layers in (("before", built.before_adds), ("after", built.adds)):
                found[f"{family.key}/index/{place}"] = np.array([built.layers.index(layer) for layer in layers])
            for seed, network in networks:
                shown = batches(family.view(train), train_labels, augment, batch, total, bar)
                best = train_probes(network, shown, [*built.before_adds, *built.adds], family.classes,
                                    prepare_inputs(family.view(todo.images)), todo.labels.to(running.device()), total=total,
                                    **{key: settings[key] for key in ("lr", "momentum", "evaluations", "pool")})
                found[f"{family.key}/{seed}/before"], found[f"{family.key}/{seed}/after"] = np.split(best, 2)
    artifacts.save_result(artifacts.result(scale, study, "probe", variant), found)


def training_examples(settings, variant, caps, scale, data):
    """What the networks themselves were trained on, at the size of the data set's images."""
    images, labels = examples(scale, data, "train", settings["labels"])
    kept = plan(settings, variant, caps, 1, 0, {}).kept(labels.numpy())
    return images[kept], labels[kept]


def batches(images, labels, augment, batch, total, bar):
    """Minibatches (images float in [0, 1], labels), augmented, in a new order each pass."""
    a_pass, labels = len(images) // batch, labels.to(images.device)
    for step in range(total):
        if step % a_pass == 0:
            order, numbers = epoch_draws(0, step // a_pass, len(images), augment.numbers)
        here = order[step % a_pass * batch:][:batch].to(images.device)
        x = prepare_inputs(images[here])
        yield (x if numbers is None else augment(x, numbers[step % a_pass * batch:][:batch].to(images.device))), labels[here]
        bar.update()


if __name__ == "__main__":
    main(*sys.argv[1:])
