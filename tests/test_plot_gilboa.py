"""Drawings of Gilboa & Gur-Ari on made-up results: maps, atlases and their cells, accuracies by width."""

import numpy as np
import pytest
import synthetic_gilboa as made
from drawings import assert_apart, draw, entry, laid_out, texts
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from pipeline.cells import load
from stages.plot import atlases
from wide import plot, plot_atlas
from wide.measure import visualise

KEYS = [f"gilboa_fig{number}" for number in range(1, 7)]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def all_results(elsewhere):
    made.write_all("quick")


def drawn(key, scale="quick"):
    return draw(key, scale)


def labels(figure):
    return [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()]


def titles(figure):
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


# ---- every figure


@pytest.mark.parametrize("key", KEYS)
def test_figures_fit_the_page_and_can_be_read(all_results, key):
    figure = laid_out(drawn(key))
    assert_apart(figure, least=10)
    assert figure.get_size_inches()[0] <= 5.5
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 6


def test_panels_of_an_atlas(all_results):
    by_class, by_shift = "map, coloured by class", "map, coloured by shift"
    atlas, neurons = "activation atlas", "single\nneurons"
    strips = {name: f"cells of\n{name}" for name in ("sevens", "fours", "twos", "cars", "horses")}
    digits = [strips[name] for name in ("sevens", "fours", "twos")]
    assert labels(drawn("gilboa_fig1")) == [by_class, atlas, *digits, neurons]
    assert labels(drawn("gilboa_fig2")) == [by_class, by_shift, atlas, neurons]
    assert labels(drawn("gilboa_fig3")) == [by_class, atlas, strips["cars"], strips["horses"], neurons]
    assert labels(drawn("gilboa_fig6")) == [by_class, atlas]
    assert titles(drawn("gilboa_fig3")) == ["narrow, n = 64, 98.9 %", "wide, n = 256, 98.9 %"]
    assert titles(drawn("gilboa_fig6")) == ["pixels, n = 784"]


def test_colours_are_named_below(all_results):
    classes, shifts = drawn("gilboa_fig2").legends
    assert [text.get_text() for text in classes.texts] == list(map(str, range(10)))
    assert [text.get_text() for text in shifts.texts] == [f"{shift} px" for shift in range(0, 28, 4)]
    named = [text.get_text() for text in drawn("gilboa_fig3").legends[0].texts]
    assert named == entry("gilboa_fig3", "quick")["classes"]


def test_small_print_is_sentences(all_results):
    told = " ".join(" ".join(texts(drawn("gilboa_fig1"))).split())
    assert "One network a width (n: its units; its test accuracy), 600 training images, scale quick." in told
    assert "base" not in told and "Not run" not in told
    assert "network" not in " ".join(texts(drawn("gilboa_fig6"))), "pixels are of no network"


def test_a_size_that_the_scale_leaves_out_is_named_and_takes_no_room():
    made.write_atlas("smoke", "gilboa_fig3", [("w64", 64)], channels=3)
    figure = drawn("gilboa_fig3", "smoke")
    assert titles(figure) == ["narrow, n = 64, 98.9 %"] and len(figure.axes) == 5
    assert "Not run at smoke: wide." in " ".join(" ".join(texts(figure)).split())


def test_a_size_that_was_added_is_a_column():
    made.write_atlas("quick", "gilboa_fig6", [("w784", 784), ("w400", 400)], neurons=False)
    assert titles(drawn("gilboa_fig6")) == ["pixels, n = 400", "n = 784"]


# ---- maps and atlases


def test_map_and_atlas_share_their_places_and_a_margin(all_results):
    figure = drawn("gilboa_fig5")
    of_map, atlas = figure.axes[:2]
    for axes in (of_map, atlas):
        assert axes.get_xlim() == axes.get_ylim() == pytest.approx((-0.04, 1.04))
        assert tuple(axes.images[0].get_extent()) == (0, 1, 0, 1)
    found = load("quick", "gilboa", "cifar", "atlas", "untrained512")
    tiled = plot.tile(found.get("icons", "w512"), found.get("cells", "w512"), (15, 15))
    assert np.array_equal(atlas.images[0].get_array(), tiled)


def test_every_point_of_a_map_is_drawn(all_results):
    found = load("quick", "gilboa", "pixels", "umap", "base")
    positions = plot.unit_square(found.get("points", "w784"))
    x, y = np.minimum((positions * 120).astype(int), 119).T
    opacity = drawn("gilboa_fig6").axes[0].images[0].get_array()[..., 3]
    assert {tuple(place) for place in np.argwhere(opacity > 0)} == set(zip(119 - y, x, strict=True))


