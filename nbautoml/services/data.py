"""What a front shows of the data of a run: its columns, and what became of them."""

from __future__ import annotations

import json
from typing import Any  # Any: JSON values

from nbautoml.automl.artifacts import PROFILE
from nbautoml.store.session import Session

_STATS = ("n_missing", "n_unique", "mean", "std", "min", "max")


def run_columns(session: Session, run_id: str) -> dict[str, Any]:
    """Return the columns of a run's training data.

    Returns
    -------
    dict
        ``rows`` and ``columns``, in their order: ``name``, ``dtype``, ``purpose``, ``used``,
        ``reason``, ``notes`` and what is known of ``n_missing``, ``n_unique``, ``mean``, ``std``,
        ``min`` and ``max``. There are none before the run has looked at its data.

    Raises
    ------
    NotFoundError
        When there is no such run.
    """
    with session.read() as tx:
        tx.runs.get(run_id)
        is_known = any(a.name == PROFILE for a in tx.artifacts.list(run_id, prefix=PROFILE))
    if not is_known:
        return {"rows": 0, "columns": []}
    profile = json.loads(session.load_artifact(run_id, PROFILE).read_bytes())
    return {
        "rows": profile["n_rows"],
        "columns": [_column(column) for column in profile["columns"]],
    }


def _column(column: dict[str, Any]) -> dict[str, Any]:
    stats = {name: column["stats"][name] for name in _STATS if name in column["stats"]}
    named = {name: column[name] for name in ("name", "dtype", "purpose", "reason", "notes")}
    return {**named, "used": column["purpose"] != "Ignore", **stats}
