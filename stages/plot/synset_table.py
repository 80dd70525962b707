"""Wide against deep on WordNet synsets with many classes, beside the paper's: Nguyen et al. 2021, table F.2, appendix F.4.

Expect: no significant difference in most synsets; wide better on structures (+0.4 points), deep better on commodities and
consumer goods (-0.4), birds (-0.2) and, by 0.1, living things. A line of options is the paper's row of a synset.
"""
from wide import artifacts, plot

HEADER = ["synset", "classes", "wide (%)", "deep (%)", "diff.", "p", "paper: classes", "wide (%)", "deep (%)", "diff.", "p"]
MISSING = ["–"] * 5


def draw(entry, scale):
    found = artifacts.load_result(artifacts.result(scale, entry["reads"], "agreement", entry["groups"]))
    _, deep, wide = (str(name).replace("x)", "×)") for name in found["names"])
    names = [str(name).split(",")[0] for name in found["synset/name"]]  # the first of WordNet's synonyms, as in the paper
    papers = {name: values(*numbers) for name, numbers in entry["paper"].items()}
    lines = [HEADER, ["---"] * len(HEADER)]
    lines += [[name, *row(found, index), *papers.get(name, MISSING)] for index, name in enumerate(names)]
    lines += [[name, *MISSING, *line] for name, line in papers.items() if name not in names]
    return "\n".join([f"# {entry['title']}", "",
                      f"Scale {scale}; n = {int(found['2/networks'])} {wide} (wide) and {int(found['1/networks'])} {deep} (deep) networks; "
                      f"synsets with at least {int(found['synset/threshold'])} classes of {plot.at_scale(entry['data'], scale)} "
                      "(paper: 50 of ImageNet).", "", "Mean ± standard error over networks; p: t-test, Holm-Šidák-corrected.", "",
                      *("| " + " | ".join(line) + " |" for line in lines), ""])


def row(found, index):
    percent = [100 * float(found[f"synset/{name}"][index]) for name in ("wide", "wide_se", "deep", "deep_se")]
    return values(int(found["synset/classes"][index]), *percent, percent[0] - percent[2], float(found["synset/p"][index]))


def values(classes, wide, wide_se, deep, deep_se, difference, p):
    """Cells of one side; accuracies, standard errors and their difference in percent."""
    return [str(classes), f"{wide:.1f} ± {wide_se:.2f}", f"{deep:.1f} ± {deep_se:.2f}", f"{difference:+.2f}", f"{p:.2g}"]
