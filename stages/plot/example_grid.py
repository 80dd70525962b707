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
    figure, axes = plot.page([entry["side"]] * len(names), [entry["side"]] * len(names), left=0.65, top=0.5, bottom=0.7,
                             across=0.06, down=0.06)
    for (row, column), box in np.ndenumerate(axes):
        groups = [place.get(names[index]) for index in sorted((row, column))]
        paint = numbers if row < column else panel
        plot.not_run(box, scale, small=True) if None in groups and row >= column else paint(box, found, *groups)
        box.tick_params(labelsize=5, length=2, pad=1.5, labelleft=column == 0, labelbottom=row == len(names) - 1)
    for index, name in enumerate(names):
        label = name.replace("x)", "×)").replace(" (", "\n(")
        mean = f"\n{100 * found[f'{place[name]}/accuracy'].mean():.2f} %" if name in place else ""
        axes[0, index].set_title(label + mean, fontsize=6)
        axes[-1, index].set_xlabel(f"{label}\nacc. (%)", fontsize=6)
        axes[index, 0].set_ylabel(f"{label}\nacc. (%)", fontsize=6)
    networks = sorted({int(found[f"{group}/networks"]) for group in place.values()})
    plot.corner(figure, f"blue: two architectures, orange: two halves of one; numbers: dispersion in points; {len(found['labels']):,} images, "
                        f"n = {' to '.join(map(str, networks[:1] + networks[1:][-1:]))} networks each; scale {scale}")
    return figure


def numbers(box, found, first, second):
    """The dispersion of a pair and that of its control, in their colours."""
    box.set_axis_off()
    for height, other, colour in ((0.62, second, BLUE), (0.38, first, ORANGE)) if None not in (first, second) else ():
        box.text(0.5, height, f"{100 * found['dispersion'][first, other]:.2f}", color=colour, fontsize=6.5, ha="center", va="center",
                 transform=box.transAxes)


def panel(box, found, first, second):
    """A pair in blue and, over it, the control in orange; on the diagonal the control alone."""
    n, image = min(int(found[f"{group}/networks"]) for group in (first, second)) // 2, 1.0
    for other, colour, margin in ((second, BLUE, 0.05), (first, ORANGE, 0.3))[first == second:]:
        cover = density(found[f"{first}/first"], found[f"{other}/second"], n, margin)[..., None]
        image = image * (1 - cover) + colour * cover
    box.imshow(image, origin="lower", extent=[-50 / n, 100 + 50 / n] * 2)
    box.set(xticks=[0, 50, 100], yticks=[0, 50, 100])


def density(x, y, n, margin):
    """Opacity of each place, by log count. Where there are few networks, places are cells with a margin on each side."""
    count, size = np.zeros((n + 1, n + 1)), -(-PIXELS // (n + 1))
    np.add.at(count, tuple(np.rint(n * np.stack([y, x])).astype(int)), 1)
    inside = abs((np.arange(size) + 0.5) / size - 0.5) < 0.5 - margin * (size > 4)
    return np.kron(np.where(count > 0, 0.3 + 0.7 * np.log1p(count) / np.log1p(count.max()), 0), np.outer(inside, inside))
