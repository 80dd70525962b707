"""Theorems about linear probes that are trained together while a network runs."""

import weakref

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from wide.measure.logistic import LEAST
from wide.measure.probe import train_probes


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def listed(**features):
    """A network whose layers are given features of example number `images[:, 0]`."""
    return lambda images, tap: [tap(name, x[images[:, 0]]) for name, x in features.items()]


def minibatches(examples, labels, count, size=64, seed=1):
    """`count` minibatches of (numbers of examples (size, 1), labels), passes reshuffled."""
    draws, found = generator(seed), []
    while len(found) < count:
        order = examples[torch.randperm(len(examples), generator=draws)]
        found += [(i[:, None], labels[i]) for i in order.split(size) if len(i) == size]
    return found[:count]


@pytest.fixture(scope="module")
def digits():
    """Random layer of scikit-learn's digits (1797, 100), labels, train and test numbers."""
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x).float() / 16
    order = torch.randperm(len(x), generator=generator())
    return (
        torch.relu(x @ torch.randn(64, 100, generator=generator()) / 3),
        torch.tensor(y),
        order[:1200],
        order[1200:],
    )


def probed(features, digits, count=300, **options):
    """Accuracies of probes on layers {name: features} of the digits."""
    _, labels, train, test = digits
    layers = options.pop("layers", list(features))
    return train_probes(
        listed(**features),
        minibatches(train, labels, count),
        layers,
        10,
        test[:, None],
        labels[test],
        **options,
    )


def dominated(x, share):
    """The features and one direction more, drawn from them linearly, with `share` of the variance."""
    direction = torch.randn(x.shape[1], generator=generator(5))
    along = (x - x.mean(0)) @ torch.randn(x.shape[1], generator=generator(6))
    size = (x.var(0).sum() * share / (1 - share)).sqrt() / (along.std() * direction.norm())
    return x + size * along[:, None] * direction


def naive(x, labels, batches, test, due, lr, momentum, damped):
    """Test accuracies at steps `due` of torch's SGD on whole mapped features, all in float64."""
    first = x[batches[0][0][:, 0]].double().numpy()
    mean = first.mean(0)
    _, sizes, axes = np.linalg.svd(first - mean)
    sizes = sizes / len(first) ** 0.5
    floor = max(sizes[damped], LEAST**0.5 * sizes[0])
    stretch = np.full(x.shape[1], 1 / floor)
    stretch[:damped] = 1 / np.maximum(sizes[:damped], floor)
    z = torch.tensor((x.double().numpy() - mean) @ axes.T * stretch)
    model = torch.nn.Linear(x.shape[1], 10).double()
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    optimiser, found = torch.optim.SGD(model.parameters(), lr, momentum), []
    for step, (index, wanted) in enumerate(batches, 1):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(z[index[:, 0]]), wanted).backward()
        optimiser.step()
        if step in due:
            found.append((model(z[test]).argmax(1) == labels[test]).double().mean().item())
    return found


# ---- what a probe finds


def test_a_layer_with_the_labels_is_read_and_noise_is_not():
    labels = torch.randint(0, 4, (1500,), generator=generator())
    noise = torch.randn(1500, 30, generator=generator(1))
    carrier = noise + 8 * torch.nn.functional.one_hot(labels, 30)
    batches = minibatches(torch.arange(1000), labels, 200)
    found = train_probes(
        listed(a=carrier, b=noise), batches, ["b", "a"], 4, torch.arange(1000, 1500)[:, None], labels[1000:]
    )
    assert found.dtype == np.float64 and found[1] > 0.99
    assert found[0] == pytest.approx(0.25, abs=0.06)  # three standard errors of a coin with chance 1/4


@pytest.mark.parametrize("change", [lambda x: x, lambda x: dominated(x, 0.95), lambda x: x.view(-1, 4, 5, 5)])
def test_probes_agree_with_logistic_regression_run_to_the_end(digits, change):
    x, labels, train, test = digits
    x = change(x)
    flat = x.flatten(1).double().numpy()
    flat = (flat - flat[train].mean(0)) @ np.diag(1 / flat[train].std(0).clip(1e-9))
    reference = (
        LogisticRegression(C=10, max_iter=1000)
        .fit(flat[train], labels[train])
        .score(flat[test], labels[test])
    )
    assert probed({"a": x}, digits)[0] == pytest.approx(reference, abs=0.02)
    assert reference > 0.94


