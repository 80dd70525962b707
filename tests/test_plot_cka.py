"""Heatmaps of Nguyen et al. and what stands below them, drawn from made-up results."""

import functools
import os
from pathlib import Path

import numpy as np
import pytest
import synthetic_nguyen as made
from drawings import ENTRIES, assert_apart, draw, entry, laid_out, named
from matplotlib.colors import to_rgb, to_rgba

from pipeline import cells
from stages.plot import sparsity_panels
from wide import plot

DRAWINGS = {"cka_grid", "cka_components", "cka_across", "accuracy_panels", "sparsity_panels"}
PANELS = {  # heatmaps and empty frames at the paper's scale, and at quick of what is made there
    "fig1": (12, 0, 11, 1),
    "fig2": (15, 0, 10, 5),
    "fig3": (6, 0, 6, 0),
    "fig4": (4, 0, 4, 0),
    "fig5": (4, 0, 4, 0),
    "fig6": (27, 0, 12, 15),
    "figC1": (5, 0, 3, 2),
    "figD1": (10, 0, 6, 4),
    "figD2": (15, 0, 11, 4),
    "figD3": (21, 0, 9, 12),
    "figD4": (10, 0, 6, 4),
    "figD5": (50, 0, 15, 15),
    "figD6": (10, 0, 9, 1),
    "figD7": (6, 0, 6, 0),
    "figD8": (0, 0, 0, 1),
    "figE1": (6, 0, 6, 0),
}
LAYOUTS = [
    "fig1",
    "fig2",
    "fig3",
    "fig5",
    "fig6",
    "figD3",
    "figD5",
    "figD8",
    "figE1",
]  # others are like these


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    """Results of both scales, in the working directory."""
    before, here = Path.cwd(), tmp_path_factory.mktemp("nguyen")
    os.chdir(here)
    try:
        made.write_all("quick")
        made.write_all("paper", paper=True)
        yield here
    finally:
        os.chdir(before)


def fresh(name, scale="paper"):
    return draw(f"nguyen_{name}", scale)


drawn = functools.cache(fresh)


def heatmaps(figure):
    return [image for axes in figure.axes for image in axes.images if image.norm is plot.UNIT]


def texts(figure):
    """Titles, labels of axes and texts in panels; not what stands at ticks."""
    found = []
    for axes in figure.axes:
        found += [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]
    return [text.get_text() for text in found]


def stored(study, measure, variant="all", scale="paper"):
    return cells.load(scale, "nguyen", study, measure, variant)


def colour(line):
    return to_rgb(line.get_color())


def assert_shown(images, matrices):
    for image, matrix in zip(images, matrices, strict=True):
        np.testing.assert_array_equal(image.get_array(), matrix)


# ---- all of them


def test_every_figure_of_heatmaps_is_counted():
    assert {key for key, told in ENTRIES.items() if told["draw"] in DRAWINGS} == {
        f"nguyen_{name}" for name in PANELS
    }


@pytest.mark.parametrize("name", PANELS)
def test_panels_share_one_colour_scale_and_run_upwards(name):
    for scale, (shown, left_out) in (("paper", PANELS[name][:2]), ("quick", PANELS[name][2:])):
        figure = drawn(name, scale)
        images = heatmaps(figure)
        assert len(images) == shown and texts(figure).count(f"not run\nat {scale}") == left_out
        assert all(image.origin == "lower" and image.get_cmap() == plot.MAGMA for image in images)
        limits = [axis for image in images for axis in (image.axes.get_xlim(), image.axes.get_ylim())]
        assert all(low < high for low, high in limits)
    assert (plot.UNIT.vmin, plot.UNIT.vmax) == (0, 1)


@pytest.mark.parametrize("name", LAYOUTS)
def test_nothing_is_clipped_and_no_two_labels_overlap(name):
    assert_apart(laid_out(drawn(name, "quick")), least=10)


