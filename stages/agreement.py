"""What groups of networks get right: `python -m stages.agreement <net> <set> <scale> <name> <study> <variant> …`.

Nguyen et al., section 7 and appendix F. A group is a size of a variant; groups stand in the order of the variants named, then of
sizes. The first halves of groups choose examples, the second halves say what their accuracies are. Where the paper compares two
groups in more ways, these are the deep (a) and the wide networks (b), the last two variants named.
"""
import sys
from itertools import product

import numpy as np

from stages import declared_params, running, stage
from stages.members import examples, families
from stages.study import caps_of
from wide import artifacts
from wide.measure import agreement, synsets

COMPARED = {"pair", "imagenet"}  # groups deep, wide and base, deep, wide; all others are sweeps of a size, in which no two stand out


@stage
def main(net: str, data: str, scale: str, name: str, study: str, *variants: str):
    params = declared_params()
    caps, settings = caps_of(params, study, scale, "measure"), params["nguyen"]["agreement"]
    images, labels = examples(scale, data, params[study]["test"], params[study]["labels"], caps.get("points"))
    names, groups = [], []
    with running.bar(0, f"{study}: predictions", "net") as bar:
        for variant in variants:
            for family in families(artifacts.population(scale, study, variant), net, images.shape[1:]):
                names.append(title(family.fact, always=name == "pair"))
                groups.append(np.stack([predictions(family, index, images) == labels.numpy() for index, _ in family.members()]))
                bar.update(len(groups[-1]))
    found = {"names": np.array(names), "labels": labels.numpy(), "images": np.int64(len(images)), **of_groups(groups, settings)}
    if name in COMPARED:
        deep, wide = groups[-2:]
        found |= dict(zip(("t_mean", "df_mean", "p_mean"), map(np.float64, agreement.mean_test(deep, wide))))  # t > 0: deep is better
    if name == "pair":
        found |= of_images(deep, wide, images, settings["shown"])
    if name == "imagenet":
        card = artifacts.load_tensors(artifacts.dataset(scale, data), [])[1]
        found |= {"class/name": np.array([word(card, wnid) for wnid in card["wnids"]]), **of_classes(deep, wide, labels.numpy())}
        found |= of_synsets(deep, wide, labels.numpy(), card, settings["least"][scale])
    artifacts.save_result(artifacts.result(scale, "nguyen_agreement", "agreement", name), found)


def title(fact, always: bool) -> str:
    """ResNet-26, ResNet-26 (1.4x), and ResNet-50 (2.8x) where only a stage is wider. always: ResNet-26 (1x), too."""
    width = fact["options"].get("stage3_width", 1) * fact["width"]
    return f"ResNet-{fact['options']['depth']}" + (f" ({width:g}x)" if always or width != 1 else "")


def predictions(family, index, images, batch=500):
    """Classes that a member chooses, (examples,) int. images: a tensor or a Folder, of which a batch at a time is decoded."""
    call, view = family.forward(index), family.view(images)
    return np.concatenate([call(view[start:start + batch]).argmax(1).cpu().numpy() for start in range(0, len(view), batch)])


def of_groups(groups, settings) -> dict:
    """Per-example accuracies of both halves of each group, and how far every pair of groups lies from the diagonal."""
    halves = [[group[part] for part in agreement.halves(len(group))] for group in groups]
    found = {"dispersion": np.zeros((len(groups),) * 2), "dispersion_se": np.zeros((len(groups),) * 2)}
    for number, (group, (first, second)) in enumerate(zip(groups, halves)):
        found |= {f"{number}/first": agreement.example_accuracy(first), f"{number}/second": agreement.example_accuracy(second),
                  f"{number}/networks": np.int64(len(group)), f"{number}/accuracy": group.mean(1)}
    for row, column in product(range(len(groups)), repeat=2):
        pair = halves[row][0], halves[column][1]
        found["dispersion"][row, column] = agreement.dispersion(*map(agreement.example_accuracy, pair))
        found["dispersion_se"][row, column] = agreement.dispersion_se(*pair, draws=settings["draws"], seed=settings["seed"])
    return found


def of_images(a, b, images, shown) -> dict:
    """The images with the largest gaps either way, chosen on first halves, and their accuracies on second halves."""
    (a1, a2), (b1, b2) = ([agreement.example_accuracy(group[part]) for part in agreement.halves(len(group))] for group in (a, b))
    index = np.concatenate([agreement.largest_gaps(a1, b1, shown), agreement.largest_gaps(b1, a1, shown)])
    return {"shown/index": index, "shown/images": images[index].numpy(), "shown/first": a2[index], "shown/second": b2[index]}


def of_classes(deep, wide, labels) -> dict:
    """Class accuracies, Welch's tests, and the nested logistic models (appendix F.3)."""
    by_class = {"deep": deep, "wide": wide, **{f"control_{name}": deep[part] for name, part in zip("ab", agreement.halves(len(deep)))}}
    by_class = {key: agreement.class_accuracy(group, labels) for key, group in by_class.items()}
    models = agreement.nested_models(wide, deep, labels)
    return {**{f"class/{key}": value.mean(0) for key, value in by_class.items()},
            "class/p": p_values(by_class["wide"], by_class["deep"]), "class/p_control": p_values(by_class["control_a"], by_class["control_b"]),
            "models/aic": models.aic, "models/v2": np.float64(models.v2)}


def word(card, wnid) -> str:
    """The first of a synset's synonyms."""
    return card["words"][wnid].split(",")[0]


def p_values(a, b):
    """Welch's tests; NaN where a group is a single network, which has no spread."""
    return agreement.welch(a, b) if min(len(a), len(b)) > 1 else np.full(a.shape[1], np.nan)


def of_synsets(deep, wide, labels, card, least) -> dict:
    """Accuracies on the classes below each large synset (table F.2)."""
    parents = {child: set(above) for child, above in card["parents"].items()}
    groups = synsets.synsets_with(card["wnids"], parents, least)
    table = synsets.synset_table(wide, deep, labels, groups)
    renamed = {"a": "wide", "b": "deep", "a_se": "wide_se", "b_se": "deep_se"}
    return {"synset/name": np.array([word(card, wnid) for wnid in groups]), "synset/threshold": np.int64(least),
            **{f"synset/{renamed.get(key, key)}": value for key, value in table.items()}}


if __name__ == "__main__":
    main(*sys.argv[1:])
