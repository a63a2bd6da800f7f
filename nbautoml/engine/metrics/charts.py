"""Charts of a trial as JSON payloads in the SDK's artefact shapes.

All functions take the predictions of all folds at once: the charts of folds add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any  # Any: JSON values

import numpy as np
import numpy.typing as npt

from nbautoml.domain.events import json_safe

SCHEMA_VERSION = "1.0.0"
N_THRESHOLDS = 101
MOST_BINS = 100
FEWEST_BINS = 10

FloatArray = npt.NDArray[np.float64]


def confusion_matrix_payload(
    y_codes: npt.ArrayLike, proba: npt.ArrayLike, class_labels: Sequence[str]
) -> dict[str, Any]:
    """Return counts of rows by true class (rows) and predicted class (columns).

    Parameters
    ----------
    y_codes : array-like of int, shape (n_rows,)
        True classes.
    proba : array-like of shape (n_rows, n_classes)
        Predicted probabilities.
    class_labels : sequence of str
        Names of the classes.

    Examples
    --------
    >>> payload = confusion_matrix_payload([0, 1], [[0.9, 0.1], [0.7, 0.3]], ["no", "yes"])
    >>> payload["data"]["matrix"]
    [[1, 0], [1, 0]]
    """
    y = np.asarray(y_codes, dtype=np.int64)
    n_classes = len(class_labels)
    cells = y * n_classes + np.asarray(proba, dtype=np.float64).argmax(axis=1)
    counts = np.bincount(cells, minlength=n_classes * n_classes).reshape(n_classes, n_classes)
    data = {"class_labels": list(class_labels), "matrix": counts.tolist()}
    return _payload("confusion_matrix", data)


def accuracy_table_payload(
    y_codes: npt.ArrayLike, proba: npt.ArrayLike, class_labels: Sequence[str]
) -> dict[str, Any]:
    """Return, for each class against the rest, counts at 101 thresholds.

    From it ROC, precision-recall, lift, gain and calibration curves are drawn. Each count is
    ``[true positives, false positives, true negatives, false negatives]``: of the rows with
    at least that probability, and of that share of the rows with the highest probabilities
    left out.

    Parameters
    ----------
    y_codes : array-like of int, shape (n_rows,)
        True classes.
    proba : array-like of shape (n_rows, n_classes)
        Predicted probabilities.
    class_labels : sequence of str
        Names of the classes.
    """
    y = np.asarray(y_codes, dtype=np.int64)
    p = np.asarray(proba, dtype=np.float64)
    thresholds = np.linspace(0.0, 1.0, N_THRESHOLDS).round(2)
    by_probability, by_percentile = [], []
    for code in range(len(class_labels)):
        is_true, score = y == code, p[:, code]
        cuts = np.quantile(score, thresholds) if len(score) else thresholds
        by_probability.append(_counts_above(is_true, score, thresholds))
        by_percentile.append(_counts_above(is_true, score, cuts))
    data = {
        "probability_tables": by_probability,
        "percentile_tables": by_percentile,
        "probability_thresholds": thresholds.tolist(),
        "percentile_thresholds": thresholds.tolist(),
        "class_labels": list(class_labels),
    }
    return _payload("accuracy_table", data)


def residuals_payload(y: npt.ArrayLike, predicted: npt.ArrayLike) -> dict[str, Any]:
    """Return a histogram of predicted minus true, with its mean and deviation.

    Parameters
    ----------
    y, predicted : array-like of shape (n_rows,)
        True and predicted numbers.

    Examples
    --------
    >>> residuals_payload([1.0, 2.0], [1.0, 4.0])["data"]["mean"]
    1.0
    """
    residuals = np.asarray(predicted, dtype=np.float64) - np.asarray(y, dtype=np.float64)
    edges = _edges(residuals)
    counts, _ = np.histogram(residuals, bins=edges)
    data = {
        "bin_edges": edges.tolist(),
        "bin_counts": counts.tolist(),
        "mean": float(residuals.mean()) if len(residuals) else None,
        "stddev": float(residuals.std()) if len(residuals) else None,
        "res_count": len(residuals),
    }
    return _payload("residuals", data)


def predicted_true_payload(y: npt.ArrayLike, predicted: npt.ArrayLike) -> dict[str, Any]:
    """Return mean and deviation of the predictions in bins of the true value.

    Parameters
    ----------
    y, predicted : array-like of shape (n_rows,)
        True and predicted numbers.
    """
    true = np.asarray(y, dtype=np.float64)
    given = np.asarray(predicted, dtype=np.float64)
    edges = _edges(true)
    n_bins = len(edges) - 1
    places = np.clip(np.searchsorted(edges, true, side="right") - 1, 0, n_bins - 1)
    counts = np.bincount(places, minlength=n_bins)
    filled = np.maximum(counts, 1)
    means = np.bincount(places, weights=given, minlength=n_bins) / filled
    squares = np.bincount(places, weights=(given - means[places]) ** 2, minlength=n_bins)
    is_empty = counts == 0
    data = {
        "bin_averages": np.where(is_empty, np.nan, means).tolist(),
        "bin_errors": np.where(is_empty, np.nan, np.sqrt(squares / filled)).tolist(),
        "bin_counts": counts.tolist(),
        "bin_edges": edges.tolist(),
    }
    return _payload("predictions", data)


def _payload(schema_type: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema_type": schema_type,
        "schema_version": SCHEMA_VERSION,
        "data": json_safe(data),
    }


def _counts_above(
    is_true: npt.NDArray[np.bool_], score: FloatArray, cuts: FloatArray
) -> list[list[int]]:
    """Return [tp, fp, tn, fn] of "score >= cut" for each cut."""
    hits, misses = np.sort(score[is_true]), np.sort(score[~is_true])
    true_negatives = np.searchsorted(misses, cuts, side="left")
    false_negatives = np.searchsorted(hits, cuts, side="left")
    table = np.column_stack(
        [
            len(hits) - false_negatives,
            len(misses) - true_negatives,
            true_negatives,
            false_negatives,
        ]
    )
    rows: list[list[int]] = table.tolist()
    return rows


def _edges(values: FloatArray) -> FloatArray:
    """Return edges of equal bins: about the square root of the number of values."""
    if not len(values):
        return np.array([0.0, 1.0])
    n_bins = int(np.clip(np.sqrt(len(values)), FEWEST_BINS, MOST_BINS))
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, n_bins + 1)
