"""The state of a run as a fold over its events.

`SnapshotFold` takes the events one by one and hands out frozen `RunSnapshot` objects. Widget,
panel, REST and console all read these; none keeps a state of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any  # Any: JSON values

from nbautoml.domain import events as ev
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.metrics import MetricSpec, metric
from nbautoml.domain.status import RunStatus, TrialOutcome

STOPPED = frozenset({TrialOutcome.CANCELED, TrialOutcome.TIME_LIMIT})
"""Trials without a score that nothing went wrong with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialState:
    """One trial so far. ``outcome`` is None while it runs; ``seq`` is its last event."""

    number: int
    run_id: str
    pipeline: str
    family: str
    params: Mapping[str, Any]
    n_folds: int
    seq: int
    started_at: float
    outcome: TrialOutcome | None = None
    fold_scores: tuple[float | None, ...] = ()
    folds_done: int = 0
    score: float | None = None
    score_std: float | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    seconds: float | None = None
    error: str = ""
    key: str = ""
    is_ensemble: bool = False

    @property
    def is_running(self) -> bool:
        """Whether the trial has not ended."""
        return self.outcome is None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """One step of a pipeline's run so far; ``seq`` is its last event.

    ``run_id`` and ``reused_from`` are empty where there is no such run; see `ev.StepChanged`.
    """

    step: ev.PipelineStep
    seq: int
    status: RunStatus = RunStatus.NOT_STARTED
    run_id: str = ""
    reason: str = ""
    reused_from: str = ""
    started_at: float | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSnapshot:
    """One run at event `seq`.

    ``best`` is the number of the best completed trial: on the primary metric, but for ensembles,
    which say themselves whether they are better than the trials before them. ``n_done`` counts
    ended trials of every outcome, ``n_failed`` those that did not complete, and ``n_stopped`` those
    of the latter that were ended on purpose: because others were better, or time was over, or
    somebody said so. ``paused_at`` is when the run was paused, as long as it is; its deadline moves
    on by that time when it goes on.
    ``described`` says what a run does that is no AutoML run; it has no ``config`` and no trials.
    ``steps`` are those of a pipeline's run, in their order.
    """

    run_id: str
    seq: int = 0
    time: float = 0.0
    status: RunStatus = RunStatus.NOT_STARTED
    reason: str = ""
    phase: ev.Phase | None = None
    phase_text: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    config: ev.RunConfigured | None = None
    described: ev.RunDescribed | None = None
    deadline: float | None = None
    paused_at: float | None = None
    data: ev.DataDescribed | None = None
    workers: ev.WorkersChanged | None = None
    guardrails: tuple[ev.GuardrailReported, ...] = ()
    trials: tuple[TrialState, ...] = ()
    steps: tuple[StepState, ...] = ()
    best: int | None = None
    n_done: int = 0
    n_failed: int = 0
    n_stopped: int = 0
    n_running: int = 0

    @property
    def best_trial(self) -> TrialState | None:
        """The best completed trial, if there is one."""
        if self.best is None:
            return None
        return next(t for t in self.trials if t.number == self.best)

    @property
    def metric(self) -> MetricSpec | None:
        """The primary metric, once the run is configured."""
        return metric(self.config.primary_metric) if self.config else None

    def ranked(self) -> tuple[TrialState, ...]:
        """Return completed trials best first, then running ones, then failed ones."""
        spec = self.metric

        def key(trial: TrialState) -> tuple[int, float, int]:
            group = {None: 1, TrialOutcome.COMPLETED: 0}.get(trial.outcome, 2)
            return (group, spec.sort_key(trial.score) if spec else 0.0, trial.number)

        return tuple(sorted(self.trials, key=key))


