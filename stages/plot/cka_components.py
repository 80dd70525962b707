"""First principal components of a deep and of a wide network, four panels each: Nguyen et al. 2021, fig. 3 and D.7.

Expect: with a block (fig. 3), first PCs that are alike where CKA is high (top), that hold most of the variance there
(bottom left) and take the block with them when they are removed (bottom right). Without a block (D.7), small shares of
the variance, first PCs that are alike elsewhere than CKA says, and hardly a change when they go.
"""
import numpy as np

from wide import artifacts, plot

SIDE = 1.0  # inches of a panel
TITLES = ["squared cosine\nof first PCs", "CKA", "variance fraction\nof the first PC", "CKA without\nthe first PC"]


def draw(entry, scale):
    groups = plot.at_scale(entry["groups"], scale)
    cka, pca = (plot.present(lambda *key: artifacts.load_result(artifacts.result(scale, key[0], measure, key[1])),
                             [(group["study"], group["variant"]) for group in groups]) for measure in ("cka", "pca"))
    figure, axes = plot.page(([SIDE, SIDE, 0.15] * len(groups))[:-1], [SIDE] * 2, left=0.45, right=0.6, top=0.65, bottom=0.55,
                             across=0.15, down=0.5)
    for box in axes[:, 2::3].flat:
        box.remove()
    for number, group in enumerate(groups):
        study, boxes = (group["study"], group["variant"]), axes[:, 3 * number:3 * number + 2]
        boxes[0, 0].text(0, 1.36, four(boxes.flat, group, cka[study], pca[study], entry.get("layers", "all"), scale),
                         fontsize=8, transform=boxes[0, 0].transAxes)
        for box, title in zip(boxes.flat, TITLES):
            box.set_title(title, fontsize=7, pad=3)
        for box in boxes[1]:
            box.set_xlabel("ReLU layer" if "layers" in entry else "layer", fontsize=7)
        boxes[0, 0].set_ylabel("ReLU layer" if "layers" in entry else "layer", fontsize=7)
        boxes[1, 0].set_ylabel("fraction", fontsize=7)
    plot.colour_bar(figure, axes[0, -1], "CKA, cos²")
    variants = ", ".join(dict.fromkeys(group["variant"] for group in groups))
    plot.corner(figure, f"above: test accuracy, share of the layers in the block (shaded); variant {variants}; scale {scale}")
    return figure


def four(boxes, group, cka, pca, layers, scale):
    """Draw the panels of one network, of all its layers or of its ReLUs alone; returns its title."""
    size, seed = plot.member(pca, group["size"], group.get("seed", 0))
    title, boxes, of = plot.named(group["title"], pca, size), list(boxes), f"{size}/{seed}"
    if f"{of}/cka" not in cka:
        for box in boxes:
            plot.not_run(box, scale, small=True)
        return title
    shown = np.array([layers == "all" or name.split(".")[-1].startswith(layers) for name in cka[f"{size}/layers"]])
    for box, matrix in zip((boxes[0], boxes[1], boxes[3]), (pca[f"{of}/cosine2"], cka[f"{of}/cka"], cka.get(f"{of}/removed"))):
        plot.heatmap(box, matrix[np.ix_(shown, shown)]) if matrix is not None else plot.not_run(box, scale, small=True)
    for box in (boxes[1], boxes[3]):
        box.tick_params(labelleft=False)
    start, stop = np.cumsum(np.r_[0, shown])[cka[f"{of}/block"][1:].astype(int)]  # counted in the layers shown
    boxes[2].fill_between(np.arange(shown.sum()), pca[f"{of}/fraction"][shown], step="mid", color=plot.PALETTE[0], linewidth=0)
    if stop > start:
        boxes[2].axvspan(start - 0.5, stop - 0.5, color="0.88", zorder=0, linewidth=0)
    boxes[2].sharex(boxes[0])
    boxes[2].set(ylim=(0, 1))
    boxes[2].tick_params(**plot.SMALL)
    return f"{title}: {plot.results(cka, size, seed)}"
