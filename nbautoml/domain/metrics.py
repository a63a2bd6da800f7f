"""Metric names, directions and ranges: the one place that knows which way is better.

Names, ranges and the primary metrics are those of the SDK's documentation
("Evaluate AutoML experiment results", learn.microsoft.com). The computations live in
``nbautoml.engine.metrics``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from nbautoml.domain.tasks import Task
from nbautoml.errors import ConfigError, did_you_mean


class Direction(StrEnum):
    """Which way a metric improves."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """One scalar metric.

    Parameters
    ----------
    name : str
        The SDK's name.
    tasks : frozenset of Task
        Tasks that report it.
    direction : Direction
        Which way is better.
    low, high : float
        Its range; ``inf`` where it is open.
    is_primary : bool
        Whether it is one of the SDK's primary metrics. A run may optimise any metric that it
        reports.
    needs_positive : bool
        Whether it is of one class, which the run has to name (``positive_label``).
    """

    name: str
    tasks: frozenset[Task]
    direction: Direction = Direction.MAXIMIZE
    low: float = 0.0
    high: float = 1.0
    is_primary: bool = False
    needs_positive: bool = False

    def is_better(self, a: float | None, b: float | None) -> bool:
        """Whether score `a` beats score `b`; a missing or NaN score never wins.

        Examples
        --------
        >>> metric("accuracy").is_better(0.9, 0.8)
        True
        >>> metric("log_loss").is_better(0.9, None)
        True
        """
        if a is None or math.isnan(a):
            return False
        if b is None or math.isnan(b):
            return True
        return a > b if self.direction is Direction.MAXIMIZE else a < b

    def sort_key(self, score: float | None) -> float:
        """Return a number that is smaller for a better score (missing scores are last)."""
        if score is None or math.isnan(score):
            return math.inf
        return -score if self.direction is Direction.MAXIMIZE else score


_CLS = frozenset({Task.CLASSIFICATION})
_REG = frozenset({Task.REGRESSION, Task.FORECASTING})
_AVERAGES = ("macro", "micro", "weighted")
_PRIMARY = frozenset(
    {
        "accuracy",
        "AUC_weighted",
        "average_precision_score_weighted",
        "norm_macro_recall",
        "precision_score_weighted",
        "spearman_correlation",
        "normalized_root_mean_squared_error",
        "r2_score",
        "normalized_mean_absolute_error",
    }
)
_REGRESSION_ERRORS = (
    "mean_absolute_error",
    "median_absolute_error",
    "root_mean_squared_error",
    "root_mean_squared_log_error",
)


def _declare() -> dict[str, MetricSpec]:
    """Build the table of all metrics, in the order in which they are shown."""
    families = ("AUC", "average_precision_score", "f1_score", "precision_score", "recall_score")
    classification = [f"{family}_{average}" for family in families for average in _AVERAGES]
    plain = ("accuracy", "balanced_accuracy", "norm_macro_recall", "weighted_accuracy")
    specs = [
        MetricSpec(name=n, tasks=_CLS, is_primary=n in _PRIMARY) for n in (*plain, *classification)
    ]
    specs += [
        MetricSpec(name=f"{family}_binary", tasks=_CLS, needs_positive=True) for family in families
    ]
    specs += [
        MetricSpec(name="matthews_correlation", tasks=_CLS, low=-1.0),
        MetricSpec(name="log_loss", tasks=_CLS, direction=Direction.MINIMIZE, high=math.inf),
        MetricSpec(name="r2_score", tasks=_REG, low=-1.0, is_primary=True),
        MetricSpec(name="explained_variance", tasks=_REG, low=-math.inf),
        MetricSpec(name="spearman_correlation", tasks=_REG, low=-1.0, is_primary=True),
        MetricSpec(
            name="mean_absolute_percentage_error",
            tasks=_REG,
            direction=Direction.MINIMIZE,
            high=math.inf,
        ),
    ]
    for name in (*_REGRESSION_ERRORS, *(f"normalized_{n}" for n in _REGRESSION_ERRORS)):
        specs.append(
            MetricSpec(
                name=name,
                tasks=_REG,
                direction=Direction.MINIMIZE,
                high=math.inf,
                is_primary=name in _PRIMARY,
            )
        )
    return {spec.name: spec for spec in specs}


METRICS: dict[str, MetricSpec] = _declare()

DEFAULT_PRIMARY: dict[Task, str] = {
    Task.CLASSIFICATION: "accuracy",
    Task.REGRESSION: "normalized_root_mean_squared_error",
    Task.FORECASTING: "normalized_root_mean_squared_error",
}


def metric(name: str) -> MetricSpec:
    """Return the metric called `name`.

    Raises
    ------
    ConfigError
        When there is none; the message says what comes closest.

    Examples
    --------
    >>> metric("AUC_weighted").direction.value
    'maximize'
    """
    try:
        return METRICS[name]
    except KeyError:
        hint = did_you_mean(name, METRICS)
        raise ConfigError(f"No metric is called {name!r}.{hint}") from None


def metrics_for(task: Task, *, has_positive: bool = False) -> tuple[MetricSpec, ...]:
    """Return the metrics that runs of `task` report.

    Parameters
    ----------
    task : Task
        What is learned.
    has_positive : bool, default False
        Whether the run names a positive class.
    """
    return tuple(
        spec
        for spec in METRICS.values()
        if task in spec.tasks and (has_positive or not spec.needs_positive)
    )


def get_primary_metrics(task: str) -> list[str]:
    """Return the SDK's primary metrics of a task.

    ``primary_metric`` takes every other metric that the run reports, too.

    Parameters
    ----------
    task : {"classification", "regression", "forecasting"}
        The kind of target.

    Examples
    --------
    >>> get_primary_metrics("classification")[0]
    'accuracy'
    """
    return [spec.name for spec in metrics_for(Task(task)) if spec.is_primary]
