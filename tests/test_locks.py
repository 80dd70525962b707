"""A dvc.lock that a kill has left half-written is restored from git; `make repro` then goes on."""

import subprocess
from pathlib import Path

import official_files as official
import pytest
from dvc.dvcfile import Lockfile
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.utils.serialize import dump_yaml

from pipeline import locks

LOCK = {
    "schema": "2.0",
    "stages": {
        f"train@{number}": {
            "cmd": f"python -m stages.train {number}",
            "deps": [{"path": "stages/train.py", "hash": "md5", "md5": "0" * 32, "size": 5}],
            "params": {"params.yaml": {"width": number, "scales.quick.train": {"seeds": [0, 1]}}},
            "outs": [{"path": f"data/{number}", "hash": "md5", "md5": "1" * 32, "size": 7}],
        }
        for number in range(3)
    },
}


def git(*words):
    someone = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", *someone, *words], check=True, capture_output=True)


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    """A repository with a lock at the root and two papers', all in git and as DVC writes them."""
    official.offline(tmp_path, monkeypatch)
    for path in ("dvc.lock", "papers/one/dvc.lock", "papers/two/dvc.lock"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        dump_yaml(path, LOCK)
    git("init", "--quiet", ".")
    git("add", "-A")
    git("commit", "--quiet", "-m", "locks")
    return tmp_path


def cut_at(path, place):
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[:place])


# What the last words are when a kill comes, and DVC cannot read the file.
ENDS = ["", "schem", "schema: '2", "stages", "stages:\n", "train@0:\n", "    - pa", "md5: '000", "scales.q"]


def test_whole_locks_are_left_alone(repository):
    before = {path: path.read_bytes() for path in locks.lock_files()}
    assert [str(path) for path in before] == ["dvc.lock", "papers/one/dvc.lock", "papers/two/dvc.lock"]
    assert locks.restore() == [] and all(path.read_bytes() == content for path, content in before.items())


def test_a_lock_of_a_run_that_is_not_committed_is_kept(repository):
    changed = {"schema": "2.0", "stages": {"train@0": LOCK["stages"]["train@0"]}}
    dump_yaml("papers/one/dvc.lock", changed)
    content = Path("papers/one/dvc.lock").read_bytes()
    assert locks.restore() == [] and Path("papers/one/dvc.lock").read_bytes() == content


@pytest.mark.parametrize("path", ["dvc.lock", "papers/two/dvc.lock"])
@pytest.mark.parametrize("end", ENDS, ids=repr)
def test_an_unreadable_lock_is_restored_and_said_in_one_line(path, end, repository):
    before = Path(path).read_bytes()
    cut_at(path, before.index(end.encode()) + len(end))
    [line] = locks.restore()
    assert line.startswith(f"{path} was unreadable (") and "restored from git" in line and "\n" not in line
    assert Path(path).read_bytes() == before and locks.restore() == []


def test_unreadable_is_what_dvc_itself_refuses(repository):
    """At every place: what DVC cannot load, and nothing that it can."""
    repo = Repo.init(no_scm=True)
    content, refused = Path("dvc.lock").read_bytes()[:400], []
    for place in range(1, len(content)):
        Path("dvc.lock").write_bytes(content[:place])
        try:
            Lockfile(repo, "dvc.lock").load()
        except DvcException:
            refused.append(place)
        assert bool(locks.problem(Path("dvc.lock"))) == (place in refused[-1:]), content[:place]
    assert 100 < len(refused) < 300


WRONG = [
    b"",
    b"[1, 2]\n",
    b"text",
    b"stages: {}\n",
    b"schema: '1.0'\n",
    b"schema: [\n",
    b"\xff\xfe\x00",
    b"<<<<<<< HEAD\nschema: '2.0'\n",
]


@pytest.mark.parametrize("content", WRONG, ids=repr)
def test_what_is_not_a_lock_is_unreadable(content, repository):
    Path("dvc.lock").write_bytes(content)
    assert "\n" not in locks.problem(Path("dvc.lock"))
    assert len(locks.restore()) == 1


def test_several_are_restored_at_once(repository):
    for path in locks.lock_files():
        cut_at(path, 5)
    assert len(locks.restore()) == 3


def test_a_lock_that_git_does_not_have_is_left_and_named(repository):
    git("rm", "--quiet", "--cached", "papers/one/dvc.lock")
    cut_at("papers/one/dvc.lock", 20)
    content = Path("papers/one/dvc.lock").read_bytes()
    message = "papers/one/dvc.lock is unreadable .* delete it and run `dvc repro`"
    with pytest.raises(ValueError, match=message) as error:
        locks.restore()
    assert "\n" not in str(error.value) and Path("papers/one/dvc.lock").read_bytes() == content


def test_without_git_a_lock_is_left_and_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    cut_at("dvc.lock", 20)
    with pytest.raises(ValueError, match="dvc.lock is unreadable .* git has no version of it"):
        locks.restore()
    assert Path("dvc.lock").stat().st_size == 20


def test_where_gits_own_version_is_no_better_an_older_one_is_advised(repository):
    cut_at("dvc.lock", 20)
    git("commit", "--quiet", "-am", "broken")
    with pytest.raises(ValueError, match="git checkout <commit> -- dvc.lock"):
        locks.restore()
