"""Pieces of work side by side: the same results as one by one, and nothing left behind whoever dies."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from processes import alive

from pipeline import devices, lanes
from pipeline.lanes import side_by_side

LONG = 10**9  # images, for which processes are worth their start
NO_TORCH = """
class OutOfMemoryError(RuntimeError):
    pass


class cuda:
    is_available = staticmethod(lambda: False)


class backends:
    class cudnn:
        benchmark = False


def set_num_threads(number):
    pass


def use_deterministic_algorithms(wanted, warn_only):
    pass
"""
PROGRAM = """
import types
from pipeline.lanes import side_by_side
from test_lanes import forever, setting

bar = types.SimpleNamespace(
    total=10**9, update=lambda number: print(number, flush=True), set_postfix_str=lambda *a, **k: None
)
if __name__ == "__main__":
    side_by_side(forever, {"a": (), "b": ()}, bar, (setting,))
"""


def setting(*arguments):
    return SimpleNamespace(process=os.getpid(), arguments=arguments)


def product(where, size, meeting, advance):
    """A matrix product whose rounding depends on the number of threads, and who computed it.

    meeting: a folder in which processes wait for each other, and how many.
    """
    if meeting:
        folder, number = meeting
        (folder / str(os.getpid())).touch()
        deadline = time.time() + 60
        while len(list(folder.iterdir())) < number and time.time() < deadline:
            time.sleep(0.01)
    advance(size)
    x = torch.randn(size, 64 * size, generator=torch.Generator().manual_seed(size))
    return (x @ x.T).numpy(), torch.get_num_threads(), where.arguments, where.process, devices.device()


def fails(where, message, advance):
    if message:
        raise ValueError(message)
    time.sleep(120)


def needs_more(setting, advance):
    raise torch.OutOfMemoryError("CUDA out of memory")


def dies(where, advance):
    os.kill(os.getpid(), signal.SIGKILL)


def forever(where, advance):
    advance(os.getpid())
    time.sleep(600)


class Bar:
    """A progress bar that remembers."""

    def __init__(self, total):
        self.total, self.done, self.names = total, 0, []

    def update(self, number):
        self.done += number

    def set_postfix_str(self, name, refresh):
        self.names.append(name)


@pytest.fixture(autouse=True)
def own_device(monkeypatch):
    """No device given to this process, nor lanes asked for."""
    monkeypatch.setattr(devices, "_mine", {})
    monkeypatch.delenv("WIDE_LANES", raising=False)


@pytest.fixture
def two(monkeypatch):
    """Two lanes of a machine without a GPU."""
    monkeypatch.setattr(devices, "gpus", lambda: [])
    monkeypatch.setattr(devices, "device", lambda: "cpu")
    monkeypatch.setenv("WIDE_LANES", "2")


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A folder from which other processes import a torch that is there at once, where nothing is computed."""
    (tmp_path / "torch.py").write_text(NO_TORCH)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


# Work in several processes


def test_results_are_those_of_one_process_and_one_thread(two, monkeypatch, tmp_path):
    """In several processes each has a place of its own, here named as GPUs are."""
    places, sizes, threads = ["cpu:0", "cpu:1"], (90, 30, 120, 60), torch.get_num_threads()
    monkeypatch.setattr(devices, "lanes", lambda: places)
    found, bars = {}, {}
    for total, meeting in ((10, None), (LONG, (tmp_path, 2))):
        pieces = {f"piece {size}": (size, meeting) for size in sizes}
        bars[total] = Bar(total)
        found[total] = side_by_side(product, pieces, bars[total], (setting, 7))
    inline, apart = found.values()
    assert list(inline) == list(apart) == list(pieces)
    for name in pieces:
        assert (inline[name][0] == apart[name][0]).all()
    assert {result[1:3] for result in [*inline.values(), *apart.values()]} == {(1, (7,))}
    assert {result[3:] for result in inline.values()} == {(os.getpid(), "cpu")}
    workers = {result[3]: result[4] for result in apart.values()}
    assert sorted(workers.values()) == places and os.getpid() not in workers
    deadline = time.time() + 60
    while any(bar.done < 300 for bar in bars.values()) and time.time() < deadline:
        time.sleep(0.01)
    assert all(bar.done == 300 and set(bar.names) == set(pieces) for bar in bars.values())
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("total, sizes", [(lanes.LITTLE - 1, (20, 30)), (LONG, (20,))])
def test_little_work_and_a_single_piece_stay_in_this_process(total, sizes, two):
    pieces = {f"piece {size}": (size, None) for size in sizes}
    found = side_by_side(product, pieces, Bar(total), (setting,))
    assert {result[3] for result in found.values()} == {os.getpid()} and len(found) == len(sizes)


def test_an_error_ends_all_pieces(two, empty):
    with pytest.raises(ValueError, match="^it diverged$"):
        side_by_side(fails, {"long": ("",), "short": ("it diverged",)}, Bar(LONG), (setting,))


