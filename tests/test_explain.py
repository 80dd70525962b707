"""What a variant's training consists of: every number stands where it is said to, departures are marked."""

import re
from itertools import chain

import numpy as np
import pytest

from pipeline import parameters
from pipeline.explained import data, settings, sizes
from pipeline.variants import of_paper, one, scale_and_width
from stages import explain
from wide.training.recipe import Recipe

SCALES = list(parameters.read(parameters.ROOT)["scales"])
FILES = {
    file: parameters.read(file)
    for file in ("params.yaml", "papers/gilboa/params.yaml", "papers/nguyen/params.yaml")
}
UNSTATED = ("default", "CARD")  # origins in code


@pytest.fixture(scope="module")
def variants():
    """Every variant of two papers at every scale."""
    return [
        each for scale in SCALES for paper in ("gilboa", "nguyen") for each in of_paper(paper, scale, 1.0)
    ]


def at(origin):
    """What stands at an origin, "file: dotted.key"."""
    file, key = origin.split(": ")
    value = FILES[file]
    for name in key.split("."):
        value = value[name]
    return value


def as_words(value):
    """Numbers without their type, lists and mappings without their marks."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def named(rows, name):
    [row] = [row for row in rows if row.name == name]
    return row


def test_every_number_stands_where_it_is_said_to(variants):
    """All that is stated, at all scales; lists are cut to what a cap names, seeds to their cap."""
    seen = 0
    for setting in chain.from_iterable(settings(each) + data(each) for each in variants):
        if not setting.origin or setting.origin.endswith(UNSTATED):
            continue
        value, seen = at(setting.origin), seen + 1
        if isinstance(value, dict):
            assert setting.name == "seeds" and str(list(value.values())[-1]) in setting.value
        elif isinstance(value, list):
            assert set(setting.value[1:-1].split(", ")) <= set(map(as_words, value))
        elif setting.name == "seeds" and setting.value.startswith("["):
            assert len(setting.value[1:-1].split()) == value
        elif setting.name == "seeds":
            assert as_words(value) in setting.value
        elif setting.name not in ("image", "share", "kept of it", "train split", "test split"):
            assert setting.value == as_words(value) or float(setting.value) == float(value), setting
    assert seen > 2500


def test_settings_are_those_of_the_plan(variants):
    """The recipe and the network's options, stated and default, are what a training gets."""
    for variant in variants:
        if not variant.plan.sizes:  # left out at the scale
            continue
        size, told = variant.plan.sizes[0], {row.name: row.value for row in settings(variant)}
        recipe = variant.recipe(size)
        for name in Recipe.__dataclass_fields__:
            if name not in ("epochs", "augment", "lr"):
                value = getattr(recipe, name)
                assert told[f"recipe.{name}"] == (
                    f"{list(value)}" if isinstance(value, tuple) else as_words(value)
                )
        for name, value in size.options.items():
            if name != "depth" or "sizes.depths" not in told:
                assert told[f"net.{name}"] == as_words(value)
        assert told["net.name"] == variant.plan.net


def test_nothing_departs_at_scale_paper(variants):
    for variant in variants:
        remarks = [row.remark for row in settings(variant) if row.remark]
        if variant.scale == "paper":
            assert remarks == []
        elif variant.scale == "smoke":
            assert remarks


def test_departures_are_marked_with_the_papers_value():
    rows = settings(one("nguyen.imagenet", "deep", "overnight", 1.0))
    assert named(rows, "recipe.lr").remark == "DEPARTS, the paper has 0.1"
    assert named(rows, "net.bn_momentum").remark == "DEPARTS, the paper has 0.01, the default"
    assert named(rows, "net.stem").remark == "DEPARTS, the paper states none"
    assert named(rows, "recipe.batch").remark == "capped, the paper has 256"
    assert named(rows, "views").remark == "a cap, the paper has none"
    assert named(rows, "recipe.momentum").remark == ""


def test_every_departure_is_marked(variants):
    for variant in variants:
        marked = {row.name for row in settings(variant) if row.remark.startswith("DEPARTS")}
        assert marked == {".".join(path) for path, *_ in variant.resolved.departures}


def test_data_say_what_is_left_of_them():
    rows = data(one("nguyen.wide", "sixteenth", "quick", 1.0))
    found = {row.name: (row.value, row.remark) for row in rows}
    assert found["image"] == ("3 x 16 x 16", "shrunk from 3 x 32 x 32")
    assert [found[name][0] for name in ("train split", "share")] == ["50,000", "one in 16"]
    assert found["trained on"] == ("3,125", "6.2% of all 50,000")
    assert found["test split"] == ("10,000", "")


def test_examples_are_as_many_as_a_training_takes(variants):
    for variant in variants:
        if variant.scale in ("smoke", "quick"):
            labels = np.arange(variant.splits["train"]) % variant.classes
            rest, out = variant.plan.held_out(labels[variant.plan.kept(labels)])
            assert (variant.examples, variant.held_out) == (len(rest), len(out))


