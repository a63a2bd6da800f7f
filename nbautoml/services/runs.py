"""Runs as fronts need them: the state of one, a trial's details, and requests to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any  # Any: JSON values

from nbautoml.automl.artifacts import ONNX_MODEL, ONNX_REFUSED
from nbautoml.domain.events import json_safe
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.metrics import Direction, metric
from nbautoml.domain.records import RequestRecord
from nbautoml.domain.snapshot import TrialState
from nbautoml.domain.status import RequestKind
from nbautoml.errors import ConfigError, ConflictError, NotFoundError, did_you_mean
from nbautoml.runs import files
from nbautoml.runs.details import run_snapshot as run_snapshot
from nbautoml.runs.ending import cancel_by_hand
from nbautoml.runs.requests import check_request
from nbautoml.services.view import view_trial_details
from nbautoml.store.session import Session

MAX_MINUTES = 7 * 24 * 60


def trial_details(session: Session, run_id: str, number: int) -> dict[str, Any]:
    """Return a trial's row with settings, metrics, fold scores and the whole error.

    Returns
    -------
    dict
        As `nbautoml.services.view.view_trial_details`, and ``onnx``: None where there is none and
        the run was not asked for one; else ``is_ready``, whether the file is there (one that is
        not is written when it is first fetched), and ``refused``, why it cannot be written.

    Raises
    ------
    NotFoundError
        When there is no such run, or it has no such trial.
    """
    details = view_trial_details(find_trial(session, run_id, number))
    return details | {"onnx": _onnx(session, run_id, child_run_id(run_id, number))}


def _onnx(session: Session, run_id: str, child_id: str) -> dict[str, Any] | None:
    with session.read() as tx:
        config = tx.runs.get(run_id).settings.get("config", {})
        child = tx.runs.get(child_id) if tx.runs.exists(child_id) else None
    if child is None:
        return None
    refused = child.properties.get(ONNX_REFUSED, "")
    is_ready = ONNX_MODEL in files.names(session, child_id, prefix=ONNX_MODEL)
    if not is_ready and not config.get("enable_onnx_compatible_models"):
        return None
    return {"is_ready": is_ready, "refused": "" if is_ready else refused}


def trial_scores(session: Session, run_id: str, name: str) -> dict[str, Any]:
    """Return one metric of all trials.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The run.
    name : str
        The metric; empty for the names of those that there are.

    Returns
    -------
    dict
        ``metrics``, all names that trials report; ``maximize``, whether more is better; and
        ``scores``, pairs of a trial's number and its value.

    Raises
    ------
    NotFoundError
        When there is no such run, or none of its trials reports the metric.
    """
    trials = run_snapshot(session, run_id).trials
    known = list(dict.fromkeys(metric for trial in trials for metric in trial.metrics))
    if not name:
        return {"metrics": known, "maximize": True, "scores": []}
    if name not in known:
        raise NotFoundError(f"Run {run_id} has no metric {name!r}.{did_you_mean(name, known)}")
    values = [(trial.number, trial.metrics.get(name)) for trial in trials]
    return {
        "metrics": known,
        "maximize": metric(name).direction is Direction.MAXIMIZE,
        "scores": [[n, json_safe(value)] for n, value in values if value is not None],
    }


def find_trial(session: Session, run_id: str, number: int) -> TrialState:
    """Return one trial of a run.

    Raises
    ------
    NotFoundError
        When there is no such run, or it has no such trial.
    """
    trials = run_snapshot(session, run_id).trials
    for trial in trials:
        if trial.number == number:
            return trial
    raise NotFoundError(f"Run {run_id} has no iteration {number}; it has {len(trials)} iterations.")


def request_of_run(
    session: Session, run_id: str, request: Mapping[str, Any], *, time: float
) -> RequestRecord:
    """Ask something of a run; its controller obeys when it next looks.

    Parameters
    ----------
    session : Session
        The workspace.
    run_id : str
        The run.
    request : mapping
        ``kind`` is ``"cancel"``, ``"finish_now"``, ``"pause"``, ``"resume"`` or
        ``"add_minutes"``; ``minutes`` goes with the last one.
    time : float
        Seconds since the epoch.

    Raises
    ------
    ConfigError
        When the request is not one of these.
    NotFoundError
        When there is no such run.
    ConflictError
        When the run has ended, or cannot do this.
    """
    kind = _kind(request)
    payload = {"minutes": _minutes(request)} if kind is RequestKind.ADD_MINUTES else {}
    with session.write() as tx:
        run = tx.runs.get(run_id)
        if run.status.is_terminal:
            raise ConflictError(
                f"Nothing can be asked of run {run_id} any more: it is {run.status.value}."
            )
        check_request(run, kind)
        asked = tx.requests.append(run_id, kind, payload, time)
    if kind is RequestKind.CANCEL:
        cancel_by_hand(session, run_id)
    return asked


def _kind(request: Mapping[str, Any]) -> RequestKind:
    kinds = [kind.value for kind in RequestKind]
    kind = request.get("kind")
    if kind not in kinds:
        hint = did_you_mean(str(kind), kinds)
        raise ConfigError(f"kind of a request must be one of {kinds}; got {kind!r}.{hint}")
    return RequestKind(kind)


def _minutes(request: Mapping[str, Any]) -> float:
    minutes = request.get("minutes")
    is_number = isinstance(minutes, (int, float)) and not isinstance(minutes, bool)
    if not is_number or not 0 < minutes <= MAX_MINUTES:  # type: ignore[operator]  # a number here
        raise ConfigError(
            f"minutes of a request must be a number above 0 and up to {MAX_MINUTES}; "
            f"got {minutes!r}."
        )
    return float(minutes)  # type: ignore[arg-type]  # a number here
