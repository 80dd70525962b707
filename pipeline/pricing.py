"""What a run costs: time, memory and disk of every variant, and of a paper.

Time is that of training's images at the rates of `rates`, pieces side by side on the lanes of this machine.
Memory and disk are counted on networks without numbers. Measures, drawings and claims take what they took
when they were last run, or, where that is not known, a fixed share of training.
"""

import math
from dataclasses import dataclass

from pipeline import parameters, sets
from pipeline.lanes import LITTLE
from pipeline.plan import Size
from pipeline.rates import Rates, Work, kind, work_of
from pipeline.variants import Variant
from wide import artifacts
from wide.training.recipe import OF_A_MEMBER, describe
from wide.training.stacking import members_at_once

# Of the committed runs of scale quick on two cores: nguyen took 69 minutes, 43 of them training, in 28 stages
# whose images account for 38; gilboa 26 in all, 9 stages of training whose images account for 14.
STAGE_S = 10  # a stage of training besides its images: imports in each process, reading data, writing results
MEASURES = 0.6  # everything else in a paper's pipeline, as a share of its training
FORWARD = 1 / 3  # of a training step's time
SCORED = 5000  # training examples whose accuracy is reported, as those of the test split

PROCESS = 0.75 * 2**30  # bytes of a process before it holds images or networks, the device's libraries included
A_PARAMETER = 16  # bytes: float32 weight, gradient and two moments of the optimiser (momentum alone takes one)
A_LABEL, A_PATH = 8, 60  # bytes in a prepared data set


@dataclass(frozen=True)
class Price:
    """What training a variant costs.

    seconds: on the clock. images: shown in training, to all members. memory: bytes at the most, of all
    processes. disk: bytes of its population. sizes: how many, and of these ``known`` had been measured.
    """

    variant: Variant
    seconds: float
    images: int
    memory: float
    disk: int
    sizes: int
    known: int


@dataclass(frozen=True)
class Piece:
    """Members trained as one stack: seconds, and bytes of memory besides its process and the images."""

    seconds: float
    memory: float


def price(variant: Variant, rates: Rates, lanes: int) -> Price:
    """What training a variant costs with so many lanes. Raises ValueError for a network that cannot be."""
    works = [_work(variant, size) for size in variant.plan.sizes]
    images = sum(variant.shown(size) * len(size.seeds) for size in variant.plan.sizes)
    pieces, known = [], 0
    for group in _alike(variant):
        size, work = variant.plan.sizes[group[0]], works[group[0]]
        batch, members = variant.batch(size), sum(len(variant.plan.sizes[number].seeds) for number in group)
        at_once = members_at_once(_meta(variant, size), kind(rates.device), members)
        for start in range(0, members, at_once):
            pieces.append(_piece(variant, size, work, rates, min(at_once, members - start)))
        known += len(group) * (not variant.shown(size) or rates.knows(work, batch, min(at_once, members)))
    lanes = lanes if images >= LITTLE else 1
    return Price(
        variant,
        STAGE_S + side_by_side([piece.seconds for piece in pieces], lanes),
        images,
        _memory(variant, pieces, min(lanes, len(pieces))),
        sum(work.stored * len(size.seeds) for size, work in zip(variant.plan.sizes, works)),
        len(works),
        known,
    )


def side_by_side(seconds: list[float], lanes: int) -> float:
    """Seconds until the last piece is done: each lane takes the longest that is left."""
    until = [0.0] * lanes
    for piece in sorted(seconds, reverse=True):
        until[until.index(min(until))] += piece
    return max(until)


def _work(variant: Variant, size: Size) -> Work:
    return work_of(variant.plan.net, size.width, size.options, _seen(variant, size), variant.classes)


def _seen(variant: Variant, size: Size) -> tuple[int, ...]:
    """Shape of an image when augmentation is done with it."""
    part = variant.recipe(size).augment.resized_crop
    return tuple(min(side, part) if part and axis else side for axis, side in enumerate(variant.image))


