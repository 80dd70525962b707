"""An interruption leaves no trace: killed after any step, a training ends with the same bytes."""

import math

import pytest

from pipeline.scratch import Scratch
from tests.trainings import BUILDS, Checkpoints, content, fit, killed_and_resumed, recipe, stacks_of

# 7 steps in 2 passes.
RUN = {
    "examples": 40,
    "epochs": 1.4,
    "augment": {"flip": True, "shift": 0.1, "rotate": 15},
    "schedule": "cosine",
}


@pytest.mark.parametrize("net", BUILDS)
@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_resuming_after_any_step_gives_the_same_bytes(net, optimiser, monkeypatch):
    stacks_of(monkeypatch, 2)
    settings = {**RUN, "optimiser": optimiser, "weight_decay": 0.01}
    settings |= {"augment": {"cyclic": True}} if net == "mlp" else {}

    def run(checkpoint=None):
        return content(fit(BUILDS[net], [3, 4, 5], checkpoint=checkpoint, **settings))

    whole = run()
    # Two stacks, of two members and of one; due is asked after all but the last step of each.
    for stop in range(1, 12):
        assert killed_and_resumed(stop, run) == whole, f"stopped after {stop}"


def test_a_finished_run_changes_nothing(monkeypatch):
    stacks_of(monkeypatch, 2)
    checkpoint = Checkpoints()
    first = content(fit(BUILDS["mlp"], [3, 4, 5], checkpoint=checkpoint))
    counted = []
    again = fit(BUILDS["mlp"], [3, 4, 5], checkpoint=checkpoint, progress=counted.append)
    assert content(again) == first
    assert counted == [20 * 8 * 2, 20 * 8]  # all of it was there


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


# What has a state of its own besides parameters and moments, and what is drawn anew in every step.
OPTIONS = {
    "dropout": {"dropout": 0.3},
    "snapshots": {"snapshots": [0, 1]},
    "grid": {"recipes": [recipe(epochs=1.4, lr=rate) for rate in (0.05, 0.01, 0.2)]},
}


@pytest.mark.parametrize("net", ["mlp", "normed"])
@pytest.mark.parametrize("options", OPTIONS)
def test_every_option_resumes(net, options, monkeypatch):
    stacks_of(monkeypatch, 3)

    def run(checkpoint=None):
        return content(fit(BUILDS[net], [3, 4, 5], checkpoint=checkpoint, epochs=1.4, **OPTIONS[options]))

    whole = run()
    for stop in range(1, 6):
        assert killed_and_resumed(stop, run) == whole, f"stopped after {stop}"


def test_resuming_from_files_gives_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = {**RUN, "optimiser": "adamw"}
    whole = content(fit(BUILDS["convnet"], [3, 4], **settings))
    left = [5]

    def kill(images):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Scratch({"a": 1}, every_s=-1) as scratch:
        fit(BUILDS["convnet"], [3, 4], checkpoint=scratch.within("w8"), progress=kill, **settings)
    counted = []
    with Scratch({"a": 1}, every_s=-1) as scratch:
        checkpoint = scratch.within("w8")
        again = fit(BUILDS["convnet"], [3, 4], checkpoint=checkpoint, progress=counted.append, **settings)
        assert content(again) == whole
    assert counted[0] == 4 * 8  # the fifth step had not been saved


def test_progress_of_a_resumed_run_counts_every_image_once(monkeypatch):
    stacks_of(monkeypatch, 2)
    for stop in range(1, 12):
        counted = []

        def run(checkpoint, counted=counted):
            counted.clear()
            fit(BUILDS["mlp"], [0, 1, 2], checkpoint=checkpoint, progress=counted.append, epochs=1.4)

        killed_and_resumed(stop, run)
        assert sum(counted) == 7 * 8 * 3


def test_running_twice_gives_the_same_bytes(monkeypatch):
    stacks_of(monkeypatch, 2)
    assert content(fit(BUILDS["normed"], [0, 1], **RUN)) == content(fit(BUILDS["normed"], [0, 1], **RUN))
