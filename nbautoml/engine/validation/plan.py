"""What can be said of validation, and the splits that come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from nbautoml.runtime.splits import Fold, IntArray

__all__ = ["Fold", "IntArray", "ValidationKind", "ValidationOptions", "ValidationPlan"]


class ValidationKind(StrEnum):
    """How rows are split."""

    CROSS_VALIDATION = "cross_validation"
    HOLD_OUT = "hold_out"
    MONTE_CARLO = "monte_carlo"
    GIVEN = "given"
    CUSTOM = "custom"


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
    is_auto : bool, default False
        Whether the number of folds follows from what a fit costs and from `budget_seconds`.
    budget_seconds : float or None
        Time of the whole run, for `is_auto`; None is no limit.
    cv_split_columns : tuple of str
        Columns that hold 1 for the training rows and 0 for the validation rows of a split.
    cv_splits : tuple of (ndarray, ndarray)
        Training and validation rows of each split, as positions in the training data.
    group_column : str or None
        Column whose equal values mark rows that belong together: they are on one side of
        every split.
    """

    n_cross_validations: int | None = None
    validation_size: float | None = None
    is_auto: bool = False
    budget_seconds: float | None = None
    cv_split_columns: tuple[str, ...] = ()
    # Arrays have no truth value, so that options could not be compared by them.
    cv_splits: tuple[Fold, ...] = field(default=(), compare=False)
    group_column: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that say how to split, and are no features."""
        group = () if self.group_column is None else (self.group_column,)
        return (*self.cv_split_columns, *group)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationPlan:
    """The splits of a run.

    Parameters
    ----------
    kind : ValidationKind
        How they were made.
    folds : tuple of (ndarray, ndarray)
        Training rows and validation rows of each split, as sorted positions. Validation
        rows of cross-validation never repeat; those of random and of given splits may.
    sentence : str
        What was done, for people.
    was_adjusted : bool
        Whether rare classes, few rows or few groups made it differ from what was asked.
    size : float or None
        Share of the rows that each random split holds out; None for other splits.
    """

    kind: ValidationKind
    folds: tuple[Fold, ...]
    sentence: str
    was_adjusted: bool = False
    size: float | None = None

    @property
    def n_folds(self) -> int:
        """Number of splits."""
        return len(self.folds)
