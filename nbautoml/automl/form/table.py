"""A table as a form shows it: its columns, what each would be used as, which one to predict."""

from __future__ import annotations

from typing import Any  # Any: JSON values, cells

import pandas as pd

from nbautoml.automl.guess import GUESS_ROWS, guess_label, guess_task
from nbautoml.data.named import NamedData
from nbautoml.data.profile import ColumnStatistics, describe_column
from nbautoml.domain.events import json_safe
from nbautoml.domain.tasks import Task
from nbautoml.engine.featurize.detect import Detected, detect, ignore

MOST_ROWS = 200_000
MOST_CELLS = 20_000_000
"""Cells that are looked at: some 200 MB of numbers, and a few seconds."""
LEAST_ROWS = 1_000
HEAD_ROWS = 8
MOST_COLUMNS = 5_000
"""Columns that are listed; of more, the first ones and the last one."""
_MOST_LETTERS = 60


def describe_table(data: NamedData) -> dict[str, Any]:
    """Return what a form shows of data.

    Parameters
    ----------
    data : NamedData
        The data; it is read here.

    Returns
    -------
    dict
        ``name``; ``rows`` (None where it is not known) and ``seen_rows``, those that were looked
        at; ``n_columns``; ``columns``, a dict each; ``head``, the first rows as texts; ``label``,
        the suggested one with ``reason``.

    Raises
    ------
    DatasetError
        When the data cannot be read.
    """
    width = data.head(1).shape[1]
    limit = rows_to_look_at(width)
    frame = data.head(limit + 1)
    is_whole = len(frame) <= limit
    frame = frame.iloc[:limit]
    names = list(frame.columns)
    shown = names if len(names) <= MOST_COLUMNS else [*names[: MOST_COLUMNS - 1], names[-1]]
    columns = [_column(frame[name]) for name in shown]
    label, reason = guess_label([c["name"] for c in columns if c["can_predict"]])
    described = {
        "name": data.name,
        "rows": len(frame) if is_whole else data.n_rows,
        "seen_rows": len(frame),
        "n_columns": len(names),
        "columns": columns,
        "head": [[_cell(v) for v in row] for row in frame[shown].head(HEAD_ROWS).to_numpy(object)],
        "label": {"name": label, "reason": reason},
    }
    safe: dict[str, Any] = json_safe(described)
    return safe


def rows_to_look_at(n_columns: int) -> int:
    """Return how many of a table's first rows the profile is made of.

    Examples
    --------
    >>> rows_to_look_at(10), rows_to_look_at(500), rows_to_look_at(10**6)
    (200000, 40000, 1000)
    """
    return max(LEAST_ROWS, min(MOST_ROWS, MOST_CELLS // max(1, n_columns)))


def _column(column: pd.Series[Any]) -> dict[str, Any]:
    stats = describe_column(column)
    found = _detected(column)
    task, reason = _task(column)
    note, can_predict = _as_label(stats, task)
    return {
        "name": stats.name,
        "dtype": stats.dtype,
        "kind": stats.kind,
        "missing": stats.missing_count,
        "unique": stats.unique_count,
        "min": stats.min,
        "max": stats.max,
        "mean": stats.mean,
        "histogram": [part.count for part in stats.histogram],
        "top": [list(pair) for pair in stats.top],
        "purpose": found.purpose.value,
        "reason": " ".join([found.reason, *found.notes]),
        "task": None if task is None else task.value,
        "task_reason": reason,
        "can_predict": can_predict,
        "label_note": note,
    }


def _detected(column: pd.Series[Any]) -> Detected:
    """Return what a run would use the column as."""
    try:
        return detect(column, str(column.name))
    except ValueError as error:
        return ignore(str(error))


def _task(column: pd.Series[Any]) -> tuple[Task | None, str]:
    try:
        return guess_task(column.head(GUESS_ROWS))
    except TypeError:  # lists and other cells without a hash
        return None, ""


def _as_label(stats: ColumnStatistics, task: Task | None) -> tuple[str, bool]:
    """Return what is to be known of a column as the label, and whether it can be one."""
    if task is None:
        return "Its cells hold lists or other containers, which cannot be predicted.", False
    if stats.unique_count == 0:
        return "No value is there, so there is nothing to predict.", False
    if stats.unique_count == 1:
        return "All values are the same, so there is nothing to predict.", False
    is_class = task is Task.CLASSIFICATION
    if is_class and stats.unique_count == stats.count and stats.count > 2:
        return "Each value is different, so there is nothing to learn as classes.", False
    if stats.missing_count:
        rows = "row has" if stats.missing_count == 1 else "rows have"
        kept = "is" if stats.missing_count == 1 else "are"
        return f"{stats.missing_count:,} {rows} no label and {kept} left out.", True
    return "", True


def _cell(value: Any) -> str:
    """Return a cell as text; a missing one is empty."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    text = str(value)
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"
