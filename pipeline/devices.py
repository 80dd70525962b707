"""What this machine computes on: its GPUs, or the cores that this process may use."""

import os
import platform
from pathlib import Path

import torch

LANE_GIB = 16  # of a GPU's memory that one piece of work is given
# Pieces on one GPU at a time: small networks leave most of it idle, more than these only queue.
MOST_LANES = 4
_mine = {}  # the device that this process was given, where several share the work


def device() -> str:
    """The device that this process works on: "cpu", "cuda", or one of several, "cuda:1"."""
    return _mine.get("device") or ("cuda" if torch.cuda.is_available() else "cpu")


def name() -> str:
    """The device by its maker's name, for what was measured on it."""
    if device().startswith("cuda"):
        return torch.cuda.get_device_name()
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "cpu"


def use(name: str):
    """Work on this device from now on."""
    _mine["device"] = name
    if name.startswith("cuda"):
        torch.cuda.set_device(name)


def gpus() -> list[tuple[str, float]]:
    """(name, memory in GiB) of every GPU."""
    if not torch.cuda.is_available():
        return []
    properties = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    return [(f"cuda:{number}", found.total_memory / 2**30) for number, found in enumerate(properties)]


def wanted() -> int | None:
    """WIDE_LANES: pieces of work at a time, with GPUs on each. ValueError unless a whole number above 0."""
    value = os.environ.get("WIDE_LANES")
    if not value:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise ValueError(
            f"WIDE_LANES is '{value}'; it must be a whole number above 0: how many networks train at a time"
        )
    return int(value)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def lanes() -> list[str]:
    """The device of every piece that may run at a time, a name a piece.

    On a CPU a core each; on GPUs as many as their memory has room for, and on several GPUs they alternate, so
    that a few pieces spread over all of them.
    """
    found = gpus()
    if not found:
        return ["cpu"] * (wanted() or cores())
    rooms = {name: wanted() or max(1, min(MOST_LANES, int(memory // LANE_GIB))) for name, memory in found}
    return [name for turn in range(max(rooms.values())) for name, room in rooms.items() if turn < room]
