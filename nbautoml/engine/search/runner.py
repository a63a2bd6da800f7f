"""Carries trials out: hands their folds to the executor and makes results of the reports."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from nbautoml.domain import events as ev
from nbautoml.domain.clock import Moment
from nbautoml.domain.metrics import Direction
from nbautoml.domain.ports import TaskMessage, TaskReport, TrialTask
from nbautoml.domain.status import TrialOutcome
from nbautoml.engine.context import RunContext
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.search.active import ActiveTrial, TrialEnd, chunk_folds, mean_and_std
from nbautoml.engine.search.book import TrialRecord
from nbautoml.engine.search.budget import CostModel, FinishCost
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.trial import RUN_FOLDS, FoldResult, FoldsJob
from nbautoml.engine.trial_files import mean_metrics, merge_folds, pack_trial, put_trial

# A fold that takes less than this shares a task with others, because handing over a task
# costs tens of milliseconds.
_CHEAP_SECONDS = 0.3
# A fit that knows its limit ends itself at this share of it, before the task is killed.
_COOPERATIVE_SHARE = 0.9
# The run's first fits end themselves earlier: workers start and matrices are made meanwhile,
# and nothing is worse than to end without a model.
_FIRST_SHARE = 0.6
# A trial goes on after its first fold unless it is this many deviations behind, and its error
# is larger than the best trial's by this share: what is a little worse still helps an ensemble.
_DROP_DEVIATIONS = 3.0
_DROP_SHARE = 0.15
# A fit that is expected to need more than this part of the free memory is not begun: the
# estimate may be half of what it takes.
_MEMORY_SHARE = 0.4
_MEGABYTE = 1e6
# The log keeps so much of the end of what a task printed; warnings tend to repeat themselves.
_MOST_OUTPUT = 2_000


class TrialRunner:
    """Runs trials of candidates; called from one thread.

    Parameters
    ----------
    context : RunContext
        The run.
    time_left : callable
        Returns the seconds until the last trial must have ended (infinite without a limit).
    max_in_flight : int
        Trials at a time.
    finish_cost : FinishCost
        Hears what storing a trial took.
    time_to_go : callable, optional
        Returns how many of the seconds of `time_left` the trials on their way will cost when
        they end, because what follows the search takes longer with them.
    """

    def __init__(
        self,
        context: RunContext,
        time_left: Callable[[], float],
        max_in_flight: int,
        finish_cost: FinishCost,
        *,
        time_to_go: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._context = context
        self._time_to_go = time_to_go
        self._time_left = time_left
        self._max_in_flight = max_in_flight
        self._finish_cost = finish_cost
        self._trial_of: dict[str, int] = {}
        self._has_model = False
        self._refused: list[TrialRecord] = []
        self._ends: list[ev.TrialFinished] = []
        self.active: dict[int, ActiveTrial] = {}
        self.cost = CostModel()

    @property
    def work_left(self) -> float:
        """Seconds of one slot that the trials on their way are expected to take."""
        return sum(trial.work_left for trial in self.active.values())

    def hint(self, candidate: Candidate) -> float:
        """Return the family's own guess of the seconds of one fold."""
        data = self._context.data
        return get_family(candidate.family).cost(candidate.params, data.shape)

    def predict(self, candidate: Candidate) -> float:
        """Return the seconds that one fold is planned to take."""
        return self.cost.predict(candidate.family, hint=self.hint(candidate))

    def start(
        self, number: int, candidate: Candidate, bar: tuple[float, float] | None = None
    ) -> None:
        """Hand over the folds of a trial, only the first one where it has a bar to pass."""
        context = self._context
        trial = ActiveTrial(
            number=number,
            key=context.key_of(candidate),
            candidate=candidate,
            n_folds=context.data.n_folds,
            started_at=context.ports.clock(),
            predicted_seconds=self.predict(candidate),
            bar=bar,
        )
        shutil.rmtree(context.trial_folder(number), ignore_errors=True)
        self.active[number] = trial
        context.ports.events.emit(
            ev.TrialStarted(
                number=number,
                pipeline=candidate.pipeline,
                family=candidate.model_name,
                params=candidate.shown_params,
                n_folds=trial.n_folds,
            )
        )
        refusal = self._too_large(candidate)
        if refusal:
            end = TrialEnd(outcome=TrialOutcome.MEMORY_LIMIT, error=refusal)
            with self._logging_ends():
                self._refused.append(self._stop(trial, end))
        elif bar is not None:
            trial.waiting = tuple(range(1, trial.n_folds))
            self._submit(trial, [(0,)])
        else:
            self._submit(trial, self._chunks(trial))

    def poll(self, timeout_seconds: float) -> list[TrialRecord]:
        """Take in what came from the executor; return the trials that ended by it."""
        ended, self._refused = self._refused, []
        with self._logging_ends():
            for item in self._context.ports.executor.poll(0.0 if ended else timeout_seconds):
                if isinstance(item, TaskMessage):
                    self._take_message(item)
                else:
                    record = self._take_report(item)
                    ended += [record] if record is not None else []
            return ended + self._end_overdue()

    def cancel_all(self, end: TrialEnd) -> list[TrialRecord]:
        """Stop all trials; nothing waits for the executor to agree."""
        with self._logging_ends():
            return [self._stop(trial, end) for trial in list(self.active.values())]

    @contextmanager
    def _logging_ends(self) -> Iterator[None]:
        """Log trials that ended together in one go: with many slots there are several at a time.

        Those that ended before an error are logged, too.
        """
        try:
            yield
        finally:
            ends, self._ends = self._ends, []
            if ends:
                self._context.ports.events.emit_all(ends)

    def _too_large(self, candidate: Candidate) -> str:
        """Return a sentence when a fit would need more memory than there is for it, else ``""``."""
        shape = self._context.data.shape
        needed = get_family(candidate.family).memory(candidate.params, shape)
        limit = self._context.plan.limits.memory_limit_bytes
        if limit is not None and needed > limit:
            return (
                f"Not started: it needs about {needed / _MEGABYTE:,.0f} MB, more than its limit "
                f"of {limit / _MEGABYTE:,.0f} MB."
            )
        free = self._context.ports.executor.workers().free_bytes
        if free is not None and needed > _MEMORY_SHARE * free:
            return (
                f"Not started: it needs about {needed / _MEGABYTE:,.0f} MB, more than "
                f"{_MEMORY_SHARE:.0%} of the {free / _MEGABYTE:,.0f} MB that are free."
            )
        return ""

    def _chunks(self, trial: ActiveTrial) -> Sequence[tuple[int, ...]]:
        if trial.predicted_seconds > _CHEAP_SECONDS:
            return [(fold,) for fold in range(trial.n_folds)]
        n_slots = self._context.ports.executor.n_slots
        return chunk_folds(trial.n_folds, math.ceil(n_slots / self._max_in_flight))

    def _submit(self, trial: ActiveTrial, chunks: Sequence[tuple[int, ...]]) -> None:
        context = self._context
        executor = context.ports.executor
        left = min(self._time_left(), self._iteration_time_left(trial))
        seconds, ends_at = None, None
        if math.isfinite(left):
            # Other trials wait for the same slots.
            n_waves = math.ceil(len(chunks) * self._max_in_flight / executor.n_slots)
            share = _COOPERATIVE_SHARE if self._has_model else _FIRST_SHARE
            usable = share * max(left - self._time_to_go(), 0.0)
            seconds, ends_at = usable / n_waves, Moment.after(usable)
            trial.ends_by = time.monotonic() + left
        use_gpu = context.uses_gpu(trial.candidate)
        for folds in chunks:
            key = f"{context.token}.trial{trial.number}.fold{'-'.join(map(str, folds))}"
            trial.tasks[key] = folds
            self._trial_of[key] = trial.number
            job = FoldsJob(
                data=context.data.folder,
                out=context.trial_folder(trial.number),
                candidate=trial.candidate,
                key=trial.key,
                seed=context.plan.seed,
                folds=folds,
                threads=executor.threads_per_slot,
                seconds=seconds,
                ends_at=ends_at,
                use_gpu=use_gpu,
            )
            executor.submit(
                TrialTask(
                    key=key,
                    entry=RUN_FOLDS,
                    payload=job,
                    time_limit_seconds=max(left, 0.1) if math.isfinite(left) else None,
                    memory_limit_bytes=context.plan.limits.memory_limit_bytes,
                    priority=trial.number,
                    reads=context.data.folder,
                    writes=context.trial_folder(trial.number),
                    n_gpus=int(use_gpu),
                )
            )

    def _iteration_time_left(self, trial: ActiveTrial) -> float:
        limit = self._context.plan.limits.iteration_timeout_seconds
        if limit is None:
            return math.inf
        return trial.started_at + limit - self._context.ports.clock()

    def _take_message(self, message: TaskMessage) -> None:
        trial = self.active.get(self._trial_of.get(message.key, -1))
        if trial is not None and isinstance(message.body, FoldResult):
            self._take_fold(trial, message.body)

    def _take_fold(self, trial: ActiveTrial, result: FoldResult) -> None:
        if result.fold in trial.results:
            return
        trial.results[result.fold] = result
        hint = self.hint(trial.candidate)
        self.cost.observe(trial.candidate.family, hint=hint, seconds=result.seconds)
        self._context.ports.events.emit(
            ev.FoldFinished(
                number=trial.number,
                fold=result.fold,
                score=result.score if math.isfinite(result.score) else None,
                seconds=result.seconds,
            )
        )

    def _take_report(self, report: TaskReport) -> TrialRecord | None:
        trial = self.active.get(self._trial_of.pop(report.key, -1))
        if trial is None:
            return None
        folds = trial.tasks.pop(report.key)
        self._log(_task_done(trial.number, folds, report))
        if report.outcome is not TrialOutcome.COMPLETED:
            if report.traceback:
                self._log(_failure(trial.number, report))
            if report.outcome is TrialOutcome.TIME_LIMIT:
                return self._stop(trial, self._overdue(trial))
            return self._stop(trial, TrialEnd(outcome=report.outcome, error=report.error))
        for result in report.value:
            self._take_fold(trial, result)
        # What a fold leaves is there for certain once its task is reported.
        if trial.is_complete and not trial.tasks:
            return self._complete(trial)
        return self._judge(trial) if trial.waiting else None

    def _judge(self, trial: ActiveTrial) -> TrialRecord | None:
        """Run the other folds of a trial whose first one was good enough."""
        assert trial.bar is not None
        best, deviation = trial.bar
        metric = self._context.plan.metric
        score = trial.results[0].score
        behind = metric.sort_key(score) - metric.sort_key(best)
        ideal = metric.high if metric.direction is Direction.MAXIMIZE else metric.low
        if behind > max(_DROP_DEVIATIONS * deviation, _DROP_SHARE * abs(ideal - best)):
            error = (
                f"Stopped after 1 of {trial.n_folds} folds: {score:.4g} is too far from the "
                f"best trial's {best:.4g} on that fold."
            )
            return self._stop(trial, TrialEnd(outcome=TrialOutcome.CANCELED, error=error))
        waiting, trial.waiting = trial.waiting, ()
        self._submit(trial, [(fold,) for fold in waiting])
        return None

    def _end_overdue(self) -> list[TrialRecord]:
        """Stop trials that have used up the time of an iteration."""
        ended = []
        for trial in list(self.active.values()):
            if self._iteration_time_left(trial) <= 0:
                ended.append(self._stop(trial, self._overdue(trial)))
        return ended

    def _overdue(self, trial: ActiveTrial) -> TrialEnd:
        seconds = self._context.ports.clock() - trial.started_at
        error = (
            f"Stopped after {seconds:.1f} s, when its time was used up, with "
            f"{len(trial.results)} of {trial.n_folds} folds done."
        )
        return TrialEnd(outcome=TrialOutcome.TIME_LIMIT, error=error)

    def _stop(self, trial: ActiveTrial, end: TrialEnd) -> TrialRecord:
        """End a trial without a score, and kill what still runs of it."""
        for key in trial.tasks:
            self._trial_of.pop(key, None)
            self._context.ports.executor.cancel(key)
        del self.active[trial.number]
        shutil.rmtree(self._context.trial_folder(trial.number), ignore_errors=True)
        record = TrialRecord(
            number=trial.number,
            key=trial.key,
            candidate=trial.candidate,
            outcome=end.outcome,
            error=end.error,
        )
        self._note_end(trial, record)
        return record

    def _complete(self, trial: ActiveTrial) -> TrialRecord:
        """Score a trial over its folds and store what it leaves."""
        folds = trial.ordered()
        score, deviation = mean_and_std([fold.score for fold in folds])
        if score is None:
            name = self._context.plan.primary_metric
            error = f"{name} is not defined for the validation rows of any fold."
            return self._stop(trial, TrialEnd(outcome=TrialOutcome.FAILED, error=error))
        context = self._context
        started = time.monotonic()
        folder = context.trial_folder(trial.number)
        predictions = merge_folds(context.data, folder)
        model = pack_trial(context.data, folder)
        put_trial(context, trial.number, predictions, model)
        self._has_model = True
        del self.active[trial.number]
        shutil.rmtree(folder, ignore_errors=True)
        record = TrialRecord(
            number=trial.number,
            key=trial.key,
            candidate=trial.candidate,
            outcome=TrialOutcome.COMPLETED,
            score=score,
            score_std=deviation,
            metrics=mean_metrics([fold.metrics for fold in folds]),
            fold_scores=tuple(fold.score for fold in folds),
            rounds=tuple(fold.rounds for fold in folds if fold.rounds is not None),
            fold_seconds=sum(fold.seconds for fold in folds) / len(folds),
            model_bytes=len(model),
            oof=context.oof_path(trial.number),
        )
        self._note_end(trial, record)
        self._finish_cost.observe_write(time.monotonic() - started, n_bytes=len(model))
        return record

    def _note_end(self, trial: ActiveTrial, record: TrialRecord) -> None:
        seconds = self._context.ports.clock() - trial.started_at
        self._ends.append(_end_of(trial, record, seconds))

    def _log(self, event: ev.LogWritten | None) -> None:
        if event is not None:
            self._context.ports.events.emit(event)


