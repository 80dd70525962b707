"""Networks behind the claims of Gilboa & Gur-Ari 2019, and how their numbers are said."""

from dataclasses import dataclass

import numpy as np

from pipeline.cells import Cells, Size


@dataclass(frozen=True)
class Network:
    """A network, and what `structure` found in its last hidden layer."""

    found: Cells
    size: Size

    def of(self, name: str) -> float:
        """A number of the network, NaN where it is undefined."""
        value = self.found.get(name, self.size.key)
        return np.nan if value is None else float(value)

    @property
    def width(self) -> float:
        return self.size.width

    @property
    def accuracy(self) -> float:
        """On the test set, in [0, 1]."""
        return self.size.accuracy[0]


def ends(case, study: str, variant: str = "base") -> tuple[Network, Network]:
    """The narrowest and the widest network of a variant, twice the same where it has one width."""
    found = case.load(study, "structure", variant)
    sizes = found.sizes()
    return Network(found, sizes[0]), Network(found, sizes[-1])


def widths(narrow: Network, wide: Network) -> str:
    if narrow.size == wide.size:
        return f"n = {wide.width:g}"
    return f"n = {narrow.width:g} and {wide.width:g}"


def percent(*values, spread=None) -> str:
    text = " and ".join(f"{100 * value:.1f}" for value in values)
    return f"{text} %" if spread is None else f"{text} ± {100 * spread:.1f} %"
