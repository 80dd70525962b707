"""Drawings of Gilboa & Gur-Ari on synthetic results, and the door to all drawings."""

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import synthetic_gilboa as made
from drawings import ENTRIES, ROOT, assert_apart, declare, draw, entry, laid_out, named, paint, texts
from PIL import Image

from pipeline.cells import load
from stages.plot import __main__ as command
from wide import artifacts, plot

KEYS = [f"gilboa_fig{number}" for number in range(1, 7)]
PICTURES = [*((key, "quick") for key in KEYS), ("gilboa_fig6", "smoke")]


def write_paper(folder):
    """The paper's own files, so that all of its figures can be drawn in this folder."""
    there = folder / "papers/gilboa"
    there.mkdir(parents=True)
    for name in ("params.yaml", "figures.yaml"):
        shutil.copy(ROOT / "papers/gilboa" / name, there)
    (there / "dvc.yaml").write_text("stages: {}\n")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with results of a scale, some of another, and their figures, drawn by another process."""
    folder, before = tmp_path_factory.mktemp("project"), Path.cwd()
    write_paper(folder)
    os.chdir(folder)
    try:
        made.write_all("quick")
        made.write_atlas("smoke", "gilboa_fig3", [("w64", 64)], channels=3)
        made.write_atlas("smoke", "gilboa_fig6", [("w784", 784)], neurons=False)
    finally:
        os.chdir(before)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
    words = [sys.executable, "-W", "error::UserWarning", "-m", "stages.plot", "--all"]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("not drawn") == done.stderr.count("\n") == 4, done.stderr
    return folder


@pytest.fixture
def inside(finished, monkeypatch):
    monkeypatch.chdir(finished)


def drawn(key, scale="quick"):
    return draw(key, scale)


# ---- the door


def test_catalogue_lists_every_figure_of_the_paper():
    assert [key for key in ENTRIES if key.startswith("gilboa")] == KEYS


@pytest.mark.parametrize("key, scale", PICTURES)
def test_one_figure_is_the_same_bytes_as_all_whatever_the_users_style(inside, monkeypatch, key, scale):
    together = artifacts.figure(scale, key).read_bytes()
    declare(monkeypatch, key)
    style = {"font.size": 20, "lines.linewidth": 5, "savefig.dpi": 50, "axes.facecolor": "red"}
    with matplotlib.rc_context(style):
        command.main("gilboa", key, scale)
    assert artifacts.figure(scale, key).read_bytes() == together


def test_stamp_is_on_stand_ins_only(inside, monkeypatch):
    stamped = []

    def png(figure):
        stamped.append("STAND-IN DATA" in texts(figure))
        return b""

    monkeypatch.setattr(plot, "png", png)
    monkeypatch.setattr(artifacts, "write_bytes", lambda path, content: None)
    for name, scale in (("fig3", "smoke"), ("fig6", "smoke"), ("fig3", "quick"), ("fig4", "quick")):
        paint(f"gilboa_{name}", scale)
    assert stamped == [True, True, False, False]


@pytest.mark.parametrize("key", KEYS)
def test_missing_result_is_one_clear_line(tmp_path, monkeypatch, key):
    monkeypatch.chdir(tmp_path)
    declare(monkeypatch, key)
    with pytest.raises(SystemExit) as stopped:
        command.main("gilboa", key, "quick")
    assert "is missing: run `dvc repro`" in stopped.value.code and "\n" not in stopped.value.code
    assert f"results/quick/gilboa/{named(entry(key, 'quick'))[0]}." in stopped.value.code
    assert not Path("figures").exists()


@pytest.mark.parametrize("words", [("gilboa",), ("gilboa", "gilboa_fig1"), ("--all", "quick", "smoke")])
def test_wrong_words_are_told_the_right_ones(words):
    with pytest.raises(SystemExit, match="usage: python -m stages.plot <paper> <key> <scale>, or"):
        command.main(*words)


def test_all_draws_what_there_is_and_names_what_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_paper(tmp_path)
    with pytest.raises(SystemExit, match="nothing to draw"):
        command.main("--all")
    made.write_transfer("quick", "shift", [271, 2000], 784)
    made.write_transfer("quick", "coarse", [16, 64], 3072)
    with pytest.raises(SystemExit, match="gilboa_fig1 not drawn.*is missing"):
        command.main("--all", "quick")
    command.main("--all")
    assert [path.name for path in Path("figures/quick").iterdir()] == ["gilboa_fig4.png"]
    assert capsys.readouterr().err.count("not drawn") == 5


def test_all_where_nothing_has_its_results_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_paper(tmp_path)
    Path("results/quick").mkdir(parents=True)
    with pytest.raises(SystemExit, match="gilboa_fig6 not drawn"):
        command.main("--all")


def test_failed_write_replaces_nothing_and_leaves_nothing(inside, monkeypatch, tmp_path):
    monkeypatch.setattr(artifacts, "FIGURES", tmp_path)
    taken = artifacts.figure("quick", "gilboa_fig4")
    taken.mkdir(parents=True)
    with pytest.raises(OSError, match="could not be written"):
        paint("gilboa_fig4", "quick")
    assert list(taken.parent.iterdir()) == [taken] and not list(taken.iterdir())
    taken.rmdir()
    paint("gilboa_fig4", "quick")
    assert list(taken.parent.iterdir()) == [taken] and Image.open(taken).mode == "RGB"


# ---- the paper's figures


@pytest.mark.parametrize("key", KEYS)
def test_nothing_is_clipped_and_no_two_labels_overlap(inside, key):
    assert_apart(laid_out(drawn(key)), least=10)


@pytest.mark.parametrize("key, size", [("gilboa_fig2", "w2048"), ("gilboa_fig5", "w512")])
def test_atlas_is_drawn_pixel_for_pixel(inside, key, size):
    told = entry(key, "quick")
    found = load("quick", "gilboa", told["study"], "atlas", told["variant"])
    atlas = plot.tile(found.get("icons", size), found.get("cells", size), (15, 15))
    figure = drawn(key)
    with plot.style():
        page = np.asarray(Image.open(io.BytesIO(plot.png(figure))))
    pictures = [axes for axes in figure.axes if axes.images]
    panel = next(axes for axes in pictures if np.array_equal(axes.images[0].get_array(), atlas))
    left, top = round(panel.bbox.x0), round(len(page) - panel.bbox.y1)
    inner = page[top + 2 : top + 598, left + 2 : left + 598]  # the frame covers the rim
    assert (inner == atlas[2:-2, 2:-2]).all()


def labels(key):
    return [axes.get_ylabel() for axes in drawn(key).axes if axes.get_ylabel()]


def titles(key):
    return [axes.get_title() for axes in drawn(key).axes if axes.get_title()]


def test_panels_of_an_atlas(inside):
    by_class, by_shift = "UMAP, coloured by class", "UMAP, coloured by shift"
    atlas, neurons = "activation atlas", "single\nneurons"
    assert labels("gilboa_fig1") == [by_class, atlas, neurons]
    assert labels("gilboa_fig2") == [by_class, by_shift, atlas, neurons]
    assert labels("gilboa_fig6") == [by_class, atlas]
    assert titles("gilboa_fig3") == ["narrow, n = 64, 98.9 %", "wide, n = 256, 98.9 %"]
    assert titles("gilboa_fig6") == ["pixels, n = 784"]


def test_a_size_that_the_scale_leaves_out_is_an_empty_frame(inside):
    shown = texts(drawn("gilboa_fig3", "smoke"))
    assert shown.count("not run at smoke") == 3 and "wide" in shown
    assert not any("not run" in text for text in texts(drawn("gilboa_fig3")))


def test_a_size_that_was_added_is_a_column(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made.write_atlas("quick", "gilboa_fig1", [("w2048", 2048), ("w20", 20), ("w100", 100)])
    assert titles("gilboa_fig1") == ["narrow, n = 20, 98.9 %", "n = 100, 98.9 %", "wide, n = 2048, 98.9 %"]


def test_transfer_names_its_axes_and_shows_means(inside):
    figure = drawn("gilboa_fig4")
    assert len(figure.axes) == 2
    for axes, study in zip(figure.axes, ("shift", "coarse"), strict=True):
        assert axes.get_xlabel() and axes.get_ylabel() == "test accuracy (%)" and axes.get_title()
        found = load("quick", "gilboa", study, "transfer", "base")
        curves = [container.lines[0].get_data() for container in axes.containers]
        for (x, y), name in zip(curves, ("original", "tuned"), strict=True):
            assert (x == found.get("width")).all()
            assert np.allclose(y, [100 * sum(row) / len(row) for row in found.get(name)])


def test_transfer_marks_the_input_dimension_where_it_is_asked_for(inside):
    figure = drawn("gilboa_fig4")
    marks = [[line.get_xdata() for line in axes.lines] for axes in figure.axes]
    assert [sum(np.array_equal(x, [784, 784]) for x in of_axes) for of_axes in marks] == [1, 0]
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "original task",
        "new task, last layer retrained",
        "linear classifier on pixels",
        "input dimension 784",
    ]
