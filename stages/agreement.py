"""What groups of networks get right: `python -m stages.agreement <paper> <study> <scale> <variant> …`.

Nguyen et al. 2021, section 7 and appendix F. A group is a size of a variant; groups stand in the order of the
variants named, then of sizes, and have numbers. The first halves of groups choose examples, the second halves
say what their accuracies are. Where the paper compares two groups in more ways, these are the deep and the
wide networks, the last two variants named.
"""

import sys
from dataclasses import dataclass
from itertools import product
from typing import Annotated

import numpy as np

from pipeline import scratch
from pipeline.bounds import Count, Named, Seed, at_least
from pipeline.caps import measure_caps
from pipeline.cells import Cells
from pipeline.lifetime import stage
from pipeline.measurement import examples
from pipeline.networks import trained
from pipeline.parameters import declared
from wide import artifacts
from wide.measure import agreement, synsets


@dataclass(frozen=True)
class Settings:
    """draws, seed: of the bootstrap. shown: images of the largest gaps, each way.

    least: classes of a synset, by scale.
    """

    draws: Annotated[int, at_least(2)]
    seed: Seed
    shown: Count
    least: dict[Annotated[str, Named("scales", each=True)], Count]

    def refuse(self, trial):
        """Raise ValueError for too few networks or images."""
        few = [f"{key} has {count}" for key, count in trial.members.items() if count < 2]
        if few:
            raise ValueError(f"halves of a size's networks are compared; seeds must be 2 or more, {few[0]}")
        if self.shown > trial.examples:
            raise ValueError(f"shown is {self.shown}; it must be at most {trial.examples}, the test images")


@stage
def main(paper: str, study: str, scale: str, *variants: str):
    params = declared()
    caps, settings = measure_caps(params, params[study], scale), params["measures"]["agreement"]
    networks = {variant: trained(scale, paper, study, variant) for variant in variants}
    first = networks[variants[0]]
    images, labels = examples(scale, first.set, first.test, first.labels, caps.get("points"))
    found, groups = Cells({"labels": labels.numpy(), "images": np.int64(len(images))}), []
    with scratch.bar(0, f"{study}: predictions", "net") as bar:
        for size in (size for variant in variants for size in networks[variant].sizes):
            describe(found, len(groups), size)
            groups.append(right(size, images, labels.numpy()))
            bar.update(len(groups[-1]))
    put_groups(found, groups, settings)
    if len(groups) > 1 and len(variants) > 1:  # a scale may leave networks out
        card = artifacts.load_tensors(artifacts.dataset(scale, first.set), [])[1]
        compare(found, *groups[-2:], images, labels.numpy(), card, settings, scale)
    found.save(artifacts.result(scale, paper, study, "agreement", "groups"))


def describe(found, number, size):
    """Width and depth of a group; the width of the third stage where that alone is wider."""
    found.put("depth", np.int64(size.depth), number)
    found.put("width", np.float64(size.fact["options"].get("stage3_width", 1) * size.width), number)


def compare(found, deep, wide, images, labels, card, settings, scale):
    """Deep against wide networks: means, and single images, or classes and synsets where the classes are
    WordNet's.
    """
    test = agreement.mean_test(deep, wide)  # t > 0: deep is better
    found.put_all(dict(zip(("t_mean", "df_mean", "p_mean"), map(np.float64, test))))
    if "wnids" not in card:
        return put_images(found, deep, wide, images, settings["shown"])
    found.put("name", np.array([word(card, wnid) for wnid in card["wnids"]]), "class")
    put_classes(found, deep, wide, labels)
    put_synsets(found, deep, wide, labels, card, settings["least"][scale])


def right(size, images, labels):
    """Which images each member of a group classifies right, (members, examples) bool.

    Raises ValueError where fewer than two are left, which have no halves.
    """
    members = size.members()
    if len(members) < 2:
        lost = len(size.fact["seeds"]) - len(members)
        raise ValueError(
            f"{lost} networks of size {size.key} diverged and {len(members)} did not, of which halves are "
            "compared: lower the learning rate of this study"
        )
    return np.stack([predictions(size, index, images) == labels for index, _ in members])


