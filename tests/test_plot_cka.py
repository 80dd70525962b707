"""Heatmaps of Nguyen et al. and what stands below them, drawn from made-up results; theorems about their helpers."""
import functools
import importlib
import os
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.text import Text
from ruamel.yaml import YAML

import synthetic_nguyen as made
from stages.plot import sparsity_panels
from wide import artifacts, plot

DRAWINGS = {"cka_grid", "cka_components", "cka_across", "accuracy_panels", "sparsity_panels"}
FIGURES = {key: entry for key, entry in YAML(typ="safe").load(Path(__file__).resolve().parents[1] / "figures.yaml")["figures"].items()
           if entry["draw"] in DRAWINGS}
# Heatmaps and empty frames at the paper's scale and at quick, of which synthetic_nguyen tells what it keeps.
PANELS = {"fig1": (12, 0, 11, 1), "fig2": (15, 0, 10, 5), "fig3": (6, 0, 6, 0), "fig4": (4, 0, 4, 0), "fig5": (4, 0, 4, 0),
          "fig6": (27, 0, 12, 15), "figC1": (5, 0, 3, 2), "figD1": (10, 0, 6, 4), "figD2": (15, 0, 11, 4), "figD3": (21, 0, 9, 12),
          "figD4": (10, 0, 6, 4), "figD5": (50, 0, 15, 15), "figD6": (10, 0, 9, 1), "figD7": (6, 0, 6, 0), "figD8": (0, 0, 0, 1),
          "figE1": (6, 0, 6, 0)}
LAYOUTS = ["fig1", "fig2", "fig3", "fig5", "fig6", "figD3", "figD5", "figD8", "figE1"]  # the others are like one of these


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


@functools.cache
def drawn(name, scale="paper"):
    entry = FIGURES[f"nguyen_{name}"]
    with plot.style():
        return importlib.import_module(f"stages.plot.{entry['draw']}").draw(entry, scale)


def heatmaps(figure):
    return [image for axes in figure.axes for image in axes.images if image.norm is plot.UNIT]


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in (*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label)]


def stored(study, measure, variant="all", scale="paper"):
    return artifacts.load_result(artifacts.result(scale, study, measure, variant))


def colour(line):
    return to_rgb(line.get_color())


# ---- figures

def test_every_figure_of_heatmaps_is_counted():
    assert {key.removeprefix("nguyen_") for key in FIGURES} == set(PANELS)


@pytest.mark.parametrize("name", PANELS)
def test_panels_share_one_colour_scale_and_run_upwards(name):
    for scale, (shown, left_out) in (("paper", PANELS[name][:2]), ("quick", PANELS[name][2:])):
        figure = drawn(name, scale)
        images = heatmaps(figure)
        assert len(images) == shown and texts(figure).count(f"not run\nat {scale}") == left_out
        assert all(image.origin == "lower" and image.get_cmap() == plot.MAGMA for image in images)
        assert all(low < high for image in images for low, high in (image.axes.get_xlim(), image.axes.get_ylim()))
    assert (plot.UNIT.vmin, plot.UNIT.vmax) == (0, 1)


@pytest.mark.parametrize("name", LAYOUTS)
def test_nothing_is_clipped_and_no_two_labels_overlap(name):
    figure = drawn(name, "quick")
    with plot.style():
        figure.draw_without_rendering()
    beyond = {tick.label1 for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for tick in axis.get_major_ticks()
              if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())}
    found = [text for text in figure.findobj(Text) if text not in beyond and text.get_visible() and text.get_text().strip()]
    boxes = [box for box in (text.get_window_extent() for text in found) if box.width]
    assert len(boxes) > 10
    for number, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 and figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1
        assert not any(box.overlaps(other) for other in boxes[:number])


