"""Parameters files are read or refused in one line, and a stage gets what it declares and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import dvc.api
import pytest
from dvc.repo import Repo

from pipeline import parameters
from pipeline.parameters import declared, paper_file, papers, read, stage_entry

ROOT = Path(__file__).parent.parent
PARAMS = """
scale: quick
width: 2
scales:
  smoke: {train: {views: 1}, measure: {points: 2}}
  quick: {train: {views: 5}, measure: {points: 3}}
"""
PIPELINE = """
stages:
  check:
    cmd: python show.py
    params: [{papers/one/params.yaml: , params.yaml: }]
  prepare:
    matrix: {scale: ["${scale}"], set: [mnist, cifar]}
    cmd: python show.py ${item.set} ${item.scale}
    params: ["scales.${item.scale}.train", width]
"""
PAPER_PARAMS = """
shown: {smoke: base, quick: base}
recipe: &recipe {epochs: 10, lr: 0.1}
measures: {cka: {batch: 256, passes: 10}}
mnist:
  train: {net: {name: convnet}, seeds: 3, recipe: *recipe}
  variants: {base: {}, none: , judge: {seeds: [100], recipe: {epochs: 1}}}
  measure: {cka: {removed: [base]}}
  at: {smoke: {train: {}, measure: {}}, quick: {train: {views: 7}, measure: {}}}
"""
FIGURES = "figures: {fig1: {draw: grid, reads: a.npz}, fig2: {draw: table, reads: b.npz}}"
PAPER_PIPELINE = """
vars: [../../params.yaml, params.yaml, figures.yaml]
stages:
  train:
    wdir: ../..
    vars: [{study: mnist, file: papers/PAPER/params.yaml}]
    matrix: {scale: ["${scale}"], variant: "${mnist.variants}"}
    cmd: python show.py PAPER ${study} ${item.variant} ${item.scale}
    params:
      - width
      - scales.${item.scale}.train
      - ${file}: ["${study}.train", "${study}.variants.${item.variant}", "${study}.at.${item.scale}.train"]
  cka:
    wdir: ../..
    matrix: {scale: [smoke, quick]}
    cmd: python show.py PAPER ${item.scale}
    params:
      - scales.${item.scale}.measure
      - papers/PAPER/params.yaml: [measures.cka, mnist.measure.cka, "mnist.at.${item.scale}.measure", shown]
  plot:
    foreach: ${figures}
    do:
      wdir: ../..
      cmd: python show.py PAPER ${key} ${scale}
      params: [{papers/PAPER/figures.yaml: ["figures.${key}"], papers/PAPER/params.yaml: [shown]}]
  claims:
    wdir: ../..
    cmd: python show.py PAPER
    params: [width, {papers/PAPER/figures.yaml: }]
  index:
    wdir: ../..
    cmd: python show.py PAPER index
"""
SHOW = """
import json
from pipeline.parameters import declared
open("shown.json", "w").write(json.dumps(declared()))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project of two papers whose stages have the same names."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "params.yaml").write_text(PARAMS)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "show.py").write_text(SHOW)
    for number, paper in enumerate(("one", "two")):
        (folder / "papers" / paper).mkdir(parents=True)
        (folder / "papers" / paper / "params.yaml").write_text(PAPER_PARAMS.replace("0.1", f"0.{number + 1}"))
        (folder / "papers" / paper / "figures.yaml").write_text(FIGURES)
        (folder / "papers" / paper / "dvc.yaml").write_text(PAPER_PIPELINE.replace("PAPER", paper))
    (folder / "papers" / "notes").mkdir()
    Repo.init(str(folder), no_scm=True)
    return folder


@pytest.fixture
def project(made, monkeypatch):
    """The same, entered, and no stage running."""
    monkeypatch.chdir(made)
    monkeypatch.delenv("DVC_STAGE", raising=False)
    stage_entry.cache_clear()
    yield made
    stage_entry.cache_clear()


def started(monkeypatch, name, *words):
    """What a stage sees that DVC has started under this name with these arguments: its parameters."""
    stage_entry.cache_clear()
    monkeypatch.setenv("DVC_STAGE", name)
    monkeypatch.setattr(sys, "argv", ["show.py", *words])
    return declared()


# Files


