"""How the training rows are split to score models; the SDK's defaults.

The defaults are documented in "Configure data splits and cross-validation in automated
machine learning" (learn.microsoft.com): above 20,000 rows 10 % are held out; below 1,000
rows there are 10 folds, between them 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any  # Any: labels are codes or floats

import numpy as np
import numpy.typing as npt

from nbautoml.domain.tasks import Task
from nbautoml.engine.validation.plan import (
    Fold,
    IntArray,
    ValidationKind,
    ValidationOptions,
    ValidationPlan,
)
from nbautoml.errors import ConfigError, DatasetError
from nbautoml.runtime.splits import deal_groups, deal_rows, draw_split, folds_of, rows_by_class

HOLD_OUT_ROWS = 20_000
HOLD_OUT_SIZE = 0.1
FEW_ROWS = 1_000
MANY_FOLDS = 10
FEW_FOLDS = 3

AUTO_FOLDS = (5, 3)
"""Numbers of folds of ``n_cross_validations='auto'``, the best one first."""
LEAST_MODELS = 12
"""A number of folds is taken when the run's time is enough for this many boosted models on
them: fewer are no search. More folds than 5 never pay before that, and repeats never do."""
AUTO_SIZE = 0.2
AUTO_VALID_ROWS = (2_500, 10_000)
"""Rows to hold out, at least and at most, where time is short: more do not tell models apart
better, fewer not well enough."""
_LARGEST_AUTO_SIZE = 1 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """What is known of each row: its class (or 0), and its group, where there are groups."""

    strata: IntArray
    groups: IntArray | None
    rng: np.random.Generator

    @property
    def n_rows(self) -> int:
        return len(self.strata)

    @property
    def n_groups(self) -> int:
        return 0 if self.groups is None else int(self.groups.max()) + 1


def plan_validation(
    task: Task | str,
    y: npt.NDArray[Any],
    options: ValidationOptions,
    seed: int,
    n_valid_rows: int = 0,
    *,
    groups: IntArray | None = None,
    splits: Sequence[Fold] = (),
    fit_seconds: float = 0.0,
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
    groups : ndarray of int, shape (n_rows,), optional
        Codes of the groups, from 0 without gaps; rows of a group are on one side of each split.
    splits : sequence of (ndarray, ndarray)
        Splits that the user made, of these rows.
    fit_seconds : float, default 0
        What one boosted model on all rows is expected to take, for `options.is_auto`.

    Raises
    ------
    ConfigError
        For settings that contradict each other or the data.
    DatasetError
        When there are too few rows, or groups, to split.
    """
    strata = np.asarray(y) if Task(task) is Task.CLASSIFICATION else np.zeros(len(y), np.int64)
    _check_options(options, n_valid_rows)
    if n_valid_rows:
        return _given(strata, n_valid_rows)
    if splits:
        return _custom(strata, splits)
    if len(y) < 4:
        raise DatasetError(f"At least 4 rows are needed to train and validate; got {len(y)}.")
    rows = _Rows(strata=strata, groups=groups, rng=np.random.default_rng(seed))
    if rows.groups is not None and rows.n_groups < 2:
        raise DatasetError(
            f"All rows have the same value in group column {options.group_column!r}; at least 2 "
            "groups are needed to train on one and validate on another."
        )
    n_folds, size = options.n_cross_validations, options.validation_size
    if n_folds is not None and size is not None:
        return _monte_carlo(rows, n_folds, size)
    if size is not None:
        return _hold_out(rows, size, why="as asked")
    if n_folds is not None:
        return _cross_validation(rows, n_folds, why="as asked")
    if options.is_auto:
        return _by_budget(rows, fit_seconds, options.budget_seconds)
    return _by_rows(rows)


def _check_options(options: ValidationOptions, n_valid_rows: int) -> None:
    n_folds, size = options.n_cross_validations, options.validation_size
    if n_valid_rows and (n_folds is not None or size is not None or options.is_auto):
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


def _custom(strata: IntArray, splits: Sequence[Fold]) -> ValidationPlan:
    few = next((number for number, (train, _) in enumerate(splits) if len(train) < 2), None)
    if few is not None:
        raise DatasetError(f"Split {few} has a single training row; at least 2 are needed.")
    n_valid = len(np.unique(np.concatenate([valid for _, valid in splits])))
    noun = "split" if len(splits) == 1 else "splits"
    sentence = f"{len(splits)} {noun} as given; {n_valid:,} of {len(strata):,} rows validate."
    n_unseen = _count_unseen(strata, splits)
    return ValidationPlan(
        kind=ValidationKind.CUSTOM,
        folds=tuple(splits),
        sentence=sentence + _about_unseen(n_unseen),
        was_adjusted=n_unseen > 0,
    )


def _by_rows(rows: _Rows) -> ValidationPlan:
    n_rows = rows.n_rows
    if n_rows > HOLD_OUT_ROWS:
        return _hold_out(rows, HOLD_OUT_SIZE, why=f"more than {HOLD_OUT_ROWS:,} rows")
    n_folds = MANY_FOLDS if n_rows < FEW_ROWS else FEW_FOLDS
    why = f"{'fewer than' if n_rows < FEW_ROWS else 'at least'} {FEW_ROWS:,} rows"
    return _chosen_folds(rows, n_folds, why)


