"""Test accuracies of all architectures: table B.1 of Nguyen et al. 2021."""

import numpy as np

from papers.nguyen.claims.nets import FEWEST
from papers.nguyen.claims.numbers import mean, say, spearman

# Thresholds, each with its reason.
NEAR = {"CIFAR-10": 0.007, "CIFAR-100": 0.015}  # of the paper's accuracies: a few seeds' spread
ORDERED = 0.9  # Spearman's rho of our accuracies with the paper's


def tabB1(case):
    return [claim for column, name in enumerate(NEAR) for claim in column_of(case, column, name)]


def column_of(case, column, name) -> list:
    """The two claims on one data set's accuracies."""
    rows = case.entry["rows"]
    cells = trained(case, rows, column)
    ours, theirs = np.array([cell[:2] for cell in cells.values()]).reshape(-1, 2).T
    networks = sum(count for *_, count in cells.values())
    whole = sum(len(row["paper"]) for row in rows)
    bench = case.bench(f"{len(cells)} of {whole} architectures, {networks} networks", name)
    few = "" if len(cells) >= FEWEST else "the scale keeps fewer than three architectures"
    paper, rho = published(rows, column), spearman(ours, theirs)
    return [
        close(bench, name, cells, np.abs(ours - theirs), paper, few),
        bench.judge(
            f"{name} accuracies are ordered as the paper's: Spearman's ρ above 0.9",
            paper,
            f"ρ = {say(rho)}",
            rho > ORDERED,
            against_number=True,
            lacks=few,
        ),
    ]


def trained(case, rows, column) -> dict:
    """What the scale keeps of a column: {architecture: (our accuracy, the paper's, number of networks)}."""
    cells = {}
    for row in rows:
        found = case.kept(row["studies"][column], "training", row["variant"])
        sizes = {size.key: size for size in found.sizes()}
        for key, papers in row["paper"].items():
            accuracy = sizes[key].accuracy if key in sizes else ()
            networks = int(np.isfinite(accuracy).sum())  # those that diverged have no accuracy
            if networks:
                architecture = f"{row['depth']} {key}" if "depth" in row else key
                cells[architecture] = mean(accuracy), papers[column] / 100, networks
    return cells


def close(bench, name, cells, off, paper, few):
    near = off <= NEAR[name] + 1e-9  # accuracies are rounded
    listed = "; ".join(
        f"{cell} {100 * value:.1f} ({100 * number:.1f})" for cell, (value, number, _) in cells.items()
    )
    furthest = f"furthest off by {100 * max(off, default=np.nan):.1f} points"
    return bench.judge(
        f"each {name} accuracy lies within {100 * NEAR[name]:.1f} points of the paper's",
        paper,
        f"{near.sum()} of {len(cells)}, {furthest}: {listed} (the paper's)",
        bool(near.all()),
        against_number=True,
        lacks="" if cells else few,
    )


def published(rows, column) -> str:
    """The paper's column of the table."""
    said = []
    for row in rows:
        keys = list(row["paper"])
        name = f"ResNet-{row['depth']}" if "depth" in row else f"{keys[0]} to {keys[-1]}"
        said.append(f"{name} {'/'.join(str(papers[column]) for papers in row['paper'].values())}")
    return "; ".join(said) + " %"
