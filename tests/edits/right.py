"""Edits that are right: {file: (key, value)}."""

RIGHT = {
    "params.yaml": [
        ("scale", "smoke"),
        ("scale", "gpu"),
        ("scale", "paper"),
        ("width", 4),
        ("width", 0.5),
        ("scales.quick.train.recipe", {"batch": 64}),
        ("scales.quick.measure.draws", 50),
    ],
    "papers/gilboa/params.yaml": [
        ("mnist.train.seeds", 3),
        ("mnist.train.seeds", [4, 2]),
        ("mnist.train.seeds", {"w20": 254, "others": [7]}),
        ("mnist.train.recipe.lr", "1/width"),
        ("mnist.variants.half", {"share": 2}),
        ("mnist.variants.noise", {"random_labels": True}),
        (
            "mnist.variants.panel",
            {"over": {"recipe.hidden": ["he_normal", "glorot_normal"], "recipe.std": [1, 2]}},
        ),
        ("mnist.variants.plans", {"over": {"net.plan": ["fixed", "scaled"]}}),
        ("mnist.variants.stops", {"validation": 500, "recipe": {"patience": 2, "dropout": 0.5}}),
        ("mnist.at.quick.train", {"image_size": 14, "examples": 1000, "views": 2000}),
        (
            "mnist.at.quick.train",
            {"sizes": {"widths": [20], "widest": 10}, "instead": {"recipe": {"lr": 0.1}}},
        ),
        ("mnist.at.quick.train", {"variants": {"judge": {"seeds": 1}}, "seeds": {"w20": 1, "others": 2}}),
        ("mnist.at.quick.measure", {"points": 100, "networks": 1, "neurons": 2}),
        ("measures.umap.metric", "euclidean"),
        ("coarse.train.test", "train"),
    ],
    "papers/nguyen/params.yaml": [
        ("shown.quick", "all"),
        ("wide.measure.cka.removed", []),
        ("wide.train.net.depth", 20),
        ("across.seeds_small.0.variant", "all"),
    ],
    "papers/gilboa/figures.yaml": [("figures.gilboa_fig1.columns", ["a", "b", "c"])],
    "papers/nguyen/figures.yaml": [("figures.nguyen_tabF1.data", "ImageNet")],
}
