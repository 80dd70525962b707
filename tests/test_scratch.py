"""Scratch: checkpoints that survive a kill, belong to one configuration, and go at success."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from filelock import FileLock

from pipeline import scratch
from pipeline.parameters import read
from pipeline.scratch import Scratch
from pipeline.training import code

ROOT = Path(__file__).parent.parent
TENSORS = {
    "state/weight": torch.arange(6.0).reshape(2, 3),
    "step": torch.tensor(5),
    "moment/0/step": torch.tensor(3.0),
}
HOLDER = """
import time, torch
from pipeline.scratch import Scratch
with Scratch({"a": 1}) as scratch:
    scratch.within("w8").save("x", {"step": torch.tensor(5)})
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WIDE_CHECKPOINT_S", raising=False)
    (tmp_path / "code.py").write_text("a = 1\n")
    (tmp_path / "data.bin").write_bytes(b"1234")
    return tmp_path


@pytest.fixture
def impatient(monkeypatch):
    """Locks that wait 0.05 s instead of ten."""
    acquire = FileLock.acquire

    def soon(lock, timeout=None, **options):
        assert timeout == 10
        return acquire(lock, timeout=0.05, **options)

    monkeypatch.setattr(scratch.FileLock, "acquire", soon)


def left(folder):
    """Names of the checkpoints that are there."""
    files = [path for path in (folder / "scratch").rglob("*") if path.is_file()]
    return sorted(str(path.relative_to(folder)) for path in files if path.suffix not in (".lock", ".pid"))


def refusal(configuration):
    with pytest.raises(ValueError) as error, Scratch(configuration):
        pytest.fail("two holders")
    return str(error.value)


# A folder a configuration


def test_the_same_configuration_has_the_same_folder():
    first = Scratch({"a": 1, "b": [2, "x"]}, ["code.py", "data.bin"])
    assert Scratch({"b": [2, "x"], "a": 1}, ["code.py", "data.bin"]).folder == first.folder
    assert first.folder.parent.name == "scratch"


def test_another_configuration_or_file_has_another_folder():
    folders = {
        Scratch(configuration, files).folder
        for configuration in ({"a": 1}, {"a": 2}, {"a": "1"}, {"b": 1})
        for files in ([], ["code.py"], ["code.py", "data.bin"])
    }
    assert len(folders) == 12


@pytest.mark.parametrize("name", ["code.py", "data.bin"])
def test_a_changed_file_has_another_folder_and_changed_back_the_same(name, elsewhere):
    def folder():
        return Scratch({"a": 1}, ["code.py", "data.bin"]).folder

    before, content = folder(), (elsewhere / name).read_bytes()
    (elsewhere / name).write_bytes(content + b" ")
    assert folder() != before
    (elsewhere / name).write_bytes(content)
    assert folder() == before


# Checkpoints


def test_tensors_come_back():
    with Scratch({"a": 1}) as work:
        assert work.within("w8").load("members-0") is None
        work.within("w8").save("members-0", TENSORS)
        found = work.within("w8").load("members-0")
        assert found.keys() == TENSORS.keys()
        for name, value in TENSORS.items():
            assert torch.equal(found[name], value) and found[name].dtype == value.dtype


def test_parts_of_the_work_are_kept_apart():
    with Scratch({"a": 1}) as work:
        work.within("w8").save("members-0", TENSORS)
        assert work.within("w16").load("members-0") is None
        assert work.within("w8").load("members-1") is None
        assert work.within("w8").load("members-0") is not None


def test_removed_at_success(elsewhere):
    with Scratch({"a": 1}) as work:
        work.within("w8").save("x", TENSORS)
        assert len(left(elsewhere)) == 1
    assert list((elsewhere / "scratch").iterdir()) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_kept_after_an_exception_for_the_next_run(error, elsewhere):
    with pytest.raises(error), Scratch({"a": 1}) as work:
        work.within("w8").save("x", TENSORS)
        raise error
    assert len(left(elsewhere)) == 1
    with Scratch({"a": 2}) as work:
        assert work.within("w8").load("x") is None
    with Scratch({"a": 1}) as work:
        assert int(work.within("w8").load("x")["step"]) == 5
    assert left(elsewhere) == []