@pytest.mark.parametrize("damped", [0, 1, 4])
@pytest.mark.parametrize("evaluations, due", [(1, [40]), (3, [14, 27, 40]), (100, range(1, 41))])
def test_the_best_evaluation_of_plain_sgd_on_the_mapped_features_counts(digits, damped, evaluations, due):
    x, labels, train, test = digits
    x = dominated(x, 0.8)
    options = {"lr": 4.0, "momentum": 0.8, "damped": damped}
    found = naive(x, labels, minibatches(train, labels, 40), test, due, **options)
    assert len(found) == len(due)
    best = probed({"a": x}, digits, 40, evaluations=evaluations, **options)[0]
    assert best == pytest.approx(max(found), abs=1.5 / 597)


def test_what_a_probe_unlearns_later_does_not_count(digits):
    x, labels, train, test = digits
    batches = minibatches(train, labels, 60)
    batches += [(index, (wanted + 1) % 10) for index, wanted in minibatches(train, labels, 60, seed=2)]
    last, best = (
        train_probes(listed(a=x), batches, ["a"], 10, test[:, None], labels[test], evaluations=evaluations)
        for evaluations in (1, 2)
    )
    assert last < 0.1 and best.tolist() == probed({"a": x}, digits, 60, evaluations=1).tolist() and best > 0.9


# ---- layers are comparable


def test_scale_and_offset_of_a_layer_do_not_matter(digits):
    x = digits[0]
    features = {"a": x, "b": 1000 * x, "c": x / 1000, "d": x + 30, "e": -x}
    plain, *changed = probed(features, digits, 60)
    assert changed == pytest.approx([plain] * 4, abs=2.5 / 597)
    assert 0.9 < plain


def test_a_dominating_component_does_not_hold_a_probe_back(digits):
    x = digits[0]
    features = {"a": x, "b": dominated(x, 0.98)}
    plain, block = probed(features, digits)
    assert block == pytest.approx(plain, abs=0.015)
    plain, block = probed(features, digits, damped=0)
    assert block < plain - 0.05  # the same information, but slower


# ---- streaming


def test_probes_trained_together_are_those_trained_alone(digits):
    x = digits[0]
    features = {"a": x, "b": x[:, :20], "c": (x[:, :64] ** 2).view(-1, 4, 4, 4)}
    together = probed(features, digits, 50)
    assert together.tolist() == [probed(features, digits, 50, layers=[name])[0] for name in features]
    assert together[::-1].tolist() == probed(features, digits, 50, layers=list(features)[::-1]).tolist()
    assert len(set(together)) == 3


def test_each_minibatch_is_one_forward_pass_and_no_activation_is_kept(digits):
    x, labels, train, test = digits
    sizes, alive = [], []

    def network(images, tap):
        assert not torch.is_grad_enabled() and not any(reference() is not None for reference in alive)
        sizes.append(len(images))
        for scale in (1, 2):
            activation = x[images[:, 0]] * scale
            alive.append(weakref.ref(activation))
            tap(f"layer{scale}", activation)
            del activation

    train_probes(
        network,
        minibatches(train, labels, 4),
        ["layer1", "layer2"],
        10,
        test[:, None],
        labels[test],
        evaluations=2,
        batch=500,
    )
    assert sizes == [64, 64, 500, 97, 64, 64, 500, 97]


def test_test_minibatches_and_a_generator_change_nothing(digits):
    x, labels, train, test = digits
    whole = probed({"a": x}, digits, 50, batch=10_000)
    assert whole == pytest.approx(probed({"a": x}, digits, 50, batch=70), abs=1.5 / 597)
    drawn = (pair for pair in minibatches(train, labels, 50))
    assert (
        train_probes(listed(a=x), drawn, ["a"], 10, test[:, None], labels[test], total=50, batch=10_000)
        == whole
    )


