"""Made-up results of Nguyen et al. on probes, deletion, sparsity, accuracies and predictions, in which all
claims hold, and ways to change them.

Single networks have 20 layers: input, one residual block in stages 1 and 3, four in stage 2, logits; a
residual block is a bn, an add and a ReLU. Results are arrays by name,
{(study, measure, variant): {name: value}}.
"""

from fnmatch import fnmatchcase

import numpy as np
from judging import entries

from pipeline.cells import Cells

LAYERS = np.array(
    [
        "input",
        *(
            f"stage{stage}.block{block}.{layer}"
            for stage, blocks in {1: 1, 2: 4, 3: 1}.items()
            for block in range(1, blocks + 1)
            for layer in ("bn2", "add", "relu2")
        ),
        "logits",
    ]
)
L, POST = len(LAYERS), np.char.endswith(LAYERS, "relu2")
NONE, SMALL, LARGE = (0, 0), (10, 16), (4, 16)
VARIED = (SMALL, LARGE, SMALL, LARGE, SMALL, LARGE)  # of six seeds
SIZES = {  # width, depth, blocks of seeds
    "wide": {"w1": (1, 38, [NONE] * 3), "w2": (2, 38, [NONE] * 3), "w10": (10, 38, VARIED)},
    "deep": {"d44": (1, 44, [NONE] * 3), "d110": (1, 110, VARIED)},
}
PLATEAU = {NONE: 0, SMALL: 2, LARGE: 3}
MEMBERS, EXAMPLES = 60, 1000


# --- single networks ------------------------------------------------------------------------------


def of_cka(limits):
    return {"block": np.array([(limits[1] - limits[0]) / L, *limits], float)}


def of_probe(limits):
    steady = np.linspace(0.3, 0.9, 6)
    after = np.array([0.3, 0.55, 0.54, 0.53, 0.52, 0.9]) if limits != NONE else steady
    inside = np.arange(L) >= limits[0] if limits != NONE else np.zeros(L, bool)
    gain = np.where(inside[np.flatnonzero(POST) - 1] & (np.arange(6) < 5), 0.05, -0.05)
    return {"before": after - gain, "after": after}


def of_deletion(limits):
    lost = np.where(np.arange(3, 0, -1) <= PLATEAU[limits], 0.01, 0.3)  # by deleting 3, 2 and 1 of stage 2
    return {"full": np.float64(0.9), "deleted": 0.9 - np.array([0.2, *lost])}


def of_sparsity(limits):
    inside = (np.arange(L) >= limits[0]) & (np.arange(L) < limits[1])
    return {"nonzero": np.where(inside[POST], 0.5, 0.45), "between": np.full(6, 0.6)}


OF_NETWORK = {"cka": of_cka, "probe": of_probe, "deletion": of_deletion, "sparsity": of_sparsity}
OF_SIZE = {
    "cka": {},
    "sparsity": {"relus": np.flatnonzero(POST)},
    "probe": {"index_before": np.flatnonzero(POST) - 2, "index_after": np.flatnonzero(POST) - 1},
    "deletion": {
        "blocks": np.array(["stage1.block1", "stage2.block2", "stage2.block3", "stage2.block4"]),
        "index": np.array([3, 9, 12, 15]),
        "block_stage": np.array([1, 2, 2, 2]),
    },
}


def single(study, measure):
    found = Cells({"images": np.int64(10_000)})
    for key, (width, depth, blocks) in SIZES[study].items():
        facts = {"layers": LAYERS, "post": POST, "channels": np.int64(16 * width), **OF_SIZE[measure]}
        seeds = range(len(blocks))
        found.describe(key, width=width, depth=depth, seeds=seeds, accuracy=[0.9] * len(blocks), **facts)
        for seed, limits in enumerate(blocks):
            found.put_all(OF_NETWORK[measure](limits), key, seed)
    return found.arrays


def untrained(measure):
    """Wide networks without training: no block, and where the trained ones have theirs, units are on more."""
    found = single("wide", measure)
    for name in found:
        if name.endswith("/accuracy"):
            found[name] = np.full(len(found[name]), np.nan)
        if name.endswith("/block"):
            found[name] = np.zeros(3)
        if name.endswith("/nonzero"):
            found[name] = np.where(found[name] == 0.5, 0.7, 0.4)
    return found


# --- groups of networks ---------------------------------------------------------------------------


