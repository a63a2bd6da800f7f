"""The explanation of a model: a run of its own, below the child that is explained.

The best model's is asked for by its run, and made in a process of its own when the run has ended:
a run never takes longer for it. Any other model's is made when somebody asks.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any  # Any: settings are JSON values

from nbautoml.domain.events import LogWritten
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RequestKind, RunStatus
from nbautoml.domain.tasks import Task
from nbautoml.errors import ConfigError, NotAvailableError, NotFoundError, StoppedError
from nbautoml.runs.controller import launch, set_status
from nbautoml.runs.ending import LIVE
from nbautoml.runs.run import Run
from nbautoml.runs.work import Ending, WorkContext
from nbautoml.store.session import Session

if TYPE_CHECKING:
    from nbautoml.automl.explanation import Explanation
    from nbautoml.engine.explain.study import Explained, Subject

MODEL_EXPLAIN = "automl.model_explain"
"""Type of an explaining run."""
EXPLAIN_RUN = "ModelExplainRunId"
"""Property of an AutoML run: the id of the explanation of its best model, in the SDK's name."""

TIME_SHARE, LEAST_SECONDS, MOST_SECONDS = 0.05, 5.0, 60.0
"""The best model is explained in this share of the run's time, within these bounds."""
USUAL_SECONDS = 30.0
"""Time for an explanation where the run has no limit, and of a model that somebody asks for."""
ROWS = 200
MOST_ROWS = 2_000
"""Rows that are explained one by one: usually, and at most."""
_SAY_SECONDS = 1.0
_START_SECONDS = 15.0


