"""Claims of nguyen: a verdict flips where its number crosses the threshold; what a scale has left out is not testable.

The synthetic networks have 20 layers: input, one residual block in stages 1 and 3, four in stage 2, logits; a residual block is a
bn, an add and a ReLU. All claims hold in them.
"""
from dataclasses import asdict
from fnmatch import fnmatchcase

import numpy as np
import pytest

from stages.claims import VERDICTS, nguyen
from stages.claims.nguyen_tables import ACCURACIES

L, SEEDS = 20, (0, 1, 2)
LAYERS = np.array(["input", *(f"stage{stage}.block{block}.{layer}" for stage, blocks in ((1, 1), (2, 4), (3, 1))
                              for block in range(1, blocks + 1) for layer in ("bn2", "add", "relu2")), "logits"])
POST = np.char.endswith(LAYERS, "relu2")
STAGE = np.array([0, *[1] * 3, *[2] * 12, *[3] * 3, 4])
NONE, SMALL, MEDIUM, LARGE = (0, 0), (10, 16), (7, 16), (4, 16)
VARIED = (SMALL, MEDIUM, LARGE)  # of three seeds
KEYS = ["nguyen_" + key for key in ("fig1 fig2 fig3 fig4 fig5 fig6 fig7 figC1 figD1 figD2 figD3 figD4 figD5 figD6 figD7 figD8 figE1 "
                                    "figF1 figF2 figF3 figF4 tabB1 tabF1 tabF2").split()]


# --- results in which all claims hold ---------------------------------------------------------------------------------

def layers_in(block):
    return (np.arange(L) >= block[0]) & (np.arange(L) < block[1])


def heatmap(block=NONE, inside=0.95):
    found = np.where(POST[:, None] & POST, 0.5, 0.3) + 0.1 * np.cos(np.subtract.outer(np.arange(L), np.arange(L)) / 6)
    found[np.ix_(layers_in(block), layers_in(block))] = inside
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


def described(key, seeds):
    depth, width = (int(key[1:]), 1.0) if key[0] == "d" else (38, float(key[1:]))
    return {f"{key}/width": np.float64(width), f"{key}/depth": np.int64(depth), f"{key}/layers": LAYERS, f"{key}/post": POST,
            f"{key}/stage": STAGE, f"{key}/seeds": np.array(seeds), f"{key}/accuracy": np.full(len(seeds), 0.9)}


def measured(blocks, one):
    """A result file: {key: blocks of the seeds}, one(block) -> the measures of a seed."""
    found = {"images": np.int64(100)}
    for key, of_seeds in blocks.items():
        found |= described(key, SEEDS[:len(of_seeds)])
        found |= {f"{key}/{seed}/{name}": value for seed, block in enumerate(of_seeds) for name, value in one(block).items()}
    return found


def block(limits):
    return np.array([(limits[1] - limits[0]) / L, *limits], float)


def of_cka(limits):
    return {"cka": heatmap(limits), "removed": heatmap(), "block": block(limits), "removed_block": block(NONE),
            "checkerboard": np.float64(0.2)}


def of_pca(limits):
    alike = correlated(heatmap(limits), 0.95 if limits != NONE else 0.1)
    return {"fraction": np.where(layers_in(limits), 0.8, 0.2), "late": np.float64(0.2 + block(limits)[0]),
            "cosine2": alike.astype(np.float16)}


def of_probe(limits):
    after = np.array([0.3, 0.4, 0.5, 0.52, 0.54, 0.9]) if limits != NONE else np.linspace(0.3, 0.9, 6)
    return {"before": after - 0.05, "after": after}


def of_deletion(limits):
    plateau = {NONE: 0, SMALL: 2, MEDIUM: 3, LARGE: 3}.get(limits, 3)
    lost = np.where(np.arange(3, 0, -1) <= plateau, 0.01, 0.3)  # by deleting 3, 2 and 1 of stage 2
    return {"full": np.float64(0.9), "deleted": 0.9 - np.array([0.2, *lost])}


def of_sparsity(limits):
    return {"histogram": np.full((6, 20), 0.05), "nonzero": np.where(layers_in(limits)[POST], 0.5, 0.45), "between": np.full(6, 0.6)}


EXTRA = {"cka": {}, "pca": {}, "sparsity": {"relus": np.flatnonzero(POST)},
         "probe": {"index/before": np.flatnonzero(POST) - 2, "index/after": np.flatnonzero(POST) - 1},
         "deletion": {"blocks": np.array(["stage1.block1", *(f"stage2.block{number}" for number in (2, 3, 4))]),
                      "index": np.array([3, 9, 12, 15]), "block_stage": np.array([1, 2, 2, 2])}}
BLOCKS = {  # of five sizes, by share of the data
    "all": [[NONE] * 3, [NONE] * 3, [SMALL], VARIED, [(4, 18), (5, 19)]], "quarter": [[NONE], [NONE], [MEDIUM], VARIED, [(3, 19)]],
    "sixteenth": [[NONE], [MEDIUM], [MEDIUM], VARIED, [(3, 19)]], "half": [[NONE], [NONE], [MEDIUM], [LARGE], [(3, 19)]]}
WIDE, DEEP = ("w1", "w2", "w4", "w8", "w10"), ("d32", "d44", "d56", "d110", "d164")


def study_files(study, keys, variants, measures):
    found = {}
    for variant in variants:
        blocks = dict(zip(keys, BLOCKS["all" if variant in ("plain", "untrained") else variant]))
        if study == "nguyen_wide":
            blocks["w10"] = VARIED
        for measure, one in measures.items():
            result = measured(blocks, one)
            found[study, measure, variant] = result | {f"{key}/{name}": value for key in blocks for name, value in EXTRA[measure].items()}
    return found


def group(names, blocks, across):
    """A result of CKA between networks: across(i, j) -> matrix."""
    found = {"names": np.array(names)}
    for i, limits in enumerate(blocks):
        found |= {f"{i}/layers": LAYERS, f"{i}/post": POST, f"{i}/stage": STAGE, f"{i}/accuracy": np.float64(0.9),
                  f"{i}/block": block(limits)}
        found |= {f"{i}/{j}/cka": heatmap(limits) if i == j else across(i, j) for j in range(i, len(blocks))}
    return found


