"""A paper's files against each other and against the root's parameters."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from pipeline import sets
from pipeline.checks.across import check_across, check_shown
from pipeline.checks.figures import File, check_figures
from pipeline.checks.layers import keys_of, study_shape
from pipeline.checks.measures import check_runs, check_settings
from pipeline.checks.pipelines import check_trained, check_vars
from pipeline.checks.runs import Run, check_words, runs_of
from pipeline.checks.shape import Study
from pipeline.checks.templates import Entry, entries
from pipeline.checks.trials import trials
from pipeline.figure import LARGEST
from pipeline.parameters import PIPELINE, ROOT, paper_file
from pipeline.places import Place, mapping
from pipeline.typed import checked
from wide import artifacts

NAME = r"[A-Za-z][A-Za-z0-9_.-]*"
SECTIONS = ("measures", "shared", "shown", "across")  # what is no study


@dataclass
class Paper:
    """A paper's parsed files, and what they name. studies: {study: names by kind}."""

    key: str
    params: dict
    figures: dict
    pipeline: dict
    root: dict
    studies: dict
    entries: list[Entry]
    runs: list[Run]

    @classmethod
    def of(cls, key: str, params: dict, figures: dict, pipeline: dict, root: dict) -> "Paper":
        """Its studies and stages. Raises ValueError, one line, for what has not its shape."""
        found = cls(key, params, figures, pipeline, root, {}, [], [])
        checked(File, figures, found.place("figures.yaml"))
        known = {"scales": list(root["scales"]), "data sets": sets.names()}
        for name in found._study_names():
            study_shape(params[name], found.place() / name, known)
        found.entries = entries(pipeline, {**root, **params, **figures}, found.place(PIPELINE))
        found.runs = runs_of(found.entries)
        return found

    def place(self, file: str = ROOT) -> Place:
        """The beginning of one of its files."""
        return Place(paper_file(self.key, file))

    def _study_names(self) -> list[str]:
        """Sections that are studies, by a key of theirs at least."""
        keys = Study.__dataclass_fields__
        found = []
        for name, section in mapping(self.params, self.place()).items():
            if name in SECTIONS:
                mapping(section, self.place() / name)
            elif isinstance(section, dict) and any(key in section for key in keys):
                found.append(name)
            else:
                raise self.place().unknown(name, [*SECTIONS, *found])
        return found

    def check(self, claims: Collection):
        """Raise ValueError, one line, for what a run would refuse. claims: keys of judged figures."""
        params, place, runs, root = self.params, self.place(), self.runs, self.root
        tried = {name: trials(params[name], place / name, root) for name in self._study_names()}
        self.studies = {name: self._names(params[name]) for name in tried}
        self._refuse_odd_names()
        known, studies = self._known(), self.studies
        for entry in self.entries:
            check_vars(entry, params, place.file)
        for run in runs:
            check_words(run, self._arguments(), studies)
        check_trained(self.entries, params, studies, place.file)
        check_settings(params, place, runs, known, studies)
        check_shown(params, place, known, studies)
        check_across(params, place, runs, known, studies, root)
        check_runs(params, place, runs, known=known, studies=studies, tried=tried, root=root)
        place, shown = self.place("figures.yaml"), params.get("shown", {})
        check_figures(
            self.figures, place, self.key, results=self._results(), claims=claims, known=known, shown=shown
        )
        for run in runs:
            if run.name == "plot":
                self._check_reads(run.words["key"], run.entry)

    def _refuse_odd_names(self):
        """Names stand in commands, in paths and in stages' names."""
        names = [(self.place(), name) for name in self.studies]
        names += [
            (self.place() / study / "variants", name)
            for study, known in self.studies.items()
            for name in known["variants"]
        ]
        names += [(self.place() / "across", name) for name in self.params.get("across", {})]
        for place, name in names:
            if not re.fullmatch(NAME, str(name)):
                raise place.wrong(
                    name, "a name of letters, digits, '_', '-' and '.' that begins with a letter"
                )

    def _names(self, study: dict) -> dict:
        """What can be named of a study, by kind."""
        card, train = self._card(study), study["train"]
        return {
            "variants": list(study["variants"]),
            "keys": keys_of(study),
            "labels": [label for label in card.labels("train") if label in card.labels(train["test"])],
            "splits": list(card.splits),
            "classes": range(card.classes[train["labels"]]),
        }

    def _card(self, study: dict) -> sets.Card:
        return sets.card(study["train"]["set"], self.root["scale"])

    def _known(self) -> dict:
        """What can be named in all of the paper."""
        union = {kind: [] for kind in ("variants", "keys", "labels")}
        for names in self.studies.values():
            for kind in union:
                union[kind] += [name for name in names[kind] if name not in union[kind]]
        return union | {
            "scales": list(self.root["scales"]),
            "studies": list(self.studies),
            "sizes": [*union["keys"], *LARGEST],
            "groups": list(self.params.get("across", {})),
            "classes": {name: self._card(self.params[name]).classes for name in self.studies},
        }

    def _arguments(self) -> dict:
        """What arguments of stages can be, by their names."""
        judges = [name for name, names in self.studies.items() if "judge" in names["variants"]]
        return {
            "paper": [self.key],
            "scale": list(self.root["scales"]),
            "study": list(self.studies),
            "judge": judges,
            "group": list(self.params.get("across", {})),
            "set_name": sorted({self.params[name]["train"]["set"] for name in self.studies}),
            "key": list(self.figures["figures"]),
        }

    def _check_reads(self, key: str, entry: Entry):
        """A drawing's stage depends on everything that the figure's entry reads."""
        for letter, result in self.figures["figures"][key]["reads"].items():
            if f"{artifacts.RESULTS}/{self.root['scale']}/{self.key}/{result}" not in entry.deps:
                place = self.place("figures.yaml") / "figures" / key / "reads" / letter
                raise place.wrong(result, f"under a letter that {entry.place}.deps has")

    def _results(self) -> list[str]:
        """Results that its stages make, as <study>/<measure>/<variant>.<suffix>."""
        above = f"{artifacts.RESULTS}/{self.root['scale']}/{self.key}/"
        outs = [out for entry in self.entries for out in entry.outs]
        return [out.removeprefix(above) for out in outs if out.startswith(above)]
