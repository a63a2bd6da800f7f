"""What a run view shows: a `RunSnapshot` as plain JSON values.

The one source for the live view, the saved output and the static page. All functions are pure.
Times are seconds since the epoch; numbers are finite; a key that is absent from a trial's row
means ``None``. The shapes are described in ``docs/concepts/run-view.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any  # Any: JSON values

from nbautoml.domain.events import GuardrailReported, GuardrailState, Phase, json_safe
from nbautoml.domain.metrics import METRICS, Direction
from nbautoml.domain.snapshot import RunSnapshot, TrialState
from nbautoml.domain.status import RunStatus
from nbautoml.services.steps import (
    is_same_graph,
    step_counts,
    steps_ended_text,
    steps_progress,
    steps_text,
    view_graph,
    view_steps,
)

SCHEMA = 1
MAX_TRIALS = 1000  # rows of a whole view: the newest, and the best one
MAX_FRAME_ROWS = 500
MAX_ERROR_CHARACTERS = 200
RUNNING = "Running"
AUTOML = "automl"
"""``kind`` of an AutoML run in a view's header."""

_SCORE_DIGITS = 8
_ALWAYS_SENT = ("now", "progress")  # they move with time, also when no event came

_PHASE_WORDS = {
    Phase.SETUP: "Getting ready",
    Phase.DATASET_EVALUATION: "Looking at the data",
    Phase.FEATURES_GENERATION: "Making features",
    Phase.CROSS_VALIDATION_SPLIT: "Splitting the data",
    Phase.MODEL_SELECTION: "Choosing what to train",
    Phase.ENSEMBLE: "Building ensembles",
    Phase.FINALIZING: "Finishing",
}
_STATUS_WORDS = {
    RunStatus.NOT_STARTED: "Waiting to start",
    RunStatus.STARTING: "Starting",
    RunStatus.PREPARING: "Preparing",
    RunStatus.RUNNING: "Running",
    RunStatus.PAUSED: "Paused",
    RunStatus.FINALIZING: "Finishing",
    RunStatus.CANCEL_REQUESTED: "Stopping",
    RunStatus.NOT_RESPONDING: "Not responding",
}
_SEARCHING = frozenset({None, Phase.MODEL_SELECTION})
_MAY_TRAIN = frozenset({RunStatus.RUNNING, RunStatus.PREPARING, RunStatus.FINALIZING})


def view(
    snapshot: RunSnapshot, *, now: float, workspace: str = "", top: int | None = None
) -> dict[str, Any]:
    """Return the whole view of a run.

    Parameters
    ----------
    snapshot : RunSnapshot
        The run.
    now : float
        Seconds since the epoch at which it is shown.
    workspace : str, default ""
        Root folder of the run's workspace; the live view needs it to find the run again.
    top : int, optional
        Give whole rows only to that many trials, the best ranked ones. The others are kept as
        points of the chart under ``series``, which keeps a saved output small.

    Returns
    -------
    dict
        ``schema``, ``run_id``, ``workspace``, ``seq``, ``header``, ``trials`` (by number),
        ``guardrails``, ``series`` when `top` leaves trials out, and of a pipeline's run ``steps``
        and ``graph`` (see `nbautoml.services.steps`).

    Examples
    --------
    >>> view(RunSnapshot(run_id="AutoML_x"), now=5.0)["header"]["text"]
    'Waiting to start'
    """
    kept = _newest_and_best(snapshot)
    full: dict[str, Any] = {
        "schema": SCHEMA,
        "run_id": snapshot.run_id,
        "workspace": workspace,
        "seq": snapshot.seq,
        "header": view_header(snapshot, now=now),
        "guardrails": view_guardrails(snapshot.guardrails),
    }
    if top is not None and len(kept) > top:
        shown = {trial.number for trial in snapshot.ranked()[:top]}
        full["series"] = _series([t for t in kept if t.number not in shown])
        kept = [t for t in snapshot.trials if t.number in shown]
    full["trials"] = [view_trial(t) for t in sorted(kept, key=lambda t: t.number)]
    if snapshot.steps:
        full |= {"steps": view_steps(snapshot), "graph": view_graph(snapshot)}
    return full


