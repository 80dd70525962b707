"""The repository holds together: boundaries of imports, dependencies of stages, figures, drawings, claims and
pipeline.
"""

import ast
import importlib
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest
from dvc.repo import Repo

from pipeline.parameters import paper_file, papers, read
from stages.smoke import environment

FIGURES = {paper: read(paper_file(paper, "figures.yaml"))["figures"] for paper in papers()}
PARAMS = {paper: read(paper_file(paper, "params.yaml")) for paper in papers()}
PIPELINES = {paper: read(paper_file(paper, "dvc.yaml")) for paper in papers()}
STANDARD = set(
    "math time json os io sys zipfile zlib pathlib dataclasses difflib importlib fnmatch typing functools "
    "itertools collections html numbers weakref contextlib operator copy string textwrap warnings".split()
)
# A file: what it may import besides the standard library (first matching row).
BOUNDARIES = [
    ("wide/artifacts.py", {"numpy", "safetensors"}),
    ("wide/plot.py", {"matplotlib", "seaborn", "numpy", "PIL"}),
    ("wide/plot_*.py", {"matplotlib", "numpy", "wide.plot"}),
    ("wide/nets/**/*.py", {"torch", "torchvision", "wide.nets"}),
    ("wide/measure/**/*.py", {"torch", "numpy", "scipy", "sklearn", "statsmodels", "umap", "wide.measure"}),
    ("wide/training/**/*.py", {"torch", "wide.training"}),
    ("pipeline/claims.py", {"numpy", "pipeline.cells"}),
    ("pipeline/cells.py", {"numpy", "wide.artifacts"}),
    ("stages/plot/__main__.py", {"pipeline", "wide.artifacts", "wide.plot"}),
    ("stages/plot/*.py", {"numpy", "matplotlib", "wide.plot", "wide.plot_atlas", "pipeline.cells",
                          "pipeline.clouds", "pipeline.figure", "pipeline.panels", "pipeline.options",
                          "pipeline.bounds"}),
    ("papers/*/claims/*.py", {"numpy", "scipy", "pipeline.claims", "pipeline.cells", "papers"}),
]  # fmt: skip
PURE = ("wide", "papers")  # roots below which nothing may import stages


def module_file(name: str) -> Path | None:
    """File of a module of ours."""
    base = Path(name.replace(".", "/"))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.exists()), None)


