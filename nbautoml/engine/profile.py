"""What the columns of the training data are; found once, without looking at the label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any  # Any: JSON values, labels

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.domain.events import json_safe
from nbautoml.domain.tasks import Task
from nbautoml.engine.featurize.date_formats import find_date_format
from nbautoml.engine.featurize.detect import Detected, detect, detect_times, ignore
from nbautoml.engine.featurize.options import ColumnPurpose, FeaturizationOptions
from nbautoml.errors import ConfigError, DatasetError, did_you_mean
from nbautoml.runtime import parsing
from nbautoml.runtime.input_adapter import REFUSE_SHARE, ColumnFormat, column_places

__all__ = ["ColumnProfile", "ColumnPurpose", "DataProfile", "profile_frame"]

MIN_TRAINING_ROWS = 10
"""Fewer labelled rows than this cannot be split for validation in a way that means anything."""

_KINDS = {
    ColumnPurpose.NUMERIC: "number",
    ColumnPurpose.CATEGORICAL: "category",
    ColumnPurpose.CATEGORICAL_HASH: "category",
    ColumnPurpose.TEXT: "text",
    ColumnPurpose.DATETIME: "date",
    ColumnPurpose.BOOLEAN: "boolean",
    ColumnPurpose.IGNORE: "drop",
}

_PARAMS_ARE_FOR = {
    "Imputer": ColumnPurpose.NUMERIC,
    "HashOneHotEncoder": ColumnPurpose.CATEGORICAL_HASH,
    "TfIdf": ColumnPurpose.TEXT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """One raw column.

    Parameters
    ----------
    name : str
        Its name as text.
    dtype : str
        The pandas type it came with.
    purpose : ColumnPurpose
        What it is used as.
    reason : str
        Why, in one sentence.
    form : ColumnFormat
        How it is read.
    stats : mapping of str to float
        ``n_rows``, ``n_missing``, ``n_unique``; for numbers also ``n_infinite``, ``mean``,
        ``std``, ``min`` and ``max``.
    notes : tuple of str
        Sentences that a user should see.
    """

    name: str
    dtype: str
    purpose: ColumnPurpose
    reason: str
    form: ColumnFormat
    stats: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def is_used(self) -> bool:
        """Whether the column becomes features."""
        return self.purpose is not ColumnPurpose.IGNORE

    @property
    def n_missing(self) -> int:
        """Number of missing cells, infinite ones included."""
        return int(self.stats.get("n_missing", 0))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "purpose": self.purpose.value,
            "reason": self.reason,
            "form": self.form.to_dict(),
            "stats": json_safe(self.stats),
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ColumnProfile:
        """Rebuild a column from `to_dict`."""
        return cls(
            name=values["name"],
            dtype=values["dtype"],
            purpose=ColumnPurpose(values["purpose"]),
            reason=values["reason"],
            form=ColumnFormat.from_dict(values["form"]),
            stats=dict(values["stats"]),
            notes=tuple(values["notes"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DataProfile:
    """All raw columns of the training data in their order, and what the user said of them."""

    columns: tuple[ColumnProfile, ...]
    n_rows: int
    options: FeaturizationOptions = field(default_factory=FeaturizationOptions)

    @property
    def used(self) -> tuple[ColumnProfile, ...]:
        """The columns that become features."""
        return tuple(column for column in self.columns if column.is_used)

    @property
    def dropped(self) -> tuple[ColumnProfile, ...]:
        """The columns that are not used."""
        return tuple(column for column in self.columns if not column.is_used)

    def of_purpose(self, *purposes: ColumnPurpose) -> tuple[ColumnProfile, ...]:
        """Return the columns of these types."""
        return tuple(column for column in self.columns if column.purpose in purposes)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "columns": [column.to_dict() for column in self.columns],
            "n_rows": self.n_rows,
            "options": self.options.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DataProfile:
        """Rebuild a profile from `to_dict`."""
        return cls(
            columns=tuple(ColumnProfile.from_dict(column) for column in values["columns"]),
            n_rows=values["n_rows"],
            options=FeaturizationOptions.from_dict(values["options"]),
        )


def profile_frame(
    X: pd.DataFrame,
    y: Sequence[Any] | npt.NDArray[Any] | pd.Series,
    task: Task | str,
    *,
    options: FeaturizationOptions | None = None,
) -> DataProfile:
    """Return what the columns of the training data are.

    The label is only counted, never looked at, so folds may share the profile.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
        Raw training rows without the label.
    y : array-like of shape (n_rows,)
        The label of each row.
    task : Task
        What is learned.
    options : FeaturizationOptions, optional
        What the user said about columns.

    Raises
    ------
    DatasetError
        When there are too few rows, two columns of one name, or no column that can be used.
    ConfigError
        When `options` names a column that is not there.
    """
    options = options or FeaturizationOptions()
    places = _check_frame(X, y, Task(task), options)
    columns = tuple(
        _profile_column(X.iloc[:, place], name, options) for name, place in places.items()
    )
    profile = DataProfile(columns=columns, n_rows=len(X), options=options)
    if not profile.used:
        reasons = "; ".join(f"{c.name}: {c.reason}" for c in columns[:10])
        raise DatasetError(
            f"None of the {len(columns)} columns can be used to learn from. {reasons}"
        )
    return profile


def _check_frame(
    X: pd.DataFrame,
    y: Sequence[Any] | npt.NDArray[Any] | pd.Series,
    task: Task,
    options: FeaturizationOptions,
) -> dict[str, int]:
    """Return the position of each column by name."""
    if not isinstance(X, pd.DataFrame):
        raise DatasetError(f"Training data must be a DataFrame; got {type(X).__name__}.")
    if X.shape[1] == 0:
        raise DatasetError("The training data has no column besides the label.")
    if len(y) != len(X):
        raise DatasetError(f"There are {len(X)} rows but {len(y)} labels; give one for each row.")
    if len(X) < MIN_TRAINING_ROWS:
        raise DatasetError(
            f"A run of task '{task}' needs at least {MIN_TRAINING_ROWS} rows with a label; "
            f"the training data has {len(X)}."
        )
    try:
        places = column_places(X)
    except ValueError as error:
        raise DatasetError(str(error)) from error
    with_params = [name for given in options.transformer_params for name in given.columns]
    for name in (*options.column_purposes, *options.drop_columns, *with_params):
        if name not in places:
            hint = did_you_mean(name, places)
            raise ConfigError(f"The featurization names column {name!r}, which is not there.{hint}")
    return places


def _profile_column(series: pd.Series, name: str, options: FeaturizationOptions) -> ColumnProfile:
    try:
        found = _find(series, name, options)
    except ValueError as error:
        raise DatasetError(str(error)) from error
    form = ColumnFormat(
        name=name,
        kind=found.kind,
        purpose=found.purpose.value,
        decimal=found.decimal,
        date_format=found.date_format,
    )
    return ColumnProfile(
        name=name,
        dtype=str(series.dtype),
        purpose=found.purpose,
        reason=found.reason,
        form=form,
        stats=found.stats,
        notes=(*found.notes, *_idle_params(name, found.purpose, options)),
    )


def _idle_params(
    name: str, purpose: ColumnPurpose, options: FeaturizationOptions
) -> tuple[str, ...]:
    """Return a sentence for each transformer whose parameters cannot matter to a column."""
    return tuple(
        f"Parameters of {given.transformer} have no effect on it: it is {purpose.value}. "
        f"Give it the column purpose {needed.value} to change that."
        for given in options.transformer_params
        if name in given.columns
        and (needed := _PARAMS_ARE_FOR.get(given.transformer, purpose)) is not purpose
        and given.params.get("strategy") != "most_frequent"  # what categories get anyway
    )


def _find(series: pd.Series, name: str, options: FeaturizationOptions) -> Detected:
    if name in options.drop_columns:
        return ignore("Dropped as asked.")
    found = detect(series, name)
    asked = options.column_purposes.get(name)
    if asked is not None and asked is not found.purpose:
        return _as_asked(series, name, found, ColumnPurpose(asked))
    if not options.is_auto and asked is None:
        return _by_dtype(series, found)
    return found


def _by_dtype(series: pd.Series, found: Detected) -> Detected:
    """Return the plain reading of a column's type, for a run without featurization."""
    is_empty = found.stats.get("n_unique", 0) <= 1 and found.kind == "drop"
    if is_empty or found.purpose in (ColumnPurpose.BOOLEAN, ColumnPurpose.DATETIME):
        return found
    if parsing.numbers_of_type(series) is not None:
        return _replace(found, ColumnPurpose.NUMERIC, "Of a number type.")
    if found.kind == "drop" and not found.stats:
        return found
    is_many = found.purpose is ColumnPurpose.CATEGORICAL_HASH or found.kind in ("drop", "text")
    purpose = ColumnPurpose.CATEGORICAL_HASH if is_many else ColumnPurpose.CATEGORICAL
    return _replace(found, purpose, "Not of a number type.")


