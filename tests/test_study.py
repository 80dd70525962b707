"""What a study trains: the paper's settings, a variant's departure, and caps that never raise one."""
import copy

import numpy as np
import pytest

from stages.study import CAPS, caps_of, effective, network, plan
from wide.nets import mlp
from wide.nets.mlp import constant_size_width

STUDY = {"net": {"plan": "fixed"}, "labels": "digit", "test": "test", "widths": [16, 64, 256], "seeds": [0, 1, 2, 3],
         "recipe": {"epochs": 10, "batch": 8, "lr": 0.1, "momentum": 0.5},
         "variants": {"base": {}, "none": None,
                      "judge": {"net": {"depth": 3}, "widths": [512], "seeds": [100], "labels": "shift",
                                "recipe": {"epochs": 2}}}}
DEPTHS = {**{key: value for key, value in STUDY.items() if key not in ("widths", "net")}, "depths": [1, 2, 3, 20],
          "widest": 2000}
CLASSES = {"digit": 10, "shift": 28}


def planned(study=STUDY, variant="base", multiplier=1, **caps):
    return plan(study, variant, caps, multiplier, 784, CLASSES)


def widths(*arguments, **settings):
    return [size.width for size in planned(*arguments, **settings).sizes]


def keys(*arguments, **settings):
    return [size.key for size in planned(*arguments, **settings).sizes]


def seeds(todo):
    return [size.seeds for size in todo.sizes]


def test_without_caps_a_plan_is_the_papers():
    todo = planned()
    assert [(size.key, size.width, size.options) for size in todo.sizes] == [(f"w{n}", n, {"plan": "fixed"})
                                                                             for n in (16, 64, 256)]
    assert (seeds(todo), todo.labels, todo.test) == ([[0, 1, 2, 3]] * 3, "digit", "test")
    recipe = todo.recipe(16, 1000)
    assert (recipe.epochs, recipe.batch, recipe.lr, recipe.momentum) == (10, 8, 0.1, 0.5)


def test_planning_changes_no_parameters():
    study = copy.deepcopy(STUDY)
    plan(study, "judge", {"views": 10, "widest": 3, "seeds": 1, "keep": [16], "lr": 0.3}, 2, 784, CLASSES).recipe(4, 10)
    assert study == STUDY


@pytest.mark.parametrize("caps", [{"widest": 1000}, {"seeds": 9}, {"views": 1e9}, {"keep": [16, 64, 256, 1024]}],
                         ids=str)
def test_a_cap_above_the_papers_number_raises_nothing(caps):
    todo = planned(**caps)
    assert todo.sizes == planned().sizes
    assert todo.recipe(16, 1000).epochs == 10


def test_seeds_as_a_number_are_that_many_from_0():
    assert planned({**STUDY, "seeds": 4}).sizes == planned().sizes
    assert seeds(planned({**STUDY, "seeds": 9}, seeds=2)) == [[0, 1]] * 3


def test_caps_lower():
    assert widths(widest=100) == [16, 64, 100]
    assert seeds(planned(seeds=2)) == [[0, 1]] * 3
    assert seeds(planned(seeds=1, seeds_at={"w64": 3})) == [[0], [0, 1, 2], [0]]
    assert planned(batch=4).recipe(16, 1000).batch == 4
    assert planned({**STUDY, "net": {"base": 16}}, base=4).sizes[0].options == {"base": 4}
    assert planned(bn_momentum=0.1).sizes[0].options == {"plan": "fixed", "bn_momentum": 0.1}
    assert planned(stem="small").sizes[0].options == {"plan": "fixed", "stem": "small"}
    assert (planned(image_size=16).image_size, planned().image_size) == (16, None)
    assert planned(views=500).recipe(16, 1000).epochs == 0.5
    assert planned(lr=0.001).recipe(16, 1000).lr == 0.001
    assert set(CAPS) == {"views", "widest", "seeds", "seeds_at", "keep", "lr", "batch", "examples", "base", "stem", "bn_momentum", "image_size",
                         "variants"}  # each has a line here or below


def test_caps_of_a_single_variant_stand_in_front():
    caps = {"seeds": 3, "keep": [16, 64], "variants": {"base": {"seeds": 1, "keep": [256]}}}
    assert (seeds(planned(**caps)), keys(**caps)) == ([[0]], ["w256"])
    assert seeds(planned(variant="none", **caps)) == [[0, 1, 2]] * 2


def test_a_share_is_class_balanced_and_comes_after_the_cap():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(4), 100))
    study = {**STUDY, "variants": {"base": {}, "quarter": {"share": 4}}}
    for examples, expected in ((None, 25), (80, 5), (1000, 25)):
        kept = planned(study, "quarter", examples=examples).kept(labels)
        assert np.bincount(labels[kept]).tolist() == [expected] * 4
        assert set(kept) <= set(planned(study, examples=examples).kept(labels))
    assert planned(study).kept(labels).tolist() == list(range(400))


def test_crops_shrink_with_the_images():
    study = {**STUDY, "recipe": {**STUDY["recipe"], "augment": {"crop": 4}}}
    assert [planned(study).recipe(16, 100, shrunk).augment.crop for shrunk in (1, 0.5, 0.25)] == [4, 2, 1]


def test_a_residual_networks_axis_is_depth_at_one_width():
    study = {**{key: value for key, value in DEPTHS.items() if key != "widest"}, "widths": [1.5], "depths": [14, 20]}
    assert [(size.key, size.width, size.options) for size in planned(study, multiplier=2).sizes] == [
        ("d14", 3.0, {"depth": 14}), ("d20", 3.0, {"depth": 20})]


