"""Drawings and tables of what single images and classes tell wide from deep networks, on synthetic results."""
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from ruamel.yaml import YAML

from stages.plot import __main__ as command
from wide import artifacts, plot

ROOT = Path(__file__).resolve().parents[1]
FIGURES = YAML(typ="safe").load((ROOT / "figures.yaml").read_text())["figures"]
PICTURES = ["nguyen_fig7", "nguyen_figF1", "nguyen_figF2", "nguyen_figF3", "nguyen_figF4"]
TABLES = ["nguyen_tabB1", "nguyen_tabF1", "nguyen_tabF2"]
DEEP, WIDE = "ResNet-62 (1x)", "ResNet-14 (2x)"
STAGE3 = ["ResNet-50", "ResNet-83", "ResNet-50 (2.8x)"]
BLUE, ORANGE = plot.class_colours(2)


def groups(names, networks=4, examples=500, seed=0):
    """Groups of networks that share what is hard and differ a little in what else is hard for them."""
    rng = np.random.default_rng(seed)
    hard, found = rng.normal(3, 2.5, examples), {"names": np.array(names), "labels": np.arange(examples) % 20}
    for group in range(len(names)):
        chance = 1 / (1 + np.exp(-hard - 0.8 * rng.normal(size=examples) - 0.1 * group))
        right = rng.random((networks, examples)) < chance
        half = networks // 2
        found |= {f"{group}/first": right[:half].mean(0), f"{group}/second": right[half:2 * half].mean(0),
                  f"{group}/networks": np.int64(networks), f"{group}/accuracy": right.mean(1)}
    return dispersed(found)


def dispersed(found):
    pairs = [[np.sqrt(np.mean((found[f"{a}/first"] - found[f"{b}/second"]) ** 2) / 2) for b in range(len(found["names"]))]
             for a in range(len(found["names"]))]
    return found | {"dispersion": np.array(pairs), "dispersion_se": np.full(np.shape(pairs), 0.0012)}


def pair(networks=4, **options):
    rng = np.random.default_rng(1)
    return groups([DEEP, WIDE], networks, **options) | {
        "shown/images": rng.integers(0, 256, (16, 3, 16, 16)).astype(np.uint8), "shown/index": np.arange(16),
        "shown/first": np.r_[np.linspace(1, 0.8, 8), np.linspace(0, 0.2, 8)],
        "shown/second": np.r_[np.linspace(0.2, 0.4, 8), np.linspace(0.9, 0.7, 8)], "p_mean": np.float64(0.467)}


def imagenet(networks=4, classes=20, names=False, **options):
    rng = np.random.default_rng(2)
    deep = rng.uniform(0.3, 0.95, classes)
    named = {"class/name": np.array([f"class number {index}, synonym" for index in range(classes)])} if names else {}
    return groups(STAGE3, networks, **options) | named | {
        "class/deep": deep, "class/wide": deep + 0.03 * rng.normal(size=classes), "class/control_a": deep,
        "class/control_b": deep + 0.01 * rng.normal(size=classes), "class/p": np.r_[0.001, 0.04, np.full(classes - 2, 0.5)],
        "class/p_control": np.full(classes, 0.5), "models/aic": np.array([5000.4, 4900, 4950]), "models/v2": np.float64(0.123),
        "synset/name": np.array(["entity", "bird", "good, commodity", "good, virtue"]), "synset/classes": np.array([200, 9, 7, 6]),
        "synset/deep": np.array([0.5, 0.6, 0.7, 0.4]), "synset/wide": np.array([0.51, 0.58, 0.7, 0.4]),
        "synset/deep_se": np.full(4, 0.001), "synset/wide_se": np.full(4, 0.002), "synset/p": np.array([1, 5.1e-5, 0.0231, 0.5]),
        "synset/threshold": np.int64(5)}


def sizes(key, networks=4, only=None, **options):
    return groups([name for name in FIGURES[key]["names"] if only is None or name in only], networks, **options)


def save(name, found, scale="quick"):
    artifacts.save_result(artifacts.result(scale, "nguyen_agreement", "agreement", name), found)


def drawn(key, scale="quick", **options):
    with plot.style():
        figure = command.importlib.import_module(f"stages.plot.{FIGURES[key]['draw']}").draw({**FIGURES[key], **options}, scale)
        figure.draw_without_rendering()
    return figure


