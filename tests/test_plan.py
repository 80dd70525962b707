"""What a study trains: the paper's settings, a variant's departure, and caps that never raise one."""

import copy

import numpy as np
import pytest

from pipeline.caps import LISTS, SEEDS, Capped, at_most, fewest, leaves, measure_caps, nested
from pipeline.nets import known, network
from pipeline.parameters import ROOT, paper_file, papers, read
from pipeline.plan import effective, plan, resolve
from pipeline.sets import Card
from wide.nets import convnet, mlp
from wide.nets.mlp import constant_size_width

SCALE = "quick"
CARD = Card(examples={"train": 1000, "test": 100}, image=(1, 28, 28), classes={"digit": 10, "shift": 28})
RECIPE = {"epochs": 10, "batch": 8, "lr": 0.1, "momentum": 0.5}
TRAIN = {
    "net": {"name": "convnet", "plan": "fixed"},
    "set": "mnist",
    "labels": "digit",
    "test": "test",
    "sizes": {"widths": [16, 64, 256]},
    "seeds": [0, 1, 2, 3],
    "recipe": RECIPE,
}
JUDGE = {
    "net": {"name": "mlp", "depth": 3},
    "sizes": {"widths": [512]},
    "seeds": [100],
    "labels": "shift",
    "recipe": {"epochs": 2},
}
VARIANTS = {"base": {}, "none": None, "judge": JUDGE}
DEPTHS = {"net": {"name": "mlp"}, "sizes": {"depths": [1, 2, 3, 20], "parameters_of": 2000}}


def study(caps=None, variants=VARIANTS, **train):
    """The toy study with other settings, and with caps of its own."""
    return {
        "train": {**TRAIN, **train},
        "variants": variants,
        "measure": {},
        "at": {SCALE: {"train": caps or {}, "measure": {}}},
    }


def planned(told=None, variant="base", multiplier=1, general=None, **caps):
    """The plan of a study, or of the toy one with these caps."""
    return plan(told or study(caps), variant, SCALE, general or {}, multiplier, CARD)


def resolved(caps=None, variant="base", general=None, **train):
    """What the toy study's settings become."""
    return resolve(study(caps, **train), variant, SCALE, general or {})


def widths(*arguments, **settings):
    return [size.width for size in planned(*arguments, **settings).sizes]


def keys(*arguments, **settings):
    return [size.key for size in planned(*arguments, **settings).sizes]


def seeds(todo):
    return [size.seeds for size in todo.sizes]


def recipe(todo, examples=1000, shrunk=1.0):
    """The recipe of the first size."""
    return todo.recipe(todo.sizes[0], examples, shrunk)


# A study without caps, and a variant of it


def test_without_caps_a_plan_is_the_papers():
    todo = planned()
    found = [(size.key, size.width, size.options, size.panel) for size in todo.sizes]
    assert found == [(f"w{width}", width, {"plan": "fixed"}, {}) for width in (16, 64, 256)]
    assert seeds(todo) == [[0, 1, 2, 3]] * 3
    assert (todo.net, todo.set, todo.labels, todo.test) == ("convnet", "mnist", "digit", "test")
    assert (todo.views, todo.examples, todo.share, todo.image_size) == (None, None, 1, None)
    assert (todo.random_labels, todo.validation) == (False, 0)
    found = recipe(todo)
    assert (found.epochs, found.batch, found.lr, found.momentum) == (10, 8, 0.1, 0.5)


def test_planning_changes_no_parameters():
    told = study({"views": 10, "sizes": {"widest": 3}, "seeds": 1, "instead": {"recipe": {"lr": 0.3}}})
    general, before = {"seeds": 2, "recipe": {"batch": 4}}, copy.deepcopy(told)
    todo = plan(told, "judge", SCALE, general, 2, CARD)
    todo.recipe(todo.sizes[0], 10)
    assert told == before and general == {"seeds": 2, "recipe": {"batch": 4}}


def test_a_variant_overrides_and_keeps_the_rest():
    todo = planned(variant="judge")
    [size] = todo.sizes
    assert (size.key, size.width, size.options) == ("w512", 512, {"plan": "fixed", "depth": 3})
    assert (todo.net, size.seeds, todo.labels) == ("mlp", [100], "shift")
    found = recipe(todo)
    assert (found.epochs, found.lr, found.momentum) == (2, 0.1, 0.5)
    assert planned(variant="none") == planned()


