"""What a run logged and stored, as a front shows it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any  # Any: JSON values

from nbautoml.automl.figures import ModelFigure, model_figures
from nbautoml.domain.events import json_safe
from nbautoml.domain.logged import LOGGED_KINDS, Cell, Logged, LoggedFile, LoggedSeries, fold_logged
from nbautoml.domain.records import ArtifactRecord
from nbautoml.domain.snapshot import RunSnapshot
from nbautoml.errors import NbAutoMLError, NotFoundError, did_you_mean
from nbautoml.runs import files
from nbautoml.runs.values import PICTURES
from nbautoml.services.children import run_children
from nbautoml.services.logs import run_log
from nbautoml.services.view import view
from nbautoml.store.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much one answer holds: of each series, of each table, and of how many of them."""

    points: int
    rows: int
    series: int
    tables: int
    files: int


LIVE = Amount(points=1_000, rows=200, series=500, tables=100, files=1_000)
"""What a view is given that asks."""
SAVED = Amount(points=60, rows=20, series=24, tables=6, files=50)
"""What is saved with an output."""
SAVED_LINES = 30
"""Lines of the log that are saved with an output."""
SAVED_CHILDREN = 20
"""Child runs that are saved with an output."""

_FIGURE_OF = {"predictions": "predicted_true"}
"""Chart in the SDK's words to its name here, where they differ."""
_UNKNOWN = {"residuals": {"mean": None, "stddev": None}}
"""What a chart's numbers may leave out."""


def run_logged(session: Session, run_id: str) -> dict[str, Any]:
    """Return what a run logged until now.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The run.

    Returns
    -------
    dict
        ``seq`` (the last event), ``values`` (name, the newest value, how many there were),
        ``series`` (those of more than one number: name, ``x``, ``y``), ``tables``, ``images`` (name
        and file), ``charts`` (as `ModelFigure.as_json`) and ``files`` (name and size).

    Raises
    ------
    NotFoundError
        When there is no such run.
    """
    logged, seq, stored = _read(session, run_id)
    return _shown(logged, stored, LIVE) | {
        "seq": seq,
        "charts": [figure.as_json() for figure in logged_figures(session, run_id, logged)],
    }


def run_view(
    session: Session, snapshot: RunSnapshot, *, now: float, workspace: str = ""
) -> dict[str, Any]:
    """Return the view of a run; of one that is no AutoML run with a little of what it logged.

    Parameters
    ----------
    session : Session
        The open store.
    snapshot : RunSnapshot
        The run.
    now : float
        Seconds since the epoch.
    workspace : str, default ""
        Root folder of the run's workspace.

    Returns
    -------
    dict
        As `nbautoml.services.view.view`, with ``logged``: as `run_logged`, without charts, with
        ``lines``, the end of the log, and ``children``, as `run_children`.
    """
    shown = view(snapshot, now=now, workspace=workspace)
    if snapshot.described is None:
        return shown
    logged, seq, stored = _read(session, snapshot.run_id)
    small = _shown(logged, stored, SAVED)
    lines = run_log(session, snapshot.run_id)["lines"][-SAVED_LINES:]
    more = {"lines": lines, "children": run_children(session, snapshot.run_id, SAVED_CHILDREN)}
    return shown | {"logged": small | {"seq": seq, "charts": [], **more}}


def logged_figures(
    session: Session, run_id: str, logged: Logged | None = None
) -> list[ModelFigure]:
    """Return the charts whose numbers a run logged; those that cannot be drawn are left out.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The run.
    logged : Logged, optional
        What it logged, where that is known.
    """
    known = _read(session, run_id)[0] if logged is None else logged
    found: list[ModelFigure] = []
    for file in known.files:
        if file.chart:
            found += _figures(session, run_id, file)
    return found


def logged_images(session: Session, run_id: str) -> list[tuple[str, Path, str]]:
    """Return the pictures of a run: name, file, media type."""
    logged = _read(session, run_id)[0]
    found = []
    for file in logged.files:
        kind = picture_type(file.file)
        if not file.chart and kind:
            found.append((file.name, session.load_artifact(run_id, file.file), kind))
    return found


