"""Images on which a wide and a deep network of equal accuracy differ most: Nguyen, Raghu & Kornblith 2021, fig. F.1.

Expect: equal mean accuracies (p > 0.05); left, two architectures, further from the diagonal than middle and right, two
halves of one; below, gaps that persist (over 20 points; the paper's: up to 70) in networks that had no part in choosing.
"""
import numpy as np

from wide import artifacts, plot

COLOURS, IMAGE, LEFT, DOWN = plot.class_colours(2), 0.58, 0.98, 0.42  # inches: an image, their left margin, room above a row


def draw(entry, scale):
    found = artifacts.load_result(artifacts.result(scale, entry["reads"], "agreement", entry["groups"]))
    names = np.char.replace(found["names"], "x)", "×)")
    below = 2 * (IMAGE + DOWN) + 0.75
    figure, axes = plot.page([1.5] * 3, [1.5], bottom=below, top=0.3, across=0.55)
    for box, groups in zip(axes[0], ((0, 1), (0, 0), (1, 1))):
        cloud(box, found, names, *groups)
    images, across = found["shown/images"], len(found["shown/images"]) // 2
    for number, image in enumerate(images):
        row, column = divmod(number, across)
        place = np.array([LEFT + column * (IMAGE + 0.06), below - 0.5 - (row + 1) * (IMAGE + DOWN) + 0.05, IMAGE, IMAGE])
        box = figure.add_axes(place / np.tile(figure.get_size_inches(), 2))
        box.imshow(image.transpose(1, 2, 0), interpolation="bicubic")
        plot.frame(box)
        if not column:
            box.text(-0.12, 0.5, f"easier for\n{names[row]}", fontsize=7, ha="right", va="center", transform=box.transAxes)
        for group, accuracy in enumerate((found["shown/first"][number], found["shown/second"][number])):
            style = {"color": COLOURS[group], "fontsize": 6.5, "va": "bottom", "transform": box.transAxes}
            box.text(0.5, 1.26 - 0.22 * group, f"{100 * accuracy:.0f} %", ha="center", **style)
            if not column:
                box.text(-0.12, 1.26 - 0.22 * group, str(names[group]), ha="right", **style)
    means = " and ".join(f"{100 * found[f'{group}/accuracy'].mean():.2f}" for group in (0, 1))
    plot.corner(figure, f"mean accuracies {means} %, p = {float(found['p_mean']):.2g}; {len(found['labels']):,} images, "
                        f"n = {int(found['0/networks'])} and {int(found['1/networks'])} networks; scale {scale}")
    return figure


def cloud(box, found, names, across, up):
    """Images by the accuracy of the first half of one group's networks and of the second half of another's."""
    n = min(int(found[f"{group}/networks"]) for group in (across, up)) // 2
    marks = np.rint(n * np.stack([found[f"{across}/first"], found[f"{up}/second"]], axis=1))
    shades = plot.class_map((marks + 0.5) / (n + 1), np.zeros(len(marks), int), COLOURS[:1], n + 1)
    box.imshow(shades, extent=[-50 / n, 100 + 50 / n] * 2)
    box.axline((0, 0), slope=1, color=plot.GREY, linewidth=0.5, linestyle=":")
    for mark, count in zip(*np.unique(marks, axis=0, return_counts=True)) if n < 5 else ():
        box.text(*(100 * mark / n), f"{100 * count / len(marks):.1f} %", ha="center", va="center", fontsize=5,
                 color="white" if count > len(marks) ** 0.6 else "black")
    box.set_title(f"dispersion {100 * found['dispersion'][across, up]:.2f} ± {100 * found['dispersion_se'][across, up]:.2f}", fontsize=7)
    box.set(xlabel=f"{names[across]} (%)", ylabel=f"{names[up]}{', others' if up == across else ''} (%)",
            xticks=[0, 50, 100], yticks=[0, 50, 100])
