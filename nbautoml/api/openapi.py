"""What the service takes and gives, as an OpenAPI document; it knows what is published now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any  # Any: JSON values

from nbautoml.api.bodies import (
    DATASETS,
    EXPERIMENT,
    FIELDS,
    MAX_BODY_BYTES,
    MAX_NUMBER,
    MAX_VALUE_CHARACTERS,
    PATH_PATTERN,
    PATHS,
    SOURCE,
    VALUES,
)
from nbautoml.api.repeats import HEADER, KEY_PATTERN
from nbautoml.domain.status import PublishedStatus, RunStatus
from nbautoml.pipelines.addresses import ENDPOINT_PATH, OPENAPI_PATH, PIPELINE_PATH, RUN_PATH
from nbautoml.pipelines.published import parameters_of
from nbautoml.store.session import Session

MOST_LISTED = 100
"""Ids and names that the document lists; with more it lists none."""
_EXPERIMENT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_\-.]{0,254}$"
_PROBLEMS = {
    "400": "The request cannot be read, or the service was called under a foreign name.",
    "401": "No token, or one that is wrong, expired or revoked.",
    "403": "The token does not allow this, or the call comes from a page of somebody else.",
    "404": "There is no such pipeline, endpoint, version or run.",
    "409": f"What is asked for is disabled or archived, or the {HEADER} was used for another "
    "request, or for one that is still under way.",
    "413": f"The body is larger than {MAX_BODY_BYTES:,} bytes.",
    "415": "The body is not called JSON.",
    "422": "JSON that does not fit: `errors` names the fields, unknown parameters among them.",
    "500": "Something broke; the log has the details.",
    "503": "The workspace's store does not answer now; `Retry-After` says when to come again.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the document lists."""

    pipelines: tuple[str, ...]
    endpoint_ids: tuple[str, ...]
    endpoint_names: tuple[str, ...]
    datastores: tuple[str, ...]
    parameters: Mapping[str, Any]


