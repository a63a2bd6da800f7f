"""Splits that the user made: columns of 1 and 0, or lists of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any  # Any: splits and columns as users give them

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.engine.validation.plan import Fold, IntArray
from nbautoml.errors import ConfigError, DatasetError

_TRAIN, _VALID = 1, 0
_SHOWN = 3


def read_split_columns(frame: pd.DataFrame, names: Sequence[str]) -> tuple[Fold, ...]:
    """Return the split of each column: 1 marks training rows, 0 validation rows.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        The training data.
    names : sequence of str
        Columns of it.

    Raises
    ------
    DatasetError
        When a column is missing, holds anything else than 1 and 0, or lacks one of them.

    Examples
    --------
    >>> frame = pd.DataFrame({"fold 1": [1, 1, 0], "fold 2": [0, 1, 1]})
    >>> [valid.tolist() for _, valid in read_split_columns(frame, ["fold 1", "fold 2"])]
    [[2], [0]]
    """
    return tuple(_read_column(frame, name) for name in names)


def _read_column(frame: pd.DataFrame, name: str) -> Fold:
    if name not in frame.columns:
        raise DatasetError(f"The training data has no column {name!r} of cv_split_column_names.")
    column = frame[name]
    is_number = pd.api.types.is_numeric_dtype(column.dtype)  # True and False are numbers too
    marks = column.to_numpy(dtype=np.float64, na_value=np.nan) if is_number else None
    is_wrong = np.ones(len(column), bool) if marks is None else ~np.isin(marks, (_TRAIN, _VALID))
    if marks is None or is_wrong.any():
        found = ", ".join(repr(_plain(v)) for v in column[is_wrong].unique()[:_SHOWN])
        raise DatasetError(
            f"Column {name!r} of cv_split_column_names must hold 1 (train) or 0 (validate) in "
            f"every row; found {found} in {int(is_wrong.sum()):,} rows."
        )
    train, valid = np.flatnonzero(marks == _TRAIN), np.flatnonzero(marks == _VALID)
    if not len(train) or not len(valid):
        missing = "1 (train)" if not len(train) else "0 (validate)"
        raise DatasetError(
            f"Column {name!r} of cv_split_column_names has no row with {missing}; each split needs "
            "rows to train on and rows to validate on."
        )
    return train, valid


def _plain(value: Any) -> Any:
    """Return a value as people write it."""
    return value.item() if isinstance(value, np.generic) else value


def read_splits(splits: Any) -> tuple[Fold, ...]:
    """Return given lists of rows as arrays, checked as far as that goes without the data.

    Parameters
    ----------
    splits : sequence of pairs
        ``[train_rows, valid_rows]`` for each split; positions that count from 0.

    Raises
    ------
    ConfigError
        When it is no list of pairs, or a pair is empty, overlaps, repeats a row, or holds
        something else than whole numbers from 0.

    Examples
    --------
    >>> [(train.tolist(), valid.tolist()) for train, valid in read_splits([[[2, 0], [1]]])]
    [([0, 2], [1])]
    """
    if not isinstance(splits, (list, tuple)) or not splits:
        found = "an empty one" if isinstance(splits, (list, tuple)) else type(splits).__name__
        raise ConfigError(
            "cv_splits_indices of AutoMLConfig must be a list of [train_rows, valid_rows] pairs; "
            f"got {found}."
        )
    return tuple(_read_pair(number, pair) for number, pair in enumerate(splits))


def _read_pair(number: int, pair: Any) -> Fold:
    is_pair = isinstance(pair, (list, tuple, np.ndarray)) and len(pair) == 2
    if not is_pair:
        raise ConfigError(
            f"Split {number} of cv_splits_indices of AutoMLConfig must be a pair "
            "[train_rows, valid_rows]."
        )
    train = _read_rows(number, "training", pair[0])
    valid = _read_rows(number, "validation", pair[1])
    both = np.intersect1d(train, valid)
    if len(both):
        raise ConfigError(
            f"Split {number} of cv_splits_indices of AutoMLConfig has {len(both):,} rows both in "
            f"training and in validation, such as row {both[0]}; a row must be in one of them."
        )
    return train, valid


def _read_rows(number: int, part: str, rows: Any) -> IntArray:
    of = f"The {part} rows of split {number} of cv_splits_indices of AutoMLConfig"
    array = np.asarray(rows)
    if array.ndim == 1 and not len(array):
        raise ConfigError(f"{of} are empty; each split needs rows to train and to validate on.")
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ConfigError(f"{of} must be a list of whole numbers; got {_about(array)}.")
    if array.min() < 0:
        raise ConfigError(f"{of} must count from 0; got {array.min()}.")
    found = np.unique(array)
    if len(found) < len(array):
        raise ConfigError(f"{of} name {len(array) - len(found):,} rows more than once.")
    return found.astype(np.int64)


def _about(array: npt.NDArray[Any]) -> str:
    if array.ndim != 1:
        return f"an array of shape {array.shape}"
    return f"{array[0].item()!r}" if array.dtype != object else f"{array[0]!r}"


def check_range(splits: Sequence[Fold], n_rows: int) -> None:
    """Check that splits name only rows that there are.

    Raises
    ------
    DatasetError
        For a row behind the last one.
    """
    for number, split in enumerate(splits):
        largest = max(int(rows[-1]) for rows in split)
        if largest >= n_rows:
            raise DatasetError(
                f"Split {number} of cv_splits_indices names row {largest:,}, but the training data "
                f"has {n_rows:,} rows, which count from 0 to {n_rows - 1:,}."
            )


def keep_rows(splits: Sequence[Fold], is_kept: npt.NDArray[np.bool_]) -> tuple[Fold, ...]:
    """Return splits of the rows that stay, counted anew.

    Parameters
    ----------
    splits : sequence of (ndarray, ndarray)
        Positions among all rows.
    is_kept : ndarray of bool, shape (n_rows,)
        Which rows stay; those without a label do not.

    Raises
    ------
    DatasetError
        When a part of a split has no row that stays.

    Examples
    --------
    >>> splits = [(np.array([0, 1]), np.array([2, 3]))]
    >>> keep_rows(splits, np.array([True, False, True, True]))[0][1].tolist()
    [1, 2]
    """
    place = np.cumsum(is_kept) - 1
    kept = tuple((place[t[is_kept[t]]], place[v[is_kept[v]]]) for t, v in splits)
    for number, (train, valid) in enumerate(kept):
        if not len(train) or not len(valid):
            part = "training" if not len(train) else "validation"
            raise DatasetError(
                f"Split {number} has no {part} row with a label. Fill in labels, or change "
                "the splits."
            )
    return kept
