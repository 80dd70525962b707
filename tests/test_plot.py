"""Drawings on synthetic results, and theorems about the helpers that they share."""
import io
import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import seaborn
from matplotlib.colors import rgb_to_hsv
from PIL import Image
from ruamel.yaml import YAML

from stages.plot import __main__ as command
from wide import artifacts, plot
from wide.measure import visualise

ROOT = Path(__file__).resolve().parents[1]
FIGURES = YAML(typ="safe").load(ROOT / "figures.yaml")["figures"]
KEYS = [f"gilboa_fig{number}" for number in range(1, 7)]
DIGITS = [("w20", 20), ("w2048", 2048)]


def write_atlas(scale, key, sizes, channels=1, shift=False, neurons=True):
    """Files as stages/umap.py and stages/atlas.py leave them: ten clouds, icons of noise."""
    rng, entry = np.random.default_rng(int(key[-1])), FIGURES[key]
    labels = rng.integers(0, 10, 600).astype(np.int16)
    maps, atlas = {f"label/{entry['label']}": labels}, {"grid": np.int64(15)}
    if shift:
        maps["label/shift"] = rng.integers(0, 28, 600).astype(np.int16)
    draw = lambda count: rng.integers(0, 256, (count, channels, 40, 40)).astype(np.uint8)
    for name, units in sizes:
        points = (rng.normal(size=(10, 2))[labels] * 9 + rng.normal(size=(600, 2))).astype(np.float32)
        cells, members = visualise.cells(visualise.layout(points))
        maps |= {f"{name}/points": points, f"{name}/width": np.float64(units), f"{name}/units": np.int64(units),
                 f"{name}/test_accuracy": np.array([0.98912])}
        atlas |= {f"{name}/icons": draw(len(cells)), f"{name}/cells": cells.astype(np.int16),
                  f"{name}/counts": np.array([len(rows) for rows in members], np.int32),
                  f"{name}/units": np.int64(units)}
        if neurons:
            atlas |= {f"{name}/neurons": draw(min(units, 30)), f"{name}/neuron_index": np.arange(min(units, 30))}
    for kind, arrays in (("umap", maps), ("atlas", atlas)):
        artifacts.save_result(artifacts.result(scale, entry["reads"], kind, entry["variant"]), arrays)


def write_transfer(scale, study, width, inputs, seeds=3):
    rng, size = np.random.default_rng(0), (len(width), seeds)
    artifacts.save_result(artifacts.result(scale, "gilboa_transfer", "transfer", study), {
        "width": np.array(width, float), "depth": np.zeros(len(width), int), "inputs": np.int64(inputs),
        "original": rng.uniform(0.8, 0.9, size), "tuned": rng.uniform(0.2, 0.7, size),
        "linear": rng.uniform(0.3, 0.4, seeds)})


