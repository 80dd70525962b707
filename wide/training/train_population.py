"""Training a population: all seeds of one network, or a grid of recipes, in one call."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from wide.training import stacking
from wide.training.batches import Examples
from wide.training.dropout import refuse_own_dropout
from wide.training.population import half_precision
from wide.training.randomness import epoch_draws
from wide.training.recipe import Recipe, recipe_a_member
from wide.training.run import Outcome, Run

__all__ = ["epoch_draws", "train_population"]


def train_population(
    build: Callable,
    images: torch.Tensor,
    labels: torch.Tensor,
    recipe: Recipe | Sequence[Recipe],
    seeds: Sequence[int],
    *,
    mask: torch.Tensor | None = None,
    validation: tuple | None = None,
    device="cpu",
    half: bool | None = None,
    checkpoint=None,
    progress: Callable | None = None,
    each_epoch: Callable | None = None,
    may_diverge: bool = False,
) -> tuple[dict, dict]:
    """Train one network from each seed, together.

    build: function without arguments that makes the network (its weights are overwritten by the recipe's
    initialisation). images: uint8 (examples, channels, height, width), or float features (examples, ...),
    such as token states (examples, tokens, width). labels: int64 (examples,). mask: bool (examples, tokens),
    True for a real token, which the network is given as the keyword ``mask``.
    recipe: of all members, or a list of one a member, equal but for lr, hidden, last, std and bias; seeds may
    then repeat, so a grid of recipes is one population.
    seeds: fix initialisation, order, augmentation and dropout of their members; a member does not depend on
    its neighbours.
    validation: (images, labels) or (images, labels, mask) that are not trained on. Members are evaluated on
    them after every pass and after the last step; with ``recipe.patience`` they stop early and end with their
    best state.
    half: bf16 arithmetic with float32 weights; by default where the processor has it.
    checkpoint: object with load(name) -> dict | None, due() -> bool, save(name, dict). progress: called with
    the images done, those included that a member which has ended is no longer shown. each_epoch: called with
    (seeds, population) after every pass of a stack.
    may_diverge: give back a population even where every member has diverged.

    Returns the population {name: (seeds, ...) float32, CPU} and metrics: images_per_s, device, dtype, epochs,
    members_at_once, and

    diverged: of each member, whether its loss or its state was not finite at a check, every 50 steps and at
    the end (with validation or snapshots every pass, too). The others train on unaffected; a diverged
    member's parameters are those of the last check at which it was finite, or its best ones under
    ``patience``.
    validation_accuracy: of each member a list, an entry an evaluation. best_pass: which of them, from 1, a
    member ended with (with patience only; None before the first evaluation).
    snapshots: {pass: population} for ``recipe.snapshots``; a member that had ended by then shows what it
    ended with. Only there where the recipe asks for it, since it is no number.

    Raises ValueError for no seeds, no images, a label, mask or recipe too few or too many, recipes that
    differ in what members share, patience without validation, dropout in a network that names no layers for
    it, and where all members diverge.
    """
    seeds = list(seeds)
    if not seeds or len(images) != len(labels) or not len(images):
        raise ValueError(
            f"{len(seeds)} seeds, {len(images)} images, {len(labels)} labels: need seeds and a label an image"
        )
    recipes = recipe_a_member(recipe, seeds)
    examples = Examples.on(device, images, labels, mask)
    validation = Examples.on(device, *validation) if validation else None
    if recipes[0].patience and validation is None:
        raise ValueError(
            "recipe: patience is set, which needs validation examples: give train_population some"
        )
    recipes = [replace(one, batch=min(one.batch, len(images))) for one in recipes]
    recipes[0].augment.check(images.shape[1:])
    half = half_precision(device) if half is None else half
    net = build()
    refuse_own_dropout(net)
    outcomes, pieces = [], stacking.pieces(net, device, len(seeds))
    for piece in pieces:
        keep_finite = may_diverge or len(seeds) > 1
        run = Run(build, examples, validation, recipes[piece], seeds[piece], device, half, keep_finite)
        outcomes.append(run.train(checkpoint, f"members-{piece.start}", progress, each_epoch))
    if not may_diverge:
        _refuse_divergence(outcomes, recipes)
    metrics = {
        "device": str(device),
        "dtype": "bfloat16" if half else str(torch.get_default_dtype()).removeprefix("torch."),
        "epochs": recipes[0].epochs,
        "members_at_once": pieces[0].stop,
    }
    return _joined([outcome.population for outcome in outcomes]), metrics | _said(
        outcomes, recipes[0], validation
    )


def _said(outcomes: list[Outcome], recipe: Recipe, validation) -> dict:
    """What the metrics say of how it went."""
    seconds = sum(outcome.seconds for outcome in outcomes)
    images = sum(outcome.images for outcome in outcomes)
    said = {
        "images_per_s": images / seconds if images else None,
        "diverged": [flag for outcome in outcomes for flag in outcome.diverged],
    }
    if validation:
        said["validation_accuracy"] = [seen for outcome in outcomes for seen in outcome.accuracies]
    if recipe.patience:
        said["best_pass"] = [number for outcome in outcomes for number in outcome.best_passes]
    if recipe.snapshots:
        said["snapshots"] = {
            number: _joined([outcome.snapshots[number] for outcome in outcomes])
            for number in recipe.snapshots
        }
    return said


def _joined(populations: list[dict]) -> dict[str, torch.Tensor]:
    """Pieces of a population to one."""
    return {name: torch.cat([part[name] for part in populations]) for name in populations[0]}


def _refuse_divergence(outcomes: list[Outcome], recipes: list[Recipe]) -> None:
    """Raise ValueError if no member is left."""
    if not all(flag for outcome in outcomes for flag in outcome.diverged):
        return
    first = outcomes[0]
    rates = ", ".join(f"{rate:g}" for rate in sorted({recipe.lr for recipe in recipes}))
    raise ValueError(
        f"training diverged at step {first.step} of {first.steps} (loss {first.loss}) with lr {rates}: "
        "lower the learning rate of this study"
    )
