"""Theorems about training: a member is its seed alone, a step is the textbook's."""

import pytest
import torch
from torch.nn import functional as F

from tests.trainings import BUILDS, Normed, assert_close, content, data, double, fit, recipe, stacks_of, train
from wide.nets import mlp
from wide.training import batches, optimisers, stacking
from wide.training.initialisation import initialise
from wide.training.population import accuracy
from wide.training.randomness import epoch_draws
from wide.training.recipe import steps_of
from wide.training.train_population import train_population


@pytest.fixture
def in_double():
    with double():
        yield


@pytest.fixture
def shown(monkeypatch):
    """Every input that training shows the networks, (seeds, batch, ...) a step."""
    seen, forward = [], stacking.forward

    def spy(net, state, x, **own):
        seen.append(x.clone())
        return forward(net, state, x, **own)

    monkeypatch.setattr(stacking, "forward", spy)
    return seen


@pytest.fixture
def rates(monkeypatch):
    """The learning rates of every step."""
    seen = []

    class Spy(torch.optim.SGD):
        def step(self):
            seen.append({group["lr"] for group in self.param_groups})
            super().step()

    monkeypatch.setitem(optimisers.OPTIMISERS, "sgd", lambda groups, r: Spy(groups, r.lr))
    return seen


# --- a member is its seed alone ----------------------------------------------------------------------------


@pytest.mark.parametrize("net", BUILDS)
@pytest.mark.parametrize("stack, beside", [(3, True), (3, False), (2, True), (1, True)])
def test_a_member_equals_the_same_seed_trained_alone(net, stack, beside, in_double, monkeypatch):
    settings = {
        "weight_decay": 0.01,
        "schedule": "cosine",
        "augment": {"flip": True, "crop": 2} if net != "mlp" else {"cyclic": True},
    }
    stacks_of(monkeypatch, stack, beside)
    together = fit(BUILDS[net], [5, 0, 7], **settings)
    for row, seed in enumerate([5, 0, 7]):
        alone = fit(BUILDS[net], [seed], **settings)
        assert_close({name: value[row] for name, value in together.items()}, _first(alone), 1e-10)


@pytest.mark.parametrize("beside", [True, False])
def test_running_statistics_belong_to_the_member(beside, in_double, monkeypatch):
    stacks_of(monkeypatch, 2, beside)
    state = fit(Normed, [0, 1])
    assert state["norm.num_batches_tracked"].tolist() == [20, 20]
    assert (state["norm.running_mean"][0] - state["norm.running_mean"][1]).abs().min() > 1e-6


def test_running_statistics_are_those_of_plain_torch(in_double):
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


def test_inputs_of_a_member_do_not_depend_on_its_neighbours(shown, monkeypatch):
    stacks_of(monkeypatch, 3)
    augment = {"shift": 0.2, "rotate": 20, "flip": True}
    fit(BUILDS["convnet"], [5, 0, 7], augment=augment)
    together = [x[1] for x in shown]
    shown.clear()
    fit(BUILDS["convnet"], [0], augment=augment)
    assert len(shown) == len(together) == 20
    for x, y in zip(together, shown, strict=True):
        assert torch.equal(x, y[0])


def test_a_pass_shows_every_image_once_and_the_next_in_another_order(shown):
    fit(BUILDS["mlp"], [1], epochs=2)
    rows = [
        [tuple(image.flatten().tolist()) for x in part for image in x[0]] for part in (shown[:5], shown[5:])
    ]
    expected = sorted(tuple(image.flatten().tolist()) for image in data()[0].float() / 255)
    assert sorted(rows[0]) == sorted(rows[1]) == expected
    assert rows[0] != rows[1]


def test_augmentation_is_new_in_every_pass(shown):
    fit(BUILDS["mlp"], [1], examples=8, epochs=6, augment={"cyclic": True})
    assert len({x.sum((0, 1, 2, 3)).numpy().tobytes() for x in shown}) == 6


def test_members_of_one_seed_share_their_draws(monkeypatch):
    drawn = []
    monkeypatch.setattr(batches, "epoch_draws", lambda *what: drawn.append(what[0]) or epoch_draws(*what))
    fit(BUILDS["mlp"], [3, 3, 4], epochs=1)
    assert sorted(drawn) == [3, 4]


# --- a step is the textbook's ------------------------------------------------------------------------------


@pytest.mark.parametrize("net", ["mlp", "convnet"])
def test_steps_equal_hand_written_sgd_with_momentum(net, in_double):
    rate, momentum, decay, seed = 0.05, 0.8, 0.3, 6
    features, labels = data()[0] / 255.0, data()[1]
    plain = BUILDS[net]()
    initialise(plain, seed)
    weights = dict(plain.named_parameters())
    velocity = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    order, _ = epoch_draws(seed, 0, 40, 0)
    for step in range(5):
        batch = order[8 * step : 8 * step + 8]
        loss = F.cross_entropy(plain(features[batch]), labels[batch])
        gradients = torch.autograd.grad(loss, list(weights.values()))
        for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
            gradient = gradient + (decay * weight.detach() if name.endswith("weight") else 0)
            velocity[name] = momentum * velocity[name] + gradient
            weight.data -= rate * velocity[name]
    settings = recipe(epochs=1, lr=rate, momentum=momentum, weight_decay=decay)
    trained, _ = train_population(BUILDS[net], features, labels, settings, [seed], half=False)
    assert_close(_first(trained), {name: weight.detach() for name, weight in weights.items()}, 1e-12)