def texts(part):
    return [text.get_text() for text in part.findobj(matplotlib.text.Text) if text.get_text()]


def images(figure):
    """Axes with an image, in the order of drawing."""
    return [axes for axes in figure.axes if axes.images]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# ---- every drawing

RESULTS = [  # figure, its files, made with few and with many networks, with a size left out
    ("nguyen_fig7", {"pair": lambda: pair(4), "imagenet": lambda: imagenet(names=True, classes=1000)}),
    ("nguyen_fig7", {"pair": lambda: pair(200), "imagenet": imagenet}),
    ("nguyen_fig7", {"imagenet": imagenet}),
    ("nguyen_figF1", {"pair": lambda: pair(2)}),
    ("nguyen_figF1", {"pair": lambda: pair(200)}),
    ("nguyen_figF2", {"by_depth": lambda: sizes("nguyen_figF2", 2, ["ResNet-14", "ResNet-26", "ResNet-164"])}),
    ("nguyen_figF3", {"by_width": lambda: sizes("nguyen_figF3", 200)}),
    ("nguyen_figF4", {"imagenet": imagenet})]


@pytest.mark.parametrize("key, files", RESULTS)
def test_nothing_is_clipped_and_no_two_labels_overlap(key, files):
    for name, make in files.items():
        save(name, make())
    figure = drawn(key)
    outside = {tick.label1 for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for tick in axis.get_major_ticks()
               if not axis.get_view_interval()[0] <= tick.get_loc() <= axis.get_view_interval()[1]}  # not drawn
    boxes = [(text.get_text(), matplotlib.text.Text.get_window_extent(text)) for text in figure.findobj(matplotlib.text.Text)
             if text not in outside and text.get_visible() and text.get_text().strip() and text.get_window_extent().width]
    for number, (text, box) in enumerate(boxes):
        assert 0 <= box.x0 and box.x1 <= figure.bbox.x1 and 0 <= box.y0 and box.y1 <= figure.bbox.y1, text
        assert not [other for other, place in boxes[:number] if box.overlaps(place)], text


def test_ten_thousand_images_in_every_panel_are_a_small_file():
    save("by_depth", sizes("nguyen_figF2", 200, examples=10_000))
    command.paint("nguyen_figF2", FIGURES["nguyen_figF2"], "quick")
    assert artifacts.figure("quick", "nguyen_figF2").stat().st_size < 2 ** 20


@pytest.mark.parametrize("key", PICTURES + TABLES)
def test_missing_result_is_one_clear_line(monkeypatch, key):
    monkeypatch.setattr(command, "declared_params", lambda: {"figures": {key: FIGURES[key]}})
    with pytest.raises(SystemExit) as stopped:
        command.main(key, "quick")
    assert "is missing: run `dvc repro`" in stopped.value.code and "\n" not in stopped.value.code


# ---- images by accuracy

def test_a_place_is_shaded_where_images_have_these_accuracies():
    found = pair(10)
    save("pair", found)
    for figure, panels in ((drawn("nguyen_fig7"), [(0, 1), (0, 0)]), (drawn("nguyen_figF1"), [(0, 1), (0, 0), (1, 1)])):
        for axes, (across, up) in zip(images(figure), panels):
            places = {(round(5 * x), round(5 * y)) for x, y in zip(found[f"{across}/first"], found[f"{up}/second"])}
            opacity = axes.images[0].get_array()[..., 3]
            assert {(x, 5 - row) for row, x in np.argwhere(opacity > 0)} == places  # rows from the top
            left, right, bottom, top = axes.images[0].get_extent()
            assert (left, right) == (bottom, top) == (-10, 110)  # a place in the middle of its cell


def test_where_places_are_few_their_shares_are_written_and_add_up():
    save("pair", pair(4))
    written = lambda axes: [text for text in texts(axes) if text.endswith(" %") and " and " not in text]
    for axes in images(drawn("nguyen_fig7")) + images(drawn("nguyen_figF1"))[:3]:
        shares = [float(text.removesuffix(" %")) for text in written(axes)]
        assert 1 < len(shares) <= 9 and sum(shares) == pytest.approx(100, abs=0.5)
    save("pair", pair(10))
    assert not any(map(written, images(drawn("nguyen_fig7"))))


