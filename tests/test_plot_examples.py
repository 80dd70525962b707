"""What single images and classes tell wide from deep networks: drawings and tables of made-up results."""

import matplotlib
import numpy as np
import pytest
from drawings import ENTRIES, assert_apart, declare, draw, laid_out, named, paint, texts
from matplotlib.text import Text
from synthetic_groups import STAGE3, dispersed, groups, halves, imagenet, pair, save, save_training

from pipeline.cells import Cells
from stages.plot import __main__ as command
from wide import artifacts, plot

PICTURES = ["nguyen_fig7", "nguyen_figF1", "nguyen_figF2", "nguyen_figF3", "nguyen_figF4"]
TABLES = ["nguyen_tabB1", "nguyen_tabF1", "nguyen_tabF2"]
BLUE, ORANGE = plot.class_colours(2)


def sizes(key, members=4, depths=None, **options):
    """Groups of a figure's networks, of these depths where some are named."""
    networks = [tuple(network) for network in ENTRIES[key]["networks"]]
    kept = [network for network in networks if depths is None or network[0] in depths]
    return groups(kept, members, **options)


def drawn(key, scale="quick"):
    return draw(key, scale)


def told(figure):
    """All that a figure says, in one line."""
    return " ".join(" ".join(texts(figure)).split())


def images(figure):
    """Axes with an image, in the order of drawing."""
    return [axes for axes in figure.axes if axes.images]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# ---- every drawing

RESULTS = [  # figure, its results, made with few and with many networks, with a size left out
    ("nguyen_fig7", {"pair": lambda: pair(4), "imagenet": lambda: imagenet(names=True, classes=1000)}),
    ("nguyen_fig7", {"pair": lambda: pair(200), "imagenet": imagenet}),
    ("nguyen_fig7", {"imagenet": imagenet}),
    ("nguyen_figF1", {"pair": lambda: pair(2)}),
    ("nguyen_figF1", {"pair": lambda: pair(200)}),
    ("nguyen_figF2", {"by_depth": lambda: sizes("nguyen_figF2", 2, depths=(14, 26, 164))}),
    ("nguyen_figF2", {"by_depth": lambda: sizes("nguyen_figF2", 200)}),
    ("nguyen_figF3", {"by_width": lambda: sizes("nguyen_figF3", 2)}),
    ("nguyen_figF3", {"by_width": lambda: sizes("nguyen_figF3", 200)}),
    ("nguyen_figF4", {"imagenet": imagenet}),
    ("nguyen_figF4", {"imagenet": lambda: imagenet(50)}),
]


@pytest.mark.parametrize("key, results", RESULTS)
def test_nothing_is_clipped_and_no_two_labels_overlap(key, results):
    for study, make in results.items():
        save(study, make())
    figure = laid_out(drawn(key))
    assert_apart(figure, least=10)
    assert figure.get_size_inches()[0] <= 5.5
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 6


def test_ten_thousand_images_in_every_panel_are_a_small_file():
    save("by_depth", sizes("nguyen_figF2", 200, examples=10_000))
    paint("nguyen_figF2", "quick")
    assert artifacts.figure("quick", "nguyen_figF2").stat().st_size < 2**20


@pytest.mark.parametrize("key", PICTURES + TABLES)
def test_missing_result_is_one_clear_line(monkeypatch, key):
    declare(monkeypatch, key)
    with pytest.raises(SystemExit) as stopped:
        command.main("nguyen", key, "quick")
    assert "is missing: run `dvc repro`" in stopped.value.code and "\n" not in stopped.value.code
    assert f"results/quick/nguyen/{named(ENTRIES[key])[0]}." in stopped.value.code


# ---- images by accuracy


def test_a_place_is_shaded_where_images_have_these_accuracies():
    found = pair(10)
    save("pair", found)
    scatter = zip(images(drawn("nguyen_fig7")), [(0, 1), (0, 0)], strict=True)
    clouds = zip(images(drawn("nguyen_figF1"))[:3], [(0, 1), (0, 0), (1, 1)], strict=True)
    for axes, (across, up) in [*scatter, *clouds]:
        accuracies = zip(found.get("first", across), found.get("second", up), strict=True)
        places = {(round(5 * x), round(5 * y)) for x, y in accuracies}
        opacity = axes.images[0].get_array()[..., 3]
        assert {(x, 5 - row) for row, x in np.argwhere(opacity > 0)} == places  # rows from the top
        left, right, bottom, top = axes.images[0].get_extent()
        assert (left, right) == (bottom, top) == (-10, 110)  # a place in the middle of its cell


