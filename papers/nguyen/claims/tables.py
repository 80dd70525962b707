"""Tables B.1, F.1 and F.2 of Nguyen et al. 2021."""
import numpy as np

from stages.claims import Bench
from stages.claims.nguyen_nets import FEWEST, percent, say, spearman, unless

# Thresholds, each with its reason.
NEAR = {"CIFAR-10": 0.007, "CIFAR-100": 0.015}  # of the paper's accuracies: a few seeds' spread
ORDERED = 0.9        # Spearman's rho of our accuracies with the paper's
NETWORKS = 50        # in a group: half of the paper's smallest
SIGNIFICANT = 0.05   # p
WIDTHS, DEPTHS = ("w1", "w2", "w4", "w8", "w10"), ("d32", "d44", "d56", "d110", "d164")
ACCURACIES = {  # (study, variant): sizes, % on CIFAR-10 and CIFAR-100, whose studies end in 100
    ("nguyen_deep", "all"): (DEPTHS, (93.5, 94.0, 94.2, 94.3, 94.4), (71.2, 72.0, 73.3, 74.0, 73.9)),
    ("nguyen_table", "depth14"): (WIDTHS, (92.0, 94.1, 95.4, 95.9, 96.0), (67.8, 72.9, 77.0, 80.0, 80.2)),
    ("nguyen_table", "depth20"): (WIDTHS, (92.8, 94.6, 95.4, 96.0, 95.8), (69.4, 74.4, 77.6, 80.2, 80.8)),
    ("nguyen_table", "depth26"): (WIDTHS, (93.3, 94.9, 95.6, 95.9, 95.8), (70.5, 75.8, 79.3, 80.9, 81.0)),
    ("nguyen_wide", "all"): (WIDTHS, (93.8, 95.1, 95.5, 95.7, 95.7), (72.3, 75.9, 78.6, 79.8, 80.5))}
# Synsets of table F.2 that differ: sign and size (points) of wide minus deep, corrected p.
DIFFER = {"structure": ("+0.42", "5.7e-5"), "commodity": ("−0.42", "5.1e-5"), "consumer goods": ("−0.41", "6.7e-5"),
          "bird": ("−0.21", "0.0018"), "living thing": ("−0.10", "0.023"), "organism": ("−0.10", "0.023"), "animal": ("−0.09", "0.032")}


def few_networks(result) -> str:
    least = min((int(result[f"{g}/networks"]) for g in range(len(result["names"]))), default=0)
    return "" if least >= NETWORKS else f"the claim needs at least {NETWORKS} networks a group, here {least}"


def on_images(name, scale) -> str:
    return "Tiny-ImageNet-200 in ImageNet's place" if name == "imagenet" and scale != "paper" else ""


def tabB1(load, scale, width):
    return [claim for column, (name, suffix) in enumerate((("CIFAR-10", ""), ("CIFAR-100", "100"))) for claim in column_of(
        load, scale, width, column, name, suffix)]


def column_of(load, scale, width, column, name, suffix) -> list:
    """The two claims on one data set's accuracies."""
    cells, seeds = {}, 0
    for (study, variant), (keys, *numbers) in ACCURACIES.items():
        found = load(study + suffix, "training", variant, "json")
        for key, paper in zip(keys, numbers[column]):
            if key in found:
                name_of_cell = f"{'38' if variant == 'all' else variant[5:]} {key}" if key[0] == "w" else key
                cells[name_of_cell] = np.mean(found[key]["test_accuracy"]), paper / 100
                seeds += len(found[key]["test_accuracy"])
    ours, theirs = np.array(list(cells.values())).reshape(-1, 2).T
    off = np.abs(ours - theirs)
    near, rho = off <= NEAR[name] + 1e-9, spearman(ours, theirs)
    case = Bench("nguyen_tabB1", scale, width, f"{len(cells)} of 25 architectures, {seeds} networks", name)
    listed = "; ".join(f"{cell} {100 * value:.1f} ({100 * number:.1f})" for cell, (value, number) in cells.items())
    few = "" if len(cells) >= FEWEST else "the scale keeps fewer than three architectures"
    return [
        case.judge(f"each {name} accuracy lies within {100 * NEAR[name]:.1f} points of the paper's", spans(column),
                   f"{near.sum()} of {len(cells)}, furthest off by {100 * max(off, default=np.nan):.1f} points: {listed} (the paper's)",
                   bool(near.all()), against_number=True, lacks="" if len(cells) else few),
        case.judge(f"{name} accuracies are ordered as the paper's: Spearman's ρ above 0.9", spans(column), f"ρ = {say(rho)}", rho > ORDERED,
                   against_number=True, lacks=few)]


