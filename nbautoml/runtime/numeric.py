"""Features from number columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self  # Any: sklearn's X and y

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from nbautoml.runtime.columns import matrix_of
from nbautoml.runtime.lineage import Feature

FloatMatrix = npt.NDArray[np.float64]

EXACT_FLOAT32 = float(2**23)
"""Above this, float32 has no digits after the point; such columns are moved to zero first."""

FAR = 2.0
"""Numbers whose least distance to zero is this many times their spread lie far from it."""

_LABELS = {
    "none": "Numeric",
    "mean": "MeanImputer",
    "median": "MedianImputer",
    "most_frequent": "ModeImputer",
    "constant": "ConstantImputer",
}


class NumericColumns(TransformerMixin, BaseEstimator):  # type: ignore[misc] # sklearn is untyped
    """Fill missing numbers and mark where they were missing.

    Parameters
    ----------
    strategy : {"mean", "median", "most_frequent", "constant", "none"}, default "mean"
        What a missing number becomes; "none" leaves it NaN.
    fill_value : float, default 0.0
        The value of "constant".
    add_marker : bool, default True
        Whether columns with missing numbers in the training rows get a 0/1 column
        ``<name>_WASNULL``; not for "none".

    Attributes
    ----------
    statistics_ : ndarray of shape (n_columns,)
        The filled-in values (NaN for "none").
    markers_ : ndarray of int
        Positions of the columns that have a marker.
    offset_ : ndarray of shape (n_columns,)
        What is taken off each column: the middle of large numbers, so that they keep their
        digits in float32, and of numbers far from zero, but for "none".

    Notes
    -----
    Sparse matrices are not centred by scalers. With a year beside words in one, the AUC of a
    logistic regression rose from 0.839 to 0.850 by taking the middle off, and from 0.61 to
    0.85 where each column was divided by its largest value.
    """

    def __init__(
        self, strategy: str = "mean", fill_value: float = 0.0, add_marker: bool = True
    ) -> None:
        self.strategy = strategy
        self.fill_value = fill_value
        self.add_marker = add_marker

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the filled-in values from the training rows."""
        self._learn(X, matrix_of(X))
        return self

    def transform(self, X: Any) -> npt.NDArray[np.float32]:
        """Return float32 columns, then the markers."""
        return self._fill(matrix_of(X))

    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> npt.NDArray[np.float32]:
        """Do both; the columns are copied to one array only once."""
        values = matrix_of(X)
        self._learn(X, values)
        return self._fill(values)

    def _learn(self, X: Any, values: FloatMatrix) -> None:
        self.feature_names_in_ = _names_of(X)
        self.n_features_in_ = values.shape[1]
        is_missing = np.isnan(values)
        self.statistics_ = self._statistics(values, is_missing)
        has_marker = self.add_marker and self.strategy != "none"
        self.markers_ = np.flatnonzero(is_missing.any(axis=0)) if has_marker else np.array([], int)
        self.offset_ = middle_of_far(values, least=0.0 if self.strategy == "none" else FAR)

    def _fill(self, values: FloatMatrix) -> npt.NDArray[np.float32]:
        is_missing = np.isnan(values)
        if self.strategy != "none" and is_missing.any():
            values = np.where(is_missing, self.statistics_, values)
        n_columns = values.shape[1]
        out = np.empty((len(values), n_columns + len(self.markers_)), dtype=np.float32)
        np.subtract(values, self.offset_, out=out[:, :n_columns], casting="same_kind")
        out[:, n_columns:] = is_missing[:, self.markers_]
        return out

    def get_features(self) -> list[Feature]:
        """Return what each output is."""
        label = _LABELS[self.strategy]
        names = [str(name) for name in self.feature_names_in_]
        features = [Feature(raw=name, transformation=label, name=name) for name in names]
        return features + [marker_of(names[position]) for position in self.markers_]

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the outputs."""
        return np.array([feature.name for feature in self.get_features()], dtype=object)

    def _statistics(self, values: FloatMatrix, is_missing: npt.NDArray[np.bool_]) -> FloatMatrix:
        if self.strategy == "none":
            return np.full(values.shape[1], np.nan)
        if self.strategy == "constant":
            return np.full(values.shape[1], float(self.fill_value))
        pick = _STATISTICS[self.strategy]
        # One column after the other: all of them together would be a copy of the table.
        columns = (values[~is_missing[:, j], j] for j in range(values.shape[1]))
        return np.array([pick(c) if len(c) else 0.0 for c in columns])


def marker_of(name: str) -> Feature:
    """Return the feature that says where column `name` was missing."""
    return Feature(raw=name, transformation="ImputationMarker", name=f"{name}_WASNULL")


def _names_of(X: Any) -> npt.NDArray[np.object_]:
    if isinstance(X, pd.DataFrame):
        return np.array([str(name) for name in X.columns], dtype=object)
    return np.array([f"x{position}" for position in range(np.shape(X)[1])], dtype=object)


def _mean(values: FloatMatrix) -> float:
    # Divided first, so that a sum of large numbers cannot overflow.
    return float((values / len(values)).sum())


def _mode(values: FloatMatrix) -> float:
    distinct, counts = np.unique(values, return_counts=True)
    return float(distinct[counts.argmax()])


_STATISTICS: dict[str, Callable[[FloatMatrix], float]] = {
    "mean": _mean,
    "median": lambda values: float(np.median(values)),
    "most_frequent": _mode,
}


def middle_of_far(values: FloatMatrix, *, least: float) -> FloatMatrix:
    """Return the middle of columns that lie far from zero, else 0.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        Numbers; NaN where missing.
    least : float
        How many times the spread the distance to zero must be; 0 means that only numbers too
        large for float32's digits are far.

    Examples
    --------
    >>> middle_of_far(np.array([[2010.0, 1.0], [2020.0, 9.0]]), least=2.0)
    array([2015.,    0.])
    """
    if values.size == 0:
        return np.zeros(values.shape[1])
    low = np.fmin.reduce(values, axis=0, initial=np.inf)  # passes over NaN, and copies nothing
    high = np.fmax.reduce(values, axis=0, initial=-np.inf)
    with np.errstate(invalid="ignore"):
        distance = np.where((low > 0) == (high > 0), np.minimum(np.abs(low), np.abs(high)), 0.0)
        is_far = distance > EXACT_FLOAT32
        if least:
            is_far |= distance / least > high - low
        middle = low / 2 + high / 2
    return np.where(is_far & np.isfinite(middle), middle, 0.0)