@pytest.mark.parametrize("views, examples, epochs",
                         [(1000, 1000, 1), (999, 1000, 0.999), (5000, 1000, 5), (20_000, 1000, 10), (10_000, 1000, 10)])
def test_epochs_are_the_smaller_of_the_papers_and_views_over_examples(views, examples, epochs):
    assert planned(views=views).recipe(16, examples).epochs == pytest.approx(epochs)


def test_an_untrained_variant_stays_untrained():
    study = {**STUDY, "variants": {"base": {"recipe": {"epochs": 0}}}}
    assert planned(study, views=500).recipe(16, 1000).epochs == 0


def test_keep_chooses_widths_in_the_studys_order():
    assert keys(keep=[256, 16]) == ["w16", "w256"]
    assert keys(keep=[64, 7]) == ["w64"]
    assert keys(DEPTHS, keep=[1, 20]) == ["d1", "d20"]


def test_keeping_nothing_is_refused_with_what_there_is():
    with pytest.raises(ValueError, match=r"keeps \[7\], but the study has \[16, 64, 256\]"):
        planned(keep=[7])


def test_keep_leaves_a_variants_own_widths_alone():
    assert keys(variant="judge", keep=[16]) == ["w512"]


def test_widths_that_caps_make_equal_are_trained_once():
    assert [(size.key, size.width) for size in planned(widest=16).sizes] == [("w16", 16)]
    assert [(size.key, size.width) for size in planned(widest=64).sizes] == [("w16", 16), ("w64", 64)]


def test_widths_that_the_multiplier_makes_equal_are_trained_once():
    assert [(size.key, size.width) for size in planned(multiplier=1e-6).sizes] == [("w16", 1)]


def test_depths_of_equal_width_stay_apart():
    found = planned(DEPTHS, widest=64).sizes
    assert [size.width for size in found] == [64] * 4
    assert [size.options for size in found] == [{"depth": depth} for depth in (1, 2, 3, 20)]


@pytest.mark.parametrize("labels, classes", CLASSES.items())
def test_depth_families_have_a_constant_number_of_parameters(labels, classes):
    found = planned({**DEPTHS, "labels": labels}).sizes
    assert [size.width for size in found] == [constant_size_width(depth, 784, classes, 2000) for depth in (1, 2, 3, 20)]
    nets = [mlp.Net(size.width, image=(1, 28, 28), classes=classes, **size.options) for size in found]
    sizes = [sum(parameter.numel() for parameter in net.parameters()) for net in nets]
    assert max(sizes) / min(sizes) < 1.02


def test_multiplier_comes_after_the_formula_and_the_cap():
    assert widths(DEPTHS, multiplier=2) == [2 * n for n in widths(DEPTHS)]
    assert widths(DEPTHS, multiplier=2) != widths({**DEPTHS, "widest": 4000})
    assert widths(widest=100, multiplier=2) == [32, 128, 200]
    assert keys(multiplier=2) == keys()  # the key is the paper's width


@pytest.mark.parametrize("width, multiplier, expected",
                         [(16, 1, 16), (16, 0.5, 8), (16, 0.001, 1), (3, 0.5, 2), (1, 4, 4), (0.5, 2, 1.0),
                                                         (0.5, 0.1, 0.05)])
def test_whole_widths_stay_whole_and_at_least_one(width, multiplier, expected):
    found = effective(width, multiplier)
    assert found == pytest.approx(expected) and isinstance(found, type(width))


@pytest.mark.parametrize("multiplier, caps", [(1, {}), (4, {}), (0.5, {"widest": 100})])
def test_one_over_width_uses_the_effective_width(multiplier, caps):
    todo = planned({**STUDY, "recipe": {**STUDY["recipe"], "lr": "1/width"}}, multiplier=multiplier, **caps)
    for size, listed in zip(todo.sizes, (16, 64, 256)):
        width = min(listed, caps.get("widest", listed)) * multiplier
        assert todo.recipe(size.width, 1000).lr == pytest.approx(1 / width)


def test_a_variant_overrides_and_keeps_the_rest():
    todo = planned(variant="judge")
    assert [(size.key, size.width, size.options)
            for size in todo.sizes] == [("w512", 512, {"plan": "fixed", "depth": 3})]
    recipe = todo.recipe(512, 1000)
    assert (seeds(todo)[0], todo.labels, recipe.epochs, recipe.lr, recipe.momentum) == ([100], "shift", 2, 0.1, 0.5)
    assert planned(variant="none") == planned()


def test_caps_hold_for_variants():
    assert widths(variant="judge", widest=64) == [64]
    assert planned(variant="judge", views=100).recipe(4, 1000).epochs == 0.1


def test_a_misspelt_recipe_is_refused():
    with pytest.raises(ValueError, match="unknown key 'momentumm'"):
        planned({**STUDY, "recipe": {**STUDY["recipe"], "momentumm": 0.9}}).recipe(16, 10)


def test_a_studys_own_caps_stand_in_front_of_the_scales():
    params = {"scales": {"quick": {"train": {"views": 10, "seeds": 2}, "measure": {"points": 5}}},
              "toy": {"at": {"quick": {"train": {"views": 7, "lr": 0.1}, "measure": {}}}}}
    assert caps_of(params, "toy", "quick", "train") == {"views": 7, "seeds": 2, "lr": 0.1}
    assert caps_of(params, "toy", "quick", "measure") == {"points": 5}


def test_networks_are_found_by_their_files_name():
    assert network("mlp") is mlp.Net
    with pytest.raises(ValueError, match=r"network 'mpl' is unknown: there is no wide/nets/mpl\.py"):
        network("mpl")
