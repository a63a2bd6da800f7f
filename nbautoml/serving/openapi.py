"""What a deployment takes and gives, as an OpenAPI document."""

from __future__ import annotations

import json
from typing import Any  # Any: JSON values

from nbautoml.serving.forms import AUTO, METHODS
from nbautoml.serving.schema import MAX_ROWS
from nbautoml.serving.scorer import Scorer

_PROBLEMS = {
    "400": "The body is not JSON, or the service was called under a foreign name.",
    "401": "No key, or a wrong one.",
    "403": "The call comes from a page of somebody else.",
    "413": "The body is too large.",
    "415": "The body is not called JSON.",
    "422": "JSON that cannot be answered: `errors` names rows and columns.",
    "500": "The entry script or the model failed; the log has the details.",
    "503": "Too many requests wait, the worker ended, or the deployment has failed; `Retry-After` "
    "says when to come again.",
    "504": "The answer took too long.",
}
_SWITCH = ("false", "0", "")
_SWITCHED_ON = ("true", "1")


def openapi_document(name: str, scorer: Scorer) -> dict[str, Any]:
    """Return the document of a service.

    Parameters
    ----------
    name : str
        The deployment.
    scorer : Scorer
        Knows what rows look like.
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": scorer.version or "1"},
        "paths": {
            "/score": {"post": _score(scorer)},
            "/swagger.json": {"get": _plain("This document.", "application/json")},
            "/openapi.json": {"get": _plain("This document.", "application/json")},
            "/metrics": {"get": _plain("Counters, for Prometheus.", "text/plain")},
            "/healthz": {"get": _open(_plain("The service lives.", "text/plain"))},
            "/readyz": {"get": _open(_plain("The model answers.", "text/plain"))},
        },
        "components": {
            "schemas": {"Row": scorer.describe_row(), "Problem": _problem()},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def _score(scorer: Scorer) -> dict[str, Any]:
    knows_rows = bool(scorer.describe_row())
    body: dict[str, Any] = {"schema": _request_schema(scorer.methods) if knows_rows else {}}
    rows = scorer.sample()
    if rows:
        body["examples"] = {
            "data": {"value": {"data": rows[:1], "method": "predict"}},
            "Inputs": {"value": _nested(rows)},
            "rows": {"value": rows[:1]},
        }
    reply = {"schema": _reply_schema()} if knows_rows else {}
    answers = {
        "200": {"description": "What the model says.", "content": {"application/json": reply}},
        **{status: _refusal(text) for status, text in _PROBLEMS.items()},
    }
    return {
        "summary": "Predict rows.",
        "operationId": "score",
        "parameters": _parameters(scorer.methods) if knows_rows else [],
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": answers,
    }


def _parameters(methods: tuple[str, ...]) -> list[dict[str, Any]]:
    on = _SWITCHED_ON if METHODS[1] in methods else ()
    return [
        {
            "name": "probabilities",
            "in": "query",
            "schema": {"enum": [*on, *_SWITCH, AUTO], "default": "false"},
            "description": "For a list of rows: give the probability of each class, too; with "
            f'"{AUTO}" where the model has classes.',
        },
        {
            "name": "explain",
            "in": "query",
            "schema": {"enum": [*_SWITCHED_ON, *_SWITCH], "default": "false"},
            "description": "For a list of rows: say what each column did to the first answers.",
        },
    ]


def _nested(rows: list[Any]) -> dict[str, Any]:
    return {"Inputs": {"data": rows[:1]}, "GlobalParameters": {"method": "predict"}}


def _request_schema(methods: tuple[str, ...]) -> dict[str, Any]:
    row = {"$ref": "#/components/schemas/Row"}
    rows = {"type": "array", "minItems": 1, "maxItems": MAX_ROWS, "items": row}
    options = {
        "method": {"enum": list(methods), "default": methods[0]},
        "explain": {"type": "boolean", "default": False},
    }
    data = {
        "type": "object",
        "properties": {"data": rows, **options},
        "required": ["data"],
        "additionalProperties": False,
    }
    nested = {
        "type": "object",
        "properties": {
            "Inputs": {"type": "object", "properties": {"data": rows}, "required": ["data"]},
            "GlobalParameters": {
                "anyOf": [
                    {"type": "object", "properties": options},
                    {"type": ["number", "string", "boolean", "array", "null"]},
                ],
                "description": "Only an object says something.",
            },
        },
        "required": ["Inputs"],
    }
    return {"anyOf": [data, nested, rows, row]}


def _reply_schema() -> dict[str, Any]:
    texts = {"type": "array", "items": {"type": "string"}}
    explanations = {"explanations": {"type": "object"}, "warnings": texts}
    return {
        "anyOf": [
            {"type": "string", "description": 'For "data": JSON inside a text, with "result".'},
            {
                "type": "object",
                "properties": {"Results": {"type": "array"}, **explanations},
                "required": ["Results"],
            },
            {
                "type": "object",
                "properties": {
                    "predictions": {"type": "array"},
                    "classes": {"type": "array"},
                    "probabilities": {
                        "type": "array",
                        "items": {"type": "array", "items": {"type": "number"}},
                    },
                    "model": {"type": "string"},
                    **explanations,
                },
                "required": ["predictions", "model"],
            },
        ]
    }


def _problem() -> dict[str, Any]:
    place = {"row": {"type": "integer"}, "column": {"type": "string"}}
    one = {"type": "object", "properties": {**place, "message": {"type": "string"}}}
    return {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": one},
            "id": {"type": "string", "description": "Names the request in the log."},
        },
        "required": ["title", "status", "detail"],
    }


def _refusal(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


def _plain(text: str, kind: str) -> dict[str, Any]:
    told = ("400", "401", "403", "503")
    return {
        "responses": {
            "200": {"description": text, "content": {kind: {}}},
            **{status: _refusal(_PROBLEMS[status]) for status in told},
        }
    }


def _open(operation: dict[str, Any]) -> dict[str, Any]:
    """Return an operation that needs no key."""
    return {**operation, "security": []}


def as_text(document: dict[str, Any]) -> bytes:
    """Return a document as it is sent."""
    return json.dumps(document, ensure_ascii=False).encode()
