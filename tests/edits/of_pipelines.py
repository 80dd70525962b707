"""Wrong edits of figures and of pipelines: (key, value, what is said)."""

from tests.edits.kinds import MISSING, Renamed

ATLASES = [
    ("figures.gilboa_fig1.to", "gif", "to is 'gif'; it must be one of png, md"),
    ("figures.gilboa_fig1.draw", "atlass", "draw is 'atlass'; it must be a module in stages/plot; did you"),
    ("figures.gilboa_fig1.reads.a", "mnist/umap/bse.npz", "did you mean 'mnist/umap/base.npz'?"),
    ("figures.gilboa_fig1.reads.a", MISSING, "names nothing"),
    ("figures.gilboa_fig1.reads.k", "mnist/training/base.json", "it must be under a letter that"),
    ("figures.gilboa_fig1.reads", {}, "names nothing"),
    ("figures.gilboa_fig1.reads", ["mnist/umap/base.npz"], "names nothing"),
    ("figures.gilboa_fig1.reads", {"a": "x/umap/base.npz", "b": "x"}, "reads.a is 'x/umap/base.npz'"),
    ("figures.gilboa_fig1.variant", "judge", "mnist, judge is drawn; .*reads must have mnist/…/judge"),
    ("figures.gilboa_fig1.title", MISSING, "title is missing"),
    ("figures.gilboa_fig1.caption", 3, "caption is 3; it must be a text"),
    ("figures.gilboa_fig5", Renamed("fig1"), "it must be a key that begins with the paper's"),
    ("figures.gilboa_fig5", Renamed("gilboa_fig99"), "nothing judges it; .* a function fig99"),
    ("figures.gilboa_fig1.colums", ["narrow"], "unknown key 'colums'; did you mean 'columns'?"),
    ("figures.gilboa_fig1.columns", "narrow", "columns is 'narrow'; it must be a list of texts"),
    ("figures.gilboa_fig1.study", "mnits", "study is 'mnits'; it must be a text among the studies mnist"),
    ("figures.gilboa_fig1.variant", "bse", "variant is 'bse'; it must be a text among the variants base"),
    ("figures.gilboa_fig1.classes", ["a"], "classes has 1 names; it must have 10"),
    ("figures.gilboa_fig4.panels.0.mark_inputs", 1, "mark_inputs is 1; it must be true or false"),
    ("figures", Renamed("figues"), "unknown key 'figues'; did you mean 'figures'?"),
    ("paper.authors", MISSING, "authors is missing"),
    ("paper.year", "2019", "year is '2019'; it must be a whole number"),
]

DRAWINGS = [
    ("figures.nguyen_fig2.rows", [], "rows is .."),
    ("figures.nguyen_fig2.rows.0.sizes", ["w77"], "sizes is .'w77'."),
    ("figures.nguyen_fig2.rows.0.sizes", MISSING, "a row has panels"),
    ("figures.nguyen_fig2.rows.0.title", "{widht:g}", "title is '.widht:g.'; it must be .* depth, width"),
    ("figures.nguyen_fig4.measure", "cka", "measure is 'cka'; it must be one of probe, deletion"),
    ("figures.nguyen_fig6.groups.0.group", "seeds", "group is 'seeds'; it must be a text among the groups"),
    ("figures.nguyen_figE1.side", 0, "side is 0; it must be a number above 0"),
    ("figures.nguyen_tabF1.data", {"others": "Tiny", "papre": "ImageNet"}, "unknown key 'papre'"),
    ("figures.nguyen_tabB1.rows.1.depth", MISSING, "the size w1 has a depth"),
]

STAGES = [
    ("stages.train_mnist.vars.0.net", "mlp", "net is 'mlp'; it must be 'convnet'"),
    ("stages.train_mnist.vars.0.set", "cifar10", "set is 'cifar10'; it must be 'mnist'"),
    ("stages.train_mnist.vars.0.study", "mnits", "study is 'mnits'; it must be a study of"),
    ("stages.train_mnist.matrix.variant", "${mnits.variants}", "'..mnits.variants.' names nothing"),
    ("stages.umap_mnist.matrix.variant", ["bse"], "variant is 'bse'; it must be one of base, judge"),
    ("stages.structure_mnist.vars.0.judge", "shift", "judge is 'shift'; it must be one of mnist, cifar"),
    ("stages.train_mnist.cmd", "python -m stages.trian", "cmd is 'trian'; .* did you mean 'train'?"),
    ("stages.train_mnist.cmd", "python -m stages.train gilboa", "must be stages.train <paper> <study>"),
    ("stages.train_mnist.cmd", MISSING, "cmd is None; it must be python -m stages"),
    ("stages.train_mnist.cmd", "make", "cmd is 'make'"),
    ("stages.train_mnist.deps.1", "stages/trian.py", "deps is 'stages/trian.py'; it must be a file"),
    ("stages.umap_mnist.params.1", {"params.yaml": ["wdth"]}, "wdth is missing; it must be stated"),
    ("stages.umap_mnist.params", 3, "params is 3; it must be a list"),
    ("stages.umap_cifar", MISSING, "reads.a is 'cifar/umap/base.npz'; it must be a result"),
    ("stages.umap_mnist.outs", ["elsewhere"], "reads.a is 'mnist/umap/base.npz'; it must be a result that"),
    ("stages.structure_mnist.deps", ["results/x"], "deps is 'results/x'; it must be the output of a stage"),
    ("stages.train_coarse", MISSING, "coarse.variants.base: no stage of dvc.yaml trains it"),
]

PIPELINE = [
    ("stages.check.deps", ["params.yaml"], "gilboa/params.yaml is missing; it must be listed"),
    ("stages.report.deps", ["figures/${item.scale}/gilboa_fig1.png"], "gilboa_fig2 is drawn and never shown"),
    ("stages.prepare.matrix.set", ["mnist", "cifra10"], "pipeline/sets/cifra10.py"),
]
