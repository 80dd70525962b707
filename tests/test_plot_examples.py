"""What single images and classes tell wide from deep networks: drawings and tables of made-up results."""

import matplotlib
import numpy as np
import pytest
from drawings import ENTRIES, assert_apart, declare, draw, laid_out, named, paint, texts
from synthetic_groups import STAGE3, dispersed, groups, halves, imagenet, pair, save, save_training

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
    ("nguyen_figF3", {"by_width": lambda: sizes("nguyen_figF3", 200)}),
    ("nguyen_figF4", {"imagenet": imagenet}),
]


@pytest.mark.parametrize("key, results", RESULTS)
def test_nothing_is_clipped_and_no_two_labels_overlap(key, results):
    for study, make in results.items():
        save(study, make())
    assert_apart(laid_out(drawn(key)), least=10)


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


def written_shares(axes):
    return [text for text in texts(axes) if text.endswith(" %") and " and " not in text]


def test_where_places_are_few_their_shares_are_written_and_add_up():
    save("pair", pair(4))
    for axes in images(drawn("nguyen_fig7")) + images(drawn("nguyen_figF1"))[:3]:
        shares = [float(text.removesuffix(" %")) for text in written_shares(axes)]
        assert 1 < len(shares) <= 9 and sum(shares) == pytest.approx(100, abs=0.5)
    save("pair", pair(10))
    assert not any(map(written_shares, images(drawn("nguyen_fig7"))))


def test_axes_and_dispersions_are_those_of_the_groups():
    found = pair()
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


# ---- classes


def test_classes_are_points_and_the_significant_are_counted():
    found = imagenet()
    save("imagenet", found)
    axes = drawn("nguyen_fig7").axes[2]
    both, control = (np.asarray(points.get_offsets()) for points in axes.collections)
    for points, names in ((both, ("deep", "wide")), (control, ("control_a", "control_b"))):
        accuracies = zip(*(found.get(name, "class") for name in names), strict=True)
        np.testing.assert_allclose(points, [(100 * x, 100 * (y - x)) for x, y in accuracies])
    shown = texts(axes)
    assert "ResNet-50 (2.8×) − ResNet-83: 2 of 20 differ" in shown
    assert "two halves of ResNet-83: 0 of 20 differ" in shown
    assert abs(both[:, 1]).max() < axes.get_ylim()[1] == -axes.get_ylim()[0]


def test_classes_that_could_not_be_tested_are_not_said_to_agree():
    found = imagenet()
    found.put("p_control", np.full(20, np.nan), "class")
    save("imagenet", found)
    assert "two halves of ResNet-83: no test" in texts(drawn("nguyen_fig7").axes[2])


def test_classes_with_the_largest_differences_are_named():
    found = imagenet(names=True)
    save("imagenet", found)
    notes = [
        text for text in drawn("nguyen_fig7").axes[2].texts if isinstance(text, matplotlib.text.Annotation)
    ]
    named = {note.get_text(): note.xy for note in notes}
    deep, wide = found.get("deep", "class"), found.get("wide", "class")
    order = sorted(range(20), key=lambda index: wide[index] - deep[index])
    assert set(named) == {f"class number {index}" for index in order[:3] + order[-3:]}
    for index in order[:3]:
        assert named[f"class number {index}"][0] == pytest.approx(100 * deep[index])


def test_what_the_scale_leaves_out_is_an_empty_panel():
    save("pair", pair())
    assert texts(drawn("nguyen_fig7")).count("not run at quick") == 1
    save("imagenet", imagenet())
    assert texts(drawn("nguyen_fig7")).count("not run at quick") == 0
    artifacts.result("quick", "nguyen", "pair", "agreement", "groups").unlink()
    assert texts(drawn("nguyen_fig7")).count("not run at quick") == 2
    save("imagenet", imagenet(), "paper")
    titles = [drawn("nguyen_fig7", scale).axes[2].get_title("left") for scale in ("quick", "paper")]
    assert titles == ["c  classes of Tiny-ImageNet", "c  classes of ImageNet"]


# ---- every pair of sizes


def hue(axes, x, y):
    """Colour of a panel's place (x, y) in percent."""
    image, (left, right, bottom, top) = axes.images[0].get_array(), axes.images[0].get_extent()
    row = int((y - bottom) / (top - bottom) * len(image))
    column = int((x - left) / (right - left) * image.shape[1])
    return image[row, column]


@pytest.mark.parametrize("members", [2, 10, 200])
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
    found = groups(STAGE3, 2)
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


def test_a_size_that_the_scale_leaves_out_is_an_empty_row_and_column():
    found = sizes("nguyen_figF2", depths=(14, 26, 164))
    save("by_depth", found)
    figure = drawn("nguyen_figF2")
    assert texts(figure).count("not run\nat quick") == 36 - 6 and len(images(figure)) == 6
    titles = [axes.get_title() for axes in figure.axes[:8]]
    means = [100 * sum(found.get("accuracy", group)) / 4 for group in range(3)]
    for place, depth, mean in zip((0, 2, 7), (14, 26, 164), means, strict=True):
        assert titles[place] == f"ResNet-{depth}\n{mean:.2f} %"
    assert titles[1] == "ResNet-20"
    assert labelled_below(figure) == [56, 58, 63]


def test_accuracies_are_labelled_where_the_last_size_is_left_out():
    save("by_depth", sizes("nguyen_figF2", depths=(14, 26)))
    assert labelled_below(drawn("nguyen_figF2")) == [16, 18]


def test_sizes_of_ones_own_are_all_that_is_shown():
    save("by_width", groups([(26, 2.0), (26, 16.0)]))
    figure = drawn("nguyen_figF3")
    labels = [axes.get_xlabel().splitlines()[:2] for axes in figure.axes[2:]]
    assert labels == [["ResNet-26", "(2×)"], ["ResNet-26", "(16×)"]]
    assert len(images(figure)) == 3


# ---- images with the largest gaps


def test_every_image_has_both_networks_accuracies_above_it():
    found = pair()
    save("pair", found)
    figure = drawn("nguyen_figF1")
    shown = images(figure)[3:]
    assert len(shown) == 16
    for number, axes in enumerate(shown):
        image = found.get("images", "shown")[number]
        assert (axes.images[0].get_array() == image.transpose(1, 2, 0)).all()
        percent = [text.get_text() for text in axes.texts if text.get_text().endswith(" %")]
        assert percent == [f"{100 * found.get(half, 'shown')[number]:.0f} %" for half in ("first", "second")]
    assert "easier for\nResNet-62 (1×)" in texts(shown[0])
    assert "easier for\nResNet-14 (2×)" in texts(shown[8])
    assert any("p = 0.47" in text for text in texts(figure))  # of the t-test of means


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
    assert len(rows) == 26 and "Scale quick" in text and "n = 1 to 3 networks" in text
    assert rows["32", "1"] == ["93.5 (1)", "93.5", "not run", "71.2"]
    assert rows["110", "1"] == ["95.0 ± 1.0 (3)", "94.3", "not run", "74.0"]
    assert rows["14", "2"] == ["not run", "94.1", "70.0 (1)", "72.9"]
    assert rows["14", "8"] == ["not run", "95.9", "80.0 (1), at width 4", "80.0"]
    assert rows["38", "3"] == ["90.0 (1)", "–", "not run", "–"], "a size of one's own"
    assert [row[1] for row in rows_of(text) if row[0] == "38"] == ["1", "2", "3", "4", "8", "10"]
    assert rows["26", "10"] == ["not run", "95.8", "not run", "81.0"]


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