def write_all(scale):
    write_atlas(scale, "gilboa_fig1", DIGITS)
    write_atlas(scale, "gilboa_fig2", DIGITS, shift=True)
    write_atlas(scale, "gilboa_fig3", [("w64", 64), ("w2048", 256)], channels=3)
    write_transfer(scale, "gilboa_shift", [2000, 985, 543, 271], 784)
    write_transfer(scale, "gilboa_coarse", [16, 64, 256, 1024], 3072)
    write_atlas(scale, "gilboa_fig5", [("w512", 512)], channels=3)
    write_atlas(scale, "gilboa_fig6", [("w784", 784)], neurons=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with results of a scale, some of another, and their figures, drawn by another process in one go."""
    folder, before = tmp_path_factory.mktemp("project"), Path.cwd()
    YAML(typ="safe").dump({"figures": {key: FIGURES[key] for key in KEYS}}, folder / "figures.yaml")
    os.chdir(folder)
    try:
        write_all("quick")
        write_atlas("smoke", "gilboa_fig3", [("w64", 64)], channels=3)
        write_atlas("smoke", "gilboa_fig6", [("w784", 784)], neurons=False)
    finally:
        os.chdir(before)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-W", "error::UserWarning", "-m", "stages.plot", "--all"], cwd=folder,
                          env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr.count("not drawn") == done.stderr.count("\n") == 4, done.stderr
    return folder


@pytest.fixture
def inside(finished, monkeypatch):
    monkeypatch.chdir(finished)


def drawn(key, scale):
    with plot.style():
        figure = command.importlib.import_module(f"stages.plot.{FIGURES[key]['draw']}").draw(FIGURES[key], scale)
        figure.draw_without_rendering()
    return figure


def pixels(figure):
    """The picture as it is stored: uint8 (H, W, 3)."""
    with plot.style():
        return np.asarray(Image.open(io.BytesIO(plot.png(figure))))


def texts(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


# ---- figures

def test_catalogue_lists_every_figure_of_the_paper():
    assert [key for key in FIGURES if key.startswith("gilboa")] == KEYS


@pytest.mark.parametrize("key, scale", [*((key, "quick") for key in KEYS), ("gilboa_fig6", "smoke")])
def test_one_figure_is_the_same_bytes_as_all_whatever_the_users_style(inside, monkeypatch, key, scale):
    together = artifacts.figure(scale, key).read_bytes()
    monkeypatch.setattr(command, "declared_params", lambda: {"figures": {key: FIGURES[key]}})
    with matplotlib.rc_context({"font.size": 20, "lines.linewidth": 5, "savefig.dpi": 50, "axes.facecolor": "red"}):
        command.main(key, scale)
    assert artifacts.figure(scale, key).read_bytes() == together


def test_stamp_is_on_stand_ins_only(inside, monkeypatch):
    stamped = []
    monkeypatch.setattr(plot, "png", lambda figure: stamped.append("STAND-IN DATA" in texts(figure)) or b"")
    monkeypatch.setattr(artifacts, "write_bytes", lambda path, content: None)
    for name, scale in (("fig3", "smoke"), ("fig6", "smoke"), ("fig3", "quick"), ("fig4", "quick")):
        command.paint(f"gilboa_{name}", FIGURES[f"gilboa_{name}"], scale)
    assert stamped == [True, True, False, False]


@pytest.mark.parametrize("key", KEYS)
def test_nothing_is_clipped_and_no_two_labels_overlap(inside, key):
    figure = drawn(key, "quick")
    boxes = [text.get_window_extent() for text in figure.findobj(matplotlib.text.Text)
             if text.get_visible() and text.get_text().strip() and text.get_window_extent().width]
    page = figure.bbox
    for number, box in enumerate(boxes):
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
        assert not any(box.overlaps(other) for other in boxes[:number])


@pytest.mark.parametrize("key, name", [("gilboa_fig2", "w2048"), ("gilboa_fig5", "w512")])
def test_atlas_is_drawn_pixel_for_pixel(inside, key, name):
    found = artifacts.load_result(artifacts.result("quick", FIGURES[key]["reads"], "atlas", FIGURES[key]["variant"]))
    atlas = plot.tile(found[f"{name}/icons"], found[f"{name}/cells"], (15, 15))
    figure = drawn(key, "quick")
    page = pixels(figure)
    panel = next(axes for axes in figure.axes if axes.images and axes.images[0].get_array().shape == atlas.shape
                 and (axes.images[0].get_array() == atlas).all())
    left, top = round(panel.bbox.x0), round(len(page) - panel.bbox.y1)
    assert (page[top + 2:top + 598, left + 2:left + 598] == atlas[2:-2, 2:-2]).all()  # the frame covers the rim


def test_panels_of_an_atlas(inside):
    labels = lambda key: [axes.get_ylabel() for axes in drawn(key, "quick").axes if axes.get_ylabel()]
    assert labels("gilboa_fig1") == ["UMAP, coloured by class", "activation atlas", "single\nneurons"]
    assert labels("gilboa_fig2") == ["UMAP, coloured by class", "UMAP, coloured by shift", "activation atlas",
                                     "single\nneurons"]
    assert labels("gilboa_fig6") == ["UMAP, coloured by class", "activation atlas"]
    titles = [axes.get_title() for axes in drawn("gilboa_fig3", "quick").axes if axes.get_title()]
    assert titles == ["narrow, n = 64, 98.9 %", "wide, n = 256, 98.9 %"]
    assert "pixels, n = 784" in texts(drawn("gilboa_fig6", "quick"))


def test_a_size_that_the_scale_leaves_out_is_an_empty_frame(inside):
    shown = texts(drawn("gilboa_fig3", "smoke"))
    assert shown.count("not run at smoke") == 3 and "wide" in shown
    assert not any("not run" in text for text in texts(drawn("gilboa_fig3", "quick")))


def test_a_size_that_was_added_is_a_column(inside, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_atlas("quick", "gilboa_fig1", [("w2048", 2048), ("w20", 20), ("w100", 100)])
    titles = [axes.get_title() for axes in drawn("gilboa_fig1", "quick").axes if axes.get_title()]
    assert titles == ["narrow, n = 20, 98.9 %", "n = 100, 98.9 %", "wide, n = 2048, 98.9 %"]


def test_transfer_names_its_axes_and_shows_means(inside):
    figure = drawn("gilboa_fig4", "quick")
    assert len(figure.axes) == 2
    for axes, study in zip(figure.axes, ("gilboa_shift", "gilboa_coarse")):
        assert axes.get_xlabel() and axes.get_ylabel() == "test accuracy (%)" and axes.get_title()
        found = artifacts.load_result(artifacts.result("quick", "gilboa_transfer", "transfer", study))
        curves = [container.lines[0].get_data() for container in axes.containers]
        for (x, y), name in zip(curves, ("original", "tuned"), strict=True):
            assert (x == found["width"]).all() and np.allclose(y, [100 * sum(row) / len(row) for row in found[name]])
    marks = [sum(np.array_equal(line.get_xdata(), [784, 784]) for line in axes.lines) for axes in figure.axes]
    assert marks == [1, 0]
    assert {text.get_text() for text in figure.legends[0].texts} == {
        "original task", "new task, last layer retrained", "linear classifier on pixels", "input dimension 784"}


@pytest.mark.parametrize("key", KEYS)
def test_missing_result_is_one_clear_line(tmp_path, monkeypatch, key):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "declared_params", lambda: {"figures": {key: FIGURES[key]}})
    with pytest.raises(SystemExit) as stopped:
        command.main(key, "quick")
    assert "is missing: run `dvc repro`" in stopped.value.code and "\n" not in stopped.value.code
    assert FIGURES[key]["reads"] in stopped.value.code and not Path("figures").exists()


def test_all_draws_what_there_is_and_names_what_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    YAML(typ="safe").dump({"figures": {key: FIGURES[key] for key in KEYS}}, tmp_path / "figures.yaml")
    with pytest.raises(SystemExit, match="nothing to draw"):
        command.main("--all")
    write_transfer("quick", "gilboa_shift", [271, 2000], 784)
    write_transfer("quick", "gilboa_coarse", [16, 64], 3072)
    with pytest.raises(SystemExit, match="gilboa_fig1 not drawn.*is missing"):
        command.main("--all", "quick")
    command.main("--all")
    assert [path.name for path in Path("figures/quick").iterdir()] == ["gilboa_fig4.png"]
    assert capsys.readouterr().err.count("not drawn") == 5


# ---- helpers

@pytest.mark.parametrize("spread", [(1, 1), (5, 0.01), (0, 1)])
def test_positions_are_those_that_the_atlas_was_cut_with(spread):
    points = (np.random.default_rng(0).standard_t(2, size=(500, 2)) * spread).astype(np.float32)
    np.testing.assert_array_equal(plot.unit_square(points), visualise.layout(points))


def test_map_and_atlas_share_their_orientation():
    """With as many bins as cells, bins that hold enough points are the cells that have an icon."""
    points = np.random.default_rng(0).gamma(2, size=(2000, 2))
    positions = plot.unit_square(points) * 0.98 + 0.0101  # no point on an edge between two cells
    image = plot.class_map(positions, np.zeros(2000, int), np.zeros((1, 3)), 15)
    cells, members = visualise.cells(positions)
    opacity = {cell: image[cell][3] for cell in map(tuple, cells)}
    least = min(opacity.values())
    assert {tuple(cell) for cell in np.argwhere(image[..., 3] >= least)} == set(opacity)
    order = sorted(zip([len(rows) for rows in members], opacity.values()))
    assert (np.diff([value for _, value in order]) >= 0).all()


def test_map_mixes_classes_by_counts_and_leaves_empty_bins_clear():
    colours = np.array([[1.0, 0, 0], [0, 0, 1.0]])
    positions = np.array([[0.9, 0.9]] * 4 + [[0.1, 0.1]])
    image = plot.class_map(positions, np.array([0, 1, 1, 1, 0]), colours, 2)
    assert np.allclose(image[0, 1, :3], [0.25, 0, 0.75]) and np.allclose(image[1, 0, :3], [1, 0, 0])
    assert image[0, 1, 3] > image[1, 0, 3] > 0 and image[0, 0, 3] == image[1, 1, 3] == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_lie_at_their_cells_and_the_rest_is_white(channels):
    icons = np.random.default_rng(0).integers(0, 255, (3, channels, 4, 4)).astype(np.uint8)
    cells = np.array([[0, 0], [1, 2], [2, 1]])
    canvas = plot.tile(icons, cells, (3, 4), gap=1)
    assert canvas.shape == (14, 19, 3)
    for icon, (row, column) in zip(icons, cells):
        for y in range(4):
            for x in range(4):
                assert (canvas[5 * row + y, 5 * column + x] == icon[:, y, x]).all()
    assert (canvas == 255).all(axis=2).sum() == 14 * 19 - 3 * 16


def test_cell_outside_the_grid_is_refused():
    with pytest.raises(ValueError, match="outside the 2 x 2 grid"):
        plot.tile(np.zeros((1, 1, 4, 4), np.uint8), np.array([[0, 2]]), (2, 2))


def test_sheet_runs_line_by_line():
    icons = np.arange(5, dtype=np.uint8).repeat(4).reshape(5, 1, 2, 2)
    canvas = plot.sheet(icons, 3)
    assert [canvas[y, x, 0] for y in (0, 4) for x in (0, 4, 8)] == [0, 1, 2, 3, 4, 255]


def test_palette_is_seaborns_for_the_colour_blind():
    np.testing.assert_allclose(plot.class_colours(10), seaborn.color_palette("colorblind", 10))
    with pytest.raises(ValueError):
        plot.class_colours(0)


def test_many_colours_go_once_round_the_hues():
    colours = plot.class_colours(28)
    steps = np.linalg.norm(colours - np.roll(colours, -1, axis=0), axis=1)
    across = np.linalg.norm(colours - np.roll(colours, 14, axis=0), axis=1)
    assert 0 < steps.min() and steps.max() < across.min()
    turns = np.diff(np.append(rgb_to_hsv(colours)[:, 0], rgb_to_hsv(colours)[0, 0])) % 1
    assert turns.sum() == pytest.approx(1)
    light = colours @ [0.2126, 0.7152, 0.0722]
    assert light.max() - light.min() > 0.4 and 2 <= np.argmax(light) <= 9 and 14 <= np.argmin(light) <= 24


def test_wider_is_darker_and_equal_ratios_are_equal_steps():
    widths = [16, 64, 256, 1024]
    light = [plot.width_colour(width, widths) @ [0.2126, 0.7152, 0.0722] for width in widths]
    assert (np.diff(light) < 0).all()
    np.testing.assert_array_equal(plot.width_colour(64, [16, 256]), plot.width_colour(10, [1, 100]))
    assert plot.width_colour(8, [8]).shape == (3,)


def test_mean_and_deviation_over_seeds():
    mean, sd = plot.mean_sd([[1, 3], [2, 2]])
    assert mean.tolist() == [2, 2] and sd.tolist() == [pytest.approx(2 ** 0.5), 0]
    assert [part.tolist() for part in plot.mean_sd([[5], [6]])] == [[5, 6], [0, 0]]


@pytest.mark.parametrize("widths", [[64], [64, 64], [2 ** power for power in range(4, 12)], list(range(271, 2001, 90))])
def test_width_axis_shows_given_widths_that_do_not_touch(widths):
    with plot.style():
        figure, axes = plot.page([2.15], [2.0])
        axes[0, 0].plot(widths, widths)
        plot.width_axis(axes[0, 0], widths)
        figure.draw_without_rendering()
    labels = [label for label in axes[0, 0].get_xticklabels() if label.get_text()]
    shown = {float(label.get_text()) for label in labels}
    assert max(widths) in shown and shown <= set(widths)
    edges = sorted((label.get_window_extent().x0, label.get_window_extent().x1) for label in labels)
    assert all(right < left for (_, right), (left, _) in zip(edges, edges[1:]))


def test_page_has_the_sizes_asked_for():
    figure, axes = plot.page([1, 2], [0.5, 1.5], left=0.4, right=0.2, top=0.3, bottom=0.6, across=0.1, down=0.2)
    assert figure.get_size_inches() == pytest.approx([3.7, 3.1])
    boxes = [[axes[row, column].bbox.bounds for column in range(2)] for row in range(2)]
    assert boxes[0][0] == pytest.approx((80, 460, 200, 100)) and boxes[1][1] == pytest.approx((300, 120, 400, 300))


def painted(alpha=0.3):
    """A figure with opaque and half-clear ink, and its one panel."""
    figure, axes = plot.page([1], [1])
    axes[0, 0].imshow(np.random.default_rng(0).random((9, 9)), cmap="magma")
    axes[0, 0].plot([0, 8], [8, 0], color="red", alpha=alpha)
    plot.stamp(figure)
    return figure


def test_a_picture_has_three_channels_and_no_dates():
    picture = Image.open(io.BytesIO(content := plot.png(painted())))
    assert (picture.format, picture.mode) == ("PNG", "RGB") and "transparency" not in picture.info
    assert picture.info.keys() == {"dpi"} and picture.info["dpi"] == pytest.approx((plot.DPI, plot.DPI), abs=0.01)
    assert not any(chunk in content for chunk in (b"tEXt", b"iTXt", b"zTXt", b"tIME"))


def test_a_picture_has_the_pixels_that_matplotlib_draws_on_white():
    figure, drawn = painted(), io.BytesIO()
    with plot.style():
        figure.savefig(drawn, format="rgba", dpi=plot.DPI, facecolor="white")
    height, width = (round(side * plot.DPI) for side in figure.get_size_inches()[::-1])
    drawn = np.frombuffer(drawn.getvalue(), np.uint8).reshape(height, width, 4)
    assert (drawn[..., 3] == 255).all() and (pixels(figure) == drawn[..., :3]).all()
    assert (pixels(figure)[[0, -1]] == 255).all()


def test_equal_figures_are_equal_bytes_and_others_are_not(monkeypatch):
    figure = painted()
    first = plot.png(figure)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert plot.png(figure) == plot.png(painted()) == first != plot.png(painted(alpha=0.4))


def test_failed_write_replaces_nothing_and_leaves_nothing(inside, monkeypatch, tmp_path):
    monkeypatch.setattr(artifacts, "FIGURES", tmp_path)
    taken = artifacts.figure("quick", "gilboa_fig4")
    taken.mkdir(parents=True)
    with pytest.raises(OSError, match="could not be written"):
        command.paint("gilboa_fig4", FIGURES["gilboa_fig4"], "quick")
    assert list(taken.parent.iterdir()) == [taken] and not list(taken.iterdir())
    taken.rmdir()
    command.paint("gilboa_fig4", FIGURES["gilboa_fig4"], "quick")
    assert list(taken.parent.iterdir()) == [taken] and Image.open(taken).mode == "RGB"
