"""What the hidden state encodes: `python -m stages.structure <paper> <study> <variant> <scale> <judge's
study>`.

Class purity and clusters of the map, shift, colour and mirror image read from the activations, and how sure
an independently trained classifier, the judge, is of the icons.
"""

import sys
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import torch

from pipeline.bounds import Named
from pipeline.cells import Cells, load
from pipeline.lifetime import stage
from pipeline.networks import trained
from pipeline.parameters import declared
from wide import artifacts
from wide.measure import lucid, structure


@dataclass(frozen=True)
class OfStudy:
    """coloured, mirrored: classes within which colour, and left and right, are looked for, if any are."""

    needed: ClassVar[bool] = False
    coloured: Annotated[int, Named("classes")]
    mirrored: Annotated[int, Named("classes")]

    def refuse(self, trial):
        """Raise ValueError for images without colours."""
        if trial.stored[0] != 3:
            raise ValueError(f"images are of shape {trial.stored}; they must have 3 channels for hues")


@stage
def main(paper: str, study: str, variant: str, scale: str, judge: str):
    own = declared()[study]["measure"]
    networks = trained(scale, paper, study, variant)
    [classifier] = trained(scale, paper, judge, "judge").sizes
    tensors, _ = artifacts.load_tensors(artifacts.activations(scale, paper, study, variant))
    splits, _ = artifacts.load_tensors(artifacts.dataset(scale, networks.set), ["train/images"])
    images = splits["train/images"][tensors["index"]]
    maps, atlas = (load(scale, paper, study, measure, variant) for measure in ("umap", "atlas"))
    labels = maps.get(networks.labels, "label").astype(np.int64)
    found = Cells()
    for size, index in networks.firsts():
        features, points = tensors[f"{size.key}/features"], maps.get("points", size.key)
        found.put_all(of_network(size, features), size.key)
        found.put_all(of_map(points, labels), size.key)
        found.put_all(of_shift(maps, points, features, labels), size.key)
        found.put_all(of_icons(atlas, size.key, classifier, own["atlas"]["pad"]), size.key)
        if "structure" in own:
            found.put_all(of_colour(size, index, features, images, labels, **own["structure"]), size.key)
    found.save(artifacts.result(scale, paper, study, "structure", variant, "json"))


def of_network(size, features) -> dict:
    accuracies = {name: size.accuracies(name) for name in ("train_accuracy", "test_accuracy")}
    return {
        "width": size.width,
        "units": features.shape[1],
        "epochs": size.fact["recipe"]["epochs"],
        "zero_fraction": structure.zero_fraction(features),
        **accuracies,
    }


def of_map(points, labels) -> dict:
    found = structure.clusters_within_classes(points, labels)
    return {
        "purity": structure.knn_purity(points, labels),
        "silhouette": structure.silhouette(points, labels),
        "clusters": found,
        "clusters_mean": found.mean(),
    }


def of_shift(maps, points, features, labels) -> dict:
    """Where images bear a shift: how well it is read from the hidden state, and seen in the map, within a
    class.
    """
    if not maps.has("shift", "label"):
        return {}
    shift, origin = maps.get("shift", "label").astype(np.int64), maps.get("origin", "label")
    originals = min(len(np.unique(origin[labels == label])) for label in np.unique(labels))
    folds = max(2, min(5, originals))
    fit = structure.within_class_r2(
        features, structure.shift_targets(shift), labels, folds=folds, groups=origin
    )
    ring = structure.annulus_correlation(points, shift, labels)
    return {"shift_r2": fit, "shift_r2_mean": fit.mean(), "annulus": ring, "annulus_mean": ring.mean()}


def of_colour(size, index, features, images, labels, coloured, mirrored) -> dict:
    """Hue and mean colour within one class, left and right within another (Gilboa & Gur-Ari, 4.3: cars and
    horses).
    """
    car, horse = labels == coloured, labels == mirrored
    fit = structure.within_class_r2(features[car], structure.colour_targets(images[car]), labels[car])
    other = size.features(index, torch.from_numpy(images[horse][..., ::-1].copy()))
    return {
        "colour_r2": fit.mean(),
        "mirror_accuracy": structure.mirror_separability(features[horse], other.numpy()),
    }


def of_icons(atlas, key, classifier, pad) -> dict:
    """Confidence of the judge in the atlas' and the single neurons' icons, and colour of neighbours."""
    icons = atlas.get("icons", key)
    adjacent, pairs = structure.neighbour_colour_similarity(icons, atlas.get("cells", key))
    numbers = {"icons": len(icons), "neighbour_colour_distance": adjacent, "random_colour_distance": pairs}
    for name in ("icons", "neurons"):
        if atlas.has(name, key):
            pictures = torch.from_numpy(atlas.get(name, key)).float() / 255
            fits = pictures.shape[2:] == classifier.image[1:]
            view = pictures if fits else lucid.shrink(pictures, classifier.image[1])
            numbers[f"{name}_confidence"] = structure.confidence(classifier.logits(0, view))
    return numbers


if __name__ == "__main__":
    main(*sys.argv[1:])