def test_cells_of_a_class_are_its_fullest_where_no_other_has_more():
    """Three cells of a 2 x 2 grid: the class's five, its three among four others', its two."""
    where = {(0.2, 0.8): {1: 5, 0: 1}, (0.8, 0.8): {1: 3, 0: 4}, (0.2, 0.2): {1: 2}, (0.8, 0.2): {0: 9}}
    points = [(at, label) for at, counts in where.items() for label, n in counts.items() for _ in range(n)]
    positions, labels = np.array([at for at, _ in points]), np.array([label for _, label in points])
    cells = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    assert plot_atlas.fullest(positions, labels, 1, cells, 2, most=4).tolist() == [0, 2]
    assert plot_atlas.fullest(positions, labels, 1, cells, 2, most=1).tolist() == [0]
    assert plot_atlas.fullest(positions, labels, 1, cells[1:], 2, most=4).tolist() == [1], "of those drawn"
    assert plot_atlas.fullest(positions, labels, 0, cells, 2, most=1).tolist() == [3]
    assert not len(plot_atlas.fullest(positions, labels, 5, cells, 2, most=4)), "a class without points"


def test_cells_are_those_that_the_atlas_was_made_of():
    positions = np.random.default_rng(0).random((400, 2))
    cells, members = visualise.cells(positions, 5, 0)
    chosen = plot_atlas.fullest(positions, np.zeros(400, int), 0, cells, 5, most=3)
    fullest = np.argsort([-len(rows) for rows in members], kind="stable")[:3]
    assert sorted(chosen) == sorted(fullest)


def test_outlined_cells_are_shown_again_enlarged(all_results):
    figure, told = drawn("gilboa_fig3"), entry("gilboa_fig3", "quick")
    found = load("quick", "gilboa", "cifar", "atlas", "base")
    cells, icons = found.get("cells", "w64"), found.get("icons", "w64")
    atlas, strips = figure.axes[2], figure.axes[4:8:2]
    outlined = [patch for patch in atlas.patches if isinstance(patch, Rectangle)]
    for strip, closer in zip(strips, told["closer"], strict=True):
        colour = plot.class_colours(10)[closer["label"]]
        own = [patch for patch in outlined if np.allclose(patch.get_edgecolor()[:3], colour)]
        places = [(round(15 * (1 - patch.get_y())) - 1, round(15 * patch.get_x())) for patch in own]
        assert 1 <= len(places) == len(strip.images) <= closer["cells"]
        for place, image in zip(places, strip.images, strict=True):
            [index] = np.flatnonzero((cells == place).all(1))
            assert np.array_equal(image.get_array(), icons[index].transpose(1, 2, 0))
        scale = strip.bbox.width / closer["cells"] / (atlas.bbox.width / (15 * 1.08))
        assert scale > 1.9, "enlarged"


# ---- accuracies by width


def test_transfer_names_its_axes_and_shows_means_and_deviations(all_results):
    figure = drawn("gilboa_fig4")
    assert len(figure.axes) == 2
    for axes, study in zip(figure.axes, ("shift", "coarse"), strict=True):
        assert axes.get_xlabel() and axes.get_ylabel() == "test accuracy (%)" and axes.get_title()
        found = load("quick", "gilboa", study, "transfer", "base")
        order = np.argsort(found.get("width"))
        for container, name in zip(axes.containers, ("original", "tuned"), strict=True):
            x, y = container.lines[0].get_data()
            values = 100 * found.get(name)[order]
            assert (x == found.get("width")[order]).all() and np.allclose(y, values.mean(1))
            ends = np.array([segment[:, 1] for segment in container.lines[2][0].get_segments()])
            sd = values.std(1, ddof=1)
            assert np.allclose(ends, np.stack([y - sd, y + sd], 1))
        [dashed] = [line for line in axes.lines if line.get_linestyle() == "--"]
        assert np.allclose(dashed.get_ydata(), 100 * found.get("linear").mean())
    told = " ".join(" ".join(texts(figure)).split())
    assert "Mean and standard deviation over 3 networks a width, scale quick." in told


def test_transfer_marks_the_input_dimension_where_it_is_asked_for(all_results):
    figure = drawn("gilboa_fig4")
    marks = [[line.get_xdata() for line in axes.lines] for axes in figure.axes]
    assert [sum(np.array_equal(x, [784, 784]) for x in of_axes) for of_axes in marks] == [1, 0]
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "original task",
        "new task, last layer retrained",
        "new task, linear classifier on pixels",
        "input dimension 784",
    ]


def test_a_study_that_the_scale_leaves_out_is_named():
    made.write_transfer("quick", "shift", [271, 2000], 784, seeds=2)
    figure = drawn("gilboa_fig4")
    assert titles(figure) == ["translated MNIST: shift, then digit"]
    told = " ".join(" ".join(texts(figure)).split())
    assert "over 2 networks a width" in told
    assert "Not run at quick: CIFAR-100: coarse, then fine label." in told


def test_a_class_that_has_no_name_is_refused():
    few = {"study": "mnist", "variant": "base", "columns": ["wide"], "label": "digit", "classes": [0, 1]}
    atlases.Options(**few).refuse({"mnist": {"digit": 2}})
    with pytest.raises(ValueError, match="2 names; it must have 10"):
        atlases.Options(**few).refuse({"mnist": {"digit": 10}})
    with pytest.raises(ValueError, match="2 names; it must have 8"):
        atlases.Options(**few, closer=[atlases.Closer(7, 4, "sevens")]).refuse({"mnist": {"digit": 2}})
