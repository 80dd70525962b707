"""Panels that show a network each: what it was trained on, its small print, and rows of those that ran.

A panel is a mapping: what an entry says of it (study, variant, size, title and, in a row, what the row says).
"""

import numpy as np

from pipeline.cells import Cells
from pipeline.figure import listing, merged, reads, studies
from wide import plot

FLOOR = "floor/linear/"  # results of linear classifiers on the pixels, one a data set
STAR = "*"  # on accuracies that are not above theirs
OUTLINED = (
    f"Outlined: a block, from {100 * plot.LEAST_BLOCK:.0f} % of the layers on; short lines: bounds of stages."
)
STARRED = f"{STAR} Not above a linear classifier on the same pixels."


def floors(entry, load) -> Cells:
    """Linear classifiers on the same pixels and examples, of the data sets that an entry names.

    A study's variant has `accuracy`, and `examples`, the training images. FileNotFoundError for none.
    """
    found = Cells(source=FLOOR)
    for name in reads(entry):
        if name.startswith(FLOOR):
            found.arrays |= load(*name.rpartition(".")[0].split("/")).arrays
    return found


def trained_on(data: dict, panels, known: Cells, scale: str) -> str:
    """A sentence: what the panels' networks were trained on, and the scale.

    data: in words, by variant; others are not told. known: as `floors` gives it, for numbers of images.
    """
    told = {}
    for at in studies(panels):
        images = f" ({int(known.get('examples', *at)):,} images)" if known.has("examples", *at) else ""
        if at[1] in data:
            told.setdefault(data[at[1]], images)
    words = [f"{name}{images}" for name, images in told.items()]
    return f"Networks trained on {listing(words)}, scale {scale}." if words else f"Scale {scale}."


def small_print(cka: Cells, panel, size: str, seed: int, known: Cells, block="block") -> str:
    """A heatmap's, in lines: test accuracy, and the share of the layers that lie in the block.

    known: as `floors` gives it; where the mean accuracy over seeds is not above the floor, it bears a star.
    An untrained network's accuracy says nothing and is left out.
    """
    share = f"block {100 * cka.get(block, size, seed)[0]:.0f} %"
    if panel.get("untrained"):
        return share
    facts, at = cka.size(size), (panel["study"], panel["variant"])
    below = known.has("accuracy", *at) and not np.mean(facts.accuracy) > known.get("accuracy", *at)
    accuracy = 100 * facts.accuracy[facts.seeds.index(seed)]
    return f"{accuracy:.1f} %{STAR * below}\n{share}"


def close(figure, first: str, *sentences: str):
    """Sentences below a figure, what its lines mean, and what the stars in its small print say."""
    notes = [text.get_text() for axes in figure.axes for text in axes.texts]
    starred = any(f"%{STAR}" in note for note in notes)
    plot.footer(figure, " ".join(filter(None, [first, OUTLINED, *sentences, STARRED * starred])))


def stages(found: Cells, *at):
    """The stage of each layer of a size (or of the network of a number), None where it has none."""
    return found.get("stage", *at) if found.has("stage", *at) else None


# ---- rows of panels, each with `ran`, `heading` (its title) and `name` (of its row, for sentences)


def compact(rows) -> list:
    """The panels that ran, by row; None for one that ran only in another row of the same sizes."""
    kept = {}
    for row in rows:
        kept.setdefault(_sizes(row), set()).update(n for n, panel in enumerate(row) if panel["ran"])
    shown = [[row[n] if row[n]["ran"] else None for n in sorted(kept[_sizes(row)])] for row in rows]
    return [row for row in shown if any(row)]


def unrun(rows) -> list[str]:
    """Names of the panels that did not run, of a row of them one."""
    return [name for row in rows for name in _unrun(row, [other for other in rows if _like(other, row)])]


def _sizes(row):
    return tuple(row[0].get("sizes") or [id(row)])


def _like(other, row):
    """Whether a row of which anything ran has the same sizes."""
    return _sizes(other) == _sizes(row) and any(panel["ran"] for panel in other)


def _unrun(row, others):
    gone = [n for n, panel in enumerate(row) if not panel["ran"]]
    name = row[0]["name"]
    if len(gone) == len(row) and "panels" not in row[0]:
        return [name]
    if "seeds" in row[0]:
        return [f"{name}: {len(gone)} of {len(row)} seeds"] if gone else []
    alone = [n for n in gone if any(other[n]["ran"] for other in others)]  # what other rows have
    mine = ", ".join(merged(row[n]["heading"] for n in alone))
    return [row[n]["heading"] for n in gone if n not in alone] + [f"{name}: {mine}"] * bool(alone)
