"""One stack of members on its way from initialisation to the last step."""

import math
import time
from typing import NamedTuple

import torch
from torch.nn import functional as F

from wide.training import stacking
from wide.training.batches import Batches, Examples
from wide.training.calibration import calibrate
from wide.training.dropout import Dropout
from wide.training.initialisation import initialise
from wide.training.keeping import Keeping
from wide.training.optimisers import optimiser_of
from wide.training.population import prepare_inputs, stack
from wide.training.randomness import step_keys
from wide.training.recipe import Recipe, steps_of

CHECK = 50  # steps between looks at whether all is finite
VALIDATION_BATCH = 500


class Outcome(NamedTuple):
    """What a stack's training ended with."""

    population: dict[str, torch.Tensor]
    snapshots: dict[int, dict[str, torch.Tensor]]
    diverged: list[bool]
    accuracies: list[list[float]]
    best_passes: list[int | None]
    images: int  # shown, in so many seconds, since the last checkpoint
    seconds: float
    step: int
    steps: int
    loss: float  # of the last step, summed over members; nan where it is their state that is not finite


class Run:
    """The members of one stack. ``train`` takes them from where a checkpoint left them to the end."""

    def __init__(
        self,
        build,
        examples: Examples,
        validation: Examples | None,
        recipes: list[Recipe],
        seeds: list[int],
        device,
        half: bool,
        keep_finite: bool,
    ):
        """recipes: one a member, equal but for what may be a member's own; batch at most the examples."""
        self.validation, self.seeds = validation, seeds
        self.recipe, self.device, self.half = recipes[0], device, half
        self.steps, self.a_pass = steps_of(self.recipe, len(examples.images))
        self.step, self.loss = 0, None
        net = self._start(build, recipes, examples.images)
        weights = [self.state[name] for name in self.trained if self._is_weight(name)]
        others = [self.state[name] for name in self.trained if not self._is_weight(name)]
        self.optimiser = optimiser_of(recipes, weights, others)
        self.dropout = Dropout(net, self.recipe.dropout, self.recipe.dropped) if self.recipe.dropout else None
        self.net = stacking.arranged(net, len(seeds)).to(device).train()
        self.batches = Batches(examples, self.recipe, seeds, next(iter(self.state.values())).dtype)
        self.keeping = Keeping(self.state, self.recipe, keep_finite)

    def _start(self, build, recipes, images):
        """Every member's initial state; returns the last network that was built."""
        members = []
        for seed, recipe in zip(self.seeds, recipes, strict=True):
            net = build()
            initialise(net, seed, recipe.hidden, recipe.last, std=recipe.std, bias=recipe.bias)
            if recipe.calibration:
                calibrate(net, images, recipe.calibration, recipe.standardise)
            members.append(net.state_dict())
        self.trained = [name for name, _ in net.named_parameters()]
        self.state = {name: self._place(name, value) for name, value in stack(members).items()}
        return net

    def _place(self, name, value):
        value = value.to(self.device)
        if value.dim() == 5:  # members x kernels: each member's own kernels channels-last
            value = value.flatten(0, 1).contiguous(memory_format=torch.channels_last).view(value.shape)
        # Running statistics are buffers: kept, not trained.
        return value.requires_grad_(name in self.trained)

    def _is_weight(self, name):
        return self.state[name].dim() > 2

    def train(self, checkpoint, name, progress, each_epoch) -> Outcome:
        """From the checkpoint to the end; checkpoint, progress and each_epoch as in train_population."""
        self._restore(checkpoint.load(name) if checkpoint else None)
        views = self.recipe.batch * len(self.seeds)
        if progress:
            progress(self.step * views)
        if self.step == 0:
            self.keeping.passed(self.state, 0)
        start, first = time.perf_counter(), self.step
        while self.step < self.steps and not self.keeping.all_ended:
            self._one_step()
            self.step += 1
            if progress:
                progress(views)
            self._look()
            if each_epoch and self.step % self.a_pass == 0:
                each_epoch(self.seeds, self.keeping.result(self.state))
            if checkpoint and self.step < self.steps and checkpoint.due():
                checkpoint.save(name, self._checkpoint())
        seconds, done = time.perf_counter() - start, self.step - first
        if checkpoint and done:
            checkpoint.save(name, self._checkpoint())
        if progress and self.step < self.steps:
            progress((self.steps - self.step) * views)  # of members that have ended
        return self._outcome(done * views, seconds)

    def _outcome(self, images, seconds):
        kept = self.keeping
        if self.step < self.steps:  # all members have ended
            for later in range(self.step // self.a_pass + 1, int(self.recipe.epochs) + 1):
                kept.passed(self.state, later)
        loss = math.nan if self.loss is None or self.loss.isfinite() else self.loss.item()
        best = [kept.best_pass(member) for member in range(kept.members)]
        return Outcome(
            kept.result(self.state, final=True),
            kept.snapshots,
            kept.diverged,
            kept.accuracies,
            best,
            images,
            seconds,
            self.step,
            self.steps,
            loss,
        )

    def _one_step(self):
        x, labels, own = self.batches.at(self.step)
        if self.dropout:
            own |= {"dropout": self.dropout, "keys": step_keys(self.seeds, self.step).to(self.device)}
        logits = self._forward(x, own)
        # Members' losses add up, so that each gets the gradient of its own mean loss.
        logits = logits.float() if self.half else logits
        loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum") / self.recipe.batch
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step(self.recipe.rate_factor(self.step, self.steps, self.a_pass))
        self.loss, self.seen = loss.detach(), (logits.detach(), labels)

    def _forward(self, x, own):
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.half):
            return stacking.forward(self.net, self.state, x, **own)

    def _look(self):
        """Who has diverged, who is best: every pass where that is kept, else now and then."""
        last, whole = self.step == self.steps, self.step % self.a_pass == 0
        passed = whole and bool(self.validation or self.recipe.snapshots)
        if last or passed or self.step % CHECK == 0:
            self.keeping.check(self.state, *self.seen)
        if self.validation and (last or passed):
            self.keeping.validated(self.state, self._validate())
        if whole:
            self.keeping.passed(self.state, self.step // self.a_pass)

    @torch.no_grad()
    def _validate(self) -> list[float]:
        """Each member's accuracy on the validation examples, in the training's arithmetic."""
        members, right = len(self.seeds), 0
        self.net.eval()
        for images, labels, mask in self.validation.split(VALIDATION_BATCH):
            x = prepare_inputs(images, self.recipe.standardise).to(self.batches.dtype)
            x = x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
            own = {} if mask is None else {"mask": mask.expand(members, *mask.shape)}
            logits = self._forward(x.expand(members, *x.shape), own)
            right = right + (logits.argmax(2) == labels).sum(1)
        self.net.train()
        return (right.double() / len(self.validation.images)).tolist()

    def _checkpoint(self):
        """Everything that the next step depends on besides the configuration."""
        tensors = {f"moment/{key}": value for key, value in self.optimiser.moments().items()}
        tensors |= {f"state/{name}": value.detach().cpu().contiguous() for name, value in self.state.items()}
        tensors |= {f"kept/{key}": value for key, value in self.keeping.tensors().items()}
        return tensors | {"step": torch.tensor(self.step), "loss": self.loss.cpu()}

    def _restore(self, saved):
        if saved is None:
            return
        # A checkpoint of other members at once (taken on another device) has other shapes: start afresh.
        if any(saved[f"state/{name}"].shape != value.shape for name, value in self.state.items()):
            return
        self.step, self.loss = int(saved["step"]), saved["loss"]
        with torch.no_grad():
            for name, value in self.state.items():
                value.copy_(saved[f"state/{name}"])
        self.optimiser.load(_below("moment", saved))
        self.keeping.load(_below("kept", saved))


def _below(prefix, tensors):
    prefix += "/"
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
