"""What is kept of a stack's members beside their present state: the last finite, the best, and snapshots."""

import math

import torch
from torch.nn import functional as F

from wide.training.recipe import Recipe


class Keeping:
    """Which members have ended, and the states that they end with.

    A member ends before the others when it diverges, with its last finite state found at a check, or when its
    patience is over, with its best one. The others are none the wiser: it stays in the stack, and what
    becomes of it there is not looked at. state: {name: (members, ...)}, which lives on its device.
    """

    def __init__(self, state: dict, recipe: Recipe, keep_finite: bool):
        """keep_finite: hold a second copy of the state, without which a diverged member shows what it is."""
        self.members = len(next(iter(state.values())))
        self.patience, self.passes = recipe.patience, set(recipe.snapshots)
        self.diverged = [False] * self.members
        self.accuracies = [[] for _ in range(self.members)]
        self.copies = {"finite": _copy(state)} if keep_finite else {}
        if recipe.patience:
            self.copies["best"] = _copy(state)
        self.snapshots = {}

    def stopped(self, member: int) -> bool:
        """Whether patience is over; nor can anything be better than all right."""
        seen = self.accuracies[member]
        if not self.patience or not seen:
            return False
        return max(seen) == 1 or len(seen) - self.best_pass(member) >= self.patience

    def best_pass(self, member: int) -> int | None:
        """Number of the best validation, from 1; the first of several equal ones."""
        seen = self.accuracies[member]
        return seen.index(max(seen)) + 1 if seen else None

    def ended(self, member: int) -> bool:
        return self.diverged[member] or self.stopped(member)

    @property
    def all_ended(self) -> bool:
        return all(map(self.ended, range(self.members)))

    def check(self, state: dict, logits: torch.Tensor, labels: torch.Tensor) -> None:
        """Look who has diverged. logits, labels: (members, examples, ...) of the last batch."""
        finite = _finite(state, logits, labels)
        running = [member for member in range(self.members) if not self.ended(member)]
        for member in running:
            self.diverged[member] = not finite[member]
        if "finite" in self.copies:
            _take(self.copies["finite"], state, [member for member in running if finite[member]])

    def validated(self, state: dict, accuracies: list[float]) -> None:
        """accuracies: of each member on the validation examples."""
        running = [member for member in range(self.members) if not self.ended(member)]
        for member in running:
            self.accuracies[member].append(accuracies[member])
        if self.patience:
            better = [member for member in running if self.best_pass(member) == len(self.accuracies[member])]
            _take(self.copies["best"], state, better)

    def passed(self, state: dict, number: int) -> None:
        """Take a snapshot after pass ``number`` if the recipe asks for one."""
        if number in self.passes:
            self.snapshots[number] = self.result(state)

    def result(self, state: dict, final: bool = False) -> dict[str, torch.Tensor]:
        """Members' states on the CPU, of those that have ended their last. final: all have ended."""
        found = {
            name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, value in state.items()
        }
        for member in range(self.members):
            # A member that was validated before it diverged ends with its best state, too.
            if self.patience and self.accuracies[member] and (final or self.ended(member)):
                _take(found, self.copies["best"], [member])
            elif self.diverged[member] and "finite" in self.copies:
                _take(found, self.copies["finite"], [member])
        return found

    def tensors(self) -> dict[str, torch.Tensor]:
        """Everything of it, flat, for a checkpoint."""
        longest = max(map(len, self.accuracies))
        rows = [seen + [math.nan] * (longest - len(seen)) for seen in self.accuracies]
        found = {"diverged": torch.tensor(self.diverged)}
        if longest:
            found["accuracies"] = torch.tensor(rows, dtype=torch.float64)
        states = {**self.copies, **{f"pass{number}": state for number, state in self.snapshots.items()}}
        for kind, state in states.items():
            found |= {f"{kind}/{name}": value.cpu().contiguous() for name, value in state.items()}
        return found

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """What ``tensors`` gave."""
        self.diverged = tensors["diverged"].tolist()
        if "accuracies" in tensors:
            rows = tensors["accuracies"].tolist()
            self.accuracies = [[value for value in row if not math.isnan(value)] for row in rows]
        for key, value in tensors.items():
            kind, _, name = key.partition("/")
            if kind in self.copies:
                self.copies[kind][name].copy_(value)
            elif kind.startswith("pass"):
                self.snapshots.setdefault(int(kind.removeprefix("pass")), {})[name] = value.clone()


def _finite(state, logits, labels) -> list[bool]:
    """Of each member, whether the loss of its last batch and all of its state are finite."""
    losses = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    finite = losses.isfinite().view(labels.shape).all(1)
    for value in state.values():
        finite &= value.isfinite().reshape(len(value), -1).all(1)
    return finite.tolist()


def _copy(state):
    return {name: value.detach().clone() for name, value in state.items()}


@torch.no_grad()
def _take(into, state, members):
    """Copy these members' rows."""
    if not members:
        return
    for name, value in state.items():
        into[name][members] = value[members].to(into[name].device)
