"""Result files of Nguyen et al. as the stages leave them, made up: checkerboards, blocks, dead layers."""

import numpy as np

from pipeline.cells import Cells
from wide import artifacts

IMAGES, MOST = 256, 7  # at most so many residual blocks a stage, which keeps the files of deep networks small
ALL = {
    "wide": ["w1", "w2", "w4", "w8", "w10"],
    "deep": ["d32", "d44", "d56", "d110", "d164"],
    "deep100": ["d32", "d44", "d56", "d110", "d164", "d218", "d224"],
}
GROUPS = {  # depth and width of the networks that are compared
    "seeds_small": [(38, 1.0)] * 3,
    "seeds_wide": [(38, 10.0)] * 3,
    "seeds_deep": [(110, 1.0)] * 3,
    "seeds_untrained_small": [(38, 1.0)] * 3,
    "seeds_untrained": [(38, 10.0)] * 3,
    "seeds_untrained_deep": [(110, 1.0)] * 3,
    "architectures_plain": [(14, 2.0)] * 3 + [(56, 1.0)] * 3,
    "architectures_block": [(14, 2.0)] * 3 + [(164, 1.0)] * 3,
    "architectures_untrained": [(14, 2.0)] * 3 + [(56, 1.0)] * 3,
}
BASE = 16  # channels of the first stage at width 1
STUDIES = {"cifar10": ("wide", "deep", "shallow"), "cifar100": ("wide100", "deep100")}


