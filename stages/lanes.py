"""Independent pieces of work side by side: on a CPU in as many processes as it has cores, each on one thread.

Small networks gain nothing from a second thread, and large ones less than from a second process (1.5 against 1.8 times on two cores).
With one thread a piece, its bytes depend neither on the number of cores nor on what runs beside it. A GPU works on one piece after another.
"""
import multiprocessing
import os
import signal
import threading
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext

import torch

from stages import deterministic, die_with, running

LITTLE = 20_000  # images: training on so few ends before a process has started
_here = {}       # of a process that works on pieces: the setting, and where news of its progress goes


def side_by_side(function, pieces: dict, bar, once: tuple) -> dict:
    """{name: function(setting, *arguments, advance)} of ``pieces`` {name: arguments}, begun in their order.

    once: (function, *arguments) that makes ``setting`` once in a process; the functions belong to modules, and what they take and return
    can be pickled. advance: called with images done, moves ``bar``. The first error ends all pieces and is raised here.
    Raises OSError when a process is killed.
    """
    lanes = min(len(pieces), cores()) if running.device() == "cpu" else 1
    if lanes < 2 or bar.total < LITTLE:
        with one_thread() if running.device() == "cpu" else nullcontext():
            setting = once[0](*once[1:])
            return {name: function(setting, *arguments, _named(bar, name)) for name, arguments in pieces.items()}
    context = multiprocessing.get_context("spawn")  # a forked process may not use the threads that its parent has used
    news = context.SimpleQueue()
    threading.Thread(target=_show, args=(news, bar), daemon=True).start()
    with ProcessPoolExecutor(lanes, context, _begin, (os.getpid(), news, once)) as pool:
        try:
            results = {name: pool.submit(_piece, name, function, arguments) for name, arguments in pieces.items()}
            for result in wait(results.values(), return_when=FIRST_EXCEPTION).done:
                result.result()
        except BaseException as error:
            for process in multiprocessing.active_children():
                process.kill()
            if isinstance(error, BrokenProcessPool):
                raise OSError("a process that worked on this was killed, for want of memory perhaps; run again: it goes on from its "
                              "checkpoints, and WIDE_LANES=1 takes the least memory") from None
            raise
    news.put(None)
    return {name: result.result() for name, result in results.items()}


def cores() -> int:
    """Processes at once: the cores that this one may use, or WIDE_LANES. Raises ValueError unless that is a number above 0."""
    wanted = os.environ.get("WIDE_LANES")
    if wanted:
        if not wanted.isdecimal() or wanted == "0":
            raise ValueError(f"WIDE_LANES is '{wanted}'; it must be a whole number above 0: how many networks train at a time")
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def one_thread():
    """One thread for what torch computes on the CPU."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _named(bar, name):
    bar.set_postfix_str(name, refresh=False)
    return bar.update


def _show(news, bar):
    for what in iter(news.get, None):
        bar.set_postfix_str(what, refresh=False) if isinstance(what, str) else bar.update(what)


def _begin(parent, news, once):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the parent ends these
    die_with(parent)
    deterministic()
    torch.set_num_threads(1)
    _here.update(news=news, setting=once[0](*once[1:]))


def _piece(name, function, arguments):
    _here["news"].put(name)
    return function(_here["setting"], *arguments, _here["news"].put)
