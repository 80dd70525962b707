"""Made-up results of Nguyen et al. in which all claims hold, and ways to change them.

The networks have 20 layers: input, one residual block in stages 1 and 3, four in stage 2, logits; a residual
block is a bn, an add and a ReLU. Results are arrays by name, {(study, measure, variant): {name: value}}.
"""

from fnmatch import fnmatchcase

import numpy as np
from judging import entries

from pipeline.cells import Cells

L, SEEDS = 20, (0, 1, 2)
BLOCKS_OF_STAGE = {1: 1, 2: 4, 3: 1}
LAYERS = np.array(
    [
        "input",
        *(
            f"stage{stage}.block{block}.{layer}"
            for stage, blocks in BLOCKS_OF_STAGE.items()
            for block in range(1, blocks + 1)
            for layer in ("bn2", "add", "relu2")
        ),
        "logits",
    ]
)
POST = np.char.endswith(LAYERS, "relu2")
STAGE = np.array([0, *[1] * 3, *[2] * 12, *[3] * 3, 4])
NONE, SMALL, MEDIUM, LARGE = (0, 0), (10, 16), (7, 16), (4, 16)
VARIED = (SMALL, MEDIUM, LARGE)  # of three seeds
WIDE, DEEP = ("w1", "w2", "w4", "w8", "w10"), ("d32", "d44", "d56", "d110", "d164")
WIDTHS = {"w1": 1.0, "w2": 2.0, "w4": 4.0, "w8": 8.0, "w10": 10.0}
DEPTHS = {"d32": 32, "d44": 44, "d56": 56, "d110": 110, "d164": 164}
BLOCKS = {  # of five sizes, by share of the data
    "all": [[NONE] * 3, [NONE] * 3, [SMALL], VARIED, [(4, 18), (5, 19)]],
    "half": [[NONE], [NONE], [MEDIUM], [LARGE], [(3, 19)]],
    "quarter": [[NONE], [NONE], [MEDIUM], VARIED, [(3, 19)]],
    "sixteenth": [[NONE], [MEDIUM], [MEDIUM], VARIED, [(3, 19)]],
}


# --- what a measure says of one network, by the limits of its block -------------------------------


def block(limits):
    """Fraction, start and stop."""
    return np.array([(limits[1] - limits[0]) / L, *limits], float)


def layers_in(limits):
    return (np.arange(L) >= limits[0]) & (np.arange(L) < limits[1])


def heatmap(limits=NONE, inside=0.95):
    steps = np.subtract.outer(np.arange(L), np.arange(L))
    found = np.where(POST[:, None] & POST, 0.5, 0.3) + 0.1 * np.cos(steps / 6)
    found[np.ix_(layers_in(limits), layers_in(limits))] = inside
    np.fill_diagonal(found, 1)
    return found.astype(np.float16)


def with_correlation(x, r):
    """Numbers of mean 0 and norm 0.1 whose Pearson correlation with x is r."""
    x = np.asarray(x, float) - np.mean(x)
    noise = np.random.default_rng(0).standard_normal(len(x))
    noise -= noise.mean()
    noise -= x * (noise @ x) / (x @ x)
    return 0.1 * (r * x / np.linalg.norm(x) + np.sqrt(1 - r**2) * noise / np.linalg.norm(noise))


def correlated(matrix, r):
    """Symmetric, its pairs of layers correlated by r with those of the matrix."""
    found, upper = np.zeros(matrix.shape), np.triu_indices(len(matrix), 1)
    found[upper] = 0.5 + with_correlation(matrix[upper], r)
    return found + found.T


def of_cka(limits):
    return {
        "cka": heatmap(limits),
        "removed": heatmap(),
        "block": block(limits),
        "removed_block": block(NONE),
        "checkerboard": np.float64(0.2),
    }


def of_pca(limits):
    alike = correlated(heatmap(limits), 0.95 if limits != NONE else 0.1)
    return {
        "fraction": np.where(layers_in(limits), 0.8, 0.2),
        "late": np.float64(0.2 + block(limits)[0]),
        "cosine2": alike.astype(np.float16),
    }


def of_probe(limits):
    after = np.array([0.3, 0.4, 0.5, 0.52, 0.54, 0.9]) if limits != NONE else np.linspace(0.3, 0.9, 6)
    return {"before": after - 0.05, "after": after}


def of_deletion(limits):
    plateau = {NONE: 0, SMALL: 2, MEDIUM: 3, LARGE: 3}.get(limits, 3)
    lost = np.where(np.arange(3, 0, -1) <= plateau, 0.01, 0.3)  # by deleting 3, 2 and 1 of stage 2
    return {"full": np.float64(0.9), "deleted": 0.9 - np.array([0.2, *lost])}