def test_a_variant_may_replace_what_is_no_mapping_by_one_and_back():
    told = study(variants={"crops": {"recipe": {"augment": {"crop": 4}}}}, recipe={**RECIPE, "augment": None})
    assert recipe(planned(told, "crops")).augment.crop == 4
    told = study(
        variants={"plain": {"recipe": {"augment": None}}},
        recipe={**RECIPE, "augment": {"crop": 4, "flip": True}},
    )
    assert recipe(planned(told, "plain")).augment.crop == 0


def test_an_untrained_variant_stays_untrained():
    told = study({"views": 500}, {"untrained": {"recipe": {"epochs": 0}}})
    assert recipe(planned(told, "untrained")).epochs == 0


def test_a_misspelt_recipe_is_refused():
    with pytest.raises(ValueError, match="unknown key 'momentumm'; did you mean 'momentum'"):
        recipe(planned(study(recipe={**RECIPE, "momentumm": 0.9})))


def test_what_a_study_lacks_is_refused_with_what_it_has():
    with pytest.raises(ValueError, match="variant 'bsae' is unknown; the study has base, none, judge"):
        planned(variant="bsae")
    with pytest.raises(ValueError, match="scale 'papr' is unknown; the study has quick"):
        resolve(study(), "base", "papr", {})


# Sizes


def test_a_residual_networks_axis_is_depth_at_one_width():
    told = study(net={"name": "resnet"}, sizes={"widths": [1.5], "depths": [14, 20]})
    found = [(size.key, size.width, size.options) for size in planned(told, multiplier=2).sizes]
    assert found == [("d14", 3.0, {"depth": 14}), ("d20", 3.0, {"depth": 20})]


def test_several_widths_beside_depths_are_refused():
    with pytest.raises(ValueError, match=r"sizes.widths is \[1, 2\]: beside depths there must be one width"):
        planned(study(sizes={"widths": [1, 2], "depths": [14, 20]}))


@pytest.mark.parametrize("labels, classes", CARD.classes.items())
def test_depth_families_have_a_constant_number_of_parameters(labels, classes):
    todo = planned(study(**DEPTHS, labels=labels))
    wanted = [constant_size_width(depth, 784, classes, 2000) for depth in (1, 2, 3, 20)]
    assert [size.width for size in todo.sizes] == wanted
    nets = [todo.build(size, CARD.image, classes) for size in todo.sizes]
    numbers = [sum(parameter.numel() for parameter in net.parameters()) for net in nets]
    assert max(numbers) / min(numbers) < 1.02


def test_equal_parameters_need_a_network_with_a_rule_for_them():
    with pytest.raises(ValueError, match="network 'convnet' has no rule .* list its widths"):
        planned(study(**{**DEPTHS, "net": TRAIN["net"]}))


def test_the_multiplier_comes_after_the_formula_and_the_cap():
    told = study(**DEPTHS)
    assert widths(told, multiplier=2) == [2 * width for width in widths(told)]
    doubled = study(net=DEPTHS["net"], sizes={**DEPTHS["sizes"], "parameters_of": 4000})
    assert widths(told, multiplier=2) != widths(doubled)
    assert widths(sizes={"widest": 100}, multiplier=2) == [32, 128, 200]
    assert keys(multiplier=2) == keys()  # the key is the paper's width


@pytest.mark.parametrize("width, multiplier, expected", [
    (16, 1, 16),
    (16, 0.5, 8),
    (16, 0.001, 1),
    (3, 0.5, 2),
    (1, 4, 4),
    (0.5, 2, 1.0),
    (0.5, 0.1, 0.05),
])  # fmt: skip
def test_whole_widths_stay_whole_and_at_least_one(width, multiplier, expected):
    found = effective(width, multiplier)
    assert found == pytest.approx(expected) and isinstance(found, type(width))


def test_widths_that_caps_or_the_multiplier_make_equal_are_trained_once():
    assert [(size.key, size.width) for size in planned(sizes={"widest": 16}).sizes] == [("w16", 16)]
    assert widths(sizes={"widest": 64}) == [16, 64]
    assert [(size.key, size.width) for size in planned(multiplier=1e-6).sizes] == [("w16", 1)]