def openapi_document(session: Session, version: str) -> dict[str, Any]:
    """Return the document of a workspace's service.

    Parameters
    ----------
    session : Session
        The open store: active pipelines, their parameters, endpoints and datastores are listed.
    version : str
        Version of the service.
    """
    known = _look(session)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Pipelines of {session.address.name}", "version": version},
        "paths": {
            f"{PIPELINE_PATH}/{{pipeline_id}}": _submit(
                "submitPipeline",
                "Submit a published pipeline.",
                _in_path("pipeline_id", known.pipelines),
            ),
            f"{ENDPOINT_PATH}/Id/{{endpoint_id}}": _submit(
                "submitEndpoint",
                "Submit the default of an endpoint.",
                _in_path("endpoint_id", known.endpoint_ids),
            ),
            f"{ENDPOINT_PATH}/Id/{{endpoint_id}}/{{version}}": _submit(
                "submitVersion",
                "Submit a version of an endpoint.",
                _in_path("endpoint_id", known.endpoint_ids),
                _in_path("version"),
            ),
            f"{ENDPOINT_PATH}/Name": _submit(
                "submitByName",
                "Submit an endpoint by its name.",
                _parameter("name", "query", _one_of(known.endpoint_names), is_required=True),
                _parameter("pipelineVersion", "query", {"type": "string"}),
            ),
            f"{RUN_PATH}/{{run_id}}": {"get": _run_operation()},
            OPENAPI_PATH: {"get": _plain("This document.", "application/json")},
            "/healthz": {"get": {**_plain("The service lives.", "text/plain"), "security": []}},
        },
        "components": {
            "schemas": {
                "Submission": _submission(known),
                "Submitted": _object({"Id": {"type": "string"}}, required=["Id"]),
                "Run": _run(),
                "Problem": _problem(),
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _look(session: Session) -> _Known:
    active = PublishedStatus.ACTIVE
    with session.read() as tx:
        pipelines = tx.published_pipelines.list(status=active)
        endpoints = tx.pipeline_endpoints.list(status=active)
        datastores = [record.name for record in tx.datastores.list()]
    parameters: dict[str, Any] = {}
    for record in pipelines:
        parameters |= parameters_of(record)
    return _Known(
        pipelines=_few(record.id for record in pipelines),
        endpoint_ids=_few(record.id for record in endpoints),
        endpoint_names=_few(record.name for record in endpoints),
        datastores=_few(datastores),
        parameters=parameters,
    )


def _few(names: Iterable[str]) -> tuple[str, ...]:
    found = tuple(names)
    return found if len(found) <= MOST_LISTED else ()


def _one_of(names: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "string", "enum": list(names)} if names else {"type": "string", "minLength": 1}


def _parameter(
    name: str, place: str, schema: Mapping[str, Any], *, is_required: bool = False
) -> dict[str, Any]:
    return {"name": name, "in": place, "required": is_required, "schema": schema}


def _in_path(name: str, names: tuple[str, ...] = ()) -> dict[str, Any]:
    return _parameter(name, "path", _one_of(names), is_required=True)


def _submit(operation: str, summary: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    key = _parameter(HEADER, "header", {"type": "string", "pattern": f"^{KEY_PATTERN}$"})
    key["description"] = "A repeated request with the same key finds the run of the first one."
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/Submission"}}}
    answer = {"application/json": {"schema": {"$ref": "#/components/schemas/Submitted"}}}
    return {
        "post": {
            "operationId": operation,
            "summary": summary,
            "parameters": [*parameters, key],
            "requestBody": {"required": True, "content": body},
            "responses": _responses("The run has been started.", answer, *_PROBLEMS),
        }
    }


def _run_operation() -> dict[str, Any]:
    answer = {"application/json": {"schema": {"$ref": "#/components/schemas/Run"}}}
    told = ("400", "401", "403", "404", "500", "503")
    return {
        "operationId": "getRun",
        "summary": "See how a run stands.",
        "parameters": [_in_path("run_id")],
        "responses": _responses("The run.", answer, *told),
    }


def _plain(text: str, kind: str) -> dict[str, Any]:
    return {"responses": _responses(text, {kind: {}}, "400", "401", "403", "500", "503")}


def _responses(text: str, content: Mapping[str, Any], *problems: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    told = {"application/problem+json": {"schema": schema}}
    return {
        "200": {"description": text, "content": content},
        **{status: {"description": _PROBLEMS[status], "content": told} for status in problems},
    }


def _submission(known: _Known) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {VALUES: {}, PATHS: {}, DATASETS: {}}
    for name, default in known.parameters.items():
        kinds[_group_of(default)][name] = default
    values = {name: {**_value(), "default": one} for name, one in kinds[VALUES].items()}
    paths = {name: _path(known.datastores) for name in kinds[PATHS]}
    datasets = {name: _dataset() for name in kinds[DATASETS]}
    fields = {
        EXPERIMENT: {"type": "string", "pattern": _EXPERIMENT_PATTERN},
        SOURCE: {"type": ["string", "null"], "description": "Taken for the SDK's sake."},
        VALUES: _assignments(values),
        PATHS: _assignments(paths),
        DATASETS: _assignments(datasets),
    }
    return _object({name: fields[name] for name in FIELDS}, required=[EXPERIMENT])


def _group_of(default: Any) -> str:
    if not isinstance(default, Mapping):
        return VALUES
    return DATASETS if "dataset" in default else PATHS


def _assignments(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {**_object(properties), "type": ["object", "null"]}


def _value() -> dict[str, Any]:
    text = {"type": "string", "maxLength": MAX_VALUE_CHARACTERS, "pattern": r"^[^\x00]*$"}
    number = {"type": "number", "minimum": -MAX_NUMBER, "maximum": MAX_NUMBER}
    return {"anyOf": [text, number, {"type": ["boolean", "null"]}]}


def _path(datastores: tuple[str, ...]) -> dict[str, Any]:
    path = {"type": "string", "pattern": f"^{PATH_PATTERN}$"}
    fields = {"DataStoreName": _one_of(datastores), "RelativePath": path}
    return _object(fields, required=list(fields))


def _dataset() -> dict[str, Any]:
    reference = _object({"Id": {"type": "string"}}, required=["Id"])
    return _object({"SavedDataSetReference": reference}, required=["SavedDataSetReference"])


def _run() -> dict[str, Any]:
    text = {"type": ["string", "null"]}
    fields = {
        "Id": {"type": "string"},
        "ExperimentName": {"type": "string"},
        "Status": {"enum": [status.value for status in RunStatus]},
        "CreatedUtc": text,
        "StartTimeUtc": text,
        "EndTimeUtc": text,
        "Error": text,
        "PipelineId": text,
    }
    return _object(fields, required=list(fields))


def _problem() -> dict[str, Any]:
    one = _object({"field": {"type": "string"}, "message": {"type": "string"}})
    fields = {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": one},
    }
    return _object(fields, required=["type", "title", "status", "detail"])


def _object(properties: Mapping[str, Any], *, required: list[str] | None = None) -> dict[str, Any]:
    needed = {"required": required} if required else {}
    return {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
        **needed,
    }
