"""Names, directions and ranges of metrics."""

from __future__ import annotations

import math

import pytest

from nbautoml.domain.metrics import METRICS, Direction, get_primary_metrics, metric, metrics_for
from nbautoml.domain.tasks import Task
from nbautoml.errors import ConfigError


def test_primary_metrics_are_those_documented() -> None:
    assert set(get_primary_metrics("classification")) == {
        "accuracy",
        "AUC_weighted",
        "average_precision_score_weighted",
        "norm_macro_recall",
        "precision_score_weighted",
    }
    assert set(get_primary_metrics("regression")) == {
        "spearman_correlation",
        "normalized_root_mean_squared_error",
        "r2_score",
        "normalized_mean_absolute_error",
    }


def test_classification_reports_21_scalars() -> None:
    assert len(metrics_for(Task.CLASSIFICATION)) == 21


def test_a_positive_class_adds_five() -> None:
    with_it = {spec.name for spec in metrics_for(Task.CLASSIFICATION, has_positive=True)}
    without = {spec.name for spec in metrics_for(Task.CLASSIFICATION)}
    assert with_it - without == {
        "AUC_binary",
        "average_precision_score_binary",
        "f1_score_binary",
        "precision_score_binary",
        "recall_score_binary",
    }
    assert not any(METRICS[name].is_primary for name in with_it - without)


@pytest.mark.parametrize("name", sorted(METRICS))
def test_errors_and_losses_are_minimized_and_all_else_maximized(name: str) -> None:
    lower_is_better = name.endswith("error") or name == "log_loss"
    assert (METRICS[name].direction is Direction.MINIMIZE) == lower_is_better


@pytest.mark.parametrize("name", sorted(METRICS))
def test_nan_never_wins(name: str) -> None:
    assert not METRICS[name].is_better(math.nan, 0.5)
    assert METRICS[name].is_better(0.5, math.nan)


def test_unknown_metric_gets_a_hint() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'AUC_weighted'"):
        metric("AUC_weigthed")