def apart(blocks, inside=0.1, outside=0.3):
    """Across networks: `inside` where both layers lie in blocks."""
    return lambda i, j: np.where(np.outer(layers_in(blocks[i]), layers_in(blocks[j])), inside, outside).astype(np.float16)


def shifted(by):
    """Each layer is most alike to one `by` layers further."""
    found = np.full((L, L), 0.1)
    found[np.arange(L), np.clip(np.arange(L) + by, 0, L - 1)] = 0.9
    return lambda i, j: found


def agreement(names, accuracies, networks=60, examples=400):
    """Group g is right on hard, middling and easy examples with these probabilities, on eight middling ones ever less."""
    rng, found = np.random.default_rng(0), {"names": np.array(names), "labels": np.arange(examples) % 10}
    for g, accuracy in enumerate(accuracies):
        truth = np.repeat([0.1 + 0.01 * g, 0.6 + 0.05 * g, 0.96 + 0.004 * g], [examples // 4, examples // 4, examples // 2])
        truth[120:128] = 0.7 - 0.05 * g
        for half in ("first", "second"):
            found[f"{g}/{half}"] = np.clip(truth + 0.01 * rng.uniform(-1, 1, examples), 0, 1)
        found |= {f"{g}/networks": np.int64(networks), f"{g}/accuracy": accuracy + 0.001 * np.resize([-1.0, 1], networks)}
    G = len(names)
    return found | {"dispersion": np.where(np.eye(G, dtype=bool), 0.03, 0.10), "dispersion_se": np.full((G, G), 0.001),
                    "p_mean": np.float64(0.4), "t_mean": np.float64(0.8), "df_mean": np.float64(199)}


SYNSETS = {"entity": 0.0, "structure": 0.004, "commodity": -0.004, "consumer_goods": -0.004, "bird": -0.002, "living_thing": -0.001,
           "organism": -0.001, "animal": -0.001, "dog": 0.0}
PAPERS_DEPTHS = {14: 91.69, 20: 92.61, 26: 93.09, 32: 93.44, 38: 93.67, 56: 94.02, 110: 94.33, 164: 94.37}
PAPERS_WIDTHS = {1: 93.09, 1.4: 94.10, 1.7: 94.53, 2.2: 94.94, 2.4: 95.05, 3: 95.30, 4: 95.53, 8: 95.81}


def accuracy_files():
    found = {}
    for (study, variant), (keys, *columns) in ACCURACIES.items():
        for suffix, numbers in zip(("", "100"), columns):
            found[study + suffix, "training", variant] = {key: {"width": 1, "seeds": [0], "test_accuracy": [number / 100 + 0.002]}
                                                          for key, number in zip(keys, numbers)}
    return found


def everything():
    both = {"cka": of_cka, "pca": of_pca, "probe": of_probe, "deletion": of_deletion}
    wide, unlike = {**both, "sparsity": of_sparsity}, [LARGE, MEDIUM, SMALL]
    names = lambda name: [f"{name} seed {seed}" for seed in SEEDS]
    gap = np.repeat([0.6, -0.6], 8)
    imagenet = agreement(["ResNet-50", "ResNet-83", "ResNet-50 (2.8x)"], [0.7697, 0.7800, 0.7797])
    rows = {f"synset/{name}": np.full(len(SYNSETS), value) for name, value in {"deep": 0.75, "deep_se": 5e-4, "wide_se": 5e-4}.items()}
    return {
        **{key: value for key, value in study_files("nguyen_wide", WIDE, ("all", "quarter", "sixteenth", "plain", "untrained"), wide).items()
           if key[1] in (("cka",) if key[2] in ("plain", "quarter", "untrained") else wide)},
        **study_files("nguyen_deep", DEEP, ("all", "quarter", "sixteenth", "untrained"), both),
        **study_files("nguyen_deep100", DEEP, ("all", "half", "quarter"), {"cka": of_cka}),
        **study_files("nguyen_wide100", WIDE, ("all", "half"), {"cka": of_cka}),
        ("nguyen_across", "cka", "seeds_small"): group(names("ResNet-38 (1x)"), [NONE] * 3, lambda i, j: heatmap()),
        ("nguyen_across", "cka", "seeds_wide"): group(names("ResNet-38 (10x)"), unlike, apart(unlike)),
        ("nguyen_across", "cka", "seeds_deep"): group(names("ResNet-110 (1x)"), unlike, apart(unlike)),
        ("nguyen_across", "cka", "architectures_plain"): group(["ResNet-14 (2x) seed 0", "ResNet-56 (1x) seed 0"], [NONE] * 2, shifted(1)),
        ("nguyen_across", "cka", "architectures_block"): group(["ResNet-14 (2x) seed 0", "ResNet-164 (1x) seed 0"], [NONE, LARGE],
                                                               apart([(0, L), LARGE])),
        ("nguyen_agreement", "agreement", "pair"): agreement(["ResNet-62 (1x)", "ResNet-14 (2x)"], [0.9409, 0.9408]) | {
            "shown/first": 0.5 + gap / 2, "shown/second": 0.5 - gap / 2},
        ("nguyen_agreement", "agreement", "by_depth"): agreement([f"ResNet-{depth} (1x)" for depth in PAPERS_DEPTHS],
                                                                 [value / 100 for value in PAPERS_DEPTHS.values()]),
        ("nguyen_agreement", "agreement", "by_width"): agreement([f"ResNet-26 ({width:g}x)" for width in PAPERS_WIDTHS],
                                                                 [value / 100 for value in PAPERS_WIDTHS.values()]),
        ("nguyen_agreement", "agreement", "imagenet"): imagenet | rows | {
            "class/p": few_significant(400), "class/p_control": few_significant(50), "models/aic": np.array([3e6, 2.9e6, 2.8e6]),
            "models/v2": np.float64(0.11), "synset/name": np.array(list(SYNSETS)), "synset/classes": np.full(len(SYNSETS), 60),
            "synset/wide": 0.75 + np.array(list(SYNSETS.values())), "synset/p": np.where(np.array(list(SYNSETS.values())) == 0, 0.8, 0.01),
            "synset/threshold": np.int64(50)},
        **accuracy_files()}


def few_significant(number):
    """p-values of 1000 classes."""
    return np.repeat([0.01, 0.5], [number, 1000 - number])


RESULTS = everything()


def judged(results, scale="paper", width=1):
    return nguyen.judge(lambda study, measure, variant, suffix="npz": results[study, measure, variant], scale, width)


@pytest.fixture(scope="module")
def found():
    return judged(RESULTS)


def put(changes, results=RESULTS):
    """The results with other values: {"study/measure/variant: names": value}, names a pattern, value one for all, or of the old one."""
    results = dict(results)
    for place, value in changes.items():
        file, pattern = place.split(": ")
        file = tuple(file.split("/"))
        names = [name for name in results[file] if fnmatchcase(name, pattern)]
        assert names, place
        results[file] = {**results[file], **{name: value(results[file][name]) if callable(value) else value for name in names}}
    return results


def only(results, file, keep):
    """The results with a file that keeps only sizes that satisfy keep(key)."""
    return {**results, file: {name: value for name, value in results[file].items() if "/" not in name or keep(name.split("/")[0])}}


def claims_of(results, figure, words, **settings):
    return [claim for claim in judged(results, **settings) if claim.figure == f"nguyen_{figure}" and words in claim.statement]


def verdict(results, figure, words, number=0, **settings):
    return claims_of(results, figure, words, **settings)[number].verdict


# --- what holds -------------------------------------------------------------------------------------------------------

def test_claims_that_hold_are_reproduced(found):
    assert [(claim.figure, claim.statement, claim.ours, claim.reason) for claim in found if claim.verdict != "reproduced"] == []
    assert list(dict.fromkeys(claim.figure for claim in found)) == KEYS
    assert len({(claim.figure, claim.statement, claim.n) for claim in found}) == len(found)
    for claim in found:
        assert claim.verdict in VERDICTS and all((claim.statement, claim.paper, claim.ours, claim.n))
        assert all(isinstance(value, str) for value in asdict(claim).values())
        assert "nan" not in claim.ours and "–" not in claim.ours, claim


def test_numbers_of_the_paper_are_named(found):
    text = " ".join(claim.paper for claim in found).replace(" ", " ")
    for number in ("419 of 1000", "11 %", "74.9 ± 0.05", "72.4 ± 0.07", "81.6", "94.09 ± 0.01", "p = 0.47", "87/22", "23/71", "76.97",
                   "p = 0.047", "3 011 367; 3 006 889; 2 969 410", "91.69", "94.37", "93.09", "95.81", "93.5/94.0/94.2",
                   "70.5/75.8/79.3", ".54 .49", "+0.42"):
        assert number in text, number


def scaled(fraction):
    """Another share of layers for a block, its place kept."""
    return lambda old: np.array([fraction, *old[1:]])


def moved(start, stop):
    return block((start, stop))


# --- thresholds: figure, words, which of the claims, a change inside, a change outside ----------------------------------

def rising(figure, words_of, study, variant, keys, number):
    place = lambda key: f"{study}/cka/{variant}: {key}/?/block"
    level = lambda shares: {place(key): scaled(share) for key, share in zip(keys, shares)}
    # Spearman's rho 0.1 and 0.
    return [(figure, f"rises with {words_of}: Spearman", number, level([0.3, 0.4, 0.2, 0.1, 0.5]), level([0.4, 0.3, 0.2, 0.1, 0.5])),
            (figure, f"rises with {words_of}: last minus", number, {place(keys[-1]): scaled(0.151)}, {place(keys[-1]): scaled(0.149)})]


def less_data(figure, study, variants, keys):
    last, place = variants[-1], lambda variant, key: f"{study}/cka/{variant}: {key}/?/block"
    onsets = lambda share: {place("all", keys[2]): scaled(0.31), place(last, keys[1]): scaled(0.0), place(last, keys[2]): scaled(share)}
    return [(figure, "at every size", 0, {place(last, keys[2]): scaled(0.301)}, {place(last, keys[2]): scaled(0.299)}),
            (figure, "does not grow", 0, onsets(0.301), onsets(0.3))]


def single_nets(number, study, large, small):
    """Claims on one network with a block and one without, of a study."""
    cka, pca, probe, deletion = (f"{study}/{measure}/all: " for measure in ("cka", "pca", "probe", "deletion"))
    blocks = {f"{cka}{large}/?/block": moved(*MEDIUM), f"{cka}{large}/?/cka": heatmap(MEDIUM)}
    variance = lambda inside, outside: {**blocks, f"{pca}{large}/?/fraction": np.where(layers_in(MEDIUM), inside, outside)}
    cosines = lambda r: {**blocks, f"{pca}{large}/?/cosine2": correlated(heatmap(MEDIUM), r)}
    left = lambda share: {f"{cka}{large}/?/block": scaled(0.4), f"{cka}{large}/?/removed_block": scaled(share)}
    after = lambda last: {**blocks, f"{probe}{large}/?/after": np.array([0.2, 0.4, 0.5, 0.55, last, 1.0])}
    line = np.linspace(0.3, 0.4, 6)
    sums = lambda gain: {**blocks, f"{probe}{large}/?/after": line, f"{probe}{large}/?/before": line - gain}
    lost = lambda loss: {**blocks, f"{deletion}{large}/?/deleted": np.array([0.5, 0.9 - loss, 0.9, 0.9])}

    def plain_cosines(r):
        """Correlated by r with CKA among the ReLU layers, strongly elsewhere."""
        found, relus = correlated(heatmap(), 0.95), np.ix_(POST, POST)
        found[relus] = correlated(heatmap()[relus], r)
        return {f"{pca}{small}/?/cosine2": found}

    shift = lambda by: {f"{cka}{small}/?/removed": lambda old: heatmap() + by * ~np.eye(L, dtype=bool)}
    return [
        ("fig3", "more than 0.5 of the variance", number, variance(0.501, 0.1), variance(0.499, 0.1)),
        ("fig3", "inside the block than outside", number, variance(0.8, 0.79), variance(0.8, 0.81)),
        ("fig3", "above 0.8", number, cosines(0.81), cosines(0.79)),
        ("fig3", "less than 0.5 of the share", number, left(0.199), left(0.201)),
        ("figD6", "large network", number, left(0.199), left(0.201)),
        ("fig4", "less than 25 %", number, after(0.699), after(0.701)),
        ("fig4", "at least as accurate", number, sums(0.0), sums(-0.001)),
        ("fig5", "loses at most 2 points", number, lost(0.02), lost(0.0201)),
        ("fig5", "without a block", 2 if number == 0 else 1, {f"{deletion}{small}/?/deleted": np.array([0.5, 0.799, 0.9, 0.9])},
         {f"{deletion}{small}/?/deleted": np.array([0.5, 0.801, 0.9, 0.9])}),
        ("fig5", "Spearman", number, {f"{deletion}{large}/0/full": 0.905}, {f"{deletion}{large}/[12]/deleted": np.full(4, 0.5)}),
        ("figD7", "smaller than in", number, {f"{pca}{small}/?/fraction": np.where(POST, 0.79, 0.99)},  # its ReLU layers count
         {f"{pca}{small}/?/fraction": np.where(POST, 0.81, 0.1)}),
        ("figD7", "below 0.5", number, plain_cosines(0.49), plain_cosines(0.51)),
        ("figD7", "less than 0.1", number, shift(0.095), shift(-0.105)),
        ("figD1", "every seed", number, {f"{cka}{large}/0/block": scaled(0.201)}, {f"{cka}{large}/0/block": scaled(0.2)}),
        ("figD1", "place differs", number, {f"{cka}{large}/[02]/block": moved(0, 20), f"{cka}{large}/1/block": moved(0, 19)},
         {f"{cka}{large}/?/block": moved(0, 20)})]


def across_seeds(number, kind):
    file, blocks = f"nguyen_across/cka/seeds_{kind}", [LARGE, MEDIUM, SMALL]
    cross = lambda **levels: {f"{file}: {i}/{j}/cka": apart(blocks, **levels)(i, j) for i, j in ((0, 1), (0, 2), (1, 2))}
    within = lambda level: {f"{file}: {i}/{i}/cka": heatmap(blocks[i], level) for i in SEEDS}
    return [("fig6", f"{kind} network: mean CKA", 0, cross(inside=0.39), cross(inside=0.41)),
            ("fig6", f"{kind} network: mean CKA", 0, within(0.91), within(0.89)),
            ("fig6", f"{kind} network: across seeds", 0, cross(inside=0.3, outside=0.31), cross(inside=0.3, outside=0.29))]


def gaining(old, middling, others):
    """Accuracies of the largest network: its examples gain `middling` where the smallest is at 0.6, 0.2 where at 0.1."""
    return np.repeat([0.1 + 0.2, 0.6 + middling, 0.96 + others * 0.1], [100, 100, 200])


def one_worse(file, by, halves=("first", "second")):
    """One example on which the largest network is worse than the smallest; 99 % of the control's differences lie within 0.099."""
    control = {"first": np.linspace(0.4, 0.6, 401), "second": np.full(401, 0.5)}
    return {f"{file}0/{half}": values for half, values in control.items()} | {
        f"{file}7/{half}": values - np.where(np.arange(401) == 200, by * (half in halves), 0) for half, values in control.items()}


def predictions():
    file = {name: f"nguyen_agreement/agreement/{name}: " for name in ("pair", "by_depth", "by_width", "imagenet")}
    pair, imagenet = file["pair"], file["imagenet"]
    spread = lambda cross, control: {f"{pair}dispersion": np.where(np.eye(2, dtype=bool), np.diag(control), cross)}
    gaps = lambda gap, old: np.concatenate([np.full(8, gap[0]), np.full(8, gap[1])]) + 0 * old
    shown = lambda *gap: {f"{pair}shown/first": lambda old: 0.5 + gaps(gap, old), f"{pair}shown/second": np.full(16, 0.5)}
    pictured = lambda a, b: {f"{imagenet}dispersion": np.array([[0.03, a, a], [0.2, 0.03, b], [0.2, 0.2, 0.03]])}
    means = lambda *values: {f"{imagenet}{g}/accuracy": np.full(60, value) for g, value in enumerate(values)}
    aic = lambda *values: {f"{imagenet}models/aic": np.array(values)}
    # 2 standard errors of a difference are 0.00283.
    found = [("fig7", "two halves of ResNet-62:", 0, spread(0.1029, [0.1, 0.2]), spread(0.1027, [0.1, 0.0])),
             ("figF1", "two halves of ResNet-62:", 0, spread(0.1029, [0.1, 0.2]), spread(0.1027, [0.1, 0.0])),
             ("figF1", "two halves of ResNet-14", 0, spread(0.1029, [0.2, 0.1]), spread(0.1027, [0.0, 0.1])),
             ("fig7", "twice the 5 %", 0, {f"{imagenet}class/p": few_significant(101)}, {f"{imagenet}class/p": few_significant(100)}),
             ("fig7", "deep network", 0, {f"{imagenet}class/p_control": few_significant(199)},
              {f"{imagenet}class/p_control": few_significant(200)}),
             ("fig7", "dogs", 0, {f"{imagenet}synset/p": np.full(9, 0.05)}, {f"{imagenet}synset/p": np.full(9, 0.049)}),
             ("figF1", "p above 0.05", 0, {f"{pair}p_mean": 0.051}, {f"{pair}p_mean": 0.049}),
             ("figF1", "favour of ResNet-62:", 0, shown(0.201, 0.5), shown(0.199, -0.5)),
             ("figF1", "favour of ResNet-14", 0, shown(-0.5, -0.201), shown(0.5, -0.199)),
             ("figF4", "each two", 0, pictured(0.031, 0.031), pictured(0.029, 0.1)),
             ("figF4", "each two", 0, pictured(0.031, 0.031), pictured(0.1, 0.029)),
             ("figF4", "both larger", 0, means(0.77, 0.771, 0.771), means(0.77, 0.769, 0.78)),
             ("figF4", "both larger", 0, means(0.77, 0.771, 0.771), means(0.77, 0.78, 0.769)),
             ("tabF1", "AIC", 0, aic(3, 2, 1), aic(2, 3, 1)), ("tabF1", "AIC", 0, aic(3, 2, 1), aic(3, 1, 2)),
             ("tabF1", "V²", 0, {f"{imagenet}models/v2": 0.01}, {f"{imagenet}models/v2": -0.01}),
             ("tabF1", "V²", 0, {f"{imagenet}models/v2": 0.99}, {f"{imagenet}models/v2": 1.0}),
             ("tabF2", "no other synset", 0, {f"{imagenet}synset/p": np.full(9, 0.05)},
              {f"{imagenet}synset/p": np.array([0.049, *[0.8] * 8])})]
    found += [(figure, f"{name.replace('_', ' ')}:", 0, {f"{imagenet}synset/p": np.full(9, 0.049)}, change)
              for figure, names in (("fig7", ("structure", "consumer_goods")), ("tabF2", [name for name in SYNSETS if SYNSETS[name]]))
              for name in names
              for change in ({f"{imagenet}synset/p": np.full(9, 0.051)}, {f"{imagenet}synset/wide": lambda old: 1.5 - old})]
    for figure, name, smallest in (("figF2", "by_depth", 0.9169), ("figF3", "by_width", 0.9309)):
        level = lambda g, value: {f"{file[name]}{g}/accuracy": np.full(60, value)}
        found += [(figure, "within 0.4 points", 0, level(0, smallest - 0.0039), level(0, smallest - 0.0041)),
                  (figure, "every step", 0, level(1, smallest + 0.0001), level(1, smallest)),
                  (figure, "gain most", 0, {f"{file[name]}7/second": lambda old: gaining(old, 0.21, 0.1)},
                   {f"{file[name]}7/second": lambda old: gaining(old, 0.19, 0.1)}),
                  (figure, "more than 0", 0, one_worse(file[name], 0.0991), one_worse(file[name], 0.0989)),
                  (figure, "more than 0", 0, one_worse(file[name], 0.0991), one_worse(file[name], 0.0991, halves=("first",)))]
    return found


def turned(column, suffix, lowest):
    """Accuracies of the table, the order of the lowest ones turned round: Spearman's rho 0.91 for 9, 0.87 for 10."""
    cells = sorted((row[column][index], f"{study}{suffix}/training/{variant}: {key}")
                   for (study, variant), row in ACCURACIES.items() for index, key in enumerate(row[0]))
    ranks = [*range(lowest)[::-1], *range(lowest, len(cells))]
    return {place: {"test_accuracy": [0.01 * rank]} for rank, (_, place) in zip(ranks, cells)}


def table():
    found = []
    for name, suffix, margin in (("CIFAR-10 ", "", 0.007), ("CIFAR-100 ", "100", 0.015)):
        paper = ACCURACIES["nguyen_table", "depth20"][1 + bool(suffix)][2] / 100
        level = lambda value: {f"nguyen_table{suffix}/training/depth20: w4": {"test_accuracy": [value - 0.01, value + 0.01]}}
        found += [("tabB1", f"each {name}", 0, level(paper + 0.99 * off), level(paper + 1.01 * off)) for off in (margin, -margin)]
        found.append(("tabB1", f"{name}accuracies are ordered", 0, *(turned(1 + bool(suffix), suffix, lowest) for lowest in (9, 10))))
    return found


def crossings():
    found, small = [], "nguyen_across/cka/seeds_small"
    for number, (study, along, keys) in enumerate((("nguyen_deep", "depth", DEEP), ("nguyen_wide", "width", WIDE))):
        found += rising("fig1", along, study, "all", keys, 0)
        cka = f"{study}/cka/all: "
        found += [("fig1", "last two stages", number, {f"{cka}{keys[-1]}/?/block": moved(4, 16)},
                   {f"{cka}{keys[-1]}/?/block": moved(3, 16)}),
                  ("fig1", "checkerboard", number, {f"{cka}{keys[0]}/?/checkerboard": 0.01}, {f"{cka}{keys[0]}/?/checkerboard": -0.01}),
                  ("figD6", "smallest network", number, {f"{cka}{keys[0]}/?/removed": heatmap() + 0.095 * ~np.eye(L, dtype=bool)},
                   {f"{cka}{keys[0]}/?/removed": heatmap() + 0.105 * ~np.eye(L, dtype=bool)})]
        found += single_nets(number, study, ("d110", "w10")[number], ("d44", "w2")[number])
    probes = lambda *ranks: {f"nguyen_wide/probe/all: w1/?/after": 0.1 * np.array(ranks)}
    sparse = lambda value: {"nguyen_wide/sparsity/all: w10/?/nonzero": lambda old: np.where(old == 0.5, value, 0.4)}
    places = [(study, name) for study in ("nguyen_deep", "nguyen_wide") for name in RESULTS[study, "cka", "all"] if name.endswith("/block")]
    shares = np.array([RESULTS[study, "cka", "all"][name][0] for study, name in places])
    late = lambda r: {f"{study}/pca/all: {name.removesuffix('block')}late": np.float64(value)
                      for (study, name), value in zip(places, 0.5 + with_correlation(shares, r))}
    changed = lambda by: {f"{small}: {i}/{j}/cka": heatmap() + by for i, j in ((0, 1), (0, 2), (1, 2))}
    return [*found, *rising("figC1", "width", "nguyen_wide", "plain", WIDE, 0),
            *less_data("fig2", "nguyen_wide", ("all", "quarter", "sixteenth"), WIDE),
            *less_data("figD2", "nguyen_deep", ("all", "quarter", "sixteenth"), DEEP),
            *less_data("figD3", "nguyen_deep100", ("all", "half", "quarter"), DEEP),
            *less_data("figD4", "nguyen_wide100", ("all", "half"), WIDE),
            ("fig4", "above 0.9", 0, probes(1, 2, 3, 4, 6, 5), probes(1, 2, 4, 3, 6, 5)),  # Spearman's rho 0.94 and 0.89
            ("figD5", "above 0.6", 0, late(0.61), late(0.59)),
            ("figD8", "less than 10 points", 0, sparse(0.499), sparse(0.501)),
            ("figD8", "less than 10 points", 0, sparse(0.301), sparse(0.299)),
            ("figD8", "neither always", 0, {"nguyen_wide/sparsity/all: w10/?/between": np.array([0, 0, 0.1, 0.1, 0.1, 0])},
             {"nguyen_wide/sparsity/all: w10/?/between": np.array([1, 1, 1, 1, 0.0, 1])}),
            ("fig6", "small network", 0, changed(0.095), changed(-0.105)), *across_seeds(0, "wide"), *across_seeds(0, "deep"),
            ("figE1", "without a block", 0, {architectures_of("plain"): shifted(3)(0, 1)}, {architectures_of("plain"): shifted(4)(0, 1)}),
            ("figE1", "with a block", 0, {architectures_of("block"): np.where(layers_in(LARGE), 0.39, 0.9) + np.zeros((L, 1))},
             {architectures_of("block"): np.where(layers_in(LARGE), 0.41, 0.1) + np.zeros((L, 1))}), *predictions(), *table()]


def architectures_of(kind):
    return f"nguyen_across/cka/architectures_{kind}: 0/1/cka"


CROSSINGS = crossings()


@pytest.mark.parametrize("figure, words, number, inside, outside", CROSSINGS, ids=[f"{row[0]}-{row[1]}-{row[2]}" for row in CROSSINGS])
def test_a_verdict_flips_at_its_threshold(figure, words, number, inside, outside):
    assert verdict(put(inside), figure, words, number) == "reproduced"
    assert verdict(put(outside), figure, words, number) == "not reproduced"


def test_every_claim_has_a_crossing(found):
    for claim in found:
        assert any(claim.figure == f"nguyen_{figure}" and words in claim.statement for figure, words, *_ in CROSSINGS), claim.statement


# --- what a claim presupposes -----------------------------------------------------------------------------------------

def test_on_stand_ins_nothing_is_testable():
    claims = judged(RESULTS, scale="smoke")
    assert {claim.verdict for claim in claims} == {"not testable"} and all("stand-in" in claim.reason for claim in claims)


def test_only_comparisons_with_the_papers_numbers_need_width_1(found):
    changed = [claim for before, claim in zip(found, judged(RESULTS, width=2)) if claim.verdict != before.verdict]
    assert {claim.figure for claim in changed} == {"nguyen_figF2", "nguyen_figF3", "nguyen_tabB1"} and len(changed) == 6
    assert all(claim.verdict == "not testable" and "width is 2" in claim.reason for claim in changed)


PREDICTED = {"nguyen_fig7", "nguyen_figF1", "nguyen_figF2", "nguyen_figF3", "nguyen_figF4", "nguyen_tabF1", "nguyen_tabF2"}


@pytest.mark.parametrize("networks, expected", [(50, "reproduced"), (49, "not testable")])
def test_predictions_need_fifty_networks_in_every_group(networks, expected):
    results = put({f"nguyen_agreement/agreement/{name}: 1/networks": networks for name in ("pair", "by_depth", "by_width", "imagenet")})
    claims = [claim for claim in judged(results) if claim.figure in PREDICTED]
    assert {claim.figure for claim in claims} == PREDICTED and {claim.verdict for claim in claims} == {expected}
    assert all(("at least 50 networks a group, here 49" in claim.reason) == (networks == 49) for claim in claims)


def changed_by(found, results, **settings):
    """Claims whose verdict changes: {(figure, beginning of the statement): reason}; all become not testable."""
    later = judged(results, **settings)
    changed = [claim for before, claim in zip(found, later) if claim.verdict != before.verdict]
    assert len(later) == len(found) and {claim.verdict for claim in changed} <= {"not testable"}
    return [(claim.figure.removeprefix("nguyen_"), claim.statement, claim.reason) for claim in changed]


def test_without_a_block_what_presupposes_one_is_not_testable(found):
    places = {f"nguyen_{study}/cka/all: {key}/?/block": scaled(0.19) for study, key in (("deep", "d110"), ("wide", "w10"))}
    across = {f"nguyen_across/cka/seeds_{kind}: ?/block": scaled(0.19) for kind in ("wide", "deep")}
    results = put({**places, **across, "nguyen_across/cka/architectures_block: 1/block": scaled(0.19)})
    lost = [(claim.figure, claim.statement, claim.reason) for before, claim in zip(found, judged(results))
            if claim.verdict == "not testable" and "block formed" in claim.reason]
    counts = {figure: sum(f"nguyen_{figure}" == row[0] for row in lost) for figure in
              ("fig1", "fig3", "fig4", "fig5", "fig6", "figD1", "figD6", "figD7", "figD8", "figE1")}
    # Of fig. 1 the widest alone: the deepest is ResNet-164; of fig. 5 also what is compared with the number of blocks deleted.
    assert counts == {"fig1": 1, "fig3": 8, "fig4": 4, "fig5": 5, "fig6": 4, "figD1": 2, "figD6": 2, "figD7": 2, "figD8": 2, "figE1": 1}
    assert len(lost) == sum(counts.values()) and all("no block formed" in reason and "0.19" in reason for *_, reason in lost)
    assert verdict(results, "figD1", "every seed", 0) == verdict(results, "figD1", "every seed", 1) == "not reproduced"


def test_a_block_where_the_paper_shows_none_makes_claims_untestable(found):
    places = {f"nguyen_{study}/cka/all: {key}/?/block": scaled(0.5)
              for study, key in (("deep", "d32"), ("deep", "d44"), ("wide", "w1"), ("wide", "w2"))}
    across = {f"nguyen_across/cka/{name}: ?/block": scaled(0.5) for name in ("seeds_small", "architectures_plain")}
    lost = [claim for claim in judged(put({**places, **across})) if claim.verdict == "not testable"]
    counts = {figure: sum(claim.figure == f"nguyen_{figure}" for claim in lost)
              for figure in ("fig4", "fig5", "fig6", "figD6", "figD7", "figE1")}
    assert counts == {"fig4": 3, "fig5": 3, "fig6": 1, "figD6": 2, "figD7": 6, "figE1": 1} and len(lost) == sum(counts.values())
    assert all("a block formed: block fraction 0.50" in claim.reason for claim in lost)
    below = judged(put({place: scaled(0.499) for place in places}))
    assert {claim.verdict for claim in below if claim.figure[7:] in counts} == {"reproduced"}


def test_seeds_without_a_block_are_left_out():
    results = put({"nguyen_deep/cka/all: d110/1/block": block(NONE), "nguyen_deep/pca/all: d110/1/fraction": np.zeros(L)})
    claim = claims_of(results, "fig3", "more than 0.5 of the variance")[0]
    assert claim.verdict == "reproduced" and claim.ours == "0.80 ± 0.00" and claim.n == "ResNet-110 (1x), all data, 2 of 3 seeds"


def test_no_block_with_any_share_of_the_data_is_not_testable():
    for share, reasons in ((0.19, ["at most 0.19"] * 2), (0.3, ["", "none above 0.3"])):
        results = put({f"nguyen_wide/cka/{variant}: w*/?/block": scaled(share) for variant in ("all", "quarter", "sixteenth")})
        claims = [claim for claim in judged(results) if claim.figure == "nguyen_fig2"]
        assert all(reason in claim.reason for claim, reason in zip(claims, reasons))
        assert [claim.verdict for claim in claims] == ["not testable" if reason else "reproduced" for reason in reasons]


def test_a_block_in_the_smallest_network_on_every_share_tells_nothing_apart():
    results = put({f"nguyen_wide/cka/{variant}: w*/?/block": scaled(0.5) for variant in ("all", "quarter", "sixteenth")})
    claim = claims_of(results, "fig2", "smallest size")[0]
    assert claim.verdict == "not testable" and "the smallest network kept (w1)" in claim.reason


def test_a_gain_within_noise_is_no_whole_to_take_a_share_of():
    """100 test images at an accuracy of about 0.5: two standard errors of a difference are 0.14."""
    for gain, expected in ((0.2, "reproduced"), (0.1, "not testable")):
        results = put({"nguyen_deep/probe/all: d110/?/after": 0.5 + gain * np.array([-0.5, 0, 0, 0, 0, 0.5])})
        assert verdict(results, "fig4", "less than 25 %", 0) == expected


def test_figure_1_says_what_untrained_networks_show(found):
    for claim in found:
        if claim.figure == "nguyen_fig1" and "share of layers" in claim.statement:
            assert claim.reason.startswith("untrained networks: w1 0.00 ±" if "width" in claim.statement else "untrained networks: d32 0.00 ±")
            assert all(f" {key} " in claim.reason for key in (WIDE if "width" in claim.statement else DEEP))


@pytest.mark.parametrize("scale, variant", [("quick", "sixteenth"), ("gpu", "all"), ("paper", "all")])
def test_networks_with_a_block_come_from_the_scales_variant(scale, variant):
    other = {"sixteenth": "all", "all": "sixteenth"}[variant]
    for study, key in (("nguyen_deep", "d110"), ("nguyen_wide", "w10")):
        number = int(study == "nguyen_wide")
        weak = lambda variant: put({f"{study}/pca/{variant}: {key}/?/fraction": np.full(L, 0.1)})
        assert verdict(weak(other), "fig3", "more than 0.5 of", number, scale=scale) == "reproduced"
        assert verdict(weak(variant), "fig3", "more than 0.5 of", number, scale=scale) == "not reproduced"


def test_the_deep_network_has_at_most_110_layers(found):
    expected = {f"{name}, all data, 3 seeds" for name in ("ResNet-110 (1x)", "ResNet-38 (10x)")}
    assert {claim.n for claim in found if claim.figure == "nguyen_fig3"} == expected
    results = RESULTS
    for file in RESULTS:
        if file[0] == "nguyen_deep" and file[1] != "training":
            results = only(results, file, lambda key: key in ("d32", "d56", "d164"))
    assert claims_of(results, "fig3", "more than 0.5")[0].n.startswith("ResNet-56 (1x)")
    nearest = {"ResNet-32 (1x)", "ResNet-38 (2x)"}  # ResNet-44 is left out
    assert {claim.n.split(",")[0] for claim in claims_of(results, "figD7", "below 0.5")} == nearest


def kept_in(keep, results=RESULTS):
    """The results with those sizes alone that a scale keeps."""
    for file in RESULTS:
        if file[0].startswith(("nguyen_wide", "nguyen_deep")) and file[1] != "training":
            results = only(results, file, keep)
    return results


def test_trends_need_three_sizes():
    results = kept_in(lambda key: key in ("w1", "w10", "d32", "d110"))
    trends = [claim for claim in judged(results) if claim.statement.startswith(("the share of layers", "the smallest size"))]
    assert len(trends) == 10 and all(claim.verdict == "not testable" and "fewer than three sizes" in claim.reason for claim in trends)
    three = kept_in(lambda key: key in ("w1", "w8", "w10", "d32", "d110", "d164"))
    assert {claim.verdict for claim in judged(three) if claim.statement in {trend.statement for trend in trends}} == {"reproduced"}
    two = ["ResNet-14 (1x)", "ResNet-164 (1x)"]
    file = ("nguyen_agreement", "agreement", "by_depth")
    assert verdict({**RESULTS, file: agreement(two, [0.9169, 0.9437])}, "figF2", "every step") == "not testable"
    assert verdict({**RESULTS, file: agreement(two[:1], [0.9169])}, "figF2", "gain most") == "not testable"
    one = {key: value for key, value in RESULTS.items() if key[1] != "training"} | {key: {} for key in RESULTS if key[1] == "training"}
    assert {claim.verdict for claim in judged(one) if claim.figure == "nguyen_tabB1"} == {"not testable"}


def seeds_cut(number):
    """The results with that many seeds of each size."""
    return {file: {name: value[:number] if name.endswith("/seeds") else value for name, value in result.items()}
            for file, result in RESULTS.items()}


def test_one_seed_where_seeds_are_compared_is_not_testable(found):
    results = seeds_cut(1)
    for kind in ("small", "wide", "deep"):
        file = ("nguyen_across", "cka", f"seeds_{kind}")
        results[file] = {**results[file], "names": results[file]["names"][:1]}
    reasons = [(figure, reason) for figure, _, reason in changed_by(found, results)]
    assert [figure for figure, _ in reasons] == ["fig5"] * 2 + ["fig6"] * 5 + ["figD1"] * 4
    assert all("seeds are compared" in reason for _, reason in reasons)


def test_a_correlation_over_seeds_needs_three():
    assert verdict(seeds_cut(2), "fig5", "Spearman") == "not testable"
    same = put({"nguyen_deep/deletion/all: d110/?/deleted": np.full(4, 0.9)})
    assert "same in all seeds" in claims_of(same, "fig5", "Spearman")[0].reason


@pytest.mark.parametrize("scale", ["smoke", "quick", "paper"])
def test_a_scale_may_leave_out_every_network(scale):
    results = {file: {name: value for name, value in result.items() if "/" not in name} if file[0][:11] in ("nguyen_wide", "nguyen_deep")
               and file[1] != "training" else result for file, result in RESULTS.items()}
    claims = judged(results, scale)
    assert len(claims) == len(judged(RESULTS))
    missing = [claim for claim in claims if claim.figure not in PREDICTED | {"nguyen_fig6", "nguyen_figE1", "nguyen_tabB1"}]
    assert {claim.verdict for claim in missing} == {"not testable"}
    assert {claim.figure for claim in missing} == set(KEYS) - PREDICTED - {"nguyen_fig6", "nguyen_figE1", "nguyen_tabB1"}


def test_what_was_not_measured_is_not_testable(found):
    results = {file: {name: value for name, value in result.items() if "removed" not in name} for file, result in RESULTS.items()}
    assert [figure for figure, *_ in changed_by(found, results)] == ["fig3"] * 2 + ["figD6"] * 4 + ["figD7"] * 2
    file = ("nguyen_agreement", "agreement", "imagenet")
    few = {name: value[:1] if name.startswith("synset/") and value.ndim else value for name, value in RESULTS[file].items()}
    changed = changed_by(found, {**RESULTS, file: few | {"synset/threshold": np.int64(5)}})
    assert [figure for figure, *_ in changed] == ["fig7"] * 3 + ["tabF2"] * 7
    assert all("fewer than 5 classes" in reason for *_, reason in changed)


def test_only_seeds_that_every_measure_has_are_taken():
    results = put({"nguyen_deep/pca/all: d110/seeds": np.array([0, 2])})
    assert claims_of(results, "fig3", "more than 0.5 of")[0].n == "ResNet-110 (1x), all data, 2 seeds"
    assert claims_of(results, "fig5", "Spearman")[0].n == "ResNet-110 (1x), all data, 3 seeds"


def test_dead_layers_change_no_verdict(found):
    dead = np.arange(L) == 5

    def kill(name, value):
        if name.endswith(("/cka", "/removed", "/cosine2")):
            return np.where(dead | dead[:, None], np.nan, value)
        return np.where(dead, np.nan, value) if name.endswith("/fraction") else value

    results = {file: {name: kill(name, value) for name, value in result.items()} for file, result in RESULTS.items()}
    assert [claim.verdict for claim in judged(results)] == [claim.verdict for claim in found]


def test_order_of_sizes_and_groups_does_not_matter(found):
    results = {file: dict(reversed(result.items())) for file, result in RESULTS.items()}
    for name, numbers in (("by_depth", PAPERS_DEPTHS), ("by_width", PAPERS_WIDTHS)):
        file, G = ("nguyen_agreement", "agreement", name), len(numbers)
        turned = {f"{G - 1 - int(key[0])}{key[1:]}" if key[0].isdigit() else key: value for key, value in results[file].items()}
        results[file] = turned | {"names": RESULTS[file]["names"][::-1]}
    assert [(claim.ours, claim.verdict) for claim in judged(results)] == [(claim.ours, claim.verdict) for claim in found]


def test_shrunken_images_are_named():
    for scale, expected in (("gpu", True), ("paper", False)):
        claims = [claim for claim in judged(RESULTS, scale) if claim.figure in ("nguyen_figF4", "nguyen_tabF1", "nguyen_tabF2")]
        assert all(("Tiny-ImageNet-200" in claim.reason) == expected for claim in claims)


@pytest.mark.parametrize("kind", ["wide", "deep", "small"])
def test_two_seeds_can_be_compared_and_others_are_left_out(kind):
    place, words = f"nguyen_across/cka/seeds_{kind}: ", f"{kind} network"
    assert verdict(put({f"{place}names": RESULTS["nguyen_across", "cka", f"seeds_{kind}"]["names"][:2]}), "fig6", words) == "reproduced"
    odd = {f"{place}2/block": scaled(0.6 if kind == "small" else 0.1), f"{place}?/2/cka": np.full((L, L), 1.0)}
    assert verdict(put(odd), "fig6", words) == "reproduced"
    assert "block formed" in claims_of(put({**odd, f"{place}1/block": scaled(0.6 if kind == "small" else 0.1)}), "fig6", words)[0].reason
