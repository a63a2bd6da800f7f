"""What a workspace holds, as a panel lists it."""

from __future__ import annotations

from typing import Any  # Any: JSON values

from nbautoml.domain.records import DatasetRecord, ModelRecord, RunRecord
from nbautoml.store.session import Session

MOST_RUNS = 50
"""Newest runs that are listed."""
LOCAL = "local"


def catalog(session: Session) -> dict[str, Any]:
    """Return datasets, compute targets, runs and models of a workspace, the newest first.

    Returns
    -------
    dict
        ``workspace`` (``name`` and ``root``), ``datasets`` (the latest version of each),
        ``computes``, ``runs`` (the newest ones) and ``models`` (the latest version of each).
    """
    with session.read() as tx:
        datasets = sorted(tx.datasets.list(), key=lambda d: -d.created_at)
        runs = tx.runs.list(limit=MOST_RUNS)
        best = [run.properties["best_child_run_id"] for run in runs if _has_best(run)]
        metrics = tx.metrics.last(best)
        models = tx.models.list(latest=True)
        computes = tx.computes.list()
    return {
        "workspace": {"name": session.address.name, "root": session.address.root},
        "datasets": [_dataset(record) for record in datasets],
        "computes": _computes([(record.name, record.kind) for record in computes]),
        "runs": [_run(run, metrics) for run in runs],
        "models": [_model(record) for record in models],
    }


def _dataset(record: DatasetRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "version": record.version,
        "rows": record.n_rows,
        "columns": record.n_columns,
        "description": record.description,
        "created_at": record.created_at,
    }


def _computes(known: list[tuple[str, str]]) -> list[dict[str, Any]]:
    names = dict(known)
    names.setdefault(LOCAL, LOCAL)  # this machine is always there
    return [{"name": name, "kind": kind} for name, kind in sorted(names.items())]


def _has_best(run: RunRecord) -> bool:
    return bool(run.properties.get("best_child_run_id"))


def _run(run: RunRecord, metrics: dict[str, dict[str, float | None]]) -> dict[str, Any]:
    metric = run.properties.get("primary_metric")
    best = metrics.get(run.properties.get("best_child_run_id", ""), {})
    return {
        "id": run.id,
        "experiment": run.experiment,
        "name": run.display_name,
        "type": run.type,
        "status": run.status.value,
        "is_live": not run.status.is_terminal,
        "created_at": run.created_at,
        "ended_at": run.ended_at,
        "metric": metric,
        "score": best.get(metric) if metric else None,
    }


def _model(record: ModelRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "version": record.version,
        "description": record.description,
        "run_id": record.run_id,
        "created_at": record.created_at,
    }
