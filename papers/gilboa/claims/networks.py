"""Networks behind the claims of Gilboa & Gur-Ari 2019, and how their numbers are compared and said."""

from dataclasses import dataclass
from math import inf, isnan, nan, sqrt

import numpy as np

from pipeline.cells import Cells, Size
from pipeline.claims import TOO_FEW, Bench, Control, Estimate, Lack, first_of

# Of MNIST and CIFAR-10. The paper has one network a size, so that an accuracy's error is that of its images.
TEST_IMAGES = 10_000


@dataclass(frozen=True)
class Network:
    """A network, or the pixels in its place, and what `structure` found in its last hidden layer."""

    found: Cells
    size: Size

    def has(self, name: str) -> bool:
        return self.found.has(name, self.size.key)

    def of(self, name: str) -> float:
        """A number of the network, NaN where it is undefined."""
        value = self.found.get(name, self.size.key)
        return nan if value is None else float(value)

    def each(self, name: str) -> np.ndarray:
        """A number for each class, fold or icon: (m,) float64, NaN where it is undefined."""
        return np.asarray(self.found.get(name, self.size.key), np.float64)

    def mean(self, name: str) -> Estimate:
        """Their mean; its error is that over classes, folds or icons."""
        return Estimate.of(self.each(name))

    @property
    def width(self) -> float:
        return self.size.width

    @property
    def accuracy(self) -> Estimate:
        """On the test set, in [0, 1]; its error is that of a share of so many images."""
        share = self.size.accuracy[0]
        return Estimate(share, sqrt(share * (1 - share) / TEST_IMAGES))


@dataclass(frozen=True)
class Compared:
    """The narrowest and the widest network of a figure, and the bench that judges claims on the two."""

    narrow: Network
    wide: Network
    bench: Bench

    @property
    def both(self) -> tuple[Network, Network]:
        return self.narrow, self.wide


def ends(found: Cells) -> tuple[Network, Network] | None:
    """The narrowest and the widest network, twice the same where there is one width. None for no network."""
    sizes = found.sizes()
    return (Network(found, sizes[0]), Network(found, sizes[-1])) if sizes else None


def compared(case, study: str) -> Compared:
    """The networks of a figure that compares the narrowest with the widest."""
    narrow, wide = ends(case.load(study, "structure", "base"))
    one = Lack(TOO_FEW, "the scale's caps leave one width") if narrow.width == wide.width else None
    floor = unlearned(case, study, narrow, wide)
    n = f"1 network each, {widths(narrow, wide)}; ± over classes, folds, icons or test images"
    return Compared(narrow, wide, case.bench(n, lacks=first_of(one, floor)))


def unlearned(case, study: str, *nets: Network) -> Lack | None:
    """What claims about trained networks lack where the worst of them knows no more than the pixels give."""
    return case.unlearned(study, "base", [np.min([net.size.accuracy[0] for net in nets])])


def paired(net: Network, other: Network, name: str, factor: float = 1) -> Estimate:
    """A number of `net` minus `factor` times that of another, over the classes or folds that they share."""
    return Estimate.of(net.each(name) - factor * other.each(name))


def lowest(found) -> Estimate:
    """The lowest of several estimates; an undefined one, where there is any."""
    return min(found, key=lambda estimate: -inf if isnan(estimate.value) else estimate.value)


def highest(found) -> Estimate:
    """The highest of several estimates; an undefined one, where there is any."""
    return max(found, key=lambda estimate: inf if isnan(estimate.value) else estimate.value)


def untrained_pair(case, study: str, name: str) -> Control:
    """The difference between the widest and the narrowest network of a study where nothing is trained."""
    pair = ends(case.kept(study, "structure", "untrained"))
    found = paired(pair[1], pair[0], name) if pair else Estimate(nan)
    numbers = "" if pair is None else f" ({each_said(name, *pair)})"
    return Control(f"untrained networks{numbers}, wide minus narrow", found, digits=3)


def each_said(name: str, narrow: Network, wide: Network) -> str:
    return f"{narrow.mean(name).said(3)} and {wide.mean(name).said(3)}"


def difference(name: str, narrow: Network, wide: Network) -> str:
    """Both numbers, and by how much the wide one's is larger."""
    return f"{each_said(name, narrow, wide)}, difference {paired(wide, narrow, name).said(3)}"


def widths(narrow: Network, wide: Network) -> str:
    if narrow.size == wide.size:
        return f"n = {wide.width:g}"
    return f"n = {narrow.width:g} and {wide.width:g}"


def percent(*values) -> str:
    """Estimates of shares, in per cent."""
    return " and ".join(value.said(1, 100) for value in values) + " %"
