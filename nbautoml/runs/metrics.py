"""What a run logged, in the shape in which ``run.get_metrics()`` returns it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any  # Any: a number, a text, a list or a table of them

from nbautoml.domain.events import ValuesLogged
from nbautoml.domain.logged import Cell, Logged, fold_logged
from nbautoml.domain.records import MetricPoint
from nbautoml.store.session import Session


def read(
    session: Session, run_id: str, *, name: str | None = None, recursive: bool = False
) -> dict[str, Any]:
    """Return name to value (or list of values); with `recursive`, run id to that.

    Tables are mappings of column to values; pictures and charts are addresses in the SDK's form.
    """
    if recursive:
        with session.read() as tx:
            children = tx.runs.list(parent_id=run_id)
        return {c.id: read(session, c.id, name=name) for c in children}
    with session.read() as tx:
        logged = tx.metrics.get(run_id)
        more = fold_logged(tx.events.read_kinds(run_id, [ValuesLogged.kind]))
    found = {key: _value(points) for key, points in logged.items()} | _more(run_id, more)
    return {key: value for key, value in found.items() if name is None or key == name}


def _more(run_id: str, logged: Logged) -> dict[str, Any]:
    """Return what is not a series of numbers: texts, tables, files."""
    found: dict[str, Any] = {
        series.name: _single(series.values) for series in logged.series if series.has_text
    }
    for table in logged.tables:
        found[table.name] = {column: _single(cells) for column, cells in table.columns.items()}
    for file in logged.files:
        found[file.name] = f"aml://artifactId/ExperimentRun/dcid.{run_id}/{file.file}"
    return found


def _single(cells: Sequence[Cell]) -> Any:
    values = [math.nan if cell is None else cell for cell in cells]
    return values[0] if len(values) == 1 else values


def _value(points: Sequence[MetricPoint]) -> Any:
    return _single([point.value for point in points])
