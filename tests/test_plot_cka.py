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
from pipeline.cells import Cells
from stages.plot import sparsity_panels
from wide import artifacts, plot

DRAWINGS = {"cka_grid", "cka_components", "cka_across", "accuracy_panels", "sparsity_panels"}
PANELS = {  # heatmaps at the paper's scale, and at quick of what is made there
    "fig1": (22, 17),
    "fig2": (15, 10),
    "fig3": (6, 6),
    "fig4": (4, 4),
    "fig5": (4, 4),
    "fig6": (27, 12),
    "figC1": (10, 6),
    "figD1": (20, 6),
    "figD2": (15, 11),
    "figD3": (18, 9),
    "figD4": (10, 6),
    "figD5": (50, 15),
    "figD6": (10, 9),
    "figD7": (6, 6),
    "figD8": (0, 0),
    "figE1": (6, 6),
}
UNRUN = {  # what the small print of a figure says of quick, where anything is left out
    "fig1": "untrained, by depth: ResNet-44 (1×), ResNet-164 (1×); ResNet-38 (10×); "
    "untrained, by width: ResNet-38 (2×).",
    "fig2": "ResNet-38 (10×); all training data: ResNet-38 (2×); 1/4 of the training data: ResNet-38 (2×).",
    "fig6": "ResNet-38 (1×, 16 ch): 1 of 3 networks; ResNet-38 (10×, 160 ch): 1 of 3 networks; "
    "ResNet-110 (1×, 16 ch): 1 of 3 networks.",
    "figC1": "plain-38 (2×, 10×).",
    "figD3": "ResNet-44 (1×); ResNet-164 (1×); ResNet-224 (1×).",
    "figD8": "ResNet-38 (10×).",
}
LAYOUTS = [
    "fig1",
    "fig2",
    "fig3",
    "fig5",
    "fig6",
    "figD1",
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
    for scale, shown in zip(("paper", "quick"), PANELS[name], strict=True):
        images = heatmaps(drawn(name, scale))
        assert len(images) == shown
        assert all(image.origin == "lower" and image.get_cmap() == plot.MAGMA for image in images)
        limits = [axis for image in images for axis in (image.axes.get_xlim(), image.axes.get_ylim())]
        assert all(low < high for low, high in limits)
    assert (plot.UNIT.vmin, plot.UNIT.vmax) == (0, 1)


def small(figure):
    """The sentences below a figure, on one line."""
    [text] = [" ".join(text.get_text().split()) for text in figure.texts if "cale " in text.get_text()]
    return text


@pytest.mark.parametrize("name", PANELS)
def test_what_did_not_run_is_a_sentence_and_no_frame(name):
    told = small(drawn(name, "quick"))
    assert f"Not run at quick: {UNRUN.get(name, '')}" in told or "Not run" not in told and name not in UNRUN
    assert "Not run" not in small(drawn(name))
    empty = [axes for axes in drawn(name, "quick").axes if axes.axison and not axes.has_data()]
    assert not empty


@pytest.mark.parametrize("name", PANELS)
def test_a_figure_of_which_nothing_ran_is_a_line_of_text(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    made.write_floors("quick")
    for read in named(entry(f"nguyen_{name}", "quick")):
        study, measure, variant = read.split("/")
        if study != "floor":
            Cells({"images": 0}).save(artifacts.result("quick", "nguyen", study, measure, variant))
    figure = fresh(name, "quick")
    assert not figure.axes and small(figure).startswith("Nothing of this figure runs at scale quick: ")
    assert figure.get_size_inches()[1] < 1
    assert_apart(laid_out(figure))


@pytest.mark.parametrize("name", PANELS)
def test_axes_of_layers_end_with_their_number(name):
    """At the left of every heatmap, but where its neighbour there has the same layers upwards."""
    for scale in ("paper", "quick"):
        for image in heatmaps(laid_out(drawn(name, scale))):
            axes, (rows, columns) = image.axes, image.get_array().shape
            ends = [[text.get_text() for text in axis.get_ticklabels()] for axis in (axes.yaxis, axes.xaxis)]
            shared = ENTRIES[f"nguyen_{name}"]["draw"] == "cka_across" and not axes.get_ylabel()
            assert ends[0] == ([] if shared else ["1", str(rows)])
            assert ends[1] in ([], ["1", str(columns)])


def bounds(axis):
    return axis.get_minorticklocs().tolist()


def test_heatmaps_have_short_lines_between_stages():
    for name in ("fig1", "fig4", "fig6", "figE1"):
        for image in heatmaps(drawn(name)):
            assert len(bounds(image.axes.yaxis)) == len(bounds(image.axes.xaxis)) == 4
    stage = stored("deep", "cka").get("stage", "d32")
    wanted = [at + 0.5 for at in range(len(stage) - 1) if stage[at] != stage[at + 1]]
    assert bounds(heatmaps(drawn("fig1"))[0].axes.yaxis) == wanted
    cka = stored("wide", "cka")
    relus = [at for at, layer in enumerate(cka.get("layers", "w2")) if ".relu" in layer]
    stage = cka.get("stage", "w2")[relus]
    wanted = [at + 0.5 for at in range(len(stage) - 1) if stage[at] != stage[at + 1]]
    assert bounds(heatmaps(drawn("figD7"))[2].axes.yaxis) == wanted


def outlined(axes):
    """Rectangles around blocks: left, bottom, right, top."""
    return [patch.get_bbox().extents.tolist() for patch in axes.patches if patch.get_path_effects()]


@pytest.mark.parametrize("name", ["fig1", "fig2", "figC1", "figD1", "figD5"])
def test_a_block_is_outlined_where_it_is_large_enough(name):
    shares = [text for text in texts(drawn(name)) if "block" in text and "%" in text]
    shares = [int(text.split()[-2]) for text in shares]
    images = heatmaps(drawn(name))
    assert len(shares) == len(images)
    for image, share in zip(images, shares, strict=True):
        assert len(outlined(image.axes)) == (share >= 30)


def test_an_outline_is_where_the_block_lies():
    cka = stored("wide", "cka")
    at = 10 + made.ALL["wide"].index("w10")  # by depth, untrained, by width
    fraction, start, stop = cka.get("block", "w10", 0)
    assert fraction >= 0.3
    assert outlined(heatmaps(drawn("fig1"))[at].axes) == [[start - 0.5] * 2 + [stop - 0.5] * 2]
    assert not outlined(heatmaps(drawn("figD6"))[at - 5].axes), "no block is left without the component"
    [place] = outlined(heatmaps(drawn("fig4"))[2].axes)
    [shade] = [patch for patch in lower("fig4")[2].patches]
    assert shade.get_bbox().intervalx.tolist() == [place[0], place[2]]


def test_between_networks_the_outline_is_of_both_blocks():
    found = stored("across", "cka", "architectures_block")
    _, start, stop = found.get("block", 3)
    images = heatmaps(drawn("figE1"))
    within = [outlined(image.axes) for image in images if image.get_array().shape == (156, 156)]
    assert within[-1] == [[start - 0.5] * 2 + [stop - 0.5] * 2]
    across = images[4].axes  # the small network has none: all of its layers
    assert outlined(across) == [[-0.5, start - 0.5, found.get("cka", 0, 3).shape[0] - 0.5, stop - 0.5]]


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
    wanted += [stored("deep", "cka", "untrained").get("cka", size, 0) for size in made.ALL["deep"]]
    wanted += [wide.get("cka", size, 0) for size in made.ALL["wide"]]
    wanted += [stored("wide", "cka", "untrained").get("cka", size, 0) for size in made.ALL["wide"]]
    wanted.append(stored("wide100", "cka").get("cka", "w10", 0))
    wanted.append(stored("imagenet", "cka", "wide_sixteenth").get("cka", "w1", 0))
    assert_shown(heatmaps(drawn("fig1")), wanted)
    removed = [deep.get("removed", size, 0) for size in made.ALL["deep"]]
    removed += [wide.get("removed", size, 0) for size in made.ALL["wide"]]
    assert_shown(heatmaps(drawn("figD6")), removed)


def test_titles_name_network_channels_accuracy_and_block():
    shown = texts(drawn("fig1"))
    assert {
        "ResNet-110\n(1×, 16 ch)",
        "ResNet-38\n(4×, 64 ch)",
        "CIFAR-100\nResNet-38\n(10×, 160 ch)",
    } <= set(shown)
    assert "1/16 ImageNet\nResNet-50\n(2.8×)" in shown
    assert "90.0 %\nblock 29 %" in shown and "90.0 %\nblock 0 %" in shown
    at_quick = texts(drawn("fig1", "quick"))
    wanted = {"ResNet-164\n(1×, 16 ch)", "ResNet-38\n(8×, 128 ch)", "CIFAR-100\nResNet-38\n(8×, 128 ch)"}
    assert wanted <= set(at_quick)
    assert "1/16 Tiny-ImageNet\nResNet-50\n(2.8×)" in at_quick
    assert texts(drawn("figD6")).count("90.0 %\nblock 0 %") == 10


def test_untrained_networks_have_no_accuracy():
    assert texts(drawn("fig1")).count("block 4 %") + texts(drawn("fig1")).count("block 5 %") == 10
    assert not any("10.0 %" in text for text in texts(drawn("fig1")))
    labels = {"untrained,\nby depth", "untrained,\nby width"}
    assert labels <= set(texts(drawn("fig1"))) and "untrained,\nno shortcuts" in texts(drawn("figC1"))
    assert "untrained\nResNet-110\n(1×, 16 ch)" in texts(drawn("figD1"))


def test_small_print_names_the_data_and_the_scale():
    told = "Networks trained on {} images), scale {}. Outlined: a block, from 30 % of the layers on"
    assert small(drawn("fig1", "quick")).startswith(told.format("1/16 of CIFAR-10 (3,125", "quick"))
    assert small(drawn("fig1")).startswith(told.format("all of CIFAR-10 (50,000", "paper"))
    three = "all of CIFAR-10 (50,000 images), 1/4 of CIFAR-10 (12,500 images) and 1/16 of CIFAR-10 (3,125"
    assert small(drawn("fig2")).startswith(told.format(three, "paper"))


@pytest.mark.parametrize("name", ["fig1", "fig3", "fig4", "figD8"])
def test_networks_that_are_not_above_a_linear_classifier_bear_a_star(tmp_path, monkeypatch, name):
    assert not any("%*" in text for text in texts(drawn(name, "quick")))
    assert "linear classifier" not in small(drawn(name, "quick"))
    monkeypatch.chdir(tmp_path)
    made.write_all("quick")
    floors = {study: {"sixteenth": {"accuracy": 0.95, "examples": 3125}} for study in ("wide", "deep")}
    for data in ("cifar10", "cifar100"):
        artifacts.save_numbers(artifacts.result("quick", "nguyen", "floor", "linear", data, "json"), floors)
    figure = fresh(name, "quick")
    assert any("%*" in text for text in texts(figure))
    assert small(figure).endswith("* Not above a linear classifier on the same pixels.")
    assert_apart(laid_out(figure))


def test_a_missing_floor_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made.write("quick", "wide", "plain", ["w1"], residual=False)
    with pytest.raises(FileNotFoundError, match="floor/linear/cifar10"):
        fresh("figC1", "quick")


def test_rows_of_shares_and_seeds_are_labelled():
    shares = {"all\ntraining data", "1/4 of the\ntraining data", "1/16 of the\ntraining data"}
    assert shares <= set(texts(drawn("fig2")))
    labels = {"ResNet-110\n(1×, 16 ch)", "ResNet-38\n(10×, 160 ch)", "seed 0", "seed 4"}
    assert labels <= set(texts(drawn("figD1")))
    assert "ResNet-38\n(8×, 128 ch)" in texts(drawn("figD1", "quick"))


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
    made.write_floors("quick")
    figure = fresh("figD5", "quick")
    titles = [text for text in texts(figure) if text.startswith("top PC")]
    assert [title == "top PC –" for title in titles] == [False, False, True] * 3
    assert_shown(heatmaps(figure)[2:3], [stored("wide", "cka", "sixteenth", "quick").get("cka", "w1", 2)])


def test_dead_layers_are_grey():
    image = heatmaps(drawn("figD3"))[0]
    dead = np.ma.getmaskarray(image.get_array()).all(axis=1)
    assert np.flatnonzero(dead).tolist() == list(range(20, 25))
    assert tuple(image.get_cmap().get_bad()) == to_rgba("0.7")


def test_variant_that_the_scale_leaves_out_is_no_row(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made.write("quick", "wide", "all", made.ALL["wide"])
    made.write_floors("quick")
    figure = fresh("fig2", "quick")
    assert len(heatmaps(figure)) == 5 and texts(figure).count("ResNet-38\n(4×, 64 ch)") == 1
    assert "Not run at quick: 1/4 of the training data; 1/16 of the training data." in small(figure)


def test_sizes_stand_below_each_other_in_rows_that_have_others():
    figure = laid_out(drawn("fig2", "quick"))
    columns = {}
    for axes in figure.axes:
        if axes.get_title():
            columns.setdefault(axes.get_title(), set()).add(round(axes.get_position().x0, 6))
    assert [len(places) for places in columns.values()] == [1] * 4 and len(set.union(*columns.values())) == 4


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
    shown = [outlined(image.axes) for image in (images[2], images[3], images[5])]
    assert shown == [[[*block[[0, 0]], *block[[1, 1]]]]] * 2 + [[]]


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
    made.write_floors("quick")
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
                step = 1 if name == "fig6" else 3  # three seeds of a shape
                matrix = found[group].get("cka", *(step * place for place in sorted((row, column))))
                assert_shown([next(images)], [matrix if row <= column else matrix.T])
    assert next(images, None) is None


def test_networks_are_named_at_the_axes_or_by_their_seeds():
    labels = [(axes.get_xlabel(), axes.get_ylabel()) for axes in drawn("figE1").axes if axes.images]
    assert ("ResNet-14\n(2×, 32 ch)", "ResNet-56\n(1×, 16 ch)") in labels
    assert ("ResNet-164\n(1×, 16 ch)", "") in labels
    shown = set(texts(drawn("fig6")))
    assert {"ResNet-38 (1×, 16 ch)", "ResNet-38 (10×, 160 ch)", "ResNet-110 (1×, 16 ch)", "seed 2"} <= shown
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
    assert [len(axes.patches) for axes in panels] == [0, 0, 1, 0]  # the block, where it is large enough


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


def test_outline_of_sparsity_spans_the_blocks_relus():
    found, cka = stored("wide", "sparsity"), stored("wide", "cka")
    panes = [axes for axes in drawn("figD8").axes if axes.get_xlabel() == "ReLU layer"]
    assert [len(outlined(axes)) for axes in panes] == [0, 0, 0, 0, 1]
    _, start, stop = cka.get("block", "w10", 0)
    inside = [at for at, layer in enumerate(found.get("relus", "w10"), 1) if start <= layer < stop]
    assert outlined(panes[4]) == [[inside[0] - 0.5, 0, inside[-1] + 0.5, 100]]
    assert panes[4].get_xlim() == (0.5, 37.5) and len(bounds(panes[4].xaxis)) == 3


def test_stack_gives_each_bin_its_share_from_never_to_always():
    histogram = np.random.default_rng(0).dirichlet(np.ones(20), 7)
    image = sparsity_panels.stacked(histogram)
    assert (np.diff(image, axis=0) >= 0).all()
    for number in range(20):
        shares = (image == 5 * number + 2.5).mean(0)
        np.testing.assert_allclose(shares, histogram[:, number], atol=1 / sparsity_panels.FINE)
    assert (sparsity_panels.stacked(np.eye(20)[[0, 19]]) == [2.5, 97.5]).all()


def test_a_table_of_which_nothing_ran_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in named(entry("nguyen_tabB1", "quick")):
        artifacts.save_numbers(artifacts.result("quick", "nguyen", *name.split("/"), "json"), {})
    text = draw("nguyen_tabB1", "quick")
    told = "Nothing of this figure runs at scale quick: ResNet-32 (1×); ResNet-44 (1×); "
    assert told in text and "ResNet-38 (1×, 2×, 4×, 8×, 10×)." in text and "|" not in text
