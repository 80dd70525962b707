"""Results as cells: what is written by address comes back by it, from npz and JSON, whole and in order."""

import numpy as np
import pytest

from pipeline import cells
from pipeline.cells import Cell, Cells, Size, load
from wide import artifacts

LAYERS = ["input", "fc1", "logits"]


def measured(sizes=(("w16", 16, 0, (0, 3)), ("w4", 4, 0, (0,)))):
    """A result of sizes (key, width, depth, seeds): a number and a value for every layer a network."""
    found = Cells({"images": np.int64(40)})
    for key, width, depth, seeds in sizes:
        accuracy = [0.5 + seed / 10 for seed in seeds]
        found.describe(key, width=width, depth=depth, seeds=seeds, accuracy=accuracy, layers=LAYERS)
        for seed in seeds:
            found.put("score", np.float64(width + seed), key, seed)
            found.put_all({"spread": width * np.arange(3.0), "cka": np.eye(20)}, key, seed)
    return found


# By address


def test_values_come_back_by_their_address():
    found = Cells()
    addresses = [(), ("w4",), ("w4", 0), ("w4", np.int64(1)), (0, 3), (3, 0), (7,), ("label",)]
    for number, at in enumerate(addresses):
        found.put("a", number, *at)
    for number, at in enumerate(addresses):
        assert found.has("a", *at) and found.get("a", *at) == number
    assert len(found.arrays) == len(addresses)
    assert not found.has("b") and not found.has("a", "w4", 2) and not found.has("w4")
    found.put("a", "new", "w4", 1)
    assert found.get("a", "w4", 1) == "new" and len(found.arrays) == len(addresses)


def test_several_values_of_one_address():
    found = Cells()
    found.put_all({"a": 1, "b": 2}, "w4", 0)
    assert (found.get("a", "w4", 0), found.get("b", "w4", 0)) == (1, 2)


def test_arrays_are_not_shared_with_who_gave_them():
    arrays = {"a": 1}
    Cells(arrays).put("b", 2)
    assert arrays == {"a": 1}


def test_names_are_those_of_exactly_one_address():
    found = measured()
    found.put("cka", 1, 0, 3)
    assert found.names() == ["images"]
    assert found.names("w4") == ["width", "depth", "seeds", "accuracy", "layers"]
    assert found.names("w16", 3) == found.names("w4", 0) == ["score", "spread", "cka"]
    assert found.names(0, 3) == ["cka"]
    assert found.names("w1") == found.names("w4", 7) == found.names(0) == []


@pytest.mark.parametrize(
    "name, at", [("index/before", ("w4",)), ("a", ("1/width-w4",)), ("a", ("w4", "0/1"))]
)
def test_a_name_that_could_be_taken_for_an_address_is_refused(name, at):
    found = Cells()
    with pytest.raises(ValueError, match="cannot be a name in a result: / joins names"):
        found.put(name, 1, *at)
    with pytest.raises(ValueError, match="cannot be a name in a result"):
        found.put_all({name: 1}, *at)
    assert found.arrays == {}


def test_what_is_not_there_is_one_line_that_names_the_file(tmp_path):
    path = tmp_path / "a.npz"
    measured().save(path)
    for found, source in ((Cells.load(path), path), (measured(), "this result")):
        with pytest.raises(ValueError) as error:
            found.get("block", "w4", 0)
        assert str(error.value) == f"{source} holds no 'w4/0/block': run the stage that makes it again"
    with pytest.raises(ValueError, match="holds no 'w5/width'"):
        measured().size("w5")


# Sizes


def test_sizes_come_from_narrow_and_shallow_to_wide_and_deep():
    found = measured([
        ("w16", 16, 0, (0,)),
        ("d110", 1.0, 110, (0,)),
        ("w4", 4, 0, (0,)),
        ("d32", 1.0, 32, (0,)),
        ("b-w2", 2, 0, (0,)),
        ("a-w2", 2, 0, (0,)),
        ("w0.25", 0.25, 0, (0,)),
    ])  # fmt: skip
    assert found.keys() == ["w0.25", "d32", "d110", "a-w2", "b-w2", "w4", "w16"]
    assert [size.key for size in found.sizes()] == found.keys()


def test_a_size_says_what_its_writer_described():
    found = Cells()
    seeds, accuracy = np.array([0, 7]), np.array([0.25, np.nan])
    found.describe("d8", width=1.5, depth=8, seeds=seeds, accuracy=accuracy, layers=LAYERS, panel="lr=0.1")
    size = found.size("d8")
    assert size == Size("d8", 1.5, 8, (0, 7), size.accuracy, "lr=0.1")
    assert size.accuracy[0] == 0.25 and np.isnan(size.accuracy[1])
    assert found.get("layers", "d8").tolist() == LAYERS
    assert [type(value) for value in (size.width, size.depth, size.seeds[0], size.accuracy[0])] == [
        float,
        int,
        int,
        float,
    ]


def test_what_only_has_a_width_is_a_size_without_networks():
    found = Cells()
    found.put("width", np.float64(4), "w4")
    assert found.sizes() == [Size("w4", 4.0, 0, (), ())]
    assert list(found.cells("score")) == []


def test_only_what_has_a_width_is_a_size():
    found = measured()
    found.put("label", np.arange(3), "label")
    found.put("width", 9, "w4", 0)  # of a network, not of a size
    found.put("width", 9)
    assert found.keys() == ["w4", "w16"]


