"""Deleting residual blocks from the end of each stage: Nguyen, Raghu & Kornblith 2021, section 5.2."""

import numpy as np
import torch

ROUNDING = 1e-9  # a difference of accuracies is exact to this: a drop of just the tolerance is within it


def deletions(stage_of_block) -> list:
    """[(name, frozenset)] for each deletable block, in order.

    The set holds it and all deletable blocks after it in its stage.
    stage_of_block: {name: stage} of the deletable blocks in forward order.
    """
    names = list(stage_of_block)
    found = []
    for position, name in enumerate(names):
        stage = stage_of_block[name]
        found.append((name, frozenset(later for later in names[position:] if stage_of_block[later] == stage)))
    return found


def deletion_accuracies(
    classify, images, labels, deletable, stages, *, batch: int = 500
) -> tuple[float, np.ndarray]:
    """Accuracy of the whole network, and without each block and all later ones of its stage.

    Returns a float and (D,) float64.
    classify: callable `classify(images, skip)` in evaluation mode, logits (B, classes) without the blocks
    in skip, a frozenset of names. images, labels: tensors (N, ...) and (N,) int64; all accuracies, in [0,
    1], are on all of them.
    deletable, stages: names (D,) and stages (D,) of the blocks in forward order.
    Raises ValueError for unequal lengths, a block listed twice, no image, or logits that are not finite.
    """
    deletable, stages = list(deletable), list(stages)
    different = len(set(deletable))
    if different != len(stages) or len(deletable) != len(stages):
        raise ValueError(
            f"{different} different blocks of {len(deletable)}, {len(stages)} stages: give each block once, "
            "and its stage"
        )
    if not len(images) or len(images) != len(labels) or batch < 1:
        raise ValueError(
            f"{len(images)} images, {len(labels)} labels, batch {batch}: need images, a label each"
        )
    stage_of_block = dict(zip(deletable, stages, strict=True))
    skips = [frozenset(), *(skip for _, skip in deletions(stage_of_block))]
    right = np.zeros(len(skips), np.int64)
    with torch.no_grad():
        for chunk, wanted in zip(images.split(batch), labels.split(batch), strict=True):
            right += [_right(classify(chunk, skip), wanted) for skip in skips]
    accuracies = right / len(images)
    return float(accuracies[0]), accuracies[1:]


def plateau(full, deleted, stages, tolerance: float = 0.02) -> dict:
    """How many blocks can go from the end of each stage before accuracy falls: {stage: number}.

    It may fall by `tolerance` below `full`. full, deleted (D,), stages (D,): as in `deletion_accuracies`.
    Counts up to the first deletion that costs more, even if a longer one should cost less. ValueError for
    unequal lengths or accuracies that are not numbers.
    """
    deleted, stages = np.asarray(deleted, np.float64), np.asarray(stages)
    if deleted.shape != stages.shape or deleted.ndim != 1 or not np.isfinite([full, *deleted]).all():
        raise ValueError(f"{deleted.shape} accuracies, {stages.shape} stages: give each block both, finite")
    kept = deleted >= full - tolerance - ROUNDING
    found = {}
    for stage in np.unique(stages):
        from_the_end = kept[stages == stage][::-1]
        found[int(stage)] = int(np.cumprod(from_the_end).sum())
    return found


def _right(logits, labels):
    """How many examples are classified right."""
    if not logits.isfinite().all():
        raise ValueError("logits are not finite: check the network")
    return int((logits.argmax(1) == labels.to(logits.device)).sum())