def predictions(size, index, images, batch=500):
    """Classes that a member chooses, (examples,) int.

    images: a tensor or a Folder, of which a batch at a time is decoded.
    """
    call, view = size.forward(index), size.view(images)
    chosen = [
        call(view[start : start + batch]).argmax(1).cpu().numpy() for start in range(0, len(view), batch)
    ]
    return np.concatenate(chosen)


def put_groups(found, groups, settings):
    """Per-example accuracies of both halves of each group, and the dispersion of every pair of groups."""
    halves = [halves_of(group) for group in groups]
    for number, (group, (first, second)) in enumerate(zip(groups, halves)):
        found.put("first", agreement.example_accuracy(first), number)
        found.put("second", agreement.example_accuracy(second), number)
        found.put("networks", np.int64(len(group)), number)
        found.put("accuracy", group.mean(1), number)
    shape = (len(groups), len(groups))
    apart, error = np.zeros(shape), np.zeros(shape)
    for row, column in product(range(len(groups)), repeat=2):
        pair = halves[row][0], halves[column][1]
        apart[row, column] = agreement.dispersion(*map(agreement.example_accuracy, pair))
        error[row, column] = agreement.dispersion_se(*pair, draws=settings["draws"], seed=settings["seed"])
    found.put("dispersion", apart)
    found.put("dispersion_se", error)


def put_images(found, deep, wide, images, shown):
    """The images with the largest gaps either way, chosen on first halves, and their accuracies on second
    halves.
    """
    halves = [halves_of(group) for group in (deep, wide)]
    first, second = ([agreement.example_accuracy(pair[half]) for pair in halves] for half in (0, 1))
    index = np.concatenate(
        [agreement.largest_gaps(*first, shown), agreement.largest_gaps(*first[::-1], shown)]
    )
    found.put("index", index, "shown")
    found.put("images", images[index].numpy(), "shown")
    found.put("first", second[0][index], "shown")
    found.put("second", second[1][index], "shown")


def put_classes(found, deep, wide, labels):
    """Class accuracies, Welch's tests, and the nested logistic models (appendix F.3).

    Each also of two halves of the deep networks, between which no architecture differs.
    """
    halves = halves_of(deep)
    groups = {"deep": deep, "wide": wide, "control_a": halves[0], "control_b": halves[1]}
    by_class = {name: agreement.class_accuracy(group, labels) for name, group in groups.items()}
    for name, value in by_class.items():
        found.put(name, value.mean(0), "class")
    found.put("p", p_values(by_class["wide"], by_class["deep"]), "class")
    found.put("p_control", p_values(by_class["control_a"], by_class["control_b"]), "class")
    models = agreement.nested_models(wide, deep, labels)
    found.put("aic", models.aic, "models")
    found.put("v2", np.float64(models.v2), "models")
    for name, pair in (("fall", (wide, deep)), ("control_fall", halves)):
        fall, error = agreement.aic_falls(*pair, labels)
        found.put_all({name: fall, f"{name}_se": error}, "models")


def halves_of(group):
    """Two disjoint halves of a group's networks."""
    return [group[part] for part in agreement.halves(len(group))]


def word(card, wnid) -> str:
    """The first of a synset's synonyms."""
    return card["words"][wnid].split(",")[0]


def p_values(a, b):
    """Welch's tests; NaN where a group is a single network, which has no spread."""
    return agreement.welch(a, b) if min(len(a), len(b)) > 1 else np.full(a.shape[1], np.nan)


def put_synsets(found, deep, wide, labels, card, least):
    """Accuracies on the classes below each large synset (table F.2)."""
    parents = {child: set(above) for child, above in card["parents"].items()}
    groups = synsets.synsets_with(card["wnids"], parents, least)
    renamed = {"a": "wide", "b": "deep", "a_se": "wide_se", "b_se": "deep_se"}
    found.put("name", np.array([word(card, wnid) for wnid in groups]), "synset")
    found.put("threshold", np.int64(least), "synset")
    for name, value in synsets.synset_table(wide, deep, labels, groups).items():
        found.put(renamed.get(name, name), value, "synset")
    halves, alone = halves_of(deep), np.full(len(groups), np.nan)  # one network has no spread to test with
    p = synsets.synset_table(*halves, labels, groups)["p"] if len(halves[0]) > 1 else alone
    found.put("p_control", p, "synset")


if __name__ == "__main__":
    main(*sys.argv[1:])