def layers(depth, residual=True):
    """What results say of the layers of a network of depth 6n + 2 (n at most MOST)."""
    names = ["input", "stem.conv", "stem.bn", "stem.relu"]
    stages = [0] * 4
    for stage in (1, 2, 3):
        for block in range(1, min((depth - 2) // 6, MOST) + 1):
            inside = ["conv1", "bn1", "relu1", "conv2", "bn2", "relu2"]
            if residual:
                inside.insert(5, "add")
            if residual and block == 1 < stage:
                inside.insert(4, "shortcut")
            names += [f"stage{stage}.block{block}.{layer}" for layer in inside]
            stages += [stage] * len(inside)
    names += ["pool", "flatten", "logits"]
    stages += [4] * 3
    post = [residual and name.endswith("relu2") for name in names]
    return {"layers": np.array(names), "stage": np.array(stages), "post": np.array(post)}


def block_of(count, share, seed=0):
    """(fraction, start, stop) of a block that lies near the end, a little elsewhere for each seed."""
    if not share:
        return np.zeros(3)
    stop = int(count * (0.95 - 0.04 * (seed % 4)))
    start = stop - int(share * count)
    return np.array([(stop - start) / count, start, stop], float)


def similarity(rows, columns, post_rows, post_columns, blocks=()):
    """(R, C): high near the diagonal of relative depth, lower off post-residual layers, 0.98 in blocks."""
    distance = np.abs(np.linspace(0, 1, rows)[:, None] - np.linspace(0, 1, columns))
    both = np.equal.outer(post_rows, post_columns) & post_rows[:, None]
    found = np.exp(-1.2 * distance) * np.where(both, 1, 0.7)
    for start, stop in blocks:
        found[start:stop] = 0.3 * found[start:stop]
        found[:, start:stop] = 0.3 * found[:, start:stop]
        found[start:stop, start:stop] = 0.98
    return found


def square(post, block, dead=()):
    """(L, L) similarities within a network; `dead` layers have none."""
    blocks = [block[1:].astype(int)] if block[0] else []
    found = similarity(len(post), len(post), post, post, blocks)
    np.fill_diagonal(found, 1)
    found[list(dead)] = found[:, list(dead)] = np.nan
    return found.astype(np.float16)


def write(
    scale,
    study,
    variant,
    sizes,
    measures=("cka",),
    *,
    seeds=1,
    depth=38,
    residual=True,
    dead=(),
    trained=True,
):
    """Files of a study's variant. seeds: of every size, or {size: seeds}, 1 where it names none.

    A share of the layers lies in the block: none in the first two sizes, a twentieth in untrained ones.
    """
    shares = [0, 0, *np.linspace(0.25, 0.6, 9)] if trained else [0.05] * 11
    for measure in measures:
        found = Cells({"images": np.int64(IMAGES), "batches": np.int64(1)})
        for size, share in zip(sizes, shares, strict=False):
            members = seeds.get(size, 1) if isinstance(seeds, dict) else seeds
            facts = describe(found, size, members, depth, residual, trained)
            for seed in range(members):
                block = block_of(len(facts["layers"]), share, seed)
                of_network, of_size = MEASURES[measure](facts, block, seed, dead)
                found.put_all(of_network, size, seed)
                found.put_all(of_size, size)
        found.save(artifacts.result(scale, "nguyen", study, measure, variant))


def describe(found, size, members, depth, residual, trained):
    """What every result says of a size: "w4" of a network of this depth, "d56" at width 1."""
    number = float(size[1:])
    width, depth = (number, depth) if size.startswith("w") else (1.0, int(number))
    facts = layers(depth, residual)
    accuracy = (0.9 if trained else 0.1) + 0.01 * np.arange(members)
    known = {"width": width, "depth": depth, "channels": np.int64(BASE * width)}
    found.describe(size, **known, seeds=range(members), accuracy=accuracy, **facts)
    return facts


def of_cka(facts, block, seed, dead):
    none = np.zeros(3)
    matrices = {"cka": square(facts["post"], block, dead), "removed": square(facts["post"], none, dead)}
    blocks = {"block": block, "block_post": block, "removed_block": none}
    return matrices | blocks | {"checkerboard": np.float64(0.3)}, {}


def of_pca(facts, block, seed, dead):
    places = np.arange(len(facts["layers"]))
    inside = (places >= block[1]) & (places < block[2])
    late = np.float64((0.2 + block[0] + 0.07 * (seed * 3 % 5)) / 1.4)
    cosines = square(facts["post"], block, dead)
    return {"fraction": np.where(inside, 0.8, 0.2), "cosine2": cosines, "late": late}, {}


def of_probe(facts, block, seed, dead):
    after = np.flatnonzero([name.endswith(".add") for name in facts["layers"]])
    rise = np.minimum(after, block[1] or np.inf) / len(facts["layers"])
    accuracies = {"before": 0.25 + 0.4 * rise, "after": 0.3 + 0.5 * rise}
    return accuracies, {"index_before": after - 1, "index_after": after}


def of_deletion(facts, block, seed, dead):
    names, stages = facts["layers"], facts["stage"]
    firsts = ("stage2.block1.", "stage3.block1.")  # their shortcuts change the shape: they cannot go
    index = [
        place for place, name in enumerate(names) if name.endswith("relu2") and not name.startswith(firsts)
    ]
    index, stage = np.array(index), stages[index]
    here = np.arange(len(stage))
    deleted = [np.sum((stage == stage[at]) & (here >= at)) / np.sum(stage == stage[at]) for at in here]
    inside = (index >= block[1]) & (index < block[2])
    loss = np.where(inside, 0.05, 0.6) * deleted
    blocks = np.array([names[place].removesuffix(".relu2") for place in index])
    known = {"blocks": blocks, "index": index, "block_stage": stage}
    return {"full": np.float64(0.9), "deleted": 0.9 - loss}, known


def of_sparsity(facts, block, seed, dead):
    relus = np.flatnonzero([".relu" in name for name in facts["layers"]])
    shares = np.r_[3, np.ones(18), 5]  # more units that are never or always active
    histogram = np.random.default_rng(seed).dirichlet(shares, len(relus))
    nonzero, between = histogram @ np.linspace(0, 1, 20), 1 - histogram[:, 0] - histogram[:, -1]
    return {"histogram": histogram, "nonzero": nonzero, "between": between}, {"relus": relus}


MEASURES = {"cka": of_cka, "pca": of_pca, "probe": of_probe, "deletion": of_deletion, "sparsity": of_sparsity}


def write_across(scale, group, networks=None):
    """CKA between networks [(depth, width), ...]: those of the paper's group, or these."""
    networks = networks or GROUPS[group]
    found = Cells({"images": np.int64(IMAGES), "batches": np.int64(1)})
    told = [layers(depth) for depth, _ in networks]
    blocks = []
    for number, ((depth, width), facts) in enumerate(zip(networks, told, strict=True)):
        share = 0.5 if depth * width >= 100 and "untrained" not in group else 0.0
        blocks.append(block_of(len(facts["layers"]), share, number))
        seed = networks[:number].count((depth, width))
        known = {"depth": np.int64(depth), "width": np.float64(width), "seed": np.int64(seed)}
        known["channels"] = np.int64(BASE * width)
        found.put_all(facts | known | {"accuracy": np.float64(0.93), "block": blocks[number]}, number)
        found.put("cka", square(facts["post"], blocks[number]), number, number)
    for low in range(len(networks)):
        for high in range(low + 1, len(networks)):
            found.put("cka", between(told[low], told[high], blocks[low], blocks[high]), low, high)
    found.save(artifacts.result(scale, "nguyen", "across", "cka", group))


def between(one, other, block, other_block):
    """(R, C) similarities of two networks, low where either has its block."""
    posts = one["post"], other["post"]
    found = similarity(*map(len, posts), *posts)
    found[int(block[1]) : int(block[2])] *= 0.2
    found[:, int(other_block[1]) : int(other_block[2])] *= 0.2
    return found.astype(np.float16)


def write_floors(scale):
    """What linear classifiers reach on the same pixels and examples."""
    shares = {"all": 1, "half": 2, "quarter": 4, "sixteenth": 16, "plain": 1}
    facts = {variant: {"accuracy": 0.4, "examples": 50000 // share} for variant, share in shares.items()}
    for name, studies in STUDIES.items():
        path = artifacts.result(scale, "nguyen", "floor", "linear", name, "json")
        artifacts.save_numbers(path, dict.fromkeys(studies, facts))


def write_all(scale, paper=False):
    """What the heatmaps are drawn from, or what scale quick keeps of it."""
    few = ["w1", "w4", "w8"], ["d32", "d56", "d110"], ["d32", "d56", "d110"]
    wide, deep, deep100 = ALL.values() if paper else few
    five = 5 if paper else 1
    of_deep = ["cka", "pca", "probe", "deletion"]
    of_wide = [*of_deep, "sparsity"]
    write(scale, "wide", "all", wide, of_wide, seeds=five)
    write(scale, "deep", "all", deep, of_deep, seeds=five)
    write(scale, "wide", "quarter", wide)
    write(scale, "deep", "quarter", deep)
    three = {} if paper else {"w1": 3, "w8": 3, "d110": 3}
    write(scale, "wide", "sixteenth", wide if paper else ["w1", "w2", "w4", "w8"], of_wide, seeds=three)
    write(scale, "deep", "sixteenth", ALL["deep"], of_deep, seeds=three)
    write(scale, "wide", "plain", wide, residual=False)
    write(scale, "wide", "untrained_plain", wide, residual=False, trained=False)
    write(scale, "wide", "untrained", wide, ["cka", "pca"], seeds=five, trained=False)
    write(scale, "deep", "untrained", deep, ["cka", "pca"], seeds=five, trained=False)
    for variant in ("all", "half", "quarter"):
        write(scale, "deep100", variant, deep100, dead=range(20, 25))
        write(scale, "wide100", variant, wide)
    write(scale, "imagenet", "wide_sixteenth", ["w1"], depth=50)
    for group, networks in GROUPS.items():
        alike = len(set(networks)) == 1
        write_across(scale, group, None if paper else networks[:2] if alike else networks[::3])
    write_floors(scale)
