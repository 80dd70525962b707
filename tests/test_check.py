"""A wrong parameters file is refused in one line that names the place and the way out; the repository's own passes."""
import copy
import math
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from stages import check
from stages.check import networks

ROOT = Path(__file__).parents[1]
STUDY = {"net": {"plan": "fixed"}, "labels": "digit", "test": "test", "widths": [4, 8], "seeds": [0, 1],
         "recipe": {"epochs": 1, "batch": 8, "lr": 0.1, "augment": {"flip": True}},
         "variants": {"base": {}, "judge": {"widths": [2], "recipe": {"epochs": 2}}}, "measure": {},
         "at": {"smoke": {"train": {"keep": [4]}, "measure": {}}, "paper": {"train": {}, "measure": {}}}}
PARAMS = {"scale": "smoke", "width": 1, "gilboa": {"umap": {"n_neighbors": 20}}, "toy": STUDY,
          "scales": {"smoke": {"data": {"train": 10}, "train": {"views": 10, "seeds": 1, "widest": 4},
                               "measure": {"points": 5}},
                     "paper": {"data": {}, "train": {}, "measure": {}}}}
MISSING = object()


def changed(place, value):
    """The parameters with another value at a dotted place, or without it."""
    params = copy.deepcopy(PARAMS)
    *path, last = place.split(".")
    inner = params
    for key in path:
        inner = inner[key]
    if value is MISSING:
        del inner[last]
    else:
        inner[last] = value
    return params


def refusal(params):
    with pytest.raises(ValueError) as error:
        check.check(params)
    message = str(error.value)
    assert message.startswith("params.yaml: ") and "\n" not in message
    return message


def test_the_repositorys_own_parameters_pass():
    params = YAML(typ="safe").load((ROOT / "params.yaml").read_text())
    check.check(params)
    networks(YAML(typ="safe").load((ROOT / "dvc.yaml").read_text()))
    for scale in params["scales"]:
        check.check({**params, "scale": scale})


@pytest.mark.parametrize("place, value", [("scale", "paper"), ("width", 0.25), ("width", 8),
                                          ("toy.recipe.lr", "1/width"), ("toy.recipe.epochs", 0),
                                          ("toy.widths", [0.5]), ("toy.at.smoke.train.keep", [4, 8]),
                                          ("toy.net", MISSING)])
def test_what_is_right_passes(place, value):
    check.check(PARAMS)
    check.check(changed(place, value))


@pytest.mark.parametrize("value", ["nonsense", "Smoke", None, 1, ["smoke"], "", MISSING])
def test_scale_must_be_one_of_the_known(value):
    message = refusal(changed("scale", value))
    assert "scale is '" in message and "must be one of smoke, paper" in message


@pytest.mark.parametrize("value", [0, -1, "abc", True, math.nan, math.inf, None, [1], MISSING], ids=str)
def test_width_must_be_a_number_above_zero(value):
    message = refusal(changed("width", value))
    assert f"width is {None if value is MISSING else value!r}" in message and "must be a number above 0" in message


@pytest.mark.parametrize("place, near", [
    ("toy.receipe", "recipe"), ("toy.width", "widths"), ("toy.recipe.epoch", "epochs"),
    ("toy.recipe.momentumm", "momentum"),
    ("toy.recipe.augment.shfit", "shift"), ("toy.variants.judge.sedes", "seeds"),
    ("toy.variants.judge.recipe.epoch", "epochs"),
    ("toy.at.smoke.train.widset", "widest"), ("toy.at.smoke.measure.point", "points"), ("toy.at.smoke.trian", "train"),
    ("toy.at.smok", "smoke"),
    ("scales.smoke.train.view", "views"), ("scales.smoke.data.tset", "test"), ("scales.smoke.mesure", "measure")])
def test_a_misspelt_key_is_named_with_the_nearest(place, near):
    *path, key = place.split(".")
    message = refusal(changed(place, {} if key in ("trian", "smok", "mesure") else 1))
    assert f"unknown key '{key}'; did you mean '{near}'?" in message
    assert all(part in message for part in path if part != "augment" and part != "recipe"), "the place is named"


def test_a_key_like_no_other_lists_the_known():
    assert "unknown key 'xyz'; known keys: at, depths, labels" in refusal(changed("toy.xyz", 1))


@pytest.mark.parametrize("place", [
    "toy.labels", "toy.test", "toy.seeds", "toy.recipe", "toy.variants", "toy.measure", "toy.at", "toy.widths",
    "toy.at.paper", "toy.recipe.batch",
    "toy.at.smoke.measure", "scales.paper.train"])
def test_what_is_missing_is_named(place):
    message, key = refusal(changed(place, MISSING)), place.split(".")[-1]
    assert key in message and place.split(".")[0] in message


