"""Maps of hidden states, the activation atlas over each, icons of neurons: Gilboa & Gur-Ari 2019, fig. 1, 2, 3, 5, 6.

Expect: classes apart in every trained map; in the wide network also sub-clusters (fig. 1), a ring a class with the
shift running round it (fig. 2; the paper has no row coloured by shift), cars by colour and horses by side (fig. 3), and
neurons that look less like the data than in the narrow one. No clusters untrained (fig. 5), blurred on pixels (fig. 6).
"""
from wide import artifacts, plot

SIDE, BINS = 3.0, 120  # a map: inches (600 pixels, so that 15 icons of 40 stay sharp) and bins a side (8 a cell)


def draw(entry, scale):
    files = [artifacts.result(scale, entry["reads"], kind, entry["variant"]) for kind in ("umap", "atlas")]
    found = {name: value for file in files for name, value in artifacts.load_result(file).items()}
    keys = sorted((name[:-7] for name in found if name.endswith("/points")), key=lambda key: found[f"{key}/width"])
    columns, names = [pictures(key, found, entry) for key in keys], entry["columns"]
    names = names[:1] + [""] * (len(keys) - len(names)) + names[1:]
    heights = [max(SIDE * len(column[row]) / column[row].shape[1] for column in columns) for row in columns[0]]
    figure, axes = plot.page([SIDE] * len(names), heights, left=0.42, right=0.95, bottom=0.25)
    for column, name in enumerate(names):
        axes[0, column].set_title(heading(name, keys[column], found) if column < len(keys) else name)
        for box, row in zip(axes[:, column], columns[0]):
            plot.picture(box, columns[column][row]) if column < len(keys) else plot.not_run(box, scale)
    for box, row in zip(axes[:, 0], columns[0]):
        box.set_ylabel(row, fontsize=9)
    plot.swatches(axes[0, -1], entry["classes"], plot.class_colours(len(entry["classes"])))
    if "label/shift" in found:
        plot.swatches(axes[1, -1], range(0, 28, 4), plot.class_colours(28)[::4], "shift (px)")
    images = len(found[f"label/{entry['label']}"])
    plot.corner(figure, f"{images:,} images, scale {scale}; in the titles: units n, test accuracy")
    return figure


def heading(name, key, found):
    """Without neurons there is no network, and so no accuracy."""
    accuracy = f", {100 * found[f'{key}/test_accuracy'][0]:.1f} %" if f"{key}/neurons" in found else ""
    return f"{name}, n = {found[f'{key}/units']}{accuracy}".removeprefix(", ")


def pictures(key, found, entry):
    """Images of one network from top to bottom: {label of the row: (H, W, 3 or 4)}."""
    positions, classes = plot.unit_square(found[f"{key}/points"]), plot.class_colours(len(entry["classes"]))
    rows = {"UMAP, coloured by class": plot.class_map(positions, found[f"label/{entry['label']}"], classes, BINS)}
    if "label/shift" in found:
        rows["UMAP, coloured by shift"] = plot.class_map(positions, found["label/shift"], plot.class_colours(28), BINS)
    rows["activation atlas"] = plot.tile(found[f"{key}/icons"], found[f"{key}/cells"], [int(found["grid"])] * 2)
    return rows | ({"single\nneurons": plot.sheet(found[f"{key}/neurons"], 10)} if f"{key}/neurons" in found else {})
