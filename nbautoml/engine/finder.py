"""The whole machine-learning path of a run, from a frame to a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nbautoml.domain import events as ev
from nbautoml.domain.events import Phase
from nbautoml.domain.ports import ArtifactSink, EventSink, Executor, RunControl
from nbautoml.domain.status import TrialOutcome
from nbautoml.engine.baseline import measure_finish
from nbautoml.engine.context import Ports
from nbautoml.engine.ensemble.finish import Finisher
from nbautoml.engine.featurize.options import ColumnPurpose
from nbautoml.engine.heap import give_back_memory
from nbautoml.engine.plan import SearchPlan
from nbautoml.engine.prepare import prepare
from nbautoml.engine.search.book import TrialBook
from nbautoml.engine.search.budget import Deadline
from nbautoml.engine.search.earlier import earlier_records
from nbautoml.engine.search.loop import SearchLoop, StopReason
from nbautoml.engine.search.proposer import PortfolioThenSteps
from nbautoml.engine.search.requests import Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a run came to.

    Parameters
    ----------
    best : int or None
        Number of the best trial; its model is the artifact ``outputs/model.pkl``. None when
        the run was canceled before a trial was finished.
    score : float or None
        Its value of the primary metric.
    pipeline : str
        Its name.
    n_trials : int
        How many trials ended, those of earlier attempts included.
    reason : StopReason
        Why the search ended; ``reason.value`` is a sentence.
    """

    best: int | None
    score: float | None
    pipeline: str
    n_trials: int
    reason: StopReason

    @property
    def is_canceled(self) -> bool:
        """Whether somebody canceled the run."""
        return self.reason is StopReason.CANCELED


def find_model(
    frame: pd.DataFrame,
    label: str,
    plan: SearchPlan,
    *,
    executor: Executor,
    events: EventSink,
    artifacts: ArtifactSink,
    control: RunControl,
    scratch: Path,
    clock: Callable[[], float],
    finished: Sequence[ev.TrialFinished] = (),
    n_settled: int = 0,
) -> Found:
    """Find the best model for a frame.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Raw rows with the label. Validation data that the user gave are its last
        ``plan.n_valid_rows`` rows.
    label : str
        Name of the label's column.
    plan : SearchPlan
        What to do.
    executor : Executor
        Runs the fits; it stays open.
    events : EventSink
        Hears what happens.
    artifacts : ArtifactSink
        Keeps models and predictions.
    control : RunControl
        Says what people ask of the run.
    scratch : Path
        An empty folder that the executor's processes see too.
    clock : callable
        Seconds since the epoch; times of events and limits come from it.
    finished : sequence of TrialFinished
        Trials that are done already, oldest first, whose predictions `artifacts` has.
    n_settled : int, default 0
        So many of them, the first ones, are from before the run was continued: the limits of
        `plan` do not count them.

    Returns
    -------
    Found

    Raises
    ------
    DatasetError
        When the data cannot be learned from.
    TrainingError
        When every trial failed.
    """
    ports = Ports(
        executor=executor, events=events, artifacts=artifacts, control=control, clock=clock
    )
    closing = plan.limits.closing_seconds
    deadline = Deadline.after(plan.limits.timeout_seconds, clock).moved(-closing)
    requests = Requests(control, events, deadline, closing)
    context, profile = prepare(frame, label, plan, ports, scratch)
    del frame  # it is on disk now
    give_back_memory()
    if deadline.is_limited:
        measure_finish(context, requests.finish_cost)
    book = TrialBook(plan.metric, context.data.y_valid, context.data.w_valid)
    proposer = PortfolioThenSteps(
        plan.models_for(has_texts=bool(profile.of_purpose(ColumnPurpose.TEXT))),
        task=plan.task,
        shape=context.data.shape,
        seed=plan.seed,
        representations=context.data.representations,
        may_log=context.data.may_log,
    )
    loop = SearchLoop(
        context,
        proposer,
        book,
        requests,
        earlier=earlier_records(context, finished[n_settled:]),
        settled=earlier_records(context, finished[:n_settled]),
        taken={e.number for e in finished if e.outcome is not TrialOutcome.WORKER_LOST},
    )
    events.emit(ev.PhaseChanged(phase=Phase.MODEL_SELECTION, text="Trying models."))
    reason = loop.run()
    best = Finisher(context, profile, book, requests, finished, n_settled=n_settled).finish(reason)
    n_ensembles = sum(event.is_ensemble for event in finished)
    return Found(
        best=best.number if best else None,
        score=best.score if best else None,
        pipeline=best.candidate.pipeline if best else "",
        n_trials=len(book.records) + n_ensembles,
        reason=StopReason.CANCELED if requests.is_canceled else reason,
    )
