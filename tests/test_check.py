"""Wrong parameters, figures and pipelines are refused in one line that names the place; right ones pass."""

import json
import re
import shutil
from pathlib import Path

import pytest

from pipeline.parameters import PIPELINE, ROOT, paper_file
from stages import check
from tests.edits import MISSING, RIGHT, WRONG, Renamed

HERE = Path(__file__).parents[1]
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
        paper: {name: files[paper_file(paper, f"{name}.yaml")] for name in ("params", "figures")} for paper in papers
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
    assert place.split(".")[0] in message or isinstance(value, Renamed), "the place is named"


@pytest.mark.parametrize("file, place, value", ALLOWED, ids=lambda part: str(part)[:40])
def test_a_right_value_passes(files, file, place, value):
    checked(files | {file: edited(files[file], place.split("."), value)})


def test_there_are_enough_wrong_values():
    assert len(REFUSED) >= 150 and len({edit[:2] for edit in REFUSED}) >= 110
