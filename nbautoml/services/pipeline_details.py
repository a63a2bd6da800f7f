"""One published pipeline, or one endpoint, as a view of it shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any  # Any: JSON values

from nbautoml.domain.records import PublishedPipelineRecord, RunRecord
from nbautoml.domain.snapshot import StepState
from nbautoml.errors import ConfigError
from nbautoml.pipelines.layout import graph_layout
from nbautoml.pipelines.picture import steps_of
from nbautoml.pipelines.submission import ENDPOINT_ID, PIPELINE_ID
from nbautoml.services.pipelines import (
    pipeline_endpoints,
    published_pipelines,
    schedules,
    set_default_version,
    set_endpoint_enabled,
    set_pipeline_enabled,
    set_schedule_enabled,
)
from nbautoml.services.steps import view_step
from nbautoml.store.session import Session

MOST_RUNS = 50
"""Newest runs that a view lists."""
_ARCHIVED = "Archived"


def pipeline_catalog(session: Session) -> dict[str, Any]:
    """Return ``pipelines``, ``endpoints`` and ``schedules``, without what is archived."""
    endpoints = pipeline_endpoints(session)["endpoints"]
    return {
        "pipelines": published_pipelines(session)["pipelines"],
        "endpoints": [one for one in endpoints if one["status"] != _ARCHIVED],
        "schedules": schedules(session)["schedules"],
    }


def pipeline_details(session: Session, pipeline_id: str) -> dict[str, Any]:
    """Return a published pipeline with its graph, its schedules and its newest runs.

    Returns
    -------
    dict
        As a row of `published_pipelines`; ``steps`` are as `view_step` returns them, without a
        ``status``, ``graph`` says where they stand (`GraphLayout.as_json`), ``versions`` is
        empty, ``schedules`` as `schedules` has them, ``runs`` dicts with ``id``, ``experiment``,
        ``status`` and ``created_at``.

    Raises
    ------
    NotFoundError
        When there is none of that id.
    """
    with session.read() as tx:
        record = tx.published_pipelines.get(pipeline_id)
    row = next(one for one in published_pipelines(session)["pipelines"] if one["id"] == pipeline_id)
    row |= {"versions": [], "schedules": _schedules_of(session, "pipeline_id", pipeline_id)}
    return {**row, **_graph(record), "runs": _runs(session, PIPELINE_ID, pipeline_id)}


def endpoint_details(session: Session, endpoint_id: str) -> dict[str, Any]:
    """Return an endpoint with the graph of its default version.

    Returns
    -------
    dict
        As `pipeline_details`; ``versions`` as in `pipeline_endpoints`, ``version`` the default.

    Raises
    ------
    NotFoundError
        When there is none of that id.
    """
    with session.read() as tx:
        tx.pipeline_endpoints.get(endpoint_id)
    row = next(one for one in pipeline_endpoints(session)["endpoints"] if one["id"] == endpoint_id)
    version = next(one for one in row["versions"] if one["is_default"])
    with session.read() as tx:
        record = tx.published_pipelines.get(version["pipeline_id"])
    row |= {
        "version": row["default_version"],
        "parameters": version["parameters"],
        "schedules": _schedules_of(session, "endpoint_id", endpoint_id),
    }
    return {**row, **_graph(record), "runs": _runs(session, ENDPOINT_ID, endpoint_id)}


def change_pipeline(session: Session, pipeline_id: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Enable or disable a published pipeline: ``{"enabled": true}``; return its row.

    Raises
    ------
    ConfigError
        When something else is asked for.
    NotFoundError
        When there is none of that id.
    """
    return set_pipeline_enabled(session, pipeline_id, _enabled(asked))


def change_endpoint(session: Session, endpoint_id: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Enable or disable an endpoint, or choose its ``default_version``; return its row.

    Raises
    ------
    ConfigError
        When something else is asked for.
    NotFoundError
        When there is no such endpoint or version.
    """
    version = asked.get("default_version")
    if "default_version" not in asked:
        return set_endpoint_enabled(session, endpoint_id, _enabled(asked))
    if not isinstance(version, str) or len(asked) > 1:
        raise ConfigError(f"default_version must be a text and asked for alone; got {asked!r:.80}.")
    return set_default_version(session, endpoint_id, version)


def change_schedule(session: Session, schedule_id: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Enable or disable a schedule: ``{"enabled": true}``; return its row.

    Raises
    ------
    ConfigError
        When something else is asked for.
    NotFoundError
        When there is none of that id.
    """
    return set_schedule_enabled(session, schedule_id, _enabled(asked))


def _enabled(asked: Mapping[str, Any]) -> bool:
    is_enabled = asked.get("enabled")
    if not isinstance(is_enabled, bool) or len(asked) > 1:
        raise ConfigError(f"enabled must be true or false, and asked for alone; got {asked!r:.80}.")
    return is_enabled


def _row_of(rows: list[dict[str, Any]], id_: str) -> dict[str, Any]:
    return next(row for row in rows if row["id"] == id_)


def _graph(record: PublishedPipelineRecord) -> dict[str, Any]:
    steps = steps_of(record.graph)
    rows = [view_step(StepState(step=step, seq=0)) | {"status": ""} for step in steps]
    return {"steps": rows, "graph": graph_layout(steps).as_json()}


def _schedules_of(session: Session, key: str, value: str) -> list[dict[str, Any]]:
    return [one for one in schedules(session)["schedules"] if one[key] == value]


def _runs(session: Session, key: str, value: str) -> list[dict[str, Any]]:
    with session.read() as tx:
        return [_run(run) for run in tx.runs.list(properties={key: value}, limit=MOST_RUNS)]


def _run(run: RunRecord) -> dict[str, Any]:
    return {
        "id": run.id,
        "experiment": run.experiment,
        "status": run.status.value,
        "created_at": run.created_at,
    }
