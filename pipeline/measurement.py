"""The opening of a measure: a variant's networks, the examples that they are shown, and the result so far."""

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch

from pipeline import scratch
from pipeline.balance import balanced
from pipeline.caps import at_most, measure_caps
from pipeline.cells import Cells
from pipeline.folder import images_of
from pipeline.lanes import side_by_side
from pipeline.networks import Variant, trained
from pipeline.parameters import declared
from wide import artifacts


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

    address: (measure, paper, study, variant, scale).
    params: what the running stage declares. caps: the scale's on measures.
    settings: of this measure, cut to the caps. own: the study's for it.
    images, labels: as `examples` gives them.
    most: members of a size that are measured, None for all.
    """

    address: tuple
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
        cls,
        measure: str,
        paper: str,
        study: str,
        variant: str,
        scale: str,
        most: int | None = None,
        params: dict | None = None,
    ) -> "Measurement":
        """What a stage measures. most: members of a size, fewer than the scale's cap says.

        params: in a process that has no stage, those of the process that has.
        """
        params = declared() if params is None else params
        caps = measure_caps(params, params[study], scale)
        settings = at_most(params.get("measures", {}).get(measure, {}), caps)
        own = params[study].get("measure", {}).get(measure, {})
        networks = trained(scale, paper, study, variant)
        images, labels = examples(scale, networks.set, networks.test, networks.labels, caps.get("points"))
        found = Cells({"images": np.int64(len(images))})
        address = measure, paper, study, variant, scale
        most = most or caps.get("networks")
        return cls(address, params, caps, settings, own, networks, images, labels, most, found)

    def described(self, most: int | None = None) -> Cells:
        """A result that has only what is known of each size. most: members of a size that it tells of."""
        found = Cells({"images": np.int64(len(self.images))})
        for size in self.variant.sizes:
            size.describe(found, size.members(self.most)[:most])
        return found

    def each(self, function, title: str, work):
        """(size, seed, function(measurement, size, index, advance)) of all members, which are side by side.

        function: of a module, or a `partial` of one; its measurement is that of its process, and what it
            returns can be pickled. advance: to be called with images done.
        work: of a size, how many images a member's work is worth, of a training's.
        On a CPU each works on one thread, so that no result depends on how many there are.
        """
        sizes = self.variant.sizes
        pieces, total = {}, 0
        for row in reversed(range(len(sizes))):  # the largest first, so that no long one is left for the end
            for index, seed in sizes[row].members(self.most):
                pieces[f"{sizes[row].key} seed {seed}"] = function, row, index
                total += work(sizes[row])
        with scratch.bar(total, title) as bar:
            done = side_by_side(_member, pieces, bar, (Measurement.of, *self.address, self.most, self.params))
        for size in sizes:
            for _, seed in size.members(self.most):
                yield size, seed, done[f"{size.key} seed {seed}"]

    def sizes(self, title: str | None = None):
        """Each size, described in ``found``, with its members: (size, iterator of (seed, network)).

        title: of a progress bar over the networks, if there is to be one.
        """
        chosen = [size.members(self.most) for size in self.variant.sizes]
        with scratch.bar(sum(map(len, chosen)), title, "net") if title else nullcontext() as bar:
            for size, members in zip(self.variant.sizes, chosen):
                size.describe(self.found, members)
                yield size, _networks(size, members, bar)


def _member(todo, function, row, index, advance):
    return function(todo, todo.variant.sizes[row], index, advance)


def _networks(size, members, bar):
    for index, seed in members:
        yield seed, size.forward(index)
        if bar is not None:
            bar.update()
