"""A run's work for tests of survival: real workers, real files and events, trials that only wait.

It does what the AutoML work does around its fits, in the same order: a trial's files are stored,
then the event that ends it. A run that lost its process goes on after the last event.
"""

from __future__ import annotations

import pickle
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar  # Any: settings are JSON values

from nbautoml.automl.sink import ChildRunSink
from nbautoml.compute.target import executor_of
from nbautoml.domain import events as ev
from nbautoml.domain.ports import Emit, Executor, TaskMessage, TaskReport, TrialTask
from nbautoml.domain.status import RequestKind, RunStatus, TrialOutcome
from nbautoml.engine.search.disk_space import DiskSpace
from nbautoml.errors import StoreError
from nbautoml.runs.controller import set_status
from nbautoml.runs.work import Ending, WorkContext

TYPE = "nbautoml.testing.scripted_work:ScriptedWork"
"""Type of the runs that do this work."""

MODEL = "outputs/model.pkl"
METRIC = "accuracy"
HOG, ENDLESS = "hog", "endless"
_CHUNK_BYTES = 20 << 20
_AGES_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedModel:
    """What a scripted trial leaves: it predicts its number."""

    number: int

    def predict(self, rows: list[Any]) -> list[int]:
        """Return the number once for each row."""
        return [self.number] * len(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedTrial:
    """One trial; `kind` is empty, ``"hog"`` or ``"endless"``."""

    number: int
    seconds: float
    kind: str
    data: Path
    out: Path


def run_trial(job: ScriptedTrial, emit: Emit) -> float:
    """Wait, or do harm; return a score that is best for the trial in the middle."""
    emit(job.number)
    hoard = []
    while job.kind == HOG:
        hoard.append(b"x" * _CHUNK_BYTES)
        time.sleep(0.01)
    if job.kind == ENDLESS:
        time.sleep(_AGES_SECONDS)
    time.sleep(job.seconds)
    n_trials = int((job.data / "n_trials").read_text())
    job.out.mkdir(parents=True, exist_ok=True)
    (job.out / "model.pkl").write_bytes(pickle.dumps(ScriptedModel(number=job.number)))
    return 1.0 - abs(job.number - n_trials / 2) / n_trials


class ScriptedWork:
    """Runs trials that were written down beforehand.

    The run's settings: ``trials`` (how many), ``seconds`` (of each), ``kinds`` (trial number, as
    text, to ``"hog"`` or ``"endless"``), ``scheduler`` (address; without it workers of its own),
    ``compute_target`` (a target of the workspace), ``bytes`` (of a file that each trial leaves).
    """

    n_slots: ClassVar[int] = 2
    time_limit_seconds: ClassVar[float] = 30.0
    memory_limit_bytes: ClassVar[int] = 400_000_000

    def __init__(self, context: WorkContext) -> None:
        self._context = context
        self._settings: Mapping[str, Any] = context.run.settings
        self._sink = ChildRunSink(context, METRIC)
        self._active: dict[str, tuple[int, float]] = {}
        self._data = context.scratch / "data"

    def run(self) -> Ending:
        """Run the trials that the log does not have, until all are done or a cancel comes."""
        context = self._context
        set_status(context, RunStatus.RUNNING)
        n_trials = int(self._settings["trials"])
        self._data.mkdir(parents=True, exist_ok=True)
        (self._data / "n_trials").write_text(str(n_trials))
        self._describe(n_trials)
        done = self._numbers_done()
        executor = self._start_executor()
        try:
            reason = self._play(executor, [n for n in range(n_trials) if n not in done])
        finally:
            executor.close()
        if reason == RequestKind.CANCEL:
            return Ending(status=RunStatus.CANCELED, reason="Canceled on request.")
        if not any(self._best_outcomes()):
            return Ending(status=RunStatus.FAILED, reason=reason or "No trial made a model.")
        return Ending(status=RunStatus.COMPLETED, reason=reason)

    def _start_executor(self) -> Executor:
        from nbautoml.compute.attached import AttachedWorkers, SchedulerAddress
        from nbautoml.compute.executor import DaskExecutor
        from nbautoml.compute.local import start_executor
        from nbautoml.compute.spec import ExecutorSpec

        target = self._settings.get("compute_target")
        if target:
            return executor_of(self._context.session, str(target), self.n_slots)
        spec = ExecutorSpec(
            n_workers=self.n_slots, threads_per_worker=1, memory_limit_bytes=None, preload=()
        )
        address = self._settings.get("scheduler")
        if not address:
            return start_executor(spec)
        workers = AttachedWorkers(SchedulerAddress(address=str(address)))
        return DaskExecutor(spec, lambda _spec: workers)

    def _play(self, executor: Executor, numbers: list[int]) -> str:
        """Run trials; return why that ended before all were done, if it did."""
        space = DiskSpace(self._context.scratch, time.monotonic)
        while numbers or self._active:
            if any(r.kind is RequestKind.CANCEL for r in self._context.control.poll()):
                return RequestKind.CANCEL
            if space.is_used_up():
                return "The disk was nearly full."
            while numbers and len(self._active) < self.n_slots:
                self._start(executor, numbers.pop(0))
            for item in executor.poll(0.1):
                if isinstance(item, TaskMessage):
                    self._tell_fold(item)
                else:
                    self._end(item)
        return ""

    def _start(self, executor: Executor, number: int) -> None:
        kinds = self._settings.get("kinds", {})
        key, out = f"trial{number}-{uuid.uuid4().hex[:8]}", self._out(number)
        self._active[key] = (number, time.monotonic())
        job = ScriptedTrial(
            number=number,
            seconds=float(self._settings["seconds"]),
            kind=str(kinds.get(str(number), "")),
            data=self._data,
            out=out,
        )
        self._sink.emit(
            ev.TrialStarted(
                number=number, pipeline=_pipeline(number), family="Scripted", params={}, n_folds=1
            )
        )
        executor.submit(
            TrialTask(
                key=key,
                entry="nbautoml.testing.scripted_work:run_trial",
                payload=job,
                time_limit_seconds=1.0 if job.kind == ENDLESS else self.time_limit_seconds,
                memory_limit_bytes=self.memory_limit_bytes,
                reads=self._data,
                writes=out,
            )
        )

    def _tell_fold(self, message: TaskMessage) -> None:
        if message.key in self._active:
            self._sink.emit(ev.FoldFinished(number=message.body, fold=0, score=0.5, seconds=0.0))

    def _end(self, report: TaskReport) -> None:
        number, started = self._active.pop(report.key)
        score = None
        if report.outcome is TrialOutcome.COMPLETED:
            score = float(report.value)
            files = {
                MODEL: (self._out(number) / "model.pkl").read_bytes(),
                "internal/ballast": bytes(int(self._settings.get("bytes", 0))),
            }
            self._context.artifacts.put_all(number, files)
        self._sink.emit(
            ev.TrialFinished(
                number=number,
                key=f"key{number}",
                outcome=report.outcome,
                pipeline=_pipeline(number),
                family="Scripted",
                params={"attempts": report.attempts},
                n_folds=1,
                folds_done=int(score is not None),
                seconds=time.monotonic() - started,
                score=score,
                metrics={} if score is None else {METRIC: score},
                error=report.error,
            )
        )

    def _numbers_done(self) -> set[int]:
        """Return the trials that need not be run: those that ended and left good files."""
        done = set()
        for event in self._ended():
            if event.outcome is TrialOutcome.WORKER_LOST:
                continue
            try:
                if event.outcome is TrialOutcome.COMPLETED:
                    self._context.artifacts.local_path(event.number, MODEL)
            except StoreError as error:
                message = f"Trial {event.number} is not used any more. {error.message}"
                self._context.emit(ev.LogWritten(level="ERROR", message=message))
            done.add(event.number)
        return done

    def _ended(self) -> list[ev.TrialFinished]:
        with self._context.session.read() as tx:
            records = tx.events.read(self._context.run.id)
        return [r.event for r in records if isinstance(r.event, ev.TrialFinished)]

    def _best_outcomes(self) -> list[bool]:
        return [event.outcome is TrialOutcome.COMPLETED for event in self._ended()]

    def _describe(self, n_trials: int) -> None:
        self._sink.emit(
            ev.RunConfigured(
                task="classification",
                primary_metric=METRIC,
                label="y",
                dataset="",
                experiment=self._context.run.experiment,
                compute=str(self._settings.get("compute_target", "local")),
                n_workers=self.n_slots,
                max_iterations=n_trials,
            )
        )

    def _out(self, number: int) -> Path:
        return self._context.scratch / "trials" / str(number)


def _pipeline(number: int) -> str:
    return f"Waiting, Scripted{number}"