def groups(networks, accuracies, truths):
    """Group g, (depth, width), is right with the probabilities truths[g], (EXAMPLES,)."""
    rng, found = np.random.default_rng(0), Cells({"labels": np.arange(EXAMPLES) % 10})
    for g, ((depth, width), accuracy, truth) in enumerate(zip(networks, accuracies, truths, strict=True)):
        for half in ("first", "second"):
            found.put(half, rng.binomial(MEMBERS // 2, truth) / (MEMBERS // 2), g)
        facts = {"depth": np.int64(depth), "width": np.float64(width), "networks": np.int64(MEMBERS)}
        found.put_all({**facts, "accuracy": accuracy + 0.001 * np.resize([-1.0, 1], MEMBERS)}, g)
    count = len(networks)
    first, second = ([found.get(half, g) for g in range(count)] for half in ("first", "second"))
    apart = [[np.sqrt(np.mean((a - b) ** 2) / 2) for b in second] for a in first]
    found.put("dispersion", np.array(apart))
    found.put("dispersion_se", np.full((count, count), 0.001))
    found.put_all(
        {f"{name}_mean": np.float64(value) for name, value in (("p", 0.4), ("t", 0.8), ("df", 199))}
    )
    return found


def truth(step=0):
    """Hard, middling and easy examples, easier with every step; sixty ever harder."""
    parts = [EXAMPLES // 4, EXAMPLES // 4, EXAMPLES // 2]
    found = np.repeat([0.1 + 0.002 * step, 0.6 + 0.05 * step, 0.96 + 0.004 * step], parts)
    found[300:360] = 0.7 - 0.08 * step
    return found


def swayed(step, by=0.3):
    """Every other middling example is easier, the others harder: the mean stays."""
    found = truth(step)
    found[360:500] += by * np.resize([1, -1], 140)
    return found


def growing(step):
    """Hard, middling and easy examples, of which the middling ones gain with every step; ten ever harder.

    Log-odds that rise alike would gain more among the hard ones.
    """
    parts = [EXAMPLES // 4, EXAMPLES // 4, EXAMPLES // 2]
    found = np.repeat([0.2 + 0.002 * step, 0.9 + 0.0128 * step, 0.99 + 0.001 * step], parts)
    found[300:310] = 0.7 - 0.08 * step
    return found


def of_pair():
    gap = np.repeat([0.6, -0.6], 8) + 0.01 * np.resize([1, -1], 16)
    found = groups([(62, 1), (14, 2)], [0.9409, 0.9408], [truth(), swayed(0)])
    found.put_all({"first": 0.5 + gap / 2, "second": 0.5 - gap / 2}, "shown")
    return found.arrays


SYNSETS = {  # wide minus deep
    "entity": 0.0,
    "structure": 0.0042,
    "commodity": -0.0042,
    "consumer_goods": -0.0041,
    "bird": -0.0021,
    "living_thing": -0.001,
    "organism": -0.001,
    "animal": -0.001,
    "dog": 0.0,
}


def few_significant(number):
    """p-values of 1000 classes."""
    return np.repeat([0.01, 0.5], [number, 1000 - number])


def of_imagenet():
    accuracies, truths = [0.7697, 0.7800, 0.7797], [truth(), swayed(1, 0.25), swayed(1, -0.25)]
    found = groups([(50, 1), (83, 1), (50, 2.8)], accuracies, truths)
    found.put_all({"p": few_significant(400), "p_control": few_significant(50)}, "class")
    models = {"aic": np.array([3.0e6, 2.9e6, 2.8e6]), "v2": np.float64(0.11)}
    models |= {"fall": np.array([1e5, 1e5]), "fall_se": np.array([1e3, 1e3])}
    models |= {"control_fall": np.array([-1e3, -1e4]), "control_fall_se": np.array([1e3, 1e3])}
    found.put_all(models, "models")
    gap = np.array(list(SYNSETS.values()))
    same = np.full(len(gap), 1.0)
    found.put_all({"name": np.array(list(SYNSETS)), "classes": np.full(len(gap), 60)}, "synset")
    found.put_all({"wide": 0.75 + gap, "deep": 0.75 * same}, "synset")
    found.put_all({"wide_se": 5e-4 * same, "deep_se": 5e-4 * same, "p_control": 0.5 * same}, "synset")
    found.put_all({"p": np.where(gap == 0, 0.8, 0.01), "threshold": np.int64(50)}, "synset")
    return found.arrays


def by_size(along):
    percents = {
        "depth": {14: 91.69, 20: 92.61, 26: 93.09, 32: 93.44, 38: 93.67, 56: 94.02, 110: 94.33, 164: 94.37},
        "width": {1: 93.09, 1.4: 94.10, 1.7: 94.53, 2.2: 94.94, 2.4: 95.05, 3: 95.30, 4: 95.53, 8: 95.81},
    }[along]
    networks = [(size, 1) if along == "depth" else (26, size) for size in percents]
    accuracies = [value / 100 for value in percents.values()]
    return groups(networks, accuracies, [growing(step) for step in range(len(networks))]).arrays


def accuracies():
    """Table B.1, two seeds each, on average 0.2 points above the paper's."""
    found = {}
    for row in entries("nguyen")["nguyen_tabB1"]["rows"]:
        for column, study in enumerate(row["studies"]):
            made = Cells()
            for key, percents in row["paper"].items():
                ours = percents[column] / 100 + 0.002 + 0.0001 * np.array([-1, 1])
                made.put_all({"width": 1, "seeds": [0, 1], "test_accuracy": list(ours)}, key)
            found[study, "training", row["variant"]] = made.arrays
    return found


def everything():
    found = {(study, measure, "all"): single(study, measure) for study in SIZES for measure in OF_NETWORK}
    found |= {("wide", measure, "untrained"): untrained(measure) for measure in ("cka", "sparsity")}
    compared = {"pair": of_pair(), "imagenet": of_imagenet()}
    compared |= {f"by_{along}": by_size(along) for along in ("depth", "width")}
    return found | {(study, "agreement", "groups"): made for study, made in compared.items()} | accuracies()


RESULTS = everything()


def put(changes, results=RESULTS):
    """The results with other values: {"study/measure/variant: names": value}.

    names: a pattern of arrays' names. value: one for all of them, or a function of the old one.
    """
    results = dict(results)
    for place, value in changes.items():
        file, pattern = place.split(": ")
        file = tuple(file.split("/"))
        names = [name for name in results[file] if fnmatchcase(name, pattern)]
        assert names, place
        new = {name: value(results[file][name]) if callable(value) else value for name in names}
        results[file] = {**results[file], **new}
    return results


def only(results, file, keep):
    """The results with a file that keeps only the sizes, or groups, of `keep`."""
    kept = {
        name: value for name, value in results[file].items() if "/" not in name or name.split("/")[0] in keep
    }
    return {**results, file: kept}
