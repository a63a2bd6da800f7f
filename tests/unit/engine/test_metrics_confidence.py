"""Bootstrap intervals of metrics."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from scipy import stats

from nbautoml.domain.metrics import metrics_for
from nbautoml.domain.tasks import Task
from nbautoml.engine.metrics import score_classification, score_regression
from nbautoml.engine.metrics.confidence import (
    ScoredRows,
    bootstrap_intervals,
    count_resamples,
    expected_seconds,
)

CLASS_NAMES = [spec.name for spec in metrics_for(Task.CLASSIFICATION)]
NUMBER_NAMES = [spec.name for spec in metrics_for(Task.REGRESSION)]


def classes(n_rows: int = 200, seed: int = 0, **extra: object) -> ScoredRows:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n_rows)
    score = np.clip(0.5 + 0.2 * (2 * y - 1) + 0.3 * rng.normal(size=n_rows), 0.01, 0.99)
    return ScoredRows(y=y, predicted=np.column_stack([1 - score, score]), **extra)  # type: ignore[arg-type]


def numbers(n_rows: int = 200, seed: int = 0, **extra: object) -> ScoredRows:
    rng = np.random.default_rng(seed)
    y = rng.gamma(2.0, 3.0, n_rows)
    predicted = np.maximum(y + rng.normal(size=n_rows), 0.0)
    return ScoredRows(y=y, predicted=predicted, y_range=10.0, **extra)  # type: ignore[arg-type]


def test_the_value_is_the_mean_over_the_folds() -> None:
    folds = [np.arange(0, 200, 2), np.arange(1, 200, 2)]
    rows = classes(folds=folds, weight=np.random.default_rng(1).uniform(0.5, 2, 200))
    scored = [
        score_classification(rows.y[at], rows.predicted[at], 2, sample_weight=rows.weight[at])
        for at in folds
    ]
    found = bootstrap_intervals(rows, CLASS_NAMES, n_resamples=20)
    for name in CLASS_NAMES:
        assert found[name].value == pytest.approx(np.mean([scores[name] for scores in scored]))


def test_every_regression_metric_has_an_interval_around_its_value() -> None:
    rows = numbers()
    expected = score_regression(rows.y, rows.predicted, y_min=0.0, y_max=10.0)
    found = bootstrap_intervals(rows, NUMBER_NAMES)
    assert {name: found[name].value for name in found} == pytest.approx(expected)
    assert all(interval.lower < interval.value < interval.upper for interval in found.values())


def test_the_interval_of_the_accuracy_is_the_binomial_one() -> None:
    """Drawn within classes, hits of each class are binomial."""
    rows = classes(2_000)
    found = bootstrap_intervals(rows, ["accuracy"], n_resamples=1_000)["accuracy"]
    is_hit = rows.predicted.argmax(axis=1) == rows.y
    variance = sum(
        np.mean(rows.y == code) ** 2 * np.var(is_hit[rows.y == code]) / np.sum(rows.y == code)
        for code in (0, 1)
    )
    half = stats.norm.ppf(0.975) * math.sqrt(variance)
    assert found.upper - found.value == pytest.approx(half, rel=0.15)
    assert found.value - found.lower == pytest.approx(half, rel=0.15)


def test_most_intervals_hold_the_true_value() -> None:
    """95 % intervals of the mean error; its true value is that of a half-normal number."""
    truth, n_held = math.sqrt(2 / math.pi), 0
    for seed in range(100):
        errors = np.random.default_rng(seed).normal(size=60)
        rows = ScoredRows(y=np.zeros(60), predicted=errors, y_range=1.0)
        name = "mean_absolute_error"
        found = bootstrap_intervals(rows, [name], n_resamples=400)[name]
        n_held += found.lower <= truth <= found.upper
    assert 88 <= n_held <= 99


def test_the_same_seed_gives_the_same_intervals() -> None:
    rows = classes()
    first, again, other = (
        bootstrap_intervals(rows, ["AUC_weighted"], seed=seed)["AUC_weighted"] for seed in (1, 1, 2)
    )
    assert first == again
    assert (other.value, other.lower) != (first.value, first.lower)


def test_a_rare_class_is_in_every_draw() -> None:
    proba = np.tile([0.6, 0.4], (100, 1))
    proba[:2] = [0.1, 0.9]
    rows = ScoredRows(y=(np.arange(100) < 2).astype(int), predicted=proba)
    found = bootstrap_intervals(rows, ["recall_score_macro"])["recall_score_macro"]
    assert (found.lower, found.upper) == (1.0, 1.0)


def test_rows_in_several_folds_are_drawn_once_for_all() -> None:
    folds = [np.arange(0, 150), np.arange(50, 200)]
    found = bootstrap_intervals(classes(folds=folds), ["accuracy"])["accuracy"]
    assert found.lower < found.value < found.upper


def test_a_metric_without_meaning_has_no_interval() -> None:
    rows = ScoredRows(y=np.zeros(20, dtype=int), predicted=np.full((20, 2), 0.5))
    found = bootstrap_intervals(rows, ["AUC_macro"])["AUC_macro"]
    assert all(math.isnan(value) for value in (found.value, found.lower, found.upper))


def test_large_data_take_about_the_time_that_was_expected() -> None:
    rows = classes(20_000)
    names = ["AUC_weighted"]
    started = time.process_time()
    bootstrap_intervals(rows, names)
    seconds = time.process_time() - started
    assert seconds < 4 * expected_seconds(names, 20_000, 2)


def test_many_rows_are_drawn_less_often() -> None:
    assert count_resamples(100, 2) == 1_000
    assert count_resamples(10**6, 2) == 200
    assert 200 < count_resamples(5_000, 2) < 1_000
