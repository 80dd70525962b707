"""Maps of hidden states, an atlas over each, icons of neurons: Gilboa & Gur-Ari 2019, fig. 1, 2, 3, 5, 6.

Expect: classes apart in every trained map; in the wide network also sub-clusters (fig. 1), a ring a class
with the shift running round it (fig. 2; the paper has no row coloured by shift), cars by colour and horses
by side (fig. 3), and neurons that look less like the data than in the narrow one. No clusters untrained
(fig. 5), blurred on pixels (fig. 6). Cells that the text speaks of are outlined and shown again, enlarged.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from pipeline.bounds import FILLED, Count, Named, Whole
from pipeline.figure import left_out, nothing
from pipeline.options import Study, Variant
from wide import plot, plot_atlas

SIDE, BINS = 2.47, 120  # a map: inches, and bins a side (8 a cell)
ACROSS, SHIFTS = 10, 28  # icons of neurons in a line; pixels that digits are shifted by

TOLD = "One network a width (n: its units; its test accuracy), "


@dataclass(frozen=True)
class Closer:
    """Cells shown enlarged. label: which class's, by number. cells: how many at most. name: of the row."""

    label: Whole
    cells: Count
    name: str


@dataclass(frozen=True)
class Options:
    """columns: names of the networks from narrow to wide. label: of the classes, named in its order.

    closer: cells shown enlarged, by class.
    """

    study: Study
    variant: Variant
    columns: Annotated[list[str], FILLED]
    label: Annotated[str, Named("labels")]
    classes: Annotated[list[str | int], FILLED]
    closer: list[Closer] = None

    def refuse(self, classes):
        """Raise ValueError for a class without a name. classes: {study: {label: number of classes}}."""
        there = max(
            [classes[self.study].get(self.label, 0), *(closer.label + 1 for closer in self.closer or [])]
        )
        if len(self.classes) < there:
            raise ValueError(
                f"classes has {len(self.classes)} names; it must have {there}, those of the label"
            )


def draw(entry, scale, load):
    umap, atlas = (load(entry["study"], measure, entry["variant"]) for measure in ("umap", "atlas"))
    keys, (first, *others) = umap.keys(), entry["columns"]
    if not keys:
        return plot.note(nothing(entry["columns"], scale))
    names = [first, *[""] * (len(keys) - len(entry["columns"])), *others]
    rows, legends = rows_of(umap, atlas, entry, keys), legends_of(umap, entry)
    room = plot_atlas.room(legends, SIDE * len(keys))
    sides = [SIDE] * len(keys), [height for _, height, _ in rows]
    figure, axes = plot.page(*sides, left=0.4, right=0.06, top=0.25, bottom=0.1 + room)
    for column, (name, key) in enumerate(zip(names, keys, strict=False)):
        axes[0, column].set_title(heading(name, key, umap, atlas), fontsize=8)
        for box, (label, _, paint) in zip(axes[:, column], rows, strict=True):
            paint(box, key)
            box.set_ylabel("" if column else label, fontsize=7)
    told = f"{TOLD * atlas.has('neurons', keys[0])}{len(umap.get(entry['label'], 'label')):,} training images"
    text = f"{told}, scale {scale}. {left_out(names[len(keys) :], scale)}"
    plot_atlas.close(figure, legends, SIDE * len(keys), text)
    return figure


def heading(name, key, umap, atlas):
    """Without neurons there is no network, and so no accuracy."""
    parts = [name] if name else []
    parts.append(f"n = {umap.get('units', key)}")
    if atlas.has("neurons", key):
        parts.append(f"{100 * umap.size(key).accuracy[0]:.1f} %")
    return ", ".join(parts)


def rows_of(umap, atlas, entry, keys):
    """[(label of a row, its height in inches, what paints a network into its axes), …]."""
    rows = [("map, coloured by class", SIDE, partial(a_map, umap, entry["label"], len(entry["classes"])))]
    if umap.has("shift", "label"):
        rows.append(("map, coloured by shift", SIDE, partial(a_map, umap, "shift", SHIFTS)))
    rows.append(("activation atlas", SIDE, partial(an_atlas, umap, atlas, entry)))
    for closer in entry.get("closer", []):
        paint = partial(enlarged, umap, atlas, entry, closer)
        rows.append((f"cells of\n{closer['name']}", SIDE / closer["cells"], paint))
    icons = max(len(atlas.get("neurons", key)) if atlas.has("neurons", key) else 0 for key in keys)
    if icons:
        rows.append(("single\nneurons", SIDE / ACROSS * -(-icons // ACROSS), partial(neurons, atlas)))
    return rows


def a_map(umap, label, classes, box, key):
    positions, colours = plot.unit_square(umap.get("points", key)), plot.class_colours(classes)
    plot_atlas.show_map(box, positions, umap.get(label, "label"), colours, BINS)


def an_atlas(umap, atlas, entry, box, key):
    places = atlas.get("cells", key), int(atlas.get("grid"))
    plot_atlas.show_atlas(box, atlas.get("icons", key), *places)
    for closer in entry.get("closer", []):
        plot_atlas.outline(box, *places, *cells_of(umap, atlas, entry, closer, key))


def enlarged(umap, atlas, entry, closer, box, key):
    chosen, colour = cells_of(umap, atlas, entry, closer, key)
    plot_atlas.strip(box, atlas.get("icons", key)[chosen], closer["cells"], colour)


def cells_of(umap, atlas, entry, closer, key):
    """Which cells are shown enlarged, and their class's colour."""
    points = plot.unit_square(umap.get("points", key)), umap.get(entry["label"], "label")
    places = atlas.get("cells", key), int(atlas.get("grid"))
    chosen = plot_atlas.fullest(*points, closer["label"], *places, closer["cells"])
    return chosen, plot.class_colours(len(entry["classes"]))[closer["label"]]


def neurons(atlas, box, key):
    plot.picture(box, plot.sheet(atlas.get("neurons", key), ACROSS))


def legends_of(umap, entry):
    """[(names, colours), …] of the classes and, where it is shown, of the shift."""
    named = [(list(map(str, entry["classes"])), plot.class_colours(len(entry["classes"])))]
    shifts = [f"{shift} px" for shift in range(0, SHIFTS, 4)], plot.class_colours(SHIFTS)[::4]
    return [*named, shifts] if umap.has("shift", "label") else named