def of_sparsity(limits):
    nonzero = np.where(layers_in(limits)[POST], 0.5, 0.45)
    return {"histogram": np.full((6, 20), 0.05), "nonzero": nonzero, "between": np.full(6, 0.6)}


OF_NETWORK = {
    "cka": of_cka,
    "pca": of_pca,
    "probe": of_probe,
    "deletion": of_deletion,
    "sparsity": of_sparsity,
}
OF_SIZE = {  # what a measure says of an architecture
    "cka": {},
    "pca": {},
    "sparsity": {"relus": np.flatnonzero(POST)},
    "probe": {"index_before": np.flatnonzero(POST) - 2, "index_after": np.flatnonzero(POST) - 1},
    "deletion": {
        "blocks": np.array(["stage1.block1", "stage2.block2", "stage2.block3", "stage2.block4"]),
        "index": np.array([3, 9, 12, 15]),
        "block_stage": np.array([1, 2, 2, 2]),
    },
}


# --- result files ---------------------------------------------------------------------------------


def of_sizes(measure, blocks):
    """A result: {size: limits of the blocks of its seeds}."""
    found = Cells({"images": np.int64(100)})
    for key, of_seeds in blocks.items():
        seeds = SEEDS[: len(of_seeds)]
        shape = {"width": WIDTHS.get(key, 1.0), "depth": DEPTHS.get(key, 38)}
        facts = {"layers": LAYERS, "post": POST, "stage": STAGE, **OF_SIZE[measure]}
        found.describe(key, **shape, seeds=seeds, accuracy=[0.9] * len(seeds), **facts)
        for seed, limits in zip(seeds, of_seeds, strict=True):
            found.put_all(OF_NETWORK[measure](limits), key, seed)
    return found.arrays


def study_files(study, keys, variants, measures):
    found = {}
    for variant in variants:
        blocks = dict(zip(keys, BLOCKS.get(variant, BLOCKS["all"]), strict=True))
        if study == "wide":
            blocks["w10"] = VARIED
        found |= {(study, measure, variant): of_sizes(measure, blocks) for measure in measures}
    return found


def across(networks, blocks, between):
    """CKA between networks, (depth, width, seed) each. between(i, j) -> matrix."""
    found = Cells()
    for i, ((depth, width, seed), limits) in enumerate(zip(networks, blocks, strict=True)):
        facts = {
            "depth": depth,
            "width": width,
            "seed": seed,
            "accuracy": 0.9,
            "layers": LAYERS,
            "post": POST,
        }
        found.put_all({**facts, "stage": STAGE, "block": block(limits)}, i)
        for j in range(i, len(networks)):
            found.put("cka", heatmap(limits) if i == j else between(i, j), i, j)
    return found.arrays


def apart(blocks, inside=0.1, outside=0.3):
    """Across networks: `inside` where both layers lie in blocks."""
    return lambda i, j: np.where(np.outer(layers_in(blocks[i]), layers_in(blocks[j])), inside, outside)


def shifted(by):
    """Each layer is most alike to one `by` layers further."""
    found = np.full((L, L), 0.1)
    found[np.arange(L), np.clip(np.arange(L) + by, 0, L - 1)] = 0.9
    return lambda i, j: found


