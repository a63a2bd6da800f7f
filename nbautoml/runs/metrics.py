"""Logged numbers of a run, in the shape in which ``run.get_metrics()`` returns them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any  # Any: a number, or a list of numbers

from nbautoml.domain.records import MetricPoint
from nbautoml.store.session import Session


def read(
    session: Session, run_id: str, *, name: str | None = None, recursive: bool = False
) -> dict[str, Any]:
    """Return name to value (or list of values); with `recursive`, run id to that."""
    if recursive:
        with session.read() as tx:
            children = tx.runs.list(parent_id=run_id)
        return {c.id: read(session, c.id, name=name) for c in children}
    with session.read() as tx:
        logged = tx.metrics.get(run_id)
    return {key: _value(points) for key, points in logged.items() if name is None or key == name}


def write(session: Session, run_id: str, name: str, values: Sequence[float]) -> None:
    """Log numbers under a name, after those that are there."""
    now = time.time()
    with session.write() as tx:
        first = len(tx.metrics.get(run_id).get(name, ()))
        points = [
            MetricPoint(name=name, value=float(v), step=first + i, time=now)
            for i, v in enumerate(values)
        ]
        tx.metrics.log(run_id, points)


def _value(points: Sequence[MetricPoint]) -> Any:
    values = [math.nan if p.value is None else p.value for p in points]
    return values[0] if len(values) == 1 else values