def _alike(variant: Variant) -> list[list[int]]:
    """Numbers of the sizes that are trained in one stack: they differ in what one population may mix."""
    groups = {}
    for number, size in enumerate(variant.plan.sizes):
        own = describe(variant.recipe(size)).items()
        shared = {name: value for name, value in own if name not in OF_A_MEMBER}
        groups.setdefault(repr((size.width, size.options, shared)), []).append(number)
    return list(groups.values())


def _piece(variant: Variant, size: Size, work: Work, rates: Rates, members: int) -> Piece:
    batch = variant.batch(size)
    passes = math.ceil(variant.recipe(size).epochs)
    scored = variant.splits[variant.plan.test] + min(SCORED, variant.examples) + passes * variant.held_out
    images = variant.shown(size) + FORWARD * scored
    number = 2 if rates.dtype == "bfloat16" else 4
    memory = members * (work.parameters * A_PARAMETER + work.outputs * batch * number)
    return Piece(images * members * rates.seconds(work, batch, members), memory)


def _memory(variant: Variant, pieces: list[Piece], lanes: int) -> float:
    """Bytes of the largest pieces that can be side by side, each in a process with the images of its own."""
    largest = sorted((piece.memory for piece in pieces), reverse=True)[:lanes]
    return sum(largest) + lanes * (PROCESS + _images(variant))


def _images(variant: Variant) -> int:
    """Bytes of the data set's images, and of those that are trained and tested on as they are used."""
    if _listed(variant.plan.set, variant.scale):
        return 0  # images are decoded as they are used
    used = variant.examples + variant.held_out + variant.splits[variant.plan.test]
    return sum(variant.splits.values()) * math.prod(variant.card.image) + used * math.prod(variant.image)


def _listed(name: str, scale: str) -> bool:
    """Whether the prepared data set holds paths of images instead of images."""
    return scale == "paper" and hasattr(sets.module(name), "index")


def data_set(variant: Variant) -> int:
    """Bytes of the prepared data set on disk."""
    image = A_PATH if _listed(variant.plan.set, variant.scale) else math.prod(variant.card.image)
    labels = {split: len(variant.card.labels(split)) for split in variant.splits}
    return sum(count * (image + labels[split] * A_LABEL) for split, count in variant.splits.items())


def timed(paper: str, scale: str, width: float, device: str) -> dict[str, float] | None:
    """Seconds of everything but training, by its kind, when it was last run; None where that is not known of all.

    Read from results/<scale>/<paper>/timing/<stage>.json, a stage's name as DVC has it without its file, such as
    cka_wide@quick-all: {"seconds": on the clock, "width": the parameter, "device": its maker's name}. Runs on
    another kind of device and at another width do not count. Raises ValueError for a damaged file.
    """
    found, names = {}, _other_stages(paper)
    for path in sorted((artifacts.RESULTS / scale / paper / "timing").glob("*.json")):
        stage, said = path.stem.split("@")[0], artifacts.load_numbers(path)
        if stage in names and said["width"] == width and kind(said["device"]) == kind(device):
            found[stage] = found.get(stage, 0) + said["seconds"]
    if not names <= set(found):
        return None
    kinds = {}
    for stage, seconds in found.items():
        name = stage.split("_")[0]
        kinds[name] = kinds.get(name, 0) + seconds
    return kinds


def _other_stages(paper: str) -> set[str]:
    """Names of a paper's stages, without those that train."""
    stages = parameters.read(parameters.paper_file(paper, "dvc.yaml"))["stages"]
    commands = {name: str((stage.get("do") or stage)["cmd"]) for name, stage in stages.items()}
    return {name for name, command in commands.items() if "stages.train " not in command}


def _meta(variant: Variant, size: Size):
    import torch

    with torch.device("meta"):
        return variant.plan.build(size, variant.image, variant.classes)
