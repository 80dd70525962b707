"""The rows of the README's table "How to add a …": which files each names, and what is added to them."""

from tests.additions import texts
from tests.additions.row import Row, whole
from tests.additions.tree import END

GILBOA, NGUYEN, ROSEN = (f"papers/{paper}" for paper in ("gilboa", "nguyen", "rosen"))
NO_OUTPUT = "; it must be the output of a stage"

ROWS = {
    "figure of a known kind": Row(
        files={
            f"{GILBOA}/figures.yaml": [(END, texts.ATLAS)],
            f"{GILBOA}/claims/transfer.py": [(END, texts.claim("fig7"))],
            "dvc.yaml": [(texts.LAST_PICTURE, texts.picture("gilboa_fig7.png"))],
            "figures/dvc.yaml": [(END, texts.plotted("gilboa_fig7.png"))],
        },
        new={"gilboa:plot@gilboa_fig7"},
        stale={"gilboa:claims@smoke"},
        without={
            f"{GILBOA}/figures.yaml": f"stages.report.deps is 'figures/smoke/gilboa_fig7.png'{NO_OUTPUT}",
            f"{GILBOA}/claims/transfer.py": "gilboa_fig7: nothing judges it; .* have a function fig7",
            "dvc.yaml": "gilboa_fig7 is drawn and never shown; .* must be among dvc.yaml: stages.report.deps",
        },
    ),
    "drawing": Row(
        files={
            "stages/plot/accuracy_bars.py": whole("accuracy_bars.py"),
            f"{GILBOA}/figures.yaml": [(END, texts.BARS)],
            f"{GILBOA}/claims/transfer.py": [(END, texts.claim("fig8"))],
            "dvc.yaml": [(texts.LAST_PICTURE, texts.picture("gilboa_fig8.png"))],
            "figures/dvc.yaml": [(END, texts.plotted("gilboa_fig8.png"))],
        },
        new={"gilboa:plot@gilboa_fig8"},
        stale={"gilboa:claims@smoke"},
        without={
            "stages/plot/accuracy_bars.py": "draw is 'accuracy_bars'; it must be a module in stages/plot"
        },
        doors=("gilboa:plot@gilboa_fig8",),
    ),
    "claim": Row(
        files={
            f"{GILBOA}/claims/transfer.py": [
                ("        *both_curves(left),", "\n        *widths_of(case),"),
                (END, texts.claim("widths_of")),
            ]
        },
        stale={"gilboa:claims@smoke"},
        doors=("gilboa:claims@smoke",),
    ),
    "width": Row(
        files={
            f"{GILBOA}/params.yaml": [
                ("    sizes: {widths: [16", ", 24"),
                ("    smoke: {train: {sizes: {widths: [16", ", 24"),
            ]
        },
        stale={
            "gilboa:train_coarse@smoke-base",
            "gilboa:train_coarse@smoke-untrained",
            "gilboa:floor_cifar100_coarse3@smoke",
        },
        sizes={("gilboa.coarse", "base"): {"w16": [0, 1], "w24": [0, 1], "w64": [0, 1]}},
    ),
    "depth": Row(
        files={
            f"{GILBOA}/params.yaml": [
                ("17, 18, 19, 20", ", 21"),
                ("    smoke: {train: {sizes: {depths: [1, 3", ", 21"),
            ]
        },
        stale={
            "gilboa:train_shift@smoke-base",
            "gilboa:train_shift@smoke-untrained",
            "gilboa:floor_translated_mnist@smoke",
        },
        sizes={("gilboa.shift", "base"): {"d1": [0, 1], "d3": [0, 1], "d21": [0, 1]}},
    ),
    "seed": Row(
        files={f"{GILBOA}/params.yaml": [("    seeds: [0", ", 1")]},
        stale={"gilboa:train_mnist@smoke-base", "gilboa:train_mnist@smoke-judge", "gilboa:floor_mnist@smoke"},
        sizes={("gilboa.mnist", "base"): {"w20": [0, 1], "w2048": [0, 1]}},
    ),
    "variant": Row(
        files={f"{GILBOA}/params.yaml": [("    base: {}\n", "    half: {share: 2}\n")]},
        new={"gilboa:train_mnist@smoke-half"},
        stale={"gilboa:floor_mnist@smoke"},
        sizes={("gilboa.mnist", "half"): {"w20": [0], "w2048": [0]}},
    ),
    "panel": Row(
        files={
            f"{GILBOA}/params.yaml": [
                ("    base: {}\n", "    starts: {over: {recipe.hidden: [he_normal, glorot_normal]}}\n")
            ]
        },
        new={"gilboa:train_mnist@smoke-starts"},
        stale={"gilboa:floor_mnist@smoke"},
        sizes={
            ("gilboa.mnist", "starts"): dict.fromkeys(
                ("he_normal-w20", "he_normal-w2048", "glorot_normal-w20", "glorot_normal-w2048"), [0]
            )
        },
    ),
    "variant that is measured": Row(
        files={
            f"{NGUYEN}/params.yaml": [("    all: {}\n", "    half: {share: 2}\n")],
            f"{NGUYEN}/dvc.yaml": [(texts.JUDGED, '\n    "results/${item.scale}/nguyen/wide/cka/half.npz",')],
        },
        new={"nguyen:train_wide@smoke-half", "nguyen:cka_wide@smoke-half"},
        stale={"nguyen:claims@smoke", "nguyen:floor_cifar10@smoke"},
        without={
            f"{NGUYEN}/params.yaml": f"deps is 'results/smoke/nguyen/wide/cka/half.npz'{NO_OUTPUT}",
            f"{NGUYEN}/dvc.yaml": "results/smoke/nguyen/wide/cka/half.npz",
        },
    ),
    "data set": Row(
        files={
            "pipeline/sets/stripes.py": whole("stripes.py"),
            "dvc.yaml": [("set: [mnist,", " stripes,")],
            f"{GILBOA}/params.yaml": [(END, texts.study("striped", "mlp", "stripes", "direction"))],
            f"{GILBOA}/dvc.yaml": [(END, texts.trained("striped", "mlp", "stripes"))],
        },
        new={"prepare@smoke-stripes", "gilboa:train_striped@smoke-base"},
        without={
            "pipeline/sets/stripes.py": "set is 'stripes'; it must be a text among the data sets",
            "dvc.yaml": f"deps is 'data/datasets/smoke/stripes.safetensors'{NO_OUTPUT}",
            f"{GILBOA}/params.yaml": "template '.{striped.variants}' names nothing",
            f"{GILBOA}/dvc.yaml": "striped.variants.base: no stage of dvc.yaml trains it; .* train_striped",
        },
        doors=("prepare@smoke-stripes", "gilboa:train_striped@smoke-base"),
    ),
    "network": Row(
        files={
            "wide/nets/pyramid.py": whole("pyramid.py"),
            f"{GILBOA}/params.yaml": [(END, texts.study("narrowing", "pyramid", "cifar10", "class"))],
            f"{GILBOA}/dvc.yaml": [(END, texts.trained("narrowing", "pyramid", "cifar10"))],
        },
        new={"gilboa:train_narrowing@smoke-base"},
        without={
            "wide/nets/pyramid.py": "'pyramid' is unknown: there is no wide/nets/pyramid.py",
            f"{GILBOA}/params.yaml": "template '.{narrowing.variants}' names nothing",
            f"{GILBOA}/dvc.yaml": "narrowing.variants.base: no stage of dvc.yaml trains it",
        },
        doors=("prepare@smoke-cifar10", "gilboa:train_narrowing@smoke-base"),
    ),
    "measure": Row(
        files={
            "wide/measure/norms.py": whole("norms.py"),
            "stages/norms.py": whole("norms_door.py"),
            f"{NGUYEN}/params.yaml": [("\nmeasures:\n", "  norms: {batch: 64}\n")],
            f"{NGUYEN}/dvc.yaml": [
                (texts.DELETION, texts.NORMS),
                (texts.JUDGED, '\n    "results/${item.scale}/nguyen/pair/norms/wide.npz",'),
            ],
            f"{NGUYEN}/claims/predictions.py": [
                ("        *many_classes(other, images),", "\n        length(case),"),
                (END, texts.LENGTH),
            ],
        },
        new={"nguyen:norms_pair@smoke-wide"},
        stale={"nguyen:claims@smoke"},
        without={
            "wide/measure/norms.py": "wide.measure.norms",
            "stages/norms.py": "cmd is 'norms'; it must be a module in stages",
            f"{NGUYEN}/params.yaml": "measures.norms is missing; it must be a mapping",
            f"{NGUYEN}/dvc.yaml": "measures: unknown key 'norms'",
        },
        doors=("prepare@smoke-cifar10", "nguyen:train_pair@smoke-wide", "nguyen:norms_pair@smoke-wide"),
    ),
    "paper": Row(
        files={
            f"{ROSEN}/dvc.yaml": whole("rosen/pipeline.yaml"),
            f"{ROSEN}/params.yaml": whole("rosen/params.yaml"),
            f"{ROSEN}/figures.yaml": whole("rosen/figures.yaml"),
            f"{ROSEN}/claims.py": whole("rosen/claims.py"),
            "dvc.yaml": [(texts.LAST_FILE, texts.ROSENS_FILES), (texts.LAST_PICTURE, texts.ROSENS_PAGES)],
        },
        new={"rosen:train_small@smoke-base", "rosen:plot@rosen_tab1", "rosen:claims@smoke"},
        without={
            f"{ROSEN}/dvc.yaml": "deps is 'figures/smoke/rosen_tab1.md'; it must be the output of a stage",
            f"{ROSEN}/params.yaml": f"{ROSEN}/params.yaml is missing",
            f"{ROSEN}/figures.yaml": f"{ROSEN}/figures.yaml is missing",
            f"{ROSEN}/claims.py": "papers.rosen.claims",
            "dvc.yaml": f"stages.check.deps.{ROSEN}/params.yaml is missing; it must be listed",
        },
        doors=(
            "prepare@smoke-cifar10",
            "rosen:train_small@smoke-base",
            "rosen:plot@rosen_tab1",
            "rosen:claims@smoke",
            "report@smoke",
        ),
    ),
}
