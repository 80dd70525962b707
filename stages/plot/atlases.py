"""Maps of hidden states, an atlas over each, icons of neurons: Gilboa & Gur-Ari 2019, fig. 1, 2, 3, 5, 6.

Expect: classes apart in every trained map; in the wide network also sub-clusters (fig. 1), a ring a class
with the shift running round it (fig. 2; the paper has no row coloured by shift), cars by colour and horses
by side (fig. 3), and neurons that look less like the data than in the narrow one. No clusters untrained
(fig. 5), blurred on pixels (fig. 6).
"""

from dataclasses import dataclass
from typing import Annotated

from pipeline.bounds import FILLED, Named
from pipeline.options import Study, Variant
from wide import plot

SIDE, BINS = (
    3.0,
    120,
)  # a map: inches (600 pixels, so that 15 icons of 40 stay sharp) and bins a side (8 a cell)
SHIFTS = 28


@dataclass(frozen=True)
class Options:
    """columns: names of the networks from narrow to wide. label: of the classes, named in its order."""

    study: Study
    variant: Variant
    columns: Annotated[list[str], FILLED]
    label: Annotated[str, Named("labels")]
    classes: Annotated[list[str | int], FILLED]

    def refuse(self, classes):
        """Raise ValueError for a class without a name. classes: {study: {label: number of classes}}."""
        there = classes[self.study].get(self.label, 0)
        if len(self.classes) < there:
            raise ValueError(
                f"classes has {len(self.classes)} names; it must have {there}, those of the label"
            )


def draw(entry, scale, load):
    umap, atlas = (load(entry["study"], measure, entry["variant"]) for measure in ("umap", "atlas"))
    keys = umap.keys()
    columns = [pictures(key, umap, atlas, entry) for key in keys]
    first, *others = entry["columns"]
    names = [first, *[""] * (len(keys) - len(entry["columns"])), *others]
    rows = list(columns[0])
    heights = [max(height(column[row]) for column in columns) for row in rows]
    figure, axes = plot.page([SIDE] * len(names), heights, left=0.42, right=0.95, bottom=0.25)
    for column, name in enumerate(names):
        ran = column < len(keys)
        axes[0, column].set_title(heading(name, keys[column], umap, atlas) if ran else name)
        for box, row in zip(axes[:, column], rows, strict=True):
            plot.picture(box, columns[column][row]) if ran else plot.not_run(box, scale)
    for box, row in zip(axes[:, 0], rows, strict=True):
        box.set_ylabel(row, fontsize=9)
    legends(axes[:, -1], entry["classes"], umap)
    images = len(umap.get(entry["label"], "label"))
    plot.corner(figure, f"{images:,} images, scale {scale}; in the titles: units n, test accuracy")
    return figure


def height(picture):
    """Inches of a picture that is SIDE wide."""
    return SIDE * len(picture) / picture.shape[1]


def heading(name, key, umap, atlas):
    """Without neurons there is no network, and so no accuracy."""
    parts = [name] if name else []
    parts.append(f"n = {umap.get('units', key)}")
    if atlas.has("neurons", key):
        parts.append(f"{100 * umap.size(key).accuracy[0]:.1f} %")
    return ", ".join(parts)


def pictures(key, umap, atlas, entry):
    """Images of one network from top to bottom: {label of the row: (H, W, 3 or 4)}."""
    positions = plot.unit_square(umap.get("points", key))
    colours = plot.class_colours(len(entry["classes"]))
    labels = umap.get(entry["label"], "label")
    rows = {"UMAP, coloured by class": plot.class_map(positions, labels, colours, BINS)}
    if umap.has("shift", "label"):
        shifts, hues = umap.get("shift", "label"), plot.class_colours(SHIFTS)
        rows["UMAP, coloured by shift"] = plot.class_map(positions, shifts, hues, BINS)
    grid = [int(atlas.get("grid"))] * 2
    rows["activation atlas"] = plot.tile(atlas.get("icons", key), atlas.get("cells", key), grid)
    if atlas.has("neurons", key):
        rows["single\nneurons"] = plot.sheet(atlas.get("neurons", key), 10)
    return rows


def legends(boxes, classes, umap):
    plot.swatches(boxes[0], classes, plot.class_colours(len(classes)))
    if umap.has("shift", "label"):
        plot.swatches(boxes[1], range(0, SHIFTS, 4), plot.class_colours(SHIFTS)[::4], "shift (px)")
