"""Where each artefact lives and how it is stored: the only code that loads or saves one.

Every writer is atomic (a temporary file in the same folder, then a rename) and deterministic (no dates,
sorted keys), so that a kill leaves either the old file or the new one, and equal content means equal bytes.
"""

import io
import json
import math
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_safetensors

DATA, RESULTS, FIGURES, SCRATCH = Path("data"), Path("results"), Path("figures"), Path("scratch")
TRIANGLE, FEWEST = (
    ".triangle",
    16,
)  # what marks a folded matrix in a result; a matrix of fewer rows gains nothing


def dataset(scale: str, name: str) -> Path:
    """Images and labels of a data set, cut to the scale."""
    return DATA / "datasets" / scale / f"{name}.safetensors"


def population(scale: str, paper: str, study: str, variant: str) -> Path:
    """All sizes and seeds of a variant."""
    return DATA / "populations" / scale / paper / study / f"{variant}.safetensors"


def activations(scale: str, paper: str, study: str, variant: str) -> Path:
    """Stored activations of a variant, keyed like its population."""
    return DATA / "activations" / scale / paper / study / f"{variant}.safetensors"


def result(scale: str, paper: str, study: str, measure: str, variant: str, suffix: str = "npz") -> Path:
    """A measure of a variant: arrays (npz) or numbers (json)."""
    return RESULTS / scale / paper / study / measure / f"{variant}.{suffix}"


def training(scale: str, paper: str, study: str, variant: str) -> Path:
    """Accuracies of a training, kept apart from the population so that they stand in git."""
    return result(scale, paper, study, "training", variant, "json")


def throughput(scale: str, paper: str, study: str, variant: str) -> Path:
    """Images a second of a training, kept apart from its accuracies, which must not depend on the clock."""
    return result(scale, paper, study, "throughput", variant, "json")


def timing(scale: str, paper: str) -> Path:
    """How long each of a paper's stages took."""
    return RESULTS / scale / paper / "timing.json"


def summary(scale: str, paper: str) -> Path:
    """A paper's few numbers: claims by verdict, accuracies."""
    return RESULTS / scale / f"{paper}.json"


def claims(scale: str, paper: str) -> Path:
    """The judged claims of a paper."""
    return RESULTS / scale / "claims" / f"{paper}.json"


def figure(scale: str, key: str, suffix: str = "png") -> Path:
    """A picture (png) or a table (md)."""
    return FIGURES / scale / f"{key}.{suffix}"


def write_bytes(path: Path, content: bytes):
    """Write a picture, or what another writer here has put together.

    OSError where it fails, and nothing is replaced.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        raise OSError(
            f"{path} could not be written ({error.strerror or error}); make room and run again, "
            "nothing was replaced"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def save_tensors(path: Path, tensors: dict[str, np.ndarray], card: dict | None = None):
    """Write named arrays and a card (a JSON object) as safetensors.

    The card is one metadata entry: safetensors keeps several in a hash map, whose order varies from run to
    run.
    """
    tensors = {name: np.asarray(value, order="C") for name, value in sorted(tensors.items())}
    write_bytes(path, to_safetensors(tensors, {"card": json.dumps(card or {}, sort_keys=True)}))


def load_tensors(path: Path, names=None) -> tuple[dict[str, np.ndarray], dict]:
    """Read arrays (all, or those named) and the card.

    Raises ValueError for a damaged file, FileNotFoundError for none.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"{path} is missing: run `dvc repro`, which makes it")
    try:
        with safe_open(path, framework="numpy") as file:
            keys = file.keys() if names is None else names
            return {name: file.get_tensor(name) for name in keys}, json.loads(
                (file.metadata() or {}).get("card", "{}")
            )
    except SafetensorError as error:
        raise ValueError(
            f"{path} is damaged ({error}), and so may be DVC's copy of it: "
            f"use `python -m stages.forget {path}` to delete it and run `dvc repro`"
        ) from error


def save_result(path: Path, arrays: dict[str, np.ndarray]):
    """Write arrays as a compressed npz with fixed dates, so that equal arrays are equal bytes.

    A matrix (n, n), n >= 16, that is its own transpose to the last bit, NaN included, is stored by its upper
    triangle: n (n + 1) / 2 values of its dtype, diagonal included, row by row, under its name and
    ".triangle". Similarities of layers are such matrices. ValueError for a name that ends so already, and for
    arrays of Python objects.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, value in sorted(arrays.items()):
            name, value = _folded(name, np.asarray(value))
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED  # an entry of one's own does not take the archive's
            with archive.open(entry, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, value, allow_pickle=False)
    write_bytes(path, content.getvalue())


def load_result(path: Path) -> dict[str, np.ndarray]:
    """Read an npz, folded matrices whole again.

    Raises FileNotFoundError, or ValueError for a damaged file.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"{path} is missing: run `dvc repro`, which makes it")
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(_unfolded(name, file[name]) for name in file.files)
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged ({error}): delete it and run `dvc repro`") from error


def _folded(name, value):
    if name.endswith(TRIANGLE):
        raise ValueError(
            f"an array cannot be called {name!r}: the ending {TRIANGLE} marks a folded matrix, "
            "take another name"
        )
    if value.ndim != 2 or not len(value) == value.shape[1] >= FEWEST or value.tobytes() != value.T.tobytes():
        return name, value
    return name + TRIANGLE, value[_upper(len(value))]


def _unfolded(name, value):
    if not name.endswith(TRIANGLE):
        return name, value
    n = math.isqrt(2 * value.size)
    whole = np.empty((n, n), value.dtype)
    whole[_upper(n)] = whole.T[_upper(n)] = value
    return name.removesuffix(TRIANGLE), whole


def _upper(n) -> np.ndarray:
    return np.tri(n, dtype=bool).T


def save_numbers(path: Path, numbers):
    """Write numbers (a JSON object or list), six significant digits kept for floats, NaN as null."""
    write_bytes(
        path, (json.dumps(_plain(numbers), indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
    )


def write_text(path: Path, text: str):
    """Write a page or a table."""
    write_bytes(path, text.encode())


def load_numbers(path: Path):
    """Read what save_numbers wrote. Raises FileNotFoundError, or ValueError for a damaged file."""
    if not Path(path).exists():
        raise FileNotFoundError(f"{path} is missing: run `dvc repro`, which makes it")
    try:
        return json.loads(Path(path).read_text())
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}): delete it and run `dvc repro`") from error


def _plain(value):
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