def test_axes_and_dispersions_are_those_of_the_groups():
    found = pair()
    save("pair", found)
    first, control = images(drawn("nguyen_fig7"))
    assert (first.get_xlabel(), first.get_ylabel()) == ("ResNet-62 (1×) (%)", "ResNet-14 (2×) (%)")
    assert (control.get_xlabel(), control.get_ylabel()) == ("ResNet-62 (1×) (%)", "ResNet-62 (1×), others (%)")
    for axes, other in ((first, 1), (control, 0)):
        [small] = [text for text in texts(axes) if text.startswith("dispersion")]
        assert small.splitlines() == [f"dispersion {100 * found['dispersion'][0, other]:.2f} ± 0.12",
                                      f"means {100 * found['0/first'].mean():.2f} and {100 * found[f'{other}/second'].mean():.2f} %"]
    titles = [axes.get_title() for axes in images(drawn("nguyen_figF1"))[:3]]
    assert titles == [f"dispersion {100 * found['dispersion'][place]:.2f} ± 0.12" for place in ((0, 1), (0, 0), (1, 1))]


# ---- classes

def test_classes_are_points_and_the_significant_are_counted():
    found = imagenet()
    save("imagenet", found)
    axes = drawn("nguyen_fig7").axes[2]
    both, control = (np.asarray(points.get_offsets()) for points in axes.collections)
    np.testing.assert_allclose(both, [(100 * d, 100 * (w - d)) for d, w in zip(found["class/deep"], found["class/wide"])])
    np.testing.assert_allclose(control, [(100 * a, 100 * (b - a)) for a, b in zip(found["class/control_a"], found["class/control_b"])])
    shown = texts(axes)
    assert "ResNet-50 (2.8×) − ResNet-83: 2 of 20 differ" in shown and "two halves of ResNet-83: 0 of 20 differ" in shown
    assert abs(both[:, 1]).max() < axes.get_ylim()[1] == -axes.get_ylim()[0]


def test_classes_that_could_not_be_tested_are_not_said_to_agree():
    save("imagenet", imagenet() | {"class/p_control": np.full(20, np.nan)})
    assert "two halves of ResNet-83: no test" in texts(drawn("nguyen_fig7").axes[2])


def test_classes_with_the_largest_differences_are_named():
    found = imagenet(names=True)
    save("imagenet", found)
    named = {text.get_text(): text.xy for text in drawn("nguyen_fig7").axes[2].texts if isinstance(text, matplotlib.text.Annotation)}
    order = sorted(range(20), key=lambda index: found["class/wide"][index] - found["class/deep"][index])
    assert set(named) == {f"class number {index}" for index in order[:3] + order[-3:]}
    for index in order[:3]:
        assert named[f"class number {index}"][0] == pytest.approx(100 * found["class/deep"][index])


def test_what_the_scale_leaves_out_is_an_empty_panel():
    save("pair", pair())
    assert texts(drawn("nguyen_fig7")).count("not run at quick") == 1
    save("imagenet", imagenet())
    assert texts(drawn("nguyen_fig7")).count("not run at quick") == 0
    artifacts.result("quick", "nguyen_agreement", "agreement", "pair").unlink()
    assert texts(drawn("nguyen_fig7")).count("not run at quick") == 2
    save("imagenet", imagenet(), "paper")
    assert [drawn("nguyen_fig7", scale).axes[2].get_title("left") for scale in ("quick", "paper")] == [
        "c  classes of Tiny-ImageNet", "c  classes of ImageNet"]


# ---- every pair of sizes

def hue(axes, x, y):
    """Colour of a panel's place (x, y) in percent."""
    image, (left, right, bottom, top) = axes.images[0].get_array(), axes.images[0].get_extent()
    return image[int((y - bottom) / (top - bottom) * len(image)), int((x - left) / (right - left) * image.shape[1])]


