"""Whole columns against the schema of the training data: the rules of requests, for frames.

What a request may hold (`nbautoml.serving.schema`) a partition may hold, too. Cells are checked
a column at a time; the first one that does not fit is named.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any  # Any: cells of a frame

import numpy as np
import pandas as pd

from nbautoml.registry.schema import ColumnSchema, ModelSchema, to_json
from nbautoml.serving.forms import describe
from nbautoml.serving.schema import FLAG_WORDS, NULL_TEXTS, Kind, kind_of


class RowError(ValueError):
    """A row cannot be predicted.

    Parameters
    ----------
    row : int or None
        Which one, from 0; None where all are meant.
    message : str
        What is wrong, with the column.
    """

    def __init__(self, row: int | None, message: str) -> None:
        super().__init__(message)
        self.row = row
        self.message = message


@dataclass(frozen=True, slots=True)
class _Read:
    """A column as the model gets it, and which of its cells could not be read."""

    values: pd.Series[Any]
    is_bad: pd.Series[bool]


def check_frame(
    frame: pd.DataFrame, schema: ModelSchema, *, unused: frozenset[str] = frozenset()
) -> pd.DataFrame:
    """Return the columns that a model takes, in the types that they had in training.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Rows; texts stand for numbers, truth values and dates where the column had such.
    schema : ModelSchema
        The training data.
    unused : frozenset of str
        Columns that the model does not look at; rows may lack them.

    Raises
    ------
    RowError
        When a column is missing, or for the first cell that does not fit.

    Examples
    --------
    >>> column = ColumnSchema(name="age", dtype="int64", is_nullable=False, minimum=1, maximum=90)
    >>> schema = ModelSchema(task="regression", label="y", columns=(column,))
    >>> check_frame(pd.DataFrame({"age": ["41", "7"]}), schema)["age"].tolist()
    [41.0, 7.0]
    """
    needed = [column for column in schema.columns if column.name not in unused]
    lacking = [column.name for column in needed if column.name not in frame.columns]
    if lacking:
        names = ", ".join(map(repr, lacking))
        raise RowError(None, f"the rows lack {names} of the training data")
    found = {column.name: _check(frame[column.name], column) for column in needed}
    return pd.DataFrame(found, index=frame.index)


def _check(cells: pd.Series[Any], column: ColumnSchema) -> pd.Series[Any]:
    kind = kind_of(column)
    read = _READERS[kind](cells)
    if read.is_bad.any():
        row = int(read.is_bad.to_numpy().argmax())
        what = f"must be {kind.value}; got {_shown(cells.iloc[row])}"
        raise RowError(row, f"column {column.name!r} {what}")
    may_be_null = column.is_nullable or kind in (Kind.WORD, Kind.ANY)
    is_null = read.values.isna().to_numpy()
    if not may_be_null and is_null.any():
        row = int(is_null.argmax())
        raise RowError(row, f"column {column.name!r} must not be empty: in training it never was")
    return read.values


def _shown(value: Any) -> str:
    if isinstance(value, (float, np.floating)) and np.isinf(value):
        return f"{value}, which is not finite"
    return describe(to_json(value) if pd.api.types.is_scalar(value) else value)


def _numbers(cells: pd.Series[Any]) -> _Read:
    if pd.api.types.is_bool_dtype(cells) or _is_time(cells):
        return _Read(cells, cells.notna())
    return _parsed(cells, {})


def _flags(cells: pd.Series[Any]) -> _Read:
    if _is_time(cells):
        return _Read(cells, cells.notna())
    return _parsed(cells, FLAG_WORDS)


def _truths(cells: pd.Series[Any]) -> _Read:
    read = _flags(cells)
    known = read.values.isin([0.0, 1.0]) | read.values.isna()
    if (read.is_bad | ~known).any():
        return _Read(cells, read.is_bad | ~known)
    truths = read.values.map({0.0: False, 1.0: True})
    return _Read(truths if read.values.isna().any() else truths.astype(bool), read.is_bad)


def _parsed(cells: pd.Series[Any], words: Mapping[str, float]) -> _Read:
    """Return cells as float64; words stand for numbers, and truth values too where words do."""
    if pd.api.types.is_numeric_dtype(cells) or pd.api.types.is_bool_dtype(cells):
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        is_bad = pd.Series(np.isinf(values), index=cells.index)
        return _Read(pd.Series(values, index=cells.index), is_bad)
    every = cells.astype(object)
    is_one = every.map(pd.api.types.is_scalar)
    plain = every.where(is_one, None)
    is_text = plain.map(lambda cell: isinstance(cell, str))
    texts = plain.where(~is_text, plain.astype(str).str.strip().str.lower())
    is_null = plain.isna() | texts.isin(list(NULL_TEXTS))
    is_truth = plain.map(lambda cell: isinstance(cell, (bool, np.bool_)))
    given = texts.where(~is_null, None).map(lambda cell: words.get(cell, cell), na_action="ignore")
    numbers = pd.to_numeric(given, errors="coerce").astype(np.float64)
    is_bad = (numbers.isna() & ~is_null) | np.isinf(numbers) | ~is_one
    return _Read(numbers, is_bad if words else is_bad | is_truth)


def _dates(cells: pd.Series[Any]) -> _Read:
    if not _is_time(cells) and pd.api.types.is_numeric_dtype(cells):
        return _Read(cells, cells.notna())
    is_date = cells.astype(object).map(lambda cell: isinstance(cell, (str, datetime.date)))
    given = cells.where(is_date)
    times = pd.to_datetime(given, errors="coerce", format="ISO8601", utc=True)
    is_left = times.isna() & given.notna()
    if is_left.any():
        rest = pd.to_datetime(given[is_left], errors="coerce", format="mixed", utc=True)
        times = times.where(~is_left, rest)
    return _Read(times.dt.tz_localize(None), times.isna() & cells.notna())


def _words(cells: pd.Series[Any]) -> _Read:
    plain = cells.astype(object)
    return _Read(plain, plain.notna() & ~plain.map(lambda cell: isinstance(cell, str)))


def _anything(cells: pd.Series[Any]) -> _Read:
    return _Read(cells.astype(object), pd.Series(data=False, index=cells.index))


def _is_time(cells: pd.Series[Any]) -> bool:
    return pd.api.types.is_datetime64_any_dtype(cells)


_READERS: Mapping[Kind, Callable[[pd.Series[Any]], _Read]] = {
    Kind.NUMBER: _numbers,
    Kind.FLAG: _flags,
    Kind.TRUTH: _truths,
    Kind.DATE: _dates,
    Kind.WORD: _words,
    Kind.ANY: _anything,
}