def view_frames(
    snapshot: RunSnapshot, *, since: int, now: float, previous: RunSnapshot | None = None
) -> list[dict[str, Any]]:
    """Return what a view at event `since` needs in order to show `snapshot`.

    Parameters
    ----------
    snapshot : RunSnapshot
        The run now.
    since : int
        Number of the last event that the view has taken in.
    now : float
        Seconds since the epoch.
    previous : RunSnapshot, optional
        The run at `since`, if it is known: then only the header's changed keys are sent, and
        guardrails only when they changed. Without it the header is whole.

    Returns
    -------
    list of dict
        Frames in order, each with at most ``MAX_FRAME_ROWS`` trials; empty when nothing that a
        view shows has changed.
    """
    is_told_always = snapshot.described is not None  # of what it logs a view only asks
    changed = sorted((t for t in snapshot.trials if t.seq > since), key=lambda t: t.seq)
    head = view_header(snapshot, now=now)
    steps = view_steps(snapshot, since)
    tail: dict[str, Any] = {"steps": steps} if steps else {}
    if steps and (previous is None or not is_same_graph(previous, snapshot)):
        tail = {"steps": view_steps(snapshot), "graph": view_graph(snapshot)}
    if previous is None:
        tail["guardrails"] = view_guardrails(snapshot.guardrails)
    else:
        before = view_header(previous, now=now)
        head = {k: v for k, v in head.items() if k in _ALWAYS_SENT or v != before[k]}
        if snapshot.guardrails != previous.guardrails:
            tail["guardrails"] = view_guardrails(snapshot.guardrails)
        if not (changed or tail or is_told_always) and len(head) == len(_ALWAYS_SENT):
            return []
    return _cut_frames(snapshot, since, changed, {"header": head, **tail})


def _cut_frames(
    snapshot: RunSnapshot, since: int, changed: Sequence[TrialState], tail: dict[str, Any]
) -> list[dict[str, Any]]:
    """Cut changed trials (oldest change first) into frames; the last one carries the rest."""
    frames: list[dict[str, Any]] = []
    start, cuts = since, _cut_points([t.seq for t in changed])
    for begin, end in cuts[:-1]:
        part = changed[begin:end]
        frames.append(_frame(snapshot.run_id, start, part[-1].seq, part))
        start = part[-1].seq
    begin, end = cuts[-1]
    frames.append(_frame(snapshot.run_id, start, snapshot.seq, changed[begin:end]) | tail)
    return frames


def _cut_points(seqs: Sequence[int]) -> list[tuple[int, int]]:
    """Return slices of at most a frame's rows; trials changed by one event stay together.

    Examples
    --------
    >>> _cut_points([1, 2, 3])
    [(0, 3)]
    """
    cuts: list[tuple[int, int]] = []
    begin = 0
    while len(seqs) - begin > MAX_FRAME_ROWS:
        end = begin + MAX_FRAME_ROWS
        while end > begin and seqs[end - 1] == seqs[end]:
            end -= 1
        if end == begin:  # one event changed more rows than a frame takes
            break
        cuts.append((begin, end))
        begin = end
    return [*cuts, (begin, len(seqs))]


def _frame(run_id: str, start: int, seq: int, trials: Iterable[TrialState]) -> dict[str, Any]:
    return {"run": run_id, "from": start, "seq": seq, "trials": [view_trial(t) for t in trials]}


def view_header(snapshot: RunSnapshot, *, now: float) -> dict[str, Any]:
    """Return everything of a run but its trials and guardrails.

    Parameters
    ----------
    snapshot : RunSnapshot
        The run.
    now : float
        Seconds since the epoch.

    Returns
    -------
    dict
        Status, phase, progress, best trial, compute, data and counts; ``kind`` is ``"automl"``,
        ``"script"``, ``"interactive"``, ``"pipeline"`` or ``"step"``; ``steps`` are how many of a
        pipeline's are done, and how many there are.
    """
    config, spec, best = snapshot.config, snapshot.metric, snapshot.best_trial
    other = snapshot.described
    known = config or other
    return {
        "kind": other.what if other else AUTOML,
        "title": known.experiment if known else "",
        "run_id": snapshot.run_id,
        "status": snapshot.status.value,
        "is_live": not snapshot.status.is_terminal,
        "reason": snapshot.reason,
        "phase": snapshot.phase.value if snapshot.phase else None,
        "text": _text(snapshot),
        "task": config.task if config else None,
        "label": config.label if config else None,
        "dataset": config.dataset if config else None,
        "metric": {"name": spec.name, "maximize": spec.direction is Direction.MAXIMIZE}
        if spec
        else None,
        "started_at": _finite(snapshot.started_at),
        "ended_at": _finite(snapshot.ended_at),
        "now": round(now, 3),
        "deadline": _finite(snapshot.deadline),
        "paused_at": _finite(snapshot.paused_at),
        "work": other.text if other else "",
        "max_iterations": config.max_iterations if config else None,
        "progress": _progress(snapshot, now),
        "ends": _ends(snapshot),
        "n_done": snapshot.n_done,
        "n_failed": snapshot.n_failed,
        "n_stopped": snapshot.n_stopped,
        "n_running": snapshot.n_running,
        "n_total": len(snapshot.trials),
        "steps": list(step_counts(snapshot.steps)) if snapshot.steps else None,
        "best": _best(best) if best else None,
        "compute": _compute(snapshot),
        "data": _data(snapshot),
        "alerts": sum(g.state is GuardrailState.ALERTED for g in snapshot.guardrails),
    }


