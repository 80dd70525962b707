"""Scratch: checkpoints that survive a kill, belong to one configuration, and go at success."""
import threading

import pytest
import torch
from filelock import FileLock

from stages import running
from stages.running import Scratch

TENSORS = {"state/weight": torch.arange(6.0).reshape(2, 3), "step": torch.tensor(5), "moment/0/step": torch.tensor(3.0)}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code.py").write_text("a = 1\n")
    (tmp_path / "data.bin").write_bytes(b"1234")
    return tmp_path


@pytest.fixture
def impatient(monkeypatch):
    """Locks that wait 0.05 s instead of ten."""
    acquire = FileLock.acquire
    monkeypatch.setattr(running.FileLock, "acquire",
                        lambda lock, timeout=None, **options: acquire(lock, timeout=0.05, **options))


def left(folder):
    return sorted(str(path.relative_to(folder)) for path in (folder / "scratch").rglob("*") if path.is_file()
                  and path.suffix != ".lock")


def test_the_same_configuration_has_the_same_folder():
    first = Scratch({"a": 1, "b": [2, "x"]}, ["code.py", "data.bin"])
    assert Scratch({"b": [2, "x"], "a": 1}, ["code.py", "data.bin"]).folder == first.folder
    assert first.folder.parent.name == "scratch"


def test_another_configuration_or_file_has_another_folder(elsewhere):
    folders = {Scratch(configuration, files).folder for configuration in ({"a": 1}, {"a": 2}, {"a": "1"}, {"b": 1})
               for files in ([], ["code.py"], ["code.py", "data.bin"])}
    assert len(folders) == 12


@pytest.mark.parametrize("name", ["code.py", "data.bin"])
def test_a_changed_file_has_another_folder_and_changed_back_the_same(name, elsewhere):
    make = lambda: Scratch({"a": 1}, ["code.py", "data.bin"]).folder
    before, content = make(), (elsewhere / name).read_bytes()
    (elsewhere / name).write_bytes(content + b" ")
    assert make() != before
    (elsewhere / name).write_bytes(content)
    assert make() == before


def test_tensors_come_back():
    with Scratch({"a": 1}) as scratch:
        assert scratch.within("w8").load("members-0") is None
        scratch.within("w8").save("members-0", TENSORS)
        found = scratch.within("w8").load("members-0")
        assert found.keys() == TENSORS.keys()
        for name, value in TENSORS.items():
            assert torch.equal(found[name], value) and found[name].dtype == value.dtype


def test_parts_of_the_work_are_kept_apart():
    with Scratch({"a": 1}) as scratch:
        scratch.within("w8").save("members-0", TENSORS)
        assert scratch.within("w16").load("members-0") is None
        assert scratch.within("w8").load("members-1") is None
        assert scratch.within("w8").load("members-0") is not None


def test_removed_at_success(elsewhere):
    with Scratch({"a": 1}) as scratch:
        scratch.within("w8").save("x", TENSORS)
        assert len(left(elsewhere)) == 1
    assert list((elsewhere / "scratch").iterdir()) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_kept_after_an_exception_for_the_next_run(error, elsewhere):
    with pytest.raises(error), Scratch({"a": 1}) as scratch:
        scratch.within("w8").save("x", TENSORS)
        raise error
    assert len(left(elsewhere)) == 1
    with Scratch({"a": 2}) as scratch:
        assert scratch.within("w8").load("x") is None
    with Scratch({"a": 1}) as scratch:
        assert int(scratch.within("w8").load("x")["step"]) == 5
    assert left(elsewhere) == []


def test_a_second_holder_gets_a_clear_error_and_harms_nothing(impatient, elsewhere):
    with Scratch({"a": 1}) as first:
        first.within("w8").save("x", TENSORS)
        with pytest.raises(ValueError, match=r"another process computes the same thing .*\.lock.: wait for it"):
            with Scratch({"a": 1}):
                pytest.fail("two holders")
        assert first.within("w8").load("x") is not None
        with Scratch({"a": 2}):
            pass  # another configuration is free
    with Scratch({"a": 1}):
        pass  # and the first is free again


def test_the_lock_is_free_after_an_exception(impatient):
    scratch = Scratch({"a": 1})
    with pytest.raises(ValueError), scratch:
        raise ValueError
    with Scratch({"a": 1}):
        pass
    assert not scratch.lock.is_locked


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


def test_due_after_the_interval_and_not_right_after_saving(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(running.time, "monotonic", lambda: now[0])
    scratch = Scratch({"a": 1}, every_s=20)
    scratch.folder.mkdir(parents=True)
    part = scratch.within("w8")
    assert not part.due()
    now[0] += 21
    assert part.due()
    part.save("x", TENSORS)
    assert not part.due()
    now[0] += 21
    assert part.due()


def test_a_half_written_checkpoint_never_replaces_a_whole_one(monkeypatch):
    with Scratch({"a": 1}) as scratch:
        part = scratch.within("w8")
        part.save("x", TENSORS)
        monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="could not be written"):
            part.save("x", {"step": torch.tensor(6)})
        assert int(part.load("x")["step"]) == 5