@pytest.mark.parametrize("ends", [dies, needs_more])
def test_a_process_that_is_killed_or_gets_no_memory_is_one_clear_line(ends, two, empty):
    with pytest.raises(OSError, match="was killed, .*run again.*WIDE_LANES=1") as error:
        side_by_side(ends, {"a": (), "b": ()}, Bar(LONG), (setting,))
    assert "\n" not in str(error.value)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere orphans end with their piece")
def test_a_killed_parent_leaves_no_orphan(empty):
    folder = Path(__file__).parent
    environment = {**os.environ, "WIDE_LANES": "2"}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, (empty, folder.parent, folder)))
    options = {"stdout": subprocess.PIPE, "text": True, "env": environment}
    parent = subprocess.Popen([sys.executable, "-c", PROGRAM], **options)
    workers = [int(parent.stdout.readline()) for _ in range(2)]
    assert all(map(alive, workers))
    parent.kill()
    parent.wait(60)
    deadline = time.time() + 30
    while any(map(alive, workers)) and time.time() < deadline:
        time.sleep(0.05)
    assert len(set(workers)) == 2 and not any(map(alive, workers))


# How many, and where


def machine(monkeypatch, *gib):
    """A machine with GPUs of so much memory."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(gib))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(gib))
    properties = [SimpleNamespace(total_memory=int(memory * 2**30)) for memory in gib]
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: properties[number])


def counted(lanes_found):
    return {name: lanes_found.count(name) for name in lanes_found}


def test_two_gpus_of_40_gib_take_two_pieces_each_in_turn(monkeypatch):
    machine(monkeypatch, 40, 40)
    assert devices.gpus() == [("cuda:0", 40), ("cuda:1", 40)]
    assert devices.lanes() == ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]


def test_lanes_alternate_over_unequal_gpus_and_a_small_one_takes_one_piece(monkeypatch):
    machine(monkeypatch, 40, 10, 80)
    assert devices.lanes()[:3] == ["cuda:0", "cuda:1", "cuda:2"]
    assert devices.lanes()[3:] == ["cuda:0", "cuda:2", "cuda:2", "cuda:2"]
    assert counted(devices.lanes()) == {"cuda:0": 2, "cuda:1": 1, "cuda:2": 4}


@pytest.mark.parametrize("gib, room", [(10, 1), (15.9, 1), (16, 1), (31.9, 1), (32, 2), (79, 4), (140, 4)])
def test_pieces_on_one_gpu_are_as_many_as_its_memory_has_room_for_and_not_many(gib, room, monkeypatch):
    machine(monkeypatch, gib)
    assert devices.lanes() == ["cuda:0"] * room
    assert room <= devices.MOST_LANES and room * devices.LANE_GIB <= max(gib, devices.LANE_GIB)


def test_without_a_gpu_there_is_a_lane_a_core(monkeypatch):
    machine(monkeypatch)
    assert devices.gpus() == [] and devices.device() == "cpu"
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3, 5}, raising=False)
    assert devices.lanes() == ["cpu"] * 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert devices.lanes() == ["cpu"] * 8
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert devices.lanes() == ["cpu"]


@pytest.mark.parametrize("gib, lanes_found", [
    ((), ["cpu"] * 3),
    ((10,), ["cuda:0"] * 3),
    ((40, 40), ["cuda:0", "cuda:1"] * 3),
])  # fmt: skip
def test_wide_lanes_says_how_many_on_each_device(gib, lanes_found, monkeypatch):
    machine(monkeypatch, *gib)
    monkeypatch.setenv("WIDE_LANES", "3")
    assert devices.lanes() == lanes_found


@pytest.mark.parametrize("wrong", ["0", "-1", "many", "1.5", "2 ", "²"])
@pytest.mark.parametrize("gib", [(), (40,)])
def test_a_wrong_number_of_lanes_is_one_clear_line(wrong, gib, monkeypatch):
    machine(monkeypatch, *gib)
    monkeypatch.setenv("WIDE_LANES", wrong)
    with pytest.raises(ValueError, match=f"^WIDE_LANES is '{wrong}'; it must be a whole number above 0"):
        devices.lanes()


def test_no_number_of_lanes_is_as_none(monkeypatch):
    monkeypatch.setenv("WIDE_LANES", "")
    assert devices.wanted() is None


def test_a_process_keeps_the_device_that_it_was_given(monkeypatch):
    machine(monkeypatch, 40, 40)
    chosen = []
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "toy GPU")
    assert devices.device() == "cuda" and devices.name() == "toy GPU"
    devices.use("cuda:1")
    assert devices.device() == "cuda:1" and chosen == ["cuda:1"] and devices.name() == "toy GPU"
    devices.use("cpu")
    assert devices.device() == "cpu" and chosen == ["cuda:1"]
    assert devices.name() not in ("", "toy GPU")


def test_one_thread_is_for_a_while(monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with pytest.raises(ValueError), lanes.one_thread():
            assert torch.get_num_threads() == 1
            raise ValueError
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
