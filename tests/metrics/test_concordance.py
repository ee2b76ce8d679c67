"""CCC has its closed forms, and the values of audmetric."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from sklearn_ser import ccc_score, ccc_scorer

Y = np.random.default_rng(3).normal(size=40)


def test_identity_shift_scale_and_constant_have_their_closed_forms():
    assert ccc_score(Y, Y) == pytest.approx(1)
    assert ccc_score(Y, 2 * Y.mean() - Y) == pytest.approx(-1)
    assert ccc_score(Y, np.full(40, 0.3)) == 0
    for shift in (-2, 0.5):
        assert ccc_score(Y, Y + shift) == pytest.approx(1 / (1 + shift**2 / (2 * Y.var())))
    for scale in (0.2, 3):
        assert ccc_score(Y, Y.mean() + scale * (Y - Y.mean())) == pytest.approx(2 * scale / (1 + scale**2))
    assert np.isnan(ccc_score([1.0, 1.0], [1.0, 1.0])) and np.isnan(ccc_score([1.0], [1.0]))
    assert ccc_score(Y + 1e8, Y + 1e8 + 0.5) == pytest.approx(ccc_score(Y, Y + 0.5), abs=1e-6)


@pytest.mark.parametrize("seed, expected", [(0, 0.789456316240721), (1, 0.8013976930827192), (2, 0.7318393263409285)])
def test_values_are_those_of_audmetric(seed, expected):
    """audmetric 1.4.2, audmetric.concordance_cc."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=50)
    assert ccc_score(y, 0.6 * y + 0.3 * rng.normal(size=50) + 0.2 * seed) == pytest.approx(expected, abs=1e-9)


def test_weights_count_as_repetitions():
    weights = np.arange(40) % 3
    expected = ccc_score(np.repeat(Y, weights), np.repeat(Y**2, weights))
    assert ccc_score(Y, Y**2, sample_weight=weights) == pytest.approx(expected)


def test_dimensions_are_averaged_or_returned():
    y, y_pred = np.column_stack([Y, Y]), pd.DataFrame({"arousal": Y, "valence": 0 * Y})
    np.testing.assert_allclose(ccc_score(y, y_pred, multioutput="raw_values"), [1, 0], atol=1e-12)
    assert ccc_score(y, y_pred) == pytest.approx(0.5)
    assert ccc_score(y, y_pred, multioutput=[3, 1]) == pytest.approx(0.75)
    assert ccc_score(Y[:, np.newaxis], Y) == pytest.approx(1)


def test_the_mean_over_groups_forgives_what_is_constant_in_each():
    groups = np.repeat(list("abcd"), 10)
    shifted = Y + np.repeat([0, 1, 2, 3], 10)
    within = [ccc_score(Y[groups == g], shifted[groups == g]) for g in "abcd"]
    assert ccc_score(Y, shifted, groups=groups, average="group") == pytest.approx(np.mean(within))
    assert ccc_score(Y, shifted, groups=groups) == ccc_score(Y, shifted)


def test_a_search_maximizes_it():
    X = Y[:, np.newaxis] + np.random.default_rng(0).normal(size=(40, 4)) / 2
    search = GridSearchCV(Ridge(), {"alpha": [1, 1e4]}, scoring=ccc_scorer, cv=4).fit(X, Y)
    assert search.best_params_ == {"alpha": 1} and 0.5 < search.best_score_ < 1


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(y_pred=Y[:-1]), r"as many values and dimensions as y_true. Got the shapes \(39, 1\) and \(40, 1\)"),
        (dict(y_pred=np.full(40, np.nan)), "y_pred contains NaN"),
        (dict(average="group"), "average='group' needs groups"),
        (dict(average="mean"), "average must be 'pooled' or 'group'. Got 'mean'"),
        (dict(multioutput="all"), "multioutput must be"),
        (dict(average="group", groups=[None] * 40), "groups lacks a value in row 0"),
        (dict(y_true=np.zeros((2, 2, 2))), "dim 3"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        ccc_score(**{"y_true": Y, "y_pred": Y, **change})
