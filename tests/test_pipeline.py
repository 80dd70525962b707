"""The pipeline at scale smoke, on a CPU and without a network: from nothing to the last figure, and what
reruns after a change.
"""

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

from pipeline.cells import Cells
from pipeline.parameters import declared, paper_file, papers, read, stage_entry
from stages.smoke import copy, environment
from tests.processes import alive

FIGURES = {
    key: entry
    for paper in papers()
    for key, entry in read(paper_file(paper, "figures.yaml"))["figures"].items()
}
GILBOA, NGUYEN = (f"papers/{paper}/dvc.yaml" for paper in ("gilboa", "nguyen"))
# Proxies that refuse at once: whatever would reach for the network fails instead of waiting.
OFFLINE = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")


def dvc(project, *arguments, check=True):
    environ = {**environment(), **OFFLINE}
    done = subprocess.run(["dvc", *arguments], cwd=project, capture_output=True, text=True, env=environ)
    assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def would_run(project, *targets):
    """Stages that `dvc repro` would run now."""
    return set(re.findall(r"Running stage '([^']+)'", dvc(project, "repro", "--dry", *targets).stdout))


def names(project):
    return [
        line.split()[0]
        for line in dvc(project, "stage", "list", "--all", "--name-only").stdout.splitlines()
        if line
    ]


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) >= 1, f"{old!r} is not in {path}"
    path.write_text(text.replace(old, new, 1))


def locks(project):
    return [project / "dvc.lock", *project.glob("papers/*/dvc.lock")]


def named(project, lock):
    """Whole names of the stages in a lock."""
    file = lock.with_suffix(".yaml").relative_to(project)
    return [f"{file}:{name}".removeprefix("dvc.yaml:") for name in read(lock)["stages"]]


@pytest.fixture(scope="session")
def done(tmp_path_factory):
    """A copy, its path with a blank and an umlaut, in which the pipeline has run to the end: one figure by
    `dvc repro`, all other stages in one interpreter (a process a stage would cost minutes of imports)."""
    project = tmp_path_factory.mktemp("smoke") / "ein Prüfstück"
    copy(project)
    dvc(project, "repro", f"{GILBOA}:plot@gilboa_fig4")
    made = {name for file in locks(project) for name in named(project, file)}
    shutil.copyfile("tests/one_interpreter.py", project / "one_interpreter.py")
    ran = subprocess.run(
        [sys.executable, "one_interpreter.py", *(name for name in names(project) if name not in made)],
        cwd=project,
        capture_output=True,
        text=True,
        env={**environment(), **OFFLINE, "PYTHONPATH": "."},
    )
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
    claims = [
        claim
        for path in (done / "results/smoke/claims").glob("*.json")
        for claim in json.loads(path.read_text())
    ]
    assert {claim["figure"] for claim in claims} == set(FIGURES)
    assert {claim["verdict"] for claim in claims} == {"not testable"}
    assert all(claim["ours"] for claim in claims)


def test_report_names_every_figure(done):
    text, page = (done / "paper_figs.md").read_text(), (done / "figures/index.html").read_text()
    for key in FIGURES:
        assert key in text and f"id={key}" in page


def test_second_repro_does_nothing(done):
    assert would_run(done) == set()


def test_metrics_are_a_few_scalars_a_paper(done):
    shown = json.loads(dvc(done, "metrics", "show", "--json").stdout)
    files = shown[""]["data"]
    assert sorted(files) == [f"results/smoke/{paper}.json" for paper in papers()]
    values = [value for file in files.values() for group in file["data"].values() for value in group.values()]
    assert len(values) < 40 and all(isinstance(value, (int, float)) for value in values)
    assert not dvc(done, "metrics", "show").stderr
    assert max(map(len, dvc(done, "metrics", "show").stdout.splitlines())) <= 200


