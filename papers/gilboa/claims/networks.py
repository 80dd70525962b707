"""Networks behind the claims of Gilboa & Gur-Ari 2019, and how their numbers are compared and said."""

from dataclasses import dataclass, replace
from math import inf, isfinite, isnan, nan, sqrt

import numpy as np

from pipeline.cells import Cells, Size
from pipeline.claims import LEFT_OUT, TOO_FEW, Bench, Claim, Control, Estimate, Lack

# Of MNIST and CIFAR-10. The paper has one network a size, so that an accuracy's error is that of its images.
TEST_IMAGES = 10_000
STEPS = {"clusters": 1.0}  # between neighbouring values of what is counted
# What a standard error of one network a size does not say.
OVER = "over {}, not over networks"


@dataclass(frozen=True)
class Network:
    """A network, or the pixels in its place, and what `structure` found in its last hidden layer.

    size: None for a network that the scale leaves out: its numbers are NaN.
    """

    found: Cells
    size: Size | None

    def has(self, name: str) -> bool:
        return self.size is not None and self.found.has(name, self.size.key)

    def of(self, name: str) -> float:
        """A number of the network, NaN where it is undefined."""
        value = None if self.size is None else self.found.get(name, self.size.key)
        return nan if value is None else float(value)

    def each(self, name: str) -> np.ndarray:
        """A number for each class, fold or icon: (m,) float64, NaN where it is undefined."""
        if self.size is None:
            return np.array([nan])
        return np.asarray(self.found.get(name, self.size.key), np.float64)

    def mean(self, name: str) -> Estimate:
        """Their mean; its error is that over classes, folds or icons."""
        return Estimate.of(self.each(name), STEPS.get(name, 0.0))

    @property
    def width(self) -> float:
        return nan if self.size is None else self.size.width

    @property
    def accuracy(self) -> Estimate:
        """On the test set, in [0, 1]; its error is that of a share of so many images."""
        share = nan if self.size is None else self.size.accuracy[0]
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


def ends(found: Cells) -> tuple[Network, Network]:
    """The narrowest and the widest network, twice the same where there is one, or none, of any width."""
    sizes = found.sizes() or [None]
    return Network(found, sizes[0]), Network(found, sizes[-1])


def compared(case, study: str) -> Compared:
    """The networks of a figure that compares the narrowest with the widest."""
    narrow, wide = ends(case.kept(study, "structure", "base"))
    n = f"1 network each, {widths(narrow, wide)}; ± {OVER.format('classes, folds, icons or test images')}"
    return Compared(narrow, wide, case.bench(n, lacks=lacking(case, study, narrow, wide)))


def lacking(case, study: str, narrow: Network, wide: Network) -> Lack | None:
    """What claims lack about two trained networks: one of them, or learning more than the pixels give."""
    if narrow.size is None:
        return Lack(LEFT_OUT, f"networks of {study}")
    if narrow.width == wide.width:
        return Lack(TOO_FEW, diverged(case, study) or "the scale's caps leave one width")
    return case.unlearned(study, "base", [np.min([net.size.accuracy[0] for net in (narrow, wide)])])


def diverged(case, study: str) -> str:
    """Which widths are not there because no network of theirs ended its training finite, "" for none."""
    sizes = case.kept(study, "training", "base").sizes()
    gone = [f"{size.width:g}" for size in sizes if size.accuracy and not np.isfinite(size.accuracy).any()]
    return f"diverged: n = {', '.join(gone)}" if gone else ""


def in_one(what: str, claims: list[Claim]) -> list[Claim]:
    """Claims that say of how few networks they speak: others trained alike may differ."""
    return [replace(claim, statement=f"in one {what}, {claim.statement}") for claim in claims]


def paired(net: Network, other: Network, name: str, factor: float = 1) -> Estimate:
    """A number of `net` minus `factor` times that of another, over the classes or folds that they share."""
    return Estimate.of(net.each(name) - factor * other.each(name), STEPS.get(name, 0.0))


def lowest(found, sure: float = 0) -> Estimate:
    """The estimate that is lowest less so many standard errors; an undefined one, where there is any."""
    return min(found, key=lambda estimate: _bound(estimate, -sure, -inf))


def highest(found, sure: float = 0) -> Estimate:
    """The estimate that is highest plus so many standard errors; an undefined one, where there is any."""
    return max(found, key=lambda estimate: _bound(estimate, sure, inf))


def _bound(found: Estimate, errors: float, undefined: float) -> float:
    """A value and so many standard errors, of which one that is not known adds none."""
    reach = errors * found.se if isfinite(found.se) else 0
    return undefined if isnan(found.value) else found.value + reach


def untrained_pair(case, study: str, name: str) -> Control:
    """The difference between the widest and the narrowest network of a study where nothing is trained."""
    pair = ends(case.kept(study, "structure", "untrained"))
    numbers = "" if pair[0].size is None else f" ({each_said(name, *pair)})"
    return Control(f"untrained networks{numbers}, wide minus narrow", paired(*pair[::-1], name), digits=3)


def each_said(name: str, narrow: Network, wide: Network) -> str:
    return f"{narrow.mean(name).said(3)} and {wide.mean(name).said(3)}"


def difference(name: str, narrow: Network, wide: Network) -> str:
    """Both numbers, and by how much the wide one's is larger."""
    return f"{each_said(name, narrow, wide)}, difference {paired(wide, narrow, name).said(3)}"


def widths(narrow: Network, wide: Network) -> str:
    if narrow.size is None:
        return "none there"
    if narrow.size == wide.size:
        return f"n = {wide.width:g}"
    return f"n = {narrow.width:g} and {wide.width:g}"


def percent(*values) -> str:
    """Estimates of shares, in per cent."""
    return " and ".join(value.said(1, 100) for value in values) + " %"