def test_a_half_written_checkpoint_never_replaces_a_whole_one(monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device")

    with Scratch({"a": 1}) as work:
        part = work.within("w8")
        part.save("x", TENSORS)
        monkeypatch.setattr("os.replace", full_disk)
        with pytest.raises(OSError, match="could not be written"):
            part.save("x", {"step": torch.tensor(6)})
        assert int(part.load("x")["step"]) == 5


# One holder at a time


def test_a_second_holder_gets_a_line_that_names_the_first_and_harms_nothing(impatient):
    with Scratch({"a": 1}) as first:
        first.within("w8").save("x", TENSORS)
        says = refusal({"a": 1})
        assert says.startswith(f"process {os.getpid()} computes the same thing already") and "\n" not in says
        assert says.endswith(f"(it holds {first.folder}.lock): wait for it, or stop it")
        assert first.within("w8").load("x") is not None
        assert refusal({"a": 1}) == says  # a refused one has not put its own number there
        with Scratch({"a": 2}):
            pass  # another configuration is free
    with Scratch({"a": 1}):
        pass  # and the first is free again


def test_the_line_names_another_process_and_a_killed_one_leaves_its_checkpoints(impatient, elsewhere):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    options = {"stdout": subprocess.PIPE, "text": True, "env": environment}
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], **options)
    try:
        assert holder.stdout.readline() == "held\n"
        assert refusal({"a": 1}).startswith(f"process {holder.pid} computes the same thing already")
    finally:
        holder.kill()
        holder.wait(60)
    with Scratch({"a": 1}) as work:
        assert int(work.within("w8").load("x")["step"]) == 5
        assert refusal({"a": 1}).startswith(f"process {os.getpid()} computes")
    assert list((elsewhere / "scratch").iterdir()) == []


def test_a_holder_that_has_not_said_its_number_is_refused_all_the_same(impatient):
    with Scratch({"a": 1}) as first:
        first.holder.unlink()
        assert refusal({"a": 1}).startswith("process unknown computes the same thing")


def test_the_lock_is_free_after_an_exception(impatient):
    work = Scratch({"a": 1})
    with pytest.raises(ValueError), work:
        raise ValueError
    with Scratch({"a": 1}):
        pass
    assert not work.lock.is_locked


def test_a_second_holder_waits_for_the_first():
    order, entered = [], threading.Event()

    def first():
        with Scratch({"a": 1}):
            entered.set()
            order.append("first in")
            threading.Event().wait(0.2)
            order.append("first out")

    thread = threading.Thread(target=first)
    thread.start()
    entered.wait(5)
    with Scratch({"a": 1}):
        order.append("second in")
    thread.join()
    assert order == ["first in", "first out", "second in"]


def test_the_lock_file_goes_while_it_is_held(monkeypatch):
    """Removed after the release, it could be one that another process has just locked."""
    there, release = [], FileLock.release

    def watched(lock, *arguments, **options):
        there.extend([Path(lock.lock_file).exists()] * lock.is_locked)
        release(lock, *arguments, **options)

    monkeypatch.setattr(scratch.FileLock, "release", watched)
    with Scratch({"a": 1}):
        pass
    with pytest.raises(ValueError), Scratch({"a": 1}):
        raise ValueError
    assert there == [False, True]


# How often


def test_due_after_the_interval_and_not_right_after_saving(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(scratch.time, "monotonic", lambda: now[0])
    work = Scratch({"a": 1}, every_s=20)
    work.folder.mkdir(parents=True)
    part = work.within("w8")
    assert not part.due()
    now[0] += 21
    assert part.due()
    part.save("x", TENSORS)
    assert not part.due()
    now[0] += 21
    assert part.due()


def test_seconds_between_checkpoints_are_20_or_what_the_environment_says(monkeypatch):
    assert Scratch({"a": 1}).every_s == 20
    for value, seconds in (("0", 0), ("2.5", 2.5), ("1e3", 1000), (" 7 ", 7)):
        monkeypatch.setenv("WIDE_CHECKPOINT_S", value)
        assert Scratch({"a": 1}).every_s == seconds
        assert Scratch({"a": 1}, every_s=3).every_s == 3


@pytest.mark.parametrize("value", ["", "soon", "-1", "-0.001", "nan", "20 s", "1,5", "0x10"])
def test_wrong_seconds_are_one_clear_line(value, monkeypatch, elsewhere):
    monkeypatch.setenv("WIDE_CHECKPOINT_S", value)
    says = f"^WIDE_CHECKPOINT_S is '{value}'; it must be a number of seconds, 0 or more$"
    with pytest.raises(ValueError, match=says):
        Scratch({"a": 1})
    assert not (elsewhere / "scratch").exists()


@pytest.mark.parametrize("net", ["mlp", "resnet"])
def test_a_trainings_checkpoint_depends_on_the_code_that_its_stage_depends_on(net, monkeypatch):
    monkeypatch.chdir(ROOT)
    deps = read("papers/nguyen/dvc.yaml")["stages"]["train_wide"]["deps"]
    paths = [Path(dep.replace("${net}", net)) for dep in deps if "${item" not in dep]
    files = {file for path in paths for file in ([path] if path.suffix == ".py" else path.glob("*.py"))}
    # What these say is in the configuration: the plan, as it is resolved.
    configured = {Path("stages/train.py"), Path("pipeline/caps.py"), Path("pipeline/nets.py")}
    assert files - configured <= set(code(net))
    assert all(file.exists() for file in code(net))


# The bar


@pytest.mark.parametrize("terminal, interval", [(True, 1), (False, 10)])
def test_a_log_gets_fewer_lines_than_a_terminal(terminal, interval, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    with scratch.bar(10, "toy") as bar:
        assert (bar.total, bar.desc, bar.unit, bar.mininterval) == (10, "toy", "img", interval)