# What is edited, by a comment at its end, and the stages that are then named: patterns of whole names.
EDITS = [
    ("wide/training/train_population.py", r"(train|transfer|probe|floor)_.*"),
    ("wide/training/recipe.py", r"(train|transfer|probe|floor)_.*"),
    ("wide/training/population.py",
     r"(train|transfer|probe|floor|umap|atlas|structure|cka|deletion|agreement)_.*|across@.*"),
    ("wide/nets/convnet.py",
     r"papers/gilboa.*:((train|umap|atlas)_(mnist|translated|cifar)|structure_.*|(train|transfer)_coarse)@.*"),
    ("wide/nets/mlp.py",
     r"papers/gilboa.*:((train|umap|atlas|structure)_pixels|(train|transfer)_shift|transfer_coarse)@.*"),
    ("wide/nets/resnet.py", r"papers/nguyen.*:((train|cka|probe|deletion|agreement)_.*|across@.*)"),
    ("wide/measure/cka.py", r"papers/nguyen.*:(cka_.*|across@.*)"),
    ("wide/measure/hsic.py", r"papers/nguyen.*:(cka_.*|across@.*)"),
    ("wide/measure/grams.py", r"papers/nguyen.*:(cka_.*|across@.*)"),
    ("wide/measure/blocks.py", r"papers/nguyen.*:(cka_.*|across@.*)"),
    ("wide/measure/shared.py", r"papers/nguyen.*:cka_.*"),
    ("wide/measure/pca.py", r"papers/nguyen.*:cka_.*"),
    ("wide/measure/krylov.py", r"papers/nguyen.*:cka_.*"),
    ("wide/measure/sparsity.py", r"papers/nguyen.*:cka_.*"),
    ("wide/measure/probe.py", r"papers/nguyen.*:probe_.*"),
    ("wide/measure/agreement.py", r"papers/nguyen.*:agreement_.*"),
    ("wide/measure/visualise.py", r"papers/gilboa.*:atlas_.*"),
    ("wide/measure/structure.py", r"papers/gilboa.*:structure_.*"),
    ("wide/measure/linear_pixels.py", r"papers/.*:floor_.*"),
    ("wide/plot.py", r"papers/.*:plot@.*"),
    ("wide/plot_atlas.py", r"papers/gilboa.*:plot@.*"),
    ("pipeline/figure.py", r"papers/.*:plot@.*"),
    ("pipeline/panels.py", r"papers/nguyen.*:plot@.*"),
    ("pipeline/clouds.py", r"papers/nguyen.*:plot@.*"),
    ("pipeline/plan.py", r"papers/.*:(train|probe|floor)_.*"),
    ("pipeline/training.py", r"papers/.*:(train|floor)_.*"),
    ("pipeline/balance.py",
     r"prepare.*@.*|papers/.*:(train|floor)_.*|papers/nguyen.*:((?!plot|claims).*@.*)"),
    ("pipeline/folder.py",
     r"prepare.*@.*|papers/.*:(train|floor)_.*|papers/nguyen.*:((?!plot|claims).*@.*)"),
    ("pipeline/networks.py",
     r"papers/.*:((umap|atlas|structure|transfer|cka|probe|deletion|agreement)_.*|across@.*)"),
    ("pipeline/sets/mnist.py", r"prepare@.*-mnist|prepare_of_mnist@.*"),
    ("pipeline/sets/cifar100.py", r"prepare@.*-cifar100|prepare_of_cifar100@.*"),
    ("pipeline/measurement.py", r"papers/nguyen.*:((cka|probe|deletion|agreement)_.*|across@.*)"),
    ("pipeline/claims.py", r"papers/.*:claims@.*"),
    ("papers/gilboa/claims/atlases.py", r"papers/gilboa.*:claims@.*"),
    ("papers/nguyen/claims/blocks.py", r"papers/nguyen.*:claims@.*"),
    ("stages/cka.py", r"papers/nguyen.*:cka_.*"),
    ("stages/floor.py", r"papers/.*:floor_.*"),
    ("stages/plot/transfer.py", r"papers/gilboa.*:plot@gilboa_fig4"),
    ("stages/report.py", r"report@.*"),
    ("pipeline/reports/markdown.py", r"report@.*"),
    # What changes no number makes nothing stale.
    ("pipeline/lanes.py", None),
    ("pipeline/scratch.py", None),
    ("pipeline/lifetime.py", None),
    ("pipeline/parameters.py", None),
    ("pipeline/devices.py", None),
    ("pipeline/cells.py", None),
    ("wide/artifacts.py", None),
    ("stages/check.py", None),
    ("stages/price.py", None),
    ("stages/smoke.py", None),
]  # fmt: skip