def spans(column) -> str:
    """The paper's column of the table."""
    named = {"nguyen_deep": "depths 32 to 164", "nguyen_wide": "ResNet-38"}
    return "; ".join(f"{named.get(study, 'ResNet-' + variant[5:])} {'/'.join(map(str, row[1 + column]))}"
                     for (study, variant), row in ACCURACIES.items()) + " %"


def tabF1(load, scale, width):
    result = load("nguyen_agreement", "agreement", "imagenet")
    aic, explained = result["models/aic"], float(result["models/v2"])
    case = Bench("nguyen_tabF1", scale, width, f"{counted(result)}; {len(result['labels'])} images", on_images("imagenet", scale),
                 few_networks(result))
    return [
        case.judge("AIC falls from model A over B to C: A > B > C", "3 011 367; 3 006 889; 2 969 410",
                   "; ".join(f"{value:,.0f}".replace(",", " ") for value in aic), bool(aic[0] > aic[1] > aic[2])),
        case.judge("class effects explain a part of the example-level variance: 0 < V² < 1", "11 %", percent(explained), 0 < explained < 1,
                   lacks=case.lacks or unless(explained, "models A and C do not differ"))]


def counted(result) -> str:
    return ", ".join(f"{int(result[f'{g}/networks'])} {name}" for g, name in enumerate(result["names"]))


def synsets(result) -> dict:
    """{name: position in the table}, underscores read as spaces."""
    return {str(name).replace("_", " "): row for row, name in enumerate(result.get("synset/name", ()))}


def described(result, row) -> str:
    wide, deep, *errors = (100 * float(result[f"synset/{name}"][row]) for name in ("wide", "deep", "wide_se", "deep_se"))
    return (f"{wide:.1f} ± {errors[0]:.2f} and {deep:.1f} ± {errors[1]:.2f} % (wide, deep; {wide - deep:+.2f}), "
            f"p = {float(result['synset/p'][row]):.2g}, {int(result['synset/classes'][row])} classes")


def better(case, result, name, sign, paper):
    """One side (1 wide, -1 deep) is significantly more accurate on a synset."""
    row = synsets(result).get(name)
    statement = f"{name}: the {'wide' if sign > 0 else 'deep'} network is more accurate, p < 0.05"
    if row is None:
        return case.judge(statement, paper, "–", False, lacks=case.lacks or absent(result, name))
    gap = float(result["synset/wide"][row] - result["synset/deep"][row])
    return case.judge(statement, paper, described(result, row), sign * gap > 0 and float(result["synset/p"][row]) < SIGNIFICANT)


def unchanged(case, result, names, statement, paper):
    """No significant difference on any of the synsets."""
    rows = {name: synsets(result)[name] for name in names if name in synsets(result)}
    p = [float(result["synset/p"][row]) for row in rows.values()]
    differ = ", ".join(f"{name} {described(result, row)}" for name, row in rows.items() if float(result["synset/p"][row]) < SIGNIFICANT)
    calm = described(result, *rows.values()) if len(rows) == 1 else f"{len(rows)} synsets, least p = {min(p, default=np.nan):.2g}"
    return case.judge(statement, paper, (differ or calm) if rows else "–", not differ,
                      lacks=case.lacks or ("" if rows else absent(result, ", ".join(names) or "others")))


def absent(result, name) -> str:
    return (f"{name}: fewer than {int(result['synset/threshold'])} classes in these images" if "synset/threshold" in result
            else "no synsets measured")


def tabF2(load, scale, width):
    result = load("nguyen_agreement", "agreement", "imagenet")
    case = Bench("nguyen_tabF2", scale, width, f"{counted(result)}; {len(synsets(result))} synsets", on_images("imagenet", scale),
                 few_networks(result))
    found = [better(case, result, name, 1 if gap[0] == "+" else -1, f"{gap} points (wide − deep), p = {p}")
             for name, (gap, p) in DIFFER.items()]
    others = [name for name in synsets(result) if name not in DIFFER]
    return [*found, unchanged(case, result, others,
                              "no other synset with enough classes (at least 50 of ImageNet's) differs significantly: p ≥ 0.05",
                              "29 synsets, 22 not significant")]
