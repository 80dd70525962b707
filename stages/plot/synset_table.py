"""Wide against deep on WordNet synsets with many classes, beside the paper's: Nguyen et al. 2021, table F.2.

Expect (appendix F.4): no significant difference in most synsets; wide better on structures (+0.4 points),
deep better on commodities and consumer goods (-0.4), birds (-0.2) and, by 0.1, living things. A line of
options is the paper's row of a synset.
"""

from dataclasses import dataclass
from typing import Annotated

from pipeline.figure import nothing, numbered, page, plain_resnet, table
from pipeline.options import Study, of_length

SIDE = ["classes", "wide (%)", "deep (%)", "diff.", "p"]
HEADER = ["synset", *SIDE, "paper: classes", *SIDE[1:]]
MISSING = ["–"] * len(SIDE)
DEEP, WIDE = 1, 2  # groups


@dataclass(frozen=True)
class Options:
    """study: whose groups. data: what the images are from. paper: a synset's cells, see ``values``."""

    study: Study
    data: str
    paper: dict[str, Annotated[list[float], of_length(7)]]


def draw(entry, scale, load):
    found = load(entry["study"], "agreement", "groups")
    if not found.has("name", "synset"):
        return page(entry["title"], nothing(["wide and deep networks"], scale))
    names = [str(name) for name in found.get("name", "synset")]
    papers = {name: values(*numbers) for name, numbers in entry["paper"].items()}
    lines = [HEADER]
    lines += [[name, *row(found, index), *papers.get(name, MISSING)] for index, name in enumerate(names)]
    lines += [[name, *MISSING, *line] for name, line in papers.items() if name not in names]
    reading = "Mean ± standard error over networks; p: t-test, Holm-Šidák-corrected."
    return page(entry["title"], intro(entry, scale, found), reading, table(lines))


def intro(entry, scale, found):
    groups = numbered(found)
    wide, deep = (
        f"{int(found.get('networks', group))} {plain_resnet(*groups[group])} ({name})"
        for group, name in ((WIDE, "wide"), (DEEP, "deep"))
    )
    return (
        f"Scale {scale}; n = {wide} and {deep} networks; "
        f"synsets with at least {int(found.get('threshold', 'synset'))} classes of {entry['data']} "
        "(paper: 50 of ImageNet)."
    )


def row(found, index):
    """Cells of one of our synsets."""
    numbers = {name: found.get(name, "synset")[index] for name in ("wide", "wide_se", "deep", "deep_se")}
    percent = {name: 100 * float(value) for name, value in numbers.items()}
    difference = percent["wide"] - percent["deep"]
    classes, p = (found.get(name, "synset")[index] for name in ("classes", "p"))
    return values(int(classes), *percent.values(), difference, float(p))


def values(classes, wide, wide_se, deep, deep_se, difference, p):
    """Cells of one side; accuracies, standard errors and their difference in percent."""
    means = [f"{wide:.1f} ± {wide_se:.2f}", f"{deep:.1f} ± {deep_se:.2f}"]
    return [str(classes), *means, f"{difference:+.2f}", f"{p:.2g}"]