def test_depths_of_equal_width_stay_apart():
    found = planned(study({"sizes": {"widest": 64}}, **DEPTHS)).sizes
    assert [size.width for size in found] == [64] * 4
    assert [size.options for size in found] == [{"depth": depth} for depth in (1, 2, 3, 20)]


def test_sizes_that_would_share_a_name_are_refused():
    with pytest.raises(ValueError, match="two sizes would be called 'w16'"):
        planned(study(sizes={"widths": [16.0, 16.0000001]}))


def test_a_size_is_built_with_its_options():
    net = planned().build(planned().sizes[0], (1, 28, 28), 10)
    assert isinstance(net, convnet.Net) and net.output.in_features == 16 and net.output.out_features == 10


def test_networks_are_found_by_their_files_name():
    assert network("mlp") is mlp.Net and {"mlp", "convnet", "resnet"} <= set(known())
    with pytest.raises(ValueError, match=r"'mpl' is unknown: .* no wide/nets/mpl\.py; did you mean 'mlp'"):
        network("mpl")
    with pytest.raises(ValueError, match="known networks: .*mlp"):
        network("something else")


# Caps


@pytest.mark.parametrize("caps", [
    {"seeds": 9},
    {"recipe": {"batch": 9, "lr": 0.2, "epochs": 11}},
    {"sizes": {"widths": [256, 64, 16]}},
    {"instead": {"recipe": {"lr": 0.1}}},
], ids=str)  # fmt: skip
def test_a_cap_that_the_paper_meets_changes_nothing(caps):
    assert planned(**caps) == planned()
    found = resolved(caps)
    assert set(found.sources.values()) == {"train"} and found.departures == []


def test_pure_caps_above_what_is_there_change_no_training():
    todo = planned(views=1e9, sizes={"widest": 1000}, examples=10**6)
    assert todo.sizes == planned().sizes and recipe(todo).epochs == 10
    assert todo.kept(np.arange(100) % 10).tolist() == list(range(100))


def test_caps_have_the_shape_of_the_study_and_lower_its_numbers():
    assert widths(sizes={"widest": 100}) == [16, 64, 100]
    assert recipe(planned(recipe={"batch": 4})).batch == 4
    assert recipe(planned(recipe={"lr": 0.001})).lr == 0.001
    told = study({"net": {"base": 4}}, net={"name": "resnet", "base": 16})
    assert planned(told).sizes[0].options == {"base": 4}
    assert (planned(image_size=16).image_size, planned(examples=20).examples) == (16, 20)
    assert recipe(planned(views=500)).epochs == 0.5


def test_what_is_no_number_is_replaced_and_departs_from_the_paper():
    found = resolved({"net": {"plan": "scaled"}, "recipe": {"schedule": "cosine"}})
    assert found.departures == [
        (("net", "plan"), "fixed", "scaled"),
        (("recipe", "schedule"), None, "cosine"),
    ]
    todo = planned(net={"plan": "scaled"}, recipe={"schedule": "cosine"})
    assert todo.sizes[0].options == {"plan": "scaled"} and recipe(todo).schedule == "cosine"


def test_instead_replaces_numbers_upwards_too():
    caps = {"recipe": {"lr": 0.05}, "instead": {"net": {"bn_momentum": 0.05}, "recipe": {"momentum": 0.9}}}
    found = resolved(caps)
    assert found.departures == [
        (("net", "bn_momentum"), None, 0.05),
        (("recipe", "momentum"), 0.5, 0.9),
    ]
    assert planned(**caps).sizes[0].options == {"plan": "fixed", "bn_momentum": 0.05}
    assert (recipe(planned(**caps)).momentum, recipe(planned(**caps)).lr) == (0.9, 0.05)


def test_instead_stands_in_front_of_a_cap_and_a_variants_in_front_of_its_studys():
    caps = {"seeds": 1, "instead": {"seeds": 6, "recipe": {"lr": 0.2}}}
    caps["variants"] = {"judge": {"instead": {"recipe": {"lr": 0.3}}}}
    assert seeds(planned(**caps))[0] == list(range(6))
    assert (recipe(planned(**caps)).lr, recipe(planned(variant="judge", **caps)).lr) == (0.2, 0.3)


