"""What the additions put into files that are there already, and marks behind which they put it."""

LAST_PICTURE = '"figures/${item.scale}/gilboa_fig6.png",'
LAST_FILE = "      - papers/gilboa/figures.yaml\n"
DELETION = "vars: [{study: deep, measure: deletion, a: residual}]}\n"
JUDGED = "deps: [stages/claims.py, pipeline/claims.py, papers/nguyen/claims,"


def study(name: str, net: str, data: str, labels: str) -> str:
    """A study of gilboa's parameters."""
    return f"""
{name}:
  train:
    net: {{name: {net}}}
    set: {data}
    labels: {labels}
    test: test
    sizes: {{widths: [8]}}
    seeds: [0]
    recipe: {{epochs: 1, batch: 16, lr: 0.1}}
  variants:
    base: {{}}
  measure: {{}}
  at: {{<<: *uncapped, smoke: {{train: {{views: 320}}, measure: {{}}}}}}
"""


def trained(name: str, net: str, data: str) -> str:
    """The stage that trains it."""
    return f"""
  train_{name}: {{<<: *train, vars: [{{study: {name}, net: {net}, set: {data}}}],
    matrix: {{scale: ["${{scale}}"], variant: "${{{name}.variants}}"}}}}
"""


def plotted(file: str) -> str:
    """A picture in the list of `dvc plots`."""
    return f"  - ${{scale}}/{file}\n"


def picture(name: str) -> str:
    """A figure in the list of the stage `report`."""
    return f'\n           "figures/${{item.scale}}/{name}",'


ATLAS = """
  gilboa_fig7:
    draw: atlases
    to: png
    reads: {a: mnist/umap/base.npz, b: mnist/atlas/base.npz}
    title: Figure 1 again
    caption: The same.
    study: mnist
    variant: base
    columns: [narrow, wide]
    label: digit
    classes: *digits
"""

BARS = """
  gilboa_fig8:
    draw: accuracy_bars
    to: png
    reads: {a: coarse/training/base.json, b: coarse/training/base.json}
    title: Accuracy by width
    caption: A bar each.
    study: coarse
    variant: base
"""


def claim(name: str) -> str:
    """A function that judges one claim of a figure of gilboa's."""
    return f"""

def {name}(case):
    widths = Curves.of(case.kept("coarse", "transfer", "base")).widths
    return [case.bench("5 seeds").check("there are widths", "8", str(len(widths)), len(widths) > 1)]
"""


LENGTH = """

def length(case):
    longest = np.max(case.load("pair", "norms", "wide").get("norms", "w2", 0))
    return case.bench("1 network").check("activations have a length", "yes", f"{longest:.1f}", longest > 0)
"""

NORMS = """
  norms_pair: {<<: *measure, vars: [{study: pair, measure: norms, a: norms}],
               matrix: {scale: ["${scale}"], variant: [wide]}}
"""

ROSENS_FILES = """      - papers/rosen/params.yaml
      - papers/rosen/figures.yaml
"""

ROSENS_PAGES = """
           papers/rosen/params.yaml, papers/rosen/figures.yaml, "figures/${item.scale}/rosen_tab1.md",
           "results/${item.scale}/claims/rosen.json","""
