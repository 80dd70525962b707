"""A dvc.yaml with its templates filled in: which stages there are, and what each says of itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from pipeline.parameters import ROOT
from pipeline.places import Place, mapping

TEMPLATE = re.compile(r"\$\{([^{}]*)\}")
COMMAND = re.compile(r"python -m stages\.(\w+)((?: \S+)*)\s*")


@dataclass(frozen=True)
class Entry:
    """A stage, one for each of its matrix.

    place: of the group. module, words: of the command `python -m stages.<module> <words>`.
    vars: of the stage. params: (file, key), the key "" for the whole file.
    """

    place: Place
    module: str
    words: list[str]
    vars: dict
    deps: list[str]
    params: list[tuple]
    outs: list[str]


def entries(pipeline: dict, values: dict, place: Place) -> list[Entry]:
    """Every stage of a dvc.yaml. values: what templates name, {"scale": ..., "<study>": ...}.

    Raises ValueError, one line, for a template that names nothing, and for what is no stage.
    """
    found = []
    for name, group in mapping(pipeline.get("stages", {}), place / "stages").items():
        here = place / "stages" / name
        for body, names in _each(mapping(group, here), values, here):
            found.append(_entry(mapping(body, here), names, here))
    return found


def _each(group: dict, values: dict, place: Place) -> Iterator[tuple]:
    """(stage, what its templates name) for every item of a group, or of a matrix."""
    if "foreach" in group:
        items = _filled(group["foreach"], values, place / "foreach")
        pairs = items.items() if isinstance(items, dict) else enumerate(_listed(items, place / "foreach"))
        for key, item in pairs:
            yield group.get("do", {}), values | {"key": key, "item": item}
        return
    own = _vars(group.get("vars", []), values, place / "vars")
    axes = mapping(_filled(group.get("matrix", {}), values | own, place / "matrix"), place / "matrix")
    listed = [_listed(axis, place / "matrix" / name) for name, axis in axes.items()]
    for point in product(*listed):
        yield group, values | own | {"item": dict(zip(axes, point, strict=True)), "": own}


def _entry(body: dict, names: dict, place: Place) -> Entry:
    command = _filled(body.get("cmd"), names, place / "cmd")
    match = COMMAND.fullmatch(command) if isinstance(command, str) else None
    if match is None:
        raise (place / "cmd").wrong(command, "python -m stages.<module> and its arguments")
    params = []
    for one in _listed(_filled(body.get("params", []), names, place / "params"), place / "params"):
        for file, keys in one.items() if isinstance(one, dict) else [(ROOT, [one])]:
            params += [(file, key) for key in ([""] if keys is None else _texts(keys, place / "params"))]
    deps, outs = (_paths(body, key, names, place) for key in ("deps", "outs"))
    return Entry(place, match[1], match[2].split(), names.get("", {}), deps, params, outs)


def _vars(listed, values, place) -> dict:
    """A stage's own variables."""
    found = {}
    for entry in _listed(listed, place):
        found |= _filled(mapping(entry, place), values | found, place)
    return found


def _listed(value, place) -> list:
    if isinstance(value, dict):
        return list(value)
    if not isinstance(value, list):
        raise place.wrong(value, "a list")
    return value


def _texts(value, place) -> list[str]:
    for entry in _listed(value, place):
        if not isinstance(entry, str):
            raise place.wrong(entry, "a text")
    return _listed(value, place)


def _paths(body, key, names, place) -> list[str]:
    """Paths of a list, of which some may have options."""
    listed = _listed(_filled(body.get(key, []), names, place / key), place / key)
    paths = [path for entry in listed for path in (entry if isinstance(entry, dict) else [entry])]
    return _texts(paths, place / key)


def _filled(value, names: dict, place: Place) -> Any:
    """A value with all templates in it filled in; what is a template alone keeps its type."""
    if isinstance(value, dict):
        return {_filled(key, names, place): _filled(inner, names, place) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, names, place) for inner in value]
    if not isinstance(value, str):
        return value
    whole = TEMPLATE.fullmatch(value)
    if whole:
        return _named(whole[1], names, place)
    return TEMPLATE.sub(lambda match: str(_named(match[1], names, place)), value)


def _named(path: str, names: dict, place: Place) -> Any:
    found = names
    for key in path.strip().split("."):
        if not isinstance(found, dict) or key not in found:
            raise place.refused(f"the template '${{{path}}}' names nothing")
        found = found[key]
    return found
