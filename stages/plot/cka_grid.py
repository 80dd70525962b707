"""CKA between all layers of single networks, one heatmap each: Nguyen et al. 2021, fig. 1, 2, C.1, D.1-D.6.

Expect: a checkerboard in small networks; with depth and width (fig. 1, C.1), and sooner with less data (2, D.2-D.4), a
bright square of late layers, at another place in every seed (D.1), where the top PC holds much variance (D.5). Without
the first PC it goes (D.6). A row of options has sizes, or one size and so many seeds, or panels of their own.
"""
import numpy as np

from wide import artifacts, plot

SIDE = 0.9  # inches of a heatmap


def draw(entry, scale):
    rows = [[row | panel for panel in panels(row)] for row in plot.at_scale(entry["rows"], scale)]
    studies = [(panel["study"], panel["variant"]) for row in rows for panel in row]
    cka, pca = (plot.present(lambda *key: artifacts.load_result(artifacts.result(scale, key[0], measure, key[1])), studies)
                if wanted else {} for measure, wanted in (("cka", True), ("pca", entry.get("sort"))))
    more = [0.12 * max(panel["title"].count("\n") for panel in row) for row in rows]  # inches of further lines in titles
    figure, axes = plot.page([SIDE] * max(map(len, rows)), [SIDE] * len(rows), left=0.75, right=0.55, top=0.36 + more[0],
                             bottom=0.52, across=0.13, down=0.44 + max(more))
    for row, boxes in zip(rows, axes):
        for column, (box, panel) in enumerate(zip(boxes, row)):
            paint(box, panel, entry.get("matrix", "cka"), cka, pca, scale)
            box.tick_params(labelleft=column == 0)
        for box in boxes[len(row):]:
            box.remove()
        found = cka[row[0]["study"], row[0]["variant"]]
        boxes[0].text(-0.46, 0.5, plot.named(row[0]["label"], found, plot.member(found, row[0]["size"])[0]), fontsize=7.5,
                      rotation=90, ha="right", va="center", ma="center", transform=boxes[0].transAxes)
    for box in axes[-1]:
        box.set_xlabel("layer" if box.images else "", fontsize=7)
    for box in axes[:, 0]:
        box.set_ylabel("layer" if box.images else "", fontsize=7)
    plot.colour_bar(figure, axes[0, -1], "CKA")
    plot.corner(figure, f"small print: test accuracy, share of the layers in the block; scale {scale}")
    return figure


def panels(row):
    """What sets the panels of a row apart: their sizes, or the nth seed of one size, or all that they list."""
    if "panels" in row:
        return row["panels"]
    return [{"nth": nth} for nth in range(row["seeds"])] if "seeds" in row else [{"size": size} for size in row["sizes"]]


def paint(box, panel, matrix, cka, pca, scale):
    """One heatmap. Where a row is sorted, its nth seed is that with the nth largest share of the top PC."""
    study, nth = (panel["study"], panel["variant"]), panel.get("nth", 0)
    size, seed = plot.member(cka[study], panel["size"], nth)
    late = {other: float(pca.get(study, {}).get(f"{size}/{other}/late", np.nan)) for other in cka[study].get(f"{size}/seeds", ())}
    if pca and seed is not None:
        seed = sorted(late, key=lambda other: np.nan_to_num(late[other], nan=-1), reverse=True)[nth]
    shown = cka[study].get(f"{size}/{seed}/{matrix}")
    facts = {"seed": nth if seed is None else seed, "late": late.get(seed, np.nan)}
    title = plot.named(panel["title"], cka[study], size, **facts).replace("nan", "–")
    if shown is None:
        plot.not_run(box, scale, small=True)
        return plot.heading(box, "" if pca else title)
    plot.heatmap(box, shown)
    plot.heading(box, title, plot.results(cka[study], size, seed, "block" if matrix == "cka" else f"{matrix}_block"))