def test_a_changed_file_makes_stale_what_depends_on_it_and_nothing_else(project):
    """All files are edited at once; `dvc status` says of every stage which of its dependencies changed."""
    for file, _ in EDITS:
        with open(project / file, "a") as opened:
            opened.write("\n# edited\n")
    status = json.loads(dvc(project, "status", "--json").stdout)
    stale = {}
    for stage, reasons in status.items():
        for reason in reasons:
            for dep in reason.get("changed deps", {}) if isinstance(reason, dict) else ():
                stale.setdefault(dep, set()).add(stage)
    every = names(project)
    for file, pattern in EDITS:
        found = set().union(
            *(stages for dep, stages in stale.items() if file == dep or file.startswith(f"{dep}/"))
        )
        wanted = {
            name for name in every if pattern and re.fullmatch(f"(papers/\\w+/dvc.yaml:)?({pattern})", name)
        }
        assert found == wanted and (wanted or not pattern), f"{file}: {sorted(found ^ wanted)}"


def test_title_redraws_one_figure(project):
    edit(project / "papers/gilboa/figures.yaml", "title: Activation atlases on MNIST", "title: Atlases")
    stale = would_run(project)
    assert {name for name in stale if "plot" in name} == {f"{GILBOA}:plot@gilboa_fig1"}
    assert not any(re.search("train|umap|atlas_|structure|cka", name) for name in stale)


def test_learning_rate_retrains_one_study(project):
    edit(
        project / "papers/gilboa/params.yaml",
        "recipe: {epochs: 100, batch: 128, lr: 0.0129",
        "recipe: {epochs: 100, batch: 128, lr: 0.02",
    )
    trained = {name for name in would_run(project) if ":train" in name or name.startswith("prepare")}
    assert trained == {f"{GILBOA}:train_coarse@smoke-{variant}" for variant in ("base", "untrained")}


def test_probe_settings_retrain_nothing(project):
    edit(project / "params.yaml", "measure: {points: 400,", "measure: {points: 300,")
    assert not any(":train" in name or name.startswith("prepare") for name in would_run(project))


def test_stages_are_given_what_dvc_says_they_declare(done, monkeypatch):
    monkeypatch.chdir(done)
    chosen = [
        f"{NGUYEN}:train_deep@smoke-sixteenth",
        f"{GILBOA}:structure_cifar@smoke-base",
        f"{NGUYEN}:plot@nguyen_fig4",
        f"{NGUYEN}:claims@smoke",
        "prepare@smoke-mnist",
    ]
    for name in chosen:
        monkeypatch.setenv("DVC_STAGE", name)
        stage_entry.cache_clear()
        assert declared() == dvc_api.params_show(stages=name), name
    stage_entry.cache_clear()


def test_atlas_setting_keeps_the_maps(project):
    edit(project / "papers/gilboa/params.yaml", "damping: held_out", "damping: 0.5")
    assert not any(re.search(":(train|umap)|prepare", name) for name in would_run(project))


def test_width_reruns_training_and_no_data(project):
    edit(project / "params.yaml", "width: 1 ", "width: 4 ")
    stale = would_run(project)
    assert not any(name.startswith("prepare") for name in stale)
    assert {name for name in stale if ":train" in name} == {
        name for name in names(project) if ":train" in name
    }


def test_another_width_trains_and_shows_it(project):
    edit(project / "params.yaml", "width: 1 ", "width: 2 ")
    dvc(project, "repro", f"{GILBOA}:transfer_coarse")
    with np.load(project / "results/smoke/gilboa/coarse/transfer/base.npz") as found:
        assert list(found["width"]) == [32, 128]


@pytest.mark.parametrize("file, old, new, says", [
    ("params.yaml", "scale: smoke", "scale: nonsense", "scale is 'nonsense'"),
    ("params.yaml", "width: 1 ", "width: -1 ", "width is -1"),
    ("papers/gilboa/params.yaml", "lr: 0.0129, momentum", "lrr: 0.0129, momentum", "did you mean 'lr'?"),
    ("papers/nguyen/params.yaml", "depth: 38, base: 16", "depth: 37, base: 16", "37")])  # fmt: skip
