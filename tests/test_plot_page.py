"""Theorems about what all drawings share: pages, colours, maps, tiles, pictures as bytes."""

import io

import numpy as np
import pytest
import seaborn
from matplotlib.colors import rgb_to_hsv
from PIL import Image

from wide import plot
from wide.measure import visualise

LIGHTNESS = [0.2126, 0.7152, 0.0722]  # of red, green and blue


# ---- maps and tiles


@pytest.mark.parametrize("spread", [(1, 1), (5, 0.01), (0, 1)])
def test_positions_are_those_that_the_atlas_was_cut_with(spread):
    points = (np.random.default_rng(0).standard_t(2, size=(500, 2)) * spread).astype(np.float32)
    np.testing.assert_array_equal(plot.unit_square(points), visualise.layout(points))


def test_map_and_atlas_share_their_orientation():
    """With as many bins as cells, bins that hold enough points are the cells that have an icon."""
    points = np.random.default_rng(0).gamma(2, size=(2000, 2))
    positions = plot.unit_square(points) * 0.98 + 0.0101  # no point on an edge between two cells
    image = plot.class_map(positions, np.zeros(2000, int), np.zeros((1, 3)), 15)
    cells, members = visualise.cells(positions)
    opacity = {cell: image[cell][3] for cell in map(tuple, cells)}
    least = min(opacity.values())
    assert {tuple(cell) for cell in np.argwhere(image[..., 3] >= least)} == set(opacity)
    order = sorted(zip([len(rows) for rows in members], opacity.values(), strict=True))
    assert (np.diff([value for _, value in order]) >= 0).all()


def test_map_mixes_classes_by_counts_and_leaves_empty_bins_clear():
    colours = np.array([[1.0, 0, 0], [0, 0, 1.0]])
    positions = np.array([[0.9, 0.9]] * 4 + [[0.1, 0.1]])
    image = plot.class_map(positions, np.array([0, 1, 1, 1, 0]), colours, 2)
    assert np.allclose(image[0, 1, :3], [0.25, 0, 0.75]) and np.allclose(image[1, 0, :3], [1, 0, 0])
    assert image[0, 1, 3] > image[1, 0, 3] > 0 and image[0, 0, 3] == image[1, 1, 3] == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_lie_at_their_cells_and_the_rest_is_white(channels):
    icons = np.random.default_rng(0).integers(0, 255, (3, channels, 4, 4)).astype(np.uint8)
    cells = np.array([[0, 0], [1, 2], [2, 1]])
    canvas = plot.tile(icons, cells, (3, 4), gap=1)
    assert canvas.shape == (14, 19, 3)
    for icon, (row, column) in zip(icons, cells, strict=True):
        for y in range(4):
            for x in range(4):
                assert (canvas[5 * row + y, 5 * column + x] == icon[:, y, x]).all()
    assert (canvas == 255).all(axis=2).sum() == 14 * 19 - 3 * 16


def test_cell_outside_the_grid_is_refused():
    with pytest.raises(ValueError, match="outside the 2 x 2 grid"):
        plot.tile(np.zeros((1, 1, 4, 4), np.uint8), np.array([[0, 2]]), (2, 2))


def test_sheet_runs_line_by_line():
    icons = np.arange(5, dtype=np.uint8).repeat(4).reshape(5, 1, 2, 2)
    canvas = plot.sheet(icons, 3)
    assert [canvas[y, x, 0] for y in (0, 4) for x in (0, 4, 8)] == [0, 1, 2, 3, 4, 255]


# ---- colours and axes


def test_palette_is_seaborns_for_the_colour_blind():
    np.testing.assert_allclose(plot.class_colours(10), seaborn.color_palette("colorblind", 10))
    with pytest.raises(ValueError, match="at least one class"):
        plot.class_colours(0)


def test_many_colours_go_once_round_the_hues():
    colours = plot.class_colours(28)
    steps = np.linalg.norm(colours - np.roll(colours, -1, axis=0), axis=1)
    across = np.linalg.norm(colours - np.roll(colours, 14, axis=0), axis=1)
    assert 0 < steps.min() and steps.max() < across.min()
    hues = rgb_to_hsv(colours)[:, 0]
    turns = np.diff(np.append(hues, hues[0])) % 1
    assert turns.sum() == pytest.approx(1)
    light = colours @ LIGHTNESS
    assert light.max() - light.min() > 0.4
    assert 2 <= np.argmax(light) <= 9 and 14 <= np.argmin(light) <= 24


