"""Charts of a trial as JSON payloads in the SDK's artefact shapes.

All functions take the predictions of all folds at once: the charts of folds add up. Their
size depends on the number of classes, not on the number of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any  # Any: JSON values

import numpy as np
import numpy.typing as npt

from nbautoml.domain.events import json_safe

SCHEMA_VERSION = "1.0.0"
N_THRESHOLDS = 101
# With more classes than this, each has a fifth of the thresholds: the file stays small.
_MANY_CLASSES = 20
_FEW_THRESHOLDS = 21
_DECIMALS = 3
MOST_BINS = 100
FEWEST_BINS = 10

FloatArray = npt.NDArray[np.float64]


def confusion_matrix_payload(
    y_codes: npt.ArrayLike,
    proba: npt.ArrayLike,
    class_labels: Sequence[str],
    *,
    sample_weight: npt.ArrayLike | None = None,
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
    sample_weight : array-like of shape (n_rows,), optional
        Weight of each row; counts are then sums of weights.

    Examples
    --------
    >>> payload = confusion_matrix_payload([0, 1], [[0.9, 0.1], [0.7, 0.3]], ["no", "yes"])
    >>> payload["data"]["matrix"]
    [[1, 0], [1, 0]]
    """
    y = np.asarray(y_codes, dtype=np.int64)
    n_classes = len(class_labels)
    cells = y * n_classes + np.asarray(proba, dtype=np.float64).argmax(axis=1)
    weight = _weights(sample_weight)
    counts = np.bincount(cells, weights=weight, minlength=n_classes**2)
    counts = counts.reshape(n_classes, n_classes)
    data = {"class_labels": list(class_labels), "matrix": counts.tolist()}
    return _payload("confusion_matrix", data)


def accuracy_table_payload(
    y_codes: npt.ArrayLike,
    proba: npt.ArrayLike,
    class_labels: Sequence[str],
    *,
    sample_weight: npt.ArrayLike | None = None,
) -> dict[str, Any]:
    """Return, for each class against the rest, counts at 101 thresholds (21 above 20 classes).

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
    sample_weight : array-like of shape (n_rows,), optional
        Weight of each row; counts are then sums of weights.
    """
    y = np.asarray(y_codes, dtype=np.int64)
    p = np.asarray(proba, dtype=np.float64)
    weight = _weights(sample_weight)
    is_many = len(class_labels) > _MANY_CLASSES
    thresholds = np.linspace(0.0, 1.0, _FEW_THRESHOLDS if is_many else N_THRESHOLDS).round(2)
    tables = [
        _tables(y == code, p[:, code], weight, thresholds) for code in range(len(class_labels))
    ]
    data = {
        "probability_tables": [by_probability for by_probability, _ in tables],
        "percentile_tables": [by_percentile for _, by_percentile in tables],
        "probability_thresholds": thresholds.tolist(),
        "percentile_thresholds": thresholds.tolist(),
        "class_labels": list(class_labels),
    }
    return _payload("accuracy_table", data)


def residuals_payload(
    y: npt.ArrayLike, predicted: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None
) -> dict[str, Any]:
    """Return a histogram of predicted minus true, with its mean and deviation.

    Parameters
    ----------
    y, predicted : array-like of shape (n_rows,)
        True and predicted numbers.
    sample_weight : array-like of shape (n_rows,), optional
        Weight of each row; counts are then sums of weights.

    Examples
    --------
    >>> residuals_payload([1.0, 2.0], [1.0, 4.0])["data"]["mean"]
    1.0
    """
    residuals = np.asarray(predicted, dtype=np.float64) - np.asarray(y, dtype=np.float64)
    edges = _edges(residuals)
    weight = _weights(sample_weight)
    counts, _ = np.histogram(residuals, bins=edges, weights=weight)
    mean = np.average(residuals, weights=weight) if len(residuals) else np.nan
    variance = np.average((residuals - mean) ** 2, weights=weight) if len(residuals) else np.nan
    data = {
        "bin_edges": edges.tolist(),
        "bin_counts": counts.tolist(),
        "mean": float(mean),
        "stddev": float(np.sqrt(variance)),
        "res_count": len(residuals),
    }
    return _payload("residuals", data)


def predicted_true_payload(
    y: npt.ArrayLike, predicted: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None
) -> dict[str, Any]:
    """Return mean and deviation of the predictions in bins of the true value.

    Parameters
    ----------
    y, predicted : array-like of shape (n_rows,)
        True and predicted numbers.
    sample_weight : array-like of shape (n_rows,), optional
        Weight of each row; counts are then sums of weights.
    """
    true = np.asarray(y, dtype=np.float64)
    given = np.asarray(predicted, dtype=np.float64)
    edges = _edges(true)
    n_bins = len(edges) - 1
    places = np.clip(np.searchsorted(edges, true, side="right") - 1, 0, n_bins - 1)
    weight = _weights(sample_weight)
    each = np.ones(len(true)) if weight is None else weight
    counts = np.bincount(places, weights=weight, minlength=n_bins)
    is_empty = counts == 0
    filled = np.where(is_empty, 1, counts)
    means = np.bincount(places, weights=each * given, minlength=n_bins) / filled
    squares = np.bincount(places, weights=each * (given - means[places]) ** 2, minlength=n_bins)
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


def _weights(sample_weight: npt.ArrayLike | None) -> FloatArray | None:
    return None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)


def _tables(
    is_true: npt.NDArray[np.bool_],
    score: FloatArray,
    weight: FloatArray | None,
    thresholds: FloatArray,
) -> tuple[list[list[float]], list[list[float]]]:
    """Return [tp, fp, tn, fn] of "score >= threshold", and of each share of the rows left out."""
    order = np.argsort(score)
    score, is_true = score[order], is_true[order]
    each = np.ones(len(score), np.int64) if weight is None else weight[order]
    hits, rows = _sums(np.where(is_true, each, 0)), _sums(each)
    cuts = thresholds
    if len(score):
        at = np.ceil(thresholds * (len(score) - 1)).astype(np.int64)
        if weight is not None:
            at = np.minimum(np.searchsorted(rows[1:], thresholds * rows[-1]), len(score) - 1)
        cuts = score[at]
    found = [_counts_above(score, hits, rows, at_least) for at_least in (thresholds, cuts)]
    return found[0], found[1]


def _sums(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the sum of the values before each place."""
    return np.concatenate([values[:0], [0], values.cumsum()]) if len(values) else np.zeros(1, int)


def _counts_above(
    score: FloatArray, hits: npt.NDArray[Any], rows: npt.NDArray[Any], cuts: FloatArray
) -> list[list[float]]:
    """Return [tp, fp, tn, fn] of "score >= cut" for each cut; sums are of sorted scores."""
    below = np.searchsorted(score, cuts, side="left")
    missed = hits[below]
    left_out = rows[below] - missed
    counts = [hits[-1] - missed, (rows[-1] - hits[-1]) - left_out, left_out, missed]
    table: list[list[float]] = np.column_stack(counts).round(_DECIMALS).tolist()
    return table


def _edges(values: FloatArray) -> FloatArray:
    """Return edges of equal bins: about the square root of the number of values."""
    if not len(values):
        return np.array([0.0, 1.0])
    n_bins = int(np.clip(np.sqrt(len(values)), FEWEST_BINS, MOST_BINS))
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, n_bins + 1)