def view_trial(trial: TrialState) -> dict[str, Any]:
    """Return a trial's row; keys without a value are left out.

    Examples
    --------
    >>> row = view_trial(TrialState(
    ...     number=3, run_id="r_3", pipeline="LightGBM", family="LightGBM", params={},
    ...     n_folds=5, seq=9, started_at=1.0, folds_done=2))
    >>> row["status"], row["folds"], "score" in row
    ('Running', [2, 5], False)
    """
    row: dict[str, Any] = {
        "n": trial.number,
        "id": trial.run_id,
        "name": trial.pipeline,
        "family": trial.family,
        "status": trial.outcome.value if trial.outcome else RUNNING,
        "folds": [trial.folds_done, trial.n_folds],
        "started_at": round(trial.started_at, 2),
    }
    optional = {
        "score": _significant(trial.score),
        "std": _significant(trial.score_std),
        "seconds": None if trial.seconds is None else _finite(round(trial.seconds, 2)),
        "error": first_line(trial.error) or None,
        "ensemble": trial.is_ensemble or None,
    }
    return row | {k: v for k, v in optional.items() if v is not None}


def view_trial_details(trial: TrialState) -> dict[str, Any]:
    """Return a trial's row with what is only shown on demand.

    Returns
    -------
    dict
        The row, ``params``, ``metrics``, ``minimized`` (the metrics of which less is better),
        ``fold_scores`` and ``error_full``.
    """
    return view_trial(trial) | {
        "params": json_safe(trial.params),
        "metrics": json_safe(trial.metrics),
        "minimized": [
            name
            for name in trial.metrics
            if name in METRICS and METRICS[name].direction is Direction.MINIMIZE
        ],
        "fold_scores": json_safe(trial.fold_scores),
        "error_full": trial.error,
    }


def view_guardrails(guardrails: Iterable[GuardrailReported]) -> list[dict[str, Any]]:
    """Return guardrails as JSON values."""
    return [
        {
            "name": g.name,
            "state": g.state.value,
            "description": g.description,
            "details": json_safe(g.details),
        }
        for g in guardrails
    ]


def first_line(text: str) -> str:
    r"""Return the first line that says something, cut to ``MAX_ERROR_CHARACTERS``.

    Examples
    --------
    >>> first_line("\n ValueError: no rows \n at line 3")
    'ValueError: no rows'
    """
    line = next((part.strip() for part in text.splitlines() if part.strip()), "")
    return line if len(line) <= MAX_ERROR_CHARACTERS else line[: MAX_ERROR_CHARACTERS - 1] + "…"


def duration_text(seconds: float) -> str:
    """Return a limit in words, such as ``"5 min"``.

    Examples
    --------
    >>> duration_text(45), duration_text(300), duration_text(5400)
    ('45 s', '5 min', '1 h 30 min')
    """
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or "0 s"


def _newest_and_best(snapshot: RunSnapshot) -> list[TrialState]:
    newest = sorted(snapshot.trials, key=lambda t: t.number)[-MAX_TRIALS:]
    best = snapshot.best_trial
    if best is None or not newest or best.number >= newest[0].number:
        return newest
    return [best, *newest]


def _series(trials: Sequence[TrialState]) -> dict[str, Any]:
    """Return trials as columns, with families and states numbered, to be small."""
    families = sorted({t.family for t in trials})
    states = sorted({t.outcome.value if t.outcome else RUNNING for t in trials})
    return {
        "families": families,
        "states": states,
        "points": [
            [
                t.number,
                _significant(t.score),
                families.index(t.family),
                states.index(t.outcome.value if t.outcome else RUNNING),
            ]
            for t in trials
        ],
    }


def _text(snapshot: RunSnapshot) -> str:
    """Return one sentence on what the run is doing, or how it ended."""
    status = snapshot.status
    if status.is_terminal:
        return _ended_text(snapshot)
    running = [t for t in snapshot.trials if t.is_running]
    if status is RunStatus.PAUSED:
        return f"Pausing · {_pipelines(running)} still to end" if running else "Paused"
    if running and status in _MAY_TRAIN:
        return _training_text(snapshot, running)
    if snapshot.phase in _SEARCHING and snapshot.n_done and status in _MAY_TRAIN:
        return f"{_iteration(snapshot)} · choosing what to train"
    if snapshot.steps and status is RunStatus.RUNNING:
        return steps_text(snapshot.steps)
    if snapshot.phase is not None and status in _MAY_TRAIN:
        return snapshot.phase_text or _PHASE_WORDS[snapshot.phase]
    return _STATUS_WORDS[status]