def test_axes_and_dispersions_are_those_of_the_groups():
    found = pair(10)
    save("pair", found)
    first, control = images(drawn("nguyen_fig7"))
    assert (first.get_xlabel(), first.get_ylabel()) == ("ResNet-62 (1×) (%)", "ResNet-14 (2×) (%)")
    assert (control.get_xlabel(), control.get_ylabel()) == (
        "ResNet-62 (1×) (%)",
        "ResNet-62 (1×), others (%)",
    )
    apart = 100 * found.get("dispersion")
    for axes, other in ((first, 1), (control, 0)):
        [small] = [text for text in texts(axes) if text.startswith("dispersion")]
        means = 100 * found.get("first", 0).mean(), 100 * found.get("second", other).mean()
        assert small.splitlines() == [
            f"dispersion {apart[0, other]:.2f} ± 0.12",
            "means {:.2f} and {:.2f} %".format(*means),
        ]
    titles = [axes.get_title() for axes in images(drawn("nguyen_figF1"))[:3]]
    assert titles == [f"dispersion {apart[place]:.2f} ± 0.12" for place in ((0, 1), (0, 0), (1, 1))]


# ---- few networks: dispersions as dots


def dots_of(axes):
    """(value, half of the interval, colour, whether filled) of every dot, from top to bottom."""
    found = []
    for container in axes.containers:
        line, _, (interval,) = container.lines
        (low, y), (high, _) = interval.get_segments()[0]
        filled = not np.allclose(matplotlib.colors.to_rgb(line.get_markerfacecolor()), 1)
        found.append((y, line.get_xdata()[0], (high - low) / 2, line.get_color(), filled))
    assert [y for y, *_ in found] == sorted(y for y, *_ in found) and axes.yaxis_inverted()
    return [dot[1:] for dot in found]


def assert_dots(axes, found, places):
    """places: (across, up), hollow for the last of three."""
    dots, apart, se = dots_of(axes), 100 * found.get("dispersion"), 100 * found.get("dispersion_se")
    for (value, half, colour, _), place in zip(dots, places, strict=True):
        assert value == pytest.approx(apart[place]) and half == pytest.approx(1.96 * se[place])
        assert np.allclose(colour, ORANGE if place[0] == place[1] else BLUE)
    assert all(f"{apart[place]:.2f}" in texts(axes) for place in places)


@pytest.mark.parametrize("members, dotted", [(2, True), (9, True), (10, False), (200, False)])
def test_below_ten_networks_a_pair_stands_beside_its_controls_as_dots(members, dotted):
    found = pair(members)
    found.put("dispersion_se", np.array([[0.001, 0.002], [0.003, 0.004]]))
    save("pair", found)
    for key, clouds in (("nguyen_fig7", 2), ("nguyen_figF1", 3)):
        figure = drawn(key)
        of_clouds = [axes for axes in images(figure) if axes.get_xlabel()]
        assert len(of_clouds) == (0 if dotted else clouds)
        if dotted:
            axes = figure.axes[0]
            assert_dots(axes, found, [(0, 1), (0, 0), (1, 1)])
            labels = [label.get_text() for label in axes.get_yticklabels()]
            assert labels == ["two architectures", "halves of ResNet-62 (1×)", "halves of ResNet-14 (2×)"]
            assert "95 % bootstrap intervals" in told(figure)


def test_every_pair_of_few_networks_has_both_controls():
    found = dispersed(groups(STAGE3, 4), 3)
    found.put("dispersion_se", np.arange(1, 10).reshape(3, 3) / 1000)
    save("imagenet", found)
    [axes] = drawn("nguyen_figF4").axes
    places = [(0, 0), (0, 1), (1, 1), (0, 0), (0, 2), (2, 2), (1, 1), (1, 2), (2, 2)]
    assert_dots(axes, found, places)
    assert [filled for *_, filled in dots_of(axes)] == [True, True, False] * 3
    means = [f"{100 * found.get('accuracy', group).mean():.2f} %" for group in range(3)]
    names = [f"{name}, {mean}" for name, mean in zip(("ResNet-50", "ResNet-83", "ResNet-50 (2.8×)"), means)]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == [f"{names[a]}\n{names[b]}" for a, b in ((0, 1), (0, 2), (1, 2))]


