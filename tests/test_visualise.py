"""Activation atlases: theorems about the layout, the whitening, the transforms and the icons."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from wide.measure import lucid, visualise
from wide.measure.atlas import DAMPINGS
from wide.measure.lucid import ATLAS, Pose, Transforms

STILL = Transforms(pad=0, jitters=(), scales=(1.0,), angles=(0,), last_jitter=0)
CENTRED = Pose(16, 16, 1.0, 0, 1, 1)  # the middle offsets of ATLAS


def random(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def gaussian(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def linear_net(templates):
    return lambda images: (images - 0.5).flatten(1) @ templates.flatten(1).T


# Layout and cells


def test_layout_fills_the_unit_square_and_is_linear_within_the_percentiles():
    points = gaussian(500, 2, seed=1).double().numpy() * (3, 40) + (100, -7)
    points[0], points[1] = 1e6, -1e6
    placed = visualise.layout(points)
    assert placed.dtype == np.float64 and (placed.min(0) == 0).all() and (placed.max(0) == 1).all()
    assert (np.diff(placed[np.argsort(points[:, 0]), 0]) >= 0).all()
    low, high = np.percentile(points[:, 0], (1, 99))
    within = (points[:, 0] > low) & (points[:, 0] < high)
    slope, _ = np.polyfit(points[within, 0], placed[within, 0], 1)
    assert np.ptp(placed[within, 0] - slope * points[within, 0]) < 1e-12  # linear inside the percentiles
    assert slope * (high - low) == pytest.approx(1 / 1.2)  # outliers on both sides: both margins in full


def test_layout_ignores_shift_and_scale_of_the_embedding():
    points = gaussian(200, 2).double().numpy()
    assert np.allclose(visualise.layout(points * (5, 0.1) + 3), visualise.layout(points), atol=1e-12)


def test_layout_of_a_constant_axis_is_finite():
    placed = visualise.layout(np.column_stack([np.arange(9.0), np.full(9, 4.0)]))
    assert (placed[:, 1] == 0.5).all() and placed[:, 0].max() == 1


def naive_cells(positions, grid, minimum):
    found = {}
    for row in range(grid):
        for column in range(grid):
            left, bottom = Fraction(column, grid), Fraction(grid - 1 - row, grid)
            members = [
                i
                for i, (x, y) in enumerate(positions)
                if float(left) <= x <= float(left + Fraction(1, grid))
                and float(bottom) <= y <= float(bottom + Fraction(1, grid))
            ]
            if len(members) > minimum:
                found[row, column] = members
    return found


@pytest.mark.parametrize("grid, minimum", [(1, 0), (3, 4), (6, 2), (15, 0)])
def test_cells_agree_with_a_double_loop(grid, minimum):
    positions = random(150, 2, seed=2).double().numpy()
    positions[:60] = np.round(positions[:60] * grid) / grid  # on edges and corners
    cell, members = visualise.cells(positions, grid, minimum)
    naive = naive_cells(positions, grid, minimum)
    assert [tuple(c) for c in cell] == list(naive)
    assert [list(index) for index in members] == list(naive.values())


def test_a_point_on_an_inner_edge_counts_on_both_sides_and_row_zero_is_on_top():
    cell, _ = visualise.cells(np.array([[0.5, 0.9]]), 2, 0)
    assert cell.tolist() == [[0, 0], [0, 1]]
    assert visualise.cells(np.array([[0.5, 0.5]]), 2, 0)[0].tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert visualise.cells(np.array([[0.0, 0.0]]), 2, 0)[0].tolist() == [[1, 0]]


def test_a_cell_needs_more_than_the_minimum():
    positions = np.full((10, 2), 0.01)
    assert len(visualise.cells(positions, minimum=10)[0]) == 0
    assert visualise.cells(positions, minimum=9)[0].tolist() == [[14, 0]]


@pytest.mark.parametrize("positions", [[[0.5, 1.1]], [[0.5, np.nan]], [0.5, 0.5], np.empty((0, 2))])
def test_cells_refuse_what_is_no_position(positions):
    with pytest.raises(ValueError, match="layout|shape"):
        visualise.cells(np.array(positions))


# Whitening and targets


def test_whitening_of_white_data_is_the_identity():
    white = torch.linalg.qr(gaussian(300, 20).double())[0] * 300**0.5
    assert torch.allclose(visualise.whitening(white, 0), torch.eye(20).double(), atol=1e-12)


@pytest.mark.parametrize("damping", [0, 0.01])
def test_whitening_inverts_the_damped_second_moment(damping):
    activations = gaussian(9000, 30).relu() * torch.linspace(0.1, 9, 30)
    moment = activations.double().T @ activations.double() / 9000
    damped = moment + damping * torch.linalg.eigvalsh(moment).mean() * torch.eye(30).double()
    whitening = visualise.whitening(activations, damping)
    assert whitening.dtype == torch.float64
    assert torch.allclose(whitening @ damped, torch.eye(30).double(), atol=1e-10)


def test_dead_units_and_few_examples_need_damping():
    dead = gaussian(50, 8) * torch.tensor([1, 1, 0, 1, 1, 1, 1, 1])
    for singular in (dead, gaussian(5, 8), gaussian(50, 1) * torch.ones(8)):
        with pytest.raises(ValueError, match="damping"):
            visualise.whitening(singular, 0)
        assert visualise.whitening(singular, 1e-3).isfinite().all()
    with pytest.raises(ValueError, match="NaN"):
        visualise.whitening(torch.full((9, 2), torch.nan), 0.1)


def crowded(rng, noise, units=40, cells=8, points=60):
    """Activations of cells that differ in the first few units, while the others' noise is the larger."""
    own = np.zeros((cells, units))
    own[:, :cells] = np.eye(cells)
    rows = np.repeat(own, points, axis=0) + 0.3 * rng.normal(size=(cells * points, units)) * noise
    return torch.tensor(rows), np.split(np.arange(cells * points), cells)


