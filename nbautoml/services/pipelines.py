"""Published pipelines, endpoints and schedules as fronts need them.

What reads data, or makes a run, is asked of a process of its own
(`nbautoml.services.pipeline_process`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any  # Any: JSON values

from nbautoml.domain.records import (
    PipelineEndpointRecord,
    PublishedPipelineRecord,
    ScheduleRecord,
)
from nbautoml.domain.status import PublishedStatus
from nbautoml.errors import ConfigError
from nbautoml.pipelines.addresses import endpoint_address, pipeline_address
from nbautoml.pipelines.endpoint import PipelineEndpoint, set_default
from nbautoml.pipelines.published import parameters_of, step_names_of
from nbautoml.pipelines.schedule_settings import ScheduleSettings
from nbautoml.runs.asked_process import AskedProcess
from nbautoml.store.session import Reader, Session

_PROCESS = "nbautoml.services.pipeline_process"
_ASKED = ("experiment", "parameters", "version")


def published_pipelines(session: Session) -> dict[str, Any]:
    """Return the published pipelines of a workspace, newest first, disabled ones too.

    Returns
    -------
    dict
        ``pipelines``: dicts with ``id``, ``name``, ``version``, ``description``, ``status``
        (``"Active"`` or ``"Disabled"``), ``created_at``, ``steps`` (their names), ``parameters``
        (name to default), ``endpoints`` (names of those that have it as a version) and
        ``address``, where requests for it go.
    """
    with session.read() as tx:
        records = tx.published_pipelines.list()
        endpoints = tx.pipeline_endpoints.list()
    rows = [_pipeline_row(session, record, endpoints) for record in records]
    return {"pipelines": rows}


def pipeline_endpoints(session: Session) -> dict[str, Any]:
    """Return the endpoints of a workspace, newest first, disabled and archived ones too.

    Returns
    -------
    dict
        ``endpoints``: dicts with ``id``, ``name``, ``description``, ``status``, ``created_at``,
        ``default_version``, ``address`` and ``versions``, oldest first: dicts with ``version``,
        ``is_default``, ``pipeline_id``, ``name`` and ``status`` of that pipeline, its ``steps``
        and its ``parameters``.
    """
    with session.read() as tx:
        records = tx.pipeline_endpoints.list()
        pipelines = {one.id: one for one in tx.published_pipelines.list()}
    return {"endpoints": [_endpoint_row(session, record, pipelines) for record in records]}


def run_published(session: Session, pipeline_id: str, asked: Mapping[str, Any]) -> dict[str, str]:
    """Start a published pipeline; return the ``run_id`` at once.

    Parameters
    ----------
    session : Session
        The open store.
    pipeline_id : str
        Which pipeline.
    asked : mapping
        ``experiment``, its name, and ``parameters``, name to value; those that are left out have
        their defaults.

    Raises
    ------
    NotFoundError
        When there is no such pipeline.
    ConflictError
        When it is disabled.
    ConfigError
        When it has no parameter of a name, or the experiment cannot be called so.
    """
    if "version" in asked:
        raise ConfigError("A published pipeline has no versions to choose from; leave version out.")
    question = _checked(asked)
    started: dict[str, str] = _ask(session, "run_pipeline", pipeline_id=pipeline_id, **question)
    return started


def run_endpoint(session: Session, endpoint_id: str, asked: Mapping[str, Any]) -> dict[str, str]:
    """Start a version of an endpoint; return the ``run_id`` at once.

    Parameters
    ----------
    session : Session
        The open store.
    endpoint_id : str
        Which endpoint.
    asked : mapping
        As in `run_published`, and ``version``; the default when left out.

    Raises
    ------
    NotFoundError
        When there is no such endpoint or version.
    ConflictError
        When the endpoint or its pipeline is disabled.
    ConfigError
        When the pipeline has no parameter of a name, or the experiment cannot be called so.
    """
    version = asked.get("version")
    if version is not None and not isinstance(version, str):
        raise ConfigError(f"version of an endpoint must be a text, such as '0'; got {version!r}.")
    question = {"endpoint_id": endpoint_id, "version": version or None, **_checked(asked)}
    started: dict[str, str] = _ask(session, "run_endpoint", **question)
    return started


def set_pipeline_enabled(session: Session, pipeline_id: str, is_enabled: bool) -> dict[str, Any]:
    """Enable or disable a published pipeline; return it as `published_pipelines` does.

    Raises
    ------
    NotFoundError
        When there is none of that id.
    """
    with session.write() as tx:
        record = tx.published_pipelines.set_status(pipeline_id, _status(is_enabled))
        endpoints = tx.pipeline_endpoints.list()
    return _pipeline_row(session, record, endpoints)


def set_endpoint_enabled(session: Session, endpoint_id: str, is_enabled: bool) -> dict[str, Any]:
    """Enable or disable an endpoint; return it as `pipeline_endpoints` does.

    Raises
    ------
    NotFoundError
        When there is none of that id.
    """
    with session.read() as tx:
        endpoint = PipelineEndpoint(session, tx.pipeline_endpoints.get(endpoint_id))
    if is_enabled:
        endpoint.enable()
    else:
        endpoint.disable()
    return _endpoint(session, endpoint_id)


def set_default_version(session: Session, endpoint_id: str, version: str) -> dict[str, Any]:
    """Say which version of an endpoint runs; return the endpoint as `pipeline_endpoints` does.

    Raises
    ------
    NotFoundError
        When there is no such endpoint or version.
    """
    set_default(session, endpoint_id, version)
    return _endpoint(session, endpoint_id)


def schedules(session: Session) -> dict[str, Any]:
    """Return the schedules of a workspace, newest first, disabled ones too.

    Returns
    -------
    dict
        ``schedules``: dicts with ``id``, ``name``, ``description``, ``status``, ``experiment``,
        ``pipeline_id`` or ``endpoint_id`` (the other is None), ``target`` (the name of that),
        ``when`` (in words), ``next_at`` (seconds since the epoch; None when disabled),
        ``last_run_id`` (or None), ``parameters`` and ``error`` (why the last run could not be
        submitted, or empty).
    """
    with session.read() as tx:
        return {"schedules": [_schedule_row(tx, record) for record in tx.schedules.list()]}


def set_schedule_enabled(session: Session, schedule_id: str, is_enabled: bool) -> dict[str, Any]:
    """Enable or disable a schedule; return it as `schedules` does.

    Raises
    ------
    NotFoundError
        When there is none of that id.
    """
    status = _status(is_enabled).value
    _ask(session, "set_schedule", schedule_id=schedule_id, status=status)
    with session.read() as tx:
        return _schedule_row(tx, tx.schedules.get(schedule_id))


def _ask(session: Session, what: str, **question: Any) -> Any:  # Any: JSON values, both ways
    with AskedProcess(_PROCESS) as process:
        return process.ask({"ask": what, "address": asdict(session.address), **question})


def _checked(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the experiment and the parameters of a run that is asked for."""
    for key in asked:
        if key not in _ASKED:
            raise ConfigError(f"A run takes {', '.join(_ASKED)}; got {key!r:.60}.")
    experiment, parameters = asked.get("experiment"), asked.get("parameters") or {}
    if not isinstance(experiment, str):
        raise ConfigError(f"experiment of a run must be a text; got {experiment!r:.60}.")
    if not isinstance(parameters, Mapping):
        raise ConfigError(f"parameters of a run must be an object; got {parameters!r:.60}.")
    return {"experiment": experiment, "parameters": dict(parameters)}


