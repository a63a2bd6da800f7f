"""The first step of every saved model: raw rows in, columns of known types out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self  # Any: sklearn's X and y, raw cells

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from nbautoml.runtime import parsing
from nbautoml.runtime.columns import Labels, ReadRows

WARN_SHARE = 0.05
"""Share of unreadable cells of a column up to which they count as missing without a word."""
SHOWN_COLUMNS = 8
"""Most columns that a warning names."""
REFUSE_SHARE = 0.5
"""Share of unreadable cells of a column above which the rows are refused."""
REFUSE_CELLS = 10
"""Fewer filled cells than this are not refused: one bad cell says little of a column."""

_TEXTS = frozenset({str, type(None)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFormat:
    """How one raw column is read.

    Parameters
    ----------
    name : str
        Name of the raw column.
    kind : {"number", "boolean", "date", "category", "text", "drop"}
        What its cells become.
    purpose : str, default ""
        The type that was found, as reports show it, such as ``"CategoricalHash"``.
    decimal : {".", ","}, default "."
        Decimal sign of numbers that are written as text.
    date_format : str, default "mixed"
        ``strptime`` format of dates that are written as text, ``"ISO8601"`` or ``"mixed"``.
    """

    name: str
    kind: str
    purpose: str = ""
    decimal: str = "."
    date_format: str = "mixed"

    def to_dict(self) -> dict[str, str]:
        """Return the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, str]) -> ColumnFormat:
        """Rebuild a format from `to_dict`."""
        return cls(**values)


class InputAdapter(TransformerMixin, BaseEstimator):  # type: ignore[misc] # sklearn is untyped
    """Align raw rows with the training columns and read their cells.

    It learns nothing from rows: `columns` says it all, so it is fitted from the start.
    Columns are found by name in any order; other columns are ignored with a warning.

    Parameters
    ----------
    columns : sequence of ColumnFormat
        All raw columns of the training data in their order, dropped ones included.
    missing_columns : {"error", "fill"}, default "error"
        What to do when rows lack a column: refuse them, or take all of its cells as missing.

    Notes
    -----
    Infinities and numbers too large for float32 become NaN. Cells of a number, truth or date
    column that cannot be read become missing: with a warning above 5 % of the filled cells,
    with an error above 50 % of ten filled cells or more.

    Examples
    --------
    >>> adapter = InputAdapter([ColumnFormat(name="price", kind="number")])
    >>> adapter.transform(pd.DataFrame({"other": [1], "price": ["$1,200.50"]}))["price"].item()
    1200.5
    """

    def __init__(
        self, columns: Sequence[ColumnFormat] = (), missing_columns: str = "error"
    ) -> None:
        self.columns = columns
        self.missing_columns = missing_columns

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check that `X` has the columns; nothing is learned."""
        self._select(as_frame(X, self._input_names()))
        return self

    def transform(self, X: Any) -> pd.DataFrame:
        """Return the used columns of `X` in training order, read.

        Parameters
        ----------
        X : DataFrame, or array of shape (n_rows, n_input_columns)
            Raw rows; an array has all training columns in their order.

        Returns
        -------
        DataFrame of shape (n_rows, n_used_columns)
            Numbers and truth values as float64, dates as datetime64 in UTC, categories as
            `pandas.Categorical` of strings, texts as strings ("" where missing).

        Raises
        ------
        ValueError
            When a column is missing or most of its cells cannot be read.
        """
        frame = as_frame(X, self._input_names())
        columns = {
            name: column.as_categorical() if isinstance(column, Labels) else column
            for name, column in self._read(frame).items()
        }
        return pd.DataFrame(columns, index=frame.index, copy=False)

    def read(self, X: Any) -> ReadRows:
        """Return what `transform` returns, but not as a frame.

        Parameters
        ----------
        X : DataFrame, array, or mapping of str to list, array or Series
            As `transform` takes it; or cells by the name of their column, which are read without
            a frame around them where all columns are there.
        """
        if isinstance(X, Mapping) and self._is_whole(X):
            columns = {form.name: _read_cells(X[form.name], form) for form in self._used()}
            return ReadRows(columns, len(next(iter(X.values()))))
        frame = as_frame(X, self._input_names())
        return ReadRows(self._read(frame), len(frame))

    def _is_whole(self, cells: Mapping[str, Any]) -> bool:
        """Whether there are all columns that are used, and none that is not known."""
        used = {form.name for form in self._used()}
        return bool(used) and used <= cells.keys() <= set(self._input_names())

    def _read(self, frame: pd.DataFrame) -> dict[str, Any]:
        self._warn_of_others(frame)
        return {
            form.name: _READERS[form.kind](column, form) for form, column in self._select(frame)
        }

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the used columns."""
        return np.array([form.name for form in self._used()], dtype=object)

    @property
    def feature_names_in_(self) -> npt.NDArray[np.object_]:
        """Names of all training columns."""
        return np.array(self._input_names(), dtype=object)

    @property
    def n_features_in_(self) -> int:
        """Number of training columns."""
        return len(self.columns)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def _input_names(self) -> list[str]:
        return [form.name for form in self.columns]

    def _used(self) -> list[ColumnFormat]:
        return [form for form in self.columns if form.kind != "drop"]

    def _select(self, frame: pd.DataFrame) -> list[tuple[ColumnFormat, pd.Series]]:
        places = column_places(frame)
        used = self._used()
        missing = [form.name for form in used if form.name not in places]
        if missing and self.missing_columns == "fill":
            names = ", ".join(map(repr, missing))
            warnings.warn(f"Not in these rows, so taken as missing: {names}.", stacklevel=6)
            frame = frame.assign(**dict.fromkeys(missing))
            places = column_places(frame)
        elif missing:
            noun = "Column" if len(missing) == 1 else "Columns"
            raise ValueError(
                f"{noun} {', '.join(repr(name) for name in missing)} of the training data "
                f"are not in these rows. They have: {', '.join(map(repr, places)) or 'none'}."
            )
        labels = list(frame.columns)
        return [(form, frame[labels[places[form.name]]]) for form in used]

    def _warn_of_others(self, frame: pd.DataFrame) -> None:
        """Name the columns that are ignored, once."""
        known = set(self._input_names())
        others = [name for name in map(str, frame.columns) if name not in known]
        told: set[str] = self.__dict__.setdefault("_told", set()) if others else set()
        if not told.issuperset(others):
            told.update(others)
            shown = ", ".join(map(repr, others[:SHOWN_COLUMNS]))
            more = f" and {len(others) - SHOWN_COLUMNS} more" * (len(others) > SHOWN_COLUMNS)
            warnings.warn(f"Not in the training data, so ignored: {shown}{more}.", stacklevel=5)