def _end_of(trial: ActiveTrial, record: TrialRecord, seconds: float) -> ev.TrialFinished:
    return ev.TrialFinished(
        number=trial.number,
        key=trial.key,
        outcome=record.outcome,
        pipeline=trial.candidate.pipeline,
        family=trial.candidate.model_name,
        params=trial.candidate.shown_params,
        n_folds=trial.n_folds,
        folds_done=len(trial.results),
        seconds=seconds,
        score=record.score,
        score_std=record.score_std,
        metrics=record.metrics,
        error=record.error,
        cut_folds={str(r.fold): r.cut for r in trial.ordered() if r.cut is not None},
    )


def _failure(number: int, report: TaskReport) -> ev.LogWritten:
    message = f"Trial {number} failed.\n{report.traceback}"
    return ev.LogWritten(level="ERROR", message=message, number=number, worker=report.worker)


def _task_done(number: int, folds: tuple[int, ...], report: TaskReport) -> ev.LogWritten | None:
    """Return where a task ran and what it printed, as far as its executor knows."""
    if not report.worker and not report.output:
        return None
    named = ", ".join(str(fold) for fold in folds)
    place = f" on {report.worker}" if report.worker else ""
    message = f"Trial {number}, folds {named}: {report.seconds:.1f} s{place}."
    if report.output:
        message += f"\n{report.output[-_MOST_OUTPUT:]}"
    return ev.LogWritten(level="DEBUG", message=message, number=number, worker=report.worker)
