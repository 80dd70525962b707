"""Groups of networks whose predictions are compared, as the claims of Nguyen et al. 2021 look at them."""

from dataclasses import dataclass

import numpy as np

from papers.nguyen.claims.labels import channels, label
from papers.nguyen.claims.nets import ABSENT
from pipeline.cells import Cells
from pipeline.claims import NOT_IMAGENET, TOO_FEW, Bench, Control, Estimate, Lack, first_of

# Thresholds, each with its reason.
SIGNIFICANT = 0.05  # p, the paper's
NETWORKS = (
    10  # in a group, for claims on single images and classes: an accuracy of an image is then one of ten
)
VARIANTS = {"pair": ("deep", "wide"), "imagenet": ("base", "deep", "wide")}  # of a study's groups, in order


@dataclass(frozen=True)
class Groups:
    """Groups of networks, one architecture each, and the images that they classified. They have numbers.

    learned: per group, what it lacks to be above a linear classifier on the same pixels, or None. wanted: as
    many groups at least are compared; where the scale leaves some out, their numbers are NaN.
    """

    found: Cells
    learned: tuple = ()
    wanted: int = 1

    @property
    def numbers(self) -> list:
        return sorted(int(key) for key in self.found.keys())

    @property
    def complete(self) -> bool:
        return len(self.numbers) >= self.wanted

    def left_out(self) -> Lack | None:
        return None if self.complete else ABSENT

    def of(self, name, number):
        """An array of a group, float64; one NaN where the scale leaves the group out."""
        if number not in self.numbers:
            return np.full(1, np.nan)
        return np.asarray(self.found.get(name, number), np.float64)

    def fact(self, name, *at):
        """An array of all groups together, float64; two NaN where the scale leaves a group out."""
        return np.asarray(self.found.get(name, *at), np.float64) if self.complete else np.full(2, np.nan)

    def accuracy(self, number) -> Estimate:
        """Mean accuracy of a group's networks."""
        return Estimate.of(self.of("accuracy", number))

    def name(self, number) -> str:
        """As the paper calls them: ResNet-62, ResNet-14 (2×); a dash for what is left out."""
        if number not in self.numbers:
            return "–"
        width = float(self.found.get("width", number))
        wider = "" if width == 1 else f" ({width:g}×)"
        return f"ResNet-{int(self.found.get('depth', number))}{wider}"

    def label(self, number) -> str:
        """With the channels, where they are known."""
        depth, width = (float(self.found.get(key, number)) for key in ("depth", "width"))
        return label(depth, width, channels(self.found, number))

    def counted(self) -> str:
        """How many networks of which architecture, in words."""
        some = (f"{int(self.of('networks', number))} {self.label(number)}" for number in self.numbers)
        return ", ".join(some) or "no network"

    def unlearned(self) -> Lack | None:
        """A group that is left out, or the first whose networks have not learned more than pixels give."""
        return first_of(self.left_out(), *self.learned)

    def few(self) -> Lack | None:
        """What claims on single images and classes lack: networks that learned something, enough of them."""
        least = min((int(self.of("networks", number)) for number in self.numbers), default=0)
        few = Lack(TOO_FEW, f"single images and classes need {NETWORKS} networks a group, here {least}")
        return first_of(self.unlearned(), None if least >= NETWORKS else few)

    def dispersion(self, row, column) -> Estimate:
        """Distance of images from the diagonal of two groups, or of two halves of one."""
        if not {row, column} <= set(self.numbers):
            return Estimate(np.nan)
        return Estimate(
            *(float(self.found.get(name)[row, column]) for name in ("dispersion", "dispersion_se"))
        )

    def tested(self) -> str:
        """The test of the last two groups' mean accuracies."""
        if not self.complete:
            return "–"
        t, df, p = (float(self.found.get(f"{name}_mean")) for name in ("t", "df", "p"))
        return f"t({df:.0f}) = {t:.2f}, p = {p:.2g}"


def loaded(case, study) -> tuple[Groups, Bench]:
    """The groups of a study, and the bench of claims on the images that they classified."""
    groups = groups_of(case, study)
    images = len(groups.found.get("labels")) if groups.found.has("labels") else 0
    return groups, bench_of(case, study, groups, f"{images} images")


def groups_of(case, study) -> Groups:
    groups = Groups(case.kept(study, "agreement", "groups"))
    names, count = VARIANTS.get(study, ("all",)), len(groups.numbers)
    learned = (
        case.unlearned(study, names[place * len(names) // count], groups.of("accuracy", number))
        for place, number in enumerate(groups.numbers)
    )
    return Groups(groups.found, tuple(learned), len(names))


def bench_of(case, study, groups, things) -> Bench:
    """things: what the claims compare besides networks, counted."""
    replaced = study == "imagenet" and case.scale != "paper"
    note = "Tiny-ImageNet-200 in ImageNet's place" if replaced else ""
    return case.bench(f"{groups.counted()}; {things}", note)


def not_imagenet(case) -> Lack | None:
    """What claims about groups of ImageNet's own classes lack."""
    return None if case.scale == "paper" else Lack(NOT_IMAGENET, "Tiny-ImageNet-200")


def apart(bench, groups, pairs, paper):
    """Each pair of architectures is further from the diagonal than two halves of either.

    The pair that says so least surely is judged. Networks of one architecture that vary more from training to
    training put images further apart without any difference between architectures: the larger of the halves'
    dispersions is the threshold, and the control.
    """
    cross, noise, number = min((_pair(groups, *pair) for pair in pairs), key=_surely)
    return bench.judge(
        "two architectures lie further apart on single images than two halves of either: dispersion (RMS "
        "distance from the diagonal) above the larger of the halves'",
        paper,
        "; ".join(_said(groups, *pair) for pair in pairs),
        cross,
        above=noise.value,
        control=Control(f"two halves of {groups.name(number)}", noise, 2, 100, " points"),
        lacks=groups.few(),
    )


def _pair(groups, a, b) -> tuple:
    """Dispersion of two groups, the larger of their halves', and whose it is."""
    number = max((a, b), key=lambda group: groups.dispersion(group, group).value)
    return groups.dispersion(a, b), groups.dispersion(number, number), number


def _surely(pair) -> float:
    gap = pair[0].minus(pair[1])
    return gap.value - 2 * gap.se


def _said(groups, a, b) -> str:
    halves = (f"halves of {groups.name(g)} {groups.dispersion(g, g).said(2, 100)}" for g in (a, b))
    cross = groups.dispersion(a, b).said(2, 100, " points")
    return f"{groups.name(a)} and {groups.name(b)} {cross}, {', '.join(halves)}"


def sem(accuracy: Estimate) -> str:
    """Mean and its standard error over networks, in percent."""
    return accuracy.said(2, 100, " %")