def test_damping_is_small_where_whitening_helps_and_large_where_it_blows_up_noise():
    rng = np.random.default_rng(0)
    large_noise = np.r_[np.ones(8), 30 * np.ones(2), np.zeros(30)]  # two directions drown the cells
    tiny_noise = np.r_[np.ones(8), 0.02 * np.ones(192)]  # which tells nothing, and has no variance
    low, high = (
        visualise.held_out_damping(*crowded(rng, noise, len(noise))) for noise in (large_noise, tiny_noise)
    )
    assert low <= 0.01 and high >= 0.1


def test_held_out_damping_agrees_with_loops_over_points():
    rng = np.random.default_rng(1)
    activations, members = crowded(rng, np.ones(6), units=6, cells=4, points=10)
    members[0] = np.r_[members[0], 10]  # on an edge: in two cells
    half, right = np.random.default_rng(0).permutation(40) % 2, {}  # one halving
    for damping in (0.01, 1.0):
        right[damping] = 0
        for side in (0, 1):
            rows = [[i for i in index if half[i] == side] for index in members]
            whitening = visualise.whitening(activations[half == side], damping).numpy()
            targets = [activations[index].mean(0).numpy() @ whitening for index in rows]
            for cell, index in enumerate(members):
                for i in (i for i in index if half[i] != side):
                    angles = [target @ activations[i].numpy() / np.linalg.norm(target) for target in targets]
                    right[damping] += np.argmax(angles) == cell
    expected = max(right, key=right.get)
    assert len(set(right.values())) == 2
    assert visualise.held_out_damping(activations, members, (0.01, 1.0), draws=1) == expected
    assert visualise.held_out_damping(activations, members, (1.0, 0.01), draws=1) == expected


def test_of_equal_dampings_the_smallest_is_taken():
    activations = gaussian(50, 6)
    assert visualise.held_out_damping(activations, [np.arange(50)]) == DAMPINGS[0] == 1e-4
    assert visualise.held_out_damping(activations, [np.array([3])]) == 1e-4  # empty in one half
    assert sorted(DAMPINGS) == list(DAMPINGS) and DAMPINGS[-1] == 10


