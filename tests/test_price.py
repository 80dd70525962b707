"""What a run costs: from rates that were measured, without a clock, and near what runs have taken."""

import json
import re
import time
from dataclasses import replace

import numpy as np
import pytest

from pipeline import devices, parameters, pricing
from pipeline.pricing import STAGE_S, data_set, others, price, side_by_side
from pipeline.rates import ENOUGH, Rate, Rates, Stack, alike, kind, measured
from pipeline.units import counted, duration, room
from pipeline.variants import of_paper, one
from pipeline.work import Network, Work, stacked, work_of
from stages import price as door
from stages.train import Training
from wide import artifacts

CORES = 2  # of the machine that the committed results are from
CPU, GPU = "Intel Xeon with AVX512-BF16, 2 cores", "NVIDIA H100 80GB HBM3"
PAPERS = ("gilboa", "nguyen")
SMALL = {"net": "mlp", "width": 8, "options": {"depth": 1}, "image": [1, 4, 4], "classes": 3}


@pytest.fixture(scope="module")
def rates():
    return Rates(alike(measured("quick"), CPU, "bfloat16"))


@pytest.fixture(scope="module")
def quick(rates):
    """{paper: prices} of scale quick."""
    return {paper: [price(each, rates, CORES) for each in of_paper(paper, "quick", 1)] for paper in PAPERS}


def minutes(prices) -> float:
    return sum(each.seconds for each in prices) / 60


def noted(paper) -> float:
    """Minutes that the committed trainings of a paper took, as they noted themselves."""
    took = artifacts.load_numbers(artifacts.timing("quick", paper))
    return sum(said["seconds"] for name, said in took.items() if name.startswith("train_")) / 60


@pytest.mark.parametrize("paper", PAPERS)
def test_quick_takes_what_its_run_took(quick, paper):
    assert minutes(quick[paper]) == pytest.approx(noted(paper), rel=0.3)
    assert others(paper, "quick", 1, CPU)  # all measures have noted their seconds


def test_every_network_of_quick_was_measured(quick):
    assert all(each.known == each.sizes for prices in quick.values() for each in prices)


def test_a_measured_network_has_its_own_rate(rates):
    for stack in {rate.stack for rate in rates.rates}:
        own = [1 / rate.images_per_s for rate in rates.rates if rate.stack == stack]
        assert rates.seconds(stack) == pytest.approx(np.mean(own))
        assert rates.knows(stack) and not rates.knows(replace(stack, batch=stack.batch + 1))


def test_networks_are_estimated_from_others(rates):
    """Every measured network by all but itself: within 15 % mostly, never by a factor of two."""
    off = np.exp(np.abs(np.log(rates.errors())))
    assert len(off) > 20
    assert np.median(off) < 1.15
    assert off.max() < 2


@pytest.mark.parametrize(
    "what, held_out",
    [
        ("the deepest", lambda stack, most: stack.work.layers > 190),
        ("the largest", lambda stack, most: stack.work.flops > most / 4),
    ],
)
def test_estimates_reach_beyond_what_was_measured(rates, what, held_out):
    """ResNets that are unlike all that are left: within 30 % mostly."""
    most = max(rate.stack.work.flops for rate in rates.rates if rate.stack.work.net == "resnet")
    out = {
        rate.stack for rate in rates.rates if rate.stack.work.net == "resnet" and held_out(rate.stack, most)
    }
    left = Rates([rate for rate in rates.rates if rate.stack not in out])
    off = [left.seconds(rate.stack) * rate.images_per_s for rate in rates.rates if rate.stack in out]
    assert len(off) >= 2
    assert np.exp(np.median(np.abs(np.log(off)))) < 1.3


def rate(work, images_per_s, batch=32, members=1, device=CPU, dtype="bfloat16") -> Rate:
    return Rate(Stack(work, batch, members), device, dtype, images_per_s)


def works(count):
    """Networks that differ in all that the law looks at."""
    draw = np.random.default_rng(0).integers
    return [
        Work("resnet", *map(int, draw([5, 1e4, 1e6, 1e3], [500, 1e6, 1e9, 1e7])), 0) for _ in range(count)
    ]


def test_the_law_is_found_in_rates_that_follow_it():
    law = np.array([3e-4, 1e-9, 2e-11, 8e-10])
    *known, new = works(30)
    found = [rate(work, 32 / (law @ Stack(work, 32, 1).terms)) for work in known]
    for batch, members in ((32, 1), (128, 1), (32, 16)):
        stack = Stack(new, batch, members)
        assert Rates(found).seconds(stack) == pytest.approx(law @ stack.terms / stack.images, rel=1e-3)


