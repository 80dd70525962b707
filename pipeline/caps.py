"""A scale's caps: how a study's settings and what a scale allows of them become the settings of a run.

Settings are nested mappings; here they are leaves, {("recipe", "lr"): value}. Numbers take the smaller, lists of sizes keep
what the cap names, and whatever else stands among the caps departs from the paper, which the report lists.
"""

from dataclasses import dataclass, field

WHOLE = ("seeds", "over")  # mappings that are one value: members of each size, panels of a variant
PURE = (("views",), ("examples",), ("image_size",), ("sizes", "widest"))  # caps of what no study states
LISTS = (("sizes", "widths"), ("sizes", "depths"))  # of which a cap names those that are kept


def leaves(settings: dict, above: tuple = ()):
    """(path, value) of every setting in a nested mapping; paths are tuples of names."""
    for key, value in settings.items():
        if isinstance(value, dict) and key not in WHOLE:
            yield from leaves(value, (*above, key))
        else:
            yield (*above, key), value


def nested(flat: dict) -> dict:
    """The nested mapping of {path: value}."""
    found = {}
    for path, value in flat.items():
        inner = found
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = value
    return found


def is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass
class Resolved:
    """Settings of a run, {path: value}, where each came from, and what of the paper's was changed.

    departures: (path, the paper's value or None, ours), what is not a cap.
    """

    values: dict = field(default_factory=dict)
    sources: dict = field(default_factory=dict)
    departures: list = field(default_factory=list)

    def put(self, path: tuple, value, source: str):
        """Set one value; what stood at or below the path goes."""
        for other in [other for other in self.values if other[: len(path)] == path]:
            del self.values[other], self.sources[other]
        self.values[path], self.sources[path] = value, source

    def put_all(self, settings: dict, source: str):
        for path, value in leaves(settings):
            self.put(path, value, source)

    def cap(self, path: tuple, value, source: str):
        """Apply one cap."""
        stated = self.values.get(path)
        if path in PURE:
            if stated is None or value < stated:
                self.put(path, value, source)
        elif path in LISTS and isinstance(stated, list):
            self.put(path, _kept(stated, value, source), source)
        elif is_number(value) and is_number(stated):
            if value < stated:
                self.put(path, value, source)
        else:
            self.depart(path, value, source)

    def depart(self, path: tuple, value, source: str):
        """Replace a value by one that is no cap."""
        stated = self.values.get(path)
        if stated != value:
            self.put(path, value, source)
            self.departures.append((path, stated, value))


def _kept(stated: list, cap: list, source: str) -> list:
    unknown = [entry for entry in cap if entry not in stated]
    if unknown:
        raise ValueError(f"{source} keeps {unknown[0]!r}, which the study does not have: it has {stated}")
    return [entry for entry in stated if entry in cap]


def overridden(general: dict, *own: dict) -> dict:
    """Caps of all studies, each replaced where a later mapping has one of its own: {path: value}."""
    found = Resolved()
    for settings in (general, *own):
        found.put_all(settings, "")
    return found.values


def measure_caps(params: dict, study: dict, scale: str) -> dict:
    """Caps on a study's measures: the scale's, a study's own in front. study: the study's declared section."""
    return {**params["scales"][scale]["measure"], **study["at"][scale]["measure"]}


def at_most(settings: dict, caps: dict) -> dict:
    """A measure's settings with its numbers cut to the caps of the same names."""
    return {
        name: min(value, caps[name]) if is_number(value) and name in caps else value for name, value in settings.items()
    }
