"""Independent pieces of work side by side, each in a process of its own.

On a CPU one a core, on one thread; on GPUs several. Small networks gain nothing from a second thread, and
large ones less than from a second process (1.5 against 1.8 times on two cores). With one thread a piece, its
bytes depend neither on the number of lanes nor on what runs beside it.
"""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext

import torch

from pipeline import devices
from pipeline.lifetime import deterministic, die_with

LITTLE = 20_000  # images: training on so few ends before a process has started
_here = {}  # of a process that works on pieces: the setting, and where news of its progress goes


def side_by_side(function, pieces: dict, bar, once: tuple) -> dict:
    """{name: function(setting, *arguments, advance)} of ``pieces`` {name: arguments}, begun in their order.

    once: (function, *arguments) that makes ``setting`` once in a process; the functions belong to modules,
        and what they take and return can be pickled.
    advance: called with images done, moves ``bar``.
    The first error ends all pieces and is raised here. Raises OSError when a process is killed.
    """
    lanes = devices.lanes()[: len(pieces)]
    if len(lanes) < 2 or bar.total < LITTLE:
        return _one_by_one(function, pieces, bar, once)
    # A forked process may not use the threads that its parent has used.
    context = multiprocessing.get_context("spawn")
    news, places = context.SimpleQueue(), context.SimpleQueue()
    for place in lanes:
        places.put(place)
    threading.Thread(target=_show, args=(news, bar), daemon=True).start()
    with ProcessPoolExecutor(len(lanes), context, _begin, (os.getpid(), news, places, once)) as pool:
        try:
            results = {
                name: pool.submit(_piece, name, function, arguments) for name, arguments in pieces.items()
            }
            for result in wait(results.values(), return_when=FIRST_EXCEPTION).done:
                result.result()
        except BaseException as error:
            for process in multiprocessing.active_children():
                process.kill()
            if isinstance(error, (BrokenProcessPool, torch.OutOfMemoryError)):
                raise OSError(
                    "a process that worked on this was killed, for want of memory perhaps; run again: it "
                    "goes on from its checkpoints, and WIDE_LANES=1 takes the least memory"
                ) from None
            raise
    news.put(None)
    return {name: result.result() for name, result in results.items()}


def _one_by_one(function, pieces, bar, once):
    with one_thread() if devices.device() == "cpu" else nullcontext():
        setting = once[0](*once[1:])
        return {name: function(setting, *arguments, _named(bar, name)) for name, arguments in pieces.items()}


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


def _begin(parent, news, places, once):
    # Ctrl-C reaches all processes of a terminal; the parent ends these.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with(parent)
    deterministic()
    devices.use(places.get())
    torch.set_num_threads(1)
    _here.update(news=news, setting=once[0](*once[1:]))


def _piece(name, function, arguments):
    _here["news"].put(name)
    return function(_here["setting"], *arguments, _here["news"].put)
