"""Test accuracies of all architectures: table B.1 of Nguyen et al. 2021."""

from dataclasses import dataclass

import numpy as np

from papers.nguyen.claims.numbers import spearman
from pipeline.claims import BELOW_LINEAR, LEFT_OUT, Estimate, Lack

# Thresholds, each with its reason.
NEAR = {"CIFAR-10": 0.007, "CIFAR-100": 0.015}  # of the paper's accuracies: a few seeds' spread
ORDERED = 0.9  # Spearman's rho of our accuracies with the paper's
FEWEST = 5  # architectures that an order needs: of four, one in 24 is right by luck
DRAWS = 200  # of accuracies within their standard errors
CONTROL = "none: untrained networks are at chance, whatever their size"


@dataclass(frozen=True)
class Cell:
    """An architecture. ours: accuracies of its networks that did not diverge. unlearned: as a claim lacks."""

    name: str
    ours: tuple
    paper: float
    unlearned: Lack | None

    @property
    def mean(self) -> float:
        return float(np.mean(self.ours))

    def error(self, spread) -> float:
        """Standard error over seeds, of which all architectures' share one spread."""
        return spread / np.sqrt(len(self.ours))


def tabB1(case):
    return [claim for column, name in enumerate(NEAR) for claim in column_of(case, column, name)]


def column_of(case, column, name) -> list:
    """The two claims on one data set's accuracies."""
    rows = case.entry["rows"]
    cells = trained(case, rows, column)
    networks, whole = sum(len(cell.ours) for cell in cells), sum(len(row["paper"]) for row in rows)
    bench = case.bench(f"{len(cells)} of {whole} architectures, {networks} networks", name)
    spread, paper = pooled(cells), published(rows, column)
    return [close(bench, name, cells, spread, paper), ordered(bench, name, cells, spread, paper)]


def trained(case, rows, column) -> list:
    """What the scale keeps of a column."""
    cells = []
    for row in rows:
        study, variant = row["studies"][column], row["variant"]
        sizes = {size.key: size for size in case.kept(study, "training", variant).sizes()}
        for key, papers in row["paper"].items():
            ours = [value for value in (sizes[key].accuracy if key in sizes else ()) if np.isfinite(value)]
            if ours:
                name = f"{row['depth']} {key}" if "depth" in row else key
                unlearned = case.unlearned(study, variant, ours)
                cells.append(Cell(name, tuple(ours), papers[column] / 100, unlearned))
    return cells


def pooled(cells) -> float:
    """Standard deviation over seeds, of all architectures that have several; NaN of a single network.

    Where none has several, that of the distances from the paper's accuracies stands in, which is larger: it
    holds the seeds' and more.
    """
    several = [cell.ours for cell in cells if len(cell.ours) > 1]
    if not several and len(cells) > 1:
        return float(np.std([cell.mean - cell.paper for cell in cells], ddof=1))
    freedom = sum(len(ours) - 1 for ours in several)
    squares = sum(np.var(ours, ddof=1) * (len(ours) - 1) for ours in several)
    return float(np.sqrt(squares / freedom)) if freedom else np.nan


def close(bench, name, cells, spread, paper):
    """Judged whatever the networks have learned: those that have not learned are not near."""
    off = [Estimate(abs(cell.mean - cell.paper), cell.error(spread)) for cell in cells]
    worst = max(off, key=lambda one: one.value, default=Estimate(np.nan))
    near = sum(one.value < NEAR[name] for one in off)
    listed = "; ".join(f"{cell.name} {100 * cell.mean:.1f} ({100 * cell.paper:.1f})" for cell in cells)
    poor = sum(cell.unlearned is not None and cell.unlearned.cause == BELOW_LINEAR for cell in cells)
    return bench.judge(
        f"each {name} accuracy lies within {100 * NEAR[name]:.1f} points of the paper's",
        paper,
        f"{near} of {len(cells)}, furthest off by {worst.said(1, 100)} points: {listed or '–'} (the paper's)",
        worst,
        below=NEAR[name],
        against_number=True,
        control=CONTROL,
        lacks=None if cells else Lack(LEFT_OUT, "no architecture"),
        reason=f"{poor} of {len(cells)} {BELOW_LINEAR}" if poor else "",
    )


def ordered(bench, name, cells, spread, paper):
    """Of the architectures that are above a linear classifier."""
    learned = [cell for cell in cells if cell.unlearned is None]
    found = agreement(learned, spread)
    few = Lack(
        LEFT_OUT if len(cells) < FEWEST else BELOW_LINEAR,
        f"an order needs {FEWEST} architectures, here {len(learned)} of {len(cells)} have learned",
    )
    return bench.judge(
        f"{name} accuracies are ordered as the paper's: Spearman's ρ above 0.9",
        paper,
        f"ρ = {found.said()}, {len(learned)} architectures",
        found,
        above=ORDERED,
        against_number=True,
        control=CONTROL,
        lacks=few if len(learned) < FEWEST else None,
    )


def agreement(cells, spread) -> Estimate:
    """Spearman's rho with the paper's accuracies; its standard error by seeds, NaN where none are several."""
    ours, papers = np.array([[cell.mean, cell.paper] for cell in cells]).reshape(-1, 2).T
    errors = np.array([cell.error(spread) for cell in cells])
    if not np.isfinite(spread) or len(cells) < 2:
        return Estimate(spearman(ours, papers))
    draws = ours + errors * np.random.default_rng(0).standard_normal((DRAWS, len(cells)))
    return Estimate(spearman(ours, papers), float(np.nanstd([spearman(draw, papers) for draw in draws])))


def published(rows, column) -> str:
    """The paper's column of the table."""
    said = []
    for row in rows:
        keys = list(row["paper"])
        name = f"ResNet-{row['depth']}" if "depth" in row else f"{keys[0]} to {keys[-1]}"
        said.append(f"{name} {'/'.join(str(papers[column]) for papers in row['paper'].values())}")
    return "; ".join(said) + " %"
