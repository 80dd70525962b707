"""A linear classifier on fixed features: a last layer retrained, or a baseline on pixels."""

from pipeline import devices
from pipeline.nets import network
from wide.training.population import layer_outputs, member
from wide.training.train_population import train_population


def best_accuracy(
    features: dict, labels: dict, test: str, classes: int, recipe, seed: int, progress=None
) -> float:
    """Best test accuracy over the passes of a linear classifier, in [0, 1].

    features: {"train": (examples, units) float32, test: ...}; labels: the same of int64. test: the split that
    is tested on.
    """
    found = []

    def build():
        return network("mlp")(1, image=features["train"].shape[1:], classes=classes, depth=0)

    def measure(_, population):
        logits = layer_outputs(
            build(), member(population, 0), features[test], batch=5000, device=devices.device()
        )
        found.append((logits.argmax(1) == labels[test]).double().mean().item())

    population, _ = train_population(
        build,
        features["train"],
        labels["train"],
        recipe,
        [seed],
        device=devices.device(),
        half=False,
        progress=progress,
        each_epoch=measure,
    )
    measure(None, population)
    return max(found)