def test_few_rates_go_by_flops():
    known = works(ENOUGH - 1)
    told = Rates([rate(work, 1000.0) for work in known])
    more = replace(known[0], flops=known[0].flops + 1)
    assert told.seconds(Stack(more, 32, 1)) == pytest.approx(1e-3 * more.flops / known[0].flops)


def test_rates_are_those_of_the_device_most_like_this_one():
    [work] = works(1)
    groups = [(CPU, "bfloat16"), (CPU, "float32"), ("AMD EPYC 7B13", "float32"), (GPU, "bfloat16")]
    found = [rate(work, 100.0, device=device, dtype=dtype) for device, dtype in groups]

    def chosen(*wanted):
        told = alike(found, *wanted)[0]
        return told.device, told.dtype

    for group in groups:
        assert chosen(*group) == group
    assert chosen("Apple M2", "bfloat16") == (CPU, "bfloat16")
    assert chosen("Tesla T4", "float32") == (GPU, "bfloat16")
    assert alike([], CPU, "float32") == []
    with pytest.raises(ValueError, match="no training has left its rate"):
        Rates([])


@pytest.mark.parametrize(
    "name, found",
    [
        (CPU, "cpu"),
        (GPU, "cuda"),
        ("GeForce GTX 1080", "cuda"),
        ("AMD Instinct MI250X", "cuda"),
        ("AMD Ryzen 7 5700G with Radeon Graphics", "cpu"),
    ],
)
def test_kinds_of_devices(name, found):
    assert kind(name) == found


def entry(**more):
    """A size's entry as trainings write it."""
    measured_at = {
        "batch": 32,
        "device": CPU,
        "dtype": "float32",
        "members_at_once": 1,
        "images_per_s": 900.0,
    }
    return {**SMALL, **measured_at, **more}


@pytest.fixture
def results(tmp_path, monkeypatch):
    """An empty folder in the place of results/."""
    monkeypatch.setattr(artifacts, "RESULTS", tmp_path)
    return tmp_path


def left(scale, **sizes):
    artifacts.save_numbers(artifacts.throughput(scale, "paper", "study", "base"), sizes)


def test_all_scales_rates_count_but_smokes_only_for_itself(results):
    left("smoke", w1=entry(images_per_s=1.0))
    left("quick", w1=entry(images_per_s=2.0), untrained=entry(images_per_s=None))
    left("gpu", w1=entry(images_per_s=3.0), gone=entry(net="forgotten"))
    assert sorted(rate.images_per_s for rate in measured("paper")) == [2, 3]
    assert sorted(rate.images_per_s for rate in measured("smoke")) == [1, 2, 3]


def test_a_damaged_rate_is_one_line(results):
    left("quick", w1=entry())
    artifacts.throughput("quick", "paper", "study", "base").write_text("{")
    with pytest.raises(ValueError, match="is damaged .*: delete it"):
        measured("quick")


def test_what_a_training_writes_is_what_prices_are_read_from(results):
    variant = one("nguyen.table", "depth14", "smoke", 1)
    training = Training.__new__(Training)
    training.todo, training.classes, training.shrunk = variant.plan, variant.classes, 0.25
    training.image, training.images = list(variant.image), range(variant.examples)
    part = {"run": {"dtype": "float32", "members_at_once": 1, "images_per_s": 640.0}}
    left("smoke", **{size.key: training.rate(size, [(0, part)]) for size in variant.plan.sizes})
    told = Rates(alike(measured("smoke"), devices.name(), "float32"))
    found = price(variant, told, 1)
    assert (told.device, found.known) == (devices.name(), found.sizes)
    scored = variant.splits["test"] + variant.examples
    images = found.images + scored / 3 * found.sizes
    assert found.seconds == pytest.approx(STAGE_S + images / 640, rel=1e-3)


def test_networks_are_counted():
    net = Network.of(**SMALL)
    weights = 16 * 8 + 8 + 8 * 3 + 3
    outputs = 16 + 8 + 8 + 3
    assert work_of(net) == Work("mlp", 4, outputs, 2 * (16 * 8 + 8 * 3), weights, 4 * weights)
    built = net.build().train()
    assert {value.device.type for value in built.state_dict().values()} == {"meta"}


def test_normalisation_is_passed_over_but_counted():
    net = Network.of("resnet", 1.0, {"depth": 14, "base": 16}, (3, 32, 32), 10)
    found, built = work_of(net), net.build()
    assert found.parameters == sum(value.numel() for value in built.parameters())
    assert found.stored == sum(value.numel() * value.element_size() for value in built.state_dict().values())
    assert found.layers == len(built.layers)
    wider = work_of(replace(net, width=2.0))
    assert 3.9 < wider.flops / found.flops < 4
    assert wider.outputs == pytest.approx(2 * found.outputs, rel=0.01)


