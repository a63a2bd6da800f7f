"""Regression metrics against scikit-learn, scipy and the definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from nbautoml.domain.metrics import metrics_for
from nbautoml.domain.tasks import Task
from nbautoml.engine.metrics import score_primary, score_regression

NAMES = [spec.name for spec in metrics_for(Task.REGRESSION)]


def sample(seed: int, n_rows: int = 101):
    rng = np.random.default_rng(seed)
    y = rng.gamma(2.0, 3.0, n_rows).round(1) + 0.1
    return y, np.maximum(y + rng.normal(size=n_rows), 0.0).round(2), rng.uniform(0.1, 3, n_rows)


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_scikit_learn(seed, is_weighted):
    y, predicted, weight = sample(seed)
    weight = weight if is_weighted else None
    args, kwargs = (y, predicted), {"sample_weight": weight}
    scores = score_regression(y, predicted, y_min=0.0, y_max=50.0, sample_weight=weight)
    expected = {
        "r2_score": sk.r2_score(*args, **kwargs),
        "explained_variance": sk.explained_variance_score(*args, **kwargs),
        "mean_absolute_error": sk.mean_absolute_error(*args, **kwargs),
        "root_mean_squared_error": sk.root_mean_squared_error(*args, **kwargs),
        "root_mean_squared_log_error": sk.root_mean_squared_log_error(*args, **kwargs),
        "mean_absolute_percentage_error": 100 * sk.mean_absolute_percentage_error(*args, **kwargs),
    }
    assert {name: scores[name] for name in expected} == pytest.approx(expected, abs=1e-12)


def test_median_and_rank_correlation():
    y, predicted, _ = sample(4)
    scores = score_regression(y, predicted, y_min=0.0, y_max=50.0)
    assert scores["median_absolute_error"] == sk.median_absolute_error(y, predicted)
    expected = stats.spearmanr(y, predicted).statistic
    assert scores["spearman_correlation"] == pytest.approx(expected, abs=1e-12)


def test_weights_that_are_counts_equal_repeated_rows():
    y, predicted, _ = sample(5, 31)
    counts = np.random.default_rng(0).integers(1, 4, 31) * 2 - 1
    weighted = score_regression(y, predicted, y_min=0, y_max=9, sample_weight=counts)
    repeated = score_regression(
        np.repeat(y, counts), np.repeat(predicted, counts), y_min=0, y_max=9
    )
    assert weighted == pytest.approx(repeated)


def test_weighted_median_equals_scikit_learn():
    y, predicted, weight = sample(6)
    scores = score_regression(y, predicted, y_min=0, y_max=9, sample_weight=weight)
    expected = sk.median_absolute_error(y, predicted, sample_weight=weight)
    assert scores["median_absolute_error"] == pytest.approx(expected)


def test_rows_of_weight_zero_are_no_rows():
    y, predicted, weight = sample(7)
    weight[::3] = 0.0
    predicted[::3] = -5.0  # has no logarithm
    kept = weight > 0
    scores = score_regression(y, predicted, y_min=0, y_max=9, sample_weight=weight)
    assert scores == pytest.approx(
        score_regression(y[kept], predicted[kept], y_min=0, y_max=9, sample_weight=weight[kept])
    )


def test_weighted_median_is_where_half_of_the_weight_lies():
    scores = score_regression(
        [0.0, 0.0, 0.0], [1.0, 2.0, 3.0], y_min=0, y_max=1, sample_weight=[1, 1, 5]
    )
    assert scores["median_absolute_error"] == 3.0


def test_reports_exactly_the_documented_metrics():
    y, predicted, _ = sample(0)
    assert sorted(score_regression(y, predicted, y_min=0, y_max=1)) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_single_metric_equals_the_full_set(name):
    y, predicted, _ = sample(3)
    full = score_regression(y, predicted, y_min=-3.0, y_max=40.0)
    assert score_primary(name, y, predicted, y_min=-3.0, y_max=40.0) == full[name]


def test_errors_are_normalised_by_the_range_of_the_whole_training_set():
    y, predicted, _ = sample(3)
    scores = score_regression(y, predicted, y_min=-10.0, y_max=30.0)
    errors = [name for name in NAMES if name.startswith("normalized_")]
    assert len(errors) == 4
    for name in errors:
        assert scores[name] == pytest.approx(scores[name.removeprefix("normalized_")] / 40.0)


def test_r2_is_clipped_at_minus_one():
    assert score_regression([1.0, 2.0], [900.0, -900.0], y_min=1, y_max=2)["r2_score"] == -1.0


def test_percentage_error_leaves_out_labels_that_are_zero():
    scores = score_regression([0.0, 2.0, 4.0], [5.0, 1.0, 5.0], y_min=0, y_max=4)
    assert scores["mean_absolute_percentage_error"] == pytest.approx(37.5)


@pytest.mark.parametrize(
    ("y", "predicted", "nan_names"),
    [
        ([1.0, 2.0], [3.0, 3.0], {"spearman_correlation"}),
        ([2.0, 2.0], [1.0, 3.0], {"spearman_correlation", "r2_score", "explained_variance"}),
        ([-2.0, 1.0], [0.0, 1.0], {"root_mean_squared_log_error"}),
        ([0.0, 0.0], [1.0, 2.0], {"mean_absolute_percentage_error", "r2_score"}),
        ([1.0], [1.0], {"r2_score", "spearman_correlation"}),
    ],
)
def test_metrics_without_meaning_are_nan(y, predicted, nan_names):
    scores = score_regression(y, predicted, y_min=0.0, y_max=1.0)
    assert all(math.isnan(scores[name]) for name in nan_names)
    assert math.isfinite(scores["mean_absolute_error"])


def test_without_a_range_normalised_errors_are_nan():
    assert math.isnan(
        score_regression([1.0, 2.0], [1.0, 2.0], y_min=5, y_max=5)["normalized_mean_absolute_error"]
    )


def test_without_rows_every_metric_is_nan():
    scores = score_regression([], [], y_min=0, y_max=1)
    assert all(math.isnan(score) for score in scores.values())


def test_predictions_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        score_regression([1.0, 2.0], [1.0, np.nan], y_min=0, y_max=1)


def test_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"must have shape \(2,\); got \(2, 1\)"):
        score_regression([1.0, 2.0], [[1.0], [2.0]], y_min=0, y_max=1)
