"""What a run costs: time, memory and disk of every variant, and of a paper.

Time is that of training's images at the rates of `rates`, pieces side by side on the lanes of a machine.
Memory and disk are counted on networks without numbers. Measures, drawings and claims take what they took
when they were last run, or, where that is not known, a fixed share of training.
"""

import math
from dataclasses import dataclass

from pipeline import parameters, sets
from pipeline.lanes import LITTLE
from pipeline.plan import Size
from pipeline.rates import Rates, Stack, kind
from pipeline.variants import Variant
from pipeline.work import Network, stacked, work_of
from wide import artifacts
from wide.training.recipe import OF_A_MEMBER, describe

# From two papers' runs of scale quick on two cores: one took 69 minutes, 43 of them its 28 trainings, whose
# images account for 38; the other took 26 in all, and the images of its 9 trainings account for 14.
STAGE_S = 10  # of a training besides its images: imports in each process, reading data, writing results
OTHERS = 0.6  # all other stages of a paper, as a share of its training
FORWARD = 1 / 3  # of a training step
SCORED = 5000  # training examples whose accuracy is reported beside that of the test split

PROCESS = 0.75 * 2**30  # bytes of a process that trains, before images and network
A_PARAMETER = 16  # bytes: weight, gradient and two moments in float32 (SGD has one)
A_LABEL, A_PATH = 8, 60  # bytes in a prepared data set


@dataclass(frozen=True)
class Price:
    """What training a variant costs.

    seconds: on the clock. images: shown in training, to all members. memory: most bytes at a time, of all
    processes together. disk: bytes of its population. sizes: how many, ``known`` of them measured.
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
    """A stack's training: seconds, bytes besides its process and the images, and whether it was measured."""

    seconds: float
    memory: float
    known: bool


def price(variant: Variant, rates: Rates, lanes: int) -> Price:
    """What training a variant costs with so many lanes. Raises ValueError for a network that cannot be."""
    sizes, pieces, known = variant.plan.sizes, [], 0
    for group in _alike(variant):
        try:
            stacks = _pieces(variant, group, rates)
        except ValueError as error:
            raise ValueError(f"{variant.paper}.{variant.study}, variant {variant.name}: {error}") from None
        pieces += stacks
        known += len(group) * stacks[0].known
    images = sum(variant.shown(size) * len(size.seeds) for size in sizes)
    lanes = min(lanes, len(pieces)) if images >= LITTLE else 1
    seconds = STAGE_S + side_by_side([piece.seconds for piece in pieces], lanes)
    disk = sum(work_of(_network(variant, size)).stored * len(size.seeds) for size in sizes)
    return Price(variant, seconds, images, _memory(variant, pieces, lanes), disk, len(sizes), known)


def side_by_side(seconds: list[float], lanes: int) -> float:
    """Seconds until the last piece is done: whichever lane is free takes the longest that is left."""
    until = [0.0] * lanes
    for piece in sorted(seconds, reverse=True):
        until[until.index(min(until))] += piece
    return max(until)


def _network(variant: Variant, size: Size) -> Network:
    """The network of a size, with images as augmentation leaves them."""
    part = variant.recipe(size).augment.resized_crop
    image = [min(side, part) if part and axis else side for axis, side in enumerate(variant.image)]
    return Network.of(variant.plan.net, size.width, size.options, image, variant.classes)


def _alike(variant: Variant) -> list[list[Size]]:
    """Sizes whose members can be one population: they differ in what its members may differ in."""
    groups = {}
    for size in variant.plan.sizes:
        own = describe(variant.recipe(size)).items()
        shared = {name: value for name, value in own if name not in OF_A_MEMBER}
        groups.setdefault(repr((size.width, size.options, shared)), []).append(size)
    return list(groups.values())


def _pieces(variant: Variant, group: list[Size], rates: Rates) -> list[Piece]:
    """What the members of a group are trained in: stacks of equal size, and one of the rest."""
    members = sum(len(size.seeds) for size in group)
    at_once = stacked(_network(variant, group[0]), kind(rates.device), members)
    whole, rest = divmod(members, at_once)
    found = [_piece(variant, group[0], rates, at_once)] * whole
    return found + ([_piece(variant, group[0], rates, rest)] if rest else [])


def _piece(variant: Variant, size: Size, rates: Rates, members: int) -> Piece:
    stack = Stack(work_of(_network(variant, size)), variant.batch(size), members)
    passes = math.ceil(variant.recipe(size).epochs)
    scored = variant.splits[variant.plan.test] + min(SCORED, variant.examples)
    images = variant.shown(size) + FORWARD * (scored + passes * variant.held_out)
    number = 2 if rates.dtype == "bfloat16" else 4
    memory = members * stack.work.parameters * A_PARAMETER + stack.images * stack.work.outputs * number
    known = not variant.shown(size) or rates.knows(stack)
    return Piece(images * members * rates.seconds(stack), memory, known)


def _memory(variant: Variant, pieces: list[Piece], lanes: int) -> float:
    """Bytes of the largest pieces that can be side by side, each in a process with images of its own."""
    largest = sorted((piece.memory for piece in pieces), reverse=True)[:lanes]
    return sum(largest) + lanes * (PROCESS + _images(variant))


def _images(variant: Variant) -> int:
    """Bytes of the data set's images, and of those that are trained and tested on, as they are used."""
    if _listed(variant):
        return 0
    used = variant.examples + variant.held_out + variant.splits[variant.plan.test]
    return sum(variant.splits.values()) * math.prod(variant.card.image) + used * math.prod(variant.image)


def _listed(variant: Variant) -> bool:
    """Whether the prepared data set holds paths of images, which are decoded as they are used."""
    return variant.scale == "paper" and hasattr(sets.module(variant.plan.set), "index")


def data_set(variant: Variant) -> int:
    """Bytes of the prepared data set on disk."""
    image = A_PATH if _listed(variant) else math.prod(variant.card.image)
    examples = variant.splits.items()
    return sum(count * (image + len(variant.card.labels(split)) * A_LABEL) for split, count in examples)


def others(paper: str, scale: str, width: float, device: str) -> dict[str, float] | None:
    """Seconds of a paper's stages that do not train, by their kind; None unless all were timed.

    They are read from results/<scale>/<paper>/timing.json, {stage: {"seconds": on the clock, "width": the
    parameter, "device": its maker's name for it}}, with a stage's name in its dvc.yaml, such as
    cka_wide@quick-all. What ran at another width or on another kind of device does not count. Raises
    ValueError for a damaged file.
    """
    names, seconds, kinds = other_stages(paper), {}, {}
    path = artifacts.timing(scale, paper)
    for name, said in (artifacts.load_numbers(path) if path.exists() else {}).items():
        stage = name.split("@")[0]
        if stage in names and said["width"] == width and kind(said["device"]) == kind(device):
            seconds[stage] = seconds.get(stage, 0) + said["seconds"]
    if set(seconds) != names:
        return None
    for stage, time in seconds.items():
        name = stage.split("_")[0]
        kinds[name] = kinds.get(name, 0) + time
    return kinds


def other_stages(paper: str) -> set[str]:
    """Names of a paper's stages that measure."""
    stages = parameters.read(parameters.paper_file(paper, "dvc.yaml"))["stages"]
    commands = {name: str((stage.get("do") or stage)["cmd"]) for name, stage in stages.items()}
    # Priced apart, or done in seconds; floors in a minute or two.
    free = ("stages.train ", "stages.plot ", "stages.claims ", "stages.floor ")
    return {name for name, command in commands.items() if not any(each in command for each in free)}
