"""What the dvc.yaml files say of studies, data sets, parameters and files, against what there is."""

from os.path import exists, normpath
from pathlib import PurePath

from pipeline.checks.runs import HERE
from pipeline.checks.templates import Entry
from pipeline.parameters import PIPELINE
from pipeline.places import Place

MADE = ("data", "results", "figures")  # folders that stages write into


def check_vars(entry: Entry, params: dict, file: str):
    """A stage that names a study names its network and its data set, too, for its dependencies.

    file: of the paper's parameters. Raises ValueError where they differ.
    """
    name = entry.vars.get("study")
    if name is None:
        return
    place = entry.place / "vars"
    studies = [key for key, section in params.items() if isinstance(section, dict) and "train" in section]
    if name not in studies:
        raise (place / "study").wrong(name, f"a study of {file}: {', '.join(studies)}")
    train = params[name]["train"]
    for key, stated in (("net", train["net"]["name"]), ("set", train["set"])):
        if entry.vars.get(key, stated) != stated:
            raise (place / key).wrong(entry.vars[key], f"{stated!r}, as in {file}: {name}.train")


def check_params(entry: Entry, files: dict):
    """Raise ValueError for a declared parameter that is not there. files: parsed, by path."""
    for file, key in entry.params:
        if file not in files:
            raise (entry.place / "params").wrong(file, f"one of {', '.join(files)}")
        found, path = files[file], key.split(".") if key else []
        for part in path:
            if not isinstance(found, dict) or part not in found:
                place = Place(file, tuple(path))
                raise ValueError(f"{place} is missing; it must be stated: {entry.place} declares it")
            found = found[part]


def check_deps(pipelines: dict[str, list[Entry]]):
    """Raise ValueError for a dependency that no stage makes and that is no file.

    pipelines: stages by dvc.yaml.
    """
    made = {out for entries in pipelines.values() for entry in entries for out in entry.outs}
    for entries in pipelines.values():
        for entry in entries:
            for dep in entry.deps:
                path = PurePath(normpath(dep))
                if path.parts[0] not in MADE:
                    if not exists(HERE / dep):
                        raise (entry.place / "deps").wrong(dep, "a file of this repository")
                elif not made & {str(path), *map(str, path.parents)}:
                    raise (entry.place / "deps").wrong(dep, "the output of a stage, and no stage makes it")


def check_trained(entries: list[Entry], params: dict, studies, file: str):
    """Every variant of every study is trained by a stage. file: of the paper's parameters."""
    trained = {tuple(entry.words[1:3]) for entry in entries if entry.module == "train"}
    for study in studies:
        for variant in params[study]["variants"]:
            if (study, variant) not in trained:
                place = Place(file, (study, "variants", variant))
                raise place.refused(f"no stage of {PIPELINE} trains it; it must have one, train_{study}")


def check_listed(root: list[Entry], files: list[str], drawn: dict[str, str], read: list[str]):
    """The root's stages know all papers: check depends on their files, report on their figures.

    files: that check depends on. drawn: {figure: key in its file}. read: what report reads besides.
    Raises ValueError for one that is left out.
    """
    check = next((entry for entry in root if entry.module == "check"), None)
    missing = [file for file in files if check and file not in check.deps]
    if missing:
        raise (check.place / "deps").missing(missing[0], "listed: check reads it")
    report = next((entry for entry in root if entry.module == "report"), None)
    if report is None or not any(dep.startswith("figures/") for dep in report.deps):
        return
    for figure, key in drawn.items():
        if figure not in report.deps:
            raise ValueError(f"{key} is drawn and never shown; {figure} must be among {report.place}.deps")
    missing = [file for file in read if file not in report.deps]
    if missing:
        raise (report.place / "deps").missing(missing[0], "listed: report reads it")