@pytest.mark.parametrize("networks", [2, 10, 200])
def test_pairs_lie_below_the_diagonal_of_the_page_with_the_columns_network_across(networks):
    """Group g is right on all images, the others on none: where it is across, the pair lies at (100, 0)."""
    found = groups(STAGE3, networks)
    for group in range(3):
        found |= {f"{group}/{half}": np.full(500, float(group == 0)) for half in ("first", "second")}
    save("imagenet", dispersed(found))
    figure = drawn("nguyen_figF4")
    panels = {(row, column): figure.axes[3 * row + column] for row in range(3) for column in range(3)}
    assert {place for place, axes in panels.items() if axes.images} == {(row, column) for row, column in panels if row >= column}
    for row in (1, 2):
        assert np.allclose(hue(panels[row, 0], 100, 0), BLUE) and np.allclose(hue(panels[row, 0], 100, 100), ORANGE)
    assert np.allclose(hue(panels[0, 0], 100, 100), ORANGE) and np.allclose(hue(panels[2, 1], 0, 0), ORANGE)
    assert np.allclose(hue(panels[2, 1], 100, 100), 1) and np.allclose(hue(panels[0, 0], 0, 0), 1)
    assert texts(panels[0, 2]) == ["70.71", "0.00", *texts(panels[0, 2])[2:]] and texts(panels[1, 2])[:2] == ["0.00", "0.00"]


def test_the_more_images_the_darker_and_few_networks_leave_room_for_both():
    found = groups(STAGE3, 2)
    found |= {f"{group}/{half}": np.repeat([1.0, 0.0], [450, 50]) for group in range(3) for half in ("first", "second")}
    save("imagenet", dispersed(found))
    axes = drawn("nguyen_figF4").axes[3]
    image = axes.images[0].get_array()
    assert np.allclose(hue(axes, 100, 100), ORANGE) and hue(axes, 0, 0).sum() > ORANGE.sum()
    assert np.isclose(image, BLUE).all(axis=2).any(), "a blue rim stays around the orange"


def labelled_below(figure):
    return [index for index, axes in enumerate(figure.axes) if axes.images and any(label.get_text() for label in axes.get_xticklabels())]


def test_a_size_that_the_scale_leaves_out_is_an_empty_row_and_column():
    found = sizes("nguyen_figF2", only=["ResNet-14", "ResNet-26", "ResNet-164"])
    found["names"] = np.array(["ResNet-14 (1x)", *found["names"][1:]])  # the same
    save("by_depth", found)
    figure = drawn("nguyen_figF2")
    assert texts(figure).count("not run\nat quick") == 36 - 6 and len(images(figure)) == 6
    titles = [axes.get_title() for axes in figure.axes[:8]]
    means = [100 * sum(found[f"{group}/accuracy"]) / 4 for group in range(3)]
    assert [titles[0], titles[2], titles[7]] == [f"ResNet-{depth}\n{mean:.2f} %" for depth, mean in zip((14, 26, 164), means)]
    assert titles[1] == "ResNet-20"
    assert labelled_below(figure) == [56, 58, 63]


def test_accuracies_are_labelled_where_the_last_size_is_left_out():
    save("by_depth", sizes("nguyen_figF2", only=["ResNet-14", "ResNet-26"]))
    figure = drawn("nguyen_figF2")
    assert labelled_below(figure) == [16, 18]


def test_sizes_of_ones_own_are_all_that_is_shown():
    save("by_width", groups(["ResNet-26 (2x)", "ResNet-26 (16x)"]))
    figure = drawn("nguyen_figF3")
    assert [axes.get_xlabel().splitlines()[:2] for axes in figure.axes[2:]] == [["ResNet-26", "(2×)"], ["ResNet-26", "(16×)"]]
    assert len(images(figure)) == 3


# ---- images with the largest gaps

def test_every_image_has_both_networks_accuracies_above_it():
    found = pair()
    save("pair", found)
    shown = images(drawn("nguyen_figF1"))[3:]
    assert len(shown) == 16
    for number, axes in enumerate(shown):
        assert (axes.images[0].get_array() == found["shown/images"][number].transpose(1, 2, 0)).all()
        percent = [text.get_text() for text in axes.texts if text.get_text().endswith(" %")]
        assert percent == [f"{100 * found[f'shown/{which}'][number]:.0f} %" for which in ("first", "second")]
    assert "easier for\nResNet-62 (1×)" in texts(shown[0]) and "easier for\nResNet-14 (2×)" in texts(shown[8])
    assert any("p = 0.47" in text for text in texts(drawn("nguyen_figF1")))  # of the t-test of means


# ---- tables

def cells(text):
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    assert len({len(row) for row in rows}) == 1 and set(rows[1]) == {"---"}
    return rows[2:]


def table(key, scale="quick"):
    return command.importlib.import_module(f"stages.plot.{FIGURES[key]['draw']}").draw(FIGURES[key], scale)


