"""A scale's caps: how a study's settings and what a scale allows of them become the settings of a run.

Settings are nested mappings; here they are leaves, {("recipe", "lr"): value}. Numbers take the smaller, lists
of sizes keep what the cap names, and whatever else stands among the caps departs from the paper, which the
report lists.
"""

from dataclasses import dataclass, field

WHOLE = ("seeds", "over")  # mappings that are one value: members of each size, panels of a variant
PURE = (("views",), ("examples",), ("image_size",), ("sizes", "widest"))  # caps of what no study states
LISTS = (("sizes", "widths"), ("sizes", "depths"))  # of which a cap names those that are kept
SEEDS = ("seeds",)
INSTEAD = "instead"  # among caps: what replaces the paper's values, numbers too
OTHERS = "others"  # in a mapping of seeds: every size that is not named


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
    """Whether it is a number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass
class Resolved:
    """Settings of a run, {path: value}, where each came from, and what of the paper's was changed.

    sources: {path: where}; where and path, joined by dots, are the key in the parameters file: below the
    study, or, for what begins with "scales", at the root.
    departures: (path, the paper's value or None, ours), what is not a cap.
    """

    values: dict = field(default_factory=dict)
    sources: dict = field(default_factory=dict)
    departures: list = field(default_factory=list)

    def put(self, path: tuple, value, source: str):
        """Set one value; what stood at, below or above the path goes."""
        for other in list(self.values):
            shorter = min(len(other), len(path))
            if other[:shorter] == path[:shorter]:
                del self.values[other], self.sources[other]
        self.values[path], self.sources[path] = value, source

    def put_all(self, settings: dict, source: str):
        """Set every value of a nested mapping."""
        for path, value in leaves(settings):
            self.put(path, value, source)

    def cap(self, path: tuple, value, source: str):
        """Apply one cap. Raises ValueError for one that keeps a size which is not there."""
        stated = self.values.get(path)
        if path == SEEDS:
            left = fewest(stated, value)
        elif path in PURE:
            left = value if stated is None else min(stated, value)
        elif path in LISTS and isinstance(stated, list):
            left = _kept(stated, value, source)
        elif is_number(value) and is_number(stated):
            left = min(stated, value)
        else:
            return self.depart(path, value, source)
        if left != stated:
            self.put(path, left, source)

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


@dataclass(frozen=True)
class Capped:
    """Seeds and a cap on them that cannot be one number, since one of them differs from size to size."""

    stated: object
    cap: object

    def __str__(self):
        return f"{_words(self.stated)}, at most {_words(self.cap)}"


def _words(seeds) -> str:
    """Seeds as they stand in a parameters file."""
    if not isinstance(seeds, dict):
        return str(seeds)
    return f"{{{', '.join(f'{key}: {value}' for key, value in seeds.items())}}}"


def fewest(stated, cap):
    """The seeds that a cap leaves: the first so many of a list, or, where sizes differ, both as `Capped`."""
    if isinstance(cap, int) and isinstance(stated, int):
        return min(stated, cap)
    if isinstance(cap, int) and isinstance(stated, list):
        return stated[:cap]
    return Capped(stated, cap)


def seeds_of(stated, key: str) -> list[int]:
    """Seeds of a size: so many from 0, a list, or a mapping of sizes to one or the other; capped or not.

    A cap of 0 leaves the size out. Raises ValueError for a mapping that does not name it, and for a list that
    keeps none of its seeds.
    """
    if not isinstance(stated, Capped):
        seeds = _of_size(stated, key)
        return list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    seeds, cap = seeds_of(stated.stated, key), _of_size(stated.cap, key)
    left = seeds[:cap] if isinstance(cap, int) else [seed for seed in seeds if seed in cap]
    if not left and cap != 0:
        raise ValueError(f"the cap on seeds, {cap}, leaves {key} none of its {len(seeds)}: raise it")
    return left


def _of_size(stated, key: str):
    if not isinstance(stated, dict):
        return stated
    if key not in stated and OTHERS not in stated:
        raise ValueError(f"seeds names {', '.join(map(str, stated))}, but not {key}: add it, or '{OTHERS}'")
    return stated.get(key, stated.get(OTHERS))


def resolve(study: dict, variant: str, scale: str, general: dict) -> Resolved:
    """Settings of a variant at a scale, and where each came from.

    study: {train, variants: {variant: ...}, at: {scale: {train: ...}}}.
    general: the scale's caps for all studies.
    Raises ValueError for a variant or scale that the study lacks, and for caps that keep what is not there.
    """
    for kind, name, known in (("variant", variant, study["variants"]), ("scale", scale, study["at"])):
        if name not in known:
            raise ValueError(f"{kind} '{name}' is unknown; the study has {', '.join(known)}")
    departure = study["variants"][variant] or {}
    found, caps = Resolved(), Resolved()
    found.put_all(study["train"], "train")
    found.put_all(departure, f"variants.{variant}")
    own = dict(study["at"][scale]["train"])
    single = (own.pop("variants", None) or {}).get(variant) or {}
    caps.put_all(general, f"scales.{scale}.train")  # each replaced where the study has one of its own
    caps.put_all(own, f"at.{scale}.train")
    caps.put_all(single, f"at.{scale}.train.variants.{variant}")
    # A variant keeps the sizes that it names, whatever its study's caps keep of the others'.
    named = [path for path in LISTS if path in dict(leaves(departure)) and path not in dict(leaves(single))]
    for path, value in caps.values.items():
        if path[0] != INSTEAD and path not in named:
            found.cap(path, value, caps.sources[path])
    for path, value in caps.values.items():
        if path[0] == INSTEAD:
            found.depart(path[1:], value, f"{caps.sources[path]}.{INSTEAD}")
    return found


def measure_caps(params: dict, study: dict, scale: str) -> dict:
    """Caps on a study's measures: the scale's, a study's own in front. study: its declared section."""
    return {**params["scales"][scale]["measure"], **study["at"][scale]["measure"]}


def at_most(settings: dict, caps: dict) -> dict:
    """A measure's settings with its numbers cut to the caps of the same names."""
    return {
        name: min(value, caps[name]) if is_number(value) and name in caps else value
        for name, value in settings.items()
    }
