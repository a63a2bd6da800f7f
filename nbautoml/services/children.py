"""The child runs of a script's run, or of one that is logged by hand, as a front lists them."""

from __future__ import annotations

from typing import Any  # Any: JSON values

from nbautoml.domain.events import json_safe
from nbautoml.domain.records import RunRecord
from nbautoml.store.session import Session

MOST_CHILDREN = 1_000
"""The newest children that a view is given; it is told how many there are."""
MOST_METRICS = 12
"""Columns for what they logged: the names that most of them have."""


def run_children(session: Session, run_id: str, most: int = MOST_CHILDREN) -> dict[str, Any]:
    """Return the direct children of a run, the newest first.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The run.
    most : int, default 1,000
        How many at most.

    Returns
    -------
    dict
        ``n`` (how many there are), ``metrics`` (names of numbers that they logged) and ``rows``:
        ``id``, ``number``, ``name`` (else its tags, else its id), ``type``, ``status``,
        ``started_at``, ``ended_at``, ``is_live`` and ``values``, the last of each metric or None.

    Raises
    ------
    NotFoundError
        When there is no such run.
    """
    with session.read() as tx:
        tx.runs.get(run_id)
        children = tx.runs.list(parent_id=run_id)
        shown = children[::-1][:most]
        logged = tx.metrics.last([child.id for child in shown])
    names = _common_names(logged)
    rows = [_row(child) | {"values": _values(logged[child.id], names)} for child in shown]
    return {"n": len(children), "metrics": names, "rows": rows}


def _common_names(logged: dict[str, dict[str, float | None]]) -> list[str]:
    """Return the names that most children logged, in the order of the alphabet."""
    counts: dict[str, int] = {}
    for metrics in logged.values():
        for name in metrics:
            counts[name] = counts.get(name, 0) + 1
    often = sorted(counts, key=lambda name: (-counts[name], name))
    return sorted(often[:MOST_METRICS])


def _values(metrics: dict[str, float | None], names: list[str]) -> list[Any]:
    return [json_safe(metrics.get(name)) for name in names]


def _row(child: RunRecord) -> dict[str, Any]:
    tags = ", ".join(f"{key}: {value}" if value else key for key, value in child.tags.items())
    return {
        "id": child.id,
        "number": child.number,
        "name": child.display_name or tags or child.id,
        "type": child.type,
        "status": child.status.value,
        "started_at": child.started_at,
        "ended_at": child.ended_at,
        "is_live": not child.status.is_terminal,
    }
