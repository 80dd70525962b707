"""What drawings share: entries at a scale, results that are left out, networks and their names, tables."""

import numpy as np
import pytest

from pipeline import figure, panels
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
    found, panel = sizes(w2=2.0), {"study": "wide", "variant": "all"}
    found.put("block", np.array([0.25, 1, 2]), "w2", 5)
    found.put("removed_block", np.array([0.5, 1, 3]), "w2", 5)
    assert panels.small_print(found, panel, "w2", 5, Cells()) == "93.4 %\nblock 25 %"
    assert panels.small_print(found, panel, "w2", 5, Cells(), "removed_block") == "93.4 %\nblock 50 %"
    assert panels.small_print(found, panel | {"untrained": True}, "w2", 5, Cells()) == "block 25 %"


@pytest.mark.parametrize("floor, star", [(0.9, ""), (0.9229, ""), (0.9231, "*"), (0.99, "*")])
def test_a_star_is_where_the_mean_over_seeds_is_not_above_the_floor(floor, star):
    """Not the network's own accuracy: 91.2 and 93.4 % have the mean 92.3 %."""
    found, panel = sizes(w2=2.0), {"study": "wide", "variant": "all"}
    found.put("block", np.array([0.25, 1, 2]), "w2", 5)
    known = Cells({"wide/all/accuracy": floor, "wide/half/accuracy": 1.0})
    assert panels.small_print(found, panel, "w2", 5, known) == f"93.4 %{star}\nblock 25 %"


def test_floors_are_of_the_data_sets_that_an_entry_names():
    made = {"one": Cells({"wide/all/accuracy": 0.3}), "two": Cells({"deep/all/accuracy": 0.2})}
    entry = {"reads": {"a": "wide/cka/all.npz", "b": "floor/linear/one.json", "c": "floor/linear/two.json"}}
    found = panels.floors(entry, lambda *name: made[name[-1]])
    assert found.get("accuracy", "wide", "all") == 0.3 and found.get("accuracy", "deep", "all") == 0.2
    assert not panels.floors({"reads": {"a": "../../checked"}}, None).arrays


def test_what_networks_were_trained_on_is_a_sentence():
    data = {"all": "all of it", "half": "half of it"}
    shown = [{"study": "wide", "variant": variant} for variant in ("half", "all", "half", "other")]
    known = Cells({"wide/half/examples": 25000})
    told = "Networks trained on half of it (25,000 images) and all of it, scale quick."
    assert panels.trained_on(data, shown, known, "quick") == told
    assert panels.trained_on({}, shown, known, "quick") == "Scale quick."


# ---- what did not run


def test_names_of_what_did_not_run_share_their_brackets():
    names = ["A\n(1×)", "all\ndata", "A (2×)", "B (1×)", "A (1×)", "C (1×): 2 of 3", ""]
    assert figure.merged(names) == ["A (1×, 2×)", "all data", "B (1×)", "C (1×): 2 of 3"]
    assert figure.left_out(["A (1×)", "B"], "quick") == "Not run at quick: A (1×); B."
    assert figure.left_out([], "quick") == ""
    assert figure.nothing(["A"], "quick") == "Nothing of this figure runs at scale quick: A."


def row(name, ran, sizes=None, **facts):
    """Panels a, b, c of a row, of which those named ran."""
    of_row = {"name": name, **({"sizes": sizes} if sizes else {}), **facts}
    return [of_row | {"heading": letter, "ran": letter in ran} for letter in "abc"]


def headings(rows):
    return [[panel and panel["heading"] for panel in row] for row in rows]


def test_panels_that_did_not_run_take_no_room_but_below_others_of_their_size():
    rows = [row("one", "a", "xyz"), row("two", "ac", "xyz"), row("other", "b", "pqr"), row("none", "", "xyz")]
    assert headings(panels.compact(rows)) == [["a", None], ["a", "c"], ["b"]]
    assert panels.unrun(rows) == ["b", "one: c", "b", "a", "c", "none"]
    assert panels.compact([row("none", "")]) == []


def test_seeds_that_did_not_run_are_counted_and_listed_panels_named():
    assert panels.unrun([row("net", "a", seeds=3), row("gone", "", seeds=3)]) == ["net: 2 of 3 seeds", "gone"]
    assert panels.unrun([row("data", "", panels=["a"])]) == ["a", "b", "c"]
    assert panels.unrun([row("net", "abc", "xyz")]) == []


# ---- names


def test_names_come_from_the_result_or_else_from_the_key():
    template = "ResNet-{depth:g} ({width:g}×)"
    deep = Cells({"d110/depth": 110, "d110/width": 0.5})
    assert figure.titled(template, deep, "d110") == "ResNet-110 (0.5×)"
    assert figure.titled(template, Cells(), "d110") == "ResNet-110 (1×)"
    wide = Cells({"w4/width": 8.0})
    assert figure.titled("{width:g}×, seed {seed}", wide, "w4", seed=2) == "8×, seed 2"
    named = "ResNet-38 ({width:g}×{channels})"
    known = Cells({"w4/width": 4.0, "w4/depth": 38, "w4/channels": 32})
    assert figure.titled(named, known, "w4") == "ResNet-38 (4×, 32 ch)"
    assert figure.titled(named, Cells(), "w4") == "ResNet-38 (4×)"
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
