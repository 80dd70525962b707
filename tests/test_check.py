"""Wrong parameters, figures and pipelines are refused in one line that names the place; right ones pass."""

import json
import re
import shutil
from pathlib import Path

import pytest

from pipeline.parameters import PIPELINE, ROOT, paper_file
from stages import check
from tests.edits.kinds import MISSING, Renamed
from tests.edits.of_measures import MEASURES, RESNETS
from tests.edits.of_pipelines import ATLASES, DRAWINGS, STAGES
from tests.edits.of_pipelines import PIPELINE as AT_THE_ROOT
from tests.edits.of_studies import ROOT as ROOT_PARAMETERS
from tests.edits.of_studies import STUDIES
from tests.edits.right import RIGHT

HERE = Path(__file__).parents[1]
WRONG = {
    ROOT: ROOT_PARAMETERS,
    "papers/gilboa/params.yaml": STUDIES + MEASURES,
    "papers/nguyen/params.yaml": RESNETS,
    "papers/gilboa/figures.yaml": ATLASES,
    "papers/nguyen/figures.yaml": DRAWINGS,
    "papers/gilboa/dvc.yaml": STAGES,
    PIPELINE: AT_THE_ROOT,
}
REFUSED = [(file, *edit) for file, edits in WRONG.items() for edit in edits]
ALLOWED = [(file, *edit) for file, edits in RIGHT.items() for edit in edits]


@pytest.fixture(scope="module")
def files():
    """Parsed files by path, none of their parts in two places; at scale quick."""
    root, papers, pipelines = json.loads(json.dumps(check.parsed()))
    found = {ROOT: root | {"scale": "quick"}, PIPELINE: pipelines.pop("")}
    for paper, parsed in papers.items():
        found |= {paper_file(paper, f"{name}.yaml"): value for name, value in parsed.items()}
    return found | {paper_file(paper, PIPELINE): value for paper, value in pipelines.items()}


def checked(files):
    papers = [file.split("/")[1] for file in files if file.endswith(f"/{PIPELINE}")]
    parsed = {
        paper: {name: files[paper_file(paper, f"{name}.yaml")] for name in ("params", "figures")}
        for paper in papers
    }
    pipelines = {paper: files[paper_file(paper, PIPELINE)] for paper in papers}
    check.check(files[ROOT], parsed, {"": files[PIPELINE]} | pipelines)


def edited(value, keys, new):
    """A copy of a nested value with another one at a place; what lies beside the place is shared."""
    key, *rest = keys
    key = int(key) if isinstance(value, list) else key
    copy = list(value) if isinstance(value, list) else dict(value)
    if rest:
        copy[key] = edited(value[key], rest, new)
    elif new is MISSING:
        del copy[key]
    elif isinstance(new, Renamed):
        copy[new.name] = copy.pop(key)
    else:
        copy[key] = new
    return copy


def test_the_repositorys_own_files_pass(files):
    checked(files)


@pytest.mark.parametrize("file, place, value, says", REFUSED, ids=lambda part: str(part)[:40])
def test_a_wrong_value_is_refused_in_one_line_that_names_it(files, file, place, value, says):
    with pytest.raises(ValueError) as error:
        checked(files | {file: edited(files[file], place.split("."), value)})
    message = str(error.value)
    assert re.search(says, message), message
    assert re.match(r"(papers/\w+/)?(params|figures|dvc)\.yaml: ", message) and "\n" not in message
    named = any(key in message for key in place.split("."))
    assert named or place.startswith("stages."), "the place is named, or what suffers from a stage's change"


@pytest.mark.parametrize("file, place, value", ALLOWED, ids=lambda part: str(part)[:40])
def test_a_right_value_passes(files, file, place, value):
    checked(files | {file: edited(files[file], place.split("."), value)})


def test_every_level_of_every_file_is_among_the_wrong_values():
    depths = {(file, len(place.split("."))) for file, place, *_ in REFUSED}
    assert {(ROOT, depth) for depth in (1, 2, 3, 4, 5)} <= depths
    assert {(paper_file("gilboa", ROOT), depth) for depth in (1, 2, 3, 4, 5, 6)} <= depths
    assert len({edit[:2] for edit in REFUSED}) >= 110


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that has the repository's parameters, figures and pipelines, and is the working one."""
    for path in [HERE / ROOT, HERE / PIPELINE, *HERE.glob("papers/*/*.yaml")]:
        copy = tmp_path / path.relative_to(HERE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_stage_writes_one_constant_line_and_does_not_touch_it_again(folder):
    check.main()
    first, text = check.CHECKED.stat().st_mtime_ns, check.CHECKED.read_text()
    check.main()
    assert (check.CHECKED.stat().st_mtime_ns, text) == (first, check.PASSED)
    check.CHECKED.write_text("another")
    check.main()
    assert check.CHECKED.read_text() == check.PASSED
    assert [path.name for path in check.CHECKED.parent.iterdir()] == ["checked"]


def test_the_stage_ends_with_one_line_and_leaves_its_output(folder):
    check.main()
    text = (folder / ROOT).read_text()
    (folder / ROOT).write_text(re.sub("(?m)^width: 1", "width: 0", text))
    with pytest.raises(SystemExit, match=r"^error: params\.yaml: width is 0; it must be a number above 0$"):
        check.main()
    assert check.CHECKED.read_text() == check.PASSED


@pytest.mark.parametrize("text, says", [("scale: [", "not YAML"), ("3", "mapping"), (None, "is missing")])
def test_a_file_that_is_none_is_named(folder, text, says):
    place = folder / paper_file("gilboa", ROOT)
    place.unlink() if text is None else place.write_text(text)
    with pytest.raises(SystemExit, match=rf"^error: papers/gilboa/params\.yaml.*{says}[^\n]*$"):
        check.main()
