"""What a guardrail gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any  # Any: labels are codes or floats

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.domain.events import GuardrailReported
from nbautoml.domain.tasks import Task
from nbautoml.engine.profile import ColumnPurpose, DataProfile
from nbautoml.engine.validation import ValidationKind, ValidationPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailInput:
    """The training data and what is known of it (see `run_guardrails`).

    ``X`` are the raw rows, ``columns`` the used columns as the models' featurizers get them:
    numbers and truth values as float64, dates as datetime64, categories as `pandas.Categorical`
    of strings, texts as strings.
    """

    X: pd.DataFrame
    columns: pd.DataFrame
    y: npt.NDArray[Any]
    profile: DataProfile
    validation: ValidationPlan
    task: Task
    class_labels: tuple[str, ...] = ()
    n_dropped_rows: int = 0
    n_weightless_rows: int = 0

    @property
    def is_random_split(self) -> bool:
        """Whether rows were dealt to the parts of the split by chance."""
        return self.validation.kind not in (ValidationKind.GIVEN, ValidationKind.CUSTOM)

    def purpose_of(self, name: str) -> ColumnPurpose:
        """Return the type of a used column."""
        return next(column.purpose for column in self.profile.used if column.name == name)

    def label_of(self, code: int) -> str:
        """Return the name of a class."""
        return self.class_labels[code] if code < len(self.class_labels) else str(code)


Guardrail = Callable[[GuardrailInput], GuardrailReported | None]


def sample_rows(n_rows: int, most: int) -> npt.NDArray[np.int64]:
    """Return the places of at most so many rows, drawn by chance, in their order.

    Examples
    --------
    >>> sample_rows(3, 10).tolist(), len(sample_rows(1_000, 10))
    ([0, 1, 2], 10)
    """
    if n_rows <= most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(0).choice(n_rows, most, replace=False))


def row_hashes(columns: pd.DataFrame) -> npt.NDArray[np.uint64]:
    """Return a hash of each row; equal rows have the same.

    Examples
    --------
    >>> hashes = row_hashes(pd.DataFrame({"a": [1.0, 2.0, 1.0]}))
    >>> bool(hashes[0] == hashes[2]), bool(hashes[0] == hashes[1])
    (True, False)
    """
    return np.asarray(pd.util.hash_pandas_object(columns, index=False), dtype=np.uint64)


def missing_cells(column: pd.Series) -> npt.NDArray[np.bool_]:
    """Return which cells of a read column are missing.

    Examples
    --------
    >>> missing_cells(pd.Series(["word", ""], dtype=object)).tolist()
    [False, True]
    """
    if column.dtype == object:
        return np.asarray(column == "")
    return np.asarray(column.isna())


def named(count: int, noun: str) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> named(1, "column"), named(1200, "row")
    ('1 column', '1,200 rows')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
