"""What several drawings share: an entry at a scale, the results and networks it names, tables."""

import re
from itertools import count, takewhile

from pipeline.cells import Cells

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


def listing(words) -> str:
    """a, b and c."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def left_out(names, scale: str) -> str:
    """A sentence that names the panels that did not run; none for no names."""
    return f"Not run at {scale}: {'; '.join(merged(names))}." if any(names) else ""


def nothing(names, scale: str) -> str:
    """A sentence in the place of a figure of which nothing ran."""
    return f"Nothing of this figure runs at scale {scale}: {'; '.join(merged(names))}."


def merged(names) -> list[str]:
    """Each name once; those that differ in their last brackets alone as one: ResNet-38 (8×, 10×)."""
    kinds = {}
    for name in dict.fromkeys(" ".join(name.split()) for name in names if name):
        kind, inside = re.fullmatch(r"(.*?)(?: \(([^()]*)\))?", name).groups()
        kinds.setdefault(kind, []).append(inside)
    brackets = [", ".join(filter(None, inside)) for inside in kinds.values()]
    return [kind + f" ({inside})" * bool(inside) for kind, inside in zip(kinds, brackets)]


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

    {channels} is ", 32 ch" where the first stage has so many. A size of None, the largest of an empty result,
    has no title but one that names no facts.
    """
    if size is None:
        return "" if "{" in template else template
    known = {name: float(found.get(name, size)) for name in ("depth", "width") if found.has(name, size)}
    facts |= {"width": 1.0, **(known if len(known) == 2 else stated(size) | known)}
    channels = f", {int(found.get('channels', size))} ch" if found.has("channels", size) else ""
    return template.format(channels=channels, **facts)


def stated(key: str) -> dict[str, float]:
    """What the key of a size says of it: {"width": 4.0} for w4, {"depth": 110.0} for d110."""
    return {{"w": "width", "d": "depth"}[key[0]]: float(key[1:])}


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


def legends(boxes) -> dict:
    """{label: handle} of what several panels show, each label once."""
    pairs = (zip(*box.get_legend_handles_labels(), strict=True) for box in boxes)
    return {label: handle for of_box in pairs for handle, label in of_box}


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