def _pipelines(trials: Sequence[TrialState]) -> str:
    return trials[0].pipeline if len(trials) == 1 else f"{len(trials)} models"


def _iteration(snapshot: RunSnapshot) -> str:
    limit = snapshot.config.max_iterations if snapshot.config else None
    count = snapshot.n_done + 1 if limit is None else min(snapshot.n_done + 1, limit)
    return f"Iteration {count}" + (f" of {limit}" if limit else "")


def _training_text(snapshot: RunSnapshot, running: Sequence[TrialState]) -> str:
    oldest = min(running, key=lambda t: t.number)
    words = f"{_iteration(snapshot)} · training {oldest.pipeline}"
    if oldest.n_folds > 1:
        words += f", fold {min(oldest.folds_done + 1, oldest.n_folds)} of {oldest.n_folds}"
    return words + (f" · {len(running) - 1} more at work" if len(running) > 1 else "")


def _ended_text(snapshot: RunSnapshot) -> str:
    words = snapshot.status.value
    if snapshot.reason:
        return f"{words}: {first_line(snapshot.reason)}"
    if snapshot.steps:
        return f"{words}: {steps_ended_text(snapshot.steps)}"
    if snapshot.n_done:
        words += f" after {snapshot.n_done} iteration{'s' if snapshot.n_done > 1 else ''}"
    return words


def _progress(snapshot: RunSnapshot, now: float) -> float | None:
    """Return the share of the nearest limit that is used up, 0 to 1; None without a limit."""
    if snapshot.status is RunStatus.COMPLETED:
        return 1.0
    shares: list[float] = []
    if snapshot.config and snapshot.config.max_iterations:
        shares.append(snapshot.n_done / snapshot.config.max_iterations)
    of_steps = steps_progress(snapshot.steps)
    if of_steps is not None:
        shares.append(of_steps)
    start, deadline = snapshot.started_at, snapshot.deadline
    if start is not None and deadline is not None and deadline > start:
        end = snapshot.ended_at or snapshot.paused_at or now
        shares.append((end - start) / (deadline - start))
    return round(min(1.0, max(0.0, *shares)), 4) if shares else None


def _ends(snapshot: RunSnapshot) -> str:
    """Return what ends the run, such as ``"ends at 60 iterations or after 5 min"``."""
    config = snapshot.config
    other = snapshot.described
    if other is not None and other.deadline is not None and other.timeout_seconds is not None:
        added = (snapshot.deadline or other.deadline) - other.deadline
        return f"ends after {duration_text(other.timeout_seconds + added)}"
    if config is None:
        return ""
    ways: list[str] = []
    if config.max_iterations is not None:
        ways.append(f"at {config.max_iterations} iterations")
    if config.timeout_seconds is not None:
        extra = 0.0
        if snapshot.deadline is not None and config.deadline is not None:
            extra = snapshot.deadline - config.deadline
        ways.append(f"after {duration_text(config.timeout_seconds + extra)}")
    if config.exit_score is not None:
        ways.append(f"when {config.primary_metric} reaches {config.exit_score:g}")
    if not ways:
        return "ends when nothing better is found"
    return "ends " + " or ".join(part for part in (", ".join(ways[:-1]), ways[-1]) if part)


def _best(trial: TrialState) -> dict[str, Any]:
    return {
        "n": trial.number,
        "score": _significant(trial.score),
        "std": _significant(trial.score_std),
        "pipeline": trial.pipeline,
    }


def _compute(snapshot: RunSnapshot) -> dict[str, Any] | None:
    config, workers = snapshot.config, snapshot.workers
    known = config or snapshot.described
    if known is None and workers is None:
        return None
    return {
        "name": known.compute if known else "",
        "workers": workers.n_workers if workers else (config.n_workers if config else None),
        "busy": workers.n_busy if workers else None,
        "memory_bytes": workers.memory_bytes if workers else None,
    }


def _data(snapshot: RunSnapshot) -> dict[str, Any] | None:
    data = snapshot.data
    if data is None:
        return None
    return {
        "rows": data.n_rows,
        "columns": data.n_columns,
        "folds": data.n_folds,
        "validation": data.validation,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _significant(value: float | None) -> float | None:
    """Return a score with the digits that are shown, so that rows stay small."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{_SCORE_DIGITS}g}")
