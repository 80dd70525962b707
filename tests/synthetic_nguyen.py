"""Result files of Nguyen et al. as the stages leave them, made up: checkerboards, blocks that grow, dead layers."""
import numpy as np

from wide import artifacts

IMAGES, MOST = 256, 7  # at most so many residual blocks a stage, which keeps the files of deep networks small
ALL = {"wide": ["w1", "w2", "w4", "w8", "w10"], "deep": ["d32", "d44", "d56", "d110", "d164"],
       "deep100": ["d32", "d44", "d56", "d110", "d164", "d218", "d224"]}
GROUPS = {"seeds_small": [(38, 1)] * 3, "seeds_wide": [(38, 10)] * 3, "seeds_deep": [(110, 1)] * 3,
          "architectures_plain": [(14, 2), (56, 1)], "architectures_block": [(14, 2), (164, 1)]}


def layers(depth, residual=True):
    """Names of the layers of a network of depth 6n + 2 (n at most MOST), as wide.nets.resnet has them; the stage of each."""
    names = ["input", "stem.conv", "stem.bn", "stem.relu"]
    for stage in (1, 2, 3):
        for block in range(1, min((depth - 2) // 6, MOST) + 1):
            inside = ["conv1", "bn1", "relu1", "conv2", *["shortcut"] * (residual and block == 1 < stage), "bn2",
                      *["add"] * residual, "relu2"]
            names += [f"stage{stage}.block{block}.{layer}" for layer in inside]
    names += ["pool", "flatten", "logits"]
    stage = [int(name[5]) if name.startswith("stage") else 4 * (name in names[-3:]) for name in names]
    return np.array(names), np.array(stage)


def facts(size, seeds, depth, residual=True):
    """What every file says of a size: "w4" of a network of this depth, "d56" at width 1."""
    width, depth = (float(size[1:]), depth) if size[0] == "w" else (1.0, int(size[1:]))
    names, stage = layers(depth, residual)
    post = np.array([residual and name.endswith("relu2") for name in names])
    return {f"{size}/{name}": value for name, value in {
        "width": np.float64(width), "depth": np.int64(depth), "layers": names, "post": post, "stage": stage,
        "seeds": np.arange(seeds), "accuracy": 0.9 + 0.01 * np.arange(seeds)}.items()}


def block_of(count, share, seed=0):
    """(fraction, start, stop) of a block that lies near the end, a little elsewhere for each seed."""
    stop = int(count * (0.95 - 0.04 * (seed % 4)))
    start = stop - int(share * count)
    return np.array([(stop - start) / count, start, stop] if share else [0, 0, 0], float)


def similarity(rows, columns, post_rows, post_columns, blocks=None):
    """(R, C) similarities: near the diagonal of relative depth high, lower off the post-residual layers, 0.98 in blocks."""
    distance = np.abs(np.linspace(0, 1, rows)[:, None] - np.linspace(0, 1, columns))
    found = np.exp(-1.2 * distance) * np.where(np.equal.outer(post_rows, post_columns) & post_rows[:, None], 1, 0.7)
    for start, stop in blocks or ():
        found[start:stop], found[:, start:stop] = 0.3 * found[start:stop], 0.3 * found[:, start:stop]
        found[start:stop, start:stop] = 0.98
    return found


def square(post, block, dead=()):
    found = similarity(len(post), len(post), post, post, [block[1:].astype(int)] if block[0] else [])
    np.fill_diagonal(found, 1)
    found[list(dead)], found[:, list(dead)] = np.nan, np.nan
    return found.astype(np.float16)


def shares(sizes):
    """Share of layers in the block of each size: none in the first two, then growing."""
    return dict(zip(sizes, [0, 0, *np.linspace(0.25, 0.6, 9)]))


def write(scale, study, variant, sizes, measures=("cka",), *, seeds=1, depth=38, residual=True, dead=()):
    """Files of a study's variant; `seeds` of every size, or {size: seeds}; `dead` layers have no similarity."""
    made = {"cka": of_cka, "pca": of_pca, "probe": of_probe, "deletion": of_deletion, "sparsity": of_sparsity}
    for measure in measures:
        found = {"images": np.int64(IMAGES), "batches": np.int64(1)}
        for size, share in shares(sizes).items():
            known = facts(size, seeds.get(size, 1) if isinstance(seeds, dict) else seeds, depth, residual)
            found |= known
            for seed in known[f"{size}/seeds"]:
                names = known[f"{size}/layers"]
                block = block_of(len(names), share, seed)
                each, shared = made[measure](names, known[f"{size}/post"], block, seed, dead)
                found |= {f"{size}/{seed}/{name}": value for name, value in each.items()}
                found |= {f"{size}/{name}": value for name, value in shared.items()}
        artifacts.save_result(artifacts.result(scale, study, measure, variant), found)


def of_cka(names, post, block, seed, dead):
    none = np.zeros(3)
    return {"cka": square(post, block, dead), "removed": square(post, none, dead), "block": block, "block_post": block,
            "removed_block": none, "checkerboard": np.float64(0.3)}, {}


def of_pca(names, post, block, seed, dead):
    inside = (np.arange(len(names)) >= block[1]) & (np.arange(len(names)) < block[2])
    return {"fraction": np.where(inside, 0.8, 0.2), "cosine2": square(post, block, dead),
            "late": np.float64((0.2 + block[0] + 0.07 * (seed * 3 % 5)) / 1.4)}, {}


def of_probe(names, post, block, seed, dead):
    after = np.flatnonzero([name.endswith(".add") for name in names])
    rise = np.where(after < (block[1] or len(names)), after, block[1]) / len(names)
    return {"before": 0.25 + 0.4 * rise, "after": 0.3 + 0.5 * rise}, {"index/before": after - 1, "index/after": after}


def of_deletion(names, post, block, seed, dead):
    places = {name.rsplit(".", 1)[0]: at for at, name in enumerate(names) if name.endswith("relu2")}
    places = {name: at for name, at in places.items() if not name.endswith("block1") or name == "stage1.block1"}
    index, stage = np.array(list(places.values())), np.array([int(name[5]) for name in places])
    left = np.array([sum((stage == stage[at]) & (np.arange(len(stage)) >= at)) / sum(stage == stage[at]) for at in range(len(stage))])
    loss = np.where((index >= block[1]) & (index < block[2]), 0.05, 0.6) * left
    return {"full": np.float64(0.9), "deleted": 0.9 - loss}, {
        "blocks": np.array(list(places)), "index": index, "block_stage": stage}


def of_sparsity(names, post, block, seed, dead):
    relus = np.flatnonzero([name.split(".")[-1].startswith("relu") for name in names])
    rng = np.random.default_rng(seed)
    histogram = rng.dirichlet(np.r_[3, np.ones(18), 5], len(relus))
    nonzero, between = histogram @ np.linspace(0, 1, 20), 1 - histogram[:, 0] - histogram[:, -1]
    return {"histogram": histogram, "nonzero": nonzero, "between": between}, {"relus": relus}


def write_across(scale, group, networks=None):
    """CKA between networks [(depth, width), ...]: those of the paper's group, or these."""
    networks = networks or GROUPS[group]
    told = [facts(f"w{width}", 1, depth) for depth, width in networks]
    told = [{name.split("/", 1)[1]: value for name, value in one.items()} for one in told]
    shares = [0.0 if depth * width < 100 else 0.5 for depth, width in networks]
    blocks = [block_of(len(one["layers"]), share, at) for at, (one, share) in enumerate(zip(told, shares))]
    found = {"images": np.int64(IMAGES), "batches": np.int64(1),
             "names": np.array([f"ResNet-{depth} ({width}x) seed {networks[:at].count((depth, width))}"
                                for at, (depth, width) in enumerate(networks)])}
    for i, one in enumerate(told):
        found |= {f"{i}/{name}": one[name] for name in ("layers", "post", "stage")} | {
            f"{i}/accuracy": np.float64(0.93), f"{i}/block": blocks[i], f"{i}/{i}/cka": square(one["post"], blocks[i])}
        for j, other in enumerate(told[i + 1:], i + 1):
            cross = similarity(len(one["layers"]), len(other["layers"]), one["post"], other["post"])
            for block, axis in ((blocks[i], 0), (blocks[j], 1)):
                np.moveaxis(cross, axis, 0)[int(block[1]):int(block[2])] *= 0.2
            found[f"{i}/{j}/cka"] = cross.astype(np.float16)
    artifacts.save_result(artifacts.result(scale, "nguyen_across", "cka", group), found)


def write_all(scale, paper=False):
    """Everything that the paper measures, with five seeds where it shows five; or what scale quick keeps of it."""
    wide, deep, deep100 = ALL.values() if paper else (["w1", "w4", "w8"], ["d32", "d56", "d110"], ["d32", "d56", "d110"])
    more, deeper = (wide, deep) if paper else (["w1", "w2", "w4", "w8"], ALL["deep"])
    for variant in ("all", "quarter"):
        measures = ["cka", "pca", "probe", "deletion", "sparsity"][:5 if variant == "all" else 1]
        write(scale, "nguyen_wide", variant, wide, measures, seeds=5 if paper and variant == "all" else 1)
        write(scale, "nguyen_deep", variant, deep, measures[:4], seeds=5 if paper and variant == "all" else 1)
    few = {} if paper else {"w1": 3, "w8": 3, "d110": 3}
    write(scale, "nguyen_wide", "sixteenth", more, ["cka", "pca", "probe", "deletion", "sparsity"], seeds=few)
    write(scale, "nguyen_deep", "sixteenth", deeper, ["cka", "pca", "probe", "deletion"], seeds=few)
    write(scale, "nguyen_wide", "plain", wide, residual=False)
    for variant in ("all", "half", "quarter"):
        write(scale, "nguyen_deep100", variant, deep100, dead=range(20, 25))
        write(scale, "nguyen_wide100", variant, wide)
    write(scale, "nguyen_imagenet", "wide_sixteenth", ["w1"], depth=50)
    for study, variant in (("nguyen_wide", "all"), ("nguyen_wide", "sixteenth"), ("nguyen_wide100", "all"), ("nguyen_imagenet", "wide_sixteenth")):
        found = artifacts.load_result(artifacts.result(scale, study, "cka", variant))
        artifacts.save_result(artifacts.result(scale, "nguyen_collected", "cka", f"{study}-{variant}"), found)
    for group in GROUPS:
        write_across(scale, group, None if paper else GROUPS[group][:2])
