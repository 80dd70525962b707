"""Training a population: all seeds of one network in one call."""
import math
import time
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches

import torch
from torch.nn import functional as F

from wide import population as pop
from wide.augment import Augment

SCHEDULES = {  # factor on the learning rate at a share t in [0, 1) of the run
    "constant": lambda recipe, t: 1.0,
    "cosine": lambda recipe, t: (1 + math.cos(math.pi * t)) / 2,
    "steps": lambda recipe, t: recipe.factor ** sum(t >= milestone for milestone in recipe.milestones),
}
OPTIMISERS = {
    "sgd": lambda groups, recipe: torch.optim.SGD(groups, recipe.lr, momentum=recipe.momentum),
    "adam": lambda groups, recipe: torch.optim.Adam(groups, recipe.lr),
    "adamw": lambda groups, recipe: torch.optim.AdamW(groups, recipe.lr),
    "rmsprop": lambda groups, recipe: torch.optim.RMSprop(groups, recipe.lr, momentum=recipe.momentum),
}


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    epochs: passes over the data, may be a fraction; 0 leaves the network untrained.
    batch: examples a step; the last, short batch of a pass is left out (passes are reshuffled).
    lr: learning rate at the start. weight_decay: L2 coefficient on weights (not on biases or normalisation).
    schedule: constant, cosine (per step, to 0) or steps (× factor at each milestone, a share of the run).
    hidden, last: initialisation of the hidden layers and of the output layer.
    standardise: each image to mean 0 and variance 1.
    """
    epochs: float
    batch: int
    lr: float
    optimiser: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: str = "constant"
    milestones: tuple = ()
    factor: float = 0.1
    hidden: str = "he_normal"
    last: str = "lecun_normal"
    standardise: bool = False
    augment: Augment = field(default_factory=Augment)

    @classmethod
    def of(cls, settings: dict) -> "Recipe":
        """A recipe from a mapping. Raises ValueError for unknown keys and impossible values."""
        settings = dict(known_keys(settings, cls, "recipe"))
        settings["augment"] = Augment(**known_keys(settings.get("augment") or {}, Augment, "augment"))
        settings["milestones"] = tuple(settings.get("milestones", ()))
        recipe = cls(**settings)
        for name, table in (("schedule", SCHEDULES), ("optimiser", OPTIMISERS), ("hidden", pop.INITIALISATIONS),
                            ("last", pop.INITIALISATIONS)):
            if getattr(recipe, name) not in table:
                raise ValueError(f"recipe: {name} '{getattr(recipe, name)}' is unknown; known: {', '.join(table)}")
        if not isinstance(recipe.batch, int):
            raise ValueError(f"recipe: batch is {recipe.batch!r}; it must be a whole number of examples")
        for name, least in (("epochs", 0), ("batch", 1), ("lr", 0), ("momentum", 0), ("weight_decay", 0), ("factor", 0)):
            value = getattr(recipe, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < math.inf:
                raise ValueError(f"recipe: {name} is {value!r}; it must be a number, at least {least}")
        return recipe


def known_keys(settings: dict, cls, where: str) -> dict:
    """The mapping itself, if every key is a field of the dataclass ``cls``; ValueError with the nearest name else."""
    names = [entry.name for entry in fields(cls)]
    for key in settings:
        if key not in names:
            near = get_close_matches(str(key), names, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(names)}"
            raise ValueError(f"{where}: unknown key '{key}'; {hint}")
    missing = [entry.name for entry in fields(cls) if entry.name not in settings and entry.default is entry.default_factory]
    if missing:
        raise ValueError(f"{where}: '{missing[0]}' is missing")
    return settings


def steps_of(recipe: Recipe, examples: int) -> tuple[int, int]:
    """(steps in all, steps a pass)."""
    a_pass = max(1, examples // recipe.batch)
    return round(recipe.epochs * a_pass), a_pass


def epoch_draws(seed: int, epoch: int, examples: int, numbers: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Order of the examples and the augmentation's numbers of one member in one pass: a function of seed and pass alone."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch + 1) * 2_654_435_761 % 2**63)
    order = torch.randperm(examples, generator=generator)
    return order, torch.rand(examples, numbers, generator=generator) if numbers else None


def train_population(build, images: torch.Tensor, labels: torch.Tensor, recipe: Recipe, seeds, *, device="cpu", half=None,
                     checkpoint=None, progress=None, each_epoch=None) -> tuple[dict, dict]:
    """Train one network from each seed, together.

    build: function without arguments that makes the network (its weights are overwritten by the recipe's initialisation).
    images: uint8 (examples, channels, height, width), or float features (examples, ...). labels: int64 (examples,).
    seeds: fix initialisation, order and augmentation of their members; a member does not depend on its neighbours.
    half: bf16 arithmetic with float32 weights; by default where the processor has it.
    checkpoint: object with load(name) -> dict | None, due() -> bool, save(name, dict). progress: called with the images
    done. each_epoch: called with (seeds, population) after every pass of a chunk.

    Returns the population {name: (seeds, ...) float32, CPU} and metrics {images_per_s, device, dtype, epochs, members_at_once}.
    Raises ValueError for no seeds, no images, a label too few or too many, or a loss that is not finite.
    """
    seeds = list(seeds)
    if not seeds or len(images) != len(labels) or not len(images):
        raise ValueError(f"{len(seeds)} seeds, {len(images)} images, {len(labels)} labels: need seeds and a label an image")
    half = pop.half_precision(device) if half is None else half
    recipe = replace(recipe, batch=min(recipe.batch, len(images)))
    images, labels = images.to(device), labels.to(device)
    size = pop.members_at_once(build(), device, len(seeds))
    parts, clock = [], {"images": 0, "seconds": 0.0}
    for start in range(0, len(seeds), size):
        run = _Run(build, images, labels, recipe, seeds[start:start + size], device, half, clock)
        parts.append(run.train(checkpoint, f"members-{start}", progress, each_epoch))
    metrics = {"images_per_s": clock["images"] / clock["seconds"] if clock["seconds"] else None, "device": str(device),
               "dtype": "bfloat16" if half else str(torch.get_default_dtype())[6:], "epochs": recipe.epochs,
               "members_at_once": size}
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}, metrics


class _Run:
    """One chunk of members on its way from initialisation to the last step."""

    def __init__(self, build, images, labels, recipe, seeds, device, half, clock):
        self.images, self.labels, self.recipe, self.seeds = images, labels, recipe, seeds
        self.device, self.half, self.clock = device, half, clock
        self.steps, self.a_pass = steps_of(recipe, len(images))
        self.step, self.draws, self.drawn = 0, None, None
        members = []
        for seed in seeds:
            net = build()
            pop.initialise(net, seed, recipe.hidden, recipe.last)
            members.append(net.state_dict())
        self.net = net.to(device).train()
        self.trained = [name for name, _ in net.named_parameters()]
        self.state = {name: self._place(name, value) for name, value in pop.stack(members).items()}
        groups = [{"params": [self.state[name] for name in self.trained if self._is_weight(name) == decayed],
                   "weight_decay": recipe.weight_decay if decayed else 0.0} for decayed in (True, False)]
        self.optimiser = OPTIMISERS[recipe.optimiser]([group for group in groups if group["params"]], recipe)

    def _place(self, name, value):
        value = value.to(self.device)
        if value.dim() == 5:  # seeds x kernels: each member's own kernels channels-last
            value = value.flatten(0, 1).contiguous(memory_format=torch.channels_last).view(value.shape)
        return value.requires_grad_(name in self.trained)  # running statistics are buffers: kept, not trained

    def _is_weight(self, name):
        return self.state[name].dim() > 2

    def train(self, checkpoint, name, progress, each_epoch):
        self._restore(checkpoint.load(name) if checkpoint else None)
        if progress:
            progress(self.step * self.recipe.batch * len(self.seeds))
        start, done = time.perf_counter(), 0
        while self.step < self.steps:
            loss = self._one_step()
            self.step += 1
            done += self.recipe.batch * len(self.seeds)
            if progress:
                progress(self.recipe.batch * len(self.seeds))
            if self.step % 50 == 0 or self.step == self.steps:
                self._refuse_divergence(loss)
            if each_epoch and self.step % self.a_pass == 0:
                each_epoch(self.seeds, self._result())
            if checkpoint and self.step < self.steps and checkpoint.due():
                checkpoint.save(name, self._snapshot())
        if done:
            if not all(value.isfinite().all() for value in self.state.values()):
                self._refuse_divergence(torch.tensor(float("nan")))
            self.clock["images"] += done
            self.clock["seconds"] += time.perf_counter() - start
            if checkpoint:
                checkpoint.save(name, self._snapshot())
        return self._result()

    def _one_step(self):
        x, y = self._batch()
        recipe = self.recipe
        rate = recipe.lr * SCHEDULES[recipe.schedule](recipe, self.step / self.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.half):
            logits = pop.forward(self.net, self.state, x)
        # Members' losses add up, so that each gets the gradient of its own mean loss.
        logits = logits.float() if self.half else logits
        loss = F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="sum") / recipe.batch
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def _batch(self):
        epoch, position = divmod(self.step, self.a_pass)
        if self.drawn != epoch:
            draws = [epoch_draws(seed, epoch, len(self.images), self.recipe.augment.numbers) for seed in self.seeds]
            self.draws = (torch.stack([order for order, _ in draws]).to(self.device),
                          torch.stack([u for _, u in draws]).to(self.device) if self.recipe.augment.numbers else None)
            self.drawn = epoch
        here = slice(position * self.recipe.batch, (position + 1) * self.recipe.batch)
        index = self.draws[0][:, here]
        x = pop.prepare_inputs(self.images[index.flatten()], self.recipe.standardise)
        if self.draws[1] is not None:
            x = self.recipe.augment(x, self.draws[1][:, here].flatten(0, 1))
        if x.dim() == 4 and len(self.seeds) == 1:
            x = x.contiguous(memory_format=torch.channels_last)
        x = x.to(next(iter(self.state.values())).dtype)
        return x.unflatten(0, index.shape), self.labels[index]

    def _refuse_divergence(self, loss):
        if not torch.isfinite(loss):
            raise ValueError(f"training diverged at step {self.step} of {self.steps} (loss {loss.item()}) with lr "
                             f"{self.recipe.lr:g}: lower the learning rate of this study")

    def _result(self):
        return {name: value.detach().cpu().clone(memory_format=torch.contiguous_format) for name, value in self.state.items()}

    def _snapshot(self):
        """Everything that the next step depends on besides the configuration."""
        moments = self.optimiser.state_dict()["state"]
        tensors = {f"moment/{index}/{key}": torch.as_tensor(value).detach().cpu().contiguous()
                   for index, entry in moments.items() for key, value in entry.items() if value is not None}
        tensors |= {f"state/{name}": value for name, value in self._result().items()}
        return tensors | {"step": torch.tensor(self.step)}

    def _restore(self, snapshot):
        # A checkpoint of other members at once (taken on another device) has other shapes: start afresh.
        if snapshot is None or any(snapshot[f"state/{name}"].shape != value.shape for name, value in self.state.items()):
            return
        self.step = int(snapshot["step"])
        with torch.no_grad():
            for name, value in self.state.items():
                value.copy_(snapshot[f"state/{name}"])
        moments = {}
        for key, value in snapshot.items():
            if key.startswith("moment/"):
                _, index, entry = key.split("/")
                moments.setdefault(int(index), {})[entry] = value
        saved = self.optimiser.state_dict()
        self.optimiser.load_state_dict({"state": moments, "param_groups": saved["param_groups"]})


def describe(recipe: Recipe) -> dict:
    """The recipe as a plain mapping, for cards and hashes; an option that came later is left out while it is off."""
    found = asdict(recipe)
    if not recipe.augment.resized_crop:
        del found["augment"]["resized_crop"]
    return found
