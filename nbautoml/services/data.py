"""What a front shows of the data of a run: its label, its columns, and what became of them."""

from __future__ import annotations

from typing import Any  # Any: JSON values

from nbautoml.automl.artifacts import LABEL, PROFILE
from nbautoml.runs import files
from nbautoml.store.session import Session

_STATS = ("n_missing", "n_unique", "mean", "std", "min", "max")


def run_columns(session: Session, run_id: str) -> dict[str, Any]:
    """Return the columns of a run's training data.

    Returns
    -------
    dict
        ``rows`` and ``columns``, in their order: ``name``, ``dtype``, ``purpose``, ``used``,
        ``reason``, ``notes`` and what is known of ``n_missing``, ``n_unique``, ``mean``, ``std``,
        ``min`` and ``max``. There are none before the run has looked at its data. ``label`` is
        what `nbautoml.engine.label_summary.summarize_label` found, or None.

    Raises
    ------
    NotFoundError
        When there is no such run.
    """
    with session.read() as tx:
        tx.runs.get(run_id)
    known = set(files.names(session, run_id, "internal/"))
    if PROFILE not in known:
        return {"rows": 0, "columns": [], "label": None}
    profile = files.read_json(session, run_id, PROFILE)
    return {
        "rows": profile["n_rows"],
        "columns": [_column(column) for column in profile["columns"]],
        "label": files.read_json(session, run_id, LABEL) if LABEL in known else None,
    }


def _column(column: dict[str, Any]) -> dict[str, Any]:
    stats = {name: column["stats"][name] for name in _STATS if name in column["stats"]}
    named = {name: column[name] for name in ("name", "dtype", "purpose", "reason", "notes")}
    return {**named, "used": column["purpose"] != "Ignore", **stats}
