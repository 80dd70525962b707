"""What a run costs, in hours, memory and disk: `python -m stages.price [<scale>] [<width>]`, or `make plan`.

Without a scale or a width, those of params.yaml. Nothing is timed: rates are those that committed trainings
have left (pipeline/rates.py).
"""

import sys

import numpy as np
import torch

from pipeline import devices, parameters, rates
from pipeline.lifetime import stage
from pipeline.pricing import MEASURES, Price, data_set, price, timed
from pipeline.variants import of_paper, scale_and_width
from wide.training.population import half_precision

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365.25 * 86400


@stage
def main(scale: str = "", width: str = ""):
    scale, width = scale_and_width(scale, width)
    told, lanes = this_machine(scale)
    print(f"scale {scale}, width {width:g}; {lanes} at a time; {provenance(told)}")
    papers = {paper: [price(variant, told, lanes) for variant in of_paper(paper, scale, width)]
              for paper in parameters.papers()}  # fmt: skip
    seconds = {paper: show(paper, found, told) for paper, found in papers.items()}
    everything = [entry for found in papers.values() for entry in found]
    print(f"\nin all: {duration(sum(seconds.values()))}, {room(everything)}")
    accuracy(everything, told)
    print("memory: for each network at a time, a process and its images, 16 bytes a parameter (weight, gradient,")
    print("moments), and what all layers put out for a batch, at the bytes of the dtype")


def this_machine(scale: str) -> tuple[rates.Rates, int]:
    """Rates to price by, and how many pieces train at a time."""
    dtype = "bfloat16" if half_precision(devices.device()) else "float32"
    told = rates.Rates(rates.alike(rates.measured(scale), devices.name(), dtype))
    here = rates.kind(told.device) == torch.device(devices.device()).type
    return told, len(devices.lanes()) if here else devices.cores()


def provenance(told: rates.Rates) -> str:
    """Where the rates are from."""
    if told.device == devices.name():
        return f"rates measured on {told.device} ({told.dtype})"
    return f"{devices.name()} was never measured, rates are those of {told.device} ({told.dtype})"


def show(paper: str, found: list[Price], told: rates.Rates) -> float:
    """Print a paper's variants and totals; returns its seconds."""
    print(f"\n{paper}")
    print(f"  {'study':12s}{'variant':16s}{'time':>12s}{'images':>12s}{'memory':>12s}{'population':>12s}")
    for entry in found:
        words = duration(entry.seconds), counted(entry.images), size(entry.memory), size(entry.disk)
        print(f"  {entry.variant.study:12s}{entry.variant.name:16s}{''.join(f'{word:>12s}' for word in words)}")
    training = sum(entry.seconds for entry in found)
    one = found[0].variant
    kinds = timed(paper, one.scale, one.width, told.device)
    others = MEASURES * training if kinds is None else sum(kinds.values())
    how = f"at {MEASURES:g} of training" if kinds is None else ", ".join(
        f"{name} {duration(seconds)}" for name, seconds in kinds.items()
    )  # fmt: skip
    print(f"  training {duration(training)}, everything else {duration(others)} ({how})")
    print(f"  {paper} in all: {duration(training + others)}, {room(found)}")
    return training + others


def room(found: list[Price]) -> str:
    """Memory and disk of several variants in words; data sets count once."""
    data = {entry.variant.plan.set: data_set(entry.variant) for entry in found}
    memory = max(entry.memory for entry in found)
    populations = sum(entry.disk for entry in found)
    return f"memory {size(memory)}, disk {size(populations)} of populations and {size(sum(data.values()))} of data sets"


def accuracy(found: list[Price], told: rates.Rates):
    """Print how many sizes were measured, and how far off the others may be."""
    known, sizes = sum(entry.known for entry in found), sum(entry.sizes for entry in found)
    line = f"{known} of {sizes} sizes were measured"
    errors = told.errors()
    if known < sizes and len(errors):
        off = np.exp(np.abs(np.log(errors)))
        line += (
            f", the others are estimated; each measured one, estimated from the rest, is off by "
            f"{np.median(off) - 1:.0%} (median), {off.max() - 1:.0%} at worst"
        )
    print(line)


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    for unit, name in ((YEAR, "years"), (DAY, "days"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= 1.5 * unit:
            return f"{digits(seconds / unit)} {name}"
    return f"{digits(seconds)} s"


def counted(number: float) -> str:
    """A count in thousands, millions or billions."""
    for unit, name in ((1e9, "billion"), (1e6, "million")):
        if number >= unit:
            return f"{digits(number / unit)} {name}"
    return f"{number:,.0f}"


def size(amount: float) -> str:
    """Bytes in the unit that suits them."""
    for power, name in ((4, "TB"), (3, "GB"), (2, "MB")):
        if amount >= 1000**power:
            return f"{digits(amount / 1000**power)} {name}"
    return f"{digits(amount / 1000)} kB"


def digits(number: float) -> str:
    """Two digits, more only before the point."""
    return f"{number:,.1f}" if number < 9.95 else f"{number:,.0f}"


if __name__ == "__main__":
    main(*sys.argv[1:])
