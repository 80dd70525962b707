"""A copy of the repository in which additions are tried, in the process of the tests."""

import importlib
import os
import shlex
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from inspect import signature
from pathlib import Path

from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo

OURS = ("wide", "pipeline", "stages", "papers", "tests")
END = ""
ALWAYS = {"check", "report@smoke"}  # they run after every change, in seconds


@contextmanager
def imported_from(root: Path):
    """Work in another folder and import the project's modules from there; afterwards all is as before."""
    here, path, ours = Path.cwd(), list(sys.path), partial(_below, OURS)
    kept = {name: sys.modules.pop(name) for name in filter(ours, list(sys.modules))}
    sys.path[:] = [str(root), *(entry for entry in path if Path(entry).resolve() != here)]
    os.chdir(root)
    try:
        yield
    finally:
        for name in filter(ours, list(sys.modules)):
            del sys.modules[name]
        sys.modules.update(kept)
        sys.path[:] = path
        os.chdir(here)


def _below(packages, name: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@dataclass(frozen=True)
class Stage:
    """What DVC knows of a stage. params: {(file, key): value}."""

    cmd: str
    deps: tuple
    outs: tuple
    params: dict


class Tree:
    """The copy, which is the working folder. Its files are those of the repository but for what is added."""

    def __init__(self):
        self.kept = {}
        self.before = self.stages()

    def add(self, files: dict):
        """Add to files, old or new. files: {path: [(mark, what is put behind it)]}, mark END for the end."""
        for name, additions in files.items():
            path = Path(name)
            text = path.read_text() if path.exists() else None
            self.kept.setdefault(path, text)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_with(text or "", additions))
        self._forget()

    def restore(self):
        """Take everything back."""
        for path, text in self.kept.items():
            path.unlink() if text is None else path.write_text(text)
        self._forget()
        self.kept = {}

    def _forget(self):
        """Modules of files that have changed are imported anew."""
        files = [path for path in self.kept if path.suffix == ".py"]
        modules = [".".join(path.with_suffix("").parts) for path in files]
        changed = partial(_below, ("papers", "tests", *modules))
        for name in filter(changed, list(sys.modules)):
            del sys.modules[name]
        importlib.invalidate_caches()

    def refused(self) -> str | None:
        """What `check` says, None where it accepts everything."""
        check = importlib.import_module("stages.check")
        try:
            check.check(*check.parsed())
        except (ValueError, ImportError) as error:  # or a module that needs another one cannot be imported
            return str(error)
        return None

    def stages(self) -> dict[str, Stage]:
        """All stages of DVC by name, those of papers as <paper>:<stage>."""
        read, self.index = cache(importlib.import_module("pipeline.parameters").read), []
        found = {}
        for stage in Repo().index.stages:
            self.index.append(stage)
            params = {}
            for dep in stage.deps:
                for key in dep.params if isinstance(dep, ParamsDependency) else ():
                    value = read(dep.def_path)
                    for part in key.split("."):
                        value = value[part]
                    params[dep.def_path, key] = value
            deps = [dep.def_path for dep in stage.deps if not isinstance(dep, ParamsDependency)]
            outs = [out.def_path for out in stage.outs]
            found[_name(stage)] = Stage(stage.cmd, tuple(deps), tuple(outs), params)
        return found

    def stale(self, after: dict[str, Stage]) -> set[str]:
        """Stages of before that are not as they were, or depend on a file that is not."""
        changed = {str(path) for path in self.kept}

        def is_stale(name, stage):
            touched = any(_inside(path, dep) for path in changed for dep in stage.deps)
            return touched or after.get(name) != stage

        return {name for name, stage in self.before.items() if is_stale(name, stage)} - ALWAYS

    def complaints(self) -> list[str]:
        """What tests/test_repository.py says of the stages last asked for, the first line of each failure."""
        tests = importlib.import_module("tests.test_repository")
        tests.stages, tests.has_code = lambda: tuple(self.index), cache(tests.has_code)
        limits = tests.test_files_that_people_read_stay_short  # which are set file by file
        cases = [case for case in cases_of(tests) if case.func is not limits]
        boundary = tests.test_module_imports_only_what_its_boundary_allows
        cases += [partial(boundary, *row) for row in tests.BOUNDARIES]
        anchors = tests.test_anchors_are_defined_where_they_are_shared
        cases += [partial(anchors, paper) for paper in tests.papers()]
        return [line for line in map(_said, cases) if line]

    def run(self, name: str, monkeypatch):
        """A stage's door, as DVC calls it."""
        stage = next(stage for stage in self.index if _name(stage) == name)
        _, _, script, *words = shlex.split(stage.cmd)
        monkeypatch.setenv("DVC_STAGE", stage.addressing)
        monkeypatch.setattr(sys, "argv", [script, *words])
        importlib.import_module("pipeline.parameters").stage_entry.cache_clear()
        module = f"{script}.__main__" if Path(script.replace(".", "/")).is_dir() else script
        for out in stage.outs:
            Path(out.def_path).unlink(missing_ok=True)
        importlib.import_module(module).main(*words)
        missing = [out.def_path for out in stage.outs if not Path(out.def_path).exists()]
        assert not missing, f"{name} has not made {missing}"


def cases_of(module, **given) -> list:
    """Tests of a module that take some of what is given and nothing else, ready to be called.

    Without anything given, those that take nothing.
    """
    found = [test for name, test in vars(module).items() if name.startswith("test_")]
    taken = [(test, set(signature(test).parameters)) for test in found]
    return [
        partial(test, **{name: given[name] for name in names})
        for test, names in taken
        if names <= set(given) and bool(names) == bool(given)
    ]


def _with(text: str, additions: list) -> str:
    for mark, more in additions:
        assert mark in text, f"there is no {mark!r} in the file to be added to"
        text = text + more if mark == END else text.replace(mark, mark + more, 1)
    return text


def _inside(path: str, dep: str) -> bool:
    return path == dep or path.startswith(f"{dep}/")


def _name(stage) -> str:
    return stage.addressing.removeprefix("papers/").replace("/dvc.yaml", "")


def _said(test) -> str | None:
    try:
        test()
    except AssertionError as error:
        return (str(error) or getattr(test, "func", test).__name__).splitlines()[0]
    return None
