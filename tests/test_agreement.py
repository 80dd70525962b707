"""Theorems about the comparison of two groups of networks by what they get right."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import optimize, stats
from scipy.special import expit, log_expit
from statsmodels.api import families

from wide.measure import agreement, nested
from wide.measure.agreement import nested_models


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def predictions(rng, networks, logits):
    return rng.random((networks, len(logits))) < expit(logits)


def two_types(rng, networks=(6, 6), classes=3, size=5, class_effect=1.0, example_effect=0.5, easy=1.5):
    """Correctness of two types of networks that differ by class and by example, and the labels."""
    labels = np.repeat(np.arange(classes), size)
    base = rng.normal(0, easy, classes * size)
    other = (
        base + rng.normal(0, class_effect, classes)[labels] + rng.normal(0, example_effect, classes * size)
    )
    return predictions(rng, networks[0], base), predictions(rng, networks[1], other), labels


def rows_of(correct_a, correct_b, labels):
    """The single predictions as a table, as a regression wants them."""
    parts = []
    for kind, correct in enumerate((correct_a, correct_b)):
        network, example = np.indices(correct.shape)
        parts.append(
            np.stack([correct.ravel(), example.ravel(), labels[example.ravel()], np.full(correct.size, kind)])
        )
    return pd.DataFrame(
        np.concatenate(parts, axis=1).astype(int).T, columns=["y", "example", "label", "kind"]
    )


FORMULAS = ("y ~ C(example) + C(kind)", "y ~ C(example) + C(kind) * C(label)", "y ~ C(example) * C(kind)")


# ---- accuracies, gaps and dispersion


@pytest.mark.parametrize("networks", [2, 3, 10, 11])
def test_halves_are_disjoint_equal_and_as_large_as_possible(networks):
    first, second = agreement.halves(networks)
    assert len(first) == len(second) == networks // 2
    assert sorted([*first, *second]) == list(range(networks - networks % 2)) and first.max() < second.min()


def test_one_network_has_no_halves():
    with pytest.raises(ValueError, match="at least 2"):
        agreement.halves(1)


def test_example_accuracy_is_the_share_of_right_networks():
    correct = np.array([[True, False, True], [True, False, False]])
    assert agreement.example_accuracy(correct).tolist() == [1, 0, 0.5]


def test_dispersion_is_the_distance_from_the_diagonal(rng):
    a, b = rng.random(50), rng.random(50)
    feet = ((a + b) / 2)[:, None] * [1, 1]  # the nearest points of the diagonal
    distances = np.linalg.norm(np.stack([a, b], axis=1) - feet, axis=1)
    assert (
        agreement.dispersion(a, b)
        == pytest.approx(np.sqrt(np.mean(distances**2)))
        == agreement.dispersion(b, a)
    )
    assert agreement.dispersion(a, a) == 0
    assert agreement.dispersion([0.0], [1.0]) == pytest.approx(np.sqrt(0.5))


def test_dispersion_of_one_group_is_that_of_binomial_noise(rng):
    share, networks = rng.random(20000), 10
    a, b = (agreement.example_accuracy(rng.random((networks, 20000)) < share) for _ in range(2))
    assert agreement.dispersion(a, b) ** 2 == pytest.approx(np.mean(share * (1 - share)) / networks, rel=0.03)


def test_dispersion_se_is_the_spread_over_draws_of_examples(rng):
    groups = [[rng.random((5, 400)) < share for share in rng.random((2, 400))] for _ in range(300)]
    truth = np.std([agreement.dispersion(*map(agreement.example_accuracy, pair)) for pair in groups])
    assert np.mean(
        [agreement.dispersion_se(*pair, seed=i) for i, pair in enumerate(groups[:10])]
    ) == pytest.approx(truth, rel=0.15)


def test_dispersion_se_shrinks_with_the_root_of_the_examples_and_follows_its_seed(rng):
    a, b = rng.random((2, 4, 300)) < 0.5
    few, many = (
        agreement.dispersion_se(a, b, draws=1000),
        agreement.dispersion_se(np.tile(a, 9), np.tile(b, 9), draws=1000),
    )
    assert few / many == pytest.approx(3, rel=0.15)
    assert (
        agreement.dispersion_se(a, b)
        == agreement.dispersion_se(a, b, seed=0)
        != agreement.dispersion_se(a, b, seed=1)
    )
    assert agreement.dispersion_se(a, a) == 0


def test_largest_gaps_come_in_order_and_ties_by_index():
    a, b = np.array([0.4, 0.3, 1.0, 0.0, 0.9]), np.array([0.2, 0.1, 0.0, 1.0, 0.7])
    assert (a - b)[1] != (a - b)[0]  # equal gaps that are rounded differently
    assert agreement.largest_gaps(a, b, 5).tolist() == [2, 0, 1, 4, 3]
    assert agreement.largest_gaps(b, a, 1).tolist() == [3] and not len(agreement.largest_gaps(a, b, 0))


# ---- t-tests


@pytest.mark.parametrize("networks", [2, 7, 200])
def test_means_of_equal_groups_are_tested_in_pairs_of_seeds(rng, networks):
    a, b = rng.random((networks, 40)) < 0.6, rng.random((networks, 40)) < 0.5
    gaps = a.mean(1) - b.mean(1)
    t = gaps.mean() / (gaps.std(ddof=1) / np.sqrt(networks))
    assert agreement.mean_test(a, b) == pytest.approx((t, networks - 1, 2 * stats.t.sf(abs(t), networks - 1)))
    back = agreement.mean_test(b, a)
    assert back == pytest.approx((-t, networks - 1, agreement.mean_test(a, b)[2]))


def test_means_of_unequal_groups_get_welch_s_test(rng):
    a, b = rng.random((5, 40)) < 0.6, rng.random((9, 40)) < 0.5
    x, y = a.mean(1), b.mean(1)
    va, vb = x.var(ddof=1) / 5, y.var(ddof=1) / 9
    df = (va + vb) ** 2 / (va**2 / 4 + vb**2 / 8)
    t = (x.mean() - y.mean()) / np.sqrt(va + vb)
    assert agreement.mean_test(a, b) == pytest.approx((t, df, 2 * stats.t.sf(abs(t), df)))


@pytest.mark.parametrize("networks, df", [((3, 3), 2), ((3, 4), 5)])
def test_means_that_do_not_vary_are_the_same_or_not(networks, df):
    all_right, all_wrong = np.ones((networks[0], 7), bool), np.zeros((networks[1], 7), bool)
    assert agreement.mean_test(all_right, ~all_wrong) == (0, df, 1)
    assert agreement.mean_test(all_right, all_wrong) == (np.inf, df, 0)
    assert agreement.mean_test(all_wrong, all_right) == (-np.inf, df, 0)


def test_class_accuracy_agrees_with_loops(rng):
    correct, labels = rng.random((4, 30)) < 0.5, rng.permutation(np.arange(30) % 4)
    expected = [[np.mean([row[i] for i in range(30) if labels[i] == c]) for c in range(4)] for row in correct]
    assert agreement.class_accuracy(correct, labels) == pytest.approx(np.array(expected))


def test_welch_is_scipy_s_test_class_by_class(rng):
    a, b = rng.random((6, 10)), rng.random((9, 10)) ** 2
    assert agreement.welch(a, b) == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue)


def test_welch_where_nothing_varies(rng):
    a, b = np.tile([0.1, 0.1, 0.1, 0.3], (3, 1)), np.tile([0.1, 0.7, 0.1, 0.3], (5, 1))
    b[:, 2] += rng.normal(0, 1, 5)  # one group alone varies: an ordinary test
    p = agreement.welch(a, b)
    assert p[[0, 1, 3]].tolist() == [1, 0, 1] and p[2] == pytest.approx(
        stats.ttest_1samp(b[:, 2], 0.1).pvalue
    )


def test_welch_keeps_its_level(rng):
    p = agreement.welch(rng.normal(size=(5, 5000)), rng.normal(size=(5, 5000)))
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.015)


# ---- nested models


def mixed_difficulty(rng, networks):
    """Groups in which no example is right or wrong throughout: all is finite and statsmodels converges."""
    a, b, labels = two_types(rng, networks)
    for correct in (a, b):
        correct[0], correct[1] = True, False
    return a, b, labels


@pytest.mark.filterwarnings("ignore:The design matrix is rank-deficient")  # of B, whose rank is tested
@pytest.mark.parametrize("networks", [(6, 6), (4, 9)])
def test_the_same_as_the_paper_s_formulas_in_statsmodels(rng, networks):
    a, b, labels = mixed_difficulty(rng, networks)
    data, ours = rows_of(a, b, labels), nested_models(a, b, labels)
    for model, formula in enumerate(FORMULAS):
        theirs = smf.glm(formula, data, family=families.Binomial()).fit(tol=1e-14)
        assert ours.log_likelihood[model] == pytest.approx(theirs.llf, abs=1e-8)
        assert ours.parameters[model] == theirs.df_model + 1 and ours.aic[model] == pytest.approx(theirs.aic)
        assert ours.variance[model] == pytest.approx(
            np.mean((data["y"] - theirs.fittedvalues) ** 2), abs=1e-8
        )


def test_examples_that_all_get_right_or_wrong_add_parameters_and_nothing_else(rng):
    a, b, labels = mixed_difficulty(rng, (6, 6))
    sure = np.array([True, False, True, True])
    longer = [np.concatenate([correct, np.tile(sure, (6, 1))], axis=1) for correct in (a, b)]
    before, after = (
        nested_models(a, b, labels),
        nested_models(*longer, np.concatenate([labels, [0, 1, 2, 0]])),
    )
    assert after.log_likelihood == pytest.approx(before.log_likelihood)
    assert (after.parameters - before.parameters).tolist() == [4, 4, 8]
    assert after.variance * 19 == pytest.approx(before.variance * 15) and after.v2 == pytest.approx(before.v2)


def test_no_other_parameters_fit_better(rng):
    """With infinite intercepts and small groups: the value is the supremum of the likelihood."""
    for networks in ((2, 2), (3, 1), (5, 4)):
        a, b, labels = two_types(rng, networks, classes=2, size=4, easy=3)
        right, n = np.stack([a.sum(0), b.sum(0)]), np.array(networks)[:, None]

        def loss(x, group, right=right, n=n):
            z = x[:8] + np.stack([np.zeros(8), x[8:][group]])
            return -np.sum(right * log_expit(z) + (n - right) * log_expit(-z))

        for model, group in enumerate((np.zeros(8, int), labels)):
            best = optimize.minimize(
                loss, np.zeros(8 + group.max() + 1), args=(group,), method="BFGS", options={"gtol": 1e-7}
            )
            assert nested_models(a, b, labels).log_likelihood[model] == pytest.approx(-best.fun, abs=1e-4)
            assert nested_models(a, b, labels).log_likelihood[model] >= -best.fun - 1e-9


def test_fitted_counts_are_the_observed_ones(rng):
    """The score equations of A and B: totals of an example, of a type, and in B of a type and class."""
    a, b, labels = two_types(rng, (7, 5), size=20)
    right, n = np.stack([a.sum(0), b.sum(0)]), np.array([[7], [5]])
    for group in (np.zeros_like(labels), labels):
        fitted = n * expit(nested._additive(right, n, group))
        assert fitted.sum(0) == pytest.approx(right.sum(0))
        for c in set(group):
            assert fitted[:, group == c].sum(1) == pytest.approx(right[:, group == c].sum(1))


def test_larger_models_fit_better_and_aic_counts_their_parameters(rng):
    for _ in range(30):
        networks = tuple(rng.integers(1, 6, 2))
        models = nested_models(*two_types(rng, networks, classes=4, easy=rng.choice([0.1, 1, 5])))
        assert (np.diff(models.log_likelihood) >= -1e-9).all() and models.log_likelihood[2] <= 0
        assert models.variance[2] <= models.variance[:2].min() + 1e-12
        assert models.parameters.tolist() == [21, 24, 40]
        assert models.aic == pytest.approx(2 * models.parameters - 2 * models.log_likelihood)


def test_aic_falls_by_the_difference_of_the_models(rng):
    groups = two_types(rng, (8, 8), 6, 5)
    fall, error = agreement.aic_falls(*groups)
    assert fall == pytest.approx(-np.diff(nested_models(*groups).aic)) and (error > 0).all()


def test_errors_of_aic_s_falls_are_their_spread_over_draws_of_classes(rng):
    found = [agreement.aic_falls(*two_types(rng, (6, 6), 12, 4), folds=6) for _ in range(40)]
    falls, errors = (np.array(part) for part in zip(*found, strict=True))
    assert np.sqrt(np.mean(errors**2, 0)) == pytest.approx(falls.std(0), rel=0.3)


def test_aic_falls_where_types_differ_and_rises_where_they_do_not(rng):
    alike = two_types(rng, (20, 20), 20, 10, class_effect=0, example_effect=0)
    by_class = two_types(rng, (20, 20), 20, 10, class_effect=2, example_effect=0)
    by_example = two_types(rng, (20, 20), 20, 10, class_effect=0, example_effect=2)
    for groups, signs in ((alike, (-1, -1)), (by_class, (1, -1)), (by_example, (1, 1))):
        fall, error = agreement.aic_falls(*groups)
        assert (np.sign(fall)[1], fall[1] * signs[1] > 2 * error[1]) == (signs[1], True)
        assert (
            fall[0] * signs[0] > 0 or groups is by_example
        )  # classes of differing examples differ by chance


def test_order_of_networks_examples_and_types_does_not_matter(rng):
    a, b, labels = two_types(rng, (5, 8))
    order = rng.permutation(len(labels))
    same = [
        nested_models(rng.permuted(a, axis=0), rng.permuted(b, axis=0), labels),
        nested_models(a[:, order], b[:, order], labels[order]),
        nested_models(b, a, labels),
        nested_models(a, b, 7 * labels + 2),
    ]
    for other in same:
        assert all(x == pytest.approx(y) for x, y in zip(nested_models(a, b, labels), other))


def test_v2_is_the_share_that_classes_explain(rng):
    by_class = nested_models(*two_types(rng, (40, 40), 10, 50, class_effect=2, example_effect=0))
    by_example = nested_models(*two_types(rng, (40, 40), 10, 50, class_effect=0, example_effect=2))
    both = nested_models(*two_types(rng, (40, 40), 10, 50, class_effect=1, example_effect=1))
    assert 0 <= by_example.v2 < 0.1 < both.v2 < 0.7 < by_class.v2 <= 1
    assert by_class.aic.argmin() == 1 and by_example.aic.argmin() == 2


def test_v2_at_its_ends(rng):
    a, b, labels = two_types(rng)
    alone = nested_models(a, b, np.arange(len(labels)))  # each example a class: B is C
    assert alone.v2 == pytest.approx(1) and alone.log_likelihood[1] == pytest.approx(alone.log_likelihood[2])
    assert nested_models(a, b, 0 * labels).v2 == pytest.approx(0)  # a single class: B is A
    assert np.isnan(nested_models(a, a, labels).v2)  # nothing to explain


def test_separated_types_have_an_infinite_contrast():
    a, b = np.zeros((4, 6), bool), np.ones((3, 6), bool)
    models = nested_models(a, b, np.arange(6) % 2)
    assert models.log_likelihood == pytest.approx(0, abs=1e-12) and models.variance == pytest.approx(
        0, abs=1e-12
    )


def test_parameters_are_counted_at_imagenets_size(rng):
    a, b, labels = two_types(rng, (50, 50), 1000, 50, class_effect=0.2)
    models = nested_models(a, b, labels)
    assert models.parameters.tolist() == [50001, 51000, 100000] and 0 < models.v2 < 1


# ---- what is refused


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda c: agreement.example_accuracy(c.astype(float)), "give bool"),
        (lambda c: agreement.example_accuracy(c[0]), "networks x examples"),
        (lambda c: agreement.dispersion([0.5], [0.5, 0.5]), "same examples"),
        (lambda c: agreement.aic_falls(c, c, np.zeros(c.shape[1], int)), "at least 2 classes"),
        (lambda c: agreement.dispersion_se(c, c, draws=1), "at least 2"),
        (lambda c: agreement.mean_test(c[:1], c), "at least 2 networks"),
        (lambda c: agreement.welch(c[:1], c), "at least 2 networks"),
        (lambda c: agreement.welch(c, c[:, 1:]), "same classes"),
        (lambda c: agreement.class_accuracy(c, [0, 2, 2, 0]), "class 1 has no example"),
        (lambda c: agreement.class_accuracy(c, [0, 1]), "4 examples"),
        (lambda c: agreement.class_accuracy(c, [0, -1, 0, 1]), "from 0"),
        (lambda c: agreement.largest_gaps([0.1], [0.2], 2), "at most one"),
        (lambda c: nested_models(c, c[:, 1:], [0, 1, 0, 1]), "same examples"),
        (lambda c: nested_models(c, c, [0.0, 1.0, 0.0, 1.0]), "give a class"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_with_a_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.ones((3, 4), bool))