def test_a_group_with_few_networks_makes_dots_of_all():
    found = groups(STAGE3, 10)
    found.put("networks", np.int64(9), 2)
    save("imagenet", found)
    assert not images(drawn("nguyen_figF4"))


# ---- classes


def test_classes_are_points_and_the_significant_are_counted():
    found = imagenet()
    save("imagenet", found)
    axes = drawn("nguyen_fig7").axes[0]
    both, control = (np.asarray(points.get_offsets()) for points in axes.collections)
    for points, names in ((both, ("deep", "wide")), (control, ("control_a", "control_b"))):
        accuracies = zip(*(found.get(name, "class") for name in names), strict=True)
        np.testing.assert_allclose(points, [(100 * x, 100 * (y - x)) for x, y in accuracies])
    shown = texts(axes)
    assert "wide − deep: 2 of 20 differ" in shown and "two halves: 0 of 20 differ" in shown
    assert axes.get_ylabel() == "ResNet-50 (2.8×) − ResNet-83"
    assert abs(both[:, 1]).max() < axes.get_ylim()[1] == -axes.get_ylim()[0]


def test_classes_that_could_not_be_tested_are_not_said_to_agree():
    found = imagenet()
    found.put("p_control", np.full(20, np.nan), "class")
    save("imagenet", found)
    assert "two halves: no test" in texts(drawn("nguyen_fig7").axes[0])


def test_classes_with_the_largest_differences_are_named():
    found = imagenet(names=True)
    save("imagenet", found)
    notes = [
        text for text in drawn("nguyen_fig7").axes[0].texts if isinstance(text, matplotlib.text.Annotation)
    ]
    named = {note.get_text(): note.xy for note in notes}
    deep, wide = found.get("deep", "class"), found.get("wide", "class")
    order = sorted(range(20), key=lambda index: wide[index] - deep[index])
    assert set(named) == {f"class number {index}" for index in order[:3] + order[-3:]}
    for index in order[:3]:
        assert named[f"class number {index}"][0] == pytest.approx(100 * deep[index])


@pytest.mark.parametrize("members, panels", [(4, 1), (10, 2)])
def test_what_the_scale_leaves_out_is_named_and_takes_no_room(members, panels):
    save("pair", pair(members))
    figure = drawn("nguyen_fig7")
    assert len(figure.axes) == panels and "Not run at quick: c classes of Tiny-ImageNet." in told(figure)
    save("imagenet", imagenet())
    figure = drawn("nguyen_fig7")
    assert len(figure.axes) == panels + 1 and "Not run" not in told(figure)
    artifacts.result("quick", "nguyen", "pair", "agreement", "groups").unlink()
    figure = drawn("nguyen_fig7")
    assert len(figure.axes) == 1 and "Not run at quick: a two architectures." in told(figure)
    save("imagenet", imagenet(), "paper")
    titles = [drawn("nguyen_fig7", scale).axes[0].get_title("left") for scale in ("quick", "paper")]
    assert titles == ["c  classes of Tiny-ImageNet", "c  classes of ImageNet"]


@pytest.mark.parametrize("key", PICTURES + TABLES[1:])
def test_where_nothing_ran_a_sentence_says_so(key):
    for study in ("pair", "imagenet", "by_depth", "by_width"):
        save(study, Cells())
    made = drawn(key)
    said = made if isinstance(made, str) else told(made)
    assert "Nothing of this figure runs at scale quick: " in said
    assert isinstance(made, str) or (not made.axes and made.get_size_inches()[1] < 0.5)


# ---- every pair of sizes


def hue(axes, x, y):
    """Colour of a panel's place (x, y) in percent."""
    image, (left, right, bottom, top) = axes.images[0].get_array(), axes.images[0].get_extent()
    row = int((y - bottom) / (top - bottom) * len(image))
    column = int((x - left) / (right - left) * image.shape[1])
    return image[row, column]