@cache
def imported(path: Path) -> tuple:
    """Modules that a file imports, wherever in it; `from wide import plot` is wide.plot."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                found.append(inside if module_file(inside) else node.module)
    return tuple(dict.fromkeys(found))


@pytest.mark.parametrize("pattern, allowed", BOUNDARIES, ids=[pattern for pattern, _ in BOUNDARIES])
def test_module_imports_only_what_its_boundary_allows(pattern, allowed):
    earlier = [other for other, _ in BOUNDARIES[: [other for other, _ in BOUNDARIES].index(pattern)]]
    taken = {path for other in earlier for path in Path().glob(other)}
    files = [path for path in Path().glob(pattern) if path not in taken]
    assert files
    for path in files:
        for name in imported(path):
            inside = any(name == module or name.startswith(f"{module}.") for module in allowed)
            assert name.split(".")[0] in STANDARD or inside, f"{path} imports {name}"


def test_imports_point_one_way():
    for path in [*Path("wide").rglob("*.py"), *Path("papers").rglob("*.py"), *Path("pipeline").rglob("*.py")]:
        assert not any(name.split(".")[0] == "stages" for name in imported(path)), path
    for path in Path("pipeline").rglob("*.py"):
        assert not any(name.startswith("papers.") for name in imported(path)), path
        for paper in papers():
            assert paper not in path.read_text().lower().replace("gilboa & gur-ari", ""), (
                f"{path} names a paper"
            )
    doors = {"stages.smoke", "stages.plot", "stages"}
    for path in Path("stages").glob("*.py"):
        others = {name for name in imported(path) if name.split(".")[0] == "stages"} - doors
        assert not others or path.stem in ("check", "available"), f"{path} imports {others}"


def test_only_the_door_builds_networks():
    for path in Path("stages").rglob("*.py"):
        names = set(imported(path))
        assert not any(name.startswith("wide.nets") for name in names) and "pipeline.nets" not in names, path
        if path.stem not in ("check", "train"):  # which ask the plan for a network
            assert "build(size" not in path.read_text(), path


# What a stage may import without a dependency on its file, and why no result can be stale for it. What these
# import in their turn is among them, too.
HARMLESS = {
    "pipeline/lifetime.py": "messages and ends of stages",
    "pipeline/parameters.py": "parameters are dependencies of their own",
    "pipeline/scratch.py": "progress bars and checkpoints",
    "pipeline/lanes.py": "which process works on what",
    "pipeline/devices.py": "the device",
    "pipeline/cells.py": "formats of results",
    "pipeline/bounds.py": "what parameters may be",
    "pipeline/options.py": "what parameters may be",
    "pipeline/places.py": "what messages name",
    "wide/artifacts.py": "paths and formats of files",
}


@cache
def has_code(path: Path) -> bool:
    """Whether a file holds more than a docstring."""
    body = ast.parse(path.read_text()).body
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in body)


def reached(start: list) -> set:
    """Files of ours that files import, and what these import, to the end; harmless ones end the search."""
    found, todo = set(), list(start)
    while todo:
        path = todo.pop()
        if path in found or str(path) in HARMLESS:
            continue
        found.add(path)
        for name in imported(path):
            parts = name.split(".")
            chain = [module_file(".".join(parts[: end + 1])) for end in range(len(parts))]
            todo += [file for file in chain if file and has_code(file)]
    return found


@cache
def stages() -> tuple:
    return tuple(Repo().index.stages)


def doors(stage) -> list:
    """Files that a stage's command runs: its script, and what this finds by name, a network, a data set, a
    drawing.
    """
    module = Path(shlex.split(stage.cmd)[2].replace(".", "/"))
    script = module / "__main__.py" if module.is_dir() else module.with_suffix(".py")
    by_name = re.compile(r"(wide/nets|pipeline/sets|stages/plot)/\w+\.py")
    deps = [Path(dep.def_path) for dep in stage.deps]
    return [script, *(dep for dep in deps if by_name.fullmatch(str(dep)) and dep.name != "__init__.py")]


def test_a_stage_depends_on_all_code_that_it_reaches():
    """Everything imported, to the end.

    `check` refuses and never changes its output, `report` reads by name.
    """
    used = set()
    for stage in stages():
        if stage.name == "check":
            continue
        deps = {str(dep.def_path) for dep in stage.deps}
        folders = tuple(f"{dep}/" for dep in deps)
        for path in reached(doors(stage)):
            used.add(str(path))
            covered = str(path) in deps or str(path).startswith(folders) or path == Path("stages/__init__.py")
            assert covered or path.match("stages/plot/__main__.py") or stage.name.startswith("report"), (
                f"{stage.addressing} reaches {path}, but does not depend on it"
            )
    assert "wide/training/train_population.py" in used and "pipeline/balance.py" in used


def test_what_is_harmless_reaches_nothing_else():
    for file in HARMLESS:
        for name in imported(Path(file)):
            found = module_file(name)
            assert found is None or str(found) in HARMLESS or not has_code(found), f"{file} imports {name}"


def test_no_stage_depends_on_a_folder_that_others_write_into():
    outs = {str(out.def_path): stage.addressing for stage in stages() for out in stage.outs}
    for stage in stages():
        for dep in stage.deps:
            inside = [out for out in outs if out.startswith(f"{dep.def_path}/")]
            assert not inside, (
                f"{stage.addressing} depends on {dep.def_path}, into which {inside[:2]} are written"
            )


def test_the_check_watches_every_parameters_file():
    [check] = [stage for stage in stages() if stage.name == "check"]
    watched = {str(dep.def_path) for dep in check.deps}
    files = [paper_file(paper, name) for paper in papers() for name in ("params.yaml", "figures.yaml")]
    assert watched == {"params.yaml", *files}


def test_the_report_depends_on_every_figure_and_paper():
    for stage in stages():
        if stage.name.startswith("report"):
            deps = {str(dep.def_path) for dep in stage.deps}
            scale = stage.name.partition("@")[2]
            for paper, figures in FIGURES.items():
                wanted = {f"figures/{scale}/{key}.{entry['to']}" for key, entry in figures.items()}
                assert wanted | {f"results/{scale}/claims/{paper}.json"} <= deps


def test_every_picture_is_a_plot_of_dvc():
    pictures = {
        f"${{scale}}/{key}.png"
        for figures in FIGURES.values()
        for key, e in figures.items()
        if e["to"] == "png"
    }
    assert set(read("figures/dvc.yaml")["plots"]) == pictures


def test_every_figure_has_its_drawing_and_a_claim():
    from stages.claims import functions

    for paper, figures in FIGURES.items():
        assert set(functions(paper)) == set(figures)
        for key, entry in figures.items():
            assert hasattr(importlib.import_module(f"stages.plot.{entry['draw']}"), "draw")
            assert entry["title"] and entry["caption"] and key.split("_")[0] == paper


def test_every_drawing_is_used():
    used = {entry["draw"] for figures in FIGURES.values() for entry in figures.values()}
    drawings = {path.stem for path in Path("stages/plot").glob("*.py") if "def draw(" in path.read_text()}
    assert drawings == used


def test_every_study_of_the_parameters_is_trained():
    for paper, params in PARAMS.items():
        entries = {
            name: entry for name, entry in PIPELINES[paper]["stages"].items() if name.startswith("train_")
        }
        trained = {entry["vars"][0]["study"] for entry in entries.values()}
        assert trained == {
            name for name, value in params.items() if isinstance(value, dict) and "train" in value
        }


def test_figures_and_claims_depend_on_results_that_stages_make():
    """And every result is drawn, judged or measured on, but for trainings that are kept for the record."""
    for paper in papers():
        mine = [stage for stage in stages() if str(stage.path_in_repo).startswith(f"papers/{paper}/")]
        is_result = re.compile(r"results/\w+/\w+/\w+/\w+/\w+\.(npz|json)")
        written = {
            str(out.def_path)
            for stage in mine
            for out in stage.outs
            if is_result.fullmatch(str(out.def_path))
        }
        used = {
            str(dep.def_path)
            for stage in mine
            for dep in stage.deps
            if is_result.fullmatch(str(dep.def_path))
        }
        assert used <= written
        beside = {  # what one pass over a network gives is written together
            str(out.def_path)
            for stage in mine
            for out in stage.outs
            if used & {str(other.def_path) for other in stage.outs}
        }
        assert not {file for file in written - used - beside if "/training/" not in file}


# Lines of a pipeline file, and of a drawing: what a reader takes in at once.
LIMITS = {"dvc.yaml": 60, "papers/gilboa/dvc.yaml": 190, "papers/nguyen/dvc.yaml": 255}


def test_files_that_people_read_stay_short():
    for file, most in LIMITS.items():
        lines = Path(file).read_text().splitlines()
        assert len(lines) <= most and max(map(len, lines)) <= 110, file
    for path in Path("stages/plot").glob("*.py"):
        lines = path.read_text().splitlines()
        first = next((at for at, line in enumerate(lines) if line.startswith("def ")), len(lines))
        assert len(lines) - first <= 80, f"{path} draws in {len(lines) - first} lines"
    for path in Path("papers").glob("*/*.yaml"):
        assert max(map(len, path.read_text().splitlines())) <= 125, path


@pytest.mark.parametrize("paper", papers())
def test_anchors_are_defined_where_they_are_shared(paper):
    """No anchor stands inside its first user and is used by another section; what sections share stands in
    `shared`.
    """
    for name in ("params.yaml", "figures.yaml"):
        sections, top, section = {}, None, None
        for line in Path(paper_file(paper, name)).read_text().splitlines():
            heading = re.match(r"(  )?(\w+):", line)
            if heading:
                top = top if heading[1] else heading[2]
                section = top if name == "params.yaml" or top == "shared" else heading[2]
            for anchor in re.findall(r"&(\w+)", line.split(" #")[0]):
                sections[anchor] = section
            for alias in re.findall(r"(?<![\w\"'`*])\*(\w+)", line.split(" #")[0]):
                owner = sections[alias]
                assert owner in ("shared", section), (
                    f"{paper}/{name}: *{alias} is used in {section} but defined in {owner}"
                )


@pytest.mark.parametrize("paper", papers())
def test_committed_results_agree_with_code_and_parameters(paper):
    """What a reviewer does in a fresh clone: nothing is stale, without data or populations."""
    if not Path(paper_file(paper, "dvc.lock")).exists():
        pytest.skip(f"{paper}'s committed results were made by the pipeline's old layout, whose lock is gone")
    target = f"{paper_file(paper, 'dvc.yaml')}"
    command = ["dvc", "repro", "--allow-missing", "--dry", target]
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Running stage" not in done.stdout, done.stdout


def test_the_project_speaks_only_of_itself():
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True).stdout.split("\n")
    for name in filter(None, tracked):
        path = Path(name)
        if path.suffix in {".py", ".md", ".yaml", ".txt", ".ini", ".toml"} and path.exists():
            assert not any(word in path.read_text() for word in ("/" + "work/", "/" + "farm/")), name