def test_targets_are_whitened_cell_means_and_do_not_depend_on_the_units_basis():
    activations = gaussian(400, 6).relu()
    members = [np.arange(10), np.array([3, 399, 7]), np.array([5])]
    targets = visualise.atlas_targets(activations, members, 0)
    moment = activations.double().T @ activations.double() / 400
    for target, index in zip(targets, members):
        assert torch.allclose(target.double() @ moment, activations[index].double().mean(0), atol=1e-5)
    mixing = gaussian(6, 6, seed=3)
    mixed = visualise.atlas_targets(
        activations @ mixing, members, 0
    )  # dot products with activations stay the same
    assert torch.allclose(mixed @ (activations @ mixing).T, targets @ activations.T, atol=1e-3)
    assert targets.dtype == torch.float32
    with pytest.raises(ValueError, match="minimum"):
        visualise.atlas_targets(activations, [], 0)


# Images and transforms


def naive_image(spectrum):
    channels, side = spectrum.shape[:2]
    planes = []
    for waves in spectrum[..., 0].numpy() + 1j * spectrum[..., 1].numpy():
        for row in range(side):
            for column in range(waves.shape[1]):
                frequency = np.hypot(min(row, side - row) / side, column / side)
                waves[row, column] *= side / max(frequency, 1 / side)
        planes.append(np.fft.irfft2(waves, s=(side, side)) / 4)
    colour = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
    colour = colour / max(np.linalg.norm(colour[:, i]) for i in range(3))
    mixing = colour if channels == 3 else np.eye(1)
    return 1 / (1 + np.exp(-np.einsum("oi,ihw->ohw", mixing, np.array(planes))))


@pytest.mark.parametrize("channels, side", [(1, 12), (3, 12), (1, 9)])
def test_images_are_the_fourier_sums_of_their_coefficients(channels, side):
    spectrum = 30 * lucid.spectra([0, 1], channels, side).double()
    for image, coefficients in zip(lucid.paint(spectrum), spectrum):
        assert np.allclose(image.numpy(), naive_image(coefficients), atol=1e-6)


def test_gradient_reaches_the_spectrum_through_transform_and_paint():
    small = Transforms(pad=1, jitters=(2,), scales=(0.9,), angles=(7,), last_jitter=1)
    pose = Pose(1, 2, 0.9, 7, 0, 1)
    spectrum = lucid.spectra([0], 1, 8).double().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda s: lucid.transformed(lucid.paint(s), pose, 5, 0.3, small), spectrum
    )


def test_every_pose_gives_the_spectrum_a_gradient():
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        spectrum = lucid.spectra([0], 3, 80).requires_grad_()
        view = lucid.transformed(lucid.paint(spectrum), lucid.draw_pose(generator), 32, 1.0)
        (gradient,) = torch.autograd.grad((view * gaussian(*view.shape)).sum(), spectrum)
        assert gradient.isfinite().all() and (gradient[..., 0] != 0).float().mean() > 0.9


def test_default_transforms_are_those_of_the_atlas_notebook():
    assert len(ATLAS.scales) == 85 + 40 and len(ATLAS.angles) == 40 + 20 + 10 + 5
    assert min(ATLAS.scales) == pytest.approx(0.673, abs=1e-3) and max(ATLAS.scales) == pytest.approx(
        1.025, abs=1e-3
    )
    assert ATLAS.window(80) == (52, 50)


def test_offsets_have_the_variance_of_the_sum_of_their_jitters():
    generator = torch.Generator().manual_seed(0)
    poses = [lucid.draw_pose(generator) for _ in range(2000)]
    offsets = np.array([(pose.top, pose.left) for pose in poses])
    assert offsets.min() >= 0 and offsets.max() <= 32
    expected = sum(((d + 1) ** 2 - 1) / 12 for d in ATLAS.jitters)  # each uniform over 0..d
    assert np.allclose(offsets.mean(0), 16, atol=0.5) and np.allclose(offsets.var(0), expected, rtol=0.15)
    assert abs(np.corrcoef(offsets.T)[0, 1]) < 0.1
    assert {pose.last_top for pose in poses} == {0, 1, 2} == {pose.last_left for pose in poses}
    assert {pose.scale for pose in poses} <= set(ATLAS.scales) and {pose.angle for pose in poses} == set(
        ATLAS.angles
    )