def _by_budget(rows: _Rows, fit_seconds: float, budget_seconds: float | None) -> ValidationPlan:
    """Split into as many folds as the run's time allows models on, or hold out rows."""
    if budget_seconds is None:
        return _chosen_folds(rows, AUTO_FOLDS[0], "chosen for a run without a time limit")
    for n_folds in AUTO_FOLDS:
        if LEAST_MODELS * n_folds * fit_seconds <= budget_seconds:
            return _chosen_folds(rows, n_folds, "chosen by the time of the run")
    fewest, most = AUTO_VALID_ROWS
    n_valid = min(max(AUTO_SIZE * rows.n_rows, fewest), most)
    size = min(n_valid / rows.n_rows, _LARGEST_AUTO_SIZE)
    return _hold_out(rows, size, why="folds would take too much of the run's time")


def _chosen_folds(rows: _Rows, n_folds: int, why: str) -> ValidationPlan:
    """Split into folds that nobody asked for: the smaller of two classes is in each of them."""
    counts = np.array([len(places) for places in rows_by_class(rows.strata)])
    if len(counts) == 2 and 2 <= counts.min() < n_folds:
        n_folds = int(counts.min())
        why = f"the smaller class has {n_folds} rows"
        return replace(_cross_validation(rows, n_folds, why=why), was_adjusted=True)
    return _cross_validation(rows, n_folds, why=why)


def _cross_validation(rows: _Rows, n_folds: int, *, why: str) -> ValidationPlan:
    was_adjusted = False
    most = rows.n_rows // 2 if rows.groups is None else rows.n_groups
    if n_folds > most:
        parts = f"{rows.n_rows} rows" if rows.groups is None else f"{rows.n_groups} groups"
        n_folds, why, was_adjusted = most, f"there are only {parts}", True
    n_single = 0
    if rows.groups is None:
        try:
            fold_of, n_single = deal_rows(rows.strata, n_folds, rows.rng)
        except ValueError as error:
            raise DatasetError(str(error)) from error
    else:
        fold_of = deal_groups(rows.strata, rows.groups, np.full(n_folds, 1 / n_folds), rows.rng)
    return _made(
        rows,
        ValidationKind.CROSS_VALIDATION,
        tuple(folds_of(fold_of, n_folds)),
        f"Cross-validation with {n_folds} folds ({why}{_details(rows)}).",
        n_single=n_single,
        was_adjusted=was_adjusted,
    )


def _hold_out(rows: _Rows, size: float, *, why: str) -> ValidationPlan:
    fold, n_single = draw_split(rows.strata, size, rows.rng, rows.groups)
    share = f"{100 * len(fold[1]) / rows.n_rows:.3g} % of the rows ({len(fold[1]):,})"
    sentence = f"Hold-out of {share} ({why}{_details(rows)})."
    return _made(rows, ValidationKind.HOLD_OUT, (fold,), sentence, n_single=n_single, size=size)


def _monte_carlo(rows: _Rows, n_splits: int, size: float) -> ValidationPlan:
    drawn = [draw_split(rows.strata, size, rows.rng, rows.groups) for _ in range(n_splits)]
    sentence = (
        f"{n_splits} random splits that each hold out {100 * size:g} % of the rows "
        f"(as asked{_details(rows)})."
    )
    folds = tuple(fold for fold, _ in drawn)
    kind, n_single = ValidationKind.MONTE_CARLO, drawn[0][1]
    return _made(rows, kind, folds, sentence, n_single=n_single, size=size)


def _made(
    rows: _Rows,
    kind: ValidationKind,
    folds: tuple[Fold, ...],
    sentence: str,
    *,
    n_single: int,
    was_adjusted: bool = False,
    size: float | None = None,
) -> ValidationPlan:
    # Rows that are dealt one by one never leave a class out of training.
    n_unseen = 0 if rows.groups is None else _count_unseen(rows.strata, folds)
    return ValidationPlan(
        kind=kind,
        folds=folds,
        sentence=sentence + _about_single(n_single) + _about_unseen(n_unseen),
        was_adjusted=was_adjusted or n_single > 0 or n_unseen > 0,
        size=size,
    )


def _count_unseen(strata: IntArray, folds: Sequence[Fold]) -> int:
    """Return how many classes a split validates on without having trained on them."""
    unseen = [np.setdiff1d(strata[valid], strata[train]) for train, valid in folds]
    return len(np.unique(np.concatenate(unseen)))


def _details(rows: _Rows) -> str:
    """Return what else is said of a split, with a leading semicolon."""
    stratified = "; stratified by class" if (rows.strata != rows.strata[0]).any() else ""
    grouped = "" if rows.groups is None else f"; {rows.n_groups:,} groups kept together"
    return stratified + grouped


def _about_single(n_single: int) -> str:
    if not n_single:
        return ""
    if n_single == 1:
        return " One class has a single row, which is only trained on."
    return f" {n_single} classes have a single row each, which is only trained on."


def _about_unseen(n_unseen: int) -> str:
    if not n_unseen:
        return ""
    noun, verb = ("class", "is") if n_unseen == 1 else ("classes", "are")
    return f" {n_unseen} {noun} {verb} validated in a split that does not train on all of them."
