"""Networks compared with each other in figures 6 and E.1 of Nguyen et al. 2021."""

from collections import Counter

import numpy as np

from papers.nguyen.claims.controls import BARE
from papers.nguyen.claims.labels import channels, label
from papers.nguyen.claims.nets import ABSENT, HAS_BLOCK
from papers.nguyen.claims.numbers import mean, say
from pipeline.claims import Estimate, Lack, first_of

STUDIES = {14: "shallow", 38: "wide"}  # that networks are from, by depth; the others are from "deep"


class Group:
    """Networks of which CKA between each two was measured. They have numbers."""

    def __init__(self, case, name):
        self.case, self.found = case, case.kept("across", "cka", name)
        self.numbers = sorted(int(key) for key in self.found.keys())

    def share(self, number) -> float:
        """Share of a network's layers that lie in its block."""
        return float(self.found.get("block", number)[0])

    def has_block(self, number) -> bool:
        return self.share(number) >= HAS_BLOCK

    def shares(self, numbers=None) -> str:
        """In words, of some networks or of all."""
        kept = self.numbers if numbers is None else numbers
        return f"block fraction {say([self.share(number) for number in kept])}"

    def inside(self, number):
        """Which of a network's layers lie in its block: (L,) bool."""
        _, start, stop = self.found.get("block", number)
        position = np.arange(len(self.found.get("layers", number)))
        return (position >= start) & (position < stop)

    def cka(self, row, column):
        """Between the layers of two networks, (layers of row, layers of column) float64."""
        if row > column:
            return self.cka(column, row).T
        return np.asarray(self.found.get("cka", row, column), np.float64)

    def gap(self, i, j) -> float:
        """Mean |CKA between two networks - mean of the CKA within each|."""
        within = (self.cka(i, i) + self.cka(j, j)) / 2
        return mean(np.abs(self.cka(i, j) - within))

    def accuracy(self, numbers) -> Estimate:
        """Test accuracy, mean over these networks."""
        return Estimate.of([self.found.get("accuracy", number) for number in numbers])

    def kinds(self) -> list:
        """Numbers of the networks of each architecture, in the order in which they come."""
        found = {}
        for number in self.numbers:
            kind = int(self.found.get("depth", number)), float(self.found.get("width", number))
            found.setdefault(kind, []).append(number)
        return list(found.values())

    def lacks(self) -> Lack | None:
        """Left out, or an architecture that has not learned more than its pixels give."""
        if not self.numbers:
            return ABSENT
        return first_of(*map(self.unlearned, self.kinds()))

    def unlearned(self, numbers) -> Lack | None:
        study = STUDIES.get(int(self.found.get("depth", numbers[0])), "deep")
        accuracies = [self.found.get("accuracy", number) for number in numbers]
        return self.case.unlearned(study, self.case.shown, accuracies)

    def bench(self):
        kinds = Counter(map(self.label, self.numbers))
        counted = (f"{kind}: {count} seed{'s' * (count > 1)}" for kind, count in kinds.items())
        return self.case.bench(", ".join(counted) or "no network")

    def what(self) -> str:
        """Untrained networks, in words."""
        kinds = [self.label(numbers[0]) for numbers in self.kinds()]
        return f"{BARE}: {' and '.join(kinds)}" if kinds else BARE

    def label(self, number) -> str:
        depth, width = (self.found.get(name, number) for name in ("depth", "width"))
        return label(depth, width, channels(self.found, number))
