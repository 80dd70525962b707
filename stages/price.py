"""What a run costs, in hours, memory and disk: `python -m stages.price [<scale>] [<width>]`, or `make plan`.

Without a scale or a width, those of params.yaml. Nothing is timed: rates are those that trainings have left
(pipeline/rates.py).
"""

import sys

import numpy as np
import torch

from pipeline import devices, parameters, rates
from pipeline.lifetime import stage
from pipeline.pricing import OTHERS, Price, data_set, others, price
from pipeline.units import counted, duration, room
from pipeline.variants import of_paper, scale_and_width
from wide.training.population import half_precision

COLUMNS = "  {:12s}{:16s}{:>12s}{:>14s}{:>10s}{:>12s}"
NOTE = """memory: for each network at a time a process, its images, 16 bytes a parameter (weight, gradient,
moments), and a batch's outputs of all layers in the dtype's bytes; official files in data/raw come on top"""


@stage
def main(scale: str = "", width: str = ""):
    scale, width = scale_and_width(scale, width)
    papers = {paper: of_paper(paper, scale, width) for paper in parameters.papers()}
    told, lanes = this_machine(scale)
    print(f"scale {scale}, width {width:g}, {lanes} networks at a time\n{provenance(told)}")
    seconds, prices = 0, []
    for paper, variants in papers.items():
        print(f"\n{paper}\n{COLUMNS.format('study', 'variant', 'time', 'images', 'memory', 'population')}")
        found = [priced(variant, told, lanes) for variant in variants]
        seconds += total(paper, found, told)
        prices += found
    print(f"\nin all: {duration(seconds)}, {space(prices)}\n{trust(prices, told)}\n{NOTE}")


def this_machine(scale: str) -> tuple[rates.Rates, int]:
    """Rates to price by, and how many pieces train at a time."""
    dtype = "bfloat16" if half_precision(devices.device()) else "float32"
    told = rates.Rates(rates.alike(rates.measured(scale), devices.name(), dtype))
    its_kind = rates.kind(told.device) == torch.device(devices.device()).type
    return told, len(devices.lanes()) if its_kind else devices.cores()


def provenance(told: rates.Rates) -> str:
    """Where the rates are from."""
    found = f"rates measured on {told.device}, in {told.dtype}"
    return (
        found if told.device == devices.name() else f"{found}; on {devices.name()} nothing was ever measured"
    )


def priced(variant, told: rates.Rates, lanes: int) -> Price:
    """The price of a variant, printed as a line."""
    found = price(variant, told, lanes)
    words = duration(found.seconds), counted(found.images), room(found.memory), room(found.disk)
    print(COLUMNS.format(variant.study, variant.name, *words), flush=True)
    return found


def total(paper: str, found: list[Price], told: rates.Rates) -> float:
    """Seconds of a paper, printed with what they consist of."""
    training, any_one = sum(entry.seconds for entry in found), found[0].variant
    kinds = others(paper, any_one.scale, any_one.width, told.device)
    if kinds is None:
        rest, how = OTHERS * training, f"never timed, taken as {OTHERS:g} of training"
    else:
        rest, how = sum(kinds.values()), ", ".join(f"{name} {duration(time)}" for name, time in kinds.items())
    print(f"  training {duration(training)}, all other stages {duration(rest)} ({how})")
    print(f"  {paper} in all: {duration(training + rest)}, {space(found)}")
    return training + rest


def space(found: list[Price]) -> str:
    """Memory and disk of several variants in words; a data set counts once."""
    data = {entry.variant.plan.set: data_set(entry.variant) for entry in found}
    memory, populations = max(entry.memory for entry in found), sum(entry.disk for entry in found)
    return f"memory {room(memory)}, populations {room(populations)}, data sets {room(sum(data.values()))}"


def trust(found: list[Price], told: rates.Rates) -> str:
    """How many sizes were measured, and how far off the others may be."""
    known, sizes = sum(entry.known for entry in found), sum(entry.sizes for entry in found)
    off = np.exp(np.abs(np.log(told.errors())))
    if known == sizes or not len(off):
        return f"{known} of {sizes} sizes were measured"
    return (
        f"{known} of {sizes} sizes were measured, the others are estimated; what was measured, estimated "
        f"from the rest, is {np.median(off) - 1:.0%} off (median), by a factor of {off.max():.1f} at worst"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