def test_caps_of_sizes_name_those_that_are_kept_in_the_studys_order():
    assert keys(sizes={"widths": [256, 16]}) == ["w16", "w256"]
    assert keys(study({"sizes": {"depths": [20, 1]}}, **DEPTHS)) == ["d1", "d20"]


def test_keeping_what_is_not_there_is_refused_with_what_there_is():
    with pytest.raises(ValueError, match=r"at.quick.train keeps 7, which .* it has \[16, 64, 256\]"):
        planned(sizes={"widths": [64, 7]})
    with pytest.raises(ValueError, match="scales.quick.train keeps 7"):
        planned(general={"sizes": {"widths": [7]}})


def test_a_variants_own_sizes_are_kept_unless_a_cap_names_the_variant():
    assert keys(variant="judge", sizes={"widths": [16]}) == ["w512"]
    assert keys(variant="judge", general={"sizes": {"widths": [16]}}) == ["w512"]
    told = study(
        {"variants": {"some": {"sizes": {"widths": [8]}}}}, {"some": {"sizes": {"widths": [8, 512]}}}
    )
    assert keys(told, "some") == ["w8"]


def test_caps_hold_for_variants():
    assert widths(variant="judge", sizes={"widest": 64}) == [64]
    assert recipe(planned(variant="judge", views=100)).epochs == 0.1


def test_a_studys_own_caps_stand_in_front_of_all_studies_and_a_variants_in_front_of_both():
    general = {"seeds": 1, "views": 100, "recipe": {"batch": 2}}
    caps = {"seeds": 3, "variants": {"base": {"seeds": 2, "sizes": {"widths": [256]}}}}
    todo = planned(general=general, **caps)
    assert (seeds(todo), todo.views, recipe(todo).batch) == ([[0, 1]], 100, 2)
    assert seeds(planned(variant="none", general=general, **caps)) == [[0, 1, 2]] * 3
    assert seeds(planned(general=general)) == [[0]] * 3


@pytest.mark.parametrize("views, examples, epochs", [
    (1000, 1000, 1),
    (999, 1000, 0.999),
    (5000, 1000, 5),
    (20_000, 1000, 10),
    (10_000, 1000, 10),
])  # fmt: skip
def test_epochs_are_the_smaller_of_the_papers_and_views_over_examples(views, examples, epochs):
    assert recipe(planned(views=views), examples).epochs == pytest.approx(epochs)


@pytest.mark.parametrize("multiplier, caps", [(1, {}), (4, {}), (0.5, {"sizes": {"widest": 100}})])
def test_one_over_width_uses_the_effective_width(multiplier, caps):
    todo = planned(study(caps, recipe={**RECIPE, "lr": "1/width"}), multiplier=multiplier)
    for size, listed in zip(todo.sizes, (16, 64, 256), strict=True):
        width = min(listed, 100 if caps else listed) * multiplier
        assert todo.recipe(size, 1000).lr == pytest.approx(1 / width)


def test_crops_shrink_with_the_images():
    told = study(recipe={**RECIPE, "augment": {"crop": 4}})
    assert [recipe(planned(told), 100, shrunk).augment.crop for shrunk in (1, 0.5, 0.25)] == [4, 2, 1]


# Seeds


FEW = {"w16": 3, "others": 1}
SEED_CASES = [
    (3, None, [[0, 1, 2]] * 3),
    ([5, 7, 9], None, [[5, 7, 9]] * 3),
    (FEW, None, [[0, 1, 2], [0], [0]]),
    ({"w16": 2, "w64": [7, 8], "w256": 1}, None, [[0, 1], [7, 8], [0]]),
    (4, 2, [[0, 1]] * 3),
    (2, 4, [[0, 1]] * 3),
    ([5, 7, 9], 2, [[5, 7]] * 3),
    ([5, 7], 9, [[5, 7]] * 3),
    (4, FEW, [[0, 1, 2], [0], [0]]),
    (2, FEW, [[0, 1], [0], [0]]),
    ([5, 7, 9], {"w64": 2, "others": 1}, [[5], [5, 7], [5]]),
    ({"w16": 254, "others": 2}, 3, [[0, 1, 2], [0, 1], [0, 1]]),
    ({"w16": 5, "others": 2}, {"w16": 3, "others": 9}, [[0, 1, 2], [0, 1], [0, 1]]),
    ({"w16": [4, 5, 6], "others": 1}, {"w16": 2, "others": 1}, [[4, 5], [0], [0]]),
    (4, [2, 0], [[0, 2]] * 3),
    ({"w16": 4, "others": 1}, [0, 3], [[0, 3], [0], [0]]),
]