def agreement(networks, accuracies, members=60, examples=400):
    """Group g, (depth, width), is right on hard, middling and easy examples; on eight ever less."""
    rng, found = np.random.default_rng(0), Cells({"labels": np.arange(examples) % 10})
    for g, ((depth, width), accuracy) in enumerate(zip(networks, accuracies, strict=True)):
        parts = [examples // 4, examples // 4, examples // 2]
        truth = np.repeat([0.1 + 0.01 * g, 0.6 + 0.05 * g, 0.96 + 0.004 * g], parts)
        truth[120:128] = 0.7 - 0.05 * g
        for half in ("first", "second"):
            found.put(half, np.clip(truth + 0.01 * rng.uniform(-1, 1, examples), 0, 1), g)
        found.put_all(
            {"depth": np.int64(depth), "width": np.float64(width), "networks": np.int64(members)}, g
        )
        found.put("accuracy", accuracy + 0.001 * np.resize([-1.0, 1], members), g)
    groups = len(networks)
    found.put("dispersion", np.where(np.eye(groups, dtype=bool), 0.03, 0.10))
    found.put("dispersion_se", np.full((groups, groups), 0.001))
    for name, value in (("p", 0.4), ("t", 0.8), ("df", 199)):
        found.put(f"{name}_mean", np.float64(value))
    return found.arrays


SYNSETS = {  # wide minus deep
    "entity": 0.0,
    "structure": 0.004,
    "commodity": -0.004,
    "consumer_goods": -0.004,
    "bird": -0.002,
    "living_thing": -0.001,
    "organism": -0.001,
    "animal": -0.001,
    "dog": 0.0,
}
PAPERS_DEPTHS = {14: 91.69, 20: 92.61, 26: 93.09, 32: 93.44, 38: 93.67, 56: 94.02, 110: 94.33, 164: 94.37}
PAPERS_WIDTHS = {1: 93.09, 1.4: 94.10, 1.7: 94.53, 2.2: 94.94, 2.4: 95.05, 3: 95.30, 4: 95.53, 8: 95.81}


def few_significant(number):
    """p-values of 1000 classes."""
    return np.repeat([0.01, 0.5], [number, 1000 - number])


def of_imagenet():
    found = Cells(agreement([(50, 1), (83, 1), (50, 2.8)], [0.7697, 0.7800, 0.7797]))
    found.put_all({"p": few_significant(400), "p_control": few_significant(50)}, "class")
    found.put_all({"aic": np.array([3e6, 2.9e6, 2.8e6]), "v2": np.float64(0.11)}, "models")
    gap = np.array(list(SYNSETS.values()))
    same = np.full(len(gap), 1.0)
    found.put_all({"name": np.array(list(SYNSETS)), "classes": np.full(len(gap), 60)}, "synset")
    found.put_all(
        {"wide": 0.75 + gap, "deep": 0.75 * same, "wide_se": 5e-4 * same, "deep_se": 5e-4 * same}, "synset"
    )
    found.put_all({"p": np.where(gap == 0, 0.8, 0.01), "threshold": np.int64(50)}, "synset")
    return found.arrays


def of_pair():
    gap = np.repeat([0.6, -0.6], 8)
    found = Cells(agreement([(62, 1), (14, 2)], [0.9409, 0.9408]))
    found.put_all({"first": 0.5 + gap / 2, "second": 0.5 - gap / 2}, "shown")
    return found.arrays


def by_size(networks, percents):
    return agreement(networks, [value / 100 for value in percents])


def agreements():
    depths = by_size([(depth, 1) for depth in PAPERS_DEPTHS], PAPERS_DEPTHS.values())
    widths = by_size([(26, width) for width in PAPERS_WIDTHS], PAPERS_WIDTHS.values())
    files = {"pair": of_pair(), "imagenet": of_imagenet(), "by_depth": depths, "by_width": widths}
    return {(study, "agreement", "groups"): found for study, found in files.items()}


def accuracies():
    """Table B.1, ours 0.2 points above the paper's."""
    found = {}
    for row in entries("nguyen")["nguyen_tabB1"]["rows"]:
        for column, study in enumerate(row["studies"]):
            made = Cells()
            for key, percents in row["paper"].items():
                made.put_all(
                    {"width": 1, "seeds": [0], "test_accuracy": [percents[column] / 100 + 0.002]}, key
                )
            found[study, "training", row["variant"]] = made.arrays
    return found


def acrosses():
    unlike = [LARGE, MEDIUM, SMALL]
    files = {
        "seeds_small": across([(38, 1, seed) for seed in SEEDS], [NONE] * 3, lambda i, j: heatmap()),
        "seeds_wide": across([(38, 10, seed) for seed in SEEDS], unlike, apart(unlike)),
        "seeds_deep": across([(110, 1, seed) for seed in SEEDS], unlike, apart(unlike)),
        "architectures_plain": across([(14, 2, 0), (56, 1, 0)], [NONE] * 2, shifted(1)),
        "architectures_block": across([(14, 2, 0), (164, 1, 0)], [NONE, LARGE], apart([(0, L), LARGE])),
    }
    return {("across", "cka", group): found for group, found in files.items()}


def everything():
    both = ("cka", "pca", "probe", "deletion")
    return {
        **study_files("wide", WIDE, ("all", "sixteenth"), OF_NETWORK),
        **study_files("wide", WIDE, ("quarter", "plain", "untrained"), ["cka"]),
        **study_files("deep", DEEP, ("all", "quarter", "sixteenth", "untrained"), both),
        **study_files("deep100", DEEP, ("all", "half", "quarter"), ["cka"]),
        **study_files("wide100", WIDE, ("all", "half"), ["cka"]),
        **acrosses(),
        **agreements(),
        **accuracies(),
    }


RESULTS = everything()


# --- changes --------------------------------------------------------------------------------------


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
    """The results with a file that keeps only sizes, or groups, that satisfy keep(key)."""
    kept = {
        name: value for name, value in results[file].items() if "/" not in name or keep(name.split("/")[0])
    }
    return {**results, file: kept}


def of_networks(file) -> bool:
    """Whether a file says something of the wide and deep networks but their accuracies."""
    study, measure, _ = file
    return study in ("wide", "deep", "wide100", "deep100") and measure != "training"


def scaled(fraction):
    """Another share of layers for a block, its place kept."""
    return lambda old: np.array([fraction, *old[1:]])
