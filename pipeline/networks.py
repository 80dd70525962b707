"""The one door to a trained network.

It builds it, views images as its training did, and gives features, logits or the network itself.
"""

from dataclasses import dataclass

import torch

from pipeline import devices
from pipeline.cells import Cells
from pipeline.nets import network
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

    def accuracies(self, name: str) -> list[float]:
        """Of the members that did not diverge. name: test_accuracy or train_accuracy."""
        return [self.fact[name][index] for index, _ in self.members()]

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

        images: uint8 or float, as `view` gives them. No gradient can be taken through it.
        """
        net, device = self.module(index).requires_grad_(False), devices.device()
        standardise = self.fact["recipe"]["standardise"]

        @torch.inference_mode()
        def call(images, tap=None, **options):
            x = prepare_inputs(images.to(device), standardise)
            x = x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
            return net(x, tap=tap, **options)

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
                "channels": built.stem["conv"].out_channels,  # of the first stage
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

    def firsts(self) -> list[tuple[Trained, int]]:
        """Each size and the index of its first member; sizes whose members all diverged are left out."""
        return [(size, index) for size in self.sizes for index, _ in size.members(1)]


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
