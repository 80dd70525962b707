"""Made-up results of Nguyen et al. in which all claims on representations hold, and ways to change them.

The networks have 20 layers: input, one residual block in stages 1 and 3, four in stage 2, logits; a residual
block is a bn, an add and a ReLU. Results are arrays by name, {(study, measure, variant): {name: value}}.
Untrained networks, the controls, show nothing of what is claimed.
"""

from fnmatch import fnmatchcase

import numpy as np

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
NONE, SMALL, MEDIUM = [(0, 0)] * 3, [(10, 16)] * 3, [(7, 16)] * 3  # of three seeds
VARIED = [(9, 16), (7, 17), (4, 17)]
WIDE, DEEP = ("w1", "w2", "w4", "w8", "w10"), ("d32", "d44", "d56", "d110", "d164")
WIDTHS = {"w1": 1.0, "w2": 2.0, "w4": 4.0, "w8": 8.0, "w10": 10.0}
DEPTHS = {"d32": 32, "d44": 44, "d56": 56, "d110": 110, "d164": 164}
BLOCKS = {  # of five sizes, by variant
    "all": [NONE, NONE, SMALL, VARIED, VARIED],
    "half": [NONE, MEDIUM, MEDIUM, VARIED, VARIED],
    "quarter": [NONE, MEDIUM, MEDIUM, VARIED, VARIED],
    "sixteenth": [NONE, MEDIUM, MEDIUM, VARIED, VARIED],
    "plain": [NONE, NONE, SMALL, VARIED, VARIED],
    "untrained": [NONE] * 5,
    "untrained_plain": [NONE] * 5,
}


# --- what a measure says of one network, by the limits of its block -------------------------------


def block(limits):
    """Fraction, start and stop."""
    return np.array([(limits[1] - limits[0]) / L, *limits], float)


def layers_in(limits):
    return (np.arange(L) >= limits[0]) & (np.arange(L) < limits[1])


def heatmap(limits=(0, 0), inside=0.95, more=0.0):
    """more: CKA added to all pairs of layers."""
    steps = np.subtract.outer(np.arange(L), np.arange(L))
    found = np.where(POST[:, None] & POST, 0.5, 0.3) + 0.1 * np.cos(steps / 6) + more
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


def of_cka(limits, seed, trained):
    """Without its first component a trained network loses its block and little else, another one much."""
    return {
        "cka": heatmap(limits),
        "removed": heatmap(more=0.01 * seed if trained else 0.3),
        "block": block(limits),
        "removed_block": block((0, 0)),
        "checkerboard": np.float64((0.2 if trained else -0.1) + 0.01 * seed),
    }


def of_pca(limits, seed, trained):
    alike = (0.95 if limits != (0, 0) else 0.1) if trained else 0.7
    return {
        "fraction": np.where(layers_in(limits), 0.8, 0.2) + 0.01 * seed,
        "late": np.float64(0.2 + block(limits)[0] + 0.01 * seed),
        "cosine2": correlated(heatmap(limits), alike).astype(np.float16),
    }


OF_NETWORK = {"cka": of_cka, "pca": of_pca}


# --- result files ---------------------------------------------------------------------------------


def of_sizes(measure, blocks, trained):
    """A result: {size: limits of the blocks of its seeds}."""
    found = Cells({"images": np.int64(100)})
    for key, of_seeds in blocks.items():
        seeds = SEEDS[: len(of_seeds)]
        shape = {"width": WIDTHS.get(key, 1.0), "depth": DEPTHS.get(key, 38)}
        facts = {"layers": LAYERS, "post": POST, "stage": STAGE, "channels": int(16 * shape["width"])}
        accuracy = [0.9 if trained else np.nan] * len(seeds)
        found.describe(key, **shape, seeds=seeds, accuracy=accuracy, **facts)
        for seed, limits in zip(seeds, of_seeds, strict=True):
            found.put_all(OF_NETWORK[measure](limits, seed, trained), key, seed)
    return found.arrays


def study_files(study, keys, variants, measures):
    found = {}
    for variant in variants:
        blocks, trained = dict(zip(keys, BLOCKS[variant], strict=True)), not variant.startswith("untrained")
        found |= {(study, measure, variant): of_sizes(measure, blocks, trained) for measure in measures}
    return found


def across(networks, blocks, between):
    """CKA between networks, (depth, width, seed) each. between(i, j) -> matrix."""
    found = Cells()
    for i, ((depth, width, seed), limits) in enumerate(zip(networks, blocks, strict=True)):
        shape = {"depth": depth, "width": width, "channels": int(16 * width), "seed": seed, "accuracy": 0.9}
        facts = {"layers": LAYERS, "post": POST, "stage": STAGE, "block": block(limits)}
        found.put_all({**shape, **facts}, i)
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


def seeds_of(depth, width):
    return [(depth, width, seed) for seed in SEEDS]


def acrosses():
    small, wide, deep = seeds_of(38, 1), seeds_of(38, 10), seeds_of(110, 1)
    of_14, of_56, of_164 = seeds_of(14, 2), seeds_of(56, 1), seeds_of(164, 1)
    no_blocks, unlike = [*NONE, *NONE], [*NONE, *VARIED]
    everywhere = [(0, L)] * 3 + VARIED  # the block is unlike all layers of the other network
    files = {
        "seeds_small": across(small, NONE, lambda i, j: heatmap(more=0.01 * (i + j))),
        "seeds_wide": across(wide, VARIED, apart(VARIED)),
        "seeds_deep": across(deep, VARIED, apart(VARIED)),
        "seeds_untrained_small": across(small, NONE, lambda i, j: heatmap(more=0.3)),
        "seeds_untrained": across(wide, NONE, apart(VARIED, 0.6, 0.55)),
        "seeds_untrained_deep": across(deep, NONE, apart(VARIED, 0.6, 0.55)),
        "architectures_plain": across([*of_14, *of_56], no_blocks, shifted(1)),
        "architectures_untrained": across([*of_14, *of_56], no_blocks, shifted(5)),
        "architectures_block": across([*of_14, *of_164], unlike, apart(everywhere, outside=0.6)),
    }
    return {("across", "cka", group): found for group, found in files.items()}


def everything():
    of_all = ("all", "quarter", "sixteenth", "untrained")
    return {
        **study_files("wide", WIDE, of_all, OF_NETWORK),
        **study_files("wide", WIDE, ("plain", "untrained_plain"), ["cka"]),
        **study_files("deep", DEEP, of_all, OF_NETWORK),
        **study_files("deep100", DEEP, ("all", "half", "quarter"), ["cka"]),
        **study_files("wide100", WIDE, ("all", "half"), ["cka"]),
        **acrosses(),
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


def scaled(fraction):
    """Another share of layers for a block, its place kept."""
    return lambda old: np.array([fraction, *old[1:]])
