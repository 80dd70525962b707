"""Checkpoints that survive a kill, and the progress bar of a long computation."""

import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from tqdm import tqdm

from wide import artifacts


class Scratch:
    """Checkpoints of one configuration in scratch/<hash>/, which git and DVC ignore.

    DVC deletes a stage's outputs before it runs, so what is to survive a kill lives outside them. The hash
    covers the configuration and the md5 of every file that the numbers depend on: a changed one starts
    afresh. Removed at success. A second process that enters waits ten seconds, then gets ValueError.
    """

    def __init__(self, configuration: dict, files=(), every_s: float | None = None):
        sums = [hashlib.md5(Path(file).read_bytes()).hexdigest() for file in files]
        content = json.dumps([configuration, sums], sort_keys=True)
        self.folder = artifacts.SCRATCH / hashlib.sha256(content.encode()).hexdigest()[:16]
        self.every_s = _checkpoint_s() if every_s is None else every_s

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lock, self.holder = FileLock(f"{self.folder}.lock"), Path(f"{self.folder}.pid")
        try:
            self.lock.acquire(timeout=10)
        except Timeout:
            raise ValueError(
                f"process {self._held_by()} computes the same thing already (it holds {self.folder}.lock): "
                "wait for it, or stop it"
            ) from None
        self.holder.write_text(str(os.getpid()))
        return self

    def _held_by(self) -> str:
        return self.holder.read_text() if self.holder.exists() else "unknown"

    def __exit__(self, kind, error, trace):
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.holder.unlink(missing_ok=True)
        if kind is None:  # before the release: who then locks a file that is gone tries again
            Path(f"{self.folder}.lock").unlink(missing_ok=True)
        self.lock.release()

    def within(self, part: str) -> "Checkpoint":
        """Checkpoints of a part of the work."""
        return Checkpoint(self.folder / part, self.every_s)


class Checkpoint:
    """Checkpoints of a part of the work, files whose names begin alike; another process may write them."""

    def __init__(self, prefix: Path, every_s: float):
        self.prefix, self.every_s, self.last = prefix, every_s, time.monotonic()

    def _path(self, name):
        return self.prefix.with_name(f"{self.prefix.name}-{name}.safetensors")

    def due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return time.monotonic() - self.last > self.every_s

    def save(self, name: str, tensors: dict):
        """Write {name: tensor} in the place of what was saved under that name. Raises OSError."""
        artifacts.save_tensors(self._path(name), {key: value.numpy() for key, value in tensors.items()})
        self.last = time.monotonic()

    def load(self, name: str) -> dict | None:
        """What was saved under that name, None for nothing."""
        if not self._path(name).exists():
            return None
        tensors, _ = artifacts.load_tensors(self._path(name))
        return {key: torch.from_numpy(value) for key, value in tensors.items()}


def _checkpoint_s() -> float:
    """WIDE_CHECKPOINT_S: seconds between checkpoints. Raises ValueError unless it is a number, 0 or more."""
    value = os.environ.get("WIDE_CHECKPOINT_S", "20")
    try:
        seconds = float(value)
        if not seconds >= 0:
            raise ValueError
    except ValueError:
        raise ValueError(
            f"WIDE_CHECKPOINT_S is '{value}'; it must be a number of seconds, 0 or more"
        ) from None
    return seconds


def bar(total: int, what: str, unit: str = "img") -> tqdm:
    """A progress bar with an ETA; in a log without a terminal a line every ten seconds is enough."""
    interval = 1 if sys.stderr.isatty() else 10
    return tqdm(total=total, desc=what, unit=unit, unit_scale=True, dynamic_ncols=True, mininterval=interval)
