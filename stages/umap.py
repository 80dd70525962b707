"""Penultimate activations and their two-dimensional maps: `python -m stages.umap <paper> <study> <variant>
<scale>`.

Of the first network of every size that did not diverge, without augmentation, for a seeded draw of training
examples (all of them at scale paper). A stage of its own, so that a setting of the atlas does not redo the
maps. umap-learn with a fixed random_state and all else on one thread, so that no map depends on how many
there are.
"""

import sys
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from pipeline import scratch
from pipeline.bounds import Count, Seed, at_least, between
from pipeline.caps import measure_caps
from pipeline.cells import Cells
from pipeline.lanes import one_thread
from pipeline.lifetime import stage
from pipeline.networks import trained
from pipeline.parameters import declared
from wide import artifacts


@dataclass(frozen=True)
class Settings:
    """umap-learn's own options; what is drawn has two components."""

    n_components: Literal[2]
    n_neighbors: Annotated[int, at_least(2)]
    min_dist: Annotated[float, between(0, 1)]
    metric: Literal["cosine", "correlation", "euclidean", "manhattan", "chebyshev"]
    n_epochs: Count
    random_state: Seed


@stage
def main(paper: str, study: str, variant: str, scale: str):
    params = declared()
    networks = trained(scale, paper, study, variant)
    splits, _ = artifacts.load_tensors(artifacts.dataset(scale, networks.set))
    images = torch.from_numpy(splits["train/images"])
    points = measure_caps(params, params[study], scale).get("points")
    index = np.sort(np.random.default_rng(0).permutation(len(images))[:points])
    with one_thread():
        features = {
            size.key: size.features(member, images[index]).numpy() for size, member in networks.firsts()
        }
    tensors = {f"{key}/features": value for key, value in features.items()}
    artifacts.save_tensors(artifacts.activations(scale, paper, study, variant), {"index": index, **tensors})
    found = Cells()
    for label, values in labels_of(splits, index).items():
        found.put(label, values.astype(np.int16), "label")
    title = f"{study} {variant} UMAP of {len(index):,} points"
    with scratch.bar(len(features), title, "map") as bar:
        for size, _ in networks.firsts():
            put_map(found, size, features[size.key], params["measures"]["umap"])
            bar.update()
    found.save(artifacts.result(scale, paper, study, "umap", variant))


def labels_of(splits, index) -> dict:
    """Every label of the training examples that are mapped."""
    train = {
        name.removeprefix("train/"): value for name, value in splits.items() if name.startswith("train/")
    }
    return {label: values[index] for label, values in train.items() if label != "images"}


def put_map(found, size, features, settings):
    from umap import UMAP  # takes seconds to import, and others import this module for its settings

    with one_thread(), threadpool_limits(1):  # the libraries that umap-learn has loaded by now
        points = UMAP(**settings).fit_transform(features)
    found.put("points", points.astype(np.float32), size.key)
    found.put("width", np.float64(size.width), size.key)
    found.put("units", np.int64(features.shape[1]), size.key)
    found.put("test_accuracy", np.array(size.accuracies("test_accuracy")), size.key)


if __name__ == "__main__":
    main(*sys.argv[1:])
