"""Theorems about training: a member is its seed alone, an interruption leaves no trace, a step is the textbook's."""
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from stages import running
from wide import population, train
from wide.augment import Augment
from wide.nets import convnet, mlp
from wide.population import accuracy, initialise
from wide.train import Recipe, epoch_draws, steps_of, train_population

IMAGE, CLASSES = (2, 8, 8), 3


class Normed(nn.Module):
    """A convolution with batch normalisation: buffers beside the parameters, some of them integers."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.output = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Linear(4 * 36, CLASSES)

    def forward(self, x, tap=None):
        return self.output(F.relu(self.norm(self.conv(x))).flatten(1))


BUILDS = {"mlp": lambda: mlp.Net(6, image=IMAGE, classes=CLASSES, depth=2),
          "convnet": lambda: convnet.Net(8, image=IMAGE, classes=CLASSES, plan="scaled"), "normed": Normed}


def data(examples=40, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randint(0, 256, (examples, *IMAGE), generator=generator, dtype=torch.uint8),
            torch.randint(0, CLASSES, (examples,), generator=generator))


def recipe(**settings):
    return Recipe.of({"epochs": 4, "batch": 8, "lr": 0.05, **settings})


def fit(build, seeds, examples=40, checkpoint=None, progress=None, each_epoch=None, **settings):
    return train_population(build, *data(examples), recipe(**settings), seeds, half=False, checkpoint=checkpoint,
                            progress=progress,
                            each_epoch=each_epoch)[0]


def content(state):
    return {name: (tuple(value.shape), value.numpy().tobytes()) for name, value in state.items()}


@pytest.fixture
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def at_once(monkeypatch):
    """Choose how many members make a chunk."""
    return lambda number: monkeypatch.setattr(population, "members_at_once",
                                              lambda net, device, seeds: min(number, seeds))


@pytest.fixture
def batches(monkeypatch):
    """Every input that training shows the networks, (seeds, batch, ...) a step."""
    shown, forward = [], population.forward

    def spy(net, state, x):
        shown.append(x.clone())
        return forward(net, state, x)

    monkeypatch.setattr(population, "forward", spy)
    return shown


@pytest.fixture
def rates(monkeypatch):
    """The learning rates of every step."""
    seen = []

    class Spy(torch.optim.SGD):
        def step(self):
            seen.append({group["lr"] for group in self.param_groups})
            super().step()

    monkeypatch.setitem(train.OPTIMISERS, "sgd", lambda groups, r: Spy(groups, r.lr))
    return seen


class Checkpoints:
    """Kept in memory, due every ``every`` steps; the process is killed when ``due`` has been asked ``stop`` times."""

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


# --- a member is its seed alone ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("net", BUILDS)
@pytest.mark.parametrize("chunk", [3, 2, 1])
def test_a_member_equals_the_same_seed_trained_alone(net, chunk, double, at_once):
    settings = {"weight_decay": 0.01, "schedule": "cosine",
                "augment": {"flip": True, "crop": 2} if net != "mlp" else {"cyclic": True}}
    at_once(chunk)
    together = fit(BUILDS[net], [5, 0, 7], **settings)
    for row, seed in enumerate([5, 0, 7]):
        alone = fit(BUILDS[net], [seed], **settings)
        assert together.keys() == alone.keys()
        for name, value in alone.items():
            torch.testing.assert_close(together[name][row], value[0], rtol=0, atol=1e-10,
                                       msg=lambda text: f"{name}: {text}")


def test_running_statistics_belong_to_the_member(double, at_once):
    at_once(2)
    state = fit(Normed, [0, 1])
    assert state["norm.num_batches_tracked"].tolist() == [20, 20]
    assert (state["norm.running_mean"][0] - state["norm.running_mean"][1]).abs().min() > 1e-6


def test_running_statistics_are_those_of_plain_torch(double):
    net = Normed()
    initialise(net, 3)
    order, _ = epoch_draws(3, 0, 8, 0)
    net.train()(data(8)[0][order] / 255.0)
    state = fit(Normed, [3], examples=8, epochs=1)
    for name in ("norm.running_mean", "norm.running_var"):
        # Images pass through float32.
        torch.testing.assert_close(state[name][0], net.state_dict()[name], rtol=0, atol=1e-7)


@pytest.mark.parametrize("net", BUILDS)
def test_an_untrained_member_is_its_seeds_initialisation(net):
    state = fit(BUILDS[net], [4, 9], epochs=0)
    for row, seed in enumerate([4, 9]):
        built = BUILDS[net]()
        initialise(built, seed, "he_normal", "lecun_normal")
        assert all(torch.equal(state[name][row], value) for name, value in built.state_dict().items())


def test_initialisation_and_order_differ_between_seeds():
    first, second = (fit(BUILDS["mlp"], [seed], epochs=0) for seed in (0, 1))
    assert all((first[name] != second[name]).float().mean() > 0.99 for name in first if name.endswith("weight"))
    orders = [epoch_draws(seed, epoch, 50, 0)[0] for seed in range(4) for epoch in range(4)]
    assert len({tuple(order.tolist()) for order in orders}) == 16
    assert all(sorted(order.tolist()) == list(range(50)) for order in orders)


def test_draws_are_a_function_of_seed_and_pass():
    for first, second in zip(epoch_draws(2, 3, 20, 5), epoch_draws(2, 3, 20, 5)):
        assert torch.equal(first, second)
    # Augmentation leaves the order as it is.
    assert torch.equal(epoch_draws(2, 3, 20, 0)[0], epoch_draws(2, 3, 20, 5)[0])
    assert not torch.equal(epoch_draws(2, 3, 20, 5)[1], epoch_draws(2, 4, 20, 5)[1])
    assert epoch_draws(2, 3, 20, 0)[1] is None


def test_inputs_of_a_member_do_not_depend_on_its_neighbours(batches, at_once):
    at_once(3)
    augment = {"shift": 0.2, "rotate": 20, "flip": True}
    fit(BUILDS["convnet"], [5, 0, 7], augment=augment)
    together = [x[1] for x in batches]
    batches.clear()
    fit(BUILDS["convnet"], [0], augment=augment)
    assert len(batches) == len(together) == 20
    for x, y in zip(together, batches):
        assert torch.equal(x, y[0])


def test_a_pass_shows_every_image_once_and_the_next_in_another_order(batches):
    fit(BUILDS["mlp"], [1], epochs=2)
    rows = [[tuple(image.flatten().tolist()) for x in batches[part] for image in x[0]]
            for part in (slice(0, 5), slice(5, 10))]
    expected = sorted(tuple(image.flatten().tolist()) for image in data()[0].float() / 255)
    assert sorted(rows[0]) == sorted(rows[1]) == expected
    assert rows[0] != rows[1]


def test_augmentation_is_new_in_every_pass(batches):
    fit(BUILDS["mlp"], [1], examples=8, epochs=6, augment={"cyclic": True})
    assert len({x.sum((0, 1, 2, 3)).numpy().tobytes() for x in batches}) == 6


# --- an interruption leaves no trace ----------------------------------------------------------------------------------

# 7 steps in 2 passes.
RUN = {"examples": 40, "epochs": 1.4, "augment": {"flip": True, "shift": 0.1, "rotate": 15}, "schedule": "cosine"}


@pytest.mark.parametrize("net", BUILDS)
@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_resuming_after_any_step_gives_the_same_bytes(net, optimiser, at_once):
    at_once(2)
    settings = {**RUN, "optimiser": optimiser, "weight_decay": 0.01}
    settings |= {"augment": {"cyclic": True}} if net == "mlp" else {}
    whole = content(fit(BUILDS[net], [3, 4, 5], **settings))
    for stop in range(1, 12):  # two chunks: of two members and of one; due is asked after all but the last step of each
        checkpoint = Checkpoints(stop)
        with pytest.raises(KeyboardInterrupt):
            fit(BUILDS[net], [3, 4, 5], checkpoint=checkpoint, **settings)
        checkpoint.stop = math.inf
        assert content(fit(BUILDS[net], [3, 4, 5], checkpoint=checkpoint, **settings)) == whole, f"stopped after {stop}"
        again = content(fit(BUILDS[net], [3, 4, 5], checkpoint=checkpoint, **settings))
        assert again == whole, "a finished run changes nothing"


@pytest.mark.parametrize("optimiser", ["adam", "rmsprop"])
def test_resuming_works_between_checkpoints_and_for_every_optimiser(optimiser):
    settings = {**RUN, "optimiser": optimiser, "lr": 0.003}
    whole = content(fit(BUILDS["convnet"], [3], **settings))
    checkpoint = Checkpoints(stop=5, every=3)
    with pytest.raises(KeyboardInterrupt):
        fit(BUILDS["convnet"], [3], checkpoint=checkpoint, **settings)
    assert int(checkpoint.kept["members-0"]["step"]) == 3
    checkpoint.stop = math.inf
    assert content(fit(BUILDS["convnet"], [3], checkpoint=checkpoint, **settings)) == whole


def test_resuming_from_files_gives_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = {**RUN, "optimiser": "adamw"}
    whole = content(fit(BUILDS["convnet"], [3], **settings))

    def kill(images, left=[5]):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), running.Scratch({"a": 1}, every_s=-1) as scratch:
        fit(BUILDS["convnet"], [3], checkpoint=scratch.within("w8"), progress=kill, **settings)
    counted = []
    with running.Scratch({"a": 1}, every_s=-1) as scratch:
        checkpoint = scratch.within("w8")
        assert content(fit(BUILDS["convnet"], [3], checkpoint=checkpoint, progress=counted.append, **settings)) == whole
    assert counted[0] == 4 * 8  # the fifth step had not been saved


def test_running_twice_gives_the_same_bytes(at_once):
    at_once(2)
    assert content(fit(BUILDS["normed"], [0, 1], **RUN)) == content(fit(BUILDS["normed"], [0, 1], **RUN))


# --- a step is the textbook's -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("net", ["mlp", "convnet"])
def test_steps_equal_hand_written_sgd_with_momentum(net, double):
    rate, momentum, decay, seed = 0.05, 0.8, 0.3, 6
    features, labels = data()[0] / 255.0, data()[1]
    plain = BUILDS[net]()
    initialise(plain, seed)
    weights = dict(plain.named_parameters())
    velocity = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    order, _ = epoch_draws(seed, 0, 40, 0)
    for step in range(5):
        batch = order[8 * step:8 * step + 8]
        loss = F.cross_entropy(plain(features[batch]), labels[batch])
        gradients = dict(zip(weights, torch.autograd.grad(loss, list(weights.values()))))
        for name, weight in weights.items():
            gradient = gradients[name] + (decay * weight.detach() if name.endswith("weight") else 0)
            velocity[name] = momentum * velocity[name] + gradient
            weight.data -= rate * velocity[name]
    trained, _ = train_population(BUILDS[net], features, labels,
                                  recipe(epochs=1, lr=rate, momentum=momentum, weight_decay=decay),
                                  [seed], half=False)
    for name, weight in weights.items():
        torch.testing.assert_close(trained[name][0], weight.detach(), rtol=0, atol=1e-12)


def test_weight_decay_touches_weights_only(double):
    start = fit(Normed, [0, 1], examples=8, epochs=0)
    free, decayed = (fit(Normed, [0, 1], examples=8, epochs=1, lr=0.1, weight_decay=decay) for decay in (0.0, 0.5))
    for name in free:
        shrunk = 0.1 * 0.5 * start[name] if name in ("conv.weight", "output.weight") else torch.zeros_like(start[name])
        torch.testing.assert_close(free[name] - decayed[name], shrunk, rtol=0, atol=1e-12,
                                   msg=lambda text: f"{name}: {text}")


def test_the_loss_is_a_mean_over_the_batch(double):
    """A batch of one image repeated is that image: the gradient does not grow with the number of examples."""
    images, labels = data(1)
    steps = [train_population(BUILDS["mlp"], images.repeat(n, 1, 1, 1), labels.repeat(n), recipe(epochs=1, batch=n),
                              [0], half=False)[0]
             for n in (1, 16)]
    for name in steps[0]:
        torch.testing.assert_close(*(step[name] for step in steps), rtol=0, atol=1e-12)


def test_constant_and_stepped_schedules(rates):
    fit(BUILDS["mlp"], [0])
    assert rates == [{0.05}] * 20
    rates.clear()
    fit(BUILDS["mlp"], [0], schedule="steps", milestones=[0.5, 0.75], factor=0.1)
    assert [round(rate, 9) for [rate] in rates] == [0.05] * 10 + [0.005] * 5 + [0.0005] * 5


def test_cosine_schedule_falls_from_the_learning_rate_to_zero(rates):
    fit(BUILDS["mlp"], [0], schedule="cosine", epochs=40)
    found = [rate for [rate] in rates]
    assert found[0] == 0.05 and 0 < found[-1] < 0.05 * 1e-3
    assert all(before > after for before, after in zip(found, found[1:]))
    assert found[100] == pytest.approx(0.025)  # half-way of 200 steps


@pytest.mark.parametrize("epochs, batch, examples, expected", [
    (2, 8, 24, (6, 3)), (2, 8, 31, (6, 3)), (0, 8, 24, (0, 3)), (0.5, 8, 64, (4, 8)), (2.25, 8, 64, (18, 8)),
    (3, 8, 5, (3, 1)),
    (10, 128, 50_000, (3900, 390))])
def test_steps_of_a_recipe(epochs, batch, examples, expected):
    assert steps_of(recipe(epochs=epochs, batch=batch), examples) == expected


# --- what a training promises besides ---------------------------------------------------------------------------------

@pytest.mark.parametrize("settings", [{"lr": 0.1}, {"lr": 0.01, "optimiser": "adamw", "schedule": "cosine"},
                                      {"lr": 0.01, "optimiser": "adam"}, {"lr": 0.003, "optimiser": "rmsprop"}],
                                      ids=str)
def test_it_learns_separable_data(settings):
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(300) % 3
    images = torch.randn(300, 1, 4, 4, generator=generator) * 0.5
    images[torch.arange(300), 0, labels, labels] += 4
    build = lambda: mlp.Net(16, image=(1, 4, 4), classes=3)
    state, _ = train_population(build, images[:200], labels[:200], recipe(epochs=8, **settings), [0, 1], half=False)
    assert accuracy(build(), state, images[200:], labels[200:]).min() > 0.95
    state, _ = train_population(build, images[:200], labels[:200], recipe(**{**settings, "epochs": 0}), [0, 1],
                                half=False)
    assert accuracy(build(), state, images[200:], labels[200:]).max() < 0.95


def test_divergence_is_refused_with_the_learning_rate():
    with pytest.raises(ValueError, match=r"diverged.*lr 1e\+30.*lower the learning rate"):
        fit(BUILDS["mlp"], [0], lr=1e30)


@pytest.mark.parametrize("seeds", [[0, 1, 2], [0]])
def test_progress_counts_every_image_once(seeds, at_once):
    at_once(2)
    total = 7 * 8 * len(seeds)
    counted = []
    fit(BUILDS["convnet"], seeds, progress=counted.append, **RUN)
    assert sum(counted) == total and min(counted) >= 0
    for stop in range(1, 6 * (1 + (len(seeds) > 2))):
        checkpoint, counted = Checkpoints(stop), []
        with pytest.raises(KeyboardInterrupt):
            fit(BUILDS["convnet"], seeds, checkpoint=checkpoint, **RUN)
        checkpoint.stop = math.inf
        fit(BUILDS["convnet"], seeds, checkpoint=checkpoint, progress=counted.append, **RUN)
        assert sum(counted) == total


def test_fewer_examples_than_a_batch_make_one_batch_of_all(batches):
    state = fit(BUILDS["mlp"], [0], examples=5, epochs=3)
    assert [tuple(x.shape[:2]) for x in batches] == [(1, 5)] * 3
    assert content(state) == content(fit(BUILDS["mlp"], [0], examples=5, epochs=3, batch=5))
    assert not torch.equal(state["output.weight"], fit(BUILDS["mlp"], [0], epochs=0)["output.weight"])


def test_each_epoch_sees_every_whole_pass_of_every_chunk(at_once):
    at_once(2)
    seen = []
    final = fit(BUILDS["mlp"], [0, 1, 2], epochs=2, each_epoch=lambda seeds, state: seen.append((list(seeds), state)))
    assert [seeds for seeds, _ in seen] == [[0, 1], [0, 1], [2], [2]]
    assert torch.equal(torch.cat([seen[1][1]["output.weight"], seen[3][1]["output.weight"]]), final["output.weight"])
    assert not torch.equal(seen[0][1]["output.weight"], seen[1][1]["output.weight"])


def test_metrics_say_what_was_run(at_once):
    at_once(2)
    _, metrics = train_population(BUILDS["mlp"], *data(), recipe(), [0, 1, 2], half=False)
    assert metrics["images_per_s"] > 0 and metrics["members_at_once"] == 2 and metrics["dtype"] == "float32"
    _, metrics = train_population(BUILDS["mlp"], *data(), recipe(epochs=0), [0], half=True)
    assert metrics["images_per_s"] is None and metrics["dtype"] == "bfloat16"


@pytest.mark.parametrize("seeds, images, labels", [([], 40, 40), ([0], 40, 39), ([0], 0, 0)])
def test_nothing_to_train_is_refused(seeds, images, labels):
    with pytest.raises(ValueError, match=f"{len(seeds)} seeds, {images} images, {labels} labels"):
        train_population(BUILDS["mlp"], data(40)[0][:images], data(40)[1][:labels], recipe(), seeds)


# --- recipes ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("settings, line", [
    ({"momentumm": 0.9}, "recipe: unknown key 'momentumm'; did you mean 'momentum'?"),
    ({"wd": 0.1}, "recipe: unknown key 'wd'; known keys: epochs, batch, lr"),
    ({"augment": {"shfit": 0.1}}, "augment: unknown key 'shfit'; did you mean 'shift'?"),
    ({"schedule": "linear"}, "schedule 'linear' is unknown; known: constant, cosine, steps"),
    ({"optimiser": "lion"}, "optimiser 'lion' is unknown; known: sgd"),
    ({"hidden": "zeros"}, "hidden 'zeros' is unknown; known: he_normal"),
    ({"last": "zeros"}, "last 'zeros' is unknown"), ({"lr": -0.1}, "lr is -0.1"), ({"lr": "0.1"}, "lr is '0.1'"),
    ({"lr": True}, "lr is True"),
    ({"lr": math.nan}, "lr is nan"), ({"epochs": -1}, "epochs is -1"), ({"epochs": math.inf}, "epochs is inf"),
    ({"batch": 0}, "batch is 0"),
    ({"momentum": -0.1}, "momentum is -0.1"), ({"weight_decay": -1}, "weight_decay is -1"),
    ({"weight_decay": None}, "weight_decay is None")])
def test_a_wrong_recipe_is_one_line(settings, line):
    with pytest.raises(ValueError) as error:
        recipe(**settings)
    assert line in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("key", ["epochs", "batch", "lr"])
def test_a_recipe_needs_its_first_three_settings(key):
    settings = {"epochs": 1, "batch": 8, "lr": 0.1}
    del settings[key]
    with pytest.raises(ValueError, match=f"'{key}' is missing"):
        Recipe.of(settings)


def test_a_recipe_is_made_without_touching_its_settings():
    settings = {"epochs": 1, "batch": 8, "lr": 0.1, "augment": {"flip": True}, "milestones": [0.5]}
    made = Recipe.of(settings)
    assert made.augment == Augment(flip=True) and made.milestones == (0.5,)
    assert settings == {"epochs": 1, "batch": 8, "lr": 0.1, "augment": {"flip": True}, "milestones": [0.5]}
    assert train.describe(made)["augment"]["flip"] is True


def test_an_option_that_came_later_changes_no_description_while_it_is_off():
    """Cards of populations hold the description: a new option must not change the bytes of those that do not use it."""
    made = Recipe.of({"epochs": 1, "batch": 8, "lr": 0.1, "augment": {"flip": True}})
    assert "resized_crop" not in train.describe(made)["augment"]
    made = Recipe.of({"epochs": 1, "batch": 8, "lr": 0.1, "augment": {"resized_crop": 16}})
    assert train.describe(made)["augment"]["resized_crop"] == 16
