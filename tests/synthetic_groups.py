"""Results of groups of networks on single images and classes, made up as stages/agreement.py leaves them."""

import numpy as np

from pipeline.cells import Cells
from wide import artifacts

DEEP, WIDE = (62, 1.0), (14, 2.0)  # depth and width
STAGE3 = [(50, 1.0), (83, 1.0), (50, 2.8)]


def groups(networks, members=4, examples=500):
    """Groups of networks [(depth, width), ...] that share what is hard and differ a little."""
    rng = np.random.default_rng(0)
    hard = rng.normal(3, 2.5, examples)
    found = Cells({"labels": np.arange(examples) % 20})
    for group, (depth, width) in enumerate(networks):
        own = 0.8 * rng.normal(size=examples) + 0.1 * group
        right = rng.random((members, examples)) < 1 / (1 + np.exp(own - hard))
        half = members // 2
        found.put("depth", np.int64(depth), group)
        found.put("width", np.float64(width), group)
        found.put("first", right[:half].mean(0), group)
        found.put("second", right[half : 2 * half].mean(0), group)
        found.put("networks", np.int64(members), group)
        found.put("accuracy", right.mean(1), group)
    return dispersed(found, len(networks))


def dispersed(found, count):
    """The same with the dispersions of its groups, so many."""
    apart = np.zeros((count, count))
    for a, b in np.ndindex(count, count):
        difference = found.get("first", a) - found.get("second", b)
        apart[a, b] = np.sqrt(np.mean(difference**2) / 2)
    found.put("dispersion", apart)
    found.put("dispersion_se", np.full_like(apart, 0.0012))
    return found


def halves(found, group, first, second):
    """Replace a group's accuracies on single images."""
    found.put("first", np.asarray(first, float), group)
    found.put("second", np.asarray(second, float), group)


def pair(members=4):
    """A deep and a wide architecture, and sixteen images on which they differ."""
    found = groups([DEEP, WIDE], members)
    images = np.random.default_rng(1).integers(0, 256, (16, 3, 16, 16)).astype(np.uint8)
    found.put("images", images, "shown")
    found.put("index", np.arange(16), "shown")
    found.put("first", np.r_[np.linspace(1, 0.8, 8), np.linspace(0, 0.2, 8)], "shown")
    found.put("second", np.r_[np.linspace(0.2, 0.4, 8), np.linspace(0.9, 0.7, 8)], "shown")
    found.put("p_mean", np.float64(0.467))
    return found


def imagenet(members=4, classes=20, names=False):
    """A usual, a deep and a wide network, their classes, models and synsets. names: of classes."""
    rng = np.random.default_rng(2)
    found = groups(STAGE3, members)
    deep = rng.uniform(0.3, 0.95, classes)
    by_class = {
        "deep": deep,
        "wide": deep + 0.03 * rng.normal(size=classes),
        "control_a": deep,
        "control_b": deep + 0.01 * rng.normal(size=classes),
        "p": np.r_[0.001, 0.04, np.full(classes - 2, 0.5)],
        "p_control": np.full(classes, 0.5),
    }
    if names:
        by_class["name"] = np.array([f"class number {index}" for index in range(classes)])
    found.put_all(by_class, "class")
    found.put_all({"aic": np.array([5000.4, 4900, 4950]), "v2": np.float64(0.123)}, "models")
    falls = {
        "fall": [100.4, -50],
        "fall_se": [9.0, 5],
        "control_fall": [-9.0, -70],
        "control_fall_se": [9.0, 5],
    }
    found.put_all({name: np.array(value) for name, value in falls.items()}, "models")
    found.put_all(synsets(), "synset")
    return found


def synsets():
    return {
        "name": np.array(["entity", "bird", "good", "good"]),
        "classes": np.array([200, 9, 7, 6]),
        "deep": np.array([0.5, 0.6, 0.7, 0.4]),
        "wide": np.array([0.51, 0.58, 0.7, 0.4]),
        "deep_se": np.full(4, 0.001),
        "wide_se": np.full(4, 0.002),
        "p": np.array([1, 5.1e-5, 0.0231, 0.5]),
        "p_control": np.array([1, 0.4, 0.5, 0.6]),
        "threshold": np.int64(5),
    }


def save(study, found, scale="quick"):
    found.save(artifacts.result(scale, "nguyen", study, "agreement", "groups"))


def save_training(study, variant, scale="quick", **measured):
    """What a training says of its sizes: {key: (width, accuracies)}."""
    found = {}
    for key, (width, accuracies) in measured.items():
        seeds = list(range(len(accuracies)))
        found[key] = {"width": width, "depth": 38, "seeds": seeds, "test_accuracy": accuracies}
    artifacts.save_numbers(artifacts.training(scale, "nguyen", study, variant), found)
