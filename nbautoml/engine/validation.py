"""How the training rows are split to score models; the SDK's defaults.

The defaults are documented in "Configure data splits and cross-validation in automated
machine learning" (learn.microsoft.com): above 20,000 rows 10 % are held out; below 1,000
rows there are 10 folds, between them 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any  # Any: labels are codes or floats

import numpy as np
import numpy.typing as npt

from nbautoml.domain.tasks import Task
from nbautoml.errors import ConfigError, DatasetError

IntArray = npt.NDArray[np.int64]
Fold = tuple[IntArray, IntArray]

HOLD_OUT_ROWS = 20_000
HOLD_OUT_SIZE = 0.1
FEW_ROWS = 1_000
MANY_FOLDS = 10
FEW_FOLDS = 3


class ValidationKind(StrEnum):
    """How rows are split."""

    CROSS_VALIDATION = "cross_validation"
    HOLD_OUT = "hold_out"
    MONTE_CARLO = "monte_carlo"
    GIVEN = "given"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationOptions:
    """What the user said about validation; None means "by the number of rows".

    Parameters
    ----------
    n_cross_validations : int or None
        Number of folds, at least 2.
    validation_size : float or None
        Share of the rows to hold out, between 0 and 1. With `n_cross_validations` that many
        random splits of this size are made.
    """

    n_cross_validations: int | None = None
    validation_size: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationPlan:
    """The splits of a run.

    Parameters
    ----------
    kind : ValidationKind
        How they were made.
    folds : tuple of (ndarray, ndarray)
        Training rows and validation rows of each split, as sorted positions. Validation
        rows of cross-validation never repeat; those of random splits may.
    sentence : str
        What was done, for people.
    was_adjusted : bool
        Whether rare classes or few rows made it differ from what was asked.
    """

    kind: ValidationKind
    folds: tuple[Fold, ...]
    sentence: str
    was_adjusted: bool = False

    @property
    def n_folds(self) -> int:
        """Number of splits."""
        return len(self.folds)


def plan_validation(
    task: Task | str,
    y: npt.NDArray[Any],
    options: ValidationOptions,
    seed: int,
    n_valid_rows: int = 0,
) -> ValidationPlan:
    """Split the rows.

    Classification is stratified. A class with a single row is only trained on, so that every
    class is in the training part of every split.

    Parameters
    ----------
    task : Task
        What is learned.
    y : ndarray of shape (n_rows,)
        Class codes or numbers.
    options : ValidationOptions
        What the user said.
    seed : int
        The same seed gives the same splits.
    n_valid_rows : int, default 0
        When above 0, the last rows are validation data that the user gave.

    Raises
    ------
    ConfigError
        For settings that contradict each other or the data.
    DatasetError
        When there are too few rows to split.
    """
    strata = np.asarray(y) if Task(task) is Task.CLASSIFICATION else np.zeros(len(y), np.int64)
    _check_options(options, n_valid_rows)
    if n_valid_rows:
        return _given(strata, n_valid_rows)
    if len(y) < 4:
        raise DatasetError(f"At least 4 rows are needed to train and validate; got {len(y)}.")
    rng = np.random.default_rng(seed)
    n_folds, size = options.n_cross_validations, options.validation_size
    if n_folds is not None and size is not None:
        return _monte_carlo(strata, n_folds, size, rng)
    if size is not None:
        return _hold_out(strata, size, rng, why="as asked")
    if n_folds is not None:
        return _cross_validation(strata, n_folds, rng, why="as asked")
    return _by_rows(strata, rng)


def _check_options(options: ValidationOptions, n_valid_rows: int) -> None:
    n_folds, size = options.n_cross_validations, options.validation_size
    if n_valid_rows and (n_folds is not None or size is not None):
        raise ConfigError(
            "validation_data was given together with n_cross_validations or validation_size; "
            "give only one of them."
        )
    if n_folds is not None and n_folds < (1 if size is not None else 2):
        raise ConfigError(f"n_cross_validations must be at least 2; got {n_folds}.")
    if size is not None and not 0 < size < 1:
        raise ConfigError(f"validation_size must be between 0 and 1; got {size}.")


def _given(strata: IntArray, n_valid_rows: int) -> ValidationPlan:
    n_train = len(strata) - n_valid_rows
    if n_train < 2:
        raise DatasetError(
            f"The training data has {max(n_train, 0)} rows beside the validation data."
        )
    rows = np.arange(len(strata))
    sentence = f"The given validation data of {n_valid_rows:,} rows scores the models."
    absent = np.setdiff1d(strata[n_train:], strata[:n_train])
    if len(absent):
        sentence += f" {len(absent)} of its classes are not in the training data."
    return ValidationPlan(
        kind=ValidationKind.GIVEN,
        folds=((rows[:n_train], rows[n_train:]),),
        sentence=sentence,
        was_adjusted=bool(len(absent)),
    )


def _by_rows(strata: IntArray, rng: np.random.Generator) -> ValidationPlan:
    n_rows = len(strata)
    if n_rows > HOLD_OUT_ROWS:
        return _hold_out(strata, HOLD_OUT_SIZE, rng, why=f"more than {HOLD_OUT_ROWS:,} rows")
    n_folds = MANY_FOLDS if n_rows < FEW_ROWS else FEW_FOLDS
    why = f"{'fewer than' if n_rows < FEW_ROWS else 'at least'} {FEW_ROWS:,} rows"
    counts = _class_counts(strata)
    if len(counts) == 2 and 2 <= counts.min() < n_folds:
        n_folds = int(counts.min())
        why = f"the smaller class has {n_folds} rows"
        return _cross_validation(strata, n_folds, rng, why=why, was_adjusted=True)
    return _cross_validation(strata, n_folds, rng, why=why)


def _cross_validation(
    strata: IntArray,
    n_folds: int,
    rng: np.random.Generator,
    *,
    why: str,
    was_adjusted: bool = False,
) -> ValidationPlan:
    most = len(strata) // 2
    if n_folds > most:
        n_folds, why, was_adjusted = most, f"there are only {len(strata)} rows", True
    fold_of, n_single = _deal(strata, n_folds, rng)
    rows = np.arange(len(strata))
    folds = tuple((rows[fold_of != fold], rows[fold_of == fold]) for fold in range(n_folds))
    sentence = f"Cross-validation with {n_folds} folds ({why}{_stratified(strata)})."
    return ValidationPlan(
        kind=ValidationKind.CROSS_VALIDATION,
        folds=folds,
        sentence=sentence + _about_single(n_single),
        was_adjusted=was_adjusted or n_single > 0,
    )


def _hold_out(
    strata: IntArray, size: float, rng: np.random.Generator, *, why: str
) -> ValidationPlan:
    fold, n_single = _draw(strata, size, rng)
    share = f"{100 * size:g} % of the rows ({len(fold[1]):,})"
    sentence = f"Hold-out of {share} ({why}{_stratified(strata)})."
    return ValidationPlan(
        kind=ValidationKind.HOLD_OUT,
        folds=(fold,),
        sentence=sentence + _about_single(n_single),
        was_adjusted=n_single > 0,
    )


def _monte_carlo(
    strata: IntArray, n_splits: int, size: float, rng: np.random.Generator
) -> ValidationPlan:
    drawn = [_draw(strata, size, rng) for _ in range(n_splits)]
    n_single = drawn[0][1]
    sentence = (
        f"{n_splits} random splits that each hold out {100 * size:g} % of the rows "
        f"(as asked{_stratified(strata)})."
    )
    return ValidationPlan(
        kind=ValidationKind.MONTE_CARLO,
        folds=tuple(fold for fold, _ in drawn),
        sentence=sentence + _about_single(n_single),
        was_adjusted=n_single > 0,
    )


def _deal(strata: IntArray, n_folds: int, rng: np.random.Generator) -> tuple[IntArray, int]:
    """Return each row's fold, -1 for rows that are only trained on, and their number.

    The rows of each class are shuffled and dealt out in turn, going on where the class
    before ended, so that folds differ by at most one row in size and in each class.
    """
    fold_of = np.full(len(strata), -1, dtype=np.int64)
    n_dealt, n_single = 0, 0
    for rows in _rows_by_class(strata):
        if len(rows) == 1:
            n_single += 1
            continue
        fold_of[rng.permutation(rows)] = (n_dealt + np.arange(len(rows))) % n_folds
        n_dealt += len(rows)
    if n_dealt < n_folds:
        raise DatasetError(
            f"Only {n_dealt} rows belong to a class with more than one row; that is too few for "
            f"{n_folds} folds."
        )
    return fold_of, n_single


def _draw(strata: IntArray, size: float, rng: np.random.Generator) -> tuple[Fold, int]:
    """Return one random split and the number of rows that can only be trained on.

    Each class gives its share; what rounding leaves over goes to the classes with the
    largest remainders. At least one row of each class stays in the training part.
    """
    groups = _rows_by_class(strata)
    sizes = np.array([len(rows) for rows in groups])
    n_valid = min(max(1, round(size * len(strata))), int((sizes - 1).sum()))
    exact = sizes * n_valid / len(strata)
    quota = np.minimum(np.floor(exact).astype(np.int64), sizes - 1)
    order = np.argsort(-(exact - quota) + 1e-9 * rng.random(len(sizes)), kind="stable")
    while quota.sum() < n_valid:
        for place in order:
            if quota.sum() < n_valid and quota[place] < sizes[place] - 1:
                quota[place] += 1
    is_valid = np.zeros(len(strata), dtype=bool)
    for rows, n_rows in zip(groups, quota, strict=True):
        is_valid[rng.permutation(rows)[:n_rows]] = True
    return (np.flatnonzero(~is_valid), np.flatnonzero(is_valid)), int((sizes == 1).sum())


def _rows_by_class(strata: IntArray) -> list[IntArray]:
    order = np.argsort(strata, kind="stable")
    starts = np.flatnonzero(np.diff(strata[order])) + 1
    return list(np.split(order, starts))


def _class_counts(strata: IntArray) -> IntArray:
    return np.array([len(rows) for rows in _rows_by_class(strata)])


def _stratified(strata: IntArray) -> str:
    return "; stratified by class" if (strata != strata[0]).any() else ""


def _about_single(n_single: int) -> str:
    if not n_single:
        return ""
    if n_single == 1:
        return " One class has a single row, which is only trained on."
    return f" {n_single} classes have a single row each, which is only trained on."
