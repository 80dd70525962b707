"""Groups of networks whose predictions are compared, as the claims of Nguyen et al. 2021 look at them."""

from dataclasses import dataclass

import numpy as np

from pipeline.cells import Cells
from pipeline.claims import Bench

# Thresholds, each with its reason.
SIGNIFICANT = 0.05  # p, the paper's
NETWORKS = 50  # in a group: half of the paper's smallest


@dataclass(frozen=True)
class Groups:
    """Groups of networks, one architecture each, and the images that they classified. They have numbers."""

    found: Cells

    @property
    def numbers(self) -> list:
        return sorted(int(key) for key in self.found.keys())

    def of(self, name, number):
        """An array of a group, float64."""
        return np.asarray(self.found.get(name, number), np.float64)

    def means(self) -> list:
        """Mean accuracy of each group's networks."""
        return [float(np.mean(self.of("accuracy", number))) for number in self.numbers]

    def label(self, number) -> str:
        """As the paper calls them: ResNet-62, ResNet-14 (2x)."""
        width = float(self.found.get("width", number))
        wider = "" if width == 1 else f" ({width:g}x)"
        return f"ResNet-{int(self.found.get('depth', number))}{wider}"

    def counted(self) -> str:
        """How many networks of which architecture, in words."""
        return ", ".join(
            f"{int(self.of('networks', number))} {self.label(number)}" for number in self.numbers
        )

    def lacks(self) -> str:
        """What statistics of single examples lack where there are few networks."""
        least = min((int(self.of("networks", number)) for number in self.numbers), default=0)
        enough = least >= NETWORKS
        return "" if enough else f"the claim needs at least {NETWORKS} networks a group, here {least}"

    def dispersion(self, row, column) -> tuple[float, float]:
        """Distance of images from the diagonal of two groups, or two halves of one; its standard error."""
        return tuple(float(self.found.get(name)[row, column]) for name in ("dispersion", "dispersion_se"))

    def tested(self) -> str:
        """The test of the last two groups' mean accuracies."""
        t, df, p = (float(self.found.get(f"{name}_mean")) for name in ("t", "df", "p"))
        return f"t({df:.0f}) = {t:.2f}, p = {p:.2g}"


def loaded(case, study) -> tuple[Groups, Bench]:
    """The groups of a study, and the bench of claims on the images that they classified."""
    groups = Groups(case.load(study, "agreement", "groups"))
    images = len(groups.found.get("labels"))
    return groups, bench_of(case, study, groups, f"{images} images")


def bench_of(case, study, groups, things) -> Bench:
    """things: what the claims compare besides networks, counted."""
    replaced = study == "imagenet" and case.scale != "paper"
    note = "Tiny-ImageNet-200 in ImageNet's place" if replaced else ""
    return case.bench(f"{groups.counted()}; {things}", note, groups.lacks())


def sem(accuracy) -> str:
    """Mean and its standard error over networks."""
    error = np.std(accuracy, ddof=1) / np.sqrt(len(accuracy)) if len(accuracy) > 1 else 0.0
    return f"{100 * np.mean(accuracy):.2f} ± {100 * error:.2f} %"
