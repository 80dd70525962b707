"""How fast networks train: what was measured, and what follows from it for a network that was not.

Every training writes how many images a second it was shown (results/…/throughput). A network that was measured
has its own rate. Any other takes the time of its nearest relative on the same kind of device, the network whose
layers do as much in a step, times what a law says of the ratio of the two. The law is

    seconds a step = a · layers + b · outputs + c · FLOPs + d · parameters,

with outputs and FLOPs of a whole batch: calls, memory traffic, arithmetic, and the optimiser's pass over the
weights. Its four factors, none below 0, are fitted to everything that was measured on that device, in relative
error. Nothing is timed, so a busy machine does not change the answer.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from scipy.optimize import nnls
from torch.nn.modules.batchnorm import _NormBase
from torch.utils.flop_counter import FlopCounterMode

from pipeline.nets import network
from wide import artifacts

CLASSES = 10  # of a measured network whose file does not say
GPUS = ("NVIDIA", "Tesla", "GeForce", "Quadro", "TITAN", "AMD Instinct", "AMD Radeon")
ENOUGH = 8  # networks to fit the law to; with fewer, time goes with FLOPs
SHORT = "smoke"  # a scale whose trainings end before they are up to speed; they stand for themselves alone


@dataclass(frozen=True)
class Work:
    """What a network does with one image, forward, and how large it is.

    layers, outputs: number of layers, and of all numbers that they put out. stored: bytes of parameters and
    buffers. net: its file in wide/nets.
    """

    net: str
    layers: int
    outputs: int
    flops: int
    parameters: int
    stored: int

    def step(self, batch: int, members: int) -> np.ndarray:
        """The law's four terms of a step, (4,)."""
        images = batch * members
        terms = [self.layers, self.outputs * images, self.flops * images, self.parameters * members]
        return np.array(terms, float)

    def far(self, batch: int, members: int, other: "Rate") -> float:
        """Distance to a measured network: of what a layer does in a step, in logarithms; 0 is the same."""
        mine, its = self.step(batch, members), other.work.step(other.batch, other.members)
        mine, its = mine[1:3] / mine[0], its[1:3] / its[0]
        return float(np.abs(np.log(mine / its)).sum()) + (self.net != other.work.net)


@dataclass(frozen=True)
class Rate:
    """A measurement: images a second of one piece of work, of all its members together."""

    work: Work
    batch: int
    members: int
    device: str
    dtype: str
    images_per_s: float


def work_of(net: str, width: float, options: dict, image: Sequence[int], classes: int) -> Work:
    """What a network does. image: shape of one input. Raises ValueError for a network that cannot be."""
    return _work(net, width, json.dumps(options, sort_keys=True), tuple(image), classes)


@cache
def _work(net, width, options, image, classes) -> Work:
    with torch.device("meta"):
        built = network(net)(width, image=image, classes=classes, **json.loads(options)).eval()
    stored = sum(value.numel() * value.element_size() for value in built.state_dict().values())
    for module in built.modules():
        if isinstance(module, _NormBase):
            module.forward = _same  # no FLOPs that count, and slow on the meta device
    outputs = {}
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        built(torch.empty(1, *image, device="meta"), lambda name, x: _noted(outputs, name, x))
    parameters = sum(value.numel() for value in built.parameters())
    return Work(net, len(built.layers), sum(outputs.values()), counter.get_total_flops(), parameters, stored)


def _same(x):
    return x


def _noted(outputs, name, x):
    outputs[name] = x.numel()
    return x


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
        work = work_of(*(entry[name] for name in names), entry.get("classes", CLASSES))
    except ValueError:
        return None
    more = {name: entry[name] for name in ("batch", "device", "dtype", "images_per_s")}
    return Rate(work, members=entry["members_at_once"], **more)


def kind(device: str) -> str:
    """Kind of a device, by its maker's name for it: "cuda" or "cpu"."""
    return "cuda" if device.startswith(GPUS) else "cpu"


def alike(rates: list[Rate], device: str, dtype: str) -> list[Rate]:
    """Rates of the device that is most like this one; several of a kind: the one with most rates.

    Like it is the same, then one of its kind that calculates in the same dtype, one of its kind, any.
    """
    by_device = {}
    for rate in rates:
        by_device.setdefault((rate.device, rate.dtype), []).append(rate)
    wanted = (device, kind(device), dtype)

    def likeness(entry):
        (name, its), found = entry
        same = [mine == other for mine, other in zip(wanted, (name, kind(name), its))]
        return (same[1], same[0] and same[2], same[2], same[0], len(found))

    return max(by_device.items(), key=likeness)[1] if by_device else []


class Rates:
    """What training takes on one device. Raises ValueError for no rates."""

    def __init__(self, rates: list[Rate]):
        if not rates:
            raise ValueError("nothing was ever measured: results/*/*/*/throughput is empty; restore it from git")
        self.rates, self.device, self.dtype = rates, rates[0].device, rates[0].dtype
        self.law = _law(rates)

    def seconds(self, work: Work, batch: int, members: int) -> float:
        """Seconds of one image of one member, of a batch and so many members at a time."""
        distances = np.array([work.far(batch, members, rate) for rate in self.rates])
        nearest = [rate for rate, far in zip(self.rates, distances) if far < distances.min() + 1e-9]
        times = [self._by_law(work, batch, members, rate) for rate in nearest]
        return float(np.mean(times))

    def _by_law(self, work, batch, members, relative: Rate) -> float:
        mine = self.law @ work.step(batch, members) / (batch * members)
        its = self.law @ relative.work.step(relative.batch, relative.members)
        return mine / its * relative.batch * relative.members / relative.images_per_s

    def knows(self, work: Work, batch: int, members: int) -> bool:
        """Whether just this was measured."""
        return any((rate.work, rate.batch, rate.members) == (work, batch, members) for rate in self.rates)

    def errors(self) -> np.ndarray:
        """Of each network, batch and stack that was measured: its time as estimated from all others, over its own."""
        cases = {}
        for rate in self.rates:
            cases.setdefault((rate.work, rate.batch, rate.members), []).append(rate)
        found = []
        for case, own in cases.items():
            others = [rate for rate in self.rates if (rate.work, rate.batch, rate.members) != case]
            if others:
                mine = np.mean([1 / rate.images_per_s for rate in own])
                found.append(Rates(others).seconds(*case) / mine)
        return np.array(found)


def _law(rates: list[Rate]) -> np.ndarray:
    """The law's factors in seconds, (4,)."""
    steps = [rate.work.step(rate.batch, rate.members) for rate in rates]
    if len(set(map(tuple, steps))) < ENOUGH:
        return np.array([0.0, 0.0, 1.0, 0.0])
    seconds = [rate.batch * rate.members / rate.images_per_s for rate in rates]
    relative = np.array(steps) / np.array(seconds)[:, None]
    unit = np.linalg.norm(relative, axis=0)
    return nnls(relative / unit, np.ones(len(rates)))[0] / unit