class SnapshotFold:
    """Folds events of one run; not safe for use from several threads.

    Parameters
    ----------
    run_id : str
        The run whose events follow.

    Examples
    --------
    >>> fold = SnapshotFold("r")
    >>> record = ev.EventRecord(
    ...     run_id="r", seq=1, time=5.0, event=ev.StatusChanged(status=RunStatus.RUNNING)
    ... )
    >>> fold.apply(record)
    True
    >>> fold.build().status.value
    'Running'
    """

    def __init__(self, run_id: str) -> None:
        self._state = RunSnapshot(run_id=run_id)
        self._trials: dict[int, TrialState] = {}
        self._handlers: dict[type[ev.Event], Callable[[Any, ev.EventRecord], None]] = {
            ev.RunConfigured: self._configured,
            ev.StatusChanged: self._status,
            ev.PhaseChanged: self._phase,
            ev.DataDescribed: self._described,
            ev.GuardrailReported: self._guardrail,
            ev.TrialStarted: self._trial_started,
            ev.FoldFinished: self._fold,
            ev.TrialFinished: self._trial_finished,
            ev.DeadlineChanged: self._deadline,
            ev.WorkersChanged: self._workers,
            ev.RunDescribed: self._described_run,
            ev.GraphDescribed: self._graph,
            ev.StepChanged: self._step,
        }

    @property
    def seq(self) -> int:
        """Number of the last event taken in."""
        return self._state.seq

    def apply(self, record: ev.EventRecord) -> bool:
        """Take in the next event; return False when it was taken in before.

        Raises
        ------
        ValueError
            When events are missing between the last one and this one.
        """
        if record.seq <= self._state.seq:
            return False
        if record.seq != self._state.seq + 1:
            raise ValueError(f"event {record.seq} came after event {self._state.seq}")
        self._state = replace(self._state, seq=record.seq, time=record.time)
        handler = self._handlers.get(type(record.event))
        if handler is not None:
            handler(record.event, record)
        return True

    def apply_all(self, records: Iterable[ev.EventRecord]) -> None:
        """Take in events in order."""
        for record in records:
            self.apply(record)

    def build(self) -> RunSnapshot:
        """Return the state now, as an object that never changes."""
        return replace(self._state, trials=tuple(self._trials.values()))

    def _configured(self, event: ev.RunConfigured, _record: ev.EventRecord) -> None:
        self._state = replace(
            self._state, config=event, deadline=event.deadline or self._state.deadline
        )

    def _described_run(self, event: ev.RunDescribed, _record: ev.EventRecord) -> None:
        self._state = replace(
            self._state, described=event, deadline=event.deadline or self._state.deadline
        )

    def _graph(self, event: ev.GraphDescribed, record: ev.EventRecord) -> None:
        """Take in the steps; one that is known keeps its state when they are told once more."""
        known = {state.step.number: state for state in self._state.steps}
        steps = tuple(
            replace(known[step.number], step=step, seq=record.seq)
            if step.number in known
            else StepState(step=step, seq=record.seq)
            for step in event.steps
        )
        self._state = replace(self._state, steps=steps)

    def _step(self, event: ev.StepChanged, record: ev.EventRecord) -> None:
        steps = tuple(
            _changed(state, event, record) if state.step.number == event.number else state
            for state in self._state.steps
        )
        self._state = replace(self._state, steps=steps)

    def _status(self, event: ev.StatusChanged, record: ev.EventRecord) -> None:
        changes: dict[str, Any] = {"status": event.status, "reason": event.reason}
        if self._state.started_at is None:
            changes["started_at"] = record.time
        changes |= self._pause(event.status, record.time)
        if event.status.is_terminal:
            changes["ended_at"] = record.time
            changes["steps"] = tuple(_closed(state, record) for state in self._state.steps)
            self._close_open_trials(record.seq)
        elif event.status is RunStatus.STARTING:
            self._close_open_trials(record.seq)
        elif event.status is RunStatus.NOT_STARTED:  # it is continued
            changes |= {"ended_at": None, "deadline": None}
        self._state = replace(self._state, **changes)

    def _pause(self, status: RunStatus, time: float) -> dict[str, Any]:
        """Return what changes when a pause begins or ends; its time is given back."""
        since, deadline = self._state.paused_at, self._state.deadline
        if status is RunStatus.PAUSED:
            return {"paused_at": time if since is None else since}
        if since is None:
            return {}
        return {
            "paused_at": None,
            "deadline": None if deadline is None else deadline + time - since,
        }

    def _close_open_trials(self, seq: int) -> None:
        """Mark trials that nobody will finish: the run ended, or its controller came anew."""
        for trial in [t for t in self._trials.values() if t.is_running]:
            self._trials[trial.number] = replace(
                trial, outcome=TrialOutcome.CANCELED, seq=seq, error="The run ended before it."
            )
            self._count_ended(TrialOutcome.CANCELED, was_running=True)

    def _phase(self, event: ev.PhaseChanged, _record: ev.EventRecord) -> None:
        self._state = replace(self._state, phase=event.phase, phase_text=event.text)

    def _described(self, event: ev.DataDescribed, _record: ev.EventRecord) -> None:
        self._state = replace(self._state, data=event)

    def _guardrail(self, event: ev.GuardrailReported, _record: ev.EventRecord) -> None:
        others = tuple(g for g in self._state.guardrails if g.name != event.name)
        self._state = replace(self._state, guardrails=(*others, event))

    def _deadline(self, event: ev.DeadlineChanged, _record: ev.EventRecord) -> None:
        self._state = replace(self._state, deadline=event.deadline)

    def _workers(self, event: ev.WorkersChanged, _record: ev.EventRecord) -> None:
        self._state = replace(self._state, workers=event)

    def _trial_started(self, event: ev.TrialStarted, record: ev.EventRecord) -> None:
        known = self._trials.get(event.number)
        if known is None:
            self._count(running=1)
        elif known.outcome is not None:  # again, after its worker or controller was lost
            self._count_ended(known.outcome, was_running=True, by=-1)
        self._trials[event.number] = TrialState(
            number=event.number,
            run_id=child_run_id(record.run_id, event.number),
            pipeline=event.pipeline,
            family=event.family,
            params=event.params,
            n_folds=event.n_folds,
            seq=record.seq,
            started_at=record.time,
        )

    def _fold(self, event: ev.FoldFinished, record: ev.EventRecord) -> None:
        trial = self._trials.get(event.number)
        if trial is None or not trial.is_running:
            return
        self._trials[event.number] = replace(
            trial,
            fold_scores=(*trial.fold_scores, event.score),
            folds_done=trial.folds_done + 1,
            seq=record.seq,
        )

    def _trial_finished(self, event: ev.TrialFinished, record: ev.EventRecord) -> None:
        known = self._trials.get(event.number)
        if known is None or known.is_running:
            self._count_ended(event.outcome, was_running=known is not None)
        self._trials[event.number] = TrialState(
            number=event.number,
            run_id=child_run_id(record.run_id, event.number),
            pipeline=event.pipeline,
            family=event.family,
            params=event.params,
            n_folds=event.n_folds,
            seq=record.seq,
            started_at=known.started_at if known else record.time - event.seconds,
            outcome=event.outcome,
            fold_scores=known.fold_scores if known else (),
            folds_done=event.folds_done,
            score=event.score,
            score_std=event.score_std,
            metrics=event.metrics,
            seconds=event.seconds,
            error=event.error,
            key=event.key,
            is_ensemble=event.is_ensemble,
        )
        if event.outcome is TrialOutcome.COMPLETED:
            self._update_best(event)

    def _update_best(self, event: ev.TrialFinished) -> None:
        if event.is_best is None:
            self._take_if_better(event.number)
        elif event.is_best:
            self._state = replace(self._state, best=event.number)
        elif self._is_outdated(self._state.best):
            self._state = replace(self._state, best=None)
            for trial in [t for t in self._trials.values() if not t.is_ensemble]:
                if trial.outcome is TrialOutcome.COMPLETED:
                    self._take_if_better(trial.number)

    def _is_outdated(self, best: int | None) -> bool:
        """Whether the best is an ensemble that did not choose among all trials.

        It was made before the run was continued, so it is no answer to the best single trial
        that a newer ensemble lost against.
        """
        if best is None or not self._trials[best].is_ensemble:
            return False
        return any(t.number > best and not t.is_ensemble for t in self._trials.values())

    def _take_if_better(self, number: int) -> None:
        spec = self._state.metric
        best = self._trials.get(self._state.best) if self._state.best is not None else None
        score = self._trials[number].score
        if spec is not None and spec.is_better(score, best.score if best else None):
            self._state = replace(self._state, best=number)

    def _count_ended(self, outcome: TrialOutcome, *, was_running: bool, by: int = 1) -> None:
        """Count a trial that has ended; -1 takes it back, because it runs once more."""
        self._count(
            running=-by * was_running,
            done=by,
            failed=by * (outcome is not TrialOutcome.COMPLETED),
            stopped=by * (outcome in STOPPED),
        )

    def _count(self, *, running: int = 0, done: int = 0, failed: int = 0, stopped: int = 0) -> None:
        self._state = replace(
            self._state,
            n_running=self._state.n_running + running,
            n_done=self._state.n_done + done,
            n_failed=self._state.n_failed + failed,
            n_stopped=self._state.n_stopped + stopped,
        )


def _changed(state: StepState, event: ev.StepChanged, record: ev.EventRecord) -> StepState:
    begins = event.status not in (RunStatus.NOT_STARTED, RunStatus.CANCELED)
    started_at = state.started_at
    if started_at is None and begins:
        started_at = record.time
    return replace(
        state,
        seq=record.seq,
        status=event.status,
        run_id=event.run_id or state.run_id,
        reason=event.reason,
        reused_from=event.reused_from,
        started_at=started_at,
        ended_at=record.time if event.status.is_terminal else None,
    )


def _closed(state: StepState, record: ev.EventRecord) -> StepState:
    """Return a step as it is once its run has ended: nobody will finish it."""
    if state.status.is_terminal:
        return state
    return replace(
        state,
        seq=record.seq,
        status=RunStatus.CANCELED,
        reason="The run ended before it.",
        ended_at=record.time,
    )