@pytest.mark.parametrize("name", PANELS)
def test_no_result_at_all_is_an_error_that_says_what_to_do(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    study, measure, _ = named(entry(f"nguyen_{name}", "quick"))[0].split("/")
    first = f"{study}/{measure}/"
    with pytest.raises(
        FileNotFoundError, match=f"results/quick/nguyen/{first}.* is missing: run `dvc repro`"
    ):
        fresh(name, "quick")


# ---- heatmaps of single networks


def test_grid_shows_the_stored_matrices_in_the_order_of_its_rows():
    deep, wide = stored("deep", "cka"), stored("wide", "cka")
    wanted = [deep.get("cka", size, 0) for size in made.ALL["deep"]]
    wanted += [wide.get("cka", size, 0) for size in made.ALL["wide"]]
    wanted.append(stored("wide100", "cka").get("cka", "w10", 0))
    wanted.append(stored("imagenet", "cka", "wide_sixteenth").get("cka", "w1", 0))
    assert_shown(heatmaps(drawn("fig1")), wanted)
    removed = [deep.get("removed", size, 0) for size in made.ALL["deep"]]
    removed += [wide.get("removed", size, 0) for size in made.ALL["wide"]]
    assert_shown(heatmaps(drawn("figD6")), removed)


def test_titles_name_network_accuracy_and_block():
    shown = texts(drawn("fig1"))
    assert {"ResNet-110 (1×)", "ResNet-38 (4×)", "CIFAR-100\nResNet-38 (10×)"} <= set(shown)
    assert "1/16 ImageNet\nResNet-50 (2.8×)" in shown
    assert "90.0 %, block 29 %" in shown and "90.0 %, block 0 %" in shown
    at_quick = texts(drawn("fig1", "quick"))
    assert {"ResNet-164 (1×)", "ResNet-38 (10×)", "CIFAR-100\nResNet-38 (8×)"} <= set(at_quick)
    assert "1/16 Tiny-ImageNet\nResNet-50 (2.8×)" in at_quick
    assert texts(drawn("figD6")).count("90.0 %, block 0 %") == 10


def test_small_print_names_the_variants():
    [told] = [text.get_text() for text in drawn("fig1", "quick").texts]
    assert told.endswith("; variant sixteenth, all, wide_sixteenth; scale quick")
    [told] = [text.get_text() for text in drawn("fig1").texts]
    assert told.endswith("; variant all, wide_sixteenth; scale paper")


def test_rows_of_shares_and_seeds_are_labelled():
    shares = {"all\ntraining data", "1/4 of the\ntraining data", "1/16 of the\ntraining data"}
    assert shares <= set(texts(drawn("fig2")))
    assert {"ResNet-110\n(1×)", "ResNet-38\n(10×)", "seed 0", "seed 4"} <= set(texts(drawn("figD1")))
    assert "ResNet-38\n(8×)" in texts(drawn("figD1", "quick"))


def test_seeds_are_sorted_by_the_top_components_share():
    figure = drawn("figD5")
    titles = [float(text.split()[-1]) for text in texts(figure) if text.startswith("top PC")]
    rows = np.reshape(titles, (10, 5))
    assert (np.diff(rows) <= 0).all() and (np.diff(rows) < 0).any()
    pca, cka = stored("wide", "pca"), stored("wide", "cka")
    best = max(range(5), key=lambda seed: pca.get("late", "w10", seed))
    assert best != 0
    assert_shown(heatmaps(figure)[45:46], [cka.get("cka", "w10", best)])


def test_seeds_whose_share_was_not_measured_come_last_and_say_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made.write("quick", "wide", "sixteenth", ["w1", "w2", "w4"], ("cka",), seeds=3)
    made.write("quick", "wide", "sixteenth", ["w1", "w2", "w4"], ("pca",), seeds=2)
    figure = fresh("figD5", "quick")
    titles = [text for text in texts(figure) if text.startswith("top PC")]
    assert [title == "top PC –" for title in titles] == [False, False, True] * 3
    assert_shown(heatmaps(figure)[2:3], [stored("wide", "cka", "sixteenth", "quick").get("cka", "w1", 2)])


def test_dead_layers_are_grey():
    image = heatmaps(drawn("figD3"))[0]
    dead = np.ma.getmaskarray(image.get_array()).all(axis=1)
    assert np.flatnonzero(dead).tolist() == list(range(20, 25))
    assert tuple(image.get_cmap().get_bad()) == to_rgba("0.7")


def test_variant_that_the_scale_leaves_out_is_a_row_of_empty_frames(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made.write("quick", "wide", "all", made.ALL["wide"])
    figure = fresh("fig2", "quick")
    assert len(heatmaps(figure)) == 5 and texts(figure).count("not run\nat quick") == 10
    assert texts(figure).count("ResNet-38 (4×)") == 3


# ---- principal components


def test_components_of_a_deep_and_a_wide_network():
    figure, pca, cka = drawn("fig3"), stored("wide", "pca"), stored("wide", "cka")
    images = heatmaps(figure)  # row by row through both groups
    network = "w10", 0
    wanted = pca.get("cosine2", *network), cka.get("cka", *network), cka.get("removed", *network)
    assert_shown((images[2], images[3], images[5]), wanted)
    curve = [axes for axes in figure.axes if axes.collections and axes.get_ylabel() == "fraction"][1]
    outline = curve.collections[0].get_paths()[0].vertices
    assert outline[:, 1].max() == pytest.approx(pca.get("fraction", *network).max())
    assert curve.get_ylim() == (0, 1) and curve.get_xlim() == images[2].axes.get_xlim()
    block = cka.get("block", *network)[1:] - 0.5
    assert curve.patches[0].get_bbox().intervalx == pytest.approx(block)


def test_components_of_relu_layers_alone():
    images = heatmaps(drawn("figD7"))
    deep, wide = (43, 43), (37, 37)
    assert [image.get_array().shape for image in images] == [deep, deep, wide, wide, deep, wide]
    cka = stored("wide", "cka")
    kinds = [name.split(".")[-1] for name in cka.get("layers", "w2")]
    shown = [index for index, kind in enumerate(kinds) if kind in ("relu", "relu1", "relu2")]
    assert_shown(images[3:4], [cka.get("cka", "w2", 0)[shown][:, shown]])


def test_small_scales_show_the_block_on_a_sixteenth_of_the_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for study, size in (("wide", "w4"), ("deep", "d110")):
        made.write("quick", study, "sixteenth", [size], ("cka", "pca"))
    assert len(heatmaps(fresh("fig3", "quick"))) == 6


# ---- between networks


GRIDS = [
    ("fig6", ["seeds_small", "seeds_wide", "seeds_deep"], 3),
    ("figE1", ["architectures_plain", "architectures_block"], 2),
]


@pytest.mark.parametrize("name, groups, size", GRIDS)
def test_across_lies_row_on_y_column_on_x(name, groups, size):
    images = iter(heatmaps(drawn(name)))
    found = {group: stored("across", "cka", group) for group in groups}
    for row in range(size):  # axes are made row by row through all groups
        for group in groups:
            for column in range(size if name == "fig6" else row + 1):
                matrix = found[group].get("cka", *sorted((row, column)))
                assert_shown([next(images)], [matrix if row <= column else matrix.T])
    assert next(images, None) is None


def test_networks_are_named_at_the_axes_or_by_their_seeds():
    labels = [(axes.get_xlabel(), axes.get_ylabel()) for axes in drawn("figE1").axes if axes.images]
    assert ("ResNet-14 (2×)", "ResNet-56 (1×)") in labels and ("ResNet-164 (1×)", "") in labels
    shown = set(texts(drawn("fig6")))
    assert {"ResNet-38 (1×)", "ResNet-38 (10×)", "ResNet-110 (1×)", "seed 2"} <= shown
    assert not {"small", "wide", "deep"} & shown
    assert {"without a block in the paper", "with a block in the paper"} <= set(texts(drawn("figE1")))


# ---- accuracies and sparsity


def lower(name):
    """Panels below the heatmaps, from left to right."""
    return [axes for axes in drawn(name).axes if axes.lines]


def test_probes_are_orange_before_and_blue_after_the_addition():
    panels, wide = lower("fig4"), stored("wide", "probe")
    assert len(panels) == 4
    for axes, size in zip(panels, ("w1", "w2", "w10"), strict=False):
        for line, name, tone in zip(axes.lines, ("before", "after"), (1, 0), strict=True):
            np.testing.assert_allclose(line.get_ydata(), 100 * wide.get(name, size, 0))
            assert (line.get_xdata() == wide.get(f"index_{name}", size)).all()
            assert colour(line) == to_rgb(plot.PALETTE[tone])
    widths = [image.get_array().shape[1] for image in heatmaps(drawn("fig4"))]
    assert [axes.get_xlim() for axes in panels] == [(-0.5, width - 0.5) for width in widths]
    assert [len(axes.patches) for axes in panels] == [0, 0, 1, 1]  # the block, where there is one


def test_deletions_are_a_curve_a_stage_between_green_bounds():
    deletion = stored("wide", "deletion")
    axes = lower("fig5")[2]
    full, *others = axes.lines
    assert colour(full) == to_rgb(plot.GREY)
    assert set(full.get_ydata()) == {100 * deletion.get("full", "w10", 0)}
    bounds = [line.get_xdata()[0] for line in others if colour(line) == to_rgb(plot.PALETTE[2])]
    stage = deletion.get("stage", "w10")
    assert len(bounds) == 4 and all(stage[int(at)] + 1 == stage[int(at) + 1] for at in bounds)
    curves = [line for line in others if colour(line) == to_rgb(plot.PALETTE[0])]
    assert [len(line.get_xdata()) for line in curves] == [6, 5, 5]
    accuracies = np.concatenate([line.get_ydata() for line in curves])
    np.testing.assert_allclose(accuracies, 100 * deletion.get("deleted", "w10", 0))
    assert all(len(set(np.digitize(line.get_xdata(), bounds))) == 1 for line in curves)


def test_line_below_sparsity_spans_the_blocks_relus():
    found, cka = stored("wide", "sparsity"), stored("wide", "cka")
    panes = [axes for axes in drawn("figD8").axes if axes.get_xlabel() == "ReLU layer"]
    assert [len(axes.lines) for axes in panes] == [0, 0, 1, 1, 1]
    _, start, stop = cka.get("block", "w8", 0)
    first, last = panes[3].lines[0].get_xdata()
    inside = [at for at, layer in enumerate(found.get("relus", "w8"), 1) if start <= layer < stop]
    assert (first, last) == (inside[0] - 0.5, inside[-1] + 0.5)
    assert panes[3].get_xlim() == (0.5, 37.5)


def test_stack_gives_each_bin_its_share_from_never_to_always():
    histogram = np.random.default_rng(0).dirichlet(np.ones(20), 7)
    image = sparsity_panels.stacked(histogram)
    assert (np.diff(image, axis=0) >= 0).all()
    for number in range(20):
        shares = (image == 5 * number + 2.5).mean(0)
        np.testing.assert_allclose(shares, histogram[:, number], atol=1 / sparsity_panels.FINE)
    assert (sparsity_panels.stacked(np.eye(20)[[0, 19]]) == [2.5, 97.5]).all()
