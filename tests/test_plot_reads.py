"""Every figure of the committed results is drawn from exactly the results that its entry names."""

import pytest
from drawings import ENTRIES, PAPER_OF, ROOT, SHOWN, draw, entry, named
from matplotlib.figure import Figure

from pipeline.figure import reads
from wide import artifacts


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("key", ENTRIES)
def test_a_figure_reads_what_it_names_and_nothing_else(key):
    """But for variants that are shown at other scales, which a figure names, too."""
    seen, told, paper = set(), entry(key, "quick"), PAPER_OF[key]
    drawn = draw(key, "quick", seen)
    assert isinstance(drawn, str if told["to"] == "md" else Figure)
    assert all((artifacts.RESULTS / "quick" / paper / name).exists() for name in reads(told))
    now, others = SHOWN[paper].get("quick"), set(SHOWN[paper].values())
    for name in set(named(told)) - seen:
        *above, variant = name.split("/")
        assert variant in others - {now} and "/".join([*above, now]) in seen, f"{key} does not read {name}"
    assert seen <= set(named(told))


def test_keys_of_figures_begin_with_their_paper():
    assert len(ENTRIES) >= 30 and all(key.startswith(f"{PAPER_OF[key]}_") for key in ENTRIES)
