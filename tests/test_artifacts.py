"""Stored artefacts: equal content is equal bytes, a write happens or does not, damage is one clear line."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from wide import artifacts

ARRAYS = {
    "b/w": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a": np.array([[1, 2], [3, 4]], np.int64),
    "z": np.zeros((0, 3)),
    "image": np.arange(8, dtype=np.uint8).reshape(2, 2, 2),
    "flag": np.array([True, False]),
    "number": np.float64(2.5),
    "mirrored": np.add.outer(np.arange(16), np.arange(16)).astype(np.float16),
}
CARD = {"widths": [1, 2], "study": {"seeds": [0], "accuracy": 0.5}, "a": None}
NUMBERS = {"b": {"y": [1, 2.5], "x": None}, "a": "text"}


def backwards(mapping):
    """The same mapping, its keys the other way round at every level."""
    return {
        key: backwards(value) if isinstance(value, dict) else value
        for key, value in reversed(mapping.items())
    }


WRITERS = {  # name: (write to a path, write the same in another order, read)
    "tensors": (
        lambda path: artifacts.save_tensors(path, ARRAYS, CARD),
        lambda path: artifacts.save_tensors(path, backwards(ARRAYS), backwards(CARD)),
        artifacts.load_tensors,
    ),
    "result": (
        lambda path: artifacts.save_result(path, ARRAYS),
        lambda path: artifacts.save_result(path, backwards(ARRAYS)),
        artifacts.load_result,
    ),
    "numbers": (
        lambda path: artifacts.save_numbers(path, NUMBERS),
        lambda path: artifacts.save_numbers(path, backwards(NUMBERS)),
        artifacts.load_numbers,
    ),
    "text": (
        lambda path: artifacts.write_text(path, "a | b\n"),
        lambda path: artifacts.write_text(path, "a | b\n"),
        None,
    ),
    "bytes": (
        lambda path: artifacts.write_bytes(path, b"\x89PNG"),
        lambda path: artifacts.write_bytes(path, b"\x89PNG"),
        None,
    ),
}
READERS = {name: writer for name, writer in WRITERS.items() if writer[2]}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
        assert found[name].dtype == np.asarray(value).dtype and found[name].shape == np.shape(value)


@pytest.mark.parametrize("name", WRITERS)
def test_equal_content_is_equal_bytes(name, tmp_path, monkeypatch):
    write, reordered, _ = WRITERS[name]
    write(tmp_path / "first")
    monkeypatch.setattr("time.time", lambda: 2e9)
    write(tmp_path / "second")
    reordered(tmp_path / "third")
    contents = {(tmp_path / file).read_bytes() for file in ("first", "second", "third")}
    assert len(contents) == 1 and contents != {b""}


def test_bytes_do_not_depend_on_the_process(tmp_path):
    code = (
        "import numpy as np, sys; from pathlib import Path; from wide import artifacts; "
        "path = Path(sys.argv[1]); "
        "arrays = {n: np.ones(3) for n in {'a', 'b', 'c', 'd', 'e'}}; "
        "card = {n: 1 for n in {'x', 'y', 'z'}}; "
        "artifacts.save_tensors(path / 'a', arrays, card); "
        "artifacts.save_result(path / 'b', arrays); artifacts.save_numbers(path / 'c', {'s': arrays})"
    )
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", code, tmp_path / seed],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
    for file in "abc":
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes()


@pytest.mark.parametrize("name", WRITERS)
def test_other_content_is_other_bytes_and_replaces(name, tmp_path):
    path = tmp_path / "file"
    WRITERS[name][0](path)
    before = path.read_bytes()
    {
        "tensors": lambda: artifacts.save_tensors(path, ARRAYS, {**CARD, "a": 1}),
        "text": lambda: artifacts.write_text(path, "b"),
        "bytes": lambda: artifacts.write_bytes(path, b"b"),
        "result": lambda: artifacts.save_result(path, {**ARRAYS, "a": np.zeros(2)}),
        "numbers": lambda: artifacts.save_numbers(path, {**NUMBERS, "a": 0}),
    }[name]()
    assert path.read_bytes() != before


def test_tensors_come_back(tmp_path):
    artifacts.save_tensors(tmp_path / "deep" / "er" / "file", ARRAYS, CARD)
    found, card = artifacts.load_tensors(tmp_path / "deep" / "er" / "file")
    assert_same(found, ARRAYS)
    assert card == CARD
    assert artifacts.load_tensors(tmp_path / "deep" / "er" / "file", ["a"])[0].keys() == {"a"}


def test_tensors_that_are_views_come_back(tmp_path):
    views = {
        "turned": ARRAYS["b/w"].T,
        "every other": np.arange(10)[::2],
        "column": np.arange(12).reshape(3, 4)[:, 1],
    }
    artifacts.save_tensors(tmp_path / "file", views)
    found, card = artifacts.load_tensors(tmp_path / "file")
    assert_same(found, views)
    assert card == {}


def test_results_come_back_and_are_compressed(tmp_path):
    artifacts.save_result(
        tmp_path / "deep" / "file.npz", {**ARRAYS, "words": np.array(["a", "bc"]), "flat": np.zeros(100_000)}
    )
    assert_same(
        artifacts.load_result(tmp_path / "deep" / "file.npz"),
        {**ARRAYS, "words": np.array(["a", "bc"]), "flat": np.zeros(100_000)},
    )
    assert (tmp_path / "deep" / "file.npz").stat().st_size < 10_000


def mirrored(n, dtype, seed=0):
    """A random matrix (n, n) that is its own transpose, the upper triangle copied value by value."""
    matrix = (np.random.default_rng(seed).normal(size=(n, n)) * 50).astype(dtype)
    for row in range(n):
        for column in range(row):
            matrix[row, column] = matrix[column, row]
    return matrix


def dead(matrix, *layers):
    """The matrix with rows and columns of NaN."""
    matrix[list(layers)] = matrix[:, list(layers)] = np.nan
    return matrix


def stored(arrays, path):
    """What stands in the file, which must give back the arrays to the bit: {entry: array}."""
    artifacts.save_result(path, arrays)
    found = artifacts.load_result(path)
    assert_same(found, arrays)
    assert all(found[name].tobytes() == np.asarray(value).tobytes() for name, value in arrays.items())
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


FOLDED = {
    "half": mirrored(40, np.float16),
    "single": mirrored(33, np.float32),
    "double": mirrored(17, np.float64),
    "whole": mirrored(20, np.int8),
    "flag": mirrored(18, bool),
    "other endian": mirrored(16, ">f2"),
    "complex": mirrored(16, complex),
    "words": mirrored(16, "U4"),
    "dead": dead(mirrored(30, np.float16), 3, 29),
    "all dead": np.full((20, 20), np.nan, np.float16),
    "least": np.eye(16),
    "columns first": np.asfortranarray(mirrored(19, np.float16)),
    "a view": mirrored(40, np.float16)[::2, ::2],
}


@pytest.mark.parametrize("name", FOLDED)
def test_a_mirrored_matrix_is_stored_by_its_upper_triangle(name, tmp_path):
    matrix = FOLDED[name]
    entries = stored({"d8/0/cka": matrix}, tmp_path / "file")
    assert entries.keys() == {"d8/0/cka.triangle"} and entries["d8/0/cka.triangle"].dtype == matrix.dtype
    row_by_row = [matrix[row, column] for row in range(len(matrix)) for column in range(row, len(matrix))]
    np.testing.assert_array_equal(entries["d8/0/cka.triangle"], np.array(row_by_row, matrix.dtype))


def nudged(matrix, row, column, value):
    matrix[row, column] = value
    return matrix


WHOLE = {
    "small": mirrored(15, np.float16),
    "oblong": np.zeros((16, 17)),
    "line": np.zeros(256),
    "cube": np.zeros((16, 16, 16)),
    "empty": np.zeros((0, 0)),
    "number": np.float16(1),
    "random": np.random.default_rng(0).normal(size=(40, 40)).astype(np.float16),
    "opposite": np.subtract.outer(np.arange(20), np.arange(20)),
    "nearly": nudged(np.ones((20, 20)), 3, 7, np.nextafter(1, 2)),
    "half dead": nudged(np.ones((20, 20), np.float16), 7, 3, np.nan),
    "signed zero": nudged(np.zeros((20, 20), np.float16), 7, 3, -0.0),
    "two NaNs": nudged(np.full((20, 20), np.nan, np.float16), 7, 3, -np.float16(np.nan)),
}


@pytest.mark.parametrize("name", WHOLE)
def test_every_other_array_is_stored_whole(name, tmp_path):
    assert stored({"a": WHOLE[name]}, tmp_path / "file").keys() == {"a"}


def test_a_loaded_matrix_is_ones_own(tmp_path):
    """Writable, and no value shared between the two triangles."""
    artifacts.save_result(tmp_path / "file", {"a": np.eye(16)})
    matrix = artifacts.load_result(tmp_path / "file")["a"]
    matrix[2, 5] = 7
    assert matrix[5, 2] == 0 and matrix.flags.c_contiguous


def test_matrices_of_many_kinds_share_a_file_whose_bytes_do_not_depend_on_memory_order(tmp_path):
    arrays = {**FOLDED, **{f"{name} one": value for name, value in WHOLE.items()}, **ARRAYS}
    stored(arrays, tmp_path / "first")
    turned = {
        name: np.asfortranarray(value) if name in FOLDED else value
        for name, value in backwards(arrays).items()
    }
    artifacts.save_result(tmp_path / "second", turned)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_a_triangle_takes_half_the_room(tmp_path):
    matrix = mirrored(200, np.float16)
    artifacts.save_result(tmp_path / "folded", {"a": matrix})
    artifacts.save_result(tmp_path / "whole", {"a": nudged(matrix.copy(), 0, 1, 0)})
    assert (tmp_path / "folded").stat().st_size < 0.55 * (tmp_path / "whole").stat().st_size


def test_a_file_without_triangles_loads_as_ever(tmp_path):
    arrays = {**FOLDED, **ARRAYS}
    np.savez_compressed(tmp_path / "old.npz", **arrays)
    assert_same(artifacts.load_result(tmp_path / "old.npz"), arrays)


@pytest.mark.parametrize("value", [np.zeros(3), np.eye(20)])
def test_a_name_that_would_be_taken_for_a_triangle_is_refused(value, tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(ValueError, match="cannot be called 'a.triangle'.*take another name"):
        artifacts.save_result(tmp_path / "file", {"a": np.eye(20), "a.triangle": value})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"file": b"old"}
    assert stored({"triangle": np.zeros(3), "a.triangle/b": np.zeros(2)}, tmp_path / "file").keys() == {
        "triangle",
        "a.triangle/b",
    }


def test_a_triangle_of_no_matrix_is_a_damaged_file(tmp_path):
    np.savez(tmp_path / "file.npz", **{"a.triangle": np.zeros(5)})
    with pytest.raises(ValueError, match="file.npz is damaged"):
        artifacts.load_result(tmp_path / "file.npz")


def test_numbers_come_back_with_six_digits(tmp_path):
    artifacts.save_numbers(
        tmp_path / "file",
        {
            "third": 1 / 3,
            "large": 123456789.0,
            "array": np.array([[1.0, np.nan]]),
            "whole": np.int64(12345678),
            "yes": np.bool_(True),
            3: (1, 2),
            "single": np.float32(0.1),
            "infinite": float("inf"),
            "nothing": None,
            "text": "ρ",
        },
    )
    assert artifacts.load_numbers(tmp_path / "file") == {
        "third": 0.333333,
        "large": 123457000.0,
        "array": [[1.0, None]],
        "whole": 12345678,
        "yes": True,
        "3": [1, 2],
        "single": 0.1,
        "infinite": None,
        "nothing": None,
        "text": "ρ",
    }
    artifacts.save_numbers(tmp_path / "list", [1, {"a": 2}])
    assert artifacts.load_numbers(tmp_path / "list") == [1, {"a": 2}]


def test_text_comes_back(tmp_path):
    artifacts.write_text(tmp_path / "new" / "page.md", "✔ ρ\n")
    assert (tmp_path / "new" / "page.md").read_text(encoding="utf-8") == "✔ ρ\n"


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("share", [0, 0.02, 0.3, 0.9, 0.99])
def test_a_truncated_file_is_one_clear_line(name, share, tmp_path):
    write, _, read = READERS[name]
    path = tmp_path / "file"
    write(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * (len(content) - 2))])
    with pytest.raises(ValueError) as error:
        read(path)
    message = str(error.value)
    assert message.startswith(f"{path} is damaged") and message.endswith("delete it and run `dvc repro`")
    assert "\n" not in message


@pytest.mark.parametrize("name", ["tensors", "result"])
def test_a_flipped_byte_is_a_clear_line_or_harmless_to_reading(name, tmp_path):
    write, _, read = READERS[name]
    path = tmp_path / "file"
    write(path)
    content, refused = path.read_bytes(), 0
    for place in range(0, len(content), 3):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            read(path)
        except ValueError as error:
            assert f"{path} is damaged" in str(error)
            refused += 1
    assert refused > 10


@pytest.mark.parametrize("name", READERS)
def test_a_missing_file_names_the_way_to_make_it(name, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is missing: run `dvc repro`"):
        READERS[name][2](tmp_path / "nowhere")


def full_disk(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("where", ["rename", "write"])
@pytest.mark.parametrize("old", [b"old", None])
def test_a_failing_write_leaves_the_old_file_and_nothing_else(name, where, old, tmp_path, monkeypatch):
    path = tmp_path / "file"
    if old:
        path.write_bytes(old)
    if where == "rename":
        monkeypatch.setattr(os, "replace", full_disk)
    else:
        monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(
        OSError, match="file could not be written .No space left on device.; make room and run again"
    ):
        WRITERS[name][0](path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == ({"file": old} if old else {})


@pytest.mark.parametrize("name", WRITERS)
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(name, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    (tmp_path / "file").write_bytes(b"old")
    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        WRITERS[name][0](tmp_path / "file")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"file": b"old"}


def test_what_cannot_be_stored_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(ValueError):
        artifacts.save_result(tmp_path / "file", {"a": np.zeros(3), "b": np.array([{}], object)})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"file": b"old"}


def test_a_reader_never_sees_a_half_written_file(tmp_path, monkeypatch):
    """At the moment of the rename the whole content is in a file beside the old one, in the same folder."""
    path, seen = tmp_path / "file", []
    path.write_bytes(b"old")
    replace = os.replace

    def spy(part, target):
        seen.append((Path(part).parent == tmp_path, Path(part).stat().st_size, path.read_bytes()))
        replace(part, target)

    monkeypatch.setattr(os, "replace", spy)
    for write, _, _ in WRITERS.values():
        write(path)
        assert seen[-1][:2] == (True, path.stat().st_size)
    assert seen[0][2] == b"old"


NAMES = {  # of what each path is asked for
    artifacts.dataset: ("name",),
    artifacts.population: ("paper", "study", "variant"),
    artifacts.activations: ("paper", "study", "variant"),
    artifacts.result: ("paper", "study", "measure", "variant"),
    artifacts.training: ("paper", "study", "variant"),
    artifacts.throughput: ("paper", "study", "variant"),
    artifacts.timing: ("paper",),
    artifacts.summary: ("paper",),
    artifacts.claims: ("paper",),
    artifacts.figure: ("key",),
}


def paths_of(**told):
    """Every artefact's path, what is not told called by what it is."""
    found = [
        path(told.get("scale", "scale"), *(told.get(name, name) for name in names))
        for path, names in NAMES.items()
    ]
    names = [told.get(name, name) for name in ("scale", "paper", "study", "measure", "variant")]
    return [
        *found,
        artifacts.result(*names, "json"),
        artifacts.figure(names[0], told.get("key", "key"), "md"),
    ]


