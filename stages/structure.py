"""What the hidden state encodes: `python -m stages.structure <study> <net> <set> <scale> <variant> <judge's population>`.

Class purity and clusters of the map, shift, colour and mirror image read from the activations, and how sure an
independently trained classifier is of the icons.
"""
import sys

import numpy as np
import torch

from stages import declared_params, running, stage
from stages.members import families
from wide import artifacts
from wide.measure import lucid, structure
from wide.population import layer_outputs, member


@stage
def main(study: str, net: str, data: str, scale: str, variant: str, judge: str):
    params = declared_params()[study]
    splits, _ = artifacts.load_tensors(artifacts.dataset(scale, data))
    tensors, _ = artifacts.load_tensors(artifacts.activations(scale, study, variant))
    maps = artifacts.load_result(artifacts.result(scale, study, "umap", variant))
    atlas = artifacts.load_result(artifacts.result(scale, study, "atlas", variant))
    images = splits["train/images"][tensors["index"]]
    [classifier] = families(judge, "convnet", images.shape[1:])
    numbers = {}
    for family in families(artifacts.population(scale, study, variant), net, images.shape[1:]):
        key = family.key
        here = {name.removeprefix(f"{key}/"): value for name, value in {**maps, **atlas}.items() if name.startswith(f"{key}/")}
        features = tensors[f"{key}/features"]
        labels = maps[f"label/{params['labels']}"].astype(np.int64)
        numbers[key] = {"width": family.fact["width"], "units": features.shape[1], "epochs": family.fact["recipe"]["epochs"],
                        **{name: family.fact[name] for name in ("train_accuracy", "test_accuracy")},
                        **of_map(here["points"], labels), "zero_fraction": structure.zero_fraction(features),
                        **of_shift(maps, here["points"], features, labels),
                        **of_icons(here, classifier, params["measure"]["atlas"]["pad"])}
        if "colour" in params["measure"]:
            numbers[key] |= of_colour(family, features, images, labels, **params["measure"]["colour"])
    artifacts.save_numbers(artifacts.result(scale, study, "structure", variant, "json"), numbers)


def of_map(points, labels):
    found = structure.clusters_within_classes(points, labels)
    return {"purity": structure.knn_purity(points, labels), "silhouette": structure.silhouette(points, labels),
            "clusters": found, "clusters_mean": found.mean()}


def of_shift(maps, points, features, labels):
    """Where images bear a shift: how well it is read from the hidden state, and seen in the map, within a class."""
    if "label/shift" not in maps:
        return {}
    shift = maps["label/shift"].astype(np.int64)
    origin = maps["label/origin"]
    originals = min(len(np.unique(origin[labels == label])) for label in np.unique(labels))
    fit = structure.within_class_r2(features, structure.shift_targets(shift), labels, folds=max(2, min(5, originals)), groups=origin)
    ring = structure.annulus_correlation(points, shift, labels)
    return {"shift_r2": fit, "shift_r2_mean": fit.mean(), "annulus": ring, "annulus_mean": ring.mean()}


def of_colour(family, features, images, labels, coloured, mirrored):
    """Hue and mean colour within one class, left and right within another (Gilboa & Gur-Ari, 4.3: cars and horses)."""
    car, horse = labels == coloured, labels == mirrored
    fit = structure.within_class_r2(features[car], structure.colour_targets(images[car]), labels[car])
    net = family.build()
    other = layer_outputs(net, member(family.population, 0), torch.from_numpy(images[horse][..., ::-1].copy()), net.penultimate,
                          standardise=family.standardise, device=running.device())
    return {"colour_r2": fit.mean(), "mirror_accuracy": structure.mirror_separability(features[horse], other.numpy())}


def of_icons(here, classifier, pad):
    """Confidence of the independent classifier in the atlas' and the single neurons' icons, and colour of neighbours."""
    adjacent, pairs = structure.neighbour_colour_similarity(here["icons"], here["cells"])
    numbers = {"icons": len(here["icons"]), "neighbour_colour_distance": adjacent, "random_colour_distance": pairs}
    for name in ("icons", "neurons"):
        if name in here:
            pictures = torch.from_numpy(here[name]).float() / 255
            view = pictures if pictures.shape[2:] == classifier.image[1:] else lucid.shrink(pictures, classifier.image[1])
            logits = layer_outputs(classifier.build(), member(classifier.population, 0), view, standardise=classifier.standardise)
            numbers[f"{name}_confidence"] = structure.confidence(logits)
    return numbers


if __name__ == "__main__":
    main(*sys.argv[1:])
