"""What drawings share: entries at a scale, results that are left out, networks and their names, tables."""

import numpy as np
import pytest

from pipeline import figure
from pipeline.cells import Cells


def sizes(**widths):
    """A result that knows sizes by key and width, with two networks each."""
    found = Cells()
    for key, width in widths.items():
        found.describe(key, width=width, depth=38, seeds=[3, 5], accuracy=[0.912, 0.934], layers=["input"])
    return found


# ---- entries


def test_options_may_depend_on_the_scale_at_any_depth():
    rows = [{"size": {"others": "w10", "quick": "w8"}, "seeds": 5}, "label"]
    entry = {"side": {"others": 1, "smoke": 2}, "rows": rows}
    assert figure.resolved(entry, "quick") == {"side": 1, "rows": [{"size": "w8", "seeds": 5}, "label"]}
    assert figure.resolved(entry, "smoke") == {"side": 2, "rows": [{"size": "w10", "seeds": 5}, "label"]}
    assert figure.resolved({"others": {"others": 1, "gpu": 2}, "quick": 3}, "gpu") == 2


def test_a_key_that_is_also_a_scale_chooses_nothing():
    entry = {"paper": {"w1": [93.5, 71.2]}, "quick": "a title"}
    assert figure.resolved(entry, "paper") == figure.resolved(entry, "quick") == entry


def test_shown_stands_for_the_papers_variant():
    entry = {"reads": ["wide/cka/{shown}", "wide/cka/all"], "variant": "{shown}", "title": "seed {seed}"}
    assert figure.resolved(entry, "quick", "sixteenth") == {
        "reads": ["wide/cka/sixteenth", "wide/cka/all"],
        "variant": "sixteenth",
        "title": "seed {seed}",
    }
    with pytest.raises(ValueError, match="'wide/cka/{shown}'.* at scale overnight"):
        figure.resolved(entry, "overnight")


# ---- results


def test_files_that_are_left_out_are_empty_unless_all_are():
    asked = []

    def load(study, measure, variant):
        asked.append((study, measure, variant))
        if study != "there":
            raise FileNotFoundError(f"{study} is missing")
        return Cells({"images": 3})

    wanted = [("gone", "all"), ("there", "all"), ("there", "all")]
    gone, *there = figure.present(load, "cka", wanted)
    assert not gone.arrays and [cells.get("images") for cells in there] == [3, 3]
    assert asked == [("gone", "cka", "all"), ("there", "cka", "all")], "each is read once"
    with pytest.raises(FileNotFoundError, match="first is missing"):
        figure.present(load, "cka", [("first", "all"), ("second", "all")])


def test_network_is_the_nth_of_a_size_or_of_the_largest():
    found = sizes(w10=10.0, w2=2.0)
    assert figure.network(found, "w2", 1) == ("w2", 5) and figure.network(found, "widest") == ("w10", 3)
    assert figure.network(found, "w10", 2) == ("w10", None)
    assert figure.network(found, "w4") == ("w4", None)
    assert figure.network(Cells(), "deepest") == (None, None)


def test_small_print_is_of_the_network_itself():
    found = sizes(w2=2.0)
    found.put("block", np.array([0.25, 1, 2]), "w2", 5)
    found.put("removed_block", np.array([0.5, 1, 3]), "w2", 5)
    assert figure.small_print(found, "w2", 5) == "93.4 %, block 25 %"
    assert figure.small_print(found, "w2", 5, "removed_block") == "93.4 %, block 50 %"


# ---- names


def test_names_come_from_the_result_or_else_from_the_key():
    template = "ResNet-{depth:g} ({width:g}×)"
    deep = Cells({"d110/depth": 110, "d110/width": 0.5})
    assert figure.titled(template, deep, "d110") == "ResNet-110 (0.5×)"
    assert figure.titled(template, Cells(), "d110") == "ResNet-110 (1×)"
    wide = Cells({"w4/width": 8.0})
    assert figure.titled("{width:g}×, seed {seed}", wide, "w4", seed=2) == "8×, seed 2"
    assert figure.titled(template, Cells(), None) == ""
    assert figure.titled("other data", Cells(), None) == "other data"


def test_a_member_of_a_panel_is_named_by_its_result():
    key = "0.1-he_normal-w4"
    found = Cells({f"{key}/width": 4.0, f"{key}/depth": 38})
    assert figure.titled("ResNet-{depth:g} ({width:g}×)", found, key) == "ResNet-38 (4×)"


def test_a_residual_network_is_named_by_depth_and_width():
    assert figure.resnet(62, 1.0) == "ResNet-62 (1×)" and figure.plain_resnet(62, 1.0) == "ResNet-62"
    assert figure.resnet(50, 2.8, "\n") == figure.plain_resnet(50, 2.8, "\n") == "ResNet-50\n(2.8×)"


def test_networks_known_by_number_stand_in_their_order():
    found = Cells({"dispersion": np.eye(2)})
    for number, (depth, width) in enumerate([(62, 1.0), (14, 2.0)]):
        found.put_all({"depth": np.int64(depth), "width": np.float64(width)}, number)
    assert figure.numbered(found) == [(62, 1.0), (14, 2.0)]
    assert figure.numbered(Cells()) == []


# ---- Markdown


def test_columns_of_a_table_line_up():
    assert figure.table([["x", "long one"], ["yyyy", "z"]]) == (
        "| x    | long one |\n| ---- | -------- |\n| yyyy | z        |"
    )
    assert figure.table([["a"], ["b"]]) == "| a   |\n| --- |\n| b   |", "a rule is three signs long at least"
    with pytest.raises(ValueError, match="zip"):
        figure.table([["a", "b"], ["c"]])


def test_a_page_is_a_title_and_parts_with_a_line_between():
    assert figure.page("Title", "told", "| a |") == "# Title\n\ntold\n\n| a |\n"
