"""Writes the engine's events to the run's log, with the rows that belong to them; its files.

A trial is a child run: its row, its metrics and its properties are written in the transaction
of the event that they follow from, so that the log and the rows never disagree.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any  # Any: hyperparameters

from nbautoml.automl.artifacts import SERVED_MODEL
from nbautoml.automl.stored_model import own_model
from nbautoml.domain import events as ev
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.records import MetricPoint, RunRecord
from nbautoml.domain.status import RunStatus, TrialOutcome
from nbautoml.errors import ConflictError
from nbautoml.runs.work import Project, StoredArtifacts, WorkContext
from nbautoml.store.session import Writer

_STATUS = {
    TrialOutcome.COMPLETED: RunStatus.COMPLETED,
    TrialOutcome.CANCELED: RunStatus.CANCELED,
}


class ModelArtifacts(StoredArtifacts):
    """`ArtifactSink` of a run's trials, some of which may be their owner's already.

    What a bundle was made of refers to this package no more; the engine gets the file that it
    wrote itself.
    """

    def local_path(self, number: int | None, name: str) -> Path:
        """Return a readable local path of a stored file."""
        if name == SERVED_MODEL:
            name = own_model(self._session, self.owner(number))
        return super().local_path(number, name)


class ChildRunSink:
    """`EventSink` that keeps child runs in step with the trials.

    Parameters
    ----------
    context : WorkContext
        The run whose trials they are.
    primary_metric : str
        Kept in each child's properties.
    """

    def __init__(self, context: WorkContext, primary_metric: str) -> None:
        self._context = context
        self._primary = primary_metric

    def emit(self, event: ev.Event) -> None:
        """Append an event; one that ends a trial is durable when this returns."""
        may_wait = isinstance(event, ev.TrialStarted)  # its row is made at its end at the latest
        self._context.emit(event, self._project(event), may_wait=may_wait)

    def emit_all(self, events: Sequence[ev.Event]) -> None:
        """Append events in one transaction, which is durable when this returns."""
        self._context.events.emit_all([(event, self._project(event)) for event in events])

    def _project(self, event: ev.Event) -> Project | None:
        if isinstance(event, ev.TrialStarted):
            return lambda tx: self._start(tx, event)
        if isinstance(event, ev.TrialFinished):
            return lambda tx: self._finish(tx, event)
        if isinstance(event, ev.StatusChanged):
            run_id, now = self._context.run.id, time.time()
            return lambda tx: tx.runs.set_status(
                run_id, event.status, reason=event.reason, time=now
            )
        return None

    def _start(self, tx: Writer, event: ev.TrialStarted) -> None:
        child_id = child_run_id(self._context.run.id, event.number)
        with suppress(ConflictError):  # started before its controller was lost
            tx.runs.create(self._record(child_id, event, RunStatus.RUNNING))

    def _finish(self, tx: Writer, event: ev.TrialFinished) -> None:
        child_id = child_run_id(self._context.run.id, event.number)
        now = time.time()
        if not tx.runs.exists(child_id):
            tx.runs.create(self._record(child_id, event, RunStatus.NOT_STARTED))
        tx.runs.set_properties(child_id, self._results(event))
        tx.metrics.log(child_id, _points(event.metrics, now))
        status = _STATUS.get(event.outcome, RunStatus.FAILED)
        tx.runs.set_status(child_id, status, reason=event.error, time=now)

    def _record(
        self, child_id: str, event: ev.TrialStarted | ev.TrialFinished, status: RunStatus
    ) -> RunRecord:
        parent, now = self._context.run, time.time()
        return RunRecord(
            id=child_id,
            experiment=parent.experiment,
            type="automl.child",
            status=status,
            created_at=now,
            started_at=now if status is RunStatus.RUNNING else None,
            parent_id=parent.id,
            number=event.number,
            display_name=event.pipeline,
            properties=self._identity(event.number, event.pipeline, event.family),
        )

    def _identity(self, number: int, pipeline: str, family: str) -> dict[str, str]:
        scaler, _, algorithm = pipeline.rpartition(", ")
        return {
            "iteration": str(number),
            "run_preprocessor": scaler,
            "run_algorithm": algorithm or family,
            "primary_metric": self._primary,
            "training_percent": "100",
        }

    def _results(self, event: ev.TrialFinished) -> dict[str, str]:
        found: dict[str, Any] = {
            "pipeline_id": event.key,
            "pipeline_spec": dict(event.params),
            "fit_time": f"{event.seconds:.3f}",
        }
        if event.score is not None:
            found["score"] = repr(event.score)
        return {k: str(v) for k, v in found.items()}


def _points(metrics: Mapping[str, float | None], now: float) -> list[MetricPoint]:
    return [MetricPoint(name=k, value=v, time=now) for k, v in metrics.items()]