def trained(study, variant, scale="quick", **measured):
    artifacts.save_numbers(artifacts.training_metrics(scale, "nguyen_collected", f"{study}-{variant}"), {
        key: {"width": width, "seeds": list(range(len(accuracy))), "test_accuracy": accuracy}
        for key, (width, accuracy) in measured.items()})


def test_accuracy_table_has_ours_beside_the_papers():
    trained("nguyen_deep", "all", d32=(1.0, [0.935]), d110=(1.0, [0.94, 0.95, 0.96]))
    trained("nguyen_table100", "depth14", w2=(2.0, [0.7]), w8=(4.0, [0.8]))
    trained("nguyen_wide", "all", w3=(3.0, [0.9]))
    text = table("nguyen_tabB1")
    rows = {tuple(row[:2]): row[2:] for row in cells(text)}
    assert len(rows) == 26 and "Scale quick" in text and "n = 1 to 3 networks" in text
    assert rows["32", "1"] == ["93.5 (1)", "93.5", "not run", "71.2"] and rows["110", "1"] == ["95.0 ± 1.0 (3)", "94.3", "not run", "74.0"]
    assert rows["14", "2"] == ["not run", "94.1", "70.0 (1)", "72.9"]
    assert rows["14", "8"] == ["not run", "95.9", "80.0 (1), at width 4", "80.0"]
    assert rows["38", "3"] == ["90.0 (1)", "–", "not run", "–"], "a size of one's own"
    assert [row[1] for row in cells(text) if row[0] == "38"] == ["1", "2", "3", "4", "8", "10"]
    assert rows["26", "10"] == ["not run", "95.8", "not run", "81.0"]


def test_models_table_states_differences_from_the_first():
    save("imagenet", imagenet())
    text = table("nguyen_tabF1")
    assert [row[1:] for row in cells(text)] == [["5,000", "+0", "3,011,367", "+0"], ["4,900", "-100", "3,006,889", "-4,478"],
                                                ["4,950", "-50", "2,969,410", "-41,957"]]
    assert "V²: 12.3 %; paper 11 %" in text and "4 ResNet-83 and 4 ResNet-50 (2.8×) networks, 500 test images of Tiny-ImageNet" in text
    save("imagenet", imagenet() | {"models/v2": np.float64("nan")})
    assert "V²: undefined" in table("nguyen_tabF1")


def test_synset_table_pairs_synsets_by_their_first_name():
    save("imagenet", imagenet())
    rows = cells(table("nguyen_tabF2"))
    assert rows[1] == ["bird", "9", "58.0 ± 0.20", "60.0 ± 0.10", "-2.00", "5.1e-05", "59", "92.5 ± 0.04", "92.7 ± 0.05", "-0.21", "0.0018"]
    assert [row[:2] for row in rows[2:4]] == [["good", "7"], ["good", "6"]] and rows[2][6:] == ["–"] * 5
    assert len(rows) == 4 + 27 and all(row[1:6] == ["–"] * 5 for row in rows[4:]), "what only the paper has"
    assert "at least 5 classes of Tiny-ImageNet" in table("nguyen_tabF2")


@pytest.mark.parametrize("key", TABLES)
def test_tables_are_written_and_those_of_stand_ins_say_so(key):
    for scale in ("smoke", "quick"):
        save("imagenet", imagenet(), scale)
        trained("nguyen_deep", "all", scale, d32=(1.0, [0.9]))
        command.paint(key, FIGURES[key], scale)
    stand_in, real = (artifacts.figure(scale, key, "md").read_text() for scale in ("smoke", "quick"))
    assert real.startswith(f"# {FIGURES[key]['title']}\n\nScale quick; ") and "STAND-IN" not in real
    assert stand_in.startswith(f"**STAND-IN DATA**\n\n# {FIGURES[key]['title']}\n\nScale smoke; ")
    lines = [line for line in real.splitlines() if line.startswith("|")]
    assert len({tuple(place for place, sign in enumerate(line) if sign == "|") for line in lines}) == 1, "columns line up"


def test_aligning_changes_spaces_only():
    text = "# a | b\n\n| x | long |\n| --- | --- |\n| yyyy | z |\n\nend\n| w |\n| --- |"
    assert command.aligned(text) == "# a | b\n\n| x    | long |\n| ---- | ---- |\n| yyyy | z    |\n\nend\n| w   |\n| --- |\n"
