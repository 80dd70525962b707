"""Groups of networks that are compared with each other, and the variants that are shown."""

from typing import Annotated

from pipeline.bounds import FILLED, Named
from pipeline.checks.runs import Run
from pipeline.places import Place
from pipeline.typed import fit
from wide import artifacts


def check_shown(params: dict, place: Place, known: dict, studies: dict):
    """`shown` names a variant for each scale. Raises ValueError otherwise."""
    if "shown" in params:
        variants = {variant for names in studies.values() for variant in names["variants"]}
        hint = dict[Annotated[str, Named("scales", each=True)], Annotated[str, Named("variants")]]
        fit(hint, params["shown"], place / "shown", known | {"variants": sorted(variants)})


def check_across(params: dict, place: Place, runs: list[Run], known: dict, studies: dict, root: dict):
    """Parts of groups name studies, variants and sizes, and their stage depends on them.

    Raises ValueError, one line, otherwise.
    """
    groups = {run.words["group"]: run for run in runs if "group" in run.words}
    if "across" not in params:
        return
    if not groups:
        raise (place / "across").refused("no stage of dvc.yaml compares these groups; one must")
    part = next(iter(groups.values())).described("Part")
    hint = Annotated[dict[str, Annotated[list[part], FILLED]], FILLED]
    for group, parts in fit(hint, params["across"], place / "across", known).items():
        sets = {}
        for number, each in enumerate(parts):
            here = place / "across" / group / number
            _check_part(each, here, params, studies)
            for variant in [each.variant] if each.variant else params["shown"].values():
                _check_dep(each.study, variant, groups.get(group), here, root["scale"])
            sets[params[each.study]["train"]["set"]] = here / "study"
        if len(sets) > 1:
            names = ", ".join(sets)
            raise sets.popitem()[1].refused(f"networks are compared on one data set, not on {names}")


def _check_part(part, place, params, studies):
    names = studies[part.study]
    keys = [*names["keys"], "last"]
    if part.size not in keys:
        raise (place / "size").wrong(part.size, f"a size of {part.study}: {', '.join(keys)}")
    if part.variant is None and "shown" not in params:
        raise place.missing("variant", "a variant, since the paper has no `shown`")
    if part.variant is None:
        for scale, variant in params["shown"].items():
            if variant not in names["variants"]:
                must = f"a study with the variant {variant}, which is shown at scale {scale}"
                raise (place / "study").wrong(part.study, must)
    elif part.variant not in names["variants"]:
        must = f"a variant of {part.study}: {', '.join(names['variants'])}"
        raise (place / "variant").wrong(part.variant, must)


def _check_dep(study, variant, run, place, scale):
    paper = place.file.split("/")[1]
    path = str(artifacts.population(scale, paper, study, variant))
    if run and path not in run.entry.deps:
        raise (place / "study").wrong(study, f"one whose {path} is among {run.entry.place}.deps")
