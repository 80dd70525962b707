"""What the stages of a dvc.yaml call, and whether what they name is there."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from pipeline.checks.templates import Entry
from pipeline.places import listed, nearest

HERE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """A stage's call of a module. words: its arguments by name, those of *names as a list."""

    entry: Entry
    module: ModuleType
    words: dict

    @property
    def name(self) -> str:
        """The measure's."""
        return self.entry.module

    @property
    def variants(self) -> list[str]:
        """Of the study, that are measured."""
        return [self.words["variant"]] if "variant" in self.words else self.words.get("variants", [])

    def described(self, kind: str) -> Any:
        """The module's dataclass of that name, None where it has none."""
        return getattr(self.module, kind, None)


def runs_of(entries: list[Entry]) -> list[Run]:
    """Every call of a module in stages/. Raises ValueError for another module, and for wrong arguments."""
    found = []
    for entry in entries:
        module = _module(entry)
        found.append(Run(entry, module, _words(entry, module)))
    return found


def _module(entry: Entry) -> ModuleType:
    folder = HERE / "stages"
    names = sorted(path.stem for path in [*folder.glob("*.py"), *folder.glob("[a-z]*/")])
    if entry.module not in names:
        must = f"a module in stages; {nearest(entry.module, names, 'there are')}"
        raise (entry.place / "cmd").wrong(entry.module, must)
    inside = ".__main__" if (folder / entry.module).is_dir() else ""
    try:
        module = import_module(f"stages.{entry.module}{inside}")
    except ImportError as error:
        raise (entry.place / "cmd").wrong(entry.module, f"a module that can be imported: {error}") from None
    if not hasattr(module, "main"):
        raise (entry.place / "cmd").wrong(entry.module, "a module that runs, with a function main")
    return module


def _words(entry: Entry, module: ModuleType) -> dict:
    signature = inspect.signature(module.main)
    try:
        words = signature.bind(*entry.words).arguments
    except TypeError:
        usage = " ".join(f"<{name}>" for name in signature.parameters)
        raise (entry.place / "cmd").wrong(" ".join(entry.words), f"stages.{entry.module} {usage}") from None
    return {name: list(value) if isinstance(value, tuple) else value for name, value in words.items()}


def check_words(run: Run, known: Mapping, studies: Mapping):
    """Raise ValueError for an argument that names nothing.

    known: names by argument. studies: {study: {"variants": names}}.
    """
    here = dict(known)
    if run.words.get("study") in studies:
        here["variant"] = here["variants"] = studies[run.words["study"]]["variants"]
    for name, value in run.words.items():
        for word in value if isinstance(value, list) else [value]:
            if name in here and word not in here[name]:
                raise (run.entry.place / name).wrong(word, f"one of {listed(here[name])}")
