"""Features from date columns."""

from __future__ import annotations

from typing import Any, Self  # Any: sklearn's X and y

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from nbautoml.runtime.columns import Columns, columns_of, n_rows_of
from nbautoml.runtime.lineage import Feature
from nbautoml.runtime.numeric import FAR, marker_of, middle_of_far

FloatMatrix = npt.NDArray[np.float64]

PARTS = (
    "Year",
    "Month",
    "Day",
    "DayOfWeek",
    "DayOfYear",
    "QuarterOfYear",
    "WeekOfMonth",
    "WeekOfYear",
    "Hour",
    "Minute",
    "Second",
    "DaysSinceFirst",
)
_DAYS_OF_WEEK = 7
_SECONDS_OF_DAY = 86_400


class DateParts(TransformerMixin, BaseEstimator):  # type: ignore[misc] # sklearn is untyped
    """Split dates into year, month, day, ... and days since the first training date.

    Parts that do not change in the training rows are left out.

    Parameters
    ----------
    impute : bool, default True
        Whether parts of missing dates become the part's mean and ``<name>_WASNULL`` is added
        where dates were missing in training; else they are NaN.

    Attributes
    ----------
    first_ : list of numpy.datetime64
        First training date of each column.
    parts_ : list of ndarray of int
        Places in `PARTS` of the parts that are kept, for each column.
    means_ : list of ndarray
        Their means.
    offsets_ : list of ndarray
        What is taken off parts that lie far from zero (years), when missing ones are filled:
        sparse matrices are not centred by scalers.
    has_marker_ : list of bool
        Whether a column has a marker.
    """

    def __init__(self, impute: bool = True) -> None:
        self.impute = impute

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn which parts change, and their means."""
        self.feature_names_in_ = np.array([str(name) for name in X.columns], dtype=object)
        self.n_features_in_ = X.shape[1]
        self.first_: list[np.datetime64] = []
        self.parts_: list[npt.NDArray[np.intp]] = []
        self.means_: list[FloatMatrix] = []
        self.offsets_: list[FloatMatrix] = []
        self.has_marker_: list[bool] = []
        for column in columns_of(X):
            self._fit_column(_times_of(column))
        return self

    def transform(self, X: Columns) -> npt.NDArray[np.float32]:
        """Return float32 columns."""
        blocks = [
            self._transform_column(position, _times_of(column))
            for position, column in enumerate(columns_of(X))
        ]
        return np.concatenate([np.empty((n_rows_of(X), 0)), *blocks], axis=1).astype(np.float32)

    def get_features(self) -> list[Feature]:
        """Return what each output is."""
        features = []
        for position, name in enumerate(self.feature_names_in_):
            features += [
                Feature(raw=name, transformation="DateTime", name=f"{name}_{PARTS[part]}")
                for part in self.parts_[position]
            ]
            if self.has_marker_[position]:
                features.append(marker_of(name))
        return features

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the outputs."""
        return np.array([feature.name for feature in self.get_features()], dtype=object)

    def _fit_column(self, times: npt.NDArray[np.datetime64]) -> None:
        filled = times[~np.isnat(times)]
        first = filled.min() if len(filled) else np.datetime64("1970-01-01", "us")
        parts = split_dates(filled, first)
        kept = np.flatnonzero((parts != parts[:1]).any(axis=0))
        self.first_.append(first)
        self.parts_.append(kept)
        self.means_.append(parts[:, kept].mean(axis=0) if len(filled) else np.empty(0))
        far = middle_of_far(parts[:, kept], least=FAR)
        self.offsets_.append(far if self.impute else np.zeros(len(kept)))
        self.has_marker_.append(self.impute and len(filled) < len(times))

    def _transform_column(self, position: int, times: npt.NDArray[np.datetime64]) -> FloatMatrix:
        parts = split_dates(times, self.first_[position])[:, self.parts_[position]]
        if not self.impute:
            return parts
        is_missing = np.isnat(times)[:, np.newaxis]
        parts = np.where(is_missing, self.means_[position], parts) - self.offsets_[position]
        if not self.has_marker_[position]:
            return parts
        return np.concatenate([parts, is_missing], axis=1)


def split_dates(times: npt.NDArray[np.datetime64], first: np.datetime64) -> FloatMatrix:
    """Return the parts of dates in the order of `PARTS`, NaN rows for missing dates.

    Parameters
    ----------
    times : ndarray of datetime64, shape (n_rows,)
        Times.
    first : numpy.datetime64
        Where the days are counted from.

    Returns
    -------
    ndarray of shape (n_rows, 12)
    """
    index = pd.DatetimeIndex(times)
    day = np.asarray(index.day, dtype=np.float64)
    days_since = (times - first) / np.timedelta64(_SECONDS_OF_DAY, "s")
    columns = [
        index.year,
        index.month,
        day,
        index.day_of_week,
        index.day_of_year,
        index.quarter,
        np.ceil(day / _DAYS_OF_WEEK),
        index.isocalendar().week.to_numpy(dtype=np.float64, na_value=np.nan),
        index.hour,
        index.minute,
        index.second,
        days_since,
    ]
    return np.column_stack([np.asarray(column, dtype=np.float64) for column in columns])


def _times_of(column: Any) -> npt.NDArray[np.datetime64]:
    return np.asarray(column, dtype="datetime64[us]")
