"""CKA between all layers of single networks, one heatmap each: Nguyen et al. 2021, fig. 1, 2, C.1, D.1-D.6.

Expect: a checkerboard in small networks; with depth and width (fig. 1, C.1), and sooner with less data (2, D.2-D.4), a
bright square of late layers, at another place in every seed (D.1), where the top PC holds much variance (D.5); without
the first PC it goes (D.6). A row of options has sizes, or one size and so many seeds, or panels of their own.
"""
import numpy as np

from wide import artifacts, plot


def draw(entry, scale):
    rows = [[row | panel for panel in panels(row)] for row in plot.at_scale(entry["rows"], scale)]
    studies = [(panel["study"], panel["variant"]) for row in rows for panel in row]
    cka, pca = (plot.present(lambda *key: artifacts.load_result(artifacts.result(scale, key[0], measure, key[1])), studies)
                if wanted else {} for measure, wanted in (("cka", True), ("pca", entry.get("sort"))))
    more = [0.12 * max(panel["title"].count("\n") for panel in row) for row in rows]  # inches of further lines in titles
    sides = [entry.get("side", 0.9)]  # inches of a heatmap
    figure, axes = plot.page(sides * max(map(len, rows)), sides * len(rows), left=0.75, right=0.55, top=0.36 + more[0], bottom=0.52,
                             across=0.13, down=0.44 + max(more))
    for row, boxes in zip(rows, axes):
        for column, (box, panel) in enumerate(zip(boxes, row)):
            paint(box, panel, entry.get("matrix", "cka"), cka, pca, scale)
            box.tick_params(labelleft=column == 0)
        for box in boxes[len(row):]:
            box.remove()
        boxes[0].set_ylabel("layer" if boxes[0].images else "", fontsize=7)
        found, first = cka[row[0]["study"], row[0]["variant"]], row[0]
        label = plot.named(first["label"], found, plot.member(found, first["size"])[0])
        boxes[0].annotate(label, (0, 0.5), (-30, 0), xycoords="axes fraction", textcoords="offset points", fontsize=7.5, rotation=90,
                          ha="right", va="center", ma="center")
    for box in axes[-1]:
        box.set_xlabel("layer" if box.images else "", fontsize=7)
    plot.colour_bar(figure, axes[0, -1], "CKA")
    variants = ", ".join(dict.fromkeys(variant.split("-")[-1] for _, variant in studies))
    plot.corner(figure, f"above: test accuracy, block's share of the layers; variant {variants}; scale {scale}")
    return figure


def panels(row):
    """What sets the panels of a row apart: all that they list, or the nth seed of one size, or their sizes."""
    return row.get("panels") or [{"nth": nth} for nth in range(row.get("seeds", 0))] or [{"size": size} for size in row["sizes"]]


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
        plot.heading(box, "" if pca else title)
        return plot.not_run(box, scale, small=True)
    plot.heatmap(box, shown)
    plot.heading(box, title, plot.results(cka[study], size, seed, "block" if matrix == "cka" else f"{matrix}_block"))
