"""From a raw frame to the rows of a run: features, label, weights, groups and given splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any  # Any: cells of any type

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.engine.plan import SearchPlan
from nbautoml.engine.target import EncodedTarget, encode_target
from nbautoml.engine.validation import check_range, keep_rows, read_split_columns
from nbautoml.engine.validation.plan import Fold, IntArray
from nbautoml.errors import DatasetError, did_you_mean
from nbautoml.runtime import parsing

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows that take part in a run; the last `n_valid` of them are given validation data.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
        Raw features.
    target : EncodedTarget
        Labels; its ``is_kept`` has an entry for each row that counts something.
    weight : ndarray of shape (n_rows,) or None
        How much each row counts, 1 on average over the training rows; None when all count the
        same.
    groups : ndarray of int, shape (n_rows,) or None
        Codes of the groups, from 0 without gaps.
    splits : tuple of (ndarray, ndarray)
        Splits that the user made; empty when he made none.
    n_valid : int
        How many rows are given validation data.
    n_weightless : int
        How many rows were left out because their weight is 0.
    """

    X: pd.DataFrame
    target: EncodedTarget
    weight: FloatArray | None = None
    groups: IntArray | None = None
    splits: tuple[Fold, ...] = ()
    n_valid: int = 0
    n_weightless: int = 0

    @property
    def n_train(self) -> int:
        """Number of rows that are not validation data."""
        return len(self.X) - self.n_valid


def take_rows(frame: pd.DataFrame, label: str, plan: SearchPlan) -> Rows:
    """Return the rows that have a label and a weight.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Training rows, with the given validation rows behind them.
    label : str
        Name of the label's column.
    plan : SearchPlan
        Which other columns say what about the rows.

    Raises
    ------
    DatasetError
        When a column is missing, or holds what it must not.
    """
    options = plan.validation
    _check_column(frame, label, "for the label")
    n_train = len(frame) - plan.n_valid_rows
    numbers = None
    if plan.weight_column is not None:
        _check_column(frame, plan.weight_column, "of weight_column_name")
        numbers = _weights_as_given(frame[plan.weight_column], n_train)
    counts = np.ones(len(frame), dtype=bool) if numbers is None else numbers > 0
    target = encode_target(frame[label][counts], plan.task)
    if target.n_dropped and not plan.exclude_nan_labels:
        raise DatasetError(
            f"{target.n_dropped:,} of {len(target.is_kept):,} rows have no label in column "
            f"{label!r}, and exclude_nan_labels is False. Fill them in, or leave "
            "exclude_nan_labels at True: such rows then take no part."
        )
    is_kept = counts.copy()
    is_kept[counts] = target.is_kept
    splits = read_split_columns(frame, options.cv_split_columns) or options.cv_splits
    check_range(splits, len(frame))
    groups = None
    if options.group_column is not None:
        groups = read_groups(frame, options.group_column, is_kept)
    return Rows(
        X=_select(frame, [label, *plan.columns_aside], is_kept),
        target=target,
        weight=None if numbers is None else _scale(numbers[is_kept], int(is_kept[:n_train].sum())),
        groups=groups,
        splits=keep_rows(splits, is_kept),
        n_valid=int(is_kept[n_train:].sum()) if plan.n_valid_rows else 0,
        n_weightless=int((~counts).sum()),
    )


def _select(
    frame: pd.DataFrame, aside: Sequence[str], is_kept: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """Return the features of the rows that are kept; shares memory where it can."""
    features = frame.drop(columns=list(dict.fromkeys(aside)))
    return (features if is_kept.all() else features[is_kept]).reset_index(drop=True)


def _check_column(frame: pd.DataFrame, name: str, of: str) -> None:
    if name not in frame.columns:
        hint = did_you_mean(name, [str(c) for c in frame.columns])
        raise DatasetError(f"The training data has no column {name!r} {of}.{hint}")


def read_weights(column: pd.Series, n_train: int) -> FloatArray:
    """Return weights of rows, 1 on average over the training rows that have some.

    Only their ratios mean something: a column of twos weighs as one of ones does.

    Parameters
    ----------
    column : Series of shape (n_rows,)
        Finite numbers of at least 0. A row of weight 0 takes no part.
    n_train : int
        How many of the first rows are training rows; the others are given validation rows.

    Raises
    ------
    DatasetError
        When a cell is no such number, or all training (or all validation) rows have weight 0.

    Examples
    --------
    >>> read_weights(pd.Series([2, 4, 0]), 3).tolist()
    [0.6666666666666666, 1.3333333333333333, 0.0]
    """
    return _scale(_weights_as_given(column, n_train), n_train)


def _weights_as_given(column: pd.Series, n_train: int) -> FloatArray:
    """Return weights of rows as they are in a column that was checked."""
    numbers: FloatArray = pd.to_numeric(column, errors="coerce").to_numpy(
        dtype=np.float64, na_value=np.nan
    )
    is_wrong = ~np.isfinite(numbers) | (numbers < 0)
    of = f"weight_column_name: column {column.name!r}"
    if is_wrong.any():
        row = int(is_wrong.argmax())
        raise DatasetError(
            f"{of} must hold finite numbers of at least 0; {int(is_wrong.sum()):,} rows do not, "
            f"such as row {row:,} with {_plain(column.iloc[row])!r}."
        )
    for part, name in ((numbers[:n_train], "training"), (numbers[n_train:], "validation")):
        if len(part) and not part.any():
            raise DatasetError(f"{of} is 0 in all {name} rows; no row would count.")
    return numbers


def _scale(numbers: FloatArray, n_train: int) -> FloatArray:
    """Return weights divided by the mean of the training rows that have some."""
    positive = numbers[:n_train][numbers[:n_train] > 0]
    if not len(positive):
        return numbers
    # Divided first by the largest, so that neither huge nor tiny weights leave the floats.
    largest = positive.max()
    weights: FloatArray = numbers / largest / (positive / largest).mean()
    return weights


def _plain(value: Any) -> Any:
    """Return a value as people write it."""
    return value.item() if isinstance(value, np.generic) else value


def read_groups(frame: pd.DataFrame, name: str, is_kept: npt.NDArray[np.bool_]) -> IntArray:
    """Return codes of the groups of the rows that are kept.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        The training data.
    name : str
        Column whose equal values mark rows that belong together.
    is_kept : ndarray of bool, shape (n_rows,)
        Which rows take part.

    Raises
    ------
    DatasetError
        When there is no such column, or a row has no group.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient": ["b", "a", "b", "c"]})
    >>> read_groups(frame, "patient", np.array([True, False, True, True])).tolist()
    [0, 0, 1]
    """
    _check_column(frame, name, "of group_column_name")
    codes, _ = parsing.distinct(frame[name][is_kept])
    if (codes < 0).any():
        raise DatasetError(
            f"Group column {name!r} is empty in {int((codes < 0).sum()):,} rows; each row needs to "
            "belong to a group. Fill them in, with a value of its own for a row on its own."
        )
    return np.asarray(codes, dtype=np.int64)
