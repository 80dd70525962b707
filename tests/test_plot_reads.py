"""Every figure of the committed results is drawn from exactly the results that its entry names."""

from fnmatch import fnmatch

import pytest
from drawings import ENTRIES, PAPER_OF, ROOT, draw, entry
from matplotlib.figure import Figure

from wide import artifacts


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


def committed(paper) -> set:
    """Names of the paper's results: <study>/<measure>/<variant>."""
    root = artifacts.RESULTS / "quick" / paper
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root).with_suffix("")) for path in files}


@pytest.mark.parametrize("key", ENTRIES)
def test_a_figure_reads_what_it_names_and_nothing_else(key):
    seen, told = set(), entry(key, "quick")
    drawn = draw(key, "quick", seen)
    assert isinstance(drawn, str if told["to"] == "md" else Figure)
    for pattern in told["reads"]:
        named = {name for name in committed(PAPER_OF[key]) if fnmatch(name, pattern)}
        assert named and named <= seen, f"{key} does not read {pattern}"
    assert all(any(fnmatch(name, pattern) for pattern in told["reads"]) for name in seen)


def test_keys_of_figures_begin_with_their_paper():
    assert len(ENTRIES) >= 30 and all(key.startswith(f"{PAPER_OF[key]}_") for key in ENTRIES)
