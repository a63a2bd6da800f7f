"""Files of a run that a front offers to save."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from nbautoml.automl.artifacts import NOTEBOOK, ONNX_MODEL, SCRIPT, SERVED_MODEL
from nbautoml.automl.export import ensure_bundle
from nbautoml.automl.generated_code import ensure_code_apart, has_code
from nbautoml.automl.leaderboard import leaderboard_rows
from nbautoml.automl.onnx_model import ensure_onnx
from nbautoml.domain.ids import child_run_id
from nbautoml.errors import NotFoundError, did_you_mean
from nbautoml.runs import files
from nbautoml.runs.details import run_snapshot
from nbautoml.services.archive import archive
from nbautoml.services.runs import find_trial
from nbautoml.store.session import Session

OUTPUTS = "outputs/"


def trial_file(session: Session, run_id: str, number: int, name: str) -> Path:
    """Return where a file of a trial lies; bundle, ONNX and code are made where they are missing.

    Raises
    ------
    NotFoundError
        When there is no such run, trial or file.
    ModelError
        When the model cannot be written as ONNX.
    """
    find_trial(session, run_id, number)
    if name == SERVED_MODEL:
        ensure_bundle(session, run_id, number)
    elif name == ONNX_MODEL:
        ensure_onnx(session, run_id, number)
    elif name in (SCRIPT, NOTEBOOK):
        ensure_code_apart(session, run_id, number)
    child = child_run_id(run_id, number)
    names = files.names(session, child)
    if name not in names:
        raise NotFoundError(
            f"Iteration {number} of run {run_id} has no file {name!r}.{did_you_mean(name, names)}"
        )
    return session.load_artifact(child, name)


def trial_archive(session: Session, run_id: str, number: int) -> Iterator[bytes]:
    """Return all that a trial leaves to its owner as the parts of a zip archive.

    That is its bundle and its code; what cannot be written as code is left out.

    Raises
    ------
    NotFoundError
        When there is no such run or trial, or it has no model.
    """
    trial_file(session, run_id, number, SERVED_MODEL)
    if has_code(session, run_id, number):
        ensure_code_apart(session, run_id, number)
    child = child_run_id(run_id, number)
    names = files.names(session, child, OUTPUTS)
    return archive([(name, session.load_artifact(child, name)) for name in names])


def leaderboard_csv(session: Session, run_id: str) -> str:
    """Return the leaderboard as CSV, the best first.

    Raises
    ------
    NotFoundError
        When there is no such run.
    """
    rows = leaderboard_rows(run_snapshot(session, run_id))
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
