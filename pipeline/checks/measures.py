"""Settings of measures, bound to the dataclasses of their stages: Settings of all studies, OfStudy of one.

Either may have a method ``refuse``, which looks at what the measure would be given of a size (`Trial`); an
OfStudy whose ``needed`` is False may be left out.
"""

from pipeline.bounds import parts_of
from pipeline.caps import at_most, measure_caps
from pipeline.checks.runs import Run
from pipeline.checks.shape import MeasureCaps
from pipeline.places import Place, mapping
from pipeline.typed import bind, fit, parameters_of


def check_settings(params: dict, place: Place, runs: list[Run], known: dict, studies: dict):
    """Raise ValueError, one line, for settings that no measure could use, and for those that are missing.

    params: the paper's. place: of their file. known: names by kind. studies: more of them for each study.
    """
    shared = params.get("measures", {})
    settings = {run.name: run.described("Settings") for run in runs if run.described("Settings")}
    _same_names(shared, settings, settings, place / "measures")
    for name, values in shared.items():
        bind(settings[name], values, place / "measures" / name, known)
    for study, names in studies.items():
        here, own = place / study / "measure", params[study]["measure"]
        measured = {run.name: run.described("OfStudy") for run in runs if run.words.get("study") == study}
        measured = {name: kind for name, kind in measured.items() if kind}
        needed = [name for name, kind in measured.items() if getattr(kind, "needed", True)]
        _same_names(own, measured, needed, here)
        for name, values in own.items():
            bind(measured[name], values, here / name, known | names)
        for scale, caps in params[study]["at"].items():
            check_caps(caps["measure"], place / study / "at" / scale / "measure", settings.values(), known)


def _same_names(stated: dict, known, needed, place: Place):
    for name in mapping(stated, place):
        if name not in known:
            raise place.unknown(name, known)
    for name in needed:
        if name not in stated:
            raise place.missing(name, "a mapping of names to values: a stage measures it")


def check_caps(caps: dict, place: Place, settings, known: dict):
    """Raise ValueError for a cap that is none of the general ones nor of a number among measures' settings.

    settings: dataclasses of the measures.
    """
    general, hints = parameters_of(MeasureCaps)[0], {}
    for kind in settings:
        for name, hint in parameters_of(kind)[0].items():
            if parts_of(hint)[0] in (int, float):
                hints.setdefault(name, []).append(hint)
    for key, value in mapping(caps, place).items():
        if key not in general and key not in hints:
            raise place.unknown(key, dict.fromkeys([*general, *hints]))
        for hint in hints.get(key, []):
            fit(hint, value, place / key, known)


def check_runs(
    params: dict, place: Place, runs: list[Run], *, known: dict, studies: dict, tried: dict, root: dict
):
    """Raise ValueError for what a measure refuses of the networks and images that the scale gives it.

    tried: {study: {variant: its sizes' trials}}. The others as in `check_settings`.
    """
    scale = root["scale"]
    for run in runs:
        study, judge = run.words.get("study"), run.words.get("judge")
        if judge and len(tried[judge]["judge"]) > 1:
            sizes = ", ".join(tried[judge]["judge"][0].members)
            raise (place / judge / "variants" / "judge" / "sizes").wrong(
                sizes, "one size: a judge is one network"
            )
        if study not in studies:
            continue
        caps = measure_caps(root, params[study], scale)
        shared, own = params.get("measures", {}).get(run.name, {}), params[study]["measure"].get(run.name)
        kinds = {
            place / "measures" / run.name: (run.described("Settings"), at_most(shared, caps)),
            place / study / "measure" / run.name: (run.described("OfStudy"), own),
        }
        for here, (kind, values) in kinds.items():
            if hasattr(kind, "refuse") and values is not None:
                settings = bind(kind, values, here, known | studies[study])
                for variant in run.variants:
                    _ask(settings, tried[study][variant], here, f"{study}, {variant}, at scale {scale}")


def _ask(settings, trials, place, what):
    for trial in trials:
        try:
            settings.refuse(trial)
        except ValueError as error:
            raise place.refused(f"{error} ({what})") from None
