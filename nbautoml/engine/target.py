"""The label as numbers: class codes or floats."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: labels can be of any type

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.domain.tasks import Task
from nbautoml.errors import ConfigError, DatasetError, did_you_mean
from nbautoml.runtime import parsing

UNKNOWN_CODE = -1
"""Code of a missing label, and of one that is none of the classes."""
_SHOWN_CLASSES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetEncoding:
    """How labels become numbers.

    Parameters
    ----------
    task : Task
        What is learned.
    classes : tuple
        The distinct labels, sorted; empty for regression.
    y_min, y_max : float
        Lowest and highest label of a regression; errors are normalised by their distance.
    """

    task: Task
    classes: tuple[Any, ...] = ()
    y_min: float = math.nan
    y_max: float = math.nan

    @classmethod
    def fit(cls, y: Any, task: Task | str) -> TargetEncoding:
        """Learn the classes, or the range, from all labels of the training data.

        Parameters
        ----------
        y : array-like of shape (n_rows,)
            Labels; missing ones are left out.
        task : Task
            What is learned.

        Raises
        ------
        DatasetError
            When there is no label, only one class, a class for each row, or (in regression)
            a label that is not a number.

        Examples
        --------
        >>> TargetEncoding.fit(["no", "yes", None, "no"], "classification").classes
        ('no', 'yes')
        """
        series = _as_series(y)
        task = Task(task)
        if task is Task.CLASSIFICATION:
            return cls(task=task, classes=_find_classes(series))
        numbers = _read_numbers(series)
        filled = numbers[~np.isnan(numbers)]
        _check_count(series, len(filled))
        low, high = float(filled.min()), float(filled.max())
        if low == high:
            raise DatasetError(
                f"All labels{_named(series)} are {low:g}; a regression needs labels that differ."
            )
        return cls(task=task, y_min=low, y_max=high)

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.classes)

    @property
    def class_labels(self) -> tuple[str, ...]:
        """The classes as texts, for charts and reports."""
        return tuple(parsing.label_of(label) for label in self.classes)

    def encode(self, y: Any) -> npt.NDArray[Any]:
        """Return class codes as int64 (-1 where unknown) or labels as float64 (NaN where missing).

        Examples
        --------
        >>> encoding = TargetEncoding.fit(["no", "yes"] * 2, "classification")
        >>> encoding.encode(["yes", "no", None, "maybe"]).tolist()
        [1, 0, -1, -1]
        """
        series = _as_series(y)
        if self.task is not Task.CLASSIFICATION:
            return _read_numbers(series)
        codes, values = parsing.distinct(series)
        places = {label: code for code, label in enumerate(self.classes)}
        table = np.array(
            [*(places.get(value, UNKNOWN_CODE) for value in values), UNKNOWN_CODE], dtype=np.int64
        )
        return table[codes]

    def decode(self, codes: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Return the labels of class codes."""
        return class_array(self.classes)[codes]

    def code_of(self, label: Any) -> int:
        """Return the code of the positive class.

        Parameters
        ----------
        label : object
            One of the classes; whole numbers and texts of them are the same.

        Raises
        ------
        ConfigError
            When it is none of them.

        Examples
        --------
        >>> TargetEncoding.fit(["no", "yes"] * 2, "classification").code_of("yes")
        1
        """
        text = parsing.label_of(label)
        if text in self.class_labels:
            return self.class_labels.index(text)
        raise ConfigError(
            f"positive_label of AutoMLConfig is {label!r}, which is no class of the label; the "
            f"classes are {_listing(self.class_labels)}.{did_you_mean(text, self.class_labels)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values; classes that JSON lacks become texts."""
        plain = (bool, int, float, str)
        classes = [c if isinstance(c, plain) else parsing.label_of(c) for c in self.classes]
        is_class = self.task is Task.CLASSIFICATION
        return {
            "task": self.task.value,
            "classes": classes,
            "y_min": None if is_class else self.y_min,
            "y_max": None if is_class else self.y_max,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TargetEncoding:
        """Rebuild an encoding from `to_dict`."""
        low, high = values["y_min"], values["y_max"]
        return cls(
            task=Task(values["task"]),
            classes=tuple(values["classes"]),
            y_min=math.nan if low is None else low,
            y_max=math.nan if high is None else high,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedTarget:
    """Labels of the rows that have one.

    Parameters
    ----------
    encoding : TargetEncoding
        How they were made.
    values : ndarray of shape (n_kept,)
        Codes or floats.
    is_kept : ndarray of bool, shape (n_rows,)
        Which rows have a label; the others take no part in the run.
    """

    encoding: TargetEncoding
    values: npt.NDArray[Any]
    is_kept: npt.NDArray[np.bool_]

    @property
    def n_dropped(self) -> int:
        """Number of rows without a label."""
        return int((~self.is_kept).sum())


def encode_target(y: Any, task: Task | str) -> EncodedTarget:
    """Fit an encoding, encode the labels, and leave out rows without one.

    Raises
    ------
    DatasetError
        As `TargetEncoding.fit`.

    Examples
    --------
    >>> target = encode_target([1.5, None, 3.0], "regression")
    >>> target.values.tolist(), target.n_dropped
    ([1.5, 3.0], 1)
    """
    encoding = TargetEncoding.fit(y, task)
    values = encoding.encode(y)
    is_class = encoding.task is Task.CLASSIFICATION
    is_kept = values != UNKNOWN_CODE if is_class else ~np.isnan(values)
    return EncodedTarget(encoding=encoding, values=values[is_kept], is_kept=is_kept)


def class_array(classes: tuple[Any, ...]) -> npt.NDArray[Any]:
    """Return classes as an array that keeps their types (mixed ones as objects)."""
    if len({type(label) for label in classes}) == 1 and not isinstance(classes[0], tuple):
        return np.array(classes)
    array = np.empty(len(classes), dtype=object)
    array[:] = classes
    return array


def _as_series(y: Any) -> pd.Series:
    if isinstance(y, pd.DataFrame):
        if y.shape[1] != 1:
            raise DatasetError(f"The label must be one column; got {y.shape[1]}.")
        return y.iloc[:, 0]
    return y if isinstance(y, pd.Series) else pd.Series(y)


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN_CLASSES])
    more = len(names) - _SHOWN_CLASSES
    return f"{shown} and {more} more" if more > 0 else shown


def _named(series: pd.Series) -> str:
    return f" of column {series.name!r}" if series.name is not None else ""


def _check_count(series: pd.Series, n_filled: int) -> None:
    if n_filled == 0:
        raise DatasetError(
            f"None of the {len(series)} rows has a label{_named(series)}; "
            "check label_column_name and the data."
        )


def _find_classes(series: pd.Series) -> tuple[Any, ...]:
    codes, values = parsing.distinct(series)
    n_filled = int((codes >= 0).sum())
    _check_count(series, n_filled)
    if len(values) == 1:
        raise DatasetError(
            f"A classification needs at least two classes; all {n_filled} labels"
            f"{_named(series)} are {values[0]!r}."
        )
    if len(values) == n_filled and n_filled > 2:
        raise DatasetError(
            f"Each of the {n_filled} labels{_named(series)} is different, so there is nothing to "
            "learn as classes. Choose another label, or task='regression' for numbers."
        )
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    if n_filled < len(series) and all(_is_whole_float(value) for value in plain):
        plain = [int(value) for value in plain]  # pandas made them floats for the missing ones
    return tuple(sorted(plain, key=_sort_key))


def _is_whole_float(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _sort_key(label: Any) -> tuple[int, str, float, str]:
    if isinstance(label, (int, float)):
        return (0, "", float(label), "")
    return (1, type(label).__name__, 0.0, str(label))


def _read_numbers(series: pd.Series) -> npt.NDArray[np.float64]:
    """Return labels as floats; infinite ones count as missing."""
    try:
        numbers = parsing.numbers_of_type(series)
    except ValueError as error:
        raise DatasetError(str(error)) from error
    if numbers is None:
        codes, values = parsing.distinct(series)
        cells = [_read_cell(value, series) for value in values]
        numbers = np.array([*cells, np.nan], dtype=np.float64)[codes]
    return parsing.clean_numbers(numbers)


def _read_cell(value: Any, series: pd.Series) -> float:
    if parsing.is_null_word(parsing.label_of(value)):
        return math.nan
    number = parsing.number_of_cell(value, ".")
    if math.isnan(number):
        raise DatasetError(
            f"A regression needs numbers as labels{_named(series)}; found {value!r}. "
            "Choose another label, or task='classification'."
        )
    return number


# Above this skewness a few large labels outweigh all others in the squared error.
_SKEWED = 1.0


def may_log(y: npt.NDArray[np.float64]) -> bool:
    """Return whether numbers are worth learning as ``log(1 + y)``: none negative, right-skewed.

    Examples
    --------
    >>> may_log(np.array([1.0, 2.0, 3.0, 200.0])), may_log(np.array([-1.0, 0.0, 50.0]))
    (True, False)
    """
    deviations = y - y.mean()
    spread = float(np.sqrt((deviations**2).mean()))
    return bool(y.min() >= 0 and spread > 0 and ((deviations / spread) ** 3).mean() > _SKEWED)
