"""The README's table "How to add a …": each row carried out in a copy of the repository."""

import importlib
import re
import shutil
from pathlib import Path

import pytest

from stages.smoke import copy
from tests.additions.rows import ROWS
from tests.additions.tree import Tree, cases_of, imported_from

LEFT_OUT = [(row, file) for row in ROWS for file in ROWS[row].without]
TESTS = ("test_repository", "test_contract", "test_sets")
TABLE = Path("README.md").read_text().partition("## How to add a …")[2].partition("\n\nA study")[0]
TOLD = {line.split(" | ")[0].removeprefix("| "): line.split(" | ")[1] for line in TABLE.splitlines()[4:]}


@pytest.fixture(scope="module")
def only_copy(tmp_path_factory):
    """A copy of the repository, which has committed results as if they were smoke's."""
    root = tmp_path_factory.mktemp("adding") / "copy"
    copy(root)
    shutil.copytree("results/quick/gilboa", root / "results/smoke/gilboa")
    (root / "tests").mkdir()
    for name in TESTS:
        shutil.copy(f"tests/{name}.py", root / "tests")
    with imported_from(root):
        yield Tree()


@pytest.fixture
def tree(only_copy, monkeypatch):
    monkeypatch.setenv("WIDE_LANES", "1")
    monkeypatch.setenv("WIDE_TRACEBACK", "1")
    yield only_copy
    only_copy.restore()


def paths_in(told: str) -> set[str]:
    """Patterns of the files that a row of the README's table names."""
    told = told.replace("a figure (above)", TOLD["figure of a known kind"])
    told = told.replace("a study (below)", "`papers/<paper>/params.yaml`, `papers/<paper>/dvc.yaml`")
    named = re.findall(r"`((?:papers|stages|pipeline|wide|figures)/[^`]+|dvc\.yaml)`", told)
    return {re.sub(r"<\w+>", r"\\w+", re.escape(path)) for path in named}


@pytest.mark.parametrize("names", TOLD)
def test_the_readme_names_the_files_of_an_addition_and_no_others(names):
    patterns = paths_in(TOLD[names])
    for name in names.split(", "):
        used = {pattern for file in ROWS[name].files for pattern in patterns if covers(pattern, file)}
        assert used == patterns
        assert all(any(covers(pattern, file) for pattern in patterns) for file in ROWS[name].files)


def covers(pattern: str, file: str) -> bool:
    """Whether a file is what is named, or lies in it; a paper's claims are a module or a package."""
    return bool(re.fullmatch(rf"{pattern}(/.*|\.py)?", file))


def test_the_readme_has_a_row_for_every_addition():
    assert [name for names in TOLD for name in names.split(", ")] == list(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_an_addition_is_its_files_and_changes_nothing_else(tree, monkeypatch, name):
    row = ROWS[name]
    tree.add(row.files)
    assert tree.refused() is None
    stages = tree.stages()
    assert stages.keys() - tree.before.keys() == row.new and tree.before.keys() <= stages.keys()
    assert tree.stale(stages) == row.stale
    one = importlib.import_module("pipeline.variants").one
    for place, sizes in row.sizes.items():
        assert {size.key: size.seeds for size in one(*place, "smoke", 1).plan.sizes} == sizes
    for door in row.doors:
        tree.run(door, monkeypatch)


@pytest.mark.parametrize("name, file", LEFT_OUT)
def test_a_file_that_is_left_out_is_named_in_one_line(tree, name, file):
    tree.add({path: more for path, more in ROWS[name].files.items() if path != file})
    said = tree.refused()
    if said is None:
        tree.stages()
        [said] = tree.complaints()
    assert re.search(ROWS[name].without[file], said) and "\n" not in said


def test_all_additions_together_hold_together(tree):
    for row in ROWS.values():
        tree.add(row.files)
    assert tree.refused() is None
    assert tree.stages().keys() - tree.before.keys() == set().union(*(row.new for row in ROWS.values()))
    assert tree.complaints() == []


def test_a_new_network_is_among_those_that_are_tested(tree):
    tree.add(ROWS["network"].files)
    contract = importlib.import_module("tests.test_contract")
    assert "pyramid" in contract.NAMES
    given = {"name": "pyramid", "net": contract.seeded("pyramid"), "taps": {}}
    contract.logits(given["net"], lambda layer, x: given["taps"].setdefault(layer, x))
    assert_all_pass(contract, **given)


def test_a_new_data_set_is_among_those_that_are_tested(tree):
    tree.add(ROWS["data set"].files)
    tests = importlib.import_module("tests.test_sets")
    assert "stripes" in tests.sets.names()
    assert_all_pass(tests, name="stripes")


def assert_all_pass(module, **given):
    cases = cases_of(module, **given)
    assert len(cases) > 2
    for case in cases:
        case()
