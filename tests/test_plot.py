"""The door to all drawings, on made-up results of one paper."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest
import synthetic_gilboa as made
from drawings import ENTRIES, ROOT, assert_apart, declare, draw, entry, laid_out, named, paint, texts
from PIL import Image

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


@pytest.mark.parametrize("key", KEYS)
def test_nothing_is_clipped_and_no_two_labels_overlap(inside, key):
    assert_apart(laid_out(draw(key, "quick")), least=10)