def as_frame(X: Any, names: Sequence[str]) -> pd.DataFrame:
    """Return rows as a DataFrame; arrays get `names` as their columns, a mapping has its own.

    Raises
    ------
    ValueError
        When an array has another number of columns.
    """
    if isinstance(X, pd.DataFrame):
        return X
    if isinstance(X, Mapping):
        return pd.DataFrame({name: _as_series(cells, name) for name, cells in X.items()})
    array = np.asarray(X, dtype=object)
    if array.ndim != 2 or array.shape[1] != len(names):
        raise ValueError(
            f"Rows without column names must be a table of {len(names)} columns "
            f"({', '.join(map(repr, names))}); got shape {array.shape}."
        )
    return pd.DataFrame(array, columns=list(names)).infer_objects()


def column_places(frame: pd.DataFrame) -> dict[str, int]:
    """Return the position of each column by its name as text.

    Raises
    ------
    ValueError
        When two columns have the same name, also when one of them is a number.
    """
    names = [str(name) for name in frame.columns]
    places = {name: position for position, name in enumerate(names)}
    if len(places) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(
            f"Two columns have the same name as text: {', '.join(map(repr, twice))}. "
            "Rename them, so that each name is there once."
        )
    return places


def _read_number(series: pd.Series, form: ColumnFormat) -> npt.NDArray[np.float64]:
    numbers = parsing.numbers_of_type(series)
    if numbers is None:
        codes, values = parsing.distinct(series)
        numbers = _spread(_numbers_of_cells(values, form.decimal), codes)
        _check_readable(series, codes, values, np.isnan(numbers), what="numbers")
    return parsing.clean_numbers(numbers)


def _numbers_of_cells(values: Sequence[Any], decimal: str) -> npt.NDArray[np.float64]:
    if all(isinstance(value, str) for value in values):
        return parsing.parse_numbers(values, decimal)
    cells = [parsing.number_of_cell(value, decimal) for value in values]
    return np.array(cells, dtype=np.float64)


def _read_boolean(series: pd.Series, form: ColumnFormat) -> npt.NDArray[np.float64]:
    codes, values = parsing.distinct(series)
    truths = np.array([parsing.parse_truth(parsing.label_of(v)) for v in values], dtype=np.float64)
    numbers = _spread(truths, codes)
    _check_readable(series, codes, values, np.isnan(numbers), what="truth values")
    return numbers


