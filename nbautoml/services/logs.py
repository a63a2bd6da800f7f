"""A run's log as a person follows it: one line for what happened, with its time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any  # Any: one event type per writer, JSON values

from nbautoml.domain import events as ev
from nbautoml.domain.status import RunStatus, TrialOutcome
from nbautoml.store.session import Session

MAX_LINES = 5_000
"""Lines that one answer holds: the newest ones."""
MOST_NAMES = 5
"""Files that one line names."""

_LEVELS = {
    RunStatus.FAILED: "ERROR",
    RunStatus.NOT_RESPONDING: "WARNING",
}


def run_log(
    session: Session,
    run_id: str,
    *,
    after: int = 0,
    trial: int | None = None,
    worker: str = "",
) -> dict[str, Any]:
    """Return what the log of a run says since an event.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The run.
    after : int, default 0
        Number of the last event that is known already.
    trial : int, optional
        Only lines about this trial.
    worker : str, default ""
        Only lines about what this worker did.

    Returns
    -------
    dict
        ``seq``, the number of the last event, and ``lines``: dicts with ``seq``, ``time``
        (seconds since the epoch), ``level`` (a name of the ``logging`` module) and ``text``, and
        where a line is about one ``trial`` or ``worker``, that.

    Raises
    ------
    NotFoundError
        When there is no such run.
    """
    with session.read() as tx:
        tx.runs.get(run_id)
        records = list(tx.events.read(run_id, after=after))
    lines = [
        line
        for line in log_lines(records)
        if trial is None or line.get("trial") == trial
        if not worker or line.get("worker") == worker
    ]
    return {"seq": records[-1].seq if records else after, "lines": lines[-MAX_LINES:]}


def log_lines(records: Iterable[ev.EventRecord]) -> list[dict[str, Any]]:
    """Return the lines that events give; folds and workers give none.

    Examples
    --------
    >>> event = ev.LogWritten(level="INFO", message="Two workers.")
    >>> record = ev.EventRecord(run_id="AutoML_x", seq=3, time=5.0, event=event)
    >>> log_lines([record])
    [{'seq': 3, 'time': 5.0, 'level': 'INFO', 'text': 'Two workers.'}]
    """
    lines = []
    for record in records:
        write = _WRITERS.get(type(record.event))
        if write is not None:
            level, text = write(record.event)
            line = {"seq": record.seq, "time": round(record.time, 3), "level": level}
            is_output = isinstance(record.event, ev.OutputWritten)
            parts = text.split("\n") if is_output else [text]
            lines += [line | {"text": part} | _about(record.event) for part in parts]
    return lines


def _about(event: ev.Event) -> dict[str, Any]:
    """Return which trial and worker an event is about, where it is about one."""
    number, worker = getattr(event, "number", None), getattr(event, "worker", "")
    return ({} if number is None else {"trial": number}) | ({"worker": worker} if worker else {})


def _configured(event: ev.RunConfigured) -> tuple[str, str]:
    label = f" of {event.label!r}" if event.label else ""
    return "INFO", (
        f"{event.task.capitalize()}{label} in {event.dataset}: makes {event.primary_metric} best "
        f"on {event.compute} ({event.n_workers} workers)."
    )


def _status(event: ev.StatusChanged) -> tuple[str, str]:
    return _LEVELS.get(event.status, "INFO"), f"{event.status.value}. {event.reason}".rstrip()


def _phase(event: ev.PhaseChanged) -> tuple[str, str]:
    return "INFO", f"{event.phase.value}: {event.text}".rstrip(": ")


def _data(event: ev.DataDescribed) -> tuple[str, str]:
    return "INFO", f"{event.n_rows:,} rows, {event.n_columns:,} columns. {event.validation}"


def _guardrail(event: ev.GuardrailReported) -> tuple[str, str]:
    level = "WARNING" if event.state is ev.GuardrailState.ALERTED else "INFO"
    return level, f"{event.name}: {event.state.value}. {event.description}".rstrip()


def _started(event: ev.TrialStarted) -> tuple[str, str]:
    return "INFO", f"Iteration {event.number} began: {event.pipeline}."


def _finished(event: ev.TrialFinished) -> tuple[str, str]:
    name = f"Iteration {event.number} ({event.pipeline})"
    if event.outcome is TrialOutcome.COMPLETED:
        score = "no score" if event.score is None else f"{event.score:.5g}"
        return "INFO", f"{name} ended after {event.seconds:.1f} s: {score}."
    level = "INFO" if event.outcome is TrialOutcome.CANCELED else "WARNING"
    return level, f"{name}: {event.outcome.value}. {event.error}".rstrip()


def _deadline(event: ev.DeadlineChanged) -> tuple[str, str]:
    if event.is_clock_set:
        return "INFO", "The clock of the run's machine was set; the time left is the same."
    return "INFO", "The run was given more time."


def _written(event: ev.LogWritten) -> tuple[str, str]:
    return event.level, event.message


def _output(event: ev.OutputWritten) -> tuple[str, str]:
    return "INFO", event.text


def _run(event: ev.RunDescribed) -> tuple[str, str]:
    if event.deadline is not None and event.timeout_seconds is not None:
        return "INFO", f"It may take {event.timeout_seconds:,.0f} s."
    if event.what in ("script", "step"):
        return "INFO", f"Runs {event.text} on {event.compute}."
    if event.what == "pipeline":
        return "INFO", f"Runs a pipeline. {event.text}".rstrip()
    return "INFO", f"Logged by hand. {event.text}".rstrip()


def _logged(event: ev.ValuesLogged) -> tuple[str, str]:
    return "INFO", f"{event.name}: {_logged_words(event)}"


def _logged_words(event: ev.ValuesLogged) -> str:
    if event.form is ev.Form.LIST:
        return f"{len(event.value):,} values"
    if event.form is ev.Form.ROW:
        return ", ".join(f"{column} {_cell(cell)}" for column, cell in event.value.items())
    if event.form is ev.Form.TABLE:
        return f"{max(map(len, event.value.values()), default=0):,} rows"
    return _cell(event.value)


def _cell(value: float | str | None) -> str:
    return value if isinstance(value, str) else "missing" if value is None else f"{value:.6g}"


def _stored(event: ev.FilesStored) -> tuple[str, str]:
    shown, n_more = event.names[:MOST_NAMES], len(event.names) - MOST_NAMES
    return "INFO", f"Stored {', '.join(shown)}{f' and {n_more:,} more' if n_more > 0 else ''}."


def _graph(event: ev.GraphDescribed) -> tuple[str, str]:
    names = ", ".join(step.name for step in event.steps[:MOST_NAMES])
    n_more = len(event.steps) - MOST_NAMES
    return "INFO", f"Steps: {names}{f' and {n_more:,} more' if n_more > 0 else ''}."


def _step(event: ev.StepChanged) -> tuple[str, str]:
    level = "INFO" if event.status is RunStatus.CANCELED else _LEVELS.get(event.status, "INFO")
    reused = f" Outputs of {event.reused_from}." if event.reused_from else ""
    return level, f"Step {event.name}: {event.status.value}.{reused} {event.reason}".rstrip()


_WRITERS: Mapping[type[ev.Event], Callable[[Any], tuple[str, str]]] = {
    ev.RunConfigured: _configured,
    ev.StatusChanged: _status,
    ev.PhaseChanged: _phase,
    ev.DataDescribed: _data,
    ev.GuardrailReported: _guardrail,
    ev.TrialStarted: _started,
    ev.TrialFinished: _finished,
    ev.DeadlineChanged: _deadline,
    ev.LogWritten: _written,
    ev.OutputWritten: _output,
    ev.RunDescribed: _run,
    ev.ValuesLogged: _logged,
    ev.FilesStored: _stored,
    ev.GraphDescribed: _graph,
    ev.StepChanged: _step,
}
