"""How much of what tells wide from deep predictions the class explains, by AIC: Nguyen et al. 2021, table F.1, appendix F.3.

Expect: AIC falling from A to B to C (each factor pays for its parameters), and V² of B clearly between 0 and 1 (11 %).
Absolute values grow with the number of images and networks: only their order compares with the paper's.
"""
from wide import artifacts, plot


def draw(entry, scale):
    found = artifacts.load_result(artifacts.result(scale, entry["reads"], "agreement", entry["groups"]))
    _, deep, wide = (str(name).replace("x)", "×)") for name in found["names"])
    ours, papers = found["models/aic"].tolist(), [model["aic"] for model in entry["models"]]
    lines = [["model", "AIC", "against A", "paper's AIC", "against A"], ["---"] * 5]
    for model, value, paper in zip(entry["models"], ours, papers, strict=True):
        lines.append([model["name"], f"{value:,.0f}", f"{value - ours[0]:+,.0f}", f"{paper:,}", f"{paper - papers[0]:+,}"])
    v2 = float(found["models/v2"])
    share = "undefined, since A and C fit equally well" if v2 != v2 else f"{100 * v2:.1f} %"
    return "\n".join([f"# {entry['title']}", "",
                      f"Scale {scale}; n = {int(found['1/networks'])} {deep} and {int(found['2/networks'])} {wide} networks, "
                      f"{len(found['labels']):,} test images of {plot.at_scale(entry['data'], scale)}.", "",
                      *("| " + " | ".join(line) + " |" for line in lines), "",
                      f"Share of C's reduction of the residual variance that B has, V²: {share}; paper {entry['v2']} %.", ""])