@pytest.mark.parametrize("stated, cap, expected", SEED_CASES, ids=str)
def test_seeds_are_a_number_a_list_or_a_mapping_stated_or_capped(stated, cap, expected):
    caps = {} if cap is None else {"seeds": cap}
    assert seeds(planned(study(caps, seeds=stated))) == expected
    assert seeds(planned(study(seeds=stated), general=caps)) == expected
    single = {"variants": {"base": caps}}
    assert seeds(planned(study(single, seeds=stated))) == expected


@pytest.mark.parametrize("stated, cap, says", [
    ({"w16": 3, "w64": 1}, 9, "seeds names w16, w64, but not w256: add it, or 'others'"),
    (4, {"w16": 3}, "seeds names w16, but not w64"),
    (4, [7], r"the cap on seeds, \[7\], leaves w16 none of its 4"),
    ([5, 7], {"w16": 1, "others": [8]}, r"the cap on seeds, \[8\], leaves w64 none of its 2"),
], ids=str)  # fmt: skip
def test_seeds_that_leave_a_size_without_any_are_refused(stated, cap, says):
    with pytest.raises(ValueError, match=says):
        planned(study({"seeds": cap}, seeds=stated))


@pytest.mark.parametrize("cap, left", [(0, []), ({"w16": 1, "others": 0}, ["w16"])], ids=str)
@pytest.mark.parametrize("stated", [4, [5, 7]], ids=str)
def test_a_cap_of_no_seeds_leaves_a_size_out(stated, cap, left):
    assert [size.key for size in planned(study({"seeds": cap}, seeds=stated)).sizes] == left


def test_seeds_of_a_mapping_are_those_of_the_papers_size_whatever_the_multiplier():
    assert seeds(planned(study(seeds=FEW), multiplier=0.5)) == [[0, 1, 2], [0], [0]]
    told = study({"seeds": {"d20": 2, "others": 1}}, **DEPTHS)
    assert seeds(planned(told)) == [[0], [0], [0], [0, 1]]


def test_capped_seeds_can_be_read():
    assert str(fewest(10, FEW)) == "10, at most {w16: 3, others: 1}"
    assert str(fewest({"w1": [4, 5]}, 3)) == "{w1: [4, 5]}, at most 3"
    assert str(resolved({"seeds": FEW}, seeds=[5, 7]).values[SEEDS]) == "[5, 7], at most {w16: 3, others: 1}"
    assert (fewest(10, 3), fewest([5, 7], 1)) == (3, [5])


# Panels


PANELS = {"recipe.hidden": ["he_normal", "lecun_normal"], "recipe.lr": [0.1, "1/width"]}


def test_panels_are_all_combinations_each_with_all_sizes():
    told = study({"sizes": {"widths": [16, 64]}, "seeds": FEW}, {"panels": {"over": PANELS}})
    todo = planned(told, "panels")
    assert [size.key for size in todo.sizes] == [
        f"{hidden}-{lr}-{key}"
        for hidden in ("he_normal", "lecun_normal")
        for lr in ("0.1", "1_width")
        for key in ("w16", "w64")
    ]
    for size in todo.sizes:
        found = todo.recipe(size, 1000)
        wanted = size.panel["recipe.lr"]
        assert found.hidden == size.panel["recipe.hidden"] and found.momentum == 0.5
        assert found.lr == (1 / size.width if wanted == "1/width" else wanted)
        assert size.seeds == ([0, 1, 2] if size.width == 16 else [0])
    assert planned(study(variants={"base": {}, "panels": {"over": PANELS}})) == planned()