@pytest.mark.parametrize("place", ["toy", "toy.recipe", "toy.variants", "toy.variants.base", "toy.at", "toy.at.smoke",
                                   "toy.at.smoke.train",
                                   "scales.smoke", "scales.smoke.data"])
@pytest.mark.parametrize("value", [None, 3, "text", []], ids=str)
def test_what_must_be_a_mapping_is_named(place, value):
    assert place.split(".")[-1] in refusal(changed(place, value))


@pytest.mark.parametrize("place", ["toy.widths", "toy.variants.judge.widths", "toy.at.smoke.train.keep"])
@pytest.mark.parametrize("value", [[], 4, "4", ["a"], [True], [math.nan], [-1], None], ids=str)
def test_a_list_must_hold_numbers(place, value):
    message = refusal(changed(place, value))
    assert f"{place} is {value!r}" in message and "list of numbers" in message


@pytest.mark.parametrize("place", ["toy.seeds", "toy.variants.judge.seeds"])
def test_seeds_are_a_number_or_a_list(place):
    check.check(changed(place, 3))
    for value in ([], 0, -1, 2.5, "4", True, None, ["a"], [-1], [0.5]):
        message = refusal(changed(place, value))
        assert f"{place} is {value!r}" in message and "how many (a whole number above 0), or a list of whole numbers" in message


@pytest.mark.parametrize("place, value", [("toy.widths", [0]), ("toy.at.smoke.train.keep", [0]), ("toy.variants", {})])
def test_empty_or_zero_is_refused(place, value):
    assert f"{place} is {value!r}" in refusal(changed(place, value))


def test_half_a_layer_is_refused():
    assert "toy.depths is [0.5]; it must be a list of whole numbers" in refusal(changed("toy.depths", [0.5]))


@pytest.mark.parametrize("place", ["scales.smoke.data.train", "scales.smoke.train.views", "toy.at.smoke.train.seeds",
                                   "toy.at.smoke.measure.steps"])
@pytest.mark.parametrize("value", [0, -1, "abc", True, math.nan, math.inf, None, [1, 2]], ids=str)
def test_a_cap_is_a_number_above_zero(place, value):
    message = refusal(changed(place, value))
    assert f"{place} is {value!r}; it must be a number above 0" in message


@pytest.mark.parametrize("place, value, says", [
    ("toy.recipe.lr", -0.1, "toy.recipe: lr is -0.1"), ("toy.recipe.lr", "2/width", "toy.recipe: lr is '2/width'"),
    ("toy.recipe.batch", 0, "toy.recipe: batch is 0"), ("toy.recipe.epochs", "many", "toy.recipe: epochs is 'many'"),
    ("toy.recipe.schedule", "linear", "toy.recipe: schedule 'linear' is unknown; known: constant"),
    ("toy.recipe.optimiser", "SGD", "toy.recipe: optimiser 'SGD' is unknown; known: sgd"),
    ("toy.variants.judge.recipe.epochs", -2, "toy.variants.judge.recipe: epochs is -2")])
def test_an_impossible_recipe_is_named_with_its_study(place, value, says):
    assert says in refusal(changed(place, value))


def test_a_section_that_is_no_study_is_refused():
    assert "'learning_rate' is neither a setting nor a study" in refusal({**PARAMS, "learning_rate": 0.1})


def test_an_unknown_network_of_the_pipeline_is_refused():
    stages = {"check": {"cmd": "x"}, "train": {"vars": [{"study": "a", "net": "mlp"}]}}
    networks({"stages": stages})
    stages["train"]["vars"][0]["net"] = "mpl"
    with pytest.raises(ValueError, match=r"network 'mpl' is unknown: there is no wide/nets/mpl\.py"):
        networks({"stages": stages})


def test_the_stage_writes_the_same_output_or_says_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    check.main()
    first = (tmp_path / "data" / "checked").read_bytes()
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text().replace("width: 1 ", "width: 2 "))
    check.main()
    assert (tmp_path / "data" / "checked").read_bytes() == first
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text().replace("width: 1 ", "width: 0 "))
    with pytest.raises(SystemExit, match="^error: params.yaml: width is 0;"):
        check.main()


@pytest.mark.parametrize("place, value, says", [
    ("gilboa.umap.n_neighbours", 20, "did you mean 'n_neighbors'?"), ("gilboa.atlass", {}, "unknown key 'atlass'"),
    ("toy.measure.atlas", {"pads": 1.0}, "did you mean 'pad'?"), ("toy.measure.transfers", {}, "did you mean 'transfer'?"),
    ("toy.measure.transfer", {"labels": "digit", "recipe": {"epoch": 1}}, "did you mean 'epochs'?")])
def test_misspelt_settings_of_measures_are_refused(place, value, says):
    message = refusal(changed(place, value))
    assert says in message and place.rsplit(".", 1)[0] in message
