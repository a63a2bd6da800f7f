"""The output of RunDetails: one MIME bundle that every notebook host can show something of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any  # Any: JSON values of a view

from nbautoml.automl.figures import ModelFigure
from nbautoml.domain.snapshot import RunSnapshot
from nbautoml.services.logged import logged_figures, logged_images, run_view
from nbautoml.store.session import Session
from nbautoml.widgets.html import view_html
from nbautoml.widgets.logged_html import logged_html
from nbautoml.widgets.small_view import small_view
from nbautoml.widgets.text import view_text

RUN_MIME = "application/vnd.nbautoml.run+json"


def run_bundle(
    snapshot: RunSnapshot,
    *,
    now: float,
    workspace: str = "",
    figures: Sequence[ModelFigure] = (),
    features: Sequence[tuple[str, float]] = (),
    hint: str = "",
) -> dict[str, Any]:
    """Return what a cell shows of a run.

    Parameters
    ----------
    snapshot : RunSnapshot
        The run.
    now : float
        Seconds since the epoch at which it is shown.
    workspace : str, default ""
        Root folder of the run's workspace, with which the live view finds the run again.
    figures : sequence of ModelFigure, optional
        Charts of the best model, for homes that cannot ask for them.
    features : sequence of (str, float)
        What the best model goes by, where it is explained.
    hint : str, default ""
        A sentence that the page ends with.

    Returns
    -------
    dict
        MIME type to content: the view as JSON, HTML without scripts, and plain text.
    """
    shown = small_view(snapshot, now=now, workspace=workspace)
    page = view_html(shown, figures, features=features, hint=hint)
    return {RUN_MIME: shown, "text/html": page, "text/plain": view_text(shown)}


def logged_bundle(
    session: Session, snapshot: RunSnapshot, *, now: float, workspace: str = "", hint: str = ""
) -> dict[str, Any]:
    """Return what a cell shows of a script's run, or of one that is logged by hand.

    Parameters
    ----------
    session : Session
        The run's open workspace.
    snapshot, now, workspace, hint
        As in `run_bundle`.

    Returns
    -------
    dict
        As `run_bundle`.
    """
    shown = run_view(session, snapshot, now=now, workspace=workspace)
    page = logged_html(
        shown,
        figures=logged_figures(session, snapshot.run_id),
        pictures=logged_images(session, snapshot.run_id),
        hint=hint,
    )
    return {RUN_MIME: shown, "text/html": page, "text/plain": view_text(shown)}
