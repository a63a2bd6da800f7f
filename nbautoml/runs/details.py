"""What is known of a run: its state, and ``run.get_details()`` in the SDK's shape."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any  # Any: JSON values

from nbautoml.domain.records import RunRecord
from nbautoml.domain.snapshot import RunSnapshot, SnapshotFold
from nbautoml.domain.status import RunStatus
from nbautoml.store.reaper import is_orphan
from nbautoml.store.session import Session

OUTPUT_DATASETS = "output_datasets"
"""Property of a run: JSON list of the ids of datasets that it made."""

LOST = (
    "Its process was lost. Finished models are kept; the run goes on when its workspace is opened."
)
"""Why a run is not responding."""


def run_snapshot(session: Session, run_id: str) -> RunSnapshot:
    """Return the state of a run, folded from its events.

    A run whose process is gone is ``NotResponding``: its log cannot say that.

    Raises
    ------
    NotFoundError
        When the workspace has no such run.
    """
    fold = SnapshotFold(run_id)
    with session.read() as tx:
        tx.runs.get(run_id)
        fold.apply_all(tx.events.read(run_id))
    return with_life(session, fold.build())


def with_life(session: Session, snapshot: RunSnapshot) -> RunSnapshot:
    """Return a run's state with what its log does not know: whether its process is there.

    Parameters
    ----------
    session : Session
        The open store.
    snapshot : RunSnapshot
        What the log says.
    """
    if snapshot.status.is_terminal or snapshot.seq == 0:
        return snapshot
    with session.read() as tx:
        run = tx.runs.get(snapshot.run_id)
    if run.status.is_terminal or not is_orphan(run, now=time.time()):
        return snapshot
    return replace(snapshot, status=RunStatus.NOT_RESPONDING, reason=LOST)


def run_details(session: Session, run: RunRecord) -> dict[str, Any]:
    """Return the details of a run.

    Times are ISO 8601 in UTC; ``logFiles`` maps the names of stored logs to where they are.
    """
    with session.read() as tx:
        logs = [
            artifact
            for prefix in ("logs/", "user_logs/")
            for artifact in tx.artifacts.list(run.id, prefix=prefix)
        ]
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
    made = json.loads(run.properties.get(OUTPUT_DATASETS, "[]"))
    if made:
        found["outputDatasets"] = [{"identifier": {"savedId": dataset_id}} for dataset_id in made]
    if run.parent_id:
        found["parentRunId"] = run.parent_id
    if run.reason:
        found["error" if run.status.value == "Failed" else "message"] = run.reason
    return found


def _iso(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
