"""What a variant's training consists of, and where each number came from.

`python -m stages.explain <paper.study> <variant> [<scale>]`, or `make explain STUDY=nguyen.wide
VARIANT=sixteenth [SCALE=quick]`; without a scale, that of params.yaml.
"""

import sys

from pipeline.explained import Setting, data, settings, sizes
from pipeline.lifetime import stage
from pipeline.variants import Variant, one, scale_and_width


@stage
def main(study: str, variant: str, scale: str = ""):
    scale, width = scale_and_width(scale)
    found = one(study, variant, scale, width)
    print(f"{study}, variant {variant}, at scale {scale}, width {width:g}")
    table("settings", [row(setting) for setting in settings(found)])
    table("data", [row(setting) for setting in data(found)])
    each = sizes(found)
    if not each:
        print(f"\nthe scale leaves it out: no network is trained at {scale}")
        return
    columns = [name for name in each[0] if any(size[name] for size in each)]
    table("sizes", [columns, *([size[name] for name in columns] for size in each)])
    print(f"\n{note(found)}")


def row(setting: Setting) -> list[str]:
    """A setting as a line of a table."""
    return [setting.name, setting.value, setting.origin, setting.remark]


def table(title: str, rows: list[list[str]]):
    """Print rows with their columns aligned."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    print(f"\n{title}")
    for cells in rows:
        print(("  " + "  ".join(f"{cell:{width}s}" for cell, width in zip(cells, widths))).rstrip())


def note(found: Variant) -> str:
    """What the sizes' numbers are made of."""
    views = found.plan.views
    passes = (
        "epochs" if views is None else f"epochs or, if less, {views:,} views / {found.examples:,} examples"
    )
    return f"passes: {passes}; views: images that a member is shown, without the short last batch of a pass"


if __name__ == "__main__":
    main(*sys.argv[1:])
