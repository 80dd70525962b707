"""Results as cells: every array belongs to the whole file, to a size, or to a network (a size and a seed).

The one reader and writer of results. In a file an array's name is its address and its own name, joined by
"/": "w4/0/cka" is the matrix of seed 0 of size w4, "w4/layers" the names of that size's layers, "images" a
fact of the whole file. Results of pairs of networks have two numbers for an address: "0/3/cka". Nothing else
in the project takes such names apart.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wide import artifacts

SEPARATOR = "/"


@dataclass(frozen=True)
class Size:
    """One size in a result, described by its writer.

    key: its name, the paper's width or depth.
    width: the effective one. depth: 0 where the network's depth is no option.
    seeds: of the networks measured.
    accuracy: test accuracy of each, in [0, 1], NaN where there is none.
    panel: what a variant with panels changed for it, as text.
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
    """A result: named arrays by address. source: where they are from, for errors."""

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
        """Store a value. at: nothing, a size's key, a size's key and a seed, or the numbers of two networks.

        Raises ValueError for a name that could not be told from an address.
        """
        for part in (name, *at):
            if SEPARATOR in str(part):
                raise ValueError(
                    f"'{part}' cannot be a name in a result: {SEPARATOR} joins names, leave it out"
                )
        self.arrays[_joined(name, at)] = value

    def put_all(self, values: dict, *at):
        """Store several values of one address, {name: value}."""
        for name, value in values.items():
            self.put(name, value, *at)

    def get(self, name: str, *at):
        """A value. Raises ValueError that names the file for one that is not there."""
        if not self.has(name, *at):
            missing = _joined(name, at)
            raise ValueError(f"{self.source} holds no '{missing}': run the stage that makes it again")
        return self.arrays[_joined(name, at)]

    def has(self, name: str, *at) -> bool:
        """Whether there is such a value."""
        return _joined(name, at) in self.arrays

    def names(self, *at) -> list[str]:
        """Names of the values at exactly this address."""
        start = "".join(f"{part}{SEPARATOR}" for part in at)
        below = [name.removeprefix(start) for name in self.arrays if name.startswith(start)]
        return [name for name in below if SEPARATOR not in name]

    def describe(self, size: str, *, width, depth, seeds, accuracy, **facts):
        """Store what is known of a size: what `Size` holds, and further facts."""
        described = {"width": width, "depth": depth, "seeds": list(seeds), "accuracy": list(accuracy)}
        self.put_all({name: np.asarray(value) for name, value in (described | facts).items()}, size)

    def keys(self) -> list[str]:
        """Keys of the sizes, from narrow and shallow to wide and deep."""
        addresses = [name.split(SEPARATOR) for name in self.arrays]
        found = [key for key, *names in addresses if names == ["width"]]
        return sorted(found, key=lambda key: (float(self.get("width", key)), self._depth(key), key))

    def size(self, key: str) -> Size:
        """A size. Raises ValueError for one that is not there."""
        accuracy = self._known("accuracy", key, self._known("test_accuracy", key, []))
        return Size(
            key,
            float(self.get("width", key)),
            self._depth(key),
            tuple(int(seed) for seed in np.atleast_1d(self._known("seeds", key, []))),
            tuple(np.nan if value is None else float(value) for value in np.atleast_1d(accuracy)),
            str(self._known("panel", key, "")),
        )

    def sizes(self) -> list[Size]:
        """All sizes, from narrow and shallow to wide and deep."""
        return [self.size(key) for key in self.keys()]

    def cells(self, name: str, by_layer: bool = False):
        """Every network's value of that name, as `Cell`.

        by_layer: the value has an entry a layer of the network, and each is a cell; ValueError if it has not.
        """
        for size in self.sizes():
            for seed in size.seeds:
                if not self.has(name, size.key, seed):
                    continue
                value = self.get(name, size.key, seed)
                named = self._by_layer(name, value, size.key) if by_layer else [(None, value)]
                for layer, entry in named:
                    yield Cell(size.key, size.width, size.depth, seed, layer, entry)

    def _by_layer(self, name, value, key) -> list:
        layers = [str(layer) for layer in self.get("layers", key)]
        if np.ndim(value) < 1 or len(value) != len(layers):
            raise ValueError(
                f"{self.source}: '{name}' of {key} has not one entry for each of {len(layers)} layers"
            )
        return list(zip(layers, value))

    def _depth(self, key) -> int:
        return int(self._known("depth", key, 0))

    def _known(self, name, key, otherwise):
        return self.arrays.get(_joined(name, (key,)), otherwise)


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
