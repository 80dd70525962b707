"""Accuracy on single images in networks of many sizes, every pair of them: Nguyen, Raghu & Kornblith 2021, fig. F.2-F.4.

Expect: blue, two architectures, further from the diagonal than orange, two halves of the column's one, and the further
the more their sizes differ; most images lie above the diagonal (the larger network is better), some below it.
The upper triangle gives the dispersions in numbers (ours). A size that the scale leaves out is an empty row and column.
"""
import numpy as np

from wide import artifacts, plot

(BLUE, ORANGE), PIXELS = plot.class_colours(2), 100  # two architectures, their control; least pixels of an image


def draw(entry, scale):
    found = artifacts.load_result(artifacts.result(scale, entry["reads"], "agreement", entry["groups"]))
    place = {name.removesuffix(" (1x)"): group for group, name in enumerate(found["names"].tolist())}
    names = entry["names"] if set(place) <= set(entry["names"]) else list(place)  # sizes of one's own: what there is
    sides = [entry["side"]] * len(names)
    figure, axes = plot.page(sides, sides, left=0.65, top=0.42, bottom=0.8, across=0.1, down=0.14)
    kept = [index for index, name in enumerate(names) if name in place]
    for (row, column), box in np.ndenumerate(axes):
        groups = [place.get(names[index]) for index in sorted((row, column))]
        paint = numbers if row < column else plot.not_run if None in groups else panel
        paint(box, scale, small=True) if paint is plot.not_run else paint(box, found, *groups)
        box.tick_params(labelsize=5, length=2, pad=1.5, labelleft=column == kept[0], labelbottom=row == kept[-1])
    for index, name in enumerate(names):
        label = name.replace("x)", "×)").replace(" (", " (" if entry["side"] > 1 else "\n(")
        axes[0, index].set_title(label + (f"\n{100 * found[f'{place[name]}/accuracy'].mean():.2f} %" if name in place else ""), fontsize=6)
        axes[-1, index].set_xlabel(f"{label}\nacc. (%)", fontsize=6)
        axes[index, 0].set_ylabel(f"{label}\nacc. (%)", fontsize=6)
    networks = sorted({str(int(found[f"{group}/networks"])) for group in place.values()}, key=int)
    plot.corner(figure, "blue: two architectures, orange: two halves of one; numbers: dispersion in points\n"
                        f"{len(found['labels']):,} images, n = {' to '.join(networks)} networks each, scale {scale}")
    return figure


def numbers(box, found, first, second):
    """The dispersion of a pair and that of its control, in their colours."""
    box.set_axis_off()
    for height, other, colour in ((0.62, second, BLUE), (0.38, first, ORANGE)) if None not in (first, second) else ():
        box.text(0.5, height, f"{100 * found['dispersion'][first, other]:.2f}", color=colour, fontsize=6.5, ha="center", va="center")


def panel(box, found, first, second):
    """A pair in blue and, over it, the control in orange; on the diagonal the control alone."""
    n, image = min(int(found[f"{group}/networks"]) for group in (first, second)) // 2, 1.0
    for other, colour, margin in [(first, ORANGE, 0.05)] if first == second else [(second, BLUE, 0.05), (first, ORANGE, 0.3)]:
        opacity = density(found[f"{first}/first"], found[f"{other}/second"], n, margin)[..., None]
        image = np.where(opacity > 0, 1 - opacity * (1 - colour), image)
    box.imshow(image, origin="lower", extent=[-50 / n, 100 + 50 / n] * 2)
    box.set(xticks=[0, 50, 100], yticks=[0, 50, 100])


def density(x, y, n, margin):
    """Opacity of each place, by log count. Where there are few networks, places are cells with a margin on each side."""
    count, size = np.zeros((n + 1, n + 1)), -(-PIXELS // (n + 1))
    np.add.at(count, tuple(np.rint(n * np.stack([y, x])).astype(int)), 1)
    inside = abs((np.arange(size) + 0.5) / size - 0.5) < 0.5 - margin * (size > 4)
    return np.kron(np.where(count > 0, 0.3 + 0.7 * np.log1p(count) / np.log1p(count.max()), 0), np.outer(inside, inside))
