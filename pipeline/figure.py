"""What several drawings share: an entry at a scale, the results and networks it names, clouds, tables."""

from itertools import count, takewhile

import numpy as np

from pipeline.cells import Cells
from wide import plot

OTHERS = "others"  # in a mapping that chooses by scale: every scale that it does not name
SHOWN = "{shown}"  # in a text: the variant whose networks are shown at the scale
ALWAYS = "checked"  # the name of what a figure depends on in the place of further results
LARGEST = ("widest", "deepest")  # sizes that mean the largest in the result


def resolved(entry, scale: str, shown: str = ""):
    """An entry as a drawing is given it.

    Every mapping with the key `others` is replaced by what stands there for this scale, and {shown} in texts
    by the paper's variant. Raises ValueError for {shown} where the paper says none at this scale.
    """
    if isinstance(entry, dict) and OTHERS in entry:
        return resolved(entry.get(scale, entry[OTHERS]), scale, shown)
    if isinstance(entry, dict):
        return {key: resolved(value, scale, shown) for key, value in entry.items()}
    if isinstance(entry, list):
        return [resolved(value, scale, shown) for value in entry]
    if not isinstance(entry, str) or SHOWN not in entry:
        return entry
    if not shown:
        raise ValueError(
            f"'{entry}': the paper's params.yaml names no variant that is shown at scale {scale}"
        )
    return entry.replace(SHOWN, shown)


def reads(entry) -> list[str]:
    """Results that a figure depends on, <study>/<measure>/<variant> with their suffixes."""
    return [name for name in dict.fromkeys(entry["reads"].values()) if not name.endswith(f"/{ALWAYS}")]


def present(load, measure: str, wanted) -> list[Cells]:
    """Results of a measure, one for each (study, variant) wanted; empty where the scale leaves it out.

    Raises FileNotFoundError, the first one's, where it leaves out all.
    """
    found, missing = {}, []
    for study, variant in dict.fromkeys(wanted):
        try:
            found[study, variant] = load(study, measure, variant)
        except FileNotFoundError as error:
            found[study, variant] = Cells()
            missing.append(error)
    if len(missing) == len(found):
        raise missing[0]
    return [found[key] for key in wanted]


def studies(panels) -> list[tuple[str, str]]:
    """(study, variant) of each panel."""
    return [(panel["study"], panel["variant"]) for panel in panels]


def variants(panels) -> str:
    """Their variants, once each, for a figure's small print."""
    return ", ".join(dict.fromkeys(panel["variant"] for panel in panels))


def network(found: Cells, size: str, nth: int = 0) -> tuple[str | None, int | None]:
    """A size's nth network: (key, seed), None for what is not in the result.

    size: a key, or one of LARGEST.
    """
    keys = found.keys()
    if size in LARGEST:
        size = keys[-1] if keys else None
    seeds = found.size(size).seeds if size in keys else ()
    return size, seeds[nth] if nth < len(seeds) else None


def titled(template: str, found: Cells, size: str | None, **facts) -> str:
    """A title with the depth and the width of a size, from the result or, where it is left out, from its key.

    A size of None, the largest of an empty result, has no title but one that names no facts.
    """
    if size is None:
        return "" if "{" in template else template
    known = {name: float(found.get(name, size)) for name in ("depth", "width") if found.has(name, size)}
    facts |= {"width": 1.0, **(known if len(known) == 2 else stated(size) | known)}
    return template.format(**facts)


def stated(key: str) -> dict[str, float]:
    """What the key of a size says of it: {"width": 4.0} for w4, {"depth": 110.0} for d110."""
    return {{"w": "width", "d": "depth"}[key[0]]: float(key[1:])}


def small_print(cka: Cells, size: str, seed: int, block: str = "block") -> str:
    """A heatmap's: test accuracy, and the share of the layers that lie in the block."""
    known = cka.size(size)
    accuracy = known.accuracy[known.seeds.index(seed)]
    fraction = cka.get(block, size, seed)[0]
    return f"{100 * accuracy:.1f} %, block {100 * fraction:.0f} %"


def numbered(found: Cells) -> list[tuple[int, float]]:
    """(depth, width) of the networks, or groups of networks, that a result knows by number."""
    numbers = takewhile(lambda number: found.has("width", number), count())
    return [(int(found.get("depth", number)), float(found.get("width", number))) for number in numbers]


def resnet(depth: int, width: float, between: str = " ") -> str:
    """Name of a residual network, its width a factor on the usual one."""
    return f"ResNet-{depth}{between}({width:g}×)"


def plain_resnet(depth: int, width: float, between: str = " ") -> str:
    """As `resnet`, the width named where it is not the usual one."""
    return f"ResNet-{depth}" if width == 1 else resnet(depth, width, between)


def cloud(box, found: Cells, across: int, up: int):
    """Images by the accuracy of the first half of one group's networks and of the second half of another's.

    Accuracies over n networks are multiples of 1/n: shaded is how many images share a place, and written
    where there are few places.
    """
    n = min(int(found.get("networks", group)) for group in (across, up)) // 2
    accuracies = np.stack([found.get("first", across), found.get("second", up)], axis=1)
    marks = np.rint(n * accuracies)
    shades = plot.class_map((marks + 0.5) / (n + 1), np.zeros(len(marks), int), plot.class_colours(1), n + 1)
    box.imshow(shades, extent=[-50 / n, 100 + 50 / n] * 2)
    box.axline((0, 0), slope=1, color=plot.GREY, linewidth=0.5, linestyle=":")
    if n < 5:
        _write_shares(box, marks, n)
    names = [resnet(*group) for group in numbered(found)]
    box.set(
        xlabel=f"{names[across]} (%)",
        ylabel=f"{names[up]}{', others' if up == across else ''} (%)",
        xticks=[0, 50, 100],
        yticks=[0, 50, 100],
    )


def _write_shares(box, marks, n):
    for mark, images in zip(*np.unique(marks, axis=0, return_counts=True), strict=True):
        box.text(
            *(100 * mark / n),
            f"{100 * images / len(marks):.1f} %",
            ha="center",
            va="center",
            fontsize=5,
            color="white" if images > len(marks) ** 0.6 else "black",
        )


def legends(boxes) -> dict:
    """{label: handle} of what several panels show, each label once."""
    pairs = (zip(*box.get_legend_handles_labels(), strict=True) for box in boxes)
    return {label: handle for of_box in pairs for handle, label in of_box}


def dispersion(found: Cells, across: int, up: int) -> str:
    """How far images lie from the diagonal of a cloud, root mean square and its standard error, in points."""
    value, error = (100 * found.get(name)[across, up] for name in ("dispersion", "dispersion_se"))
    return f"dispersion {value:.2f} ± {error:.2f}"


def page(title: str, *parts: str) -> str:
    """A page of Markdown: its title, then paragraphs and tables."""
    return "\n\n".join([f"# {title}", *parts]) + "\n"


def table(rows) -> str:
    """Rows of texts, the header first, as a table of Markdown whose columns line up in plain text too.

    No text may hold a "|".
    """
    header, *body = rows
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *body]
    return "\n".join(_joined(line, widths) for line in lines)


def _joined(line, widths) -> str:
    cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
    return f"| {' | '.join(cells)} |"