def logged_file(session: Session, run_id: str, name: str) -> Path:
    """Return where a stored file of a run lies.

    Raises
    ------
    NotFoundError
        When there is no such run, or it has no such file.
    """
    with session.read() as tx:
        tx.runs.get(run_id)
    names = files.names(session, run_id)
    if name not in names:
        raise NotFoundError(f"Run {run_id} has no file {name!r}.{did_you_mean(name, names)}")
    return session.load_artifact(run_id, name)


def picture_type(name: str) -> str:
    """Return the media type of a picture by its file's name; empty for other files.

    Examples
    --------
    >>> picture_type("outputs/ROC.PNG"), picture_type("model.pkl")
    ('image/png', '')
    """
    return PICTURES.get(PurePosixPath(name).suffix.lower(), "")


def _read(session: Session, run_id: str) -> tuple[Logged, int, Sequence[ArtifactRecord]]:
    with session.read() as tx:
        tx.runs.get(run_id)
        seq = tx.events.last_seq(run_id)
        logged = fold_logged(tx.events.read_kinds(run_id, LOGGED_KINDS))
        return logged, seq, tx.artifacts.list(run_id)


def _shown(logged: Logged, stored: Sequence[ArtifactRecord], most: Amount) -> dict[str, Any]:
    pictures = [f for f in logged.files if not f.chart]
    curves = [s for s in logged.series if _is_curve(s)]
    return {
        "values": [
            {"name": s.name, "value": json_safe(s.values[-1]), "n": len(s.values)}
            for s in logged.series
            if s.values
        ],
        "series": [_series(s, most.points) for s in curves[: most.series]],
        "tables": [
            {
                "name": table.name,
                "columns": list(table.columns),
                "rows": _rows(table.columns, most.rows),
                "n_rows": table.n_rows,
            }
            for table in logged.tables[: most.tables]
        ],
        "images": [{"name": f.name, "file": f.file} for f in pictures],
        "files": [{"name": r.name, "bytes": r.size_bytes} for r in stored[: most.files]],
        "n_files": len(stored),
    }


def _is_curve(series: LoggedSeries) -> bool:
    return len(series.values) > 1 and not series.has_text


def _series(series: LoggedSeries, most: int) -> dict[str, Any]:
    """Return a series as two lists: the steps that were given, else its numbers from 0."""
    has_steps = all(step is not None for step in series.steps)
    x = list(series.steps) if has_steps else list(range(len(series.values)))
    kept = _thinned(len(x), most)
    return {
        "name": series.name,
        "x": [x[i] for i in kept],
        "y": [json_safe(series.values[i]) for i in kept],
    }


def _thinned(n: int, most: int) -> list[int]:
    """Return at most so many places of `n`, evenly, the first and the last among them.

    Examples
    --------
    >>> _thinned(10, 4), _thinned(3, 4)
    ([0, 3, 6, 9], [0, 1, 2])
    """
    if n <= most:
        return list(range(n))
    return [math.floor(i * (n - 1) / (most - 1) + 0.5) for i in range(most)]


def _rows(columns: Mapping[str, Sequence[Cell]], most: int) -> list[list[Cell]]:
    """Return the first rows; a column that is shorter ends in empty cells."""
    n_rows = min(most, max((len(cells) for cells in columns.values()), default=0))
    return [
        [cells[i] if i < len(cells) else None for cells in columns.values()] for i in range(n_rows)
    ]


def _figures(session: Session, run_id: str, file: LoggedFile) -> list[ModelFigure]:
    try:
        payload = files.read_json(session, run_id, file.file)
        numbers = _UNKNOWN.get(file.chart, {}) | payload["data"]
        drawn = model_figures({_FIGURE_OF.get(file.chart, file.chart): {"data": numbers}})
    # Numbers that a script made up in another shape; the file can still be saved.
    except (NbAutoMLError, KeyError, TypeError, ValueError, IndexError):
        return []
    return [
        ModelFigure(
            name=f"{file.name}/{figure.name}",
            title=f"{file.name}: {figure.title}",
            help=figure.help,
            data=figure.data,
            layout=figure.layout,
        )
        for figure in drawn
    ]