@pytest.mark.parametrize("members", [10, 200])
def test_pairs_lie_below_the_diagonal_of_the_page_with_the_columns_network_across(members):
    """Group 0 is right on all images, the others on none: where it is across, the pair lies at (100, 0)."""
    found = groups(STAGE3, members)
    for group in range(3):
        right = np.full(500, group == 0)
        halves(found, group, right, right)
    save("imagenet", dispersed(found, 3))
    figure = drawn("nguyen_figF4")
    panels = {(row, column): figure.axes[3 * row + column] for row in range(3) for column in range(3)}
    filled = {place for place, axes in panels.items() if axes.images}
    assert filled == {(row, column) for row, column in panels if row >= column}
    for row in (1, 2):
        assert np.allclose(hue(panels[row, 0], 100, 0), BLUE)
        assert np.allclose(hue(panels[row, 0], 100, 100), ORANGE)
    assert np.allclose(hue(panels[0, 0], 100, 100), ORANGE) and np.allclose(hue(panels[2, 1], 0, 0), ORANGE)
    assert np.allclose(hue(panels[2, 1], 100, 100), 1) and np.allclose(hue(panels[0, 0], 0, 0), 1)
    assert texts(panels[0, 2])[:2] == ["70.71", "0.00"] and texts(panels[1, 2])[:2] == ["0.00", "0.00"]


def test_the_more_images_the_darker_and_few_networks_leave_room_for_both():
    found = groups(STAGE3, 10)
    for group in range(3):
        right = np.repeat([1.0, 0.0], [450, 50])
        halves(found, group, right, right)
    save("imagenet", dispersed(found, 3))
    axes = drawn("nguyen_figF4").axes[3]
    image = axes.images[0].get_array()
    assert np.allclose(hue(axes, 100, 100), ORANGE) and hue(axes, 0, 0).sum() > ORANGE.sum()
    assert np.isclose(image, BLUE).all(axis=2).any(), "a blue rim stays around the orange"


def labelled_below(figure):
    """Places of the panels that have accuracies at their x axis."""
    found = []
    for index, axes in enumerate(laid_out(figure).axes):
        if axes.images and any(label.get_text() for label in axes.get_xticklabels()):
            found.append(index)
    return found


def test_a_size_that_the_scale_leaves_out_is_named_and_takes_no_room():
    found = sizes("nguyen_figF2", 10, depths=(14, 26, 164))
    save("by_depth", found)
    figure = drawn("nguyen_figF2")
    assert len(figure.axes) == 9 and len(images(figure)) == 6
    assert "Not run at quick: ResNet-20; ResNet-32; ResNet-38; ResNet-56; ResNet-110." in told(figure)
    titles = [axes.get_title() for axes in figure.axes[:3]]
    means = [100 * found.get("accuracy", group).mean() for group in range(3)]
    for title, depth, mean in zip(titles, (14, 26, 164), means, strict=True):
        assert title == f"ResNet-{depth}\n{mean:.2f} %"
    assert labelled_below(figure) == [6, 7, 8]


@pytest.mark.parametrize("members, shown", [(4, 0), (10, 3)])
def test_sizes_of_ones_own_are_all_that_is_shown(members, shown):
    save("by_width", groups([(26, 2.0), (26, 16.0)], members))
    figure = drawn("nguyen_figF3")
    labels = " ".join(texts(figure)).replace("\n", " ")
    assert "ResNet-26 (2×)" in labels and "ResNet-26 (16×)" in labels and "Not run" not in told(figure)
    assert len(images(figure)) == shown


# ---- images with the largest gaps


@pytest.mark.parametrize("members", [4, 200])
def test_every_image_has_above_it_how_many_of_both_networks_are_right(members):
    found = pair(members)
    save("pair", found)
    figure = drawn("nguyen_figF1")
    shown, n = images(figure)[-16:], members // 2
    for number, axes in enumerate(shown):
        image = found.get("images", "shown")[number]
        assert (axes.images[0].get_array() == image.transpose(1, 2, 0)).all()
        assert axes.images[0].get_interpolation() == "nearest", "the data set's own pixels"
        counts = [text.get_text() for text in axes.texts if " of " in text.get_text()]
        right = [round(n * found.get(half, "shown")[number]) for half in ("first", "second")]
        assert counts == [f"{k} of {n}" for k in right]
    assert "easier for\nResNet-62 (1×)" in texts(shown[0])
    assert "easier for\nResNet-14 (2×)" in texts(shown[8])
    assert "(p = 0.47)" in told(figure)  # of the t-test of means


# ---- tables