def test_mean_and_deviation_over_seeds():
    mean, sd = plot.mean_sd([[1, 3], [2, 2]])
    assert mean.tolist() == [2, 2] and sd.tolist() == [pytest.approx(2**0.5), 0]
    assert [part.tolist() for part in plot.mean_sd([[5], [6]])] == [[5, 6], [0, 0]]


MANY = [[64], [64, 64], [2**power for power in range(4, 12)], list(range(271, 2001, 90))]


@pytest.mark.parametrize("widths", MANY)
def test_width_axis_shows_given_widths_that_do_not_touch(widths):
    with plot.style():
        figure, axes = plot.page([2.15], [2.0])
        axes[0, 0].plot(widths, widths)
        plot.width_axis(axes[0, 0], widths)
        figure.draw_without_rendering()
    labels = [label for label in axes[0, 0].get_xticklabels() if label.get_text()]
    shown = {float(label.get_text()) for label in labels}
    assert max(widths) in shown and shown <= set(widths)
    extents = [label.get_window_extent() for label in labels]
    edges = sorted((box.x0, box.x1) for box in extents)
    assert all(right < left for (_, right), (left, _) in zip(edges, edges[1:], strict=False))


def test_page_has_the_sizes_asked_for():
    room = {"left": 0.4, "right": 0.2, "top": 0.3, "bottom": 0.6, "across": 0.1, "down": 0.2}
    figure, axes = plot.page([1, 2], [0.5, 1.5], **room)
    assert figure.get_size_inches() == pytest.approx([3.7, 3.1])
    assert axes[0, 0].bbox.bounds == pytest.approx((80, 460, 200, 100))
    assert axes[1, 1].bbox.bounds == pytest.approx((300, 120, 400, 300))


def test_gaps_between_rows_may_differ():
    figure, axes = plot.page([1], [1, 1, 1], top=0.3, bottom=0.4, down=[0.2, 0.5])
    assert figure.get_size_inches()[1] == pytest.approx(4.4)
    assert [box.bbox.y0 for box in axes[:, 0]] == pytest.approx([620, 380, 80])


@pytest.mark.parametrize("panels", [1, 2, 5, 9])
def test_panels_are_as_wide_as_asked_or_as_the_widest_page_lets_them(panels):
    room = {"left": 0.5, "right": 0.4, "across": 0.2}
    side = plot.fitting(panels, 1.3, **room, bottom=9)
    width = plot.page([side] * panels, [1], **room)[0].get_size_inches()[0]
    assert side == 1.3 or plot.MAX_WIDTH - 0.005 * panels <= width
    assert width <= plot.MAX_WIDTH + 1e-9
    assert plot.fitting(2, 9, left=1, right=1, across=0.5, more=1) == 1


def test_a_footer_is_below_everything_and_moves_nothing():
    figure, axes = plot.page([2, 1], [1, 2], top=0.3, bottom=0.4, down=0.2)
    before = [(box.bbox.x0, figure.bbox.y1 - box.bbox.y0, *box.bbox.size) for box in axes.flat]
    height, words = figure.bbox.height, "a sentence of several words. " * 12
    plot.footer(figure, words)
    with plot.style():
        figure.draw_without_rendering()
    after = [(box.bbox.x0, figure.bbox.y1 - box.bbox.y0, *box.bbox.size) for box in axes.flat]
    np.testing.assert_allclose(after, before, atol=1e-6)
    [text] = figure.texts
    place = text.get_window_extent()
    assert " ".join(text.get_text().split()) == words.strip() and text.get_text().count("\n") > 1
    assert place.x0 > 0 and place.y0 > 0 and place.x1 < figure.bbox.x1
    assert place.y1 <= figure.bbox.height - height + 2


def test_a_note_is_a_page_of_text_alone():
    figure = plot.note("nothing runs " * 40)
    assert not figure.axes and figure.get_size_inches()[0] == plot.MAX_WIDTH
    assert 0.3 < figure.get_size_inches()[1] < 1.2


# ---- heatmaps


def test_a_block_is_seen_from_its_least_share_on():
    assert plot.seen((plot.LEAST_BLOCK, 2, 5)) == (1.5, 4.5) and plot.seen((0.5, 2, 5), first=1) == (2.5, 5.5)
    assert plot.seen((plot.LEAST_BLOCK - 0.01, 2, 5)) is None and plot.seen(np.zeros(3)) is None