@pytest.mark.parametrize("lanes, until", [(1, 16.0), (2, 8.0), (3, 7.0), (9, 7.0)])
def test_pieces_side_by_side(lanes, until):
    assert side_by_side([1.0, 7.0, 3.0, 5.0], lanes) == until


def test_images_are_those_of_the_plan(quick):
    [found] = [
        each for each in quick["nguyen"] if each.variant.name == "sixteenth" and each.variant.study == "wide"
    ]
    passes, a_pass = 40000 / 3125, 3125 // 64
    assert found.images == round(passes * a_pass) * 64 * (3 + 3 + 3)
    [nothing] = [each for each in quick["gilboa"] if each.variant.study == "pixels"]
    assert nothing.images == 0 and nothing.seconds < 2 * STAGE_S


def test_memory_and_disk(quick):
    """Of the network of figure 1: two processes with all of MNIST, and the largest two stacks."""
    [found] = [
        each for each in quick["gilboa"] if (each.variant.study, each.variant.name) == ("mnist", "base")
    ]
    pixels = 28 * 28
    images = 60_000 * pixels * 2
    works = [
        work_of(Network.of("convnet", width, {"plan": "fixed"}, (1, 28, 28), 10)) for width in (20, 2048)
    ]
    stacks = sum(16 * work.parameters + 128 * work.outputs * 2 for work in works)
    assert found.memory == pytest.approx(2 * (0.75 * 2**30 + images) + stacks)
    assert found.disk == sum(4 * work.parameters for work in works)
    assert data_set(found.variant) == 60_000 * (pixels + 8)


def test_imagenets_files_are_not_counted_as_images():
    assert data_set(one("nguyen.imagenet", "base", "paper", 1)) < 1e9
    assert data_set(one("nguyen.imagenet", "base", "quick", 1)) == 110_000 * (3 * 64 * 64 + 8)


def test_width_and_scale_cost(rates):
    def cost(scale, width):
        return price(one("gilboa.cifar", "base", scale, width), rates, CORES)

    base, wide, papers = cost("quick", 1), cost("quick", 2), cost("paper", 1)
    for name in ("seconds", "memory", "disk"):
        assert getattr(base, name) < getattr(wide, name) < getattr(papers, name)
    assert base.images == wide.images < papers.images
    assert wide.known < wide.sizes


def test_lanes_shorten_and_fill_memory(rates):
    alone, both = (price(one("nguyen.wide", "sixteenth", "quick", 1), rates, lanes) for lanes in (1, 2))
    assert 0.5 < both.seconds / alone.seconds < 0.7
    assert both.memory > 1.5 * alone.memory
    little = one("nguyen.wide", "sixteenth", "smoke", 1)
    assert price(little, rates, 2) == price(little, rates, 1)


def test_members_that_train_as_a_stack(rates):
    """Twenty narrow networks: stacks of 16 and 4 and what a stack of 16 saves."""
    variant = one("nguyen.pair", "wide", "smoke", 1)
    [size] = variant.plan.sizes
    many = replace(variant, plan=replace(variant.plan, sizes=[replace(size, seeds=list(range(20)))]))
    assert stacked(Network.of("resnet", size.width, size.options, variant.image, 10), "cpu", 20) == 16
    one_by_one = price(variant, rates, 1).seconds - STAGE_S
    assert price(many, rates, 1).seconds - STAGE_S < 0.8 * one_by_one * 20 / len(size.seeds)
    assert price(many, rates, 1).images == 20 * variant.shown(size)


def test_a_network_that_cannot_be_names_its_variant(rates):
    with pytest.raises(ValueError, match="^gilboa.mnist, variant base: a layer of .* units is too wide"):
        price(one("gilboa.mnist", "base", "quick", 1e9), rates, 1)


def timings(paper, seconds):
    """Seconds of all stages that do not train, as they note them."""
    took = {
        f"{stage}@quick-all": {"seconds": seconds + number, "width": 1, "device": CPU}
        for number, stage in enumerate(sorted(pricing.other_stages(paper)))
    }
    artifacts.save_numbers(artifacts.timing("quick", paper), took)


def test_measures_take_what_they_took(results):
    assert others("gilboa", "quick", 1, CPU) is None
    timings("gilboa", 10)
    names = pricing.other_stages("gilboa")
    assert {"atlas_mnist", "umap_mnist"} <= names
    assert not any(name.startswith(("train", "plot", "claims")) for name in names)
    found = others("gilboa", "quick", 1, CPU)
    assert sum(found.values()) == sum(10 + number for number in range(len(names)))
    assert {"umap", "atlas", "transfer"} <= set(found)
    assert [
        others("gilboa", *where) for where in (("paper", 1, CPU), ("quick", 2, CPU), ("quick", 1, GPU))
    ] == [None] * 3
    took = artifacts.load_numbers(artifacts.timing("quick", "gilboa"))
    del took["atlas_cifar@quick-all"]
    artifacts.save_numbers(artifacts.timing("quick", "gilboa"), took)
    assert others("gilboa", "quick", 1, CPU) is None


