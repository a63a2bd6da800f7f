"""An explanation that is made in a worker: what goes there, and what comes back, are files."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nbautoml.domain.ports import Emit, Executor, TaskMessage, TaskReport, TrialTask
from nbautoml.domain.status import TrialOutcome
from nbautoml.engine.explain.study import Explained, ExplainOptions, Subject, explain_model
from nbautoml.engine.search.budget import Deadline
from nbautoml.errors import TrainingError

RUN_EXPLAIN = "nbautoml.engine.explain.job:run_explain"
SUBJECT, RESULT = "subject.pkl", "explained.pkl"
_LOOK_SECONDS = 0.5
# A worker is stopped when it takes longer than this many times what it was given: the first step
# of each part is done in any case.
_PATIENCE = 3.0
_LEAST_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainJob:
    """One explanation.

    Parameters
    ----------
    folder : Path
        A folder that gets the pickled `Subject`.
    out : Path
        A folder that gets the result; made when it is not there.
    options : ExplainOptions
        What is wanted.
    seconds : float
        Time for it.
    """

    folder: Path
    out: Path
    options: ExplainOptions
    seconds: float


def run_explain(job: ExplainJob, emit: Emit) -> None:
    """Explain in a worker; tells what is being done."""
    subject: Subject = pickle.loads((job.folder / SUBJECT).read_bytes())
    deadline = Deadline.after(job.seconds)
    explained = explain_model(subject, job.options, deadline=deadline, report=emit)
    job.out.mkdir(parents=True, exist_ok=True)
    (job.out / RESULT).write_bytes(pickle.dumps(explained))


def explain_on(
    executor: Executor, subject: Subject, job: ExplainJob, *, report: Callable[[str], None]
) -> Explained:
    """Explain on an executor's worker, and wait for it.

    Parameters
    ----------
    executor : Executor
        Runs the task; it stays open.
    subject : Subject
        The model and the rows.
    job : ExplainJob
        What is wanted.
    report : callable
        Told what is being done; what it raises ends the task.

    Raises
    ------
    TrainingError
        When the task did not end well.
    """
    (job.folder / SUBJECT).write_bytes(pickle.dumps(subject))
    limit = max(_LEAST_PATIENCE_SECONDS, _PATIENCE * job.seconds)
    task = TrialTask(
        key="explain",
        entry=RUN_EXPLAIN,
        payload=job,
        time_limit_seconds=limit,
        reads=job.folder,
        writes=job.out,
    )
    executor.submit(task)
    said = "Waiting for a worker."
    while True:
        report(said)  # it may say that somebody wants no more of it
        for item in executor.poll(_LOOK_SECONDS):
            if isinstance(item, TaskMessage):
                said = str(item.body)
            elif isinstance(item, TaskReport):
                if item.outcome is not TrialOutcome.COMPLETED:
                    raise TrainingError(f"The explanation ended early: {item.error}")
                explained: Explained = pickle.loads((job.out / RESULT).read_bytes())
                return explained
