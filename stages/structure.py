"""What the hidden state encodes: `python -m stages.structure <paper> <study> <variant> <scale> [<judge's
study>]`.

Class purity and clusters of the map, shift, colour and mirror image read from the activations. Where a judge
is named, an independently trained classifier: how near an atlas' icons lie to real images in its features.
"""

import sys
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from pipeline.bounds import Named
from pipeline.cells import Cells, load
from pipeline.lanes import one_thread
from pipeline.lifetime import stage
from pipeline.networks import trained
from pipeline.parameters import declared
from wide import artifacts
from wide.measure import icons_judged, lucid, maps, structure
from wide.measure.equal_units import raw_and_equal
from wide.measure.mirror import odd_share

REFERENCE = 5000  # real images among which an icon's neighbours are looked for
PICTURES = 200  # of noise and of held-out real images, which icons are compared with


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
def main(paper: str, study: str, variant: str, scale: str, judge: str | None = None):
    # The order in which threads add up is no part of a result.
    with one_thread(), threadpool_limits(1):
        found = measured(paper, study, variant, scale, declared()[study]["measure"])
        if judge:
            judge_icons(found, paper, study, variant, scale, judge)
        found.save(artifacts.result(scale, paper, study, "structure", variant, "json"))


def measured(paper, study, variant, scale, own) -> Cells:
    """What the maps and the activations of every size hold."""
    networks = trained(scale, paper, study, variant)
    tensors, _ = artifacts.load_tensors(artifacts.activations(scale, paper, study, variant))
    splits, _ = artifacts.load_tensors(artifacts.dataset(scale, networks.set), ["train/images"])
    images = splits["train/images"][tensors["index"]]
    mapped = load(scale, paper, study, "umap", variant)
    labels = mapped.get(networks.labels, "label").astype(np.int64)
    sizes = networks.firsts()
    kept = min(tensors[f"{size.key}/features"].shape[1] for size, _ in sizes)
    found = Cells({"equal_units": kept})
    for size, index in sizes:
        features, points = tensors[f"{size.key}/features"], mapped.get("points", size.key)
        found.put_all(of_network(size, features), size.key)
        found.put_all(of_map(points, labels), size.key)
        found.put_all(of_shift(mapped, points, features, labels, kept), size.key)
        if "structure" in own:
            colours = structure.colour_targets(images)
            found.put_all(of_colour(points, features, colours, labels, kept, **own["structure"]), size.key)
            found.put_all(of_sides(size, index, features, images, labels, kept, **own["structure"]), size.key)
    return found


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
    clusters = maps.clusters_within_classes(points, labels)
    purity, purity_classes = maps.knn_purity(points, labels)
    silhouette, silhouette_classes = maps.silhouette(points, labels)
    return {
        "purity": purity,
        "purity_classes": purity_classes,
        "silhouette": silhouette,
        "silhouette_classes": silhouette_classes,
        "clusters": clusters,
        "clusters_mean": clusters.mean(),
    }


def of_shift(mapped, points, features, labels, kept) -> dict:
    """Where images bear a shift: how well state and map tell it within a class."""
    if not mapped.has("shift", "label"):
        return {}
    shift, origin = mapped.get("shift", "label").astype(np.int64), mapped.get("origin", "label")
    originals = min(len(np.unique(origin[labels == label])) for label in np.unique(labels))
    folds, targets = max(2, min(5, originals)), structure.shift_targets(shift)

    def read(reduce):
        return structure.within_class_r2(reduce(features), targets, labels, folds=folds, groups=origin)

    raw, equal = (fit.mean(axis=1) for fit in raw_and_equal(read, features.shape[1], kept))
    ring = maps.annulus_correlation(points, shift, labels)
    return {
        "shift_r2": raw,
        "shift_r2_mean": raw.mean(),
        "shift_r2_equal": equal,
        "shift_r2_equal_mean": equal.mean(),
        "annulus": ring,
        "annulus_mean": ring.mean(),
    }


def of_colour(points, features, colours, labels, kept, coloured, mirrored) -> dict:
    """Colour read within one class (section 4.3: cars), and whether the map goes by it across classes."""
    of_class = labels == coloured

    def read(reduce):
        states = reduce(features[of_class])
        return structure.within_class_r2(states, colours[of_class], labels[of_class])[0]

    raw, equal = raw_and_equal(read, features.shape[1], kept)
    neighbours = maps.colour_neighbours(points, colours[:, :3], labels)
    return {
        **_folds("colour_r2", raw),
        **_folds("colour_r2_equal", equal),
        "colour_neighbours": neighbours.mean(),
        "colour_neighbours_classes": neighbours,
    }


def of_sides(size, index, features, images, labels, kept, coloured, mirrored) -> dict:
    """How much of the state within a class says which side an image faces (4.3: horses)."""
    of_class = labels == mirrored
    turned = size.features(index, torch.from_numpy(images[of_class][..., ::-1].copy())).numpy()

    def share(reduce):
        return odd_share(reduce(features[of_class]), reduce(turned))

    raw, equal = raw_and_equal(share, features.shape[1], kept)
    return {**_folds("mirror_odd", raw), **_folds("mirror_odd_equal", equal)}


def _folds(name, scores) -> dict:
    return {name: scores.mean(), f"{name}_folds": scores}


def judge_icons(found, paper, study, variant, scale, judge):
    """How near icons, noise and held-out images lie to real images in the judge's features."""
    networks = trained(scale, paper, study, variant)
    [classifier] = trained(scale, paper, judge, "judge").sizes
    names = ("train/images", f"{networks.test}/images")
    splits, _ = artifacts.load_tensors(artifacts.dataset(scale, networks.set), names)
    train, held_out = (some(splits[name], count) for name, count in zip(names, (REFERENCE, PICTURES)))
    reference = seen(classifier, train)

    def nearness(pictures):
        return icons_judged.neighbour_cosine(seen(classifier, pictures), reference)

    found.put("real_cosine", nearness(held_out))
    found.put("noise_cosine", nearness(icons_judged.uniform_noise(PICTURES, train.shape[1:])))
    found.put("smooth_noise_cosine", nearness(icons_judged.smooth_noise(train, PICTURES)))
    atlas = load(scale, paper, study, "atlas", variant)
    for size, _ in networks.firsts():
        for name in ("icons", "neurons"):
            if atlas.has(name, size.key):
                found.put(f"{name}_cosine", nearness(atlas.get(name, size.key)), size.key)


def some(images, count):
    """A seeded draw of images."""
    return images[np.sort(np.random.default_rng(0).permutation(len(images))[:count])]


def seen(classifier, pictures):
    """The judge's last hidden layer of uint8 pictures, antialiased to the size that it is shown."""
    side = classifier.image[1]
    if pictures.shape[2] != side:
        pictures = lucid.shrink(torch.from_numpy(pictures).float() / 255, side).numpy()
    return classifier.features(0, torch.from_numpy(pictures)).numpy()


if __name__ == "__main__":
    main(*sys.argv[1:])
