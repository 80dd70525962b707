"""A damaged output and DVC's copy of it go together, in a real project with hard links as this one's."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from dvc.repo import Repo

from pipeline.cache import forget, recorded
from stages import forget as door
from wide import artifacts

ROOT = Path(__file__).parent.parent
CACHE = Path(".dvc/cache/files/md5")
OUTPUT = "data/datasets/quick/toy.safetensors"
MAKE = (
    "import sys, numpy as np; from wide import artifacts; open('runs', 'a').write('.');"
    "artifacts.save_tensors(sys.argv[1], {'a': np.arange(50.0)})"
)
PIPELINE = f"""
stages:
  prepare:
    cmd: {sys.executable} make.py {OUTPUT}
    deps: [make.py]
    outs: [{OUTPUT}]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project whose only stage has run."""
    folder = tmp_path_factory.mktemp("project")
    before = os.getcwd()
    os.chdir(folder)
    Path("make.py").write_text(MAKE)
    Path("dvc.yaml").write_text(PIPELINE)
    Repo.init(no_scm=True).close()
    with open(".dvc/config", "a") as config:
        config.write('[cache]\n    type = "hardlink,copy"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        reproduce()
        yield folder
    os.chdir(before)


@pytest.fixture
def project(made, monkeypatch):
    """The same for each test: the output, and DVC's copy of it as a hard link."""
    monkeypatch.chdir(made)
    lock, content = Path("dvc.lock").read_bytes(), copy().read_bytes()
    Path("runs").write_text("")
    assert Path(OUTPUT).samefile(copy())
    yield made
    for path in (Path(OUTPUT), *CACHE.glob("??/*")):
        path.unlink(missing_ok=True)
    Path("dvc.lock").write_bytes(lock)
    copy().parent.mkdir(parents=True, exist_ok=True)
    copy().write_bytes(content)
    copy().chmod(0o444)
    os.link(copy(), OUTPUT)


def reproduce():
    """`dvc repro`."""
    with Repo() as repo:
        repo.reproduce()


def copy():
    """DVC's copy of the output."""
    [md5] = recorded(OUTPUT)
    return CACHE / md5[:2] / md5[2:]


def damage(path):
    """As a failing disk does: in place, whatever the permissions."""
    Path(path).chmod(0o644)
    with open(path, "r+b") as file:
        file.truncate(20)
    Path(path).chmod(0o444)


def message():
    with pytest.raises(ValueError) as error:
        artifacts.load_tensors(OUTPUT)
    return str(error.value)


def test_the_error_names_the_command_that_brings_the_file_back(project, capsys):
    """To delete the file alone does not: the same bytes come back by the link."""
    damage(OUTPUT)
    command = f"python -m stages.forget {OUTPUT}"
    assert f"{OUTPUT} is damaged" in message() and f"`{command}`" in message() and "\n" not in message()
    Path(OUTPUT).unlink()
    reproduce()
    assert f"{OUTPUT} is damaged" in message() and Path("runs").read_text() == ""
    capsys.readouterr()
    door.main(OUTPUT)
    assert capsys.readouterr().out == f"removed {copy()} and {OUTPUT}; now run `dvc repro`\n"
    assert not Path(OUTPUT).exists() and not copy().exists()
    reproduce()
    np.testing.assert_array_equal(artifacts.load_tensors(OUTPUT)[0]["a"], np.arange(50.0))
    assert Path("runs").read_text() == "."


def test_the_copy_goes_although_the_file_is_gone_already(project, capsys):
    damage(OUTPUT)
    Path(OUTPUT).unlink()
    assert forget(OUTPUT, CACHE) == [copy()] and not copy().exists()
    door.main(OUTPUT)
    assert capsys.readouterr().out == "removed nothing: it was gone; now run `dvc repro`\n"


def test_a_whole_copy_is_kept_and_put_in_the_place_of_the_damaged_file(project):
    """Where the file is a copy of its own, it can be damaged alone: then nothing has to run again."""
    content = Path(OUTPUT).read_bytes()
    Path(OUTPUT).unlink()
    Path(OUTPUT).write_bytes(content[:30])
    assert forget(OUTPUT, CACHE) == [Path(OUTPUT)] and copy().read_bytes() == content
    reproduce()
    assert Path(OUTPUT).read_bytes() == content and Path("runs").read_text() == ""


def test_a_whole_file_is_forgotten_too_when_asked(project):
    """Linked or not, the same bytes must not come back."""
    content = Path(OUTPUT).read_bytes()
    assert forget(OUTPUT, CACHE) == [copy(), Path(OUTPUT)]
    for path in (copy(), Path(OUTPUT)):
        path.write_bytes(content)
    assert forget(OUTPUT, CACHE) == [copy(), Path(OUTPUT)]


@pytest.mark.parametrize("link", [os.link, os.symlink], ids=["hard", "symbolic"])
def test_a_copy_that_no_lock_records_goes_by_its_link(link, project):
    """Where the lock was restored to an older run's, and the file is a link to what the newer one wrote."""
    newer = CACHE.absolute() / "ab" / "cdef"
    newer.parent.mkdir(exist_ok=True)
    newer.write_bytes(b"damaged")
    Path(OUTPUT).unlink()
    link(newer, OUTPUT)
    assert newer in [path.absolute() for path in forget(OUTPUT, CACHE)]
    assert not newer.exists() and not Path(OUTPUT).is_symlink() and copy().exists()


def test_it_is_found_by_its_whole_path(project):
    assert Path(OUTPUT) in forget(str(project / OUTPUT), CACHE)


def test_papers_locks_are_looked_through_too(project):
    Path("papers/one").mkdir(parents=True, exist_ok=True)
    Path("dvc.lock").rename("papers/one/dvc.lock")
    expected = [copy(), Path(OUTPUT)]
    assert forget(OUTPUT, CACHE) == expected
    Path("papers/one/dvc.lock").unlink()


@pytest.mark.parametrize("path, says", [
    ("make.py", "make.py is no output that a dvc.lock records: delete it yourself"),
    ("nothing.npz", "nothing.npz is no output"),
    ("data/datasets", "data/datasets is a folder: name one file"),
    ("..", ".. is a folder"),
])  # fmt: skip
def test_what_no_stage_makes_is_not_deleted(path, says, project):
    with pytest.raises(SystemExit, match=f"^error: {says}"):
        door.main(path)
    assert Path("make.py").exists() and Path(OUTPUT).exists()
