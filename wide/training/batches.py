"""Examples on a device, and the batches that a stack's members are shown of them."""

from typing import NamedTuple

import torch

from wide.training.population import prepare_inputs
from wide.training.randomness import epoch_draws
from wide.training.recipe import Recipe, steps_of


class Examples(NamedTuple):
    """Inputs (examples, ...), labels (examples,), and a mask (examples, tokens) or None, on one device."""

    images: torch.Tensor
    labels: torch.Tensor
    mask: torch.Tensor | None = None

    @classmethod
    def on(cls, device, images, labels, mask=None) -> "Examples":
        """Raises ValueError unless there are any, each with a label, and a row of the mask if given."""
        for name, part in (("labels", labels), ("rows of the mask", mask)):
            if part is not None and (len(part) != len(images) or not len(part)):
                raise ValueError(f"{len(images)} inputs, {len(part)} {name}: need one an input, at least one")
        return cls(*(None if part is None else part.to(device) for part in (images, labels, mask)))

    def split(self, size: int) -> list["Examples"]:
        """Parts of at most so many."""
        starts = range(0, len(self.images), size)
        return [
            Examples(*(None if part is None else part[start : start + size] for part in self))
            for start in starts
        ]


class Batches:
    """What each member is shown in a step: by its seed and the step alone."""

    def __init__(self, examples: Examples, recipe: Recipe, seeds: list[int], dtype: torch.dtype):
        """dtype: of the parameters, to which inputs are converted."""
        self.examples, self.recipe, self.seeds, self.dtype = examples, recipe, seeds, dtype
        self.a_pass = steps_of(recipe, len(examples.images))[1]
        self.orders, self.numbers, self.drawn = None, None, None

    def at(self, step: int) -> tuple[torch.Tensor, torch.Tensor, dict]:
        """Inputs (members, batch, ...), labels (members, batch), and the mask, if any, by its name."""
        epoch, position = divmod(step, self.a_pass)
        if self.drawn != epoch:
            self._draw(epoch)
        here = slice(position * self.recipe.batch, (position + 1) * self.recipe.batch)
        index = self.orders[:, here]
        x = prepare_inputs(self.examples.images[index.flatten()], self.recipe.standardise)
        if self.numbers is not None:
            x = self.recipe.augment(x, self.numbers[:, here].flatten(0, 1))
        if x.dim() == 4 and len(self.seeds) == 1:
            x = x.contiguous(memory_format=torch.channels_last)
        x = x.to(self.dtype).unflatten(0, index.shape)
        mask = self.examples.mask
        return x, self.examples.labels[index], {} if mask is None else {"mask": mask[index]}

    def _draw(self, epoch):
        """Orders and numbers of a pass; members of one seed share them."""
        examples, numbers = self.examples, self.recipe.augment.numbers
        draws = {seed: epoch_draws(seed, epoch, len(examples.images), numbers) for seed in set(self.seeds)}
        orders = torch.stack([draws[seed][0] for seed in self.seeds])
        self.orders, self.drawn = orders.to(examples.images.device), epoch
        if numbers:
            self.numbers = torch.stack([draws[seed][1] for seed in self.seeds]).to(examples.images.device)
