"""What the scales cap and change of a paper's parameters, in words."""

from pipeline.caps import leaves


def caps(root: dict, params: dict) -> list[tuple[str, str]]:
    """(scale, its caps by study, and in words of their own what departs from the paper).

    root: params.yaml. params: the paper's.
    """
    studies = {name: study for name, study in params.items() if isinstance(study, dict) and "train" in study}
    lines = []
    for scale, general in root["scales"].items():
        found = [f"all studies: {_listed(general)}"] if _listed(general) else []
        found += [
            f"{name}: {_listed(study['at'][scale])}"
            for name, study in studies.items()
            if _listed(study["at"][scale])
        ]
        lines.append((scale, "; ".join(found) or "no caps, the paper’s own numbers"))
    return lines


def _listed(caps: dict) -> str:
    """Caps in words; what replaces a number of the paper's, or adds to it, says so."""
    words = []
    for path, value in leaves(caps):
        names = [
            name for name in (path[1:] if path[0] in ("train", "measure") else path) if name != "instead"
        ]
        words.append(f"{'.'.join(names)} {value}" + (" instead" if "instead" in path else ""))
    return ", ".join(words)