@pytest.fixture
def little(monkeypatch, rates):
    """`make plan` of gilboa alone, on two cores, from rates that have been read."""
    monkeypatch.setattr(parameters, "papers", lambda: ["gilboa"])
    monkeypatch.setattr(door.rates, "measured", lambda scale: rates.rates)
    monkeypatch.setattr(devices, "device", lambda: "cpu")
    monkeypatch.setattr(devices, "lanes", lambda: ["cpu"] * CORES)


def test_the_page(little, monkeypatch, capsys):
    """A line a variant and totals, the same every time, and no clock is read."""
    for clock in ("perf_counter", "monotonic", "process_time", "time"):
        monkeypatch.setattr(time, clock, None)
    door.main.__wrapped__("quick", "")
    page = capsys.readouterr().out
    door.main.__wrapped__("quick", "1")
    assert capsys.readouterr().out == page
    lines = page.splitlines()
    assert lines[0] == "scale quick, width 1, 2 networks at a time"
    assert (
        sum(re.match(r"  (mnist|pixels|translated|cifar|shift|coarse) ", line) is not None for line in lines)
        == 13
    )
    assert re.search(
        r"^  gilboa in all: \d+ min, memory [\d.]+ GB, populations \d+ MB, data sets \d+ MB$", page, re.M
    )
    assert re.search(r"^in all: \d+ min, ", page, re.M)
    assert re.search(r"\n(\d+) of \1 sizes were measured\n", page)
    assert max(map(len, lines)) < 140


def test_the_machine_that_was_never_measured_is_named(little, rates, monkeypatch, capsys):
    monkeypatch.setattr(devices, "name", lambda: "Elbrus-8C")
    door.main("quick", "1")
    said = capsys.readouterr().out.splitlines()[1]
    assert (
        said == f"rates measured on {rates.device}, in {rates.dtype}; on Elbrus-8C nothing was ever measured"
    )


def test_lanes_are_those_of_the_device_that_was_measured(little, monkeypatch):
    """A GPU that was never measured is priced as a CPU, a piece a core."""
    monkeypatch.setattr(devices, "device", lambda: "cuda:1")
    monkeypatch.setattr(devices, "name", lambda: GPU)
    monkeypatch.setattr(devices, "lanes", lambda: ["cuda:0", "cuda:1"] * 4)
    monkeypatch.setattr(devices, "cores", lambda: 16)
    monkeypatch.setattr(door, "half_precision", lambda device: True)
    told, lanes = door.this_machine("quick")
    assert (kind(told.device), lanes) == ("cpu", 16)
    on_gpu = [replace(each, device=GPU) for each in told.rates]
    monkeypatch.setattr(door.rates, "measured", lambda scale: told.rates + on_gpu)
    told, lanes = door.this_machine("quick")
    assert (told.device, lanes) == (GPU, 8)


@pytest.mark.parametrize(
    "words, line",
    [
        (
            ["scale=paper"],
            "scale 'scale=paper' is unknown; the scales are smoke, quick, overnight, gpu, paper",
        ),
        (["quick", "wide"], "width is 'wide'; it multiplies every network's width, so it must be above 0"),
        (["quick", "-2"], "width is '-2'"),
        (["quick", "0"], "width is '0'"),
        (["", "nan"], "width is 'nan'"),
        (["quick", "inf"], "width is 'inf'"),
        (["quick", "1", "2"], r"wrong arguments quick 1 2; usage: .* \[<scale>\] \[<width>\]"),
    ],
)
def test_wrong_words_are_one_line(words, line, capsys):
    with pytest.raises(SystemExit, match=f"^error: {line}") as stopped:
        door.main(*words)
    assert "\n" not in str(stopped.value)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "words, found",
    [
        (duration(0.2), "0 s"),
        (duration(67), "67 s"),
        (duration(35 * 60), "35 min"),
        (duration(2.4 * 3600), "2.4 h"),
        (duration(12.2 * 86400), "12 days"),
        (duration(693812470.4 * 60), "1,319 years"),
        (counted(59904), "59,904"),
        (counted(1497600), "1.5 million"),
        (counted(2.4e10), "24 billion"),
        (room(31000), "31 kB"),
        (room(2.41e9), "2.4 GB"),
        (room(1.5e14), "150 TB"),
    ],
)
def test_numbers_are_readable(words, found):
    assert words == found


def test_committed_rates_are_complete():
    """Every committed size says what it is, so that none is left out in silence."""
    for path in artifacts.RESULTS.glob("quick/*/*/throughput/*.json"):
        for size in json.loads(path.read_text()).values():
            assert set(entry()) - {"classes"} <= set(size), path
