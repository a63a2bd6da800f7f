"""The steps of a pipeline's run, as a run view shows them: rows, the picture's places, words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any  # Any: JSON values

from nbautoml.domain.events import EventRecord, GraphDescribed, StepChanged
from nbautoml.domain.snapshot import RunSnapshot, StepState
from nbautoml.domain.status import RunStatus
from nbautoml.pipelines.layout import graph_layout

STEP_KINDS = (GraphDescribed.kind, StepChanged.kind)
"""Names of the events that tell of steps."""
MAX_REASON_CHARACTERS = 2_000
"""Of why a step failed; its own run has all of it."""
_MOST_NAMES = 3
_AT_WORK = frozenset(RunStatus) - {
    RunStatus.NOT_STARTED,
    RunStatus.COMPLETED,
    RunStatus.FAILED,
    RunStatus.CANCELED,
}


def view_steps(snapshot: RunSnapshot, since: int = 0) -> list[dict[str, Any]]:
    """Return the steps that changed after an event, in their order."""
    return [view_step(state) for state in snapshot.steps if state.seq > since]


def view_step(state: StepState) -> dict[str, Any]:
    """Return a step's row; keys without a value are left out.

    Returns
    -------
    dict
        ``n``, ``name``, ``kind`` (of step), ``status``, and where there is one: ``run`` (its id),
        ``reused_from``, ``reason``, ``started_at``, ``ended_at``, ``after`` (numbers), ``inputs``
        and ``outputs`` (names).

    Examples
    --------
    >>> from nbautoml.domain.events import PipelineStep
    >>> step = PipelineStep(number=0, name="prepare", step_kind="PythonScriptStep")
    >>> view_step(StepState(step=step, seq=3))
    {'n': 0, 'name': 'prepare', 'kind': 'PythonScriptStep', 'status': 'NotStarted'}
    """
    step = state.step
    row = {"n": step.number, "name": step.name, "kind": step.step_kind}
    optional = {
        "run": state.run_id,
        "reused_from": state.reused_from,
        "reason": _cut(state.reason),
        "started_at": None if state.started_at is None else round(state.started_at, 2),
        "ended_at": None if state.ended_at is None else round(state.ended_at, 2),
        "after": list(step.after),
        "inputs": list(step.inputs),
        "outputs": list(step.outputs),
    }
    return row | {"status": state.status.value} | {k: v for k, v in optional.items() if v}


def view_graph(snapshot: RunSnapshot) -> dict[str, Any]:
    """Return where the steps stand in a picture; see `GraphLayout.as_json`."""
    return graph_layout([state.step for state in snapshot.steps]).as_json()


def is_same_graph(one: RunSnapshot, other: RunSnapshot) -> bool:
    """Whether two states of a run have the same steps."""
    return [state.step for state in one.steps] == [state.step for state in other.steps]


def step_counts(steps: Sequence[StepState]) -> tuple[int, int]:
    """Return how many steps are done, and how many there are."""
    return sum(state.status is RunStatus.COMPLETED for state in steps), len(steps)


def counted_steps(records: Iterable[EventRecord]) -> tuple[int, int]:
    """Return the same from the events that tell of steps (`STEP_KINDS`), without the others."""
    n, status = 0, {}
    for record in records:
        if isinstance(record.event, GraphDescribed):
            n = len(record.event.steps)
        elif isinstance(record.event, StepChanged):
            status[record.event.number] = record.event.status
    return sum(state is RunStatus.COMPLETED for state in status.values()), n


def steps_progress(steps: Sequence[StepState]) -> float | None:
    """Return the share of the steps that ended, 0 to 1; None without steps."""
    return sum(s.status.is_terminal for s in steps) / len(steps) if steps else None


def steps_text(steps: Sequence[StepState]) -> str:
    """Return how far a pipeline is, such as ``"2 of 5 steps done · train at work"``."""
    n_done, n = step_counts(steps)
    words = f"{n_done} of {_steps(n)} done"
    at_work = [state.step.name for state in steps if state.status in _AT_WORK]
    names = ", ".join(at_work[:_MOST_NAMES])
    n_more = len(at_work) - _MOST_NAMES
    more = f" and {n_more} more" if n_more > 0 else ""
    return words + (f" · {names}{more} at work" if names else "")


def steps_ended_text(steps: Sequence[StepState]) -> str:
    """Return what became of the steps, such as ``"5 steps, 2 of them reused"``."""
    n_done, n = step_counts(steps)
    n_reused = sum(bool(state.reused_from) for state in steps)
    words = _steps(n) if n_done == n else f"{n_done} of {_steps(n)} done"
    return words + (f", {n_reused} of them reused" if n_reused else "")


def _steps(n: int) -> str:
    return f"{n} step{'' if n == 1 else 's'}"


def _cut(text: str) -> str:
    """Return a reason with its end kept: there Python says what went wrong."""
    return text if len(text) <= MAX_REASON_CHARACTERS else f"…{text[1 - MAX_REASON_CHARACTERS :]}"
