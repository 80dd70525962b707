"""The one door to a trained network.

It builds it, views images as its training did, and gives features, logits or the network itself.
"""

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch.func import functional_call

from pipeline import devices, scratch
from pipeline.balance import balanced
from pipeline.caps import at_most, measure_caps
from pipeline.cells import Cells
from pipeline.folder import images_of
from pipeline.nets import network
from pipeline.parameters import declared
from wide import artifacts
from wide.training.population import half_precision, layer_outputs, member, prepare_inputs, shrink


@dataclass
class Trained:
    """One size of a variant, all of its seeds.

    key: its name in files. net: the network's file.
    fact: what its training said of it: width, seeds, options, recipe, accuracies, image (shape of what it was
        shown), classes, diverged.
    population: {name: (seeds, ...)}.
    """

    key: str
    net: str
    fact: dict
    population: dict

    def build(self):
        """The network, its weights not yet these members'."""
        return network(self.net)(
            self.fact["width"], image=self.image, classes=self.fact["classes"], **self.fact["options"]
        )

    @property
    def image(self) -> tuple:
        """Shape of one input, as the network was trained on it."""
        return tuple(self.fact["image"])

    @property
    def width(self) -> float:
        """The effective one."""
        return self.fact["width"]

    @property
    def depth(self) -> int:
        """The option of that name, 0 where there is none."""
        return self.fact["options"].get("depth") or 0

    def members(self, most: int | None = None) -> list[tuple[int, int]]:
        """(index, seed) of the first members, at most so many; members that diverged are left out."""
        diverged = self.fact.get("diverged") or [False] * len(self.fact["seeds"])
        return [(index, seed) for index, seed in enumerate(self.fact["seeds"]) if not diverged[index]][:most]

    def view(self, images):
        """Images as the training viewed them: shrunk to its size, on the device.

        images: uint8 tensor, or a Folder of files.
        """
        shrunk = shrink(images, self.image[1]) if len(images.shape) == 4 else images
        return shrunk.to(devices.device())

    def module(self, index: int):
        """Member ``index`` with its weights, in evaluation mode on the device: for gradients to its input."""
        net = self.build().to(devices.device()).eval()
        net.load_state_dict(member(self.population, index))
        return net

    def forward(self, index: int):
        """Member ``index`` as measures call it: f(images, tap=None, **options) -> logits, float32.

        images: uint8 or float, as `view` gives them.
        """
        net, device = self.build().to(devices.device()).eval(), devices.device()
        state = {name: value.to(device) for name, value in member(self.population, index).items()}
        standardise = self.fact["recipe"]["standardise"]

        @torch.no_grad()
        def call(images, tap=None, **options):
            x = prepare_inputs(images.to(device), standardise)
            x = x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
            return functional_call(net, state, (x,), {"tap": tap, **options})

        return call

    def features(self, index: int, images, layer: str | None = None, half: bool = False) -> torch.Tensor:
        """Activations of a layer, of images as they come: (examples, units) float32.

        layer: by default the penultimate one. half: bf16 arithmetic where the machine has it.
        Raises ValueError for a layer that the network lacks.
        """
        net = self.build()
        return self._outputs(net, index, images, layer or net.penultimate, half)

    def logits(self, index: int, images, half: bool = False) -> torch.Tensor:
        """Logits of images as they come: (examples, classes) float32. half as in `features`."""
        return self._outputs(self.build(), index, images, None, half)

    def _outputs(self, net, index, images, layer, half):
        device = devices.device()
        return layer_outputs(
            net,
            member(self.population, index),
            self.view(images),
            layer,
            standardise=self.fact["recipe"]["standardise"],
            half=half and half_precision(device),
            device=device,
        )

    def describe(self, cells: Cells, members):
        """Put into a result what it says of this size: its layers, and the members that were measured."""
        built = self.build()
        facts = {"layers": built.layers}
        if hasattr(built, "post_residual"):  # what figures of residual networks mark
            post = set(built.post_residual)
            facts |= {
                "post": [layer in post for layer in built.layers],
                "stage": [built.stage_of(layer) for layer in built.layers],
            }
        if self.fact.get("panel"):
            facts["panel"] = " ".join(f"{name}={value}" for name, value in self.fact["panel"].items())
        cells.describe(
            self.key,
            width=self.width,
            depth=self.depth,
            seeds=[seed for _, seed in members],
            accuracy=[self.fact["test_accuracy"][index] for index, _ in members],
            **facts,
        )


