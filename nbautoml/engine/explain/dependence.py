"""How a model's answer changes with one column: partial dependence, and a curve for each row.

The mean over rows is the partial dependence of Friedman, "Greedy function approximation", 2001;
the rows' own curves are those of Goldstein and others, "Peeking inside the black box", 2015: they
show where rows differ, which a mean hides. Values are such as occur in the column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from nbautoml.engine.explain.mixing import Ground, RawGround
from nbautoml.engine.explain.parts import shown_outputs
from nbautoml.engine.search.budget import Deadline
from nbautoml.runtime import parsing

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

POINTS, CATEGORIES = 20, 12
"""Most values of a column of numbers or dates, and of one of categories, the most frequent."""
MEAN_ROWS, CURVES = 200, 30
"""Rows over which the mean is taken, and rows whose own curves are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Values of one column, as rows that hold them.

    Parameters
    ----------
    name : str
        The column.
    is_ordered : bool
        Whether the values are numbers or dates.
    rows : ndarray of int, shape (n_values,)
        A row for each value, in the order of the values or of their frequency.
    labels : tuple of str or float
        What the values are.
    """

    name: str
    is_ordered: bool
    rows: IntArray
    labels: tuple[str | float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependence:
    """What a model answers along one column.

    Parameters
    ----------
    grid : Grid
        The values.
    mean : ndarray of shape (n_outputs, n_values)
        Mean answers over the rows.
    curves : ndarray of shape (n_rows, n_values)
        Answers for single rows, of the last output: the second of two classes, or numbers;
        empty with more classes.
    """

    grid: Grid
    mean: FloatArray
    curves: FloatArray


def grid_of(column: pd.Series, kind: str) -> Grid | None:
    """Return values of a column to go along; None where there are fewer than two, and for texts.

    Parameters
    ----------
    column : Series of shape (n_rows,)
        The column as the input adapter reads it.
    kind : {"number", "boolean", "date", "category", "text"}
        How it is read.

    Examples
    --------
    >>> grid_of(pd.Series([3.0, 1.0, 2.0, 1.0], name="x"), "number").labels
    (1.0, 2.0, 3.0)
    """
    name = str(column.name)
    if kind == "text":
        return None
    codes, values = parsing.distinct(column.astype(object) if kind == "category" else column)
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    if len(values) < 2:
        return None
    first = np.full(len(values), -1, dtype=np.int64)
    known = np.flatnonzero(codes >= 0)[::-1]
    first[codes[known]] = known
    if kind == "category":
        chosen = np.argsort(-counts, kind="stable")[:CATEGORIES]
        labels: list[str | float] = [parsing.label_of(values[i]) for i in chosen]
        return Grid(name=name, is_ordered=False, rows=first[chosen], labels=tuple(labels))
    chosen = _quantiles(np.array(values), counts)
    labels = [_label(values[i], kind) for i in chosen]
    return Grid(name=name, is_ordered=True, rows=first[chosen], labels=tuple(labels))


def _quantiles(values: npt.NDArray[np.generic], counts: npt.NDArray[np.int64]) -> IntArray:
    """Return places of values at even shares of the rows, each once, in their order."""
    order = np.argsort(values, kind="stable")
    if len(order) <= POINTS:
        return np.asarray(order)
    shares = np.cumsum(counts[order]) / counts.sum()
    wanted = np.linspace(0.0, 1.0, POINTS)
    places = np.minimum(np.searchsorted(shares, wanted - 1e-9), len(order) - 1)
    return np.asarray(order[np.unique(places)])


def _label(value: object, kind: str) -> str | float:
    return str(pd.Timestamp(value))[:19] if kind == "date" else float(value)  # type: ignore[arg-type]  # cells of the adapter


def follow(
    ground: RawGround | Ground,
    grids: Sequence[Grid],
    *,
    deadline: Deadline,
    report: Callable[[int, int], None] | None = None,
) -> list[Dependence]:
    """Return what a model answers along columns, as far as time goes.

    Parameters
    ----------
    ground : Ground
        Rows and model; the first rows are those whose answers are taken.
    grids : sequence of Grid
        The columns, the most important first; their rows are rows of `ground`.
    deadline : Deadline
        When to stop.
    report : callable, optional
        Told how many columns of how many are done.
    """
    found: list[Dependence] = []
    rows = np.arange(min(ground.n_rows, MEAN_ROWS))
    places = {name: j for j, name in enumerate(ground.names)}
    for grid in grids:
        if deadline.is_over():
            break
        asked = np.repeat(rows, len(grid.rows))
        changes = {places[grid.name]: np.tile(grid.rows, len(rows))}
        answers = shown_outputs(ground.answers(asked, changes))
        by_row = answers.reshape(len(rows), len(grid.rows), -1)
        is_single = by_row.shape[2] == 1
        curves = by_row[:CURVES, :, 0] if is_single else np.empty((0, len(grid.rows)))
        found.append(Dependence(grid=grid, mean=by_row.mean(axis=0).T, curves=curves))
        if report is not None:
            report(len(found), len(grids))
    return found