def test_grid_shows_the_stored_matrices_in_the_order_of_its_rows():
    images = heatmaps(drawn("fig1"))
    wanted = [stored("nguyen_deep", "cka")[f"{size}/0/cka"] for size in made.ALL["deep"]]
    wanted += [stored("nguyen_wide", "cka")[f"{size}/0/cka"] for size in made.ALL["wide"]]
    wanted += [stored("nguyen_wide100", "cka")["w10/0/cka"], stored("nguyen_imagenet", "cka", "wide_sixteenth")["w1/0/cka"]]
    for image, matrix in zip(images, wanted, strict=True):
        np.testing.assert_array_equal(image.get_array(), matrix)
    removed = [stored(f"nguyen_{study}", "cka")[f"{size}/0/removed"] for study in ("deep", "wide") for size in made.ALL[study]]
    for image, matrix in zip(heatmaps(drawn("figD6")), removed, strict=True):
        np.testing.assert_array_equal(image.get_array(), matrix)


def test_titles_name_network_accuracy_and_block():
    shown = texts(drawn("fig1"))
    assert {"ResNet-110 (1×)", "ResNet-38 (4×)", "CIFAR-100\nResNet-38 (10×)", "1/16 ImageNet\nResNet-50 (2.8×)"} <= set(shown)
    assert "90.0 %, block 29 %" in shown and "90.0 %, block 0 %" in shown
    at_quick = texts(drawn("fig1", "quick"))
    assert {"ResNet-164 (1×)", "ResNet-38 (10×)", "CIFAR-100\nResNet-38 (8×)", "1/16 Tiny-ImageNet\nResNet-50 (2.8×)"} <= set(at_quick)
    assert texts(drawn("figD6")).count("90.0 %, block 0 %") == 10


def test_rows_of_shares_and_seeds_are_labelled():
    assert {"all\ntraining data", "1/4 of the\ntraining data", "1/16 of the\ntraining data"} <= set(texts(drawn("fig2")))
    assert {"ResNet-110\n(1×)", "ResNet-38\n(10×)", "seed 0", "seed 4"} <= set(texts(drawn("figD1")))
    assert "ResNet-38\n(8×)" in texts(drawn("figD1", "quick"))


def test_seeds_are_sorted_by_the_top_components_share():
    figure = drawn("figD5")
    titles = [float(text.split()[-1]) for text in texts(figure) if text.startswith("top PC")]
    rows = np.reshape(titles, (10, 5))
    assert (np.diff(rows) <= 0).all() and (np.diff(rows) < 0).any()
    pca, cka = stored("nguyen_wide", "pca"), stored("nguyen_wide", "cka")
    best = max(range(5), key=lambda seed: pca[f"w10/{seed}/late"])
    assert best != 0
    np.testing.assert_array_equal(heatmaps(figure)[45].get_array(), cka[f"w10/{best}/cka"])


def test_dead_layers_are_grey():
    image = heatmaps(drawn("figD3"))[0]
    assert np.flatnonzero(np.ma.getmaskarray(image.get_array()).all(axis=1)).tolist() == list(range(20, 25))
    assert tuple(image.get_cmap().get_bad()) == to_rgba("0.7")