def test_a_file_is_read_as_dvc_reads_it(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a: &a {x: 1, on: yes}\nb: {<<: *a, x: 2}\nc: [1.5, null, true, 1e-3, 010]\n'ρ': {}\n")
    on = {"x": 1, "on": "yes"}
    assert read(path) == {"a": on, "b": {**on, "x": 2}, "c": [1.5, None, True, 0.001, 10], "ρ": {}}


@pytest.mark.parametrize("content, says", [
    (None, "is missing: restore it from git"),
    (b"a: [1, 2\n", ", line 2, is not YAML"),
    (b"a: 1\nb: c: d\n", ", line 2, is not YAML"),
    (b"a: 1\n b: 2\n", ", line 2, is not YAML"),
    (b"a: *nobody\n", ", line 1, is not YAML"),
    (b"a: 1\nc: 1\na: 2\n", ", line 3, is not YAML"),
    (b"<<<<<<< HEAD\na: 1\n=======\n", ", line 2, is not YAML"),
    (b"\ta: 1\n", ", line 1, is not YAML"),
    (b"a: \x00\n", "is not YAML"),
    (b"\xff\xfe\x00", "is not YAML"),
    (b"", "holds nothing where a mapping of names to values belongs"),
    (b"# only a comment\n", "holds nothing where a mapping"),
    (b"- 1\n- 2\n", "holds a value of type list where a mapping"),
    (b"text\n", "holds a value of type str where a mapping"),
    (b"5\n", "holds a value of type int where a mapping"),
], ids=repr)  # fmt: skip
def test_what_is_no_mapping_in_yaml_is_one_line_that_names_the_file(content, says, tmp_path):
    path = tmp_path / "params.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        read(path)
    message = str(error.value)
    assert message.startswith(str(path)) and says in message and "\n" not in message


def test_papers_are_the_folders_that_hold_a_pipeline(project):
    assert papers() == ["one", "two"]
    assert paper_file("one", "params.yaml") == "papers/one/params.yaml"


def test_the_committed_files_can_be_read():
    assert papers()
    for path in ("params.yaml", *(paper_file(paper, "params.yaml") for paper in papers())):
        assert read(path)


# What a stage declares


def test_a_stage_gets_what_dvc_shows_of_it(project, monkeypatch):
    """Every stage of the project, of both papers and of what they share."""
    stages = Repo().index.stages
    assert len(stages) == 3 + 2 * 9
    for stage in stages:
        found = started(monkeypatch, stage.addressing, *stage.cmd.split()[2:])
        wanted = dvc.api.params_show(stages=stage.addressing) if stage.params else {}
        assert found == wanted, stage.addressing
        assert json.loads(json.dumps(found)) == wanted


def test_each_paper_has_its_own_numbers(project, monkeypatch):
    for paper, lr in (("one", 0.1), ("two", 0.2)):
        words = (paper, "mnist", "judge", "quick")
        found = started(monkeypatch, f"papers/{paper}/dvc.yaml:train@quick-judge", *words)
        assert found == {
            "width": 2,
            "scales": {"quick": {"train": {"views": 5}}},
            "mnist": {
                "train": {"net": {"name": "convnet"}, "seeds": 3, "recipe": {"epochs": 10, "lr": lr}},
                "variants": {"judge": {"seeds": [100], "recipe": {"epochs": 1}}},
                "at": {"quick": {"train": {"views": 7}}},
            },
        }


@pytest.mark.parametrize("name", [
    "papers/two/dvc.yaml:train@quick-none",  # DVC started at the root
    "train@quick-none",  # in the paper's own folder
    "../two/dvc.yaml:train@quick-none",  # in another paper's
    "two/dvc.yaml:train@quick-none",  # in papers
])  # fmt: skip
def test_the_folder_that_dvc_was_started_in_makes_no_difference(name, project, monkeypatch):
    found = started(monkeypatch, name, "two", "mnist", "none", "quick")
    assert found["mnist"]["train"]["recipe"]["lr"] == 0.2 and found["mnist"]["variants"] == {"none": None}
    assert stage_entry()["cmd"] == "python show.py two mnist none quick"
    shared = started(monkeypatch, "../../dvc.yaml:prepare@quick-mnist", "mnist", "quick")
    assert shared == {"scales": {"quick": {"train": {"views": 5}}}, "width": 2}


def test_dvc_started_in_a_papers_folder_runs_its_stages(project):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "dvc", "repro", "--quiet", "--single-item", "plot@fig2"]
    done = subprocess.run(command, cwd="papers/two", env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shown = json.loads(Path("shown.json").read_text())
    assert shown == {
        "figures": {"fig2": {"draw": "table", "reads": "b.npz"}},
        "shown": {"smoke": "base", "quick": "base"},
    }


def test_a_stage_is_resolved_once(project, monkeypatch):
    started(monkeypatch, "papers/one/dvc.yaml:claims", "one")
    monkeypatch.setattr(parameters, "_resolved", lambda *_: pytest.fail("resolved again"))
    assert declared()["width"] == 2


def test_outside_of_dvc_no_stage_is_running(project):
    with pytest.raises(ValueError, match="^no stage is running: use `dvc repro <stage>`"):
        declared()


@pytest.mark.parametrize(
    "name", ["nothing", "papers/one/dvc.yaml:train@paper-base", "elsewhere/dvc.yaml:nothing"]
)
def test_a_stage_that_no_pipeline_has_is_one_line(name, project, monkeypatch):
    says = f"stage '{name.split(':')[-1]}' is in none of dvc.yaml, papers/one/dvc.yaml, papers/two/dvc.yaml"
    with pytest.raises(ValueError, match=says) as error:
        started(monkeypatch, name, "a")
    assert "\n" not in str(error.value)


# What it does not


@pytest.mark.parametrize("keys", [
    ("scale",),
    ("scales", "smoke"),
    ("scales", "quick", "measure"),
    ("mnist", "measure"),
    ("mnist", "variants", "judge"),
    ("mnist", "train", "net", "plan"),
    ("shown",),
])  # fmt: skip
def test_reading_what_is_not_declared_is_one_line_that_says_what_to_do(keys, project, monkeypatch):
    """Some of it stands in the files, some nowhere: a value that DVC does not watch is never used."""
    found = started(monkeypatch, "papers/one/dvc.yaml:train@quick-base", "one", "mnist", "base", "quick")
    with pytest.raises(ValueError) as error:
        for key in keys:
            found = found[key]
    message = str(error.value)
    assert message.startswith(f"'{'.'.join(keys)}' is not among the parameters that this stage declares")
    assert "add it to the stage's `params` in its dvc.yaml, or to the parameters file" in message


def test_what_may_be_missing_can_be_asked_for(project, monkeypatch):
    found = started(monkeypatch, "papers/one/dvc.yaml:train@quick-base", "one", "mnist", "base", "quick")
    assert found.get("measures", {}) == {} and "measures" not in found and "train" in found["mnist"]
    assert found["mnist"].get("measure") is None


def test_a_stage_without_parameters_has_none(project, monkeypatch):
    assert started(monkeypatch, "papers/one/dvc.yaml:index", "one", "index") == {}