def _as_asked(series: pd.Series, name: str, found: Detected, purpose: ColumnPurpose) -> Detected:
    """Return the reading that the user asked for.

    Raises
    ------
    ValueError
        When most cells cannot be read so.
    """
    asked = _replace(found, purpose, f"{purpose.value} as asked.")
    if purpose is ColumnPurpose.DATETIME and parsing.times_of_type(series) is None:
        return _dates_as_asked(series, name, found)
    if purpose is ColumnPurpose.NUMERIC and parsing.numbers_of_type(series) is None:
        codes, values = parsing.distinct(series)
        numbers = [parsing.number_of_cell(value, found.decimal) for value in values]
        _check_share(name, np.append(numbers, np.nan)[codes], codes, what="numbers")
    if purpose is ColumnPurpose.BOOLEAN:
        codes, values = parsing.distinct(series)
        truths = [parsing.parse_truth(parsing.label_of(value)) for value in values]
        _check_share(name, np.append(truths, np.nan)[codes], codes, what="truth values")
    return asked


def _dates_as_asked(series: pd.Series, name: str, found: Detected) -> Detected:
    codes, values = parsing.distinct(series)
    texts = [parsing.text_of_time(value) for value in values]
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    is_typed = bool(values) and all(map(parsing.is_time, values))
    form = None if is_typed else find_date_format(texts, counts)
    date_format = form.date_format if form is not None else "mixed"
    times = parsing.parse_dates(texts, "ISO8601" if is_typed else date_format)
    cells = np.append(times, np.datetime64("NaT"))[codes]
    seconds = np.where(np.isnat(cells), np.nan, 0.0)
    _check_share(name, seconds, codes, what="dates")
    dates = detect_times(cells, date_format)
    return _replace(dates, dates.purpose, "DateTime as asked.")


def _check_share(
    name: str, cells: npt.NDArray[np.float64], codes: parsing.IntArray, *, what: str
) -> None:
    n_filled = int((codes >= 0).sum())
    n_unread = int((np.isnan(cells) & (codes >= 0)).sum())
    if n_unread > REFUSE_SHARE * n_filled:
        raise ValueError(
            f"Column {name!r} was asked to be read as {what}, but {n_unread} of {n_filled} filled "
            "cells are none. Take the column purpose away, or mend the cells."
        )


def _replace(found: Detected, purpose: ColumnPurpose, reason: str) -> Detected:
    return Detected(
        purpose=purpose,
        reason=reason,
        kind=_KINDS[purpose],
        decimal=found.decimal,
        date_format=found.date_format,
        stats=found.stats,
        notes=found.notes,
    )
