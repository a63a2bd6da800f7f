"""How well a model does on parts of the rows: by the values of a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.engine.explain.permutation import Score
from nbautoml.runtime import parsing

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

QUANTILES, CATEGORIES = 4, 6
"""Parts of a column of numbers or dates; categories that are parts of their own."""
FEWEST_ROWS = 10
"""Fewer rows than this tell nothing of how well a model does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Rows that are alike in one column.

    Parameters
    ----------
    column : str
        The column.
    part : str
        What its cells have in common, such as ``"30 to 45"``.
    n_rows : int
        How many rows there are.
    score : float
        The primary metric; NaN where it has no meaning for these rows.
    error : float
        Share of wrong classes, or mean absolute error.
    """

    column: str
    part: str
    n_rows: int
    score: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Rows with their labels and held-out predictions.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes or numbers.
    predicted : ndarray of shape (n_rows, n_classes) or (n_rows, 1)
        Of models that were not fitted on the row.
    weight : ndarray of float, shape (n_rows,), or None
        How much each row counts.
    """

    y: npt.NDArray[np.generic]
    predicted: FloatArray
    weight: FloatArray | None = None

    @property
    def errors(self) -> FloatArray:
        """1 for a wrong class and 0 for a right one, or how far a number is off."""
        if self.predicted.shape[1] > 1:
            return np.asarray(self.predicted.argmax(axis=1) != self.y, dtype=np.float64)
        return np.asarray(np.abs(self.predicted[:, 0] - self.y.astype(np.float64)))

    def take(self, rows: IntArray) -> Answered:
        """Return some of the rows."""
        weight = None if self.weight is None else self.weight[rows]
        return Answered(y=self.y[rows], predicted=self.predicted[rows], weight=weight)


def find_cohorts(
    columns: pd.DataFrame, kinds: Sequence[str], rows: Answered, score: Score
) -> list[Cohort]:
    """Return cohorts by each column.

    Parameters
    ----------
    columns : DataFrame of shape (n_rows, n_columns)
        Columns as the input adapter reads them.
    kinds : sequence of str
        How each is read; texts have no cohorts.
    rows : Answered
        Labels and predictions.
    score : callable
        The primary metric, see `Score`; its sign is turned back by the caller where less is
        better.
    """
    found: list[Cohort] = []
    errors = rows.errors
    for name, kind in zip(columns.columns, kinds, strict=True):
        if kind == "text":
            continue
        for part, places in _parts(columns[name], kind):
            if len(places) < FEWEST_ROWS:
                continue
            some = rows.take(places)
            found.append(
                Cohort(
                    column=str(name),
                    part=part,
                    n_rows=len(places),
                    score=score(some.y, some.predicted, some.weight),
                    error=float(np.average(errors[places], weights=some.weight)),
                )
            )
    return found


def _parts(column: pd.Series, kind: str) -> list[tuple[str, IntArray]]:
    """Return parts of the rows, with what is common to their cells."""
    is_missing = column.isna().to_numpy()
    parts = _categories(column) if kind in ("category", "boolean") else _ranges(column, kind)
    if is_missing.any():
        parts.append(("missing", np.flatnonzero(is_missing)))
    return parts


def _categories(column: pd.Series) -> list[tuple[str, IntArray]]:
    codes, values = parsing.distinct(column.astype(object))
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    order = np.argsort(-counts, kind="stable")
    own = order[:CATEGORIES]
    parts = [(parsing.label_of(values[i]), np.flatnonzero(codes == i)) for i in own]
    if len(order) > CATEGORIES:
        others = np.flatnonzero(np.isin(codes, order[CATEGORIES:]))
        parts.append((f"{len(order) - CATEGORIES} others", others))
    return parts


def _ranges(column: pd.Series, kind: str) -> list[tuple[str, IntArray]]:
    known = column.dropna()
    if known.empty:
        return []
    ordered = np.sort(known.to_numpy())
    places = np.linspace(0, len(ordered) - 1, QUANTILES + 1).round().astype(np.int64)
    edges = np.unique(ordered[places])
    if len(edges) < 2:
        return [(_words(edges[0], kind), np.flatnonzero(column.notna()))]
    place = np.clip(np.searchsorted(edges, column.to_numpy(), side="right") - 1, 0, len(edges) - 2)
    is_known = column.notna().to_numpy()
    return [
        (
            f"{_words(edges[i], kind)} to {_words(edges[i + 1], kind)}",
            np.flatnonzero((place == i) & is_known),
        )
        for i in range(len(edges) - 1)
    ]


def _words(value: object, kind: str) -> str:
    return str(pd.Timestamp(value))[:10] if kind == "date" else f"{value:.4g}"  # type: ignore[arg-type]  # cells of the adapter
