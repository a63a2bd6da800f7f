"""The leaderboard of a run as plain rows."""

from __future__ import annotations

from typing import Any  # Any: numbers, texts and None

from nbautoml.domain.snapshot import RunSnapshot


def leaderboard_rows(snapshot: RunSnapshot) -> list[dict[str, Any]]:
    """Return one row a trial, the best first.

    Parameters
    ----------
    snapshot : RunSnapshot
        The run.

    Returns
    -------
    list of dict
        ``iteration``, ``pipeline``, ``status``, ``seconds``, then one value a metric.
    """
    return [
        {
            "iteration": trial.number,
            "pipeline": trial.pipeline,
            "status": trial.outcome.value if trial.outcome else "Running",
            "seconds": trial.seconds,
            **trial.metrics,
        }
        for trial in snapshot.ranked()
    ]
