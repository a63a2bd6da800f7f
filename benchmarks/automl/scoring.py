"""Scores of predictions on test rows: one way for all systems, computed outside of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    log_loss,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

BINARY, MULTICLASS, REGRESSION = "binary", "multiclass", "regression"

PREDICTION = "prediction"
"""Name of the only column of a regression's predictions."""

MIN_PROBABILITY = 1e-15
"""Probabilities are cut to this before the logarithm, as the AutoML Benchmark (AMLB) does."""

MAX_SUM_ERROR = 0.01
"""How far a row of probabilities may be from 1 in sum: float32 and rounding, no more."""


class BadPredictionsError(ValueError):
    """Predictions cannot be scored: columns, rows or values are not what was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A score: where it can be asked for, and which way is better."""

    tasks: tuple[str, ...]
    is_gain: bool = False

    def loss(self, score: float) -> float:
        """Return how far a score is from perfect: 0 is perfect, smaller is better."""
        return 1.0 - score if self.is_gain else score


METRICS = {
    "auc": Metric(tasks=(BINARY,), is_gain=True),
    "log_loss": Metric(tasks=(BINARY, MULTICLASS)),
    "accuracy": Metric(tasks=(BINARY, MULTICLASS), is_gain=True),
    "rmse": Metric(tasks=(REGRESSION,)),
}
"""What a system can be asked to make best. Other scores are recorded beside these."""

DEFAULT_METRICS = {BINARY: "auc", MULTICLASS: "log_loss", REGRESSION: "rmse"}
"""AMLB's choice for each task."""


def score_all(task: str, truth: pd.Series, predictions: pd.DataFrame) -> dict[str, float]:
    """Return all scores of a task.

    Parameters
    ----------
    task : str
        ``"binary"``, ``"multiclass"`` or ``"regression"``.
    truth : Series
        Labels of the test rows.
    predictions : DataFrame
        As many rows. For classes one column a class, named by the class as text, with its
        probability; for numbers the column ``"prediction"``.

    Raises
    ------
    BadPredictionsError
        When the predictions do not fit the truth.
    """
    if len(predictions) != len(truth):
        raise BadPredictionsError(f"{len(predictions)} predictions for {len(truth)} test rows")
    if task == REGRESSION:
        return _regression_scores(truth, predictions)
    return _class_scores(task, truth.astype(str), predictions)


def _regression_scores(truth: pd.Series, predictions: pd.DataFrame) -> dict[str, float]:
    if PREDICTION not in predictions:
        raise BadPredictionsError(f"no column {PREDICTION!r}, but {list(predictions)[:5]}")
    values = predictions[PREDICTION].to_numpy(dtype=float)
    if not np.isfinite(values).all():
        raise BadPredictionsError(f"{(~np.isfinite(values)).sum()} predictions are not finite")
    return {
        "rmse": float(root_mean_squared_error(truth, values)),
        "mae": float(mean_absolute_error(truth, values)),
        "r2": float(r2_score(truth, values)),
    }


def _class_scores(task: str, truth: pd.Series, predictions: pd.DataFrame) -> dict[str, float]:
    classes = sorted(set(truth) | set(predictions.columns.astype(str)))
    proba = _probabilities(predictions, classes)
    codes = np.searchsorted(np.asarray(classes), truth.to_numpy(dtype=str))
    found = {
        "log_loss": float(log_loss(codes, proba, labels=range(len(classes)))),
        "accuracy": float(accuracy_score(codes, proba.argmax(axis=1))),
    }
    if task == BINARY:
        if len(classes) != 2:
            raise BadPredictionsError(f"two classes expected, found {classes[:5]}")
        found["auc"] = float(roc_auc_score(codes, proba[:, 1]))
    return found


def _probabilities(predictions: pd.DataFrame, classes: list[str]) -> np.ndarray:
    """Return probabilities in the order of the classes, each row summing to 1.

    A class that a system has not seen gets the smallest probability, not a failure.
    """
    named = predictions.set_axis(predictions.columns.astype(str), axis=1)
    proba = named.reindex(columns=classes, fill_value=0.0).to_numpy(dtype=float)
    if not np.isfinite(proba).all():
        raise BadPredictionsError(f"{(~np.isfinite(proba)).sum()} probabilities are not finite")
    sums = proba.sum(axis=1)
    if np.abs(sums - 1.0).max() > MAX_SUM_ERROR or proba.min() < -MAX_SUM_ERROR:
        raise BadPredictionsError(
            f"rows of probabilities sum to between {sums.min():.3g} and {sums.max():.3g}"
        )
    proba = np.clip(proba, MIN_PROBABILITY, 1.0)
    normed: np.ndarray = proba / proba.sum(axis=1, keepdims=True)
    return normed


def constant_scores(task: str, known: pd.Series, truth: pd.Series) -> dict[str, float]:
    """Return the scores of predicting the same for every row.

    The shares of the classes, or the median: what AMLB scores a failed run with
    (its framework ``constantpredictor``).

    Parameters
    ----------
    task : str
        As in `score_all`.
    known, truth : Series
        Labels of the training rows and of the test rows.
    """
    if task == REGRESSION:
        same = pd.DataFrame({PREDICTION: np.full(len(truth), float(known.median()))})
    else:
        shares = known.astype(str).value_counts(normalize=True)
        same = pd.DataFrame({name: np.full(len(truth), share) for name, share in shares.items()})
    return score_all(task, truth, same)
