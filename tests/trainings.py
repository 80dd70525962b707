"""What tests of training share: small networks and data, a way to fit them, checkpoints that are killed."""

import math
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn import functional as F

from wide.nets import convnet, mlp
from wide.training import stacking
from wide.training.recipe import Recipe
from wide.training.train_population import train_population

IMAGE, CLASSES = (2, 8, 8), 3


class Normed(nn.Module):
    """A convolution with batch normalisation: buffers beside the parameters, some of them integers."""

    layers, units = ["input", "relu", "logits"], ["relu"]

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4)
        self.output = nn.Linear(4 * 36, CLASSES)

    def forward(self, x, tap=None):
        tap = tap or (lambda name, value: value)
        x = tap("relu", F.relu(self.norm(self.conv(tap("input", x)))))
        return tap("logits", self.output(x.flatten(1)))


BUILDS = {
    "mlp": lambda: mlp.Net(6, image=IMAGE, classes=CLASSES, depth=2),
    "convnet": lambda: convnet.Net(8, image=IMAGE, classes=CLASSES, plan="scaled"),
    "normed": Normed,
}


def data(examples=40, seed=0):
    """Random (images uint8, labels)."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (examples, *IMAGE), generator=generator, dtype=torch.uint8)
    return images, torch.randint(0, CLASSES, (examples,), generator=generator)


def recipe(**settings):
    return Recipe.of({"epochs": 4, "batch": 8, "lr": 0.05, **settings})


def train(build, seeds, examples=40, recipes=None, **options):
    """(population, metrics), without bf16. recipes: one a member; options: of recipe and train_population."""
    passed = ("checkpoint", "progress", "each_epoch", "validation", "may_diverge", "mask")
    settings = {name: value for name, value in options.items() if name not in passed}
    options = {name: value for name, value in options.items() if name in passed}
    return train_population(
        build, *data(examples), recipes or recipe(**settings), seeds, half=False, **options
    )


def fit(build, seeds, examples=40, **options):
    """The population alone."""
    return train(build, seeds, examples, **options)[0]


@contextmanager
def double():
    """Networks and arithmetic in float64."""
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def content(state):
    """Bytes of a population."""
    return {name: (tuple(value.shape), value.numpy().tobytes()) for name, value in state.items()}


def stacks_of(monkeypatch, number, beside=True):
    """Let stacks have so many members; beside: where possible on the channel axis, otherwise under vmap."""
    monkeypatch.setattr(stacking, "members_at_once", lambda net, device, members: min(number, members))
    if not beside:
        monkeypatch.setattr(stacking, "beside", lambda net: False)


def assert_close(found, expected, atol):
    """Two states, tensor by tensor."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(
            found[name], value, rtol=0, atol=atol, msg=lambda text, name=name: f"{name}: {text}"
        )


class Checkpoints:
    """Kept in memory, due every ``every`` steps; the process is killed when asked ``stop`` times."""

    def __init__(self, stop=math.inf, every=1):
        self.kept, self.stop, self.every, self.asked = {}, stop, every, 0

    def load(self, name):
        return self.kept.get(name)

    def due(self):
        self.asked += 1
        if self.asked > self.stop:
            raise KeyboardInterrupt
        return self.asked % self.every == 0

    def save(self, name, tensors):
        self.kept[name] = {key: value.clone() for key, value in tensors.items()}


def killed_and_resumed(stop, run):
    """What ``run(checkpoint)`` returns after it was killed at that question, and started again."""
    checkpoint = Checkpoints(stop)
    try:
        run(checkpoint)
    except KeyboardInterrupt:
        checkpoint.stop = math.inf
        return run(checkpoint)
    raise AssertionError(f"the run ended before question {stop}")