def rows_of(text):
    """Cells of a table's rows, without its header."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert len({len(row) for row in rows}) == 1 and all(set(cell) == {"-"} for cell in rows[1])
    return rows[2:]


def test_accuracy_table_has_ours_beside_the_papers():
    save_training("deep", "all", d32=(1.0, [0.935]), d110=(1.0, [0.94, 0.95, 0.96]))
    save_training("table100", "depth14", w2=(2.0, [0.7]), w8=(4.0, [0.8]))
    save_training("wide", "all", w3=(3.0, [0.9]))
    text = draw("nguyen_tabB1", "quick")
    rows = {tuple(row[:2]): row[2:] for row in rows_of(text)}
    assert len(rows) == 5 and "Scale quick" in text and "n = 1 to 3 networks" in text
    assert "Not run at quick: " in text and "ResNet-44 (1×)" in text.splitlines()[-1], (
        "what has no row is named"
    )
    assert rows["32", "1"] == ["93.5 (1)", "93.5", "not run", "71.2"]
    assert rows["110", "1"] == ["95.0 ± 1.0 (3)", "94.3", "not run", "74.0"]
    assert rows["14", "2"] == ["not run", "94.1", "70.0 (1)", "72.9"]
    assert rows["14", "8"] == ["not run", "95.9", "80.0 (1), at width 4", "80.0"]
    assert rows["38", "3"] == ["90.0 (1)", "–", "not run", "–"], "a size of one's own"
    assert [row[1] for row in rows_of(text) if row[0] == "38"] == ["3"]


def test_models_table_states_differences_from_the_first():
    found = imagenet()
    save("imagenet", found)
    text = draw("nguyen_tabF1", "quick")
    assert [row[1:] for row in rows_of(text)] == [
        ["5,000", "+0", "3,011,367", "+0"],
        ["4,900", "-100", "3,006,889", "-4,478"],
        ["4,950", "-50", "2,969,410", "-41,957"],
    ]
    assert "V²: 12.3 %; paper 11 %" in text
    assert "4 ResNet-83 and 4 ResNet-50 (2.8×) networks, 500 test images of Tiny-ImageNet" in text
    found.put("v2", np.float64("nan"), "models")
    save("imagenet", found)
    assert "V²: undefined" in draw("nguyen_tabF1", "quick")


def test_synset_table_has_ours_and_the_papers_of_a_name_in_one_row():
    save("imagenet", imagenet())
    text = draw("nguyen_tabF2", "quick")
    rows = rows_of(text)
    ours = ["bird", "9", "58.0 ± 0.20", "60.0 ± 0.10", "-2.00", "5.1e-05"]
    assert rows[1] == [*ours, "59", "92.5 ± 0.04", "92.7 ± 0.05", "-0.21", "0.0018"]
    assert [row[:2] for row in rows[2:4]] == [["good", "7"], ["good", "6"]] and rows[2][6:] == ["–"] * 5
    assert len(rows) == 4 + 27 and all(row[1:6] == ["–"] * 5 for row in rows[4:]), "what only the paper has"
    assert "4 ResNet-50 (2.8×) (wide) and 4 ResNet-83 (deep) networks" in text
    assert "at least 5 classes of Tiny-ImageNet" in text


@pytest.mark.parametrize(
    "scale, data", [("quick", "Tiny-ImageNet"), ("gpu", "Tiny-ImageNet"), ("paper", "ImageNet")]
)
def test_tables_at_every_scale_say_what_the_images_are_from(scale, data):
    save("imagenet", imagenet(), scale)
    save_training("deep", "all", scale, d32=(1.0, [0.9]))
    assert f" test images of {data}.\n" in draw("nguyen_tabF1", scale)
    assert f" classes of {data} (paper: 50 of ImageNet)" in draw("nguyen_tabF2", scale)
    assert ["32", "1", "90.0 (1)", "93.5"] == rows_of(draw("nguyen_tabB1", scale))[0][:4]


@pytest.mark.parametrize("key", TABLES)
def test_tables_are_written_and_those_of_stand_ins_say_so(key):
    for scale in ("smoke", "quick"):
        save("imagenet", imagenet(), scale)
        save_training("deep", "all", scale, d32=(1.0, [0.9]))
        paint(key, scale)
    stand_in, real = (artifacts.figure(scale, key, "md").read_text() for scale in ("smoke", "quick"))
    title = ENTRIES[key]["title"]
    assert real.startswith(f"# {title}\n\nScale quick; ") and "STAND-IN" not in real
    assert stand_in.startswith(f"**STAND-IN DATA**\n\n# {title}\n\nScale smoke; ")
    lines = [line for line in real.splitlines() if line.startswith("|")]
    bars = {tuple(place for place, sign in enumerate(line) if sign == "|") for line in lines}
    assert len(bars) == 1, "columns line up"