def test_weight_decay_touches_weights_only(in_double):
    start = fit(Normed, [0, 1], examples=8, epochs=0)
    free, decayed = (
        fit(Normed, [0, 1], examples=8, epochs=1, lr=0.1, weight_decay=decay) for decay in (0.0, 0.5)
    )
    for name in free:
        shrunk = 0.1 * 0.5 * start[name] if name in ("conv.weight", "output.weight") else 0 * start[name]
        torch.testing.assert_close(free[name] - decayed[name], shrunk, rtol=0, atol=1e-12)


def test_the_loss_is_a_mean_over_the_batch(in_double):
    """A batch of one image repeated is that image: the gradient does not grow with the number of examples."""
    images, labels = data(1)
    one, many = (
        train_population(
            BUILDS["mlp"],
            images.repeat(n, 1, 1, 1),
            labels.repeat(n),
            recipe(epochs=1, batch=n),
            [0],
            half=False,
        )[0]
        for n in (1, 16)
    )
    assert_close(many, one, 1e-12)


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
    assert all(before > after for before, after in zip(found, found[1:], strict=False))
    assert found[100] == pytest.approx(0.025)  # half-way of 200 steps


def test_exponential_schedule_falls_by_its_factor_a_pass(rates):
    fit(BUILDS["mlp"], [0], schedule="exponential", factor=0.95, epochs=3.4)
    expected = [0.05 * 0.95 ** (step // 5) for step in range(17)]
    assert [rate for [rate] in rates] == pytest.approx(expected)


@pytest.mark.parametrize(
    "epochs, batch, examples, expected",
    [
        (2, 8, 24, (6, 3)),
        (2, 8, 31, (6, 3)),
        (0, 8, 24, (0, 3)),
        (0.5, 8, 64, (4, 8)),
        (2.25, 8, 64, (18, 8)),
        (3, 8, 5, (3, 1)),
        (10, 128, 50_000, (3900, 390)),
    ],
)
def test_steps_of_a_recipe(epochs, batch, examples, expected):
    assert steps_of(recipe(epochs=epochs, batch=batch), examples) == expected


# --- what a training promises besides ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"lr": 0.1},
        {"lr": 0.01, "optimiser": "adamw", "schedule": "cosine"},
        {"lr": 0.01, "optimiser": "adam"},
        {"lr": 0.003, "optimiser": "rmsprop"},
        {"lr": 0.1, "dropout": 0.2},
    ],
    ids=str,
)
def test_it_learns_separable_data(settings):
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(300) % 3
    images = torch.randn(300, 1, 4, 4, generator=generator) * 0.5
    images[torch.arange(300), 0, labels, labels] += 4

    def build():
        return mlp.Net(16, image=(1, 4, 4), classes=3)

    def trained(epochs):
        made = recipe(**{**settings, "epochs": epochs})
        state, _ = train_population(build, images[:200], labels[:200], made, [0, 1], half=False)
        return accuracy(build(), state, images[200:], labels[200:])

    assert trained(8).min() > 0.95
    assert trained(0).max() < 0.95


@pytest.mark.parametrize("seeds", [[0, 1, 2], [0]])
def test_progress_counts_every_image_once(seeds, monkeypatch):
    stacks_of(monkeypatch, 2)
    counted = []
    fit(BUILDS["convnet"], seeds, progress=counted.append, epochs=1.4)
    assert sum(counted) == 7 * 8 * len(seeds) and min(counted) >= 0


def test_fewer_examples_than_a_batch_make_one_batch_of_all(shown):
    state = fit(BUILDS["mlp"], [0], examples=5, epochs=3)
    assert [tuple(x.shape[:2]) for x in shown] == [(1, 5)] * 3
    assert content(state) == content(fit(BUILDS["mlp"], [0], examples=5, epochs=3, batch=5))
    assert not torch.equal(state["output.weight"], fit(BUILDS["mlp"], [0], epochs=0)["output.weight"])


def test_each_epoch_sees_every_whole_pass_of_every_stack(monkeypatch):
    stacks_of(monkeypatch, 2)
    seen = []
    final = fit(
        BUILDS["mlp"], [0, 1, 2], epochs=2, each_epoch=lambda seeds, state: seen.append((list(seeds), state))
    )
    assert [seeds for seeds, _ in seen] == [[0, 1], [0, 1], [2], [2]]
    last = torch.cat([seen[1][1]["output.weight"], seen[3][1]["output.weight"]])
    assert torch.equal(last, final["output.weight"])
    assert not torch.equal(seen[0][1]["output.weight"], seen[1][1]["output.weight"])


def test_metrics_say_what_was_run(monkeypatch):
    stacks_of(monkeypatch, 2)
    _, metrics = train(BUILDS["mlp"], [0, 1, 2])
    rate = metrics.pop("images_per_s")
    assert rate > 0
    assert metrics == {
        "device": "cpu",
        "dtype": "float32",
        "epochs": 4,
        "members_at_once": 2,
        "diverged": [False] * 3,
    }
    _, metrics = train_population(BUILDS["mlp"], *data(), recipe(epochs=0), [0], half=True)
    assert metrics["images_per_s"] is None and metrics["dtype"] == "bfloat16"


@pytest.mark.parametrize("seeds, images, labels", [([], 40, 40), ([0], 40, 39), ([0], 0, 0)])
def test_nothing_to_train_is_refused(seeds, images, labels):
    with pytest.raises(ValueError, match=f"{len(seeds)} seeds, {images} images, {labels} labels"):
        train_population(BUILDS["mlp"], data(40)[0][:images], data(40)[1][:labels], recipe(), seeds)


def _first(population):
    return {name: value[0] for name, value in population.items()}
