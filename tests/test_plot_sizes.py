"""Every figure of every paper fits the text that it stands in, and can be read there."""

import os
from pathlib import Path

import pytest
import synthetic_gilboa
import synthetic_groups
import synthetic_nguyen
from drawings import ENTRIES, draw, laid_out
from matplotlib.text import Text

from wide import plot

PICTURES = [key for key, told in ENTRIES.items() if told["to"] == "png"]
SCALES = ("quick", "paper")
MEMBERS = {"quick": 2, "paper": 12}  # networks a group: few are drawn as dots, many as clouds


@pytest.fixture(scope="module", autouse=True)
def results(tmp_path_factory):
    """Made-up results of all papers, as a small scale leaves them and as the papers' own, where one works."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("papers"))
    try:
        for scale in SCALES:
            synthetic_gilboa.write_all(scale)
            synthetic_nguyen.write_all(scale, paper=scale == "paper")
            write_groups(scale, MEMBERS[scale])
        yield
    finally:
        os.chdir(before)


def write_groups(scale, members):
    """Predictions of as many networks of each group."""
    synthetic_groups.save("pair", synthetic_groups.pair(members), scale)
    synthetic_groups.save("imagenet", synthetic_groups.imagenet(members), scale)
    for study, key in (("by_depth", "nguyen_figF2"), ("by_width", "nguyen_figF3")):
        networks = [tuple(network) for network in ENTRIES[key]["networks"]]
        synthetic_groups.save(study, synthetic_groups.groups(networks, members), scale)


def sizes(figure):
    """Width in inches, and the type sizes in points of all texts that are drawn, by text."""
    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return figure.get_size_inches()[0], {text.get_text(): text.get_fontsize() for text in shown}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("key", PICTURES)
def test_no_figure_is_wider_than_the_text_nor_its_type_too_small(key, scale):
    width, types = sizes(laid_out(draw(key, scale)))
    assert 0 < width <= plot.MAX_WIDTH + 1e-6
    assert len(types) > 3
    assert not {text: size for text, size in types.items() if size < plot.LEAST_TYPE}


def test_what_is_too_wide_or_too_small_is_seen():
    with plot.style():
        figure, axes = plot.page([6], [1])
        axes[0, 0].set_xticks([0, 1], ["a tick", "another"])
        axes[0, 0].tick_params(labelsize=5)
        axes[0, 0].legend(handles=[], title="a legend", title_fontsize=4)
        axes[0, 0].set_title("a title", fontsize=5.5)
    width, types = sizes(laid_out(figure))
    assert width > plot.MAX_WIDTH
    assert types["a title"] == 5.5 and types["a legend"] == 4 and types["a tick"] == 5


def test_the_limits_are_those_of_a_page_of_text():
    assert (plot.MAX_WIDTH, plot.LEAST_TYPE) == (5.5, 6)
