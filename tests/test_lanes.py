"""Pieces of work side by side: the same results as one after another, and nothing left behind whoever dies."""
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import torch

from stages import lanes
from stages.lanes import side_by_side
from tests.processes import alive

PROGRAM = """
import sys, types
from tests.test_lanes import forever, setting
from stages.lanes import side_by_side
side_by_side(forever, {"a": (), "b": ()}, types.SimpleNamespace(total=10**9, update=lambda n: print(n, flush=True),
                                                                set_postfix_str=lambda *a, **k: None), (setting,))
"""


def setting(*arguments):
    return SimpleNamespace(process=os.getpid(), arguments=arguments)


def product(where, size, advance):
    """A matrix product whose rounding depends on the number of threads, and the process that computed it."""
    advance(size)
    x = torch.randn(size, 64 * size, generator=torch.Generator().manual_seed(size))
    return (x @ x.T).numpy(), torch.get_num_threads(), where.process, where.arguments


def fails(where, message, advance):
    if message:
        raise ValueError(message)
    time.sleep(60)


def dies(where, advance):
    os.kill(os.getpid(), signal.SIGKILL)


def forever(where, advance):
    advance(os.getpid())
    time.sleep(600)


class Bar:
    def __init__(self, total):
        self.total, self.done, self.names = total, 0, []

    def update(self, number):
        self.done += number

    def set_postfix_str(self, name, refresh):
        self.names.append(name)


@pytest.fixture
def two(monkeypatch):
    monkeypatch.setattr(lanes.running, "device", lambda: "cpu")
    monkeypatch.setenv("WIDE_LANES", "2")


def test_results_are_those_of_one_process_and_one_thread(two):
    pieces, threads = {f"piece {size}": (size,) for size in (90, 30, 120, 60)}, torch.get_num_threads()
    found = {total: (bar := Bar(total), side_by_side(product, pieces, bar, (setting, 7))) for total in (10, 10**9)}
    (_, inline), (_, apart) = found.values()
    assert list(inline) == list(apart) == list(pieces)
    for name in pieces:
        assert (inline[name][0] == apart[name][0]).all()
    assert {result[1] for result in [*inline.values(), *apart.values()]} == {1}
    assert {result[2] for result in inline.values()} == {os.getpid()} and os.getpid() not in {result[2] for result in apart.values()}
    assert {result[3] for result in [*inline.values(), *apart.values()]} == {(7,)}
    deadline = time.time() + 10
    while any(bar.done < 300 for bar, _ in found.values()) and time.time() < deadline:
        time.sleep(0.01)
    assert all(bar.done == 300 and set(bar.names) == set(pieces) for bar, _ in found.values())
    assert torch.get_num_threads() == threads


def test_an_error_ends_all_pieces_at_once(two):
    start = time.time()
    with pytest.raises(ValueError, match="^it diverged$"):
        side_by_side(fails, {"long": ("",), "short": ("it diverged",)}, Bar(10**9), (setting,))
    assert time.time() - start < 40


def test_a_killed_process_is_one_clear_line(two):
    with pytest.raises(OSError, match="was killed, .*run again"):
        side_by_side(dies, {"a": (), "b": ()}, Bar(10**9), (setting,))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere orphans end with their piece")
def test_a_killed_parent_leaves_no_orphan():
    parent = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, env={**os.environ, "WIDE_LANES": "2"})
    workers = [int(parent.stdout.readline()) for _ in range(2)]
    parent.kill()
    parent.wait(60)
    deadline = time.time() + 30
    while any(map(alive, workers)) and time.time() < deadline:
        time.sleep(0.05)
    assert len(set(workers)) == 2 and not any(map(alive, workers))


def test_the_number_of_lanes_is_checked(monkeypatch):
    monkeypatch.setenv("WIDE_LANES", "3")
    assert lanes.cores() == 3
    for wrong in ("0", "-1", "many"):
        monkeypatch.setenv("WIDE_LANES", wrong)
        with pytest.raises(ValueError, match=f"WIDE_LANES is '{wrong}'"):
            lanes.cores()