def _read_date(series: pd.Series, form: ColumnFormat) -> npt.NDArray[np.datetime64]:
    times = parsing.times_of_type(series)
    if times is not None:
        return times
    codes, values = parsing.distinct(series)
    parsed = np.full(len(values) + 1, np.datetime64("NaT"), dtype="datetime64[us]")
    for is_typed, date_format in ((True, "ISO8601"), (False, form.date_format)):
        at = [i for i, value in enumerate(values) if parsing.is_time(value) == is_typed]
        if at:
            texts = [parsing.text_of_time(values[i]) for i in at]
            parsed[at] = parsing.parse_dates(texts, date_format)
    times = parsed[codes]
    _check_readable(series, codes, values, np.isnat(times), what="dates")
    return times


def _read_category(series: pd.Series, form: ColumnFormat) -> Labels:
    codes, values = parsing.distinct(series)
    labels: dict[str, int] = {}
    places = np.full(len(values) + 1, -1, dtype=np.int64)
    for position, value in enumerate(values):
        label = parsing.label_of(value)
        if label:
            places[position] = labels.setdefault(label, len(labels))
    return Labels(places[codes], list(labels))


def _labels_of_texts(texts: Sequence[str | None]) -> Labels:
    """Return what `_read_category` says to a column of nothing but texts."""
    labels: dict[str, int] = {}
    places: dict[str | None, int] = {None: -1}
    for text in dict.fromkeys(texts):
        label = "" if text is None else text.strip()
        places[text] = labels.setdefault(label, len(labels)) if label else -1
    codes = np.fromiter(map(places.__getitem__, texts), dtype=np.int64, count=len(texts))
    return Labels(codes, list(labels))


def _read_cells(cells: Any, form: ColumnFormat) -> Any:
    """Read a column: numbers and texts as they are, anything else as a series."""
    if form.kind == "number" and isinstance(cells, np.ndarray) and cells.dtype == np.float64:
        return parsing.clean_numbers(cells)
    if form.kind == "category" and isinstance(cells, list) and _TEXTS.issuperset(map(type, cells)):
        return _labels_of_texts(cells)
    return _READERS[form.kind](_as_series(cells, form.name), form)


def _as_series(cells: Any, name: str) -> pd.Series:
    """Return a column as a series; the cells of a list keep their types."""
    return pd.Series(cells, name=name, dtype=object if isinstance(cells, list) else None)


def _read_text(series: pd.Series, form: ColumnFormat) -> pd.Series:
    codes, values = parsing.distinct(series)
    texts = np.array([*(parsing.label_of(value) for value in values), ""], dtype=object)
    return pd.Series(texts[codes], index=series.index, dtype=object)


def _spread(values: npt.NDArray[np.float64], codes: parsing.IntArray) -> npt.NDArray[np.float64]:
    """Return the value of each cell; cells with code -1 get NaN."""
    return np.append(values, np.nan)[codes]


def _check_readable(
    series: pd.Series,
    codes: parsing.IntArray,
    values: Sequence[Any],
    is_missing: npt.NDArray[np.bool_],
    *,
    what: str,
) -> None:
    """Warn or refuse when filled cells could not be read."""
    if not (is_missing & (codes >= 0)).any():
        return
    has_content = [not parsing.is_null_word(parsing.label_of(value)) for value in values]
    is_filled = np.append(np.array(has_content, dtype=bool), False)[codes]
    is_unread = is_filled & is_missing
    n_unread, n_filled = int(is_unread.sum()), int(is_filled.sum())
    if n_unread <= WARN_SHARE * n_filled:
        return
    is_refused = n_unread > REFUSE_SHARE * n_filled and n_filled >= REFUSE_CELLS
    example = parsing.label_of(values[codes[np.flatnonzero(is_unread)[0]]])
    found = f"{n_unread} of {n_filled} filled cells of column {series.name!r} are not {what}"
    if is_refused:
        raise ValueError(f"{found}, such as {example!r}; the model learned it as {what}.")
    warnings.warn(f"{found}, such as {example!r}; they count as missing.", stacklevel=6)


_READERS: dict[str, Callable[[pd.Series, ColumnFormat], Any]] = {
    "number": _read_number,
    "boolean": _read_boolean,
    "date": _read_date,
    "category": _read_category,
    "text": _read_text,
}