def test_wrong_parameters_cost_nothing(project, file, old, new, says):
    kept = {
        path: path.read_bytes()
        for folder in ("results", "figures")
        for path in (project / folder).rglob("*")
        if path.is_file()
    }
    edit(project / file, old, new)
    failed = dvc(project, "repro", check=False)
    assert failed.returncode != 0
    lines = [line for line in failed.stderr.splitlines() if says in line]
    assert len(lines) == 1 and file in lines[0] and "Traceback" not in failed.stderr, failed.stderr
    assert all(path.read_bytes() == content for path, content in kept.items())


def test_figures_are_redrawn_byte_for_byte(done):
    kept = {
        path: path.read_bytes()
        for path in (done / "figures/smoke").glob("*.*")
        if path.suffix in (".png", ".md")
    }
    dvc(
        done,
        "repro",
        "-f",
        "-s",
        f"{GILBOA}:plot@gilboa_fig4",
        f"{NGUYEN}:plot@nguyen_fig1",
        f"{NGUYEN}:plot@nguyen_tabB1",
    )
    assert {path: path.read_bytes() for path in kept} == kept
    subprocess.run(
        [sys.executable, "-m", "stages.plot", "--all", "smoke"], cwd=done, check=True, env=environment()
    )
    assert {path: path.read_bytes() for path in kept} == kept


def test_a_clone_without_data_keeps_its_committed_results(done, tmp_path):
    """Results are in git, data are not: nothing is stale there, and empty folders that a failed run left
    change nothing.
    """
    clone = tmp_path / "clone"
    shutil.copytree(done, clone, symlinks=True, ignore=shutil.ignore_patterns("tmp", "cache"))
    shutil.rmtree(clone / "data")
    (clone / "data/populations/smoke/nguyen/pair").mkdir(parents=True)
    kept = {path: path.read_bytes() for path in (clone / "results").rglob("*") if path.is_file()}
    said = dvc(clone, "repro", "--allow-missing").stdout
    assert "Running stage" not in said
    assert {path: path.read_bytes() for path in (clone / "results").rglob("*") if path.is_file()} == kept
    assert "Running stage" not in dvc(clone, "repro", "--allow-missing", "--dry").stdout


def test_a_dry_run_of_a_clone_names_what_is_stale(done, tmp_path):
    clone = tmp_path / "clone"
    shutil.copytree(done, clone, symlinks=True, ignore=shutil.ignore_patterns("tmp", "cache"))
    shutil.rmtree(clone / "data")
    edit(clone / "stages/cka.py", '"""What', '"""what')
    said = dvc(clone, "repro", "--allow-missing", "--dry", check=False)
    assert said.returncode != 0
    words = said.stdout + said.stderr
    assert f"{NGUYEN}:cka_" in words.split("ERROR")[-1] and "results/checked" not in words


def test_throughput_stands_beside_the_training(done):
    found = Cells.load(done / "results/smoke/gilboa/coarse/throughput/base.json")
    assert found.get("net", "w16") == "convnet" and found.get("images_per_s", "w64") > 0
    tracked = (done / "papers/gilboa/dvc.lock").read_text()
    assert "throughput" not in tracked


@pytest.mark.parametrize("victim, shell", [("training", "sh"), ("dvc", "sh"), ("dvc", "bash")])
def test_killed_training_resumes_with_the_same_bytes(done, project, victim, shell):
    """SIGKILL in the middle of a training, of the process itself or of DVC; the rerun ends with the bytes of
    the unbroken run. Some shells become the training, others (dash) start it and outlive DVC."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    name, out = f"{GILBOA}:train_coarse@smoke-base", "data/populations/smoke/gilboa/coarse/base.safetensors"
    whole = (done / out).read_bytes()
    (project / out).unlink()
    environ = {**environment(), **OFFLINE, "WIDE_CHECKPOINT_S": "0", "SHELL": shutil.which(shell)}
    running = subprocess.Popen(
        ["dvc", "repro", "-f", "-s", name],
        cwd=project,
        env=environ,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.time() + 120
    while (
        not list(project.glob("scratch/*/*.safetensors"))
        and running.poll() is None
        and time.time() < deadline
    ):
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
        tasks = Path(f"/proc/{queue.pop()}/task").glob("*")
        below = [int(child) for task in tasks for child in (task / "children").read_text().split()]
        queue += below
        found += [child for child in below if b"stages.train" in Path(f"/proc/{child}/cmdline").read_bytes()]
    return found
