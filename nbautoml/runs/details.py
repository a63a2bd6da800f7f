"""``run.get_details()``: what is known of a run, in the SDK's shape."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any  # Any: JSON values

from nbautoml.domain.records import RunRecord
from nbautoml.store.session import Session


def run_details(session: Session, run: RunRecord) -> dict[str, Any]:
    """Return the details of a run.

    Times are ISO 8601 in UTC; ``logFiles`` maps the names of stored logs to where they are.
    """
    with session.read() as tx:
        logs = tx.artifacts.list(run.id, prefix="logs/")
    found: dict[str, Any] = {
        "runId": run.id,
        "target": run.settings.get("compute_target", "local"),
        "status": run.status.value,
        "startTimeUtc": _iso(run.started_at or run.created_at),
        "endTimeUtc": _iso(run.ended_at),
        "properties": dict(run.properties),
        "tags": dict(run.tags),
        "runDefinition": dict(run.settings),
        "logFiles": {artifact.name: artifact.uri for artifact in logs},
    }
    if run.parent_id:
        found["parentRunId"] = run.parent_id
    if run.reason:
        found["error" if run.status.value == "Failed" else "message"] = run.reason
    return found


def _iso(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
