"""Scores of predictions and the charts drawn from them."""

from __future__ import annotations

import math

import numpy.typing as npt

from nbautoml.domain.metrics import metric
from nbautoml.domain.tasks import Task
from nbautoml.engine.metrics.charts import (
    accuracy_table_payload,
    confusion_matrix_payload,
    predicted_true_payload,
    residuals_payload,
)
from nbautoml.engine.metrics.classification import (
    score_classification,
    score_primary_classification,
)
from nbautoml.engine.metrics.regression import score_primary_regression, score_regression

__all__ = [
    "accuracy_table_payload",
    "confusion_matrix_payload",
    "predicted_true_payload",
    "residuals_payload",
    "score_classification",
    "score_primary",
    "score_regression",
]


def score_primary(
    name: str,
    y: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    n_classes: int = 0,
    y_min: float = math.nan,
    y_max: float = math.nan,
    sample_weight: npt.ArrayLike | None = None,
    positive: int | None = None,
) -> float:
    """Return one metric by its name, and compute no other.

    Parameters
    ----------
    name : str
        Any metric of `nbautoml.domain.metrics`.
    y : array-like of shape (n_rows,)
        True class codes or numbers.
    predicted : array-like of shape (n_rows, n_classes) or (n_rows,)
        Probabilities of the classes, or numbers.
    n_classes : int
        Number of classes of the training data; for classification.
    y_min, y_max : float
        Lowest and highest label of the whole training set; for regression.
    sample_weight : array-like of shape (n_rows,), optional
        Weight of each row.
    positive : int, optional
        Code of the positive class; the metrics named ``*_binary`` need it.

    Returns
    -------
    float
        NaN where the metric has no meaning for these rows.

    Raises
    ------
    ConfigError
        When no metric has that name.
    KeyError
        When the metric needs a positive class and none is given.

    Examples
    --------
    >>> score_primary("accuracy", [0, 1], [[0.8, 0.2], [0.4, 0.6]], n_classes=2)
    1.0
    >>> score_primary("r2_score", [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], y_min=1.0, y_max=3.0)
    1.0
    """
    if Task.CLASSIFICATION in metric(name).tasks:
        return score_primary_classification(
            name, y, predicted, n_classes, sample_weight=sample_weight, positive=positive
        )
    return score_primary_regression(
        name, y, predicted, y_min=y_min, y_max=y_max, sample_weight=sample_weight
    )
