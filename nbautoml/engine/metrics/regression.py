"""Regression metrics.

Definitions are those of "Evaluate AutoML experiment results" (learn.microsoft.com): r2 is
clipped at -1, and normalised errors are divided by the range of the labels of the whole
training set, the same for all folds. A metric that has no meaning for the rows at hand is
NaN: a correlation with a constant, or a logarithmic error of values at or below -1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

FloatArray = npt.NDArray[np.float64]

_PERCENT = 100.0
# Sums of weights closer to one half than this are one half: the two middle errors count alike.
_HALF_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class _ScoredRows:
    """Labels, predictions and weights that add up to 1 (None when all are equal)."""

    y: FloatArray
    predicted: FloatArray
    y_range: float
    weight: FloatArray | None

    @classmethod
    def of(
        cls,
        y: npt.ArrayLike,
        predicted: npt.ArrayLike,
        y_range: float,
        sample_weight: npt.ArrayLike | None,
    ) -> _ScoredRows:
        true = np.asarray(y, dtype=np.float64)
        given = np.asarray(predicted, dtype=np.float64)
        if true.shape != given.shape or true.ndim != 1:
            raise ValueError(
                f"Predictions of {len(true)} rows must have shape {true.shape}; got {given.shape}."
            )
        if not np.isfinite(given).all():
            raise ValueError("Some predictions are not finite.")
        if sample_weight is None:
            return cls(y=true, predicted=given, y_range=y_range, weight=None)
        weight = np.asarray(sample_weight, dtype=np.float64)
        is_counted = weight > 0
        if not is_counted.all():  # a row without weight is no row
            true, given, weight = true[is_counted], given[is_counted], weight[is_counted]
        return cls(y=true, predicted=given, y_range=y_range, weight=weight / weight.sum())

    def mean(self, values: FloatArray) -> float:
        """Return the weighted mean; NaN without rows."""
        if not len(values):
            return math.nan
        return float(values.mean() if self.weight is None else values @ self.weight)

    def normalized(self, error: float) -> float:
        """Return an error as a share of the range of the training labels."""
        return error / self.y_range if self.y_range > 0 else math.nan


def score_regression(
    y: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    y_min: float,
    y_max: float,
    sample_weight: npt.ArrayLike | None = None,
) -> dict[str, float]:
    """Return all regression metrics.

    Parameters
    ----------
    y, predicted : array-like of shape (n_rows,)
        True and predicted numbers.
    y_min, y_max : float
        Lowest and highest label of the whole training set.
    sample_weight : array-like of shape (n_rows,), optional
        Weight of each row.

    Returns
    -------
    dict of str to float
        The metrics that `nbautoml.domain.metrics` lists for regression.

    Raises
    ------
    ValueError
        When shapes differ or a prediction is not finite.

    Examples
    --------
    >>> scores = score_regression([1.0, 2.0, 3.0], [1.0, 2.0, 5.0], y_min=0.0, y_max=10.0)
    >>> round(scores["mean_absolute_error"], 4), round(scores["normalized_mean_absolute_error"], 4)
    (0.6667, 0.0667)
    """
    rows = _ScoredRows.of(y, predicted, y_max - y_min, sample_weight)
    scores = {name: metric(rows) for name, metric in _PLAIN.items()}
    for name in _ERRORS:
        scores[f"normalized_{name}"] = rows.normalized(scores[name])
    return scores


def score_primary_regression(
    name: str,
    y: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    y_min: float,
    y_max: float,
    sample_weight: npt.ArrayLike | None = None,
) -> float:
    """Return one metric, computing nothing that it does not need.

    Raises
    ------
    KeyError
        When no regression metric has that name.
    """
    rows = _ScoredRows.of(y, predicted, y_max - y_min, sample_weight)
    error = _ERRORS.get(name.removeprefix("normalized_"))
    if error is not None and name.startswith("normalized_"):
        return rows.normalized(error(rows))
    return _PLAIN[name](rows)


def _mean_absolute(rows: _ScoredRows) -> float:
    return rows.mean(np.abs(rows.y - rows.predicted))


def _median_absolute(rows: _ScoredRows) -> float:
    errors = np.abs(rows.y - rows.predicted)
    if not len(errors):
        return math.nan
    if rows.weight is None:
        return float(np.median(errors))
    order = np.argsort(errors)
    errors, reached = errors[order], rows.weight[order].cumsum()
    low, high = np.searchsorted(reached, [0.5 - _HALF_TOLERANCE, 0.5 + _HALF_TOLERANCE])
    return float((errors[low] + errors[min(int(high), len(errors) - 1)]) / 2)


def _root_mean_squared(rows: _ScoredRows) -> float:
    return math.sqrt(rows.mean((rows.y - rows.predicted) ** 2))


def _root_mean_squared_log(rows: _ScoredRows) -> float:
    if (rows.y <= -1).any() or (rows.predicted <= -1).any():
        return math.nan
    return math.sqrt(rows.mean((np.log1p(rows.y) - np.log1p(rows.predicted)) ** 2))


def _mean_absolute_percentage(rows: _ScoredRows) -> float:
    """Mean of the error in percent of the label, over rows whose label is not 0."""
    is_filled = rows.y != 0
    if not is_filled.any():
        return math.nan
    shares = np.abs((rows.y[is_filled] - rows.predicted[is_filled]) / rows.y[is_filled])
    weight = None if rows.weight is None else rows.weight[is_filled]
    return _PERCENT * float(np.average(shares, weights=weight))


def _r2(rows: _ScoredRows) -> float:
    """Share of the variance that is explained, at least -1; NaN for labels that do not vary."""
    total = _variance(rows, rows.y)
    if total == 0:
        return math.nan
    return max(-1.0, 1.0 - rows.mean((rows.y - rows.predicted) ** 2) / total)


def _explained_variance(rows: _ScoredRows) -> float:
    total = _variance(rows, rows.y)
    if total == 0:
        return math.nan
    return 1.0 - _variance(rows, rows.y - rows.predicted) / total


def _spearman(rows: _ScoredRows) -> float:
    """Correlation of ranks (of equal values, their mean rank); NaN when one side is constant."""
    if _is_constant(rows.y) or _is_constant(rows.predicted):
        return math.nan
    a, b = _ranks(rows.y, rows.weight), _ranks(rows.predicted, rows.weight)
    a, b = a - rows.mean(a), b - rows.mean(b)
    spread = rows.mean(a * a) * rows.mean(b * b)
    return rows.mean(a * b) / math.sqrt(spread) if spread > 0 else math.nan


def _is_constant(values: FloatArray) -> bool:
    """Return whether there are no two different values; sums of floats would not tell."""
    return not len(values) or bool(values.min() == values.max())


def _variance(rows: _ScoredRows, values: FloatArray) -> float:
    return 0.0 if _is_constant(values) else rows.mean((values - rows.mean(values)) ** 2)


def _ranks(values: FloatArray, weight: FloatArray | None) -> FloatArray:
    """Return mean ranks; with weights, the weight below a value and half of that at it."""
    if weight is None:
        ranks: FloatArray = rankdata(values)
        return ranks
    _, places = np.unique(values, return_inverse=True)
    at = np.bincount(places, weights=weight)
    return np.asarray((at.cumsum() - at / 2)[places])


_Metric = Callable[[_ScoredRows], float]

_ERRORS: dict[str, _Metric] = {
    "mean_absolute_error": _mean_absolute,
    "median_absolute_error": _median_absolute,
    "root_mean_squared_error": _root_mean_squared,
    "root_mean_squared_log_error": _root_mean_squared_log,
}
_PLAIN: dict[str, _Metric] = {
    "r2_score": _r2,
    "explained_variance": _explained_variance,
    "spearman_correlation": _spearman,
    "mean_absolute_percentage_error": _mean_absolute_percentage,
    **_ERRORS,
}
