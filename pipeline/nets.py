"""Networks by the name of their file in wide/nets."""

import importlib
from difflib import get_close_matches
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "wide" / "nets"


def known() -> list[str]:
    """Names of all networks."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def network(name: str):
    """The network's constructor, ``Net(width, *, image, classes, **options)``.

    Raises ValueError for an unknown name, with the nearest known one.
    """
    return _module(name).Net


def constant_size_width(name: str):
    """The function (depth, inputs, outputs, widest) -> width of equal parameters, of networks that have one.

    Raises ValueError for the others.
    """
    try:
        return _module(name).constant_size_width
    except AttributeError:
        raise ValueError(
            f"network '{name}' has no rule for a width of equal parameters: list its widths"
        ) from None


def _module(name: str):
    if name not in known():
        near = get_close_matches(str(name), known(), 1)
        hint = f"did you mean '{near[0]}'?" if near else f"known networks: {', '.join(known())}"
        raise ValueError(f"network '{name}' is unknown: there is no wide/nets/{name}.py; {hint}")
    return importlib.import_module(f"wide.nets.{name}")
