"""Made-up results of Gilboa & Gur-Ari on which every claim holds, and what changes one number of them."""

import copy

import numpy as np
from judging import judge

from pipeline.cells import Cells
from pipeline.claims import Estimate

SEEDS = np.array([-0.001, 0.0, 0.001])  # three seeds around their mean
SPREAD = 0.005  # of classes, folds and icons around their mean
FLOORS = {("mnist", "base"): 0.92, ("translated", "base"): 0.85, ("cifar", "base"): 0.4}
FLOORS |= {("shift", "base"): 0.5, ("coarse", "base"): 0.6}


def around(mean, count=10, side=1):
    """Values with that mean. side: 0 for equal ones, -1 for a spread the other way round."""
    return mean + side * SPREAD * np.linspace(-1, 1, count)


STANDARD_ERROR = Estimate.of(around(0)).se


def net(width, accuracy, side, folds=(), **classes):
    """What `structure` says of a network. classes: means of its numbers a class; folds: those with five."""
    values = {name: around(mean, 5 if "folds" in name else 10, side) for name, mean in classes.items()}
    facts = {"width": width, "units": width, "epochs": 100, "zero_fraction": 0.5}
    return {**facts, "test_accuracy": [accuracy], **values}


def judged_icons(icons, neurons):
    return {"icons_cosine": icons, "neurons_cosine": neurons}


def transfer(widths, original, tuned, linear):
    return {
        "width": np.array(widths),
        "inputs": np.int64(784),
        "depth": np.zeros(len(widths)),
        "original": rows(np.full(len(widths), original)),
        "tuned": rows(tuned),
        "linear": linear - SEEDS,
    }


def rows(means):
    """(widths, seeds) around the means."""
    return np.array(means, float)[:, None] + SEEDS


JUDGE = {"real_cosine": around(0.93), "noise_cosine": around(0.55), "smooth_noise_cosine": around(0.60)}
NARROW, WIDE = judged_icons(0.90, 0.85), judged_icons(0.90, 0.60)
DEEP, CONVOLUTIONS = [271, 456, 720, 931, 2000], [16, 64, 256, 1024]

RESULTS = {
    "mnist": {
        "w20": net(20, 0.990, 0, purity_classes=0.97, clusters=1, silhouette_classes=0.6, **NARROW),
        "w2048": net(2048, 0.990, 1, purity_classes=0.98, clusters=2, silhouette_classes=0.7, **WIDE),
        **JUDGE,
    },
    "translated": {
        "w20": net(20, 0.960, 0, shift_r2=0.2, shift_r2_equal=0.2, annulus=0.3, **NARROW),
        "w2048": net(2048, 0.968, 1, shift_r2=0.8, shift_r2_equal=0.6, annulus=0.9, **WIDE),
        **JUDGE,
    },
    "translated_untrained": {
        "w20": net(20, 0.1, 0, shift_r2=0.85, shift_r2_equal=0.85, annulus=0.1),
        "w2048": net(
            2048, 0.1, 1, shift_r2=0.86, shift_r2_equal=0.85, annulus=0.1, **judged_icons(0.30, 0.30)
        ),
    },
    "cifar": {
        "w64": net(
            64, 0.82, 0, colour_r2_folds=0.2, colour_r2_equal_folds=0.2, mirror_odd_folds=0.01,
            mirror_odd_equal_folds=0.01, purity_classes=0.7, colour_neighbours_classes=0.85, **NARROW,
        ),
        "w2048": net(
            2048, 0.82, 1, colour_r2_folds=0.5, colour_r2_equal_folds=0.4, mirror_odd_folds=0.2,
            mirror_odd_equal_folds=0.1, purity_classes=0.8, colour_neighbours_classes=0.8, **WIDE,
        ),
        **JUDGE,
    },
    "cifar_untrained": {
        "w64": net(
            64, 0.1, 0, colour_r2_folds=0.7, colour_r2_equal_folds=0.7, mirror_odd_folds=0.01,
            mirror_odd_equal_folds=0.01,
        ),
        "w2048": net(
            2048, 0.1, 1, colour_r2_folds=0.7, colour_r2_equal_folds=0.7, mirror_odd_folds=0.01,
            mirror_odd_equal_folds=0.01,
        ),
    },
    "cifar_untrained512": {
        "w512": net(
            512, 0.1, -1, purity_classes=0.2, colour_neighbours_classes=0.5, **judged_icons(0.30, 0.30)
        ),
        **JUDGE,
    },
    "pixels": {"w784": net(784, 0.1, -1, purity_classes=0.9, clusters=1, silhouette_classes=0.3)},
    "shift": transfer(DEEP, 0.99, [0.80, 0.86, 0.905, 0.915, 0.93], 0.908),
    "shift_untrained": transfer(DEEP, 0.04, [0.30, 0.295, 0.29, 0.29, 0.29], 0.908),
    "coarse": transfer(CONVOLUTIONS, 0.8, [0.30, 0.36, 0.42, 0.45], 0.370),
    "coarse_untrained": transfer(CONVOLUTIONS, 0.33, [0.30, 0.29, 0.28, 0.27], 0.370),
}  # fmt: skip


def arrays(result):
    """A result as its file holds it."""
    found = Cells()
    for name, value in result.items():
        found.put_all(value, name) if isinstance(value, dict) else found.put(name, value)
    return found.arrays


def judged(results, floors=None, trainings=None, **settings) -> list:
    """Every claim, on results by "study" or "study_variant".

    trainings: {study: accuracies by width}, NaN for a network that diverged.
    """
    files = {}
    for study, accuracies in (trainings or {}).items():
        sizes = {
            f"w{width}": {"width": width, "test_accuracy": [value]} for width, value in accuracies.items()
        }
        files[study, "training", "base"] = arrays(sizes)
    for name, result in results.items():
        study, _, variant = name.partition("_")
        measure = "transfer" if study in ("shift", "coarse") else "structure"
        files[study, measure, variant or "base"] = arrays(result)
    return judge("gilboa", files, floors=FLOORS if floors is None else floors, **settings)


def claims(results, figure, words, **settings) -> list:
    """Those of a figure whose statement has these words."""
    found = judged(results, figures=[f"gilboa_{figure}"], **settings)
    return [claim for claim in found if words in claim.statement]


def claim(results, figure, words, number=0, **settings):
    return claims(results, figure, words, **settings)[number]


def with_(place, value, results=RESULTS):
    """The results with another value at "result.size.name" or "result.name".

    A number stands for the mean of a list that keeps its spread, or for the mean accuracies that keep theirs.
    """
    results = copy.deepcopy(results)
    *path, last = place.split(".")
    inner = results
    for key in path:
        inner = inner[key]
    inner[last] = moved(inner[last], value, last)
    return results


def moved(old, value, name):
    if name == "test_accuracy":
        return [value]
    if name in ("original", "tuned"):
        return rows(value)
    if np.ndim(old) == 0 or np.ndim(value):
        return value
    return np.asarray(old) - np.mean(old) + value
