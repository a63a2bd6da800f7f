"""What a deployment takes and gives, as an OpenAPI document."""

from __future__ import annotations

import json
from typing import Any  # Any: JSON values

from nbautoml.serving.scorer import Scorer

_PROBLEMS = {
    "400": "The body is not JSON, or the service was called under a foreign name.",
    "401": "No key, or a wrong one.",
    "403": "The call comes from a page of somebody else.",
    "413": "The body is too large.",
    "415": "The body is not called JSON.",
    "422": "JSON that cannot be answered: `errors` names rows and columns.",
    "500": "The entry script or the model failed; the log has the details.",
    "503": "Too many requests wait, or the deployment has failed.",
    "504": "The answer took too long.",
}


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
            "/healthz": {"get": {**_plain("The service lives.", "text/plain"), "security": []}},
            "/readyz": {"get": {**_plain("The model answers.", "text/plain"), "security": []}},
        },
        "components": {
            "schemas": {"Row": scorer.describe_row(), "Problem": _problem()},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def _score(scorer: Scorer) -> dict[str, Any]:
    body: dict[str, Any] = {"schema": _request_schema() if scorer.describe_row() else {}}
    rows = scorer.sample()
    if rows:
        body["examples"] = {
            "data": {"value": {"data": rows[:1], "method": "predict"}},
            "Inputs": {"value": _nested(rows)},
            "rows": {"value": rows[:1]},
        }
    answers = {
        "200": {"description": "What the model says.", "content": {"application/json": {}}},
        **{status: _refusal(text) for status, text in _PROBLEMS.items()},
    }
    probabilities = {
        "name": "probabilities",
        "in": "query",
        "schema": {"enum": ["true", "false", "auto"], "default": "false"},
        "description": "For a list of rows: give the probability of each class, too; with "
        '"auto" where the model has classes.',
    }
    return {
        "summary": "Predict rows.",
        "operationId": "score",
        "parameters": [probabilities],
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": answers,
    }


def _nested(rows: list[Any]) -> dict[str, Any]:
    return {"Inputs": {"data": rows[:1]}, "GlobalParameters": {"method": "predict"}}


def _request_schema() -> dict[str, Any]:
    rows = {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Row"}}
    method = {"enum": ["predict", "predict_proba"], "default": "predict"}
    data = {
        "type": "object",
        "properties": {"data": rows, "method": method},
        "required": ["data"],
        "additionalProperties": False,
    }
    nested = {
        "type": "object",
        "properties": {
            "Inputs": {"type": "object", "properties": {"data": rows}, "required": ["data"]},
            "GlobalParameters": {"type": ["object", "number", "null"]},
        },
        "required": ["Inputs"],
    }
    return {"anyOf": [data, nested, rows, {"$ref": "#/components/schemas/Row"}]}


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
    return {
        "responses": {
            "200": {"description": text, "content": {kind: {}}},
            "401": _refusal(_PROBLEMS["401"]),
        }
    }


def as_text(document: dict[str, Any]) -> bytes:
    """Return a document as it is sent."""
    return json.dumps(document, ensure_ascii=False).encode()