def _status(is_enabled: bool) -> PublishedStatus:
    return PublishedStatus.ACTIVE if is_enabled else PublishedStatus.DISABLED


def _pipeline_row(
    session: Session, record: PublishedPipelineRecord, endpoints: list[PipelineEndpointRecord]
) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "version": record.version,
        "description": record.description,
        "status": record.status.value,
        "created_at": record.created_at,
        "steps": step_names_of(record),
        "parameters": parameters_of(record),
        "endpoints": [
            one.name for one in endpoints if any(id == record.id for _, id in one.versions)
        ],
        "address": pipeline_address(session, record.id),
    }


def _endpoint(session: Session, endpoint_id: str) -> dict[str, Any]:
    with session.read() as tx:
        record = tx.pipeline_endpoints.get(endpoint_id)
        pipelines = {id: tx.published_pipelines.get(id) for _, id in record.versions}
    return _endpoint_row(session, record, pipelines)


def _endpoint_row(
    session: Session,
    record: PipelineEndpointRecord,
    pipelines: Mapping[str, PublishedPipelineRecord],
) -> dict[str, Any]:
    versions = [
        {
            "version": version,
            "is_default": version == record.default_version,
            "pipeline_id": pipeline_id,
            "name": pipelines[pipeline_id].name,
            "status": pipelines[pipeline_id].status.value,
            "steps": step_names_of(pipelines[pipeline_id]),
            "parameters": parameters_of(pipelines[pipeline_id]),
        }
        for version, pipeline_id in record.versions
    ]
    return {
        "id": record.id,
        "name": record.name,
        "description": record.description,
        "status": record.status.value,
        "created_at": record.created_at,
        "default_version": record.default_version,
        "address": endpoint_address(session, record.id),
        "versions": versions,
    }


def _schedule_row(tx: Reader, record: ScheduleRecord) -> dict[str, Any]:
    settings = ScheduleSettings.from_json(record.settings)
    is_active = record.status is PublishedStatus.ACTIVE
    return {
        "id": record.id,
        "name": record.name,
        "description": record.description,
        "status": record.status.value,
        "experiment": record.experiment,
        "pipeline_id": record.pipeline_id,
        "endpoint_id": record.endpoint_id,
        "target": _target(tx, record),
        "when": settings.in_words(),
        "next_at": record.next_at if is_active else None,
        "last_run_id": record.last_run_id,
        "parameters": dict(settings.parameters),
        "error": str(record.state.get("error", "")),
    }


def _target(tx: Reader, record: ScheduleRecord) -> str:
    if record.endpoint_id is not None:
        return tx.pipeline_endpoints.get(record.endpoint_id).name
    return tx.published_pipelines.get(record.pipeline_id or "").name