def boxed(x, y):
    """Corners of the outline in a heatmap of 4 rows and 6 columns."""
    _, axes = plot.page([1], [1])
    plot.heatmap(axes[0, 0], np.eye(4, 6))
    plot.outline(axes[0, 0], x, y)
    return [patch.get_bbox().extents.tolist() for patch in axes[0, 0].patches]


def test_an_outline_is_of_both_blocks_or_of_all_layers_where_one_has_none():
    assert boxed((1.5, 4.5), (0.5, 2.5)) == [[1.5, 0.5, 4.5, 2.5]]
    assert boxed((1.5, 4.5), None) == [[1.5, -0.5, 4.5, 3.5]]
    assert boxed(None, (0.5, 2.5)) == [[-0.5, 0.5, 5.5, 2.5]]
    assert boxed(None, None) == []


def test_heatmaps_number_their_layers_and_mark_stages():
    _, axes = plot.page([1], [1])
    plot.heatmap(axes[0, 0], np.eye(4, 6), [0, 1, 1, 2], [0, 0, 1, 1, 1, 2])
    up, across = axes[0, 0].yaxis, axes[0, 0].xaxis
    assert up.get_minorticklocs().tolist() == [0.5, 2.5] and across.get_minorticklocs().tolist() == [1.5, 4.5]
    assert [text.get_text() for text in up.get_ticklabels()] == ["1", "4"]
    assert [text.get_text() for text in across.get_ticklabels()] == ["1", "6"]
    plot.heatmap(plot.page([1], [1])[1][0, 0], np.eye(4))  # a network without stages


@pytest.mark.parametrize("title", ["one", "one\n(two)"])
@pytest.mark.parametrize("small", ["", "1 %", "1 %\nblock 2 %"])
def test_a_heading_has_the_room_that_it_needs(title, small):
    with plot.style():
        figure, axes = plot.page([1], [1], top=plot.room_above(title, small))
        plot.heading(axes[0, 0], title, small)
        figure.draw_without_rendering()
    above = axes[0, 0].title.get_window_extent()
    assert above.y1 <= figure.bbox.y1
    if small:
        below = axes[0, 0].texts[0].get_window_extent()
        assert axes[0, 0].bbox.y1 <= below.y0 and below.y1 <= above.y0


# ---- bytes


def painted(alpha=0.3):
    """A figure with opaque and half-clear ink, and its one panel."""
    figure, axes = plot.page([1], [1])
    axes[0, 0].imshow(np.random.default_rng(0).random((9, 9)), cmap="magma")
    axes[0, 0].plot([0, 8], [8, 0], color="red", alpha=alpha)
    plot.stamp(figure)
    return figure


def pixels(figure):
    """The picture as it is stored: uint8 (H, W, 3)."""
    with plot.style():
        return np.asarray(Image.open(io.BytesIO(plot.png(figure))))


def test_a_picture_has_three_channels_and_no_dates():
    content = plot.png(painted())
    picture = Image.open(io.BytesIO(content))
    assert (picture.format, picture.mode) == ("PNG", "RGB") and "transparency" not in picture.info
    assert picture.info.keys() == {"dpi"}
    assert picture.info["dpi"] == pytest.approx((plot.DPI, plot.DPI), abs=0.01)
    assert not any(chunk in content for chunk in (b"tEXt", b"iTXt", b"zTXt", b"tIME"))


def test_a_picture_has_the_pixels_that_matplotlib_draws_on_white():
    figure, drawn = painted(), io.BytesIO()
    with plot.style():
        figure.savefig(drawn, format="rgba", dpi=plot.DPI, facecolor="white")
    height, width = (round(side * plot.DPI) for side in figure.get_size_inches()[::-1])
    drawn = np.frombuffer(drawn.getvalue(), np.uint8).reshape(height, width, 4)
    assert (drawn[..., 3] == 255).all() and (pixels(figure) == drawn[..., :3]).all()
    assert (pixels(figure)[[0, -1]] == 255).all()


def test_equal_figures_are_equal_bytes_and_others_are_not(monkeypatch):
    figure = painted()
    first = plot.png(figure)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert plot.png(figure) == plot.png(painted()) == first != plot.png(painted(alpha=0.4))
