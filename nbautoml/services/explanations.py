"""What a front shows of the explanation of a model, and what it may ask about it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any  # Any: JSON values

from nbautoml.automl.artifacts import DASHBOARD
from nbautoml.automl.explain_run import (
    Wanted,
    ask_explanation,
    last_explanation,
    progress_of,
    start_forgotten,
)
from nbautoml.automl.what_if_apart import ask_what_if
from nbautoml.domain.ids import child_run_id
from nbautoml.domain.status import RunStatus
from nbautoml.errors import ConfigError, NotFoundError, did_you_mean
from nbautoml.runs import files
from nbautoml.services.runs import find_trial
from nbautoml.store.session import Session

MOST_CHANGES = 200


def trial_explanation(session: Session, run_id: str, number: int) -> dict[str, Any]:
    """Return how the explanation of a trial's model stands, and the latest one.

    Returns
    -------
    dict
        ``state``: ``"none"``, ``"waiting"``, ``"running"``, ``"failed"``, ``"canceled"`` or
        ``"done"``; ``text``, a sentence on it; and ``explanation``, as
        ``docs/howto/explanations.md`` describes it, or None.

    Raises
    ------
    NotFoundError
        When there is no such run or trial.
    """
    find_trial(session, run_id, number)
    child = child_run_id(run_id, number)
    run = last_explanation(session, child)
    board = _board(session, child)
    if run is None:
        state, text = ("none" if board is None else "done"), ""
    elif run.status.is_terminal:
        state, text = _ENDS[run.status], run.reason
    elif run.status is RunStatus.NOT_STARTED:
        start_forgotten(session, run, time.time())
        state, text = "waiting", "It begins when the run has ended."
    else:
        state, text = "running", progress_of(session, run.id)
    return {"n": number, "state": state, "text": text, "explanation": board}


_ENDS = {
    RunStatus.COMPLETED: "done",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELED: "canceled",
}


def explain_trial(
    session: Session, run_id: str, number: int, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Ask for the explanation of a trial's model, and return how it stands.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The AutoML run.
    number : int
        The trial.
    asked : mapping
        ``rows`` and ``minutes``, where others than the usual ones are wanted.

    Raises
    ------
    ConfigError
        When a number is out of its range.
    NotFoundError
        When there is no such run or trial, or it has no model.
    """
    find_trial(session, run_id, number)
    wanted = Wanted.of(rows=asked.get("rows"), minutes=asked.get("minutes"))
    ask_explanation(session, run_id, number, wanted)
    return trial_explanation(session, run_id, number)


def what_if_of_trial(
    session: Session, run_id: str, number: int, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a trial's model says of an explained row, and of the same row changed.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The AutoML run.
    number : int
        The trial.
    asked : mapping
        ``row``, its place among the explained ones, and ``changes``, column to its other cell: a
        number, a text, a truth value or null.

    Returns
    -------
    dict
        ``before`` and ``after``, see `ask_what_if`.

    Raises
    ------
    ConfigError
        When the question is not of this form.
    NotFoundError
        When there is no such run or trial, or it is not explained.
    ModelError
        When the model cannot answer.
    """
    find_trial(session, run_id, number)
    row, changes = asked.get("row"), asked.get("changes")
    if isinstance(row, bool) or not isinstance(row, int) or row < 0:
        raise ConfigError(f"row of a what-if question must be a place from 0; got {row!r}.")
    if not isinstance(changes, Mapping) or not 0 < len(changes) <= MOST_CHANGES:
        raise ConfigError(
            f"changes of a what-if question must map 1 to {MOST_CHANGES} columns to cells; "
            f"got {changes!r:.100}."
        )
    for name, cell in changes.items():
        if cell is not None and not isinstance(cell, str | int | float | bool):
            raise ConfigError(f"The cell of {name!r} must be a number or a text; got {cell!r:.60}.")
    board = _board(session, child_run_id(run_id, number))
    if board is None:
        raise NotFoundError(f"Iteration {number} of run {run_id} is not explained yet.")
    _check_columns(board, changes)
    before, after = ask_what_if(session, run_id, number, row, changes)
    return {"before": before, "after": after}


def _board(session: Session, child: str) -> dict[str, Any] | None:
    """Return what is shown of a child's explanation; None when it is not explained."""
    if DASHBOARD not in files.names(session, child, prefix=DASHBOARD):
        return None
    board: dict[str, Any] = files.read_json(session, child, DASHBOARD)
    return board


def _check_columns(board: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    known = [str(feature["name"]) for feature in board["raw"]]
    for name in changes:
        if name not in known:
            raise ConfigError(f"The model uses no column {name!r}.{did_you_mean(name, known)}")


def top_features(session: Session, child_id: str, most: int) -> list[tuple[str, float]]:
    """Return the most important raw columns of an explained child, with their importances.

    Parameters
    ----------
    session : Session
        The open store.
    child_id : str
        The child run.
    most : int
        How many columns at most.

    Returns
    -------
    list of (str, float)
        Empty when the child is not explained.
    """
    board = _board(session, child_id)
    if board is None:
        return []
    measure = "size" if board["explained_rows"] else "loss"
    pairs = [(str(row["name"]), row[measure]) for row in board["raw"]]
    return [(name, float(value)) for name, value in pairs if value is not None][:most]