@pytest.mark.parametrize("draw", range(6))
def test_one_crop_equals_the_sequence_of_crops(draw):
    images, generator = random(2, 3, 80, 80), np.random.default_rng(draw)
    low, high = (
        (0, 0) if draw == 0 else (0, 1)
    )  # the first draw takes every crop from the corner, into the padding
    offsets = [generator.integers(low, high * d + 1, 2) for d in (*ATLAS.jitters, ATLAS.last_jitter)]
    naive = torch.full((2, 3, 84, 84), 0.3)
    naive[..., 2:82, 2:82] = images
    for shrinkage, (top, left) in zip((*ATLAS.jitters, ATLAS.last_jitter), offsets):
        side = naive.shape[-1] - shrinkage
        naive = naive[..., top : top + side, left : left + side]
    top, left = (int(v) for v in np.sum(offsets[:-1], axis=0))
    pose = Pose(top, left, 1.0, 0, *(int(v) for v in offsets[-1]))
    assert torch.allclose(lucid.transformed(images, pose, 50, 0.3), naive, atol=1e-5)


@pytest.mark.parametrize("size", [28, 32, 64])
def test_the_unmoved_pose_is_the_centre_view(size):
    images = random(3, 1, 80, 80)
    expected = visualise.centre_view(images, size, 0.0)
    assert expected.shape == (3, 1, size, size)
    assert torch.allclose(lucid.transformed(images, CENTRED, size, 0.0), expected, atol=1e-5)
    middle = torch.nn.functional.interpolate(
        images[..., 15:65, 15:65], (size, size), mode="bilinear", antialias=True
    )
    assert torch.equal(expected, middle)


def test_a_quarter_turn_is_counter_clockwise_and_half_scale_a_quarter_of_the_area():
    images = random(1, 1, 52, 52)
    whole = Transforms(pad=0, jitters=(), last_jitter=0)
    turned = lucid.transformed(images, Pose(0, 0, 1.0, 90, 0, 0), 52, 0.0, whole)
    assert torch.allclose(turned, torch.rot90(images, 1, (2, 3)), atol=1e-5)
    halved = lucid.transformed(torch.ones(1, 1, 52, 52), Pose(0, 0, 0.5, 0, 0, 0), 52, 0.0, whole)[0, 0]
    assert torch.allclose(halved[13:39, 13:39], torch.ones(26, 26)) and halved.sum() == pytest.approx(
        26**2, rel=1e-5
    )


@pytest.mark.parametrize("pad_value", [0.0, 1.0, 0.37])
def test_a_constant_image_of_the_pad_value_stays_constant(pad_value):
    images, generator = torch.full((1, 3, 80, 80), pad_value), torch.Generator().manual_seed(1)
    for _ in range(40):
        view = lucid.transformed(images, lucid.draw_pose(generator), 32, pad_value)
        assert torch.allclose(view, torch.full_like(view, pad_value), atol=1e-6)


# Objective


def naive_objective(a, t, cosine):
    dot = sum(x * y for x, y in zip(a, t))
    if cosine == "lucid":
        dot = dot / len(a)
        cos = dot / (1e-4 + sum(x * x for x in a) ** 0.5)
    else:
        cos = dot / (sum(x * x for x in a) ** 0.5 * sum(y * y for y in t) ** 0.5)
    return dot * max(0.1, cos) ** 4


@pytest.mark.parametrize("cosine", ["paper", "lucid"])
def test_objective_is_the_formula(cosine):
    targets = gaussian(40, 5, seed=1).double()
    activations = targets * torch.linspace(-1, 2, 40).double()[:, None] + gaussian(40, 5).double()
    expected = [naive_objective(a, t, cosine) for a, t in zip(activations.tolist(), targets.tolist())]
    found = visualise.objective(activations, targets, cosine)
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-9)
    assert (found < 0).any() and (found > 0).any()


def test_objective_is_linear_in_the_scale_of_either_side():
    a, t = gaussian(30, 7).double(), gaussian(30, 7, seed=1).double()
    base = visualise.objective(a, t)
    assert torch.allclose(visualise.objective(1e4 * a, t), 1e4 * base)
    assert torch.allclose(visualise.objective(a, 1e-4 * t), 1e-4 * base)