def test_panels_may_vary_options_of_the_network_and_what_lies_deep():
    over = {"net.residual": [True, False], "recipe.augment.crop": [0, 4]}
    told = study(
        variants={"panels": {"over": over}}, net={"name": "resnet", "depth": 14}, sizes={"widths": [1.0]}
    )
    todo = planned(told, "panels")
    assert [size.options["residual"] for size in todo.sizes] == [True, True, False, False]
    assert [todo.recipe(size, 100).augment.crop for size in todo.sizes] == [0, 4, 0, 4]
    assert {size.options["depth"] for size in todo.sizes} == {14}


@pytest.mark.parametrize("over, says", [
    ({"share": [1, 4]}, "over names 'share': panels vary"),
    ({"net.name": ["mlp"]}, "over names 'net.name'"),
    ({"recipe.hidden": "he_normal"}, "over.recipe.hidden is 'he_normal': it must be a list"),
    ({"recipe.hidden": []}, r"over.recipe.hidden is \[\]: it must be a list"),
    ({"recipe.lr": [0.1, 0.10]}, "two sizes would be called '0.1-w16'"),
], ids=str)  # fmt: skip
def test_panels_that_cannot_be_are_refused(over, says):
    with pytest.raises(ValueError, match=says):
        planned(study(variants={"panels": {"over": over}}), "panels")


def test_a_misspelt_setting_of_a_panel_is_refused_with_its_recipe():
    todo = planned(study(variants={"panels": {"over": {"recipe.hiden": ["he_normal"]}}}), "panels")
    with pytest.raises(ValueError, match="unknown key 'hiden'; did you mean 'hidden'"):
        recipe(todo)


# Where each number came from


def test_sources_name_the_layer_that_decided():
    general = {"views": 9, "seeds": 2, "recipe": {"batch": 4}, "instead": {"recipe": {"momentum": 0.9}}}
    caps = {
        "recipe": {"lr": 0.01, "epochs": 99},
        "instead": {"net": {"bn_momentum": 0.05}},
        "variants": {"judge": {"sizes": {"widest": 64}, "instead": {"net": {"stem": "small"}}}},
    }
    found = resolved(caps, "judge", general)
    wanted = {
        "set": "train",
        "net.plan": "train",
        "recipe.epochs": "variants.judge",  # a cap that is not reached decides nothing
        "seeds": "variants.judge",
        "sizes.widths": "variants.judge",
        "views": "scales.quick.train",
        "recipe.batch": "scales.quick.train",
        "recipe.momentum": "scales.quick.train.instead",
        "recipe.lr": "at.quick.train",
        "net.bn_momentum": "at.quick.train.instead",
        "sizes.widest": "at.quick.train.variants.judge",
        "net.stem": "at.quick.train.variants.judge.instead",
    }
    sources = {".".join(path): source for path, source in found.sources.items()}
    assert {key: sources[key] for key in wanted} == wanted
    assert found.sources.keys() == found.values.keys()


def test_an_equal_cap_of_the_study_is_named_as_the_studys():
    general, caps = {"seeds": 2, "views": 5}, {"seeds": 2}
    assert resolved(caps, general=general).sources[SEEDS] == "at.quick.train"
    caps["variants"] = {"base": {"views": 5}}
    assert resolved(caps, general=general).sources["views",] == "at.quick.train.variants.base"


STUDIES = [
    (paper, name, found)
    for paper in papers()
    for name, found in read(paper_file(paper, "params.yaml")).items()
    if isinstance(found, dict) and "train" in found and "variants" in found
]


def stated(told: dict, scales: dict, source: str, path: tuple):
    """What stands in the parameters file under the key that a source and a path name."""
    found = {"scales": scales} if source.startswith("scales.") else told
    for key in (*source.split("."), *path):
        found = found[key]
    return found


@pytest.mark.parametrize("paper, name, told", STUDIES, ids=[f"{paper}.{name}" for paper, name, _ in STUDIES])
def test_every_source_is_a_key_of_the_parameters_that_holds_the_value(paper, name, told):
    scales = read(ROOT)["scales"]
    for scale in told["at"]:
        for variant in told["variants"]:
            found = resolve(told, variant, scale, scales[scale]["train"])
            for path, value in found.values.items():
                written = stated(told, scales, found.sources[path], path)
                if isinstance(value, Capped):
                    value = value.cap
                elif path == SEEDS and isinstance(value, list) and written != value:
                    value = len(value)
                elif path in LISTS and found.sources[path].startswith(("at.", "scales.")):
                    written = [entry for entry in told["train"]["sizes"][path[1]] if entry in written]
                assert written == value, (paper, name, scale, variant, path)


