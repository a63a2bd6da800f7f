"""Statistics of a dataset's columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any  # Any: JSON values and cells of any type

import numpy as np
import pandas as pd

N_BINS = 12
N_TOP = 5
MAX_VALUE_CHARS = 60
# Dates are counted as nanoseconds in histograms, whatever unit the column has.
_EPOCH_UNIT = "datetime64[ns]"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramBin:
    """How many values lie from `low` to `high` (the last bin holds its upper end)."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnStatistics:
    """What one column holds.

    Parameters
    ----------
    name, dtype : str
        Name and pandas type.
    kind : str
        ``"number"``, ``"date"``, ``"boolean"``, ``"text"`` or ``"empty"``.
    count, missing_count, unique_count : int
        Values present, missing, and distinct among the present ones.
    min, max : float, str or None
        Smallest and largest number, or date in ISO form.
    mean, std, lower_quartile, median, upper_quartile : float or None
        For numbers only.
    histogram : tuple of HistogramBin
        For numbers and dates (seconds since the epoch).
    top : tuple of (str, int)
        The most frequent values of other columns, with their counts.
    """

    name: str
    dtype: str
    kind: str
    count: int
    missing_count: int
    unique_count: int
    min: float | str | None = None
    max: float | str | None = None
    mean: float | None = None
    std: float | None = None
    lower_quartile: float | None = None
    median: float | None = None
    upper_quartile: float | None = None
    histogram: tuple[HistogramBin, ...] = ()
    top: tuple[tuple[str, int], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the statistics as JSON-safe values."""
        values = asdict(self)
        values["top"] = [list(pair) for pair in self.top]
        values["histogram"] = [asdict(b) for b in self.histogram]
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetProfile:
    """Statistics of all columns, in their order; shows as a table in a notebook."""

    n_rows: int
    columns: Mapping[str, ColumnStatistics]

    def to_dict(self) -> dict[str, Any]:
        """Return the profile as JSON-safe values."""
        return {"n_rows": self.n_rows, "columns": [c.to_dict() for c in self.columns.values()]}

    def to_pandas_dataframe(self) -> pd.DataFrame:
        """Return one row a column, without histograms and frequent values."""
        rows = [c.to_dict() for c in self.columns.values()]
        return pd.DataFrame(rows).drop(columns=["histogram", "top"]).set_index("name")

    def __repr__(self) -> str:
        return f"DatasetProfile({self.n_rows:,} rows, {len(self.columns)} columns)"

    def _repr_html_(self) -> str:
        from nbautoml.data.html import render_profile  # the two modules know each other

        return render_profile(self)


def profile_columns(frame: pd.DataFrame) -> DatasetProfile:
    """Return statistics of each column.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of any size; columns of any type.

    Examples
    --------
    >>> profile = profile_columns(pd.DataFrame({"a": [1.0, 3.0, None]}))
    >>> profile.columns["a"].mean, profile.columns["a"].missing_count
    (2.0, 1)
    """
    columns = {str(name): describe_column(frame[name]) for name in frame.columns}
    return DatasetProfile(n_rows=len(frame), columns=columns)


def describe_column(column: pd.Series[Any]) -> ColumnStatistics:
    """Return the statistics of one column."""
    present = column.dropna()
    kind = _find_kind(present)
    details: dict[str, Any] = {}
    if kind == "number":
        details = _describe_numbers(present)
    elif kind == "date":
        details = _describe_dates(present)
    elif kind != "empty":
        details = _describe_words(present)
    return ColumnStatistics(
        name=str(column.name),
        dtype=str(column.dtype),
        kind=kind,
        count=len(present),
        missing_count=len(column) - len(present),
        unique_count=_count_unique(present),
        **details,
    )


def _find_kind(present: pd.Series[Any]) -> str:
    if present.empty:
        return "empty"
    if pd.api.types.is_bool_dtype(present) or all(isinstance(v, bool) for v in present.head(1000)):
        return "boolean"
    if pd.api.types.is_numeric_dtype(present) and not pd.api.types.is_complex_dtype(present):
        return "number"
    return "date" if pd.api.types.is_datetime64_any_dtype(present) else "text"


def _count_unique(present: pd.Series[Any]) -> int:
    try:
        return int(present.nunique())
    except TypeError:  # lists and other cells without a hash
        return int(present.map(str).nunique())


def _describe_numbers(present: pd.Series[Any]) -> dict[str, Any]:
    values = present.to_numpy(dtype="float64")
    finite = values[np.isfinite(values)]
    if not finite.size:
        return {}
    with np.errstate(over="ignore", invalid="ignore"):
        quartiles = np.quantile(finite, [0.25, 0.5, 0.75])
        spread = finite.std(ddof=1) if finite.size > 1 else math.nan
        mean = finite.mean()
    return {
        "min": float(finite.min()),
        "max": float(finite.max()),
        "mean": _finite(mean),
        "std": _finite(spread),
        "lower_quartile": _finite(quartiles[0]),
        "median": _finite(quartiles[1]),
        "upper_quartile": _finite(quartiles[2]),
        "histogram": _count_bins(finite),
    }


def _describe_dates(present: pd.Series[Any]) -> dict[str, Any]:
    stamps = pd.to_datetime(present, utc=True).dt.tz_localize(None)
    seconds = stamps.to_numpy().astype(_EPOCH_UNIT).astype("int64") / 1e9
    return {
        "min": str(present.min().isoformat()),
        "max": str(present.max().isoformat()),
        "histogram": _count_bins(seconds),
    }


def _describe_words(present: pd.Series[Any]) -> dict[str, Any]:
    try:
        counts = present.value_counts().head(N_TOP)
    except TypeError:  # lists and other cells without a hash
        counts = present.map(str).value_counts().head(N_TOP)
    return {"top": tuple((str(v)[:MAX_VALUE_CHARS], int(n)) for v, n in counts.items() if n)}


def _count_bins(values: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[HistogramBin, ...]:
    low, high = float(values.min()), float(values.max())
    if low == high or not math.isfinite(high - low):
        return (HistogramBin(low=low, high=high, count=int(values.size)),)
    # Scaled to 0..1 first: bins of numbers that lie very close are too narrow for numpy.
    counts, _ = np.histogram((values - low) / (high - low), bins=N_BINS, range=(0.0, 1.0))
    edges = [low + (high - low) * i / N_BINS for i in range(N_BINS)] + [high]
    return tuple(
        HistogramBin(low=edges[i], high=edges[i + 1], count=int(n)) for i, n in enumerate(counts)
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