def test_below_the_floor_the_gradient_is_that_of_the_dot_product():
    a = torch.tensor([[1.0, -1.0], [0.0, 0.0]], requires_grad=True)
    t = torch.tensor([[1.0, 1.05], [1.0, 2.0]])
    (gradient,) = torch.autograd.grad(visualise.objective(a, t).sum(), a)
    assert torch.allclose(gradient, 1e-4 * t)
    with pytest.raises(ValueError, match="cosine"):
        visualise.objective(a, t, "angle")


# Icons


@pytest.mark.parametrize("shape, pad_value", [((1, 28, 28), 0.0), ((3, 32, 32), 1.0)])
def test_icons_of_a_linear_network_are_its_templates(shape, pad_value):
    ys, xs = torch.meshgrid(*2 * [torch.linspace(-1, 1, shape[1])], indexing="ij")
    blob = torch.exp(-4 * (xs**2 + ys**2))
    templates = torch.stack([xs * blob, ys * blob, blob - blob.mean()])[:, None].expand(3, *shape)
    network, options = linear_net(templates), {"image_shape": shape, "pad_value": pad_value}
    _, before = visualise.icons(network, torch.eye(3), steps=0, **options)
    images, after = visualise.icons(network, torch.eye(3), steps=40, **options)
    assert images.shape == (3, shape[0], 80, 80) and images.dtype == torch.float32
    assert 0 <= images.min() and images.max() <= 1 and (after > 10 * before.abs()).all()
    views = visualise.centre_view(images, shape[1], pad_value)
    correlation = np.corrcoef(views.flatten(1), templates.flatten(1))[:3, 3:]
    assert (np.diag(correlation) > 0.6).all() and (correlation.argmax(axis=1) == range(3)).all()
    assert torch.allclose(after, visualise.objective(network(views), torch.eye(3)))


def test_an_icon_depends_neither_on_its_batch_nor_on_later_icons():
    network, targets = linear_net(gaussian(6, 1, 28, 28)), gaussian(5, 6, seed=1)
    options = {"image_shape": (1, 28, 28), "steps": 8}
    together, scores = visualise.icons(network, targets, **options)
    for other, score in (
        visualise.icons(network, targets, batch=2, **options),
        visualise.icons(network, targets[:2], **options),
    ):
        assert torch.allclose(other, together[: len(other)], atol=1e-4)
        assert torch.allclose(score, scores[: len(other)], rtol=1e-3)
    same_target, _ = visualise.icons(network, targets[:1].expand(2, -1), **options)
    assert not torch.allclose(same_target[0], same_target[1], atol=1e-2)  # each icon starts from its own seed


