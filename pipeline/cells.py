"""Results as cells: every array of a result file belongs to the whole file, to a size, or to a network (a size and a seed).

The one reader and writer of results. In a file an array's name is its address and its own name, joined by "/": "w4/0/cka"
is the matrix of seed 0 of size w4, "w4/layers" the names of that size's layers, "images" a fact of the whole file. Results
of pairs of networks have two numbers for an address: "0/3/cka". Nothing else in the project takes such names apart.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wide import artifacts

SEPARATOR = "/"


@dataclass(frozen=True)
class Size:
    """One size in a result, described by its writer.

    key: its name, the paper's width or depth. width: the effective one. depth: 0 where the network's depth is no option.
    seeds: of the networks measured. accuracy: test accuracy of each, in [0, 1], NaN where there is none. panel: what a
    variant with panels changed for it, as text.
    """

    key: str
    width: float
    depth: int
    seeds: tuple
    accuracy: tuple
    panel: str = ""


@dataclass(frozen=True)
class Cell:
    """One value of a result and what it belongs to. layer: its name, None for what belongs to the network."""

    size: str
    width: float
    depth: int
    seed: int
    layer: str | None
    value: object


class Cells:
    """A result: named arrays by address."""

    def __init__(self, arrays: dict | None = None, source="this result"):
        self.arrays, self.source = dict(arrays or {}), source

    @classmethod
    def load(cls, path) -> "Cells":
        """Read an npz or a JSON file. Raises FileNotFoundError for none, ValueError for a damaged one."""
        if Path(path).suffix == ".json":
            return cls(dict(_flat(artifacts.load_numbers(path))), path)
        return cls(artifacts.load_result(path), path)

    def save(self, path):
        """Write an npz, or, for numbers and lists of them, a JSON file."""
        if Path(path).suffix == ".json":
            return artifacts.save_numbers(path, _tree(self.arrays))
        artifacts.save_result(path, {name: np.asarray(value) for name, value in self.arrays.items()})

    def put(self, name: str, value, *at):
        """Store a value. at: nothing, a size's key, a size's key and a seed, or the numbers of two networks."""
        self.arrays[_joined(name, at)] = value

    def put_all(self, values: dict, *at):
        """Store several values of one address, {name: value}."""
        for name, value in values.items():
            self.put(name, value, *at)

    def get(self, name: str, *at):
        """A value. Raises ValueError that names the file for one that is not there."""
        try:
            return self.arrays[_joined(name, at)]
        except KeyError:
            raise ValueError(f"{self.source} holds no '{_joined(name, at)}': run the stage that makes it again") from None

    def has(self, name: str, *at) -> bool:
        return _joined(name, at) in self.arrays

    def names(self, *at) -> list[str]:
        """Names of the values at exactly this address."""
        start = "".join(f"{part}{SEPARATOR}" for part in at)
        return [
            name[len(start) :] for name in self.arrays if name.startswith(start) and SEPARATOR not in name[len(start) :]
        ]

    def describe(self, size: str, *, width, depth, seeds, accuracy, **facts):
        """Store what is known of a size: what `Size` holds, and further facts."""
        described = {"width": width, "depth": depth, "seeds": list(seeds), "accuracy": list(accuracy), **facts}
        self.put_all({name: np.asarray(value) for name, value in described.items()}, size)

    def keys(self) -> list[str]:
        """Keys of the sizes, from narrow and shallow to wide and deep."""
        found = [name.split(SEPARATOR)[0] for name in self.arrays if name.count(SEPARATOR) == 1 and name.endswith("/width")]
        return sorted(found, key=lambda key: (float(self.get("width", key)), self._depth(key), key))

    def _depth(self, key) -> int:
        return int(self.arrays.get(_joined("depth", (key,)), 0))

    def size(self, key: str) -> Size:
        """A size. Raises ValueError for one that is not there."""
        seeds = [int(seed) for seed in np.atleast_1d(self.arrays.get(_joined("seeds", (key,)), []))]
        accuracy = self.arrays.get(_joined("accuracy", (key,)), self.arrays.get(_joined("test_accuracy", (key,)), []))
        accuracy = [np.nan if value is None else float(value) for value in np.atleast_1d(accuracy)]
        panel = str(self.arrays.get(_joined("panel", (key,)), ""))
        return Size(key, float(self.get("width", key)), self._depth(key), tuple(seeds), tuple(accuracy), panel)

    def sizes(self) -> list[Size]:
        """All sizes, from narrow and shallow to wide and deep."""
        return [self.size(key) for key in self.keys()]

    def cells(self, name: str, by_layer: bool = False):
        """Every network's value of that name, as `Cell`; by_layer: an entry of the value a layer of the network."""
        for size in self.sizes():
            layers = self.arrays.get(_joined("layers", (size.key,)), ())
            for seed in size.seeds:
                if not self.has(name, size.key, seed):
                    continue
                value = self.get(name, size.key, seed)
                named = zip(map(str, layers), value, strict=True) if by_layer else [(None, value)]
                for layer, entry in named:
                    yield Cell(size.key, size.width, size.depth, seed, layer, entry)


def load(scale: str, paper: str, study: str, measure: str, variant: str) -> Cells:
    """The result of a measure of a variant: an npz, or the numbers of a training or of a structure in JSON.

    Raises FileNotFoundError where the scale leaves it out.
    """
    path = artifacts.result(scale, paper, study, measure, variant)
    numbers = path.with_suffix(".json")
    return Cells.load(numbers if numbers.exists() and not path.exists() else path)


def _joined(name, at) -> str:
    return SEPARATOR.join([*map(str, at), name])


def _flat(tree: dict, above=()):
    """Names of JSON's values: {"w4": {"seeds": [0]}} is {"w4/seeds": [0]}."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, (*above, key))
        else:
            yield _joined(key, above), value


def _tree(arrays: dict) -> dict:
    found = {}
    for name, value in arrays.items():
        *above, last = name.split(SEPARATOR)
        inner = found
        for key in above:
            inner = inner.setdefault(key, {})
        inner[last] = value
    return found