def test_the_accuracy_of_a_training_is_its_test_accuracy():
    found = Cells()
    found.put_all({"width": 4, "seeds": [0, 1], "test_accuracy": [0.5, None], "train_accuracy": [1, 1]}, "w4")
    size = found.size("w4")
    assert size.accuracy[0] == 0.5 and np.isnan(size.accuracy[1]) and size.seeds == (0, 1)


# Cells


def test_cells_are_every_networks_value():
    found = measured()
    found.put("other", 5, "w16", 3)
    assert list(found.cells("score")) == [
        Cell("w4", 4.0, 0, 0, None, 4.0),
        Cell("w16", 16.0, 0, 0, None, 16.0),
        Cell("w16", 16.0, 0, 3, None, 19.0),
    ]
    assert [(cell.size, cell.seed) for cell in found.cells("other")] == [("w16", 3)]
    assert list(found.cells("nothing")) == []


def test_cells_by_layer_are_an_entry_a_layer():
    found = list(measured().cells("spread", by_layer=True))
    assert [(cell.size, cell.seed, cell.layer, cell.value) for cell in found] == [
        (size, seed, layer, width * place)
        for size, width, seed in (("w4", 4, 0), ("w16", 16, 0), ("w16", 16, 3))
        for place, layer in enumerate(LAYERS)
    ]
    assert {type(cell.layer) for cell in found} == {str}
    of_matrix = list(measured([("w4", 4, 0, (0,))]).cells("cka", by_layer=False))
    assert of_matrix[0].value.shape == (20, 20)


@pytest.mark.parametrize("name", ["cka", "score", "short"])
def test_a_value_that_has_not_an_entry_a_layer_is_one_line(name):
    found = measured()
    found.put("short", [1, 2], "w4", 0)
    with pytest.raises(
        ValueError, match=f"this result: '{name}' of w4 has not one entry for each of 3 layers"
    ):
        list(found.cells(name, by_layer=True))


def test_layers_that_are_not_there_are_one_line():
    found = Cells()
    found.describe("w4", width=4, depth=0, seeds=[0], accuracy=[0.5])
    found.put("spread", [1, 2], "w4", 0)
    with pytest.raises(ValueError, match="holds no 'w4/layers'"):
        list(found.cells("spread", by_layer=True))


# Files


def test_an_npz_comes_back(tmp_path):
    found, path = measured(), tmp_path / "deep" / "a.npz"
    found.put("name", np.array(["a", "bc"]), "class")
    found.put("plain", [1, 2])
    found.save(path)
    again = Cells.load(path)
    assert again.arrays.keys() == found.arrays.keys() and again.source == path
    for name, value in found.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], value)
        assert again.arrays[name].dtype == np.asarray(value).dtype
    assert again.sizes() == found.sizes() and again.names("w4", 0) == ["cka", "score", "spread"]
    again.save(tmp_path / "b.npz")
    assert (tmp_path / "b.npz").read_bytes() == path.read_bytes()


def test_json_comes_back_as_a_tree_of_addresses(tmp_path):
    found, path = Cells(), tmp_path / "a.json"
    found.put("images", np.int64(40))
    found.put_all({"width": 4, "depth": 0, "seeds": [0, 7], "test_accuracy": [0.5, np.nan]}, "w4")
    found.put("spread", np.arange(3) / 4, "w4", 7)
    found.put("note", None, "w4", 0)
    found.save(path)
    assert artifacts.load_numbers(path) == {
        "images": 40,
        "w4": {
            "width": 4,
            "depth": 0,
            "seeds": [0, 7],
            "test_accuracy": [0.5, None],
            "7": {"spread": [0, 0.25, 0.5]},
            "0": {"note": None},
        },
    }
    again = Cells.load(path)
    assert set(again.arrays) == set(found.arrays) and again.get("spread", "w4", 7) == [0, 0.25, 0.5]
    assert again.size("w4").seeds == (0, 7) and np.isnan(again.size("w4").accuracy[1])
    assert [(cell.seed, cell.value) for cell in again.cells("spread")] == [(7, [0, 0.25, 0.5])]
    again.save(tmp_path / "b.json")
    assert (tmp_path / "b.json").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("suffix", ["npz", "json"])
def test_files_that_are_not_there_or_damaged_are_one_line(suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    with pytest.raises(FileNotFoundError, match="is missing: run `dvc repro`"):
        Cells.load(path)
    path.write_bytes(b"PK damaged")
    with pytest.raises(ValueError, match=f"a.{suffix} is damaged"):
        Cells.load(path)


def test_a_result_is_found_by_its_paper_study_measure_and_variant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    at = ("toy", "paper", "study", "measure", "variant")
    with pytest.raises(FileNotFoundError, match="results/toy/paper/study/measure/variant.npz is missing"):
        load(*at)
    Cells({"a": 1}).save(artifacts.result(*at, "json"))
    assert load(*at).get("a") == 1
    Cells({"a": np.arange(3)}).save(artifacts.result(*at))
    assert load(*at).get("a").tolist() == [0, 1, 2]
    with pytest.raises(FileNotFoundError):
        load("toy", "other", "study", "measure", "variant")
    assert cells.SEPARATOR == "/"  # stands in committed files
