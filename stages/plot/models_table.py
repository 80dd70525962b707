"""How much of what tells wide from deep predictions a class explains, by AIC: Nguyen et al. 2021, table F.1.

Expect (appendix F.3): AIC falling from A to B to C (each factor pays for its parameters), and V² of B
clearly between 0 and 1 (11 %). Absolute values grow with the number of images and networks: only their
order compares with the paper's.
"""

from dataclasses import dataclass
from typing import Annotated

from pipeline.figure import nothing, numbered, page, plain_resnet, table
from pipeline.options import Study, of_length

HEADER = ["model", "AIC", "against A", "paper's AIC", "against A"]
DEEP, WIDE = 1, 2  # groups


@dataclass(frozen=True)
class Model:
    """aic: the paper's."""

    name: str
    aic: int


@dataclass(frozen=True)
class Options:
    """study: whose groups of networks. data: what the images are from. v2: the paper's, in percent."""

    study: Study
    data: str
    v2: float
    models: Annotated[list[Model], of_length(3)]


def draw(entry, scale, load):
    found = load(entry["study"], "agreement", "groups")
    if not found.has("aic", "models"):
        return page(entry["title"], nothing(["wide and deep networks"], scale))
    ours = found.get("aic", "models").tolist()
    papers = [model["aic"] for model in entry["models"]]
    lines = [HEADER]
    for model, value, paper in zip(entry["models"], ours, papers, strict=True):
        own = [f"{value:,.0f}", f"{value - ours[0]:+,.0f}"]
        lines.append([model["name"], *own, f"{paper:,}", f"{paper - papers[0]:+,}"])
    return page(entry["title"], intro(entry, scale, found), table(lines), explained(entry, found))


def intro(entry, scale, found):
    names = [plain_resnet(*group) for group in numbered(found)]
    networks = " and ".join(f"{int(found.get('networks', group))} {names[group]}" for group in (DEEP, WIDE))
    images = len(found.get("labels"))
    return f"Scale {scale}; n = {networks} networks, {images:,} test images of {entry['data']}."


def explained(entry, found):
    v2 = float(found.get("v2", "models"))
    share = "undefined, since A and C fit equally well" if v2 != v2 else f"{100 * v2:.1f} %"
    return f"Share of C's reduction of the residual variance that B has, V²: {share}; paper {entry['v2']} %."
