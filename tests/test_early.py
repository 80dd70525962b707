"""Validation, early stopping and snapshots: each member's own, whatever its neighbours do."""

import pytest
import torch

from tests.trainings import (
    BUILDS,
    Checkpoints,
    assert_close,
    content,
    data,
    double,
    fit,
    killed_and_resumed,
    stacks_of,
    train,
)
from wide.training.population import accuracy, member

# Labels are random: validation accuracy goes up and down.
HELD_OUT = data(60, seed=1)
SEEDS = [0, 1, 2, 3]
RUN = {"epochs": 12, "lr": 0.2, "validation": HELD_OUT}


def every_pass(net, seed, **settings):
    """Plainly: the member's states after each pass, and their validation accuracies."""
    states = []
    fit(BUILDS[net], [seed], each_epoch=lambda _, state: states.append(state), **{**RUN, **settings})
    features = (HELD_OUT[0] / 255.0).to(torch.get_default_dtype())
    return states, [accuracy(BUILDS[net](), state, features, HELD_OUT[1]).item() for state in states]


def stopped_at(accuracies, patience):
    """(pass of the best state, passes trained), by the definition."""
    for now in range(1, len(accuracies) + 1):
        best = max(range(now), key=lambda place: accuracies[place])  # the first of equal ones
        if now - 1 - best >= patience:
            return best + 1, now
    return best + 1, now


@pytest.mark.parametrize("net", ["mlp", "normed"])
def test_accuracies_are_those_of_each_pass(net):
    _, metrics = train(BUILDS[net], [0, 1], **RUN)
    for row, seed in enumerate([0, 1]):
        assert metrics["validation_accuracy"][row] == pytest.approx(every_pass(net, seed)[1])


def test_without_patience_validation_only_looks():
    looked, metrics = train(BUILDS["normed"], SEEDS, **RUN)
    assert content(looked) == content(fit(BUILDS["normed"], SEEDS, **{**RUN, "validation": None}))
    assert "best_pass" not in metrics and [len(seen) for seen in metrics["validation_accuracy"]] == [12] * 4


@pytest.mark.parametrize("patience", [1, 3, 20])
@pytest.mark.parametrize("net", ["mlp", "normed"])
def test_a_member_stops_after_its_patience_with_its_best_state(net, patience):
    with double():
        state, metrics = train(BUILDS[net], SEEDS, patience=patience, **RUN)
        for row, seed in enumerate(SEEDS):
            states, accuracies = every_pass(net, seed)
            best, trained = stopped_at(accuracies, patience)
            assert metrics["best_pass"][row] == best
            assert metrics["validation_accuracy"][row] == pytest.approx(accuracies[:trained])
            assert_close(member(state, row), member(states[best - 1], 0), 1e-10)
        if patience < 20:
            assert len({len(seen) for seen in metrics["validation_accuracy"]}) > 1, "members stop apart"


@pytest.mark.parametrize("net", ["mlp", "normed"])
@pytest.mark.parametrize("beside", [True, False])
def test_a_member_equals_the_same_seed_trained_alone(net, beside, monkeypatch):
    stacks_of(monkeypatch, 4, beside)
    with double():
        together, metrics = train(BUILDS[net], SEEDS, patience=2, **RUN)
        for row, seed in enumerate(SEEDS):
            alone, own = train(BUILDS[net], [seed], patience=2, **RUN)
            assert own["best_pass"] == [metrics["best_pass"][row]]
            assert_close(member(together, row), member(alone, 0), 1e-10)


def test_training_ends_when_the_last_member_has_stopped():
    counted, passes = [], []
    _, metrics = train(
        BUILDS["mlp"],
        SEEDS,
        patience=1,
        progress=counted.append,
        each_epoch=lambda seeds, state: passes.append(seeds),
        **RUN,
    )
    assert len(passes) == max(map(len, metrics["validation_accuracy"])) < 12
    assert sum(counted) == 12 * 40 * 4  # the rest counts as done


def test_all_right_cannot_get_better():
    images, labels = data()
    settings = {"epochs": 200, "lr": 0.05, "patience": 200, "validation": (images[:4], labels[:4])}
    _, metrics = train(BUILDS["mlp"], [0], **settings)
    seen = metrics["validation_accuracy"][0]
    assert 1 < len(seen) < 200 and metrics["best_pass"] == [len(seen)]
    assert seen[-1] == 1 and max(seen[:-1]) < 1


def test_a_pass_that_is_cut_short_is_validated_at_its_end():
    state, metrics = train(BUILDS["mlp"], [0], epochs=1.4, validation=HELD_OUT)
    seen = metrics["validation_accuracy"][0]
    assert len(seen) == 2 and seen[-1] == pytest.approx(accuracy(BUILDS["mlp"](), state, *HELD_OUT).item())


def test_a_snapshot_is_the_state_of_a_run_of_so_many_passes():
    state, metrics = train(BUILDS["normed"], [3, 4], snapshots=[0, 1, 4])
    assert list(metrics["snapshots"]) == [0, 1, 4]
    for passes, snapshot in metrics["snapshots"].items():
        assert content(snapshot) == content(fit(BUILDS["normed"], [3, 4], epochs=passes))
    assert content(metrics["snapshots"][4]) == content(state)
    assert content(state) == content(fit(BUILDS["normed"], [3, 4]))


def test_a_member_that_has_stopped_shows_in_later_snapshots_what_it_ended_with():
    state, metrics = train(BUILDS["mlp"], SEEDS, patience=1, snapshots=[1, 11, 12], **RUN)
    assert max(map(len, metrics["validation_accuracy"])) < 11
    assert content(metrics["snapshots"][12]) == content(metrics["snapshots"][11]) == content(state)
    assert content(metrics["snapshots"][1]) != content(state)


@pytest.mark.parametrize("net, stack", [("mlp", 4), ("normed", 2)])
def test_a_killed_run_ends_with_the_same_bytes(net, stack, monkeypatch):
    stacks_of(monkeypatch, stack)

    def run(checkpoint=None):
        settings = {**RUN, "epochs": 5, "patience": 2, "snapshots": [0, 2, 5]}
        state, metrics = train(BUILDS[net], SEEDS, checkpoint=checkpoint, **settings)
        snapshots = [content(metrics["snapshots"][number]) for number in (0, 2, 5)]
        return content(state), snapshots, metrics["validation_accuracy"], metrics["best_pass"]

    checkpoint = Checkpoints()
    whole = run(checkpoint)
    assert run(checkpoint) == whole, "a finished run is read back"
    for stop in range(1, checkpoint.asked // 2 - 2, 3):
        assert killed_and_resumed(stop, run) == whole, f"stopped after {stop}"


def test_patience_needs_validation():
    with pytest.raises(ValueError, match="patience is set, which needs validation examples"):
        fit(BUILDS["mlp"], [0], patience=1)


@pytest.mark.parametrize("images, labels", [(3, 2), (0, 0)])
def test_validation_needs_a_label_an_image(images, labels):
    with pytest.raises(ValueError, match=f"{images} inputs, {labels} labels"):
        fit(BUILDS["mlp"], [0], validation=(data()[0][:images], data()[1][:labels]))


def test_the_reference_knows_when_to_stop():
    assert stopped_at([0.1, 0.3, 0.2, 0.3, 0.4], 2) == (2, 4)  # as good is not better
    assert stopped_at([0.1, 0.3, 0.2, 0.4], 2) == (4, 4)
    assert stopped_at([0.3, 0.2], 1) == (1, 2)
