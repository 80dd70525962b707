"""Processes that tests look after."""

from pathlib import Path


def alive(pid):
    """Whether a process runs: it has not ended, nor is it a zombie that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