def test_memory_layout_and_arithmetic_of_the_network_do_not_matter(digits):
    x, labels, train, test = digits
    maps = x.view(-1, 4, 5, 5)

    def network(images, tap):
        layout = torch.channels_last if len(images) == 64 else torch.contiguous_format
        tap("a", maps[images[:, 0]].contiguous(memory_format=layout))
        with torch.autocast("cpu", torch.bfloat16):
            tap("b", maps[images[:, 0]].double())

    found = train_probes(network, minibatches(train, labels, 50), ["a", "b"], 10, test[:, None], labels[test])
    assert found.tolist() == probed({"a": maps, "b": maps}, digits, 50).tolist()


def test_pooling_is_that_of_the_network(digits):
    maps = digits[0].view(-1, 4, 5, 5)
    pooled = torch.stack([maps[..., i : i + 2, j : j + 2].amax((2, 3)) for i in (0, 2) for j in (0, 2)], 2)
    found = probed({"maps": maps, "flat": digits[0]}, digits, 50, pool=2)
    expected = probed({"maps": pooled, "flat": digits[0]}, digits, 50)
    assert found.tolist() == expected.tolist() and found[0] != probed({"maps": maps}, digits, 50)[0]


# ---- limits


def test_a_constant_layer_tells_the_most_frequent_class_and_a_single_feature_is_enough():
    labels = (torch.arange(900) % 3 == 0).long()
    batches = minibatches(torch.arange(600), labels, 50)
    features = {
        "dead": torch.full((900, 7), 0.3),
        "zero": torch.zeros(900, 7),
        "one": labels[:, None] * 3.0 - 7,
    }
    found = train_probes(
        listed(**features), batches, list(features), 2, torch.arange(600, 900)[:, None], labels[600:]
    )
    assert found == pytest.approx([2 / 3, 2 / 3, 1])


def test_bad_input_is_refused(digits):
    x, labels, train, test = digits
    with pytest.raises(ValueError, match="layer 'z' does not exist"):
        probed({"a": x}, digits, 5, layers=["a", "z"])
    with pytest.raises(ValueError, match="0 minibatches"):
        probed({"a": x}, digits, 0)
    for count in (3, 5):
        with pytest.raises(ValueError, match=f"{count} or more minibatches instead of 4"):
            probed({"a": x}, digits, count, total=4)
    for wrong in ({"lr": 0}, {"momentum": 1}, {"damped": -1}, {"lr": float("nan")}):
        with pytest.raises(ValueError, match="give lr above 0"):
            probed({"a": x}, digits, 5, **wrong)
    for wrong in ({"evaluations": 0}, {"pool": 0}, {"batch": 0}, {"layers": []}):
        with pytest.raises(ValueError, match="0 [a-z ]*: give at least 1"):
            probed({"a": x}, digits, 5, **wrong)
    with pytest.raises(ValueError, match="597 images, 596 labels"):
        train_probes(listed(a=x), minibatches(train, labels, 5), ["a"], 10, test[:, None], labels[test][1:])
    with pytest.raises(ValueError, match="no length"):
        train_probes(listed(a=x), iter([]), ["a"], 10, test[:, None], labels[test])
    with pytest.raises(ValueError, match="from 0 to 9"):
        train_probes(listed(a=x), minibatches(train, labels, 5), ["a"], 9, test[:, None], labels[test])
    with pytest.raises(ValueError, match="at least 2 examples"):
        train_probes(
            listed(a=x), minibatches(train, labels, 5, size=1), ["a"], 10, test[:, None], labels[test]
        )
    with pytest.raises(ValueError, match="twice"):
        train_probes(
            lambda images, tap: [tap("a", x[images[:, 0]]), tap("a", x[images[:, 0]])],
            minibatches(train, labels, 5),
            ["a"],
            10,
            test[:, None],
            labels[test],
        )
    with pytest.raises(ValueError, match="pool 6 is too large"):
        probed({"a": x.view(-1, 4, 5, 5)}, digits, 5, pool=6)


@pytest.mark.parametrize("which", ["train", "test"])
def test_activations_that_are_not_finite_are_refused(digits, which):
    x, (train, test) = digits[0].clone(), digits[2:]
    x[(train if which == "train" else test)[:, None], 3] = float("inf")
    with pytest.raises(ValueError, match="layer 'a' has activations that are not finite"):
        probed({"b": digits[0], "a": x}, digits, 5)
