"""Wide and deep networks on groups of ImageNet's classes: tables F.1 and F.2 of Nguyen et al. 2021."""

import numpy as np

from papers.nguyen.claims.groups import SIGNIFICANT, bench_of, groups_of, loaded, not_imagenet
from pipeline.claims import UNDEFINED, Control, Estimate, Lack, first_of

# Thresholds, each with its reason.
ALIKE = (
    0.004  # accuracy: no difference as large as those that the paper speaks of (0.42, 0.42 and 0.41 points)
)


def tabF1(case):
    groups, bench = loaded(case, "imagenet")
    return [
        *(worth_it(bench, groups, case.entry["models"], step) for step in (0, 1)),
        explained(case, bench, groups),
    ]


def worth_it(bench, groups, models, step):
    """A larger model is worth its parameters. step: 0 from A to B, 1 from B to C."""
    aic = "; ".join(map(spaced, groups.fact("aic", "models"))) if groups.complete else "–"
    fall, halves = (
        Estimate(*(float(groups.fact(f"{name}{part}", "models")[step]) for part in ("", "_se")))
        for name in ("fall", "control_fall")
    )
    ends = "AB" if step == 0 else "BC"
    what = ("classes", "single images, beyond those on classes,")[step]
    return bench.judge(
        f"the architecture's effects on {what} are worth their parameters: AIC falls from model {ends[0]} to "
        f"{ends[1]}",
        "; ".join(spaced(model["aic"]) for model in models),
        f"{aic}: falls by {fall.said(0)} (± over folds of classes)",
        fall,
        above=0.0,
        control=Control("two halves of the deep network", halves, 0),
        lacks=groups.few(),
    )


def explained(case, bench, groups):
    """No finding: the models are nested, so that the larger ones explain more."""
    v2 = float(groups.fact("v2", "models").flat[0])
    same = Lack(UNDEFINED, "models A and C do not differ") if np.isnan(v2) else None
    return bench.check(
        "class effects explain a part of the example-level variance: 0 < V² < 1",
        f"{case.entry['v2']} %",
        Estimate(v2).said(1, 100, " %"),
        0 < v2 < 1,
        lacks=first_of(groups.left_out(), same, groups.unlearned()),
    )


def spaced(value) -> str:
    """A whole number in groups of three digits."""
    return f"{value:,.0f}".replace(",", " ")


def tabF2(case):
    groups = groups_of(case, "imagenet")
    bench = bench_of(case, "imagenet", groups, f"{len(rows_of(groups))} synsets")
    papers, lacks = case.entry["paper"], first_of(groups.left_out(), not_imagenet(case), groups.few())
    differ = differing(papers)
    others = [name for name in rows_of(groups) if name not in differ]
    what = f"any of the other synsets with enough classes ({len(papers) - len(differ)} in the paper)"
    return [
        *(
            better(bench, groups, name, 1 if papers[name][5] > 0 else -1, published(papers[name]), lacks)
            for name in differ
        ),
        alike(bench, groups, others, what, f"{len(papers) - len(differ)} synsets, none significant", lacks),
    ]


def differing(papers) -> list:
    """Synsets that differ significantly in the paper, largest difference first, then the wide network's."""
    names = [name for name, row in papers.items() if row[-1] < SIGNIFICANT]
    return sorted(names, key=lambda name: (-abs(papers[name][5]), -papers[name][5]))


def published(row) -> str:
    """The paper's difference (points) and corrected p of a synset."""
    gap = f"{row[5]:+.2f}".replace("-", "−")
    return f"{gap} points (wide − deep), p = {row[6]:g}".replace("e-0", "e-")


def rows_of(groups) -> dict:
    """{name: position in the table}, underscores read as spaces."""
    names = groups.found.get("name", "synset") if groups.found.has("name", "synset") else ()
    return {str(name).replace("_", " "): row for row, name in enumerate(names)}


def at(groups, name, row) -> float:
    """A number of a synset."""
    return float(groups.found.get(name, "synset")[row])


def gap_of(groups, row) -> Estimate:
    """Accuracy of the wide less that of the deep networks."""
    wide, deep = (Estimate(at(groups, side, row), at(groups, f"{side}_se", row)) for side in ("wide", "deep"))
    return wide.minus(deep)


def described(groups, row) -> str:
    wide, deep = (100 * at(groups, name, row) for name in ("wide", "deep"))
    errors = [100 * at(groups, name, row) for name in ("wide_se", "deep_se")]
    accuracies = f"{wide:.1f} ± {errors[0]:.2f} and {deep:.1f} ± {errors[1]:.2f} %"
    classes = int(at(groups, "classes", row))
    return f"{accuracies} (wide, deep; {wide - deep:+.2f}), p = {at(groups, 'p', row):.2g}, {classes} classes"


def better(bench, groups, name, sign, paper, lacks):
    """One side (1 wide, -1 deep) is significantly more accurate on a synset."""
    row = rows_of(groups).get(name)
    known = {} if row is None else {key: at(groups, key, row) for key in ("p", "p_control")}
    p, halves = (Estimate(known.get(key, np.nan), 0.0) for key in ("p", "p_control"))
    return bench.judge(
        f"{name}: the {'wide' if sign > 0 else 'deep'} network is more accurate, p < 0.05",
        paper,
        "–" if row is None else described(groups, row),
        p,
        below=SIGNIFICANT,
        holds=row is not None and sign * gap_of(groups, row).value > 0,
        control=Control("two halves of the deep network: p", halves),
        lacks=first_of(lacks, absent(groups, name) if row is None else None),
    )


def alike(bench, groups, names, what, paper, lacks):
    """An equivalence: difference and two standard errors are small, on the synset where they are largest."""
    rows = [row for name, row in rows_of(groups).items() if name in names]
    gaps = {row: Estimate(abs(gap_of(groups, row).value), gap_of(groups, row).se) for row in rows}
    worst = max(gaps, key=lambda row: gaps[row].value + 2 * gaps[row].se, default=None)
    named = {row: name for name, row in rows_of(groups).items()}
    return bench.judge(
        f"{what}: wide and deep networks differ by less than 0.4 points",
        paper,
        "–" if worst is None else f"most on {named[worst]}: {described(groups, worst)}; {len(rows)} compared",
        gaps.get(worst, Estimate(np.nan)),
        below=ALIKE,
        control="none: that architectures make no difference is what is claimed",
        lacks=first_of(lacks, None if rows else absent(groups, ", ".join(names) or "others")),
    )


def absent(groups, name) -> Lack:
    if not groups.found.has("threshold", "synset"):
        return Lack(UNDEFINED, "no synsets measured")
    least = int(groups.found.get("threshold", "synset"))
    return Lack(UNDEFINED, f"{name}: fewer than {least} classes in these images")