def test_the_same_seed_gives_the_same_bytes_and_steps_zero_the_start():
    network, targets = linear_net(gaussian(4, 3, 32, 32)), torch.eye(4)
    options = {"image_shape": (3, 32, 32), "steps": 3, "pad_value": 1.0}
    first, second = (visualise.icons(network, targets, **options)[0] for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.allclose(first, visualise.icons(network, targets, seed=1, **options)[0], atol=1e-2)
    start, _ = visualise.icons(network, targets, **{**options, "steps": 0})
    assert torch.equal(start, lucid.paint(lucid.spectra(range(4), 3, 80)))


def test_the_scale_of_a_target_changes_the_scores_only():
    network, targets = linear_net(gaussian(4, 1, 28, 28) / 28), torch.eye(4)
    options = {"image_shape": (1, 28, 28), "steps": 5}
    images, scores = visualise.icons(network, targets, **options)
    tiny, tiny_scores = visualise.icons(network, 2.0**-8 * targets, **options)
    assert torch.allclose(tiny, images, atol=1e-4) and torch.allclose(tiny_scores * 2**8, scores, rtol=1e-3)


@pytest.mark.parametrize("cosine", ["paper", "lucid"])
def test_a_dead_network_leaves_the_start_as_it_is(cosine):
    options = {"image_shape": (1, 28, 28), "cosine": cosine}

    def dead(images):
        return (images.flatten(1)[:, :4] - 100).relu()

    images, scores = visualise.icons(dead, torch.eye(4), steps=3, **options)
    assert (
        torch.equal(images, visualise.icons(dead, torch.eye(4), steps=0, **options)[0])
        and (scores == 0).all()
    )


def test_a_redirected_relu_is_a_relu_but_for_rows_that_it_blocks_altogether():
    x = torch.tensor([[1.0, -1.0], [-2.0, -3.0], [-2.0, -3.0], [2.0, -1.0]], requires_grad=True)
    wanted = torch.tensor([[1.0, 5.0], [1.0, 0.0], [1.0, -1.0], [0.0, 1.0]])
    out = lucid.redirected_relu(x)
    assert torch.equal(out, x.relu())
    (gradient,) = torch.autograd.grad((out * wanted).sum(), x)
    # A live row is a ReLU's; a blocked one passes what raises its unit, and nothing that lowers a silent one.
    assert gradient.tolist() == [[1, 0], [1, 0], [1, 0], [0, 1]]


def test_an_icon_of_a_unit_that_is_silent_at_first_is_found_by_the_redirected_gradient():
    template, options = gaussian(1, 784) / 28, {"image_shape": (1, 28, 28), "steps": 20}

    def unit(rectify):
        return lambda images: rectify((images - 0.5).flatten(1) @ template.T - 0.5)

    start = visualise.icons(unit(torch.relu), torch.ones(1, 1), **options | {"steps": 0})[0]
    stuck, score = visualise.icons(unit(torch.relu), torch.ones(1, 1), **options)
    assert torch.equal(stuck, start) and score == 0
    assert visualise.icons(unit(lucid.redirected_relu), torch.ones(1, 1), **options)[1] > 0.1


def test_the_network_stays_as_it_is_and_progress_counts_the_steps():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 5), torch.nn.ReLU())
    before, calls = [p.clone() for p in network.parameters()], []
    with torch.no_grad():
        _, start = visualise.icons(network, torch.ones(5, 5), image_shape=(1, 28, 28), steps=0)
        images, scores = visualise.icons(
            network,
            torch.ones(5, 5),
            image_shape=(1, 28, 28),
            steps=4,
            batch=2,
            autocast_dtype=torch.bfloat16,
            progress=lambda: calls.append(1),
        )
    assert len(calls) == 4 * 3 and scores.sum() > start.sum() and scores.dtype == torch.float32
    assert all(p.grad is None and torch.equal(p, b) for p, b in zip(network.parameters(), before))
    assert not images.requires_grad


@pytest.mark.parametrize(
    "targets, changes, message",
    [
        (torch.eye(2), {"canvas": 28}, "canvas"),
        (torch.tensor([[0.0, torch.nan]]), {}, "NaN"),
        (torch.ones(2), {}, "targets"),
        (torch.ones(0, 2), {}, "targets"),
        (torch.eye(3), {}, r"\(3, 2\)"),
        (torch.eye(2), {"image_shape": (2, 28, 28)}, "image_shape"),
        (torch.eye(2), {"image_shape": (28, 28)}, "image_shape"),
        (torch.eye(2), {"image_shape": (1, 28, 32)}, "image_shape"),
        (torch.eye(2), {"steps": -1}, "steps"),
        (torch.eye(2), {"cosine": "cosine"}, "cosine"),
    ],
)
def test_icons_refuse_bad_input(targets, changes, message):
    options = {"image_shape": (1, 28, 28), "steps": 1, **changes}
    with pytest.raises(ValueError, match=message):
        visualise.icons(lambda images: images.flatten(1)[:, :2], targets, **options)


def test_shrinking_keeps_the_mean_and_without_shrinking_only_rounds():
    images = random(2, 3, 80, 80)
    small = visualise.shrink(images, 20)
    assert small.dtype == torch.uint8 and small.shape == (2, 3, 20, 20)
    assert small.double().mean() == pytest.approx(255 * images.mean().item(), abs=1)
    assert small.double().std() < 0.4 * 255 * images.std()  # averaged over the pixels it covers, not sampled
    assert torch.equal(visualise.shrink(images, 80), (255 * images).round().to(torch.uint8))
    assert (visualise.shrink(torch.ones(1, 1, 80, 80), 28) == 255).all()
