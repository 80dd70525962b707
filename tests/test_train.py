"""Theorems about training: a member is its seed alone; what a training promises besides."""

import pytest
import torch

from tests.trainings import BUILDS, Normed, assert_close, content, data, double, fit, recipe, stacks_of, train
from wide.nets import mlp
from wide.training import batches, stacking
from wide.training.initialisation import initialise
from wide.training.population import accuracy, member
from wide.training.randomness import epoch_draws
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
        assert_close(member(together, row), member(alone, 0), 1e-10)


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
