"""A view small enough to be saved in a notebook: the best rows, what runs, the latest failures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any  # Any: JSON values of a view

from nbautoml.domain.snapshot import RunSnapshot
from nbautoml.services.view import view, view_trial
from nbautoml.widgets.points import COMPLETED, RUNNING

MAX_BYTES = 60_000
"""Most bytes of the view in a saved output."""

_ROWS = (50, 25, 10)  # fewer rows are tried until the view is small enough
_FAILED_ROWS = 8
_RUNNING_ROWS = 8
_DETAIL_ROWS = 5


def small_view(snapshot: RunSnapshot, *, now: float, workspace: str = "") -> dict[str, Any]:
    """Return a view of at most `MAX_BYTES`.

    Parameters
    ----------
    snapshot : RunSnapshot
        The run.
    now : float
        Seconds since the epoch at which it is shown.
    workspace : str, default ""
        Root folder of the run's workspace.

    Returns
    -------
    dict
        As `nbautoml.services.view.view`: whole rows for the best trials, for those that run and
        for the latest that failed; all others as points under ``series``.
    """
    shown: dict[str, Any] = {}
    for rows in _ROWS:
        shown = _with_failed_and_running(
            view(snapshot, now=now, workspace=workspace, top=rows), snapshot
        )
        if _size(shown) <= MAX_BYTES:
            break
        shown["guardrails"] = [
            g | {"details": g["details"][:_DETAIL_ROWS]} for g in shown["guardrails"]
        ]
        if _size(shown) <= MAX_BYTES:
            break
    return shown


def _with_failed_and_running(shown: dict[str, Any], snapshot: RunSnapshot) -> dict[str, Any]:
    """Return the view with rows in place of points for what runs and what failed last."""
    series = shown.get("series")
    if not series:
        return shown
    status_of = {point[0]: series["states"][point[3]] for point in series["points"]}
    running = sorted(n for n, status in status_of.items() if status == RUNNING)
    failed = sorted(n for n, status in status_of.items() if status not in (RUNNING, COMPLETED))
    wanted = {*running[-_RUNNING_ROWS:], *failed[-_FAILED_ROWS:]}
    rows = [view_trial(trial) for trial in snapshot.trials if trial.number in wanted]
    points = [point for point in series["points"] if point[0] not in wanted]
    return shown | {
        "trials": sorted([*shown["trials"], *rows], key=lambda row: row["n"]),
        "series": series | {"points": points},
    }


def _size(value: Mapping[str, Any]) -> int:
    return len(json.dumps(value, separators=(",", ":")).encode())
