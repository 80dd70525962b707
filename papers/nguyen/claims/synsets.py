"""Wide and deep networks on groups of ImageNet's classes: tables F.1 and F.2 of Nguyen et al. 2021."""

from papers.nguyen.claims.groups import SIGNIFICANT, Groups, bench_of, loaded
from papers.nguyen.claims.numbers import percent, unless


def tabF1(case):
    groups, bench = loaded(case, "imagenet")
    aic, explained = groups.found.get("aic", "models"), float(groups.found.get("v2", "models"))
    return [
        bench.judge(
            "AIC falls from model A over B to C: A > B > C",
            "; ".join(spaced(model["aic"]) for model in case.entry["models"]),
            "; ".join(map(spaced, aic)),
            bool(aic[0] > aic[1] > aic[2]),
        ),
        bench.judge(
            "class effects explain a part of the example-level variance: 0 < V² < 1",
            f"{case.entry['v2']} %",
            percent(explained),
            0 < explained < 1,
            lacks=bench.lacks or unless(explained, "models A and C do not differ"),
        ),
    ]


def spaced(value) -> str:
    """A whole number in groups of three digits."""
    return f"{value:,.0f}".replace(",", " ")


def tabF2(case):
    groups = Groups(case.load("imagenet", "agreement", "groups"))
    bench = bench_of(case, "imagenet", groups, f"{len(rows_of(groups))} synsets")
    papers = case.entry["paper"]
    differ = differing(papers)
    found = [
        better(bench, groups, name, 1 if papers[name][5] > 0 else -1, published(papers[name]))
        for name in differ
    ]
    return [*found, no_other(bench, groups, papers, differ)]


def differing(papers) -> list:
    """Synsets that differ significantly in the paper, largest difference first, then the wide network's."""
    names = [name for name, row in papers.items() if row[-1] < SIGNIFICANT]
    return sorted(names, key=lambda name: (-abs(papers[name][5]), -papers[name][5]))


def published(row) -> str:
    """The paper's difference (points) and corrected p of a synset."""
    gap = f"{row[5]:+.2f}".replace("-", "−")
    return f"{gap} points (wide − deep), p = {row[6]:g}".replace("e-0", "e-")


def no_other(bench, groups, papers, differ):
    others = [name for name in rows_of(groups) if name not in differ]
    return unchanged(
        bench,
        groups,
        others,
        "no other synset with enough classes (at least 50 of ImageNet's) differs significantly: p ≥ 0.05",
        f"{len(papers)} synsets, {len(papers) - len(differ)} not significant",
    )


def rows_of(groups) -> dict:
    """{name: position in the table}, underscores read as spaces."""
    names = groups.found.get("name", "synset") if groups.found.has("name", "synset") else ()
    return {str(name).replace("_", " "): row for row, name in enumerate(names)}


def at(groups, name, row) -> float:
    """A number of a synset."""
    return float(groups.found.get(name, "synset")[row])


def described(groups, row) -> str:
    wide, deep = (100 * at(groups, name, row) for name in ("wide", "deep"))
    errors = [100 * at(groups, name, row) for name in ("wide_se", "deep_se")]
    accuracies = f"{wide:.1f} ± {errors[0]:.2f} and {deep:.1f} ± {errors[1]:.2f} %"
    classes = int(at(groups, "classes", row))
    return f"{accuracies} (wide, deep; {wide - deep:+.2f}), p = {at(groups, 'p', row):.2g}, {classes} classes"


def better(bench, groups, name, sign, paper):
    """One side (1 wide, -1 deep) is significantly more accurate on a synset."""
    row = rows_of(groups).get(name)
    statement = f"{name}: the {'wide' if sign > 0 else 'deep'} network is more accurate, p < 0.05"
    if row is None:
        return bench.judge(statement, paper, "–", False, lacks=bench.lacks or absent(groups, name))
    gap = at(groups, "wide", row) - at(groups, "deep", row)
    holds = sign * gap > 0 and at(groups, "p", row) < SIGNIFICANT
    return bench.judge(statement, paper, described(groups, row), holds)


def unchanged(bench, groups, names, statement, paper):
    """No significant difference on any of the synsets."""
    rows = {name: row for name, row in rows_of(groups).items() if name in names}
    if not rows:
        wanted = ", ".join(names) or "others"
        return bench.judge(statement, paper, "–", True, lacks=bench.lacks or absent(groups, wanted))
    p = {name: at(groups, "p", row) for name, row in rows.items()}
    differ = [f"{name} {described(groups, rows[name])}" for name in rows if p[name] < SIGNIFICANT]
    calm = f"{len(rows)} synsets, least p = {min(p.values()):.2g}"
    if len(rows) == 1:
        calm = described(groups, *rows.values())
    return bench.judge(statement, paper, ", ".join(differ) or calm, not differ)


def absent(groups, name) -> str:
    if not groups.found.has("threshold", "synset"):
        return "no synsets measured"
    return f"{name}: fewer than {int(groups.found.get('threshold', 'synset'))} classes in these images"
