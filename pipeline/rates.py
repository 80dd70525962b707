"""How fast networks train: what was measured, and what follows from it for a network that was not.

Every training writes how many images a second it was shown (results/…/throughput). A network that was
measured has its own rate. Any other takes the time of its nearest relative on the same kind of device, the
network whose layers do as much in a step, times what a law says of the two:

    seconds a step = a · layers + b · outputs + c · FLOPs + d · parameters,

with outputs and FLOPs of a whole batch: calls, memory traffic, arithmetic, and the optimiser's pass over the
weights. Its factors, none below 0, are fitted to everything that was measured on that device, in relative
error. Nothing is timed, so a busy machine does not change the answer.

Checked on the 59 networks and batches that were measured at scale quick: each estimated from the other 58 is
off by 7 % (median), at worst by a factor of 1.6; two measurements of the same differ by 6 %.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from pipeline.work import Network, Work, work_of
from wide import artifacts

CLASSES = 10  # of a measured network whose file does not say
GPUS = ("NVIDIA", "Tesla", "GeForce", "Quadro", "TITAN", "AMD Instinct", "AMD Radeon")
ENOUGH = 8  # networks to fit the law to; with fewer, time goes with FLOPs
SHORT = "smoke"  # a scale whose trainings end before they are up to speed: they stand for themselves alone
SAME = 1e-9  # distance of what is as near


@dataclass(frozen=True)
class Stack:
    """Members of a network that train at once, with a batch of images each."""

    work: Work
    batch: int
    members: int

    @property
    def images(self) -> int:
        """Images of a step, all members'."""
        return self.batch * self.members

    @property
    def terms(self) -> np.ndarray:
        """The law's four terms of a step, (4,)."""
        work = self.work
        images, members = self.images, self.members
        return np.array(
            [work.layers, work.outputs * images, work.flops * images, work.parameters * members], float
        )

    def far(self, other: "Stack") -> float:
        """Distance: of what a layer does in a step, in logarithms, and 1 for another net."""
        mine, its = (each.terms[1:3] / each.terms[0] for each in (self, other))
        return float(np.abs(np.log(mine / its)).sum()) + (self.work.net != other.work.net)


@dataclass(frozen=True)
class Rate:
    """A measurement: images a second of one stack, of all its members together."""

    stack: Stack
    device: str
    dtype: str
    images_per_s: float


def measured(scale: str) -> list[Rate]:
    """All rates that trainings have left, for pricing a scale. Raises ValueError for a damaged file."""
    found = []
    for path in sorted(artifacts.RESULTS.glob("*/*/*/throughput/*.json")):
        if path.relative_to(artifacts.RESULTS).parts[0] in {SHORT} - {scale}:
            continue
        rates = [_rate(entry) for entry in artifacts.load_numbers(path).values()]
        found += [rate for rate in rates if rate]
    return found


def _rate(entry: dict) -> Rate | None:
    """A size's entry; None for one that was not trained, or whose network can no longer be built."""
    if not entry["images_per_s"]:
        return None
    names = ("net", "width", "options", "image")
    try:
        work = work_of(Network.of(*(entry[name] for name in names), entry.get("classes", CLASSES)))
    except ValueError:
        return None
    stack = Stack(work, entry["batch"], entry["members_at_once"])
    return Rate(stack, entry["device"], entry["dtype"], entry["images_per_s"])


def kind(device: str) -> str:
    """Kind of a device, by its maker's name for it: "cuda" or "cpu"."""
    return "cuda" if device.startswith(GPUS) else "cpu"


def alike(rates: list[Rate], device: str, dtype: str) -> list[Rate]:
    """Rates of the device and dtype that are most like these; none of none.

    Its kind comes first, then the device itself in this dtype, this dtype, and how many rates there are.
    """
    groups = {}
    for rate in rates:
        groups.setdefault((rate.device, rate.dtype), []).append(rate)

    def likeness(group):
        its = group[0]
        itself = (its.device, its.dtype) == (device, dtype)
        return kind(its.device) == kind(device), itself, its.dtype == dtype, len(group)

    return max(groups.values(), key=likeness, default=[])


class Rates:
    """What training takes on one device. Raises ValueError for no rates."""

    def __init__(self, rates: list[Rate]):
        if not rates:
            raise ValueError(
                f"no training has left its rate in {artifacts.RESULTS}/*/*/*/throughput: restore the results "
                "from git, or train something"
            )
        self.rates, self.device, self.dtype = rates, rates[0].device, rates[0].dtype
        self.law = _law(rates)

    def seconds(self, stack: Stack) -> float:
        """Seconds of one image of one member; the mean over all measurements that are equally near."""
        distances = np.array([stack.far(rate.stack) for rate in self.rates])
        nearest = [rate for rate, far in zip(self.rates, distances) if far <= distances.min() + SAME]
        mine = self.law @ stack.terms / stack.images
        ratios = [mine / (self.law @ rate.stack.terms / rate.stack.images) for rate in nearest]
        return float(np.mean([ratio / rate.images_per_s for ratio, rate in zip(ratios, nearest)]))

    def knows(self, stack: Stack) -> bool:
        """Whether just this was measured."""
        return any(rate.stack == stack for rate in self.rates)

    def errors(self) -> np.ndarray:
        """Of each stack that was measured: its time as estimated from all others, over its own."""
        found = []
        for stack in dict.fromkeys(rate.stack for rate in self.rates):
            others = [rate for rate in self.rates if rate.stack != stack]
            own = [1 / rate.images_per_s for rate in self.rates if rate.stack == stack]
            if others:
                found.append(Rates(others).seconds(stack) / np.mean(own))
        return np.array(found)


def _law(rates: list[Rate]) -> np.ndarray:
    """The law's factors in seconds, (4,)."""
    if len({rate.stack for rate in rates}) < ENOUGH:
        return np.array([0.0, 0.0, 1.0, 0.0])
    seconds = np.array([rate.stack.images / rate.images_per_s for rate in rates])
    relative = np.array([rate.stack.terms for rate in rates]) / seconds[:, None]
    unit = np.linalg.norm(relative, axis=0)
    return nnls(relative / unit, np.ones(len(rates)))[0] / unit
