"""Runs of a workspace as runs in MLflow, by what the event log says.

A run becomes a run of the experiment of the same name, its trials nested runs below it. What was
sent is noted in a `Ledger`, so that a mirror that was stopped, or whose server was away, goes on
where it was. Nothing here writes to the workspace's store.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any  # Any: events of every kind

from nbautoml.domain import events as ev
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.records import RunRecord
from nbautoml.domain.snapshot import SnapshotFold
from nbautoml.domain.status import RunStatus, TrialOutcome
from nbautoml.registry.mlflow.ledger import Entry, Ledger
from nbautoml.registry.mlflow.tracker import NAME_TAG, PARENT_TAG, RUN_TAG, Point, Tracker
from nbautoml.store.session import Session

_RUN_ENDS = {
    RunStatus.COMPLETED: "FINISHED",
    RunStatus.FAILED: "FAILED",
    RunStatus.CANCELED: "KILLED",
}
_TRIAL_ENDS = {TrialOutcome.COMPLETED: "FINISHED", TrialOutcome.CANCELED: "KILLED"}
_PARAMS = ("task", "primary_metric", "label", "dataset", "max_iterations", "timeout_seconds")


class Mirror:
    """Brings a tracking server up to date; one at a time for a workspace and a server.

    Parameters
    ----------
    session : Session
        The open workspace; it is only read.
    tracker : Tracker
        The server.
    ledger : Ledger
        What is there already.
    """

    def __init__(self, session: Session, tracker: Tracker, ledger: Ledger) -> None:
        self._session = session
        self._tracker = tracker
        self._ledger = ledger
        self._folds: dict[str, SnapshotFold] = {}
        self._handlers: dict[type[ev.Event], Callable[[RunRecord, Entry, Any], None]] = {
            ev.RunConfigured: self._configured,
            ev.StatusChanged: self._status,
            ev.TrialStarted: self._trial_started,
            ev.TrialFinished: self._trial_finished,
        }

    def sync(self) -> bool:
        """Send what is new of all runs, oldest first; return whether a run is under way.

        Raises
        ------
        Exception
            One of the tracker's `errors`; what was sent until then is noted.
        """
        with self._session.read() as tx:
            runs = tx.runs.list()
        for run in reversed(runs):
            if self._is_behind(run):
                self._sync_run(run)
        return any(not run.status.is_terminal for run in runs)

    def _is_behind(self, run: RunRecord) -> bool:
        entry = self._ledger.entries.get(run.id)
        if entry is None or not run.status.is_terminal:
            return True
        with self._session.read() as tx:
            return tx.events.last_seq(run.id) > entry.seq

    def _sync_run(self, run: RunRecord) -> None:
        entry = self._ledger.entries.get(run.id) or self._begin(run)
        try:
            fold = self._fold_of(run.id, entry.seq)
            with self._session.read() as tx:
                records = tx.events.read(run.id, after=entry.seq)
            for record in records:
                if fold.seq < record.seq:
                    fold.apply(record)
                handler = self._handlers.get(type(record.event))
                if handler is not None:
                    handler(run, entry, record)
                entry.seq = record.seq
            self._send_points(run, entry)
        finally:
            self._ledger.save()

    def _begin(self, run: RunRecord) -> Entry:
        experiment = self._tracker.experiment(run.experiment)
        known = self._tracker.find(experiment, run.id)
        tags = {NAME_TAG: run.id, RUN_TAG: run.id, "nbautoml.type": run.type, **run.tags}
        mlflow_id = known or self._tracker.create(experiment, tags, run.created_at)
        entry = Entry(mlflow_id=mlflow_id, is_configured=known is not None)
        self._ledger.entries[run.id] = entry
        return entry

    def _fold_of(self, run_id: str, seq: int) -> SnapshotFold:
        """Return the fold of a run's events, those up to `seq` taken in."""
        fold = self._folds.get(run_id)
        if fold is None:
            fold = self._folds[run_id] = SnapshotFold(run_id)
            with self._session.read() as tx:
                fold.apply_all(r for r in tx.events.read(run_id) if r.seq <= seq)
        return fold

    def _configured(self, run: RunRecord, entry: Entry, record: ev.EventRecord) -> None:
        del run
        if entry.is_configured:  # it was continued or resumed; parameters cannot be changed
            return
        event: Any = record.event
        params = {name: getattr(event, name) for name in _PARAMS}
        given = {name: value for name, value in params.items() if value not in (None, "")}
        self._tracker.log(entry.mlflow_id, params=given)
        entry.is_configured = True

    def _status(self, run: RunRecord, entry: Entry, record: ev.EventRecord) -> None:
        event: Any = record.event
        tags = {"nbautoml.status": event.status.value, "nbautoml.reason": event.reason}
        self._tracker.log(entry.mlflow_id, tags=tags)
        if event.status.is_terminal:
            for number in list(entry.open_children):
                self._end_child(entry, number, "KILLED", record.time)
            status = _RUN_ENDS.get(event.status, "FAILED")
            self._tracker.set_status(entry.mlflow_id, status, record.time)
            entry.is_open = False
        elif not entry.is_open:
            self._tracker.set_status(entry.mlflow_id, "RUNNING", None)
            entry.is_open = True

    def _trial_started(self, run: RunRecord, entry: Entry, record: ev.EventRecord) -> None:
        event: Any = record.event
        number = str(event.number)
        if number in entry.children:
            if number not in entry.open_children:  # tried again, after its worker was lost
                self._tracker.set_status(entry.children[number], "RUNNING", None)
                entry.open_children.append(number)
            return
        self._begin_child(run, entry, record)

    def _begin_child(self, run: RunRecord, entry: Entry, record: ev.EventRecord) -> None:
        event: Any = record.event
        child = child_run_id(run.id, event.number)
        experiment = self._tracker.experiment(run.experiment)
        tags = {
            NAME_TAG: f"{event.number} {event.pipeline}",
            RUN_TAG: child,
            PARENT_TAG: entry.mlflow_id,
            "nbautoml.pipeline": event.pipeline,
        }
        known = self._tracker.find(experiment, child)
        mlflow_id = known or self._tracker.create(experiment, tags, record.time)
        params = {"family": event.family, "pipeline": event.pipeline, **event.params}
        self._tracker.log(mlflow_id, params=params)  # the same again changes nothing
        entry.children[str(event.number)] = mlflow_id
        entry.open_children.append(str(event.number))

    def _trial_finished(self, run: RunRecord, entry: Entry, record: ev.EventRecord) -> None:
        event: Any = record.event
        number = str(event.number)
        if number not in entry.children:
            self._begin_child(run, entry, record)
        tags = {"nbautoml.outcome": event.outcome.value}
        if event.error:
            tags["nbautoml.error"] = event.error
        points = _points({**event.metrics, "seconds": event.seconds}, 0, record.time)
        self._tracker.log(entry.children[number], points=points, tags=tags)
        status = _TRIAL_ENDS.get(event.outcome, "FAILED")
        self._end_child(entry, number, status, record.time)
        self._send_best(run, entry, record)

    def _end_child(self, entry: Entry, number: str, status: str, time: float) -> None:
        self._tracker.set_status(entry.children[number], status, time)
        if number in entry.open_children:
            entry.open_children.remove(number)

    def _send_best(self, run: RunRecord, entry: Entry, record: ev.EventRecord) -> None:
        """Add the best score so far to the run itself, one step for each trial."""
        state = self._folds[run.id].build()
        best = state.best_trial
        if best is not None and state.config is not None:
            scores = {state.config.primary_metric: best.score}
            points = _points(scores, state.n_done, record.time)
            self._tracker.log(entry.mlflow_id, points=points)

    def _send_points(self, run: RunRecord, entry: Entry) -> None:
        """Add the numbers that were logged to the run by hand."""
        with self._session.read() as tx:
            logged = tx.metrics.get(run.id)
        new: list[Point] = []
        for name, points in logged.items():
            sent = entry.points.get(name, 0)
            new += [
                Point(name=name, value=p.value, step=p.step, time=p.time)
                for p in points[sent:]
                if p.value is not None
            ]
        if new:
            self._tracker.log(entry.mlflow_id, points=new)
        entry.points = {name: len(points) for name, points in logged.items()}


def _points(
    values: Mapping[str, float | None] | Iterable[tuple[str, float | None]],
    step: int,
    time: float,
) -> list[Point]:
    pairs = dict(values)
    return [
        Point(name=name, value=float(value), step=step, time=time)
        for name, value in pairs.items()
        if value is not None and math.isfinite(value)
    ]