def seconds_for(minutes: float | None) -> float:
    """Return how long the explanation of a run's best model may take.

    Parameters
    ----------
    minutes : float or None
        The run's time limit; None is no limit.

    Examples
    --------
    >>> seconds_for(5.0), seconds_for(0.5), seconds_for(600.0), seconds_for(None)
    (15.0, 5.0, 60.0, 30.0)
    """
    if minutes is None:
        return USUAL_SECONDS
    return min(MOST_SECONDS, max(LEAST_SECONDS, TIME_SHARE * 60.0 * minutes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of an explanation.

    Parameters
    ----------
    seconds : float, default 30
        Time for it, from when the model is loaded.
    n_rows : int, default 200
        How many rows to explain one by one.
    compute_target : str, default "local"
        Where it is made.
    comment : str, default ""
        Kept with it.
    """

    seconds: float = USUAL_SECONDS
    n_rows: int = ROWS
    compute_target: str = "local"
    comment: str = ""

    @classmethod
    def of(
        cls,
        *,
        rows: object = None,
        minutes: object = None,
        compute_target: str | None = None,
        comment: str = "",
    ) -> Wanted:
        """Return what was asked for, checked.

        Raises
        ------
        ConfigError
            When a number is out of its range.
        """
        count = ROWS if rows is None else rows
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_ROWS:
            raise ConfigError(
                f"rows of an explanation must be a whole number from 1 to {MOST_ROWS:,}; "
                f"got {rows!r}."
            )
        if minutes is None:
            seconds = USUAL_SECONDS
        elif isinstance(minutes, int | float) and not isinstance(minutes, bool) and minutes > 0:
            seconds = 60.0 * minutes
        else:
            raise ConfigError(f"minutes of an explanation must be above 0; got {minutes!r}.")
        target = compute_target or "local"
        return cls(seconds=seconds, n_rows=count, compute_target=target, comment=comment)


def add_explanation(
    session: Session, run_id: str, child_id: str, wanted: Wanted, *, is_best: bool = False
) -> str:
    """Add the row of an explaining run, which nobody does yet; return its id.

    Where one of the child is waiting or at work already, that one is meant.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The AutoML run.
    child_id : str
        The child that is to be explained.
    wanted : Wanted
        What is asked for.
    is_best : bool, default False
        Whether the AutoML run refers to it as the explanation of its best model.
    """
    with session.write() as tx:
        run = tx.runs.get(run_id)
        earlier = tx.runs.list(parent_id=child_id, type=MODEL_EXPLAIN)
        live = [one.id for one in earlier if one.status in LIVE]
        number = len(earlier)
        explain_id = live[0] if live else f"{child_id}_explain{number}"
        if is_best:
            tx.runs.set_properties(run_id, {EXPLAIN_RUN: explain_id})
        if live:
            return explain_id
        record = RunRecord(
            id=explain_id,
            experiment=run.experiment,
            type=MODEL_EXPLAIN,
            status=RunStatus.NOT_STARTED,
            created_at=time.time(),
            parent_id=child_id,
            number=number,
            display_name="Explanation of a model",
            settings={
                "automl_run": run_id,
                "model_run": child_id,
                "seconds": wanted.seconds,
                "n_rows": wanted.n_rows,
                "compute_target": wanted.compute_target,
                "comment": wanted.comment,
            },
            properties={"automl_run_id": run_id, "model_run_id": child_id},
        )
        tx.runs.create(record)
    return explain_id


def ask_explanation(session: Session, run_id: str, number: int, wanted: Wanted) -> str:
    """Ask for the explanation of a child, and start it; return the id of its run.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The AutoML run.
    number : int
        The child's number.
    wanted : Wanted
        What is asked for.

    Raises
    ------
    NotFoundError
        When there is no such child, or it has no model.
    NotAvailableError
        When models of the run's task cannot be explained.
    ComputeTargetException
        When the workspace has no compute target of that name.
    """
    from nbautoml.compute.target import check_target

    child_id = child_run_id(run_id, number)
    with session.read() as tx:
        run, child = tx.runs.get(run_id), tx.runs.get(child_id)
    if child.status is not RunStatus.COMPLETED:
        raise NotFoundError(f"Run {child_id} has no model to explain: it is {child.status.value}.")
    _check_task(run)
    check_target(session, wanted.compute_target)
    explain_id = add_explanation(session, run_id, child_id, wanted)
    launch(session, explain_id)
    return explain_id


def can_explain(task: str) -> bool:
    """Return whether models of a task can be explained.

    Cells of a time series cannot be moved between its rows.
    """
    return task != Task.FORECASTING.value


def _check_task(run: RunRecord) -> None:
    task = str(run.settings["task"])
    if not can_explain(task):
        raise NotAvailableError(f"Models of task {task!r} cannot be explained yet.")


def last_explanation(session: Session, child_id: str) -> RunRecord | None:
    """Return the latest explaining run of a child; None when nobody asked for one."""
    with session.read() as tx:
        found = tx.runs.list(parent_id=child_id, type=MODEL_EXPLAIN)
    return max(found, key=lambda run: run.number or 0, default=None)


def start_forgotten(session: Session, run: RunRecord, now: float) -> None:
    """Start an explaining run that its AutoML run did not come to start.

    Parameters
    ----------
    session : Session
        The open store.
    run : RunRecord
        The explaining run.
    now : float
        Seconds since the epoch. A second controller of a run gives up, so that it does no harm
        to start one that is about to be started.
    """
    if run.status is not RunStatus.NOT_STARTED or run.owner is not None:
        return
    with session.read() as tx:
        automl_run = tx.runs.get(str(run.settings["automl_run"]))
    if now - max(run.created_at, automl_run.ended_at or now) > _START_SECONDS:
        launch(session, run.id)


class ExplainRun(Run):
    """The run that explains a model."""

    def explanation(self, raw: bool = True) -> Explanation:
        """Wait for the explanation and return it.

        Parameters
        ----------
        raw : bool, default True
            Whether to explain by raw columns; else by engineered features.

        Raises
        ------
        TrainingError
            When it failed.
        NotFoundError
            When engineered features could not be explained.
        """
        from nbautoml.automl.explanation_client import ExplanationClient

        self.wait_for_completion()
        return ExplanationClient.from_run(self).download_model_explanation(raw=raw)


class ModelExplainWork:
    """Explains one model; made in the explaining run's controller process.

    Parameters
    ----------
    context : WorkContext
        The explaining run.
    """

    def __init__(self, context: WorkContext) -> None:
        self._context = context
        settings = context.run.settings
        self._model_run = str(settings["model_run"])
        self._seconds = float(settings["seconds"])
        self._n_rows = int(settings["n_rows"])
        self._target = str(settings["compute_target"])
        with context.session.read() as tx:
            self._automl_run = tx.runs.get(str(settings["automl_run"]))
        self._said, self._said_at = "", 0.0

    def run(self) -> Ending:
        """Explain the model, and keep what was found with the model's run."""
        from nbautoml.automl.explain_files import keep_explanation, load_subject

        context = self._context
        _check_task(self._automl_run)
        set_status(context, RunStatus.RUNNING)
        self._say("Loading the model and its rows.")
        subject = load_subject(context.session, self._automl_run, self._model_run)
        started = context.now()
        try:
            explained = self._explain(subject)
        except StoppedError as error:
            return Ending(status=RunStatus.CANCELED, reason=str(error))
        seconds = context.now() - started
        keep_explanation(
            context.session, context.run, self._automl_run, subject, explained, seconds
        )
        notes = " ".join(explained.notes)
        n_rows = explained.raw.n_rows if explained.raw is not None else 0
        reason = f"Explained {n_rows:,} rows in {seconds:.1f} s. {notes}".strip()
        return Ending(status=RunStatus.COMPLETED, reason=reason)

    def _explain(self, subject: Subject) -> Explained:
        from nbautoml.engine.explain.job import ExplainJob, explain_on
        from nbautoml.engine.explain.study import ExplainOptions, explain_model
        from nbautoml.engine.search.budget import Deadline

        options = ExplainOptions(n_rows=self._n_rows)
        if self._target == "local":  # this process is one of its own already
            deadline = Deadline.after(self._seconds)
            return explain_model(subject, options, deadline=deadline, report=self._say)
        from nbautoml.compute.target import executor_of

        session = self._context.session
        executor = executor_of(session, self._target, 1)
        try:
            scratch = self._context.scratch
            job = ExplainJob(
                folder=scratch, out=scratch / "out", options=options, seconds=self._seconds
            )
            return explain_on(executor, subject, job, report=self._say)
        finally:
            executor.close()

    def _say(self, text: str) -> None:
        """Write what is being done into the log, once a second at most; obey a cancel.

        Raises
        ------
        StoppedError
            When somebody canceled the run.
        """
        if any(request.kind is RequestKind.CANCEL for request in self._context.control.poll()):
            raise StoppedError("Canceled.")
        now = self._context.now()
        if text != self._said and now - self._said_at >= _SAY_SECONDS:
            self._said, self._said_at = text, now
            self._context.emit(LogWritten(level="INFO", message=text))


def progress_of(session: Session, run_id: str) -> str:
    """Return what an explaining run said last; ``""`` before it said anything."""
    with session.read() as tx:
        records: Any = tx.events.read(run_id)
    said = [r.event.message for r in records if isinstance(r.event, LogWritten)]
    return said[-1] if said else ""
