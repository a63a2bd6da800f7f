"""Metrics of many sets of weights equal those of each set alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nbautoml.domain.metrics import metrics_for
from nbautoml.domain.tasks import Task
from nbautoml.engine.metrics import score_classification, score_regression
from nbautoml.engine.metrics.resampled import scores_of_classes, scores_of_numbers

CLASS_NAMES = [spec.name for spec in metrics_for(Task.CLASSIFICATION, has_positive=True)]
NUMBER_NAMES = [spec.name for spec in metrics_for(Task.REGRESSION)]


def weights_of(n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return counts of drawn rows, many of them 0, and other weights."""
    drawn = [np.bincount(rng.integers(n_rows, size=n_rows), minlength=n_rows) for _ in range(5)]
    return np.array([*drawn, np.ones(n_rows), rng.uniform(0, 2, n_rows)], dtype=float)


@pytest.mark.parametrize("with_ties", [False, True], ids=["no ties", "ties"])
@pytest.mark.parametrize(("n_classes", "n_rows"), [(2, 40), (3, 9), (6, 12)])
def test_classification(n_classes: int, n_rows: int, with_ties: bool) -> None:
    rng = np.random.default_rng(n_rows)
    y = rng.integers(0, n_classes, n_rows)
    proba = rng.dirichlet(np.ones(n_classes), n_rows).round(1 if with_ties else 9)
    weights = weights_of(n_rows, rng)
    found = scores_of_classes(CLASS_NAMES, y, proba, weights, positive=1)
    for number, weight in enumerate(weights):
        expected = score_classification(y, proba, n_classes, sample_weight=weight, positive=1)
        scores = {name: values[number] for name, values in found.items()}
        assert scores == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("kind", ["plain", "ties", "constant label", "constant", "negative"])
def test_regression(kind: str) -> None:
    rng = np.random.default_rng(3)
    y = rng.gamma(2.0, 5.0, 20).round(0 if kind == "ties" else 5)
    predicted = (y + rng.normal(size=20)).round(0 if kind == "ties" else 5)
    y = np.full(20, 4.7) if kind == "constant label" else y
    predicted = np.full(20, 4.7) if kind == "constant" else predicted
    y[:3] -= 100.0 if kind == "negative" else 0.0
    weights = weights_of(20, rng)
    found = scores_of_numbers(NUMBER_NAMES, y, predicted, weights, y_range=7.0)
    for number, weight in enumerate(weights):
        expected = score_regression(y, predicted, y_min=0, y_max=7, sample_weight=weight)
        scores = {name: values[number] for name, values in found.items()}
        assert scores == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_a_set_without_weight_has_no_metrics() -> None:
    none = np.zeros((1, 4))
    classes = scores_of_classes(
        CLASS_NAMES, np.array([0, 1, 0, 1]), np.eye(2)[[0, 1, 1, 1]], none, positive=0
    )
    numbers = scores_of_numbers(NUMBER_NAMES, np.arange(4.0), np.ones(4), none, y_range=1.0)
    assert all(math.isnan(values[0]) for values in (classes | numbers).values())


def test_a_metric_of_a_class_needs_the_class() -> None:
    with pytest.raises(KeyError, match="AUC_binary"):
        scores_of_classes(["AUC_binary"], np.array([0, 1]), np.eye(2), np.ones((1, 2)))