def test_variant_that_the_scale_leaves_out_is_a_row_of_empty_frames(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made.write("quick", "nguyen_wide", "all", ["w1", "w2", "w4", "w8", "w10"])
    figure = drawn.__wrapped__("fig2", "quick")
    assert len(heatmaps(figure)) == 5 and texts(figure).count("not run\nat quick") == texts(figure).count("ResNet-38 (4×)") + 7 == 10


@pytest.mark.parametrize("name", PANELS)
def test_no_result_at_all_is_an_error_that_says_what_to_do(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=f"{FIGURES[f'nguyen_{name}']['reads']}.* is missing: run `dvc repro`"):
        drawn.__wrapped__(name, "quick")


def test_components_of_a_deep_and_a_wide_network():
    figure, pca, cka = drawn("fig3"), stored("nguyen_wide", "pca"), stored("nguyen_wide", "cka")
    images = heatmaps(figure)  # row by row through both groups
    wanted = pca["w10/0/cosine2"], cka["w10/0/cka"], cka["w10/0/removed"]
    for image, matrix in zip((images[2], images[3], images[5]), wanted):
        np.testing.assert_array_equal(image.get_array(), matrix)
    curve = [axes for axes in figure.axes if axes.collections and axes.get_ylabel() == "fraction"][1]
    outline = curve.collections[0].get_paths()[0].vertices
    assert outline[:, 1].max() == pytest.approx(pca["w10/0/fraction"].max()) and curve.get_ylim() == (0, 1)
    assert curve.patches[0].get_bbox().intervalx == pytest.approx(cka["w10/0/block"][1:] - 0.5)
    assert curve.get_xlim() == images[2].axes.get_xlim()


def test_components_of_relu_layers_alone():
    assert [image.get_array().shape for image in heatmaps(drawn("figD7"))] == [(43, 43)] * 2 + [(37, 37)] * 2 + [(43, 43), (37, 37)]
    names = stored("nguyen_wide", "cka")["w2/layers"]
    shown = [index for index, name in enumerate(names) if name.split(".")[-1] in ("relu", "relu1", "relu2")]
    np.testing.assert_array_equal(heatmaps(drawn("figD7"))[3].get_array(), stored("nguyen_wide", "cka")["w2/0/cka"][shown][:, shown])


def test_small_scales_show_the_block_on_a_sixteenth_of_the_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for study, size in (("nguyen_wide", "w4"), ("nguyen_deep", "d110")):
        made.write("quick", study, "sixteenth", [size], ("cka", "pca"))
    assert len(heatmaps(drawn.__wrapped__("fig3", "quick"))) == 6


@pytest.mark.parametrize("name, groups, size", [("fig6", ["seeds_small", "seeds_wide", "seeds_deep"], 3),
                                                ("figE1", ["architectures_plain", "architectures_block"], 2)])
def test_across_lies_row_on_y_column_on_x(name, groups, size):
    images = iter(heatmaps(drawn(name)))
    found = {group: stored("nguyen_across", "cka", group) for group in groups}
    for axes_row in range(size):  # axes are made row by row through all groups
        for group in groups:
            for column in range(size if name == "fig6" else axes_row + 1):
                low, high = sorted((axes_row, column))
                matrix = found[group][f"{low}/{high}/cka"]
                np.testing.assert_array_equal(next(images).get_array(), matrix if axes_row <= column else matrix.T)
    labels = [(axes.get_xlabel(), axes.get_ylabel()) for axes in drawn("figE1").axes if axes.images]
    assert ("ResNet-14 (2×)", "ResNet-56 (1×)") in labels and ("ResNet-164 (1×)", "") in labels
    assert {"ResNet-38 (1×)", "ResNet-38 (10×)", "ResNet-110 (1×)", "seed 2"} <= set(texts(drawn("fig6")))


def lower(name):
    """Panels below the heatmaps, from left to right."""
    return [axes for axes in drawn(name).axes if axes.lines]


def test_probes_are_orange_before_and_blue_after_the_addition():
    panels, wide = lower("fig4"), stored("nguyen_wide", "probe")
    assert len(panels) == 4
    for axes, size in zip(panels, ("w1", "w2", "w10")):
        for line, name, tone in zip(axes.lines, ("before", "after"), (1, 0), strict=True):
            np.testing.assert_allclose(line.get_ydata(), 100 * wide[f"{size}/0/{name}"])
            assert (line.get_xdata() == wide[f"{size}/index/{name}"]).all() and colour(line) == to_rgb(plot.PALETTE[tone])
    widths = [image.get_array().shape[1] for image in heatmaps(drawn("fig4"))]
    assert [axes.get_xlim() for axes in panels] == [(-0.5, width - 0.5) for width in widths]
    assert [len(axes.patches) for axes in panels] == [0, 0, 1, 1]  # the block, where there is one


def test_deletions_are_a_curve_a_stage_between_green_bounds():
    deletion = stored("nguyen_wide", "deletion")
    axes = lower("fig5")[2]
    full, *others = axes.lines
    assert colour(full) == to_rgb(plot.GREY) and set(full.get_ydata()) == {100 * deletion["w10/0/full"]}
    bounds = [line.get_xdata()[0] for line in others if colour(line) == to_rgb(plot.PALETTE[2])]
    stage = deletion["w10/stage"]
    assert len(bounds) == 4 and all(stage[int(bound)] + 1 == stage[int(bound) + 1] for bound in bounds)
    curves = [line for line in others if colour(line) == to_rgb(plot.PALETTE[0])]
    assert len(curves) == 3 and [len(line.get_xdata()) for line in curves] == [6, 5, 5]
    np.testing.assert_allclose(np.concatenate([line.get_ydata() for line in curves]), 100 * deletion["w10/0/deleted"])
    assert all(len(set(np.digitize(line.get_xdata(), bounds))) == 1 for line in curves)


def test_line_below_sparsity_spans_the_blocks_relus():
    found, cka = stored("nguyen_wide", "sparsity"), stored("nguyen_wide", "cka")
    panes = [axes for axes in drawn("figD8").axes if axes.get_xlabel() == "ReLU layer"]
    assert [len(axes.lines) for axes in panes] == [0, 0, 1, 1, 1]
    _, start, stop = cka["w8/0/block"]
    first, last = panes[3].lines[0].get_xdata()
    inside = [number for number, layer in enumerate(found["w8/relus"], 1) if start <= layer < stop]
    assert (first, last) == (inside[0] - 0.5, inside[-1] + 0.5) and panes[3].get_xlim() == (0.5, 37.5)


# ---- helpers

def test_stack_gives_each_bin_its_share_from_never_to_always():
    histogram = np.random.default_rng(0).dirichlet(np.ones(20), 7)
    image = sparsity_panels.stacked(histogram)
    assert (np.diff(image, axis=0) >= 0).all()
    for number in range(20):
        np.testing.assert_allclose((image == 5 * number + 2.5).mean(0), histogram[:, number], atol=1 / sparsity_panels.FINE)
    assert (sparsity_panels.stacked(np.eye(20)[[0, 19]]) == [2.5, 97.5]).all()


def test_options_may_depend_on_the_scale_at_any_depth():
    entry = {"variant": {"quick": "sixteenth", "paper": "all"}, "rows": [{"size": {"quick": "w8", "paper": "w10"}, "seeds": 5}, "label"]}
    assert plot.at_scale(entry, "quick") == {"variant": "sixteenth", "rows": [{"size": "w8", "seeds": 5}, "label"]}
    assert plot.at_scale(entry, "gpu") == entry and plot.at_scale("all", "quick") == "all" and plot.at_scale(None, "quick") is None


def test_files_that_are_left_out_are_empty_unless_all_are():
    def load(name):
        if name != "there":
            raise FileNotFoundError(f"{name} is missing")
        return {"images": 3}
    assert plot.present(load, [("gone",), ("there",), ("there",)]) == {("gone",): {}, ("there",): {"images": 3}}
    with pytest.raises(FileNotFoundError, match="first is missing"):
        plot.present(load, [("first",), ("second",)])


def test_member_is_the_nth_network_of_a_size_or_of_the_largest():
    found = {"w2/layers": 0, "w10/layers": 0, "w2/seeds": np.array([3, 5]), "w10/seeds": np.array([7])}
    assert plot.member(found, "w2", 1) == ("w2", 5) and plot.member(found, "widest") == ("w10", 7)
    assert plot.member(found, "w10", 1) == ("w10", None) and plot.member(found, "w4") == ("w4", None)
    assert plot.member({}, "deepest") == (None, None)


def test_names_come_from_the_file_or_else_from_the_key():
    template = "ResNet-{depth:g} ({width:g}×)"
    assert plot.named(template, {"d110/depth": 110, "d110/width": 0.5}, "d110") == "ResNet-110 (0.5×)"
    assert plot.named(template, {}, "d110") == "ResNet-110 (1×)"
    assert plot.named("{width:g}×, seed {seed}", {"w4/width": 8.0}, "w4", seed=2) == "8×, seed 2"
    assert plot.named(template, {}, None) == "" and plot.named("other data", {}, None) == "other data"
