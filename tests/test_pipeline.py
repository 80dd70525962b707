"""The pipeline at scale smoke, on a CPU and without a network: from nothing to the last figure, and what reruns after a change."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import dvc.api as dvc_api
import numpy as np
import pytest
from ruamel.yaml import YAML

from stages import declared_params
from stages.smoke import copy, environment
from tests.processes import alive

FIGURES = YAML(typ="safe").load(Path("figures.yaml").read_text())["figures"]
# Proxies that refuse at once: whatever would reach for the network fails instead of waiting.
OFFLINE = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")}


def dvc(project, *arguments, check=True):
    done = subprocess.run(["dvc", *arguments], cwd=project, capture_output=True, text=True, env={**environment(), **OFFLINE})
    assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def would_run(project, *targets):
    """Stages that `dvc repro` would run now."""
    return set(re.findall(r"Running stage '([^']+)'", dvc(project, "repro", "--dry", *targets).stdout))


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) >= 1, f"{old!r} is not in {path}"
    path.write_text(text.replace(old, new, 1))


@pytest.fixture(scope="session")
def done(tmp_path_factory):
    """A copy in which the pipeline has run to the end: one figure by `dvc repro`, all other stages in one interpreter (a process a stage
    would cost minutes of imports)."""
    project = tmp_path_factory.mktemp("smoke") / "project"
    copy(project)
    dvc(project, "repro", "plot@gilboa_fig4")
    names = dvc(project, "stage", "list", "--name-only").stdout.split()
    made = YAML(typ="safe").load(project / "dvc.lock")["stages"]
    shutil.copyfile("tests/one_interpreter.py", project / "one_interpreter.py")
    ran = subprocess.run([sys.executable, "one_interpreter.py", *(name for name in names if name not in made)], cwd=project, capture_output=True, text=True,
                         env={**environment(), **OFFLINE, "PYTHONPATH": "."})
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-4000:]
    return project


@pytest.fixture
def project(done, tmp_path):
    """The finished copy, copied again, for tests that change something."""
    shutil.copytree(done, tmp_path / "project", symlinks=True, ignore=shutil.ignore_patterns("tmp"))
    return tmp_path / "project"


def test_every_figure_and_table_comes_out(done):
    for key, entry in FIGURES.items():
        content = (done / f"figures/smoke/{key}.{entry['to']}").read_bytes()
        if entry["to"] == "png":
            assert len(content) > 2000 and content.startswith(b"\x89PNG"), key
        else:
            assert b"STAND-IN DATA" in content and content.count(b"\n| ") > 3, key


def test_claims_on_stand_ins_are_not_testable(done):
    claims = [claim for path in (done / "results/smoke/claims").glob("*.json") for claim in json.loads(path.read_text())]
    assert {claim["figure"] for claim in claims} == set(FIGURES)
    assert {claim["verdict"] for claim in claims} == {"not testable"}
    assert all(claim["ours"] for claim in claims)


def test_report_names_every_figure(done):
    text, page = (done / "paper_figs.md").read_text(), (done / "figures/index.html").read_text()
    for key in FIGURES:
        assert key in text and f"id={key}" in page


def test_second_repro_does_nothing(done):
    assert would_run(done) == set()


def test_title_redraws_one_figure(project):
    edit(project / "figures.yaml", "title: Activation atlases on MNIST", "title: Atlases")
    assert would_run(project) == {"plot@gilboa_fig1", "report@smoke"}


def test_learning_rate_retrains_one_study(project):
    edit(project / "params.yaml", "recipe: {epochs: 100, batch: 128, lr: 0.0129", "recipe: {epochs: 100, batch: 128, lr: 0.02")
    trained = {name for name in would_run(project) if name.startswith(("train", "prepare"))}
    assert trained == {"train_gilboa_coarse@smoke-base"}


def test_probe_settings_retrain_nothing(project):
    edit(project / "params.yaml", "measure: {points: 400,", "measure: {points: 300,")
    assert not any(name.startswith(("train", "prepare")) for name in would_run(project))


def test_stages_are_given_what_dvc_says_they_declare(done, monkeypatch):
    monkeypatch.chdir(done)
    for name in ("train_nguyen_deep@smoke-sixteenth", "structure_gilboa_cifar@smoke-base", "plot@nguyen_fig4", "claims_nguyen@smoke", "report@smoke"):
        monkeypatch.setenv("DVC_STAGE", name)
        assert declared_params() == dvc_api.params_show(stages=name)


def test_atlas_setting_keeps_the_maps(project):
    edit(project / "params.yaml", "damping: 1.0", "damping: 0.5")
    assert not any(name.startswith(("train", "prepare", "activations", "umap")) for name in would_run(project))


def test_width_reruns_training_and_no_data(project):
    edit(project / "params.yaml", "width: 1 ", "width: 4 ")
    stale = would_run(project)
    assert not any(name.startswith("prepare") for name in stale)
    assert {name for name in stale if name.startswith("train")} == {name for name in dvc(project, "stage", "list", "--name-only").stdout.split()
                                                                   if name.startswith("train")}


def test_another_width_trains_and_shows_it(project):
    edit(project / "params.yaml", "width: 1 ", "width: 2 ")
    dvc(project, "repro", "transfer_gilboa_coarse")
    with np.load(project / "results/smoke/gilboa_transfer/transfer/gilboa_coarse.npz") as found:
        assert list(found["width"]) == [32, 128]


@pytest.mark.parametrize("old, new, says", [
    ("scale: smoke", "scale: nonsense", "scale is 'nonsense'"), ("width: 1 ", "width: 0 ", "width is 0"),
    ("width: 1 ", "width: -1 ", "width is -1"), ("width: 1 ", "width: abc ", "width is 'abc'"),
    ("recipe: {epochs: 100, batch: 128, lr: 0.0129", "recipe: {epoch: 100, batch: 128, lr: 0.0129", "did you mean 'epochs'?")])
def test_wrong_parameters_cost_nothing(project, old, new, says):
    kept = {path: path.read_bytes() for folder in ("results", "figures") for path in (project / folder).rglob("*") if path.is_file()}
    edit(project / "params.yaml", old, new)
    failed = dvc(project, "repro", check=False)
    assert failed.returncode != 0
    lines = [line for line in failed.stderr.splitlines() if says in line]
    assert len(lines) == 1 and "Traceback" not in failed.stderr
    assert all(path.read_bytes() == content for path, content in kept.items())


def test_figures_are_redrawn_byte_for_byte(done):
    kept = {path: path.read_bytes() for path in (done / "figures/smoke").glob("*.*") if path.suffix in (".png", ".md")}
    dvc(done, "repro", "-f", "-s", "plot@gilboa_fig4", "plot@nguyen_fig1", "plot@nguyen_tabB1")
    assert {path: path.read_bytes() for path in kept} == kept
    subprocess.run([sys.executable, "-m", "stages.plot", "--all", "smoke"], cwd=done, check=True, env=environment())  # make figures
    assert {path: path.read_bytes() for path in kept} == kept


@pytest.mark.parametrize("victim, shell", [("training", "sh"), ("dvc", "sh"), ("dvc", "bash")])
def test_killed_training_resumes_with_the_same_bytes(done, project, victim, shell):
    """SIGKILL in the middle of a training, of the process itself or of DVC; the rerun ends with the bytes of the unbroken run.
    Some shells become the training, others (dash) start it and outlive DVC."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    name, out = "train_gilboa_coarse@smoke-base", "data/populations/smoke/gilboa_coarse/base.safetensors"
    whole = (done / out).read_bytes()
    (project / out).unlink()
    environ = {**environment(), **OFFLINE, "WIDE_CHECKPOINT_S": "0", "SHELL": shutil.which(shell)}
    running = subprocess.Popen(["dvc", "repro", "-f", "-s", name], cwd=project, env=environ, start_new_session=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.time() + 120
    while not list(project.glob("scratch/*/*.safetensors")) and running.poll() is None and time.time() < deadline:
        time.sleep(0.01)
    assert running.poll() is None, "the training ended before it could be killed"
    trainings = children(running.pid)
    os.kill(running.pid if victim == "dvc" else trainings[0], signal.SIGKILL)
    running.wait(60)
    deadline = time.time() + 60  # a process in the middle of a write to disk dies when the write is done
    while any(map(alive, trainings)) and time.time() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, trainings)) and not (project / out).exists(), "an orphan keeps training"
    assert list(project.glob("scratch/*/*.safetensors"))
    dvc(project, "repro", "-f", "-s", name)
    assert (project / out).read_bytes() == whole
    assert not list(project.glob("scratch/*"))


def children(pid):
    """Processes that run a training below ``pid``."""
    found, queue = [], [pid]
    while queue:
        below = [int(child) for task in Path(f"/proc/{queue.pop()}/task").glob("*") for child in (task / "children").read_text().split()]
        queue += below
        found += [child for child in below if b"stages.train" in Path(f"/proc/{child}/cmdline").read_bytes()]
    return found