# Data


def test_a_share_is_class_balanced_and_comes_after_the_cap_on_examples():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(4), 100))
    variants = {"base": {}, "quarter": {"share": 4}}
    for examples, expected in ((None, 25), (80, 5), (1000, 25)):
        caps = {} if examples is None else {"examples": examples}
        kept = planned(study(caps, variants), "quarter").kept(labels)
        assert np.bincount(labels[kept]).tolist() == [expected] * 4
        assert set(kept) <= set(planned(study(caps, variants)).kept(labels))
    assert planned().kept(labels).tolist() == list(range(400))
    assert np.bincount(labels[planned(examples=20).kept(labels)]).tolist() == [5] * 4


def test_a_share_that_leaves_nothing_is_refused():
    todo = planned(study({"examples": 10}, {"sixteenth": {"share": 16}}), "sixteenth")
    with pytest.raises(ValueError, match="share is 16, but there are 10 training examples: lower it"):
        todo.kept(np.arange(100) % 10)


def test_random_labels_are_uniform_and_the_same_every_time():
    given = np.zeros(20_000, np.int32)
    assert planned().drawn(given, 10) is given
    todo = planned(study(random_labels=True))
    np.random.seed(1)
    found = todo.drawn(given, 10)
    np.random.seed(2)
    np.testing.assert_array_equal(todo.drawn(np.arange(20_000, dtype=np.int32), 10), found)
    assert found.dtype == np.int32 and found[:8].tolist() == [8, 6, 5, 2, 3, 0, 0, 0]
    counts = np.bincount(found, minlength=10)
    assert len(counts) == 10 and np.abs(counts - 2000).max() < 5 * np.sqrt(2000 * 0.9)


def test_no_validation_holds_nothing_out():
    rest, out = planned().held_out(np.arange(30) % 3)
    assert rest.tolist() == list(range(30)) and out.tolist() == [] and out.dtype == np.int64


def test_validation_is_class_balanced_and_disjoint_and_the_same_every_time():
    labels = np.random.default_rng(3).permutation(np.repeat(np.arange(5), 40))
    todo = planned(study(validation=50))
    rest, out = todo.held_out(labels)
    assert sorted([*rest, *out]) == list(range(200)) and not set(rest) & set(out)
    assert np.bincount(labels[out]).tolist() == [10] * 5 and np.bincount(labels[rest]).tolist() == [30] * 5
    np.testing.assert_array_equal(planned(study(validation=50)).held_out(labels)[1], out)
    kept = planned(examples=50).kept(labels)
    assert set(kept) != set(out)  # a draw of its own, not the examples that a cap would keep


@pytest.mark.parametrize("validation", [30, 31])
def test_validation_that_leaves_nothing_to_train_on_is_refused(validation):
    with pytest.raises(ValueError, match=f"validation is {validation}, but there are 30 .*: lower it"):
        planned(study(validation=validation)).held_out(np.arange(30) % 3)


# Measures, and the mappings themselves


def test_a_studys_own_caps_on_measures_stand_in_front_of_the_scales():
    params = {"scales": {SCALE: {"train": {}, "measure": {"points": 5, "steps": 8}}}}
    told = {"at": {SCALE: {"train": {}, "measure": {"points": 7}}}}
    assert measure_caps(params, told, SCALE) == {"points": 7, "steps": 8}


def test_settings_of_measures_are_cut_to_caps_of_their_names():
    settings = {"passes": 10, "batch": 256, "gram_precision": "float32", "flip": True, "steps": 5}
    found = at_most(settings, {"passes": 1, "steps": 8, "gram_precision": 3, "flip": 0, "views": 2})
    assert found == {**settings, "passes": 1}


def test_nested_mappings_and_leaves_are_the_same_settings():
    settings = {"a": 1, "b": {"c": {"d": [1]}, "seeds": {"w1": 2}}, "over": {"recipe.lr": [1]}}
    flat = dict(leaves(settings))
    assert flat == {
        ("a",): 1,
        ("b", "c", "d"): [1],
        ("b", "seeds"): {"w1": 2},
        ("over",): {"recipe.lr": [1]},
    }
    assert nested(flat) == settings
