"""Two-dimensional maps of activations: `python -m stages.umap <study> <set> <scale> <variant>`.

A stage of its own, so that a setting of the atlas does not redo it. umap-learn with a fixed random_state, which makes it
single-threaded and reproducible.
"""
import sys

import numpy as np
from umap import UMAP

from stages import declared_params, running, stage
from wide import artifacts


@stage
def main(study: str, data: str, scale: str, variant: str):
    settings = declared_params()["gilboa"]["umap"]
    tensors, card = artifacts.load_tensors(artifacts.activations(scale, study, variant))
    splits, _ = artifacts.load_tensors(artifacts.dataset(scale, data))
    arrays = {f"label/{name.split('/')[1]}": value[tensors["index"]].astype(np.int16)
              for name, value in splits.items() if name.startswith("train/") and name != "train/images"}
    with running.bar(len(card), f"{study} {variant} UMAP of {len(tensors['index']):,} points", "map") as bar:
        for key, fact in card.items():
            points = UMAP(**settings).fit_transform(tensors[f"{key}/features"])
            arrays |= {f"{key}/points": points.astype(np.float32), f"{key}/width": np.float64(fact["width"]),
                       f"{key}/units": np.int64(fact["units"]), f"{key}/test_accuracy": np.array(fact["test_accuracy"])}
            bar.update()
    artifacts.save_result(artifacts.result(scale, study, "umap", variant), arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
