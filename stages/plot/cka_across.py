"""CKA between networks of one or two architectures, in groups: Nguyen et al. 2021, fig. 6 and E.1.

Expect: between seeds of a small network the same picture as within one (fig. 6, left); between seeds of networks with a
block, and between a network with a block and one without, dark stripes where the blocks lie (fig. 6, middle and right;
E.1, right). Without blocks, bright along the diagonal of equal relative depth (E.1, left).
"""
import numpy as np

from wide import artifacts, plot


def draw(entry, scale):
    groups, networks, side = entry["groups"], entry["networks"], entry["side"]
    found = plot.present(lambda group: artifacts.load_result(artifacts.result(scale, entry["reads"], "cka", group)),
                         [(group["group"],) for group in groups])
    gap = 0.4
    figure, axes = plot.page(([side] * networks + [gap]) * (len(groups) - 1) + [side] * networks, [side] * networks, left=0.55,
                             right=0.6, top=0.5, bottom=0.55, across=0.07, down=0.07)
    for box in axes[:, networks::networks + 1].flat:
        box.remove()
    for number, group in enumerate(groups):
        first = number * (networks + 1)
        pairs(axes[:, first:first + networks], found[group["group"],], group, entry.get("triangle"), scale)
    plot.colour_bar(figure, axes[0, -1], "CKA")
    plot.corner(figure, f"axes: layers of the networks named at the left and below; scale {scale}")
    return figure


def pairs(boxes, found, group, triangle, scale):
    """The grid of one group: within a network on the diagonal, the lower triangle is the upper one transposed."""
    names = [str(name).replace("x)", "×)") for name in found.get("names", ())]
    kinds, seeds = [name.split(" seed ")[0] for name in names], [f"seed {name.split(' seed ')[-1]}" for name in names]
    labels, title = (seeds, kinds[0]) if len(set(kinds)) == 1 else (kinds, group["title"])
    for (row, column), box in np.ndenumerate(boxes):
        if triangle and column > row:
            box.remove()
            continue
        low, high = sorted((row, column))
        if high < len(names):
            matrix = found[f"{low}/{high}/cka"]
            plot.heatmap(box, matrix if row == low else matrix.T, ticks=3)
            box.tick_params(labelleft=column == 0, labelbottom=row == len(boxes) - 1)
        else:
            plot.not_run(box, scale, small=True)
        if column == 0:
            box.set_ylabel(labels[row] if row < len(names) else "", fontsize=7)
        if row == len(boxes) - 1:
            box.set_xlabel(labels[column] if column < len(names) else "", fontsize=7)
    blocks = ", ".join(f"{100 * found[f'{index}/block'][0]:.0f}" for index in range(len(names)))
    for text, up, size, colour in ((title, 13, 8, "black"), (f"block {blocks} % of the layers" if names else "", 4, 5.5, plot.GREY)):
        boxes[0, 0].annotate(text, (0, 1), (0, up), xycoords="axes fraction", textcoords="offset points", size=size, color=colour)