def test_sizes_have_effective_widths_seeds_and_views():
    found = sizes(one("nguyen.wide", "sixteenth", "quick", 2.0))
    assert [size["width"] for size in found] == ["2", "4", "8"]
    assert {size["seeds"] for size in found} == {"0, 1, 2"}
    assert {(size["passes"], size["steps"], size["views"]) for size in found} == {("12.8", "614", "39,296")}
    assert {size["depth"] for size in found} == {"38"}
    many = sizes(one("nguyen.pair", "wide", "paper", 1.0))
    assert (many[0]["seeds"], many[0]["passes"]) == ("0 to 199", "300")
    deep = sizes(one("gilboa.shift", "base", "quick", 1.0))
    assert [(size["depth"], size["width"]) for size in deep][-1] == ("20", "271")
    assert deep[0]["parameters"] == f"{784 * 2000 + 2000 + 2000 * 28 + 28:,}"
    assert [size["lr"] for size in sizes(one("gilboa.cifar", "base", "quick", 1.0))] == [
        "0.015625",
        "0.00520833",
    ]


def test_a_width_departs(monkeypatch):
    assert (
        named(settings(one("gilboa.mnist", "base", "quick", 4.0)), "width").remark
        == "DEPARTS, the paper has 1"
    )


def test_members_of_a_panel_are_told_apart(monkeypatch):
    """What a panel varies stands beside each size, and is no default."""
    params = parameters.read("papers/gilboa/params.yaml")
    params["mnist"]["variants"]["panel"] = {"over": {"recipe.hidden": ["he_normal", "lecun_normal"]}}
    monkeypatch.setattr(
        parameters, "read", lambda file: params if file == "papers/gilboa/params.yaml" else FILES[file]
    )
    variant = one("gilboa.mnist", "panel", "smoke", 1.0)
    assert [size["recipe.hidden"] for size in sizes(variant)] == ["he_normal"] * 2 + ["lecun_normal"] * 2
    rows = settings(variant)
    assert "recipe.hidden" not in [row.name for row in rows]
    assert named(rows, "over").value == "{recipe.hidden: [he_normal, lecun_normal]}"


def test_the_page_is_aligned(capsys):
    explain.main("nguyen.wide", "sixteenth", "quick")
    page = capsys.readouterr().out
    assert page.startswith("nguyen.wide, variant sixteenth, at scale quick, width 1\n")
    _, stated, of_data, of_sizes, note = page.split("\n\n")
    assert [part.splitlines()[0] for part in (stated, of_data, of_sizes)] == ["settings", "data", "sizes"]
    for part in (stated, of_data):
        starts = {
            line.find(mark)
            for line in part.splitlines()
            for mark in ("papers/", "wide/", "pipeline/")
            if mark in line
        }
        assert len(starts) == 1
    head, *lines = of_sizes.splitlines()[1:]
    for column in head.split():
        start = head.index(f" {column}") + 1
        assert all(line[start - 1] == " " and line[start] != " " for line in lines)
    assert "40,000 views / 3,125 examples" in note
    assert re.search(
        r"net.base +8 +papers/nguyen/params.yaml: wide.at.quick.train.net.base +capped, the paper has 16",
        page,
    )


@pytest.mark.parametrize(
    "words, line",
    [
        (
            ["nguyen.wid", "all"],
            "study 'nguyen.wid' is unknown; the studies are gilboa.mnist, .*, nguyen.imagenet",
        ),
        (["wide", "all"], "study 'wide' is unknown; the studies are"),
        (["", ""], "study '' is unknown; the studies are"),
        (
            ["nguyen.wide", "sixth"],
            "variant 'sixth' is unknown; nguyen.wide has all, quarter, sixteenth, plain, untrained",
        ),
        (
            ["nguyen.wide", "all", "slow"],
            "scale 'slow' is unknown; the scales are smoke, quick, overnight, gpu, paper",
        ),
        (["nguyen.wide"], "wrong arguments nguyen.wide; usage: .* <study> <variant> "),
    ],
)
def test_unknown_names_are_one_line(words, line, capsys):
    with pytest.raises(SystemExit, match=f"^error: {line}") as stopped:
        explain.main(*words)
    assert "\n" not in str(stopped.value)
    assert capsys.readouterr().out == ""


def test_scale_and_width_are_the_parameters_where_nothing_is_said():
    root = FILES["params.yaml"]
    assert scale_and_width() == (root["scale"], root["width"])
    assert scale_and_width("paper", "2") == ("paper", 2.0)


def test_what_cannot_be_trained_names_its_place(monkeypatch):
    params = parameters.read("papers/gilboa/params.yaml")
    params["mnist"]["variants"]["base"] = {"share": 100_000}
    monkeypatch.setattr(
        parameters, "read", lambda file: params if file == "papers/gilboa/params.yaml" else FILES[file]
    )
    with pytest.raises(ValueError, match="^papers/gilboa/params.yaml: mnist.variants.base: .*lower share"):
        one("gilboa.mnist", "base", "quick", 1.0)
