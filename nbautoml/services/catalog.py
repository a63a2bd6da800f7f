"""What a workspace holds, as a panel lists it."""

from __future__ import annotations

from typing import Any  # Any: JSON values

from nbautoml.domain.ids import child_run_id
from nbautoml.domain.records import DatasetRecord, ModelRecord, RunRecord
from nbautoml.errors import ConfigError
from nbautoml.runs.types import BY_HAND, PIPELINE_RUN
from nbautoml.services.computes import list_computes
from nbautoml.services.deployments import deployments
from nbautoml.services.pipeline_details import pipeline_catalog
from nbautoml.services.steps import STEP_KINDS, counted_steps
from nbautoml.store.engine import parse_url
from nbautoml.store.session import Session

MOST_RUNS = 50
"""Newest runs that are listed where nobody says how many."""
MOST_RUNS_EVER = 1000
_MAX_REASON_CHARS = 300
_STORES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def catalog(session: Session, *, n_runs: int = 0) -> dict[str, Any]:
    """Return datasets, models, deployments, compute targets and runs, the newest first.

    Parameters
    ----------
    session : Session
        The open store.
    n_runs : int, default 0
        Most runs to list, up to `MOST_RUNS_EVER`; 0 stands for `MOST_RUNS`.

    Returns
    -------
    dict
        ``workspace`` (``name``, ``root``, ``store``, and how many ``runs`` and ``experiments``
        there are), ``datasets`` and ``models`` (the latest version of each), ``deployments``,
        ``pipelines``, ``endpoints`` and ``schedules`` (see `pipeline_catalog`),
        ``computes`` and ``runs`` (the newest ones; of a pipeline's, ``steps`` are how many of them
        are done, and how many there are).

    Raises
    ------
    ConfigError
        When `n_runs` is too high.
    """
    if n_runs > MOST_RUNS_EVER:
        raise ConfigError(f"runs must be a whole number up to {MOST_RUNS_EVER}; got {n_runs}.")
    with session.read() as tx:
        datasets = sorted(tx.datasets.list(), key=lambda d: -d.created_at)
        runs = tx.runs.list(limit=n_runs or MOST_RUNS)
        best = [run.properties["best_child_run_id"] for run in runs if _has_best(run)]
        metrics = tx.metrics.last(best + [run.id for run in runs if run.type in BY_HAND])
        pipelines = [run.id for run in runs if run.type == PIPELINE_RUN]
        steps = {id_: counted_steps(tx.events.read_kinds(id_, STEP_KINDS)) for id_ in pipelines}
        models = tx.models.list(latest=True)
        counts = {"runs": tx.runs.count(), "experiments": len(tx.experiments.list())}
    return {
        "workspace": _workspace(session) | counts,
        "datasets": [_dataset(record) for record in datasets],
        "deployments": deployments(session)["deployments"],
        "computes": list_computes(session),
        "runs": [_run(run, metrics) | {"steps": steps.get(run.id)} for run in runs],
        "models": [_model(record) for record in models],
        **pipeline_catalog(session),
    }


def _workspace(session: Session) -> dict[str, Any]:
    address = session.address
    backend = parse_url(address.store_url).get_backend_name()
    return {"name": address.name, "root": address.root, "store": _STORES.get(backend, backend)}


def _dataset(record: DatasetRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "version": record.version,
        "rows": record.n_rows,
        "columns": record.n_columns,
        "description": record.description,
        "tags": dict(record.tags),
        "created_at": record.created_at,
    }


def _has_best(run: RunRecord) -> bool:
    return bool(run.properties.get("best_child_run_id"))


def _run(run: RunRecord, metrics: dict[str, dict[str, float | None]]) -> dict[str, Any]:
    metric = run.properties.get("primary_metric")
    child = run.properties.get("best_child_run_id", "")
    best = metrics.get(child, {})
    if run.type in BY_HAND:  # of what its script or notebook logged, the first name
        best = metrics.get(run.id, {})
        metric = next(iter(sorted(best)), None)
    return {
        "id": run.id,
        "experiment": run.experiment,
        "name": run.display_name,
        "type": run.type,
        "status": run.status.value,
        "reason": run.reason[:_MAX_REASON_CHARS],
        "is_live": not run.status.is_terminal,
        "created_at": run.created_at,
        "ended_at": run.ended_at,
        "metric": metric,
        "score": best.get(metric) if metric else None,
        "best": _number(run.id, child),
    }


def _number(run_id: str, child: str) -> int | None:
    """Return the number of a child of this run by its id."""
    tail = child.rpartition("_")[2]
    is_ours = tail.isdecimal() and child == child_run_id(run_id, int(tail))
    return int(tail) if is_ours else None


def _model(record: ModelRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "version": record.version,
        "description": record.description,
        "tags": dict(record.tags),
        "framework": record.framework,
        "run_id": record.run_id,
        "created_at": record.created_at,
    }
