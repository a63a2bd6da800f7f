"""What a front shows of one model of a run, and what it lets people do with it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any  # Any: JSON values

from nbautoml.automl.artifacts import METRIC_CONFIDENCE
from nbautoml.automl.export import register_child
from nbautoml.automl.figures import ModelFigure, stored_figures
from nbautoml.domain.ids import child_run_id
from nbautoml.errors import ConfigError, NbAutoMLError, NotFoundError, did_you_mean
from nbautoml.runs import files
from nbautoml.runs.child_process import run_apart
from nbautoml.services.runs import find_trial
from nbautoml.store.session import Session


def trial_charts(session: Session, run_id: str, number: int) -> dict[str, Any]:
    """Return a trial's charts, and the confidence intervals of its metrics.

    Returns
    -------
    dict
        ``n``, ``figures`` (see `ModelFigure.as_json`) and ``confidence``: lower and upper end
        by metric, where they are known.

    Raises
    ------
    NotFoundError
        When there is no such run or trial.
    """
    figures = _figures(session, run_id, number)
    return {
        "n": number,
        "figures": [figure.as_json() for figure in figures],
        "confidence": _confidence(session, child_run_id(run_id, number)),
    }


def chart_page(session: Session, run_id: str, number: int, name: str) -> str:
    """Return one chart as a page that needs nothing else, to be opened in a browser.

    Raises
    ------
    NotFoundError
        When there is no such run, trial or chart.
    """
    names = [figure.name for figure in _figures(session, run_id, number)]
    if name not in names:
        raise NotFoundError(
            f"Iteration {number} of run {run_id} has no chart {name!r}; it has {names}."
            f"{did_you_mean(name, names)}"
        )
    # In a process of its own: a server does not load plotly for the one who saves a chart.
    with tempfile.TemporaryDirectory(prefix="nbautoml-chart-") as folder:
        page = Path(folder) / "chart.html"
        child = child_run_id(run_id, number)
        problem = run_apart(session, run_id, "nbautoml.widgets.charts", child, name, str(page))
        if problem:
            raise NbAutoMLError(f"The chart {name!r} of {child} was not written: {problem}")
        return page.read_text(encoding="utf-8")


def register_trial(
    session: Session, run_id: str, number: int, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Register a trial's model as a new version.

    Parameters
    ----------
    session : Session
        The open store.
    run_id : str
        The parent run.
    number : int
        The trial.
    asked : mapping
        ``name``, and ``description`` and ``tags`` where wanted.

    Returns
    -------
    dict
        ``name`` and ``version``.

    Raises
    ------
    ConfigError
        When what is asked for cannot be.
    NotFoundError
        When there is no such run or trial, or it has no model.
    """
    find_trial(session, run_id, number)
    name, description, tags = asked.get("name"), asked.get("description"), asked.get("tags")
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f"name of the model must be a text; got {name!r}.")
    if description is not None and not isinstance(description, str):
        raise ConfigError(f"description of the model must be a text; got {description!r}.")
    if tags is not None and not isinstance(tags, Mapping):
        raise ConfigError(f"tags of the model must be a mapping; got {tags!r}.")
    model = register_child(
        session, run_id, number, name.strip(), description=description, tags=tags
    )
    return {"name": model.name, "version": model.version}


def _figures(session: Session, run_id: str, number: int) -> list[ModelFigure]:
    find_trial(session, run_id, number)
    return stored_figures(session, child_run_id(run_id, number))


def _confidence(session: Session, child: str) -> dict[str, list[float]]:
    if METRIC_CONFIDENCE not in files.names(session, child):
        return {}
    intervals = files.read_json(session, child, METRIC_CONFIDENCE)["data"]["metrics"]
    ends = {name: [i["lower_ci_95"], i["upper_ci_95"]] for name, i in intervals.items()}
    return {name: pair for name, pair in ends.items() if None not in pair}
