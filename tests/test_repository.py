"""The repository holds together: imports follow the table of boundaries; figures, drawings, claims and pipeline agree."""
import ast
import importlib
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from stages.smoke import environment

yaml = YAML(typ="safe")
PARAMS, FIGURES, PIPELINE = (yaml.load(Path(name).read_text()) for name in ("params.yaml", "figures.yaml", "dvc.yaml"))
STANDARD = {"math", "time", "json", "os", "io", "sys", "zipfile", "zlib", "pathlib", "dataclasses", "difflib", "importlib", "typing", "functools",
            "itertools", "collections", "html"}
# A file: what it may import besides the standard library (first matching row).
BOUNDARIES = [
    ("wide/artifacts.py", {"numpy", "safetensors"}),
    ("wide/plot.py", {"matplotlib", "seaborn", "numpy", "PIL"}),
    ("wide/nets/*.py", {"torch", "torchvision"}),
    ("wide/measure/*.py", {"torch", "numpy", "scipy", "sklearn", "statsmodels", "umap", "wide.measure"}),
    ("wide/*.py", {"torch", "wide.population", "wide.train", "wide.augment", "wide"}),
    ("stages/plot/__main__.py", {"stages", "wide.artifacts", "wide.plot", "wide", "ruamel"}),
    ("stages/plot/*.py", {"numpy", "matplotlib", "wide.plot", "wide.artifacts", "wide"}),
    ("stages/claims/__main__.py", {"stages", "wide.artifacts", "wide"}),
    ("stages/claims/*.py", {"numpy", "scipy", "stages.claims"}),
]


def imported(path):
    """Modules that a file imports, `from wide import plot` as wide.plot."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            inside = [f"{node.module}.{alias.name}" for alias in node.names if Path(node.module.replace(".", "/"), f"{alias.name}.py").exists()]
            yield from inside or [node.module]


@pytest.mark.parametrize("pattern, allowed", BOUNDARIES, ids=[pattern for pattern, _ in BOUNDARIES])
def test_module_imports_only_what_its_boundary_allows(pattern, allowed):
    earlier = [other for other, _ in BOUNDARIES[:[other for other, _ in BOUNDARIES].index(pattern)]]
    files = [path for path in Path().glob(pattern) if not any(path.match(other) for other in earlier)]
    assert files
    for path in files:
        for name in imported(path):
            assert name.split(".")[0] in STANDARD or any(name == module or name.startswith(f"{module}.") for module in allowed
                                                         if module != "wide" or name == "wide"), f"{path} imports {name}"


# What a stage may import without a dependency on its file, and why no result can be stale for it.
HARMLESS = {
    "stages.stage": "messages and ends of stages",
    "stages.declared_params": "parameters are dependencies of their own",
    "stages.running": "progress bars, checkpoints, the device",
    "stages.lanes.side_by_side": "which process works on what",
    "stages.study.caps_of": "puts sections of declared parameters together",
    "stages.members.families": "takes a population file apart, in measures that call none of its networks",
    "wide.artifacts": "paths and formats of files",
    "wide.population.member": "picks one seed's tensors",
    "wide.population.half_precision": "what the machine can do",
    "structure: wide.population.layer_outputs": "in `activations`, too, on which it depends",
    "structure: wide.measure.lucid": "in `atlas`, too, on which it depends",
    "check: wide.train.Recipe": "it refuses parameters, its output is always the same",
}


def used(path):
    """(file, name) of what a file imports of ours: ("stages/study.py", "stages.study.plan"), ("wide/plot.py", "wide.plot")."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in ("stages", "wide"):
            for alias in node.names:
                base, inside = node.module.replace(".", "/"), f"{node.module}.{alias.name}"
                files = [file for file in (f"{base}/{alias.name}.py", f"{base}.py", f"{base}/__init__.py") if Path(file).exists()]
                yield files[0], inside


def test_code_that_a_stage_imports_is_among_its_dependencies():
    needed = set()
    for name, entry in PIPELINE["stages"].items():
        entry = entry.get("do", entry)
        module = Path(entry["cmd"].split()[2].replace(".", "/"))  # python -m <module> …
        paper = next((facts["paper"] for facts in entry.get("vars", []) if "paper" in facts), None)
        deps = [dep.replace("${paper}", str(paper)) for dep in entry["deps"]]
        scripts = [module / "__main__.py" if module.is_dir() else module.with_suffix(".py")]
        for file, thing in (found for path in scripts + [Path(f"stages/claims/{paper}.py")] * bool(paper) for found in used(path)):
            harmless = {thing, f"{module.name}: {thing}"} & set(HARMLESS)
            needed |= harmless
            assert file in deps or harmless, f"{name} imports {thing}, but does not depend on {file}"
    assert needed == set(HARMLESS), "some entries are not needed"


def test_every_figure_has_its_drawing_and_a_claim():
    claimed = "".join(path.read_text() for path in Path("stages/claims").glob("*.py"))
    for key, entry in FIGURES["figures"].items():
        assert hasattr(importlib.import_module(f"stages.plot.{entry['draw']}"), "draw")
        assert f'"{key}"' in claimed, f"{key} has no claim"
        assert entry["title"] and entry["caption"] and key.split("_")[0] in FIGURES["papers"]


def test_every_drawing_is_used():
    used = {entry["draw"] for entry in FIGURES["figures"].values()}
    assert {path.stem for path in Path("stages/plot").glob("*.py") if not path.stem.startswith("__")} == used


def test_every_paper_has_its_claims_stage():
    for paper in FIGURES["papers"]:
        assert f"claims_{paper}" in PIPELINE["stages"] and Path(f"stages/claims/{paper}.py").exists()


def test_every_study_of_the_parameters_is_trained():
    trained = {entry["vars"][0]["study"] for name, entry in PIPELINE["stages"].items() if name.startswith("train_")}
    assert trained == {name for name, value in PARAMS.items() if isinstance(value, dict) and "recipe" in value}


def test_drawings_stay_short():
    for path in Path("stages/plot").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 60, f"{path} is longer than a drawing should be"


def test_committed_results_agree_with_code_and_parameters():
    """What a reviewer does in a fresh clone: nothing is stale, without data or populations."""
    done = subprocess.run(["dvc", "repro", "--allow-missing", "--dry"], capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Running stage" not in done.stdout, done.stdout


def test_the_project_speaks_only_of_itself():
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True).stdout.split()
    for name in tracked:
        path = Path(name)
        if path.suffix in {".py", ".md", ".yaml", ".txt", ".ini"} and path.exists():
            assert not any(word in path.read_text() for word in ("/" + "work/", "/" + "farm/")), name
