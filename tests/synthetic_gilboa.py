"""Result files of Gilboa & Gur-Ari as the stages leave them, made up: ten clouds, icons of noise."""

import numpy as np
from drawings import entry

from pipeline.cells import Cells
from wide import artifacts
from wide.measure import visualise

POINTS, GRID, ICON = 600, 15, 40
DIGITS = [("w20", 20), ("w2048", 2048)]


def write_atlas(scale, key, sizes, channels=1, shift=False, neurons=True):
    """Maps and icons of a figure's networks, sizes [(key, units), ...]."""
    rng = np.random.default_rng(len(key) + sizes[0][1])
    told = entry(key, scale)
    labels = rng.integers(0, 10, POINTS).astype(np.int16)
    umap, atlas = Cells(), Cells({"grid": np.int64(GRID)})
    umap.put(told["label"], labels, "label")
    if shift:
        umap.put("shift", rng.integers(0, 28, POINTS).astype(np.int16), "label")
    for size, units in sizes:
        noise = rng.normal(size=(POINTS, 2))
        points = (rng.normal(size=(10, 2))[labels] * 9 + noise).astype(np.float32)
        umap.put("points", points, size)
        umap.put("width", np.float64(units), size)
        umap.put("units", np.int64(units), size)
        umap.put("test_accuracy", np.array([0.98912]), size)
        put_icons(atlas, size, points, units, channels, rng, neurons)
    for measure, found in (("umap", umap), ("atlas", atlas)):
        found.save(artifacts.result(scale, "gilboa", told["study"], measure, told["variant"]))


def put_icons(atlas, size, points, units, channels, rng, neurons):
    cells, members = visualise.cells(visualise.layout(points))
    atlas.put("icons", icons(len(cells), channels, rng), size)
    atlas.put("cells", cells.astype(np.int16), size)
    atlas.put("counts", np.array([len(rows) for rows in members], np.int32), size)
    atlas.put("units", np.int64(units), size)
    if neurons:
        shown = min(units, 30)
        atlas.put("neurons", icons(shown, channels, rng), size)
        atlas.put("neuron_index", np.arange(shown), size)


def icons(count, channels, rng):
    return rng.integers(0, 256, (count, channels, ICON, ICON)).astype(np.uint8)


def write_transfer(scale, study, width, inputs, seeds=3):
    """Accuracies of retrained last layers, by width."""
    rng, shape = np.random.default_rng(0), (len(width), seeds)
    found = Cells({"width": np.array(width, float), "depth": np.zeros(len(width), int)})
    found.put("inputs", np.int64(inputs))
    found.put("original", rng.uniform(0.8, 0.9, shape))
    found.put("tuned", rng.uniform(0.2, 0.7, shape))
    found.put("linear", rng.uniform(0.3, 0.4, seeds))
    found.save(artifacts.result(scale, "gilboa", study, "transfer", "base"))


def write_all(scale):
    """All results that the paper's figures are drawn from."""
    write_atlas(scale, "gilboa_fig1", DIGITS)
    write_atlas(scale, "gilboa_fig2", DIGITS, shift=True)
    write_atlas(scale, "gilboa_fig3", [("w64", 64), ("w2048", 256)], channels=3)
    write_transfer(scale, "shift", [2000, 985, 543, 271], 784)
    write_transfer(scale, "coarse", [16, 64, 256, 1024], 3072)
    write_atlas(scale, "gilboa_fig5", [("w512", 512)], channels=3)
    write_atlas(scale, "gilboa_fig6", [("w784", 784)], neurons=False)