@dataclass
class Variant:
    """Every size of a variant, from narrow and shallow to wide and deep, and what it was trained on.

    set, labels, test: the data set, the label's name and the split that is tested on.
    """

    sizes: list[Trained]
    set: str
    labels: str
    test: str


def trained(scale: str, paper: str, study: str, variant: str) -> Variant:
    """The networks of a variant. Raises FileNotFoundError for none, ValueError for a damaged file."""
    tensors, card = artifacts.load_tensors(artifacts.population(scale, paper, study, variant))
    facts, sizes = card["study"], []
    for key, fact in card["sizes"].items():
        start = f"{key}/"
        population = {
            name.removeprefix(start): torch.from_numpy(value)
            for name, value in tensors.items()
            if name.startswith(start)
        }
        sizes.append(Trained(key, facts["net"], fact, population))
    sizes.sort(key=lambda size: (size.width, size.depth, size.key))
    return Variant(sizes, facts["set"], facts["labels"], facts["test"])


def examples(scale: str, data: str, split: str, label: str, most: int | None = None):
    """(images uint8, labels int64) of a split, class-balanced where only some are measured.

    Raises ValueError for a label that the split lacks.
    """
    path = artifacts.dataset(scale, data)
    tensors, _ = artifacts.load_tensors(path)
    labels = tensors.get(f"{split}/{label}")
    if labels is None:
        raise ValueError(f"{path} has no label '{label}' of a split '{split}': correct `labels` or `test`")
    kept = balanced(labels, most)
    return images_of(tensors, split, kept), torch.from_numpy(labels[kept])


@dataclass
class Measurement:
    """A variant's networks and the test images that a measure shows them; ``found`` is its result so far.

    params: what the running stage declares. caps: the scale's on measures.
    settings: of this measure, cut to the caps. own: the study's for it.
    images, labels: as `examples` gives them.
    most: members of a size that are measured, None for all.
    """

    params: dict
    caps: dict
    settings: dict
    own: dict
    variant: Variant
    images: torch.Tensor
    labels: torch.Tensor
    most: int | None
    found: Cells

    @classmethod
    def of(
        cls, measure: str, paper: str, study: str, variant: str, scale: str, most: int | None = None
    ) -> "Measurement":
        """What a stage measures. most: members of a size, fewer than the scale's cap says."""
        params = declared()
        caps = measure_caps(params, params[study], scale)
        settings = at_most(params.get("measures", {}).get(measure, {}), caps)
        own = params[study].get("measure", {}).get(measure, {})
        networks = trained(scale, paper, study, variant)
        images, labels = examples(scale, networks.set, networks.test, networks.labels, caps.get("points"))
        found = Cells({"images": np.int64(len(images))})
        return cls(params, caps, settings, own, networks, images, labels, most or caps.get("networks"), found)

    def sizes(self, title: str | None = None):
        """Each size, described in ``found``, with its members: (size, iterator of (seed, network)).

        title: of a progress bar over the networks, if there is to be one.
        """
        chosen = [size.members(self.most) for size in self.variant.sizes]
        with scratch.bar(sum(map(len, chosen)), title, "net") if title else nullcontext() as bar:
            for size, members in zip(self.variant.sizes, chosen):
                size.describe(self.found, members)
                yield size, _networks(size, members, bar)


def _networks(size, members, bar):
    for index, seed in members:
        yield seed, size.forward(index)
        if bar is not None:
            bar.update()