def test_every_artefact_has_a_path_of_its_own():
    found = paths_of()
    assert len(set(found)) == len(found) == 12 and not any(path.is_absolute() for path in found)


@pytest.mark.parametrize("told", ["scale", *sorted({name for names in NAMES.values() for name in names})])
def test_an_artefact_of_another_scale_paper_study_or_variant_has_another_path(told):
    asked = [("scale", *names) for names in NAMES.values()]
    asked += [("scale", *NAMES[artifacts.result]), ("scale", "key")]
    for here, other, names in zip(paths_of(), paths_of(**{told: "other"}), asked, strict=True):
        assert (here != other) == (told in names), here


def test_artefacts_lie_where_stages_declare_them():
    """The paths that dvc.yaml spells, too."""
    assert [str(path) for path in paths_of()] == [
        "data/datasets/scale/name.safetensors",
        "data/populations/scale/paper/study/variant.safetensors",
        "data/activations/scale/paper/study/variant.safetensors",
        "results/scale/paper/study/measure/variant.npz",
        "results/scale/paper/study/training/variant.json",
        "results/scale/paper/study/throughput/variant.json",
        "results/scale/paper/timing.json",
        "results/scale/paper.json",
        "results/scale/claims/paper.json",
        "figures/scale/key.png",
        "results/scale/paper/study/measure/variant.json",
        "figures/scale/key.md",
    ]
