"""Accuracy on single images and on classes, a wide against a deep network: Nguyen, Raghu & Kornblith 2021, fig. 7.

Expect: a and b equal in mean, but a further from the diagonal than b, two halves of one architecture, by more than the
standard errors; c: blue differences between wide and deep spread beyond the orange ones of two halves (419 of 1000
classes have p < 0.05). Accuracies over n networks are multiples of 1/n: shaded is how many images share a place.
"""
import numpy as np

from wide import artifacts, plot

BLUE, ORANGE = plot.class_colours(2)


def draw(entry, scale):
    pair, imagenet = plot.present(lambda name: artifacts.load_result(artifacts.result(scale, entry["reads"], "agreement", name)),
                                  [(entry["groups"],), (entry["classes"],)]).values()
    figure, axes = plot.page([1.5, 1.5, 1.95], [1.5], top=0.48, bottom=0.7, across=0.55)
    parts = [(cloud, pair, 1), (cloud, pair, 0), (classes, imagenet, None)]
    for box, title, (paint, source, other) in zip(axes[0], plot.at_scale(entry["titles"], scale), parts, strict=True):
        paint(box, source, other) if source else plot.not_run(box, scale)
        box.set_title(title, loc="left", fontsize=7, pad=18)
    size = f"a, b: {len(pair['labels']):,} images, halves of n = {int(pair['0/networks'])} networks; " if pair else ""
    plot.corner(figure, "dispersion: RMS distance from the diagonal in points ± bootstrap SE; differ: p < 0.05, Welch's t-test\n"
                        f"{size}scale {scale}")
    return figure


def cloud(box, found, other):
    """Images by the accuracy of the first half of the first group's networks and of the second half of the other's."""
    n, names = min(int(found[f"{group}/networks"]) for group in (0, other)) // 2, np.char.replace(found["names"], "x)", "×)")
    marks = np.rint(n * np.stack([found["0/first"], found[f"{other}/second"]], axis=1))
    box.imshow(plot.class_map((marks + 0.5) / (n + 1), np.zeros(len(marks), int), BLUE[None], n + 1), extent=[-50 / n, 100 + 50 / n] * 2)
    box.axline((0, 0), slope=1, color=plot.GREY, linewidth=0.5, linestyle=":")
    for mark, count in zip(*np.unique(marks, axis=0, return_counts=True)) if n < 5 else ():
        box.text(*(100 * mark / n), f"{100 * count / len(marks):.1f} %", ha="center", va="center", fontsize=5,
                 color="white" if count > len(marks) ** 0.6 else "black")
    line(box, 0, f"dispersion {100 * found['dispersion'][0, other]:.2f} ± {100 * found['dispersion_se'][0, other]:.2f}\n"
                 f"means {100 * found['0/first'].mean():.2f} and {100 * found[f'{other}/second'].mean():.2f} %", plot.GREY)
    box.set(xlabel=f"{names[0]} (%)", ylabel=f"{names[other]}{'' if other else ', others'} (%)", xticks=[0, 50, 100], yticks=[0, 50, 100])


def classes(box, found, _):
    """Difference against accuracy, a point a class: wide and deep networks in blue, two halves of the deep ones in orange."""
    _, deep, wide = np.char.replace(found["names"], "x)", "×)")
    share = {name: 100 * found[f"class/{name}"] for name in ("deep", "wide", "control_a", "control_b")}
    for place, x, y, p, colour, label in ((1, "deep", "wide", "class/p", BLUE, f"{wide} − {deep}"),
                                          (0, "control_a", "control_b", "class/p_control", ORANGE, f"two halves of {deep}")):
        box.scatter(share[x], share[y] - share[x], 4, color=colour, alpha=0.6, linewidths=0)
        tested = f"{np.sum(found[p] < 0.05)} of {len(found[p])} differ" if np.isfinite(found[p]).any() else "no test"  # of one network
        line(box, place, f"{label}: {tested}", colour)
    box.axhline(0, color=plot.GREY, linewidth=0.5, linestyle=":")
    gap, names, reach = share["wide"] - share["deep"], found.get("class/name", ()), max(map(abs, box.get_ylim()))
    box.set(xlabel=f"{deep} (%)", ylabel="difference (points)", ylim=np.array([-1, 1]) * reach * (1.5 if len(names) else 1))
    for index, height in zip(np.argsort(gap)[[0, 1, 2, -1, -2, -3]], (0.04, 0.12, 0.2, 0.96, 0.88, 0.8)) if len(names) else ():
        box.annotate(str(names[index]).split(",")[0], (share["deep"][index], gap[index]), (0.02, height), "data", "axes fraction",
                     fontsize=5, va="center", arrowprops={"arrowstyle": "-", "relpos": (1, 0.5), "color": plot.FAINT, "linewidth": 0.5})


def line(box, number, text, colour):
    box.text(0, 1.02 + 0.075 * number, text, color=colour, fontsize=5.5, transform=box.transAxes)
