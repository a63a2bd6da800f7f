"""Routes of the REST service: submit what is published, and see how its runs stand."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any  # Any: JSON values

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from nbautoml import VERSION
from nbautoml.api.bodies import Submission, check_names, check_places, read_json, read_submission
from nbautoml.api.guard import TOKEN, Guard
from nbautoml.api.openapi import openapi_document
from nbautoml.api.problems import (
    Refused,
    on_bug,
    on_domain_error,
    on_http_error,
    on_refused,
)
from nbautoml.api.repeats import HEADER, SUBMISSION, check_key, fingerprint_of, name_of, once
from nbautoml.domain.records import ApiTokenRecord, PipelineEndpointRecord, RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.errors import NbAutoMLError, NotFoundError
from nbautoml.pipelines.addresses import ENDPOINT_PATH, OPENAPI_PATH, PIPELINE_PATH, RUN_PATH
from nbautoml.pipelines.endpoint import pipeline_of
from nbautoml.pipelines.published import parameters_of
from nbautoml.pipelines.submission import (
    ENDPOINT_ID,
    HTTP,
    PIPELINE_ID,
    Start,
    check_active,
    start_published,
)
from nbautoml.store.session import Session
from nbautoml.workspace.api_tokens import may_read, may_submit


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a caller wants to run: a pipeline, on its own or as a version of an endpoint."""

    pipeline_id: str
    endpoint: PipelineEndpointRecord | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids that a token may be for."""
        return (self.pipeline_id, *([self.endpoint.id] if self.endpoint else []))


def make_app(
    session: Session, *, is_local: bool = True, clock: Callable[[], float] = time.time
) -> Starlette:
    """Return the service of a workspace.

    Parameters
    ----------
    session : Session
        The open store.
    is_local : bool, default True
        Whether it is called on loopback alone.
    clock : callable
        Returns the seconds since the epoch.
    """
    service = _Service(session=session, clock=clock)
    app = Starlette(
        routes=[
            Route("/healthz", _healthz),
            Route(OPENAPI_PATH, service.document),
            _post(f"{PIPELINE_PATH}/{{pipeline_id}}", service.submit_pipeline),
            _post(f"{ENDPOINT_PATH}/Id/{{endpoint_id}}", service.submit_endpoint),
            _post(f"{ENDPOINT_PATH}/Id/{{endpoint_id}}/{{version}}", service.submit_endpoint),
            _post(f"{ENDPOINT_PATH}/Name", service.submit_by_name),
            Route(f"{RUN_PATH}/{{run_id}}", service.run),
        ],
        middleware=[Middleware(Guard, session=session, is_local=is_local, clock=clock)],
        exception_handlers={
            Refused: on_refused,
            NbAutoMLError: on_domain_error,
            HTTPException: on_http_error,
            Exception: on_bug,
        },
    )
    app.router.redirect_slashes = False
    return app


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """What the routes do; each opens its own transaction in a thread."""

    session: Session
    clock: Callable[[], float] = field(default=time.time)

    async def document(self, _request: Request) -> Response:
        """Return the OpenAPI document."""
        document = await run_in_threadpool(openapi_document, self.session, VERSION)
        return JSONResponse(document)

    async def submit_pipeline(self, request: Request) -> Response:
        """Submit a published pipeline by its id."""
        return await self._submit(request, lambda: self._pipeline(request.path_params))

    async def submit_endpoint(self, request: Request) -> Response:
        """Submit a version of an endpoint by its id, the default where none is named."""
        return await self._submit(request, lambda: self._endpoint(request.path_params))

    async def submit_by_name(self, request: Request) -> Response:
        """Submit a version of an endpoint by its name, the default where none is given."""
        asked = request.query_params
        if not asked.get("name"):
            raise Refused(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "Name the endpoint: …/PipelineEndpointSubmit/Name?name=…",
                errors=[("name", "The name of the endpoint is missing.")],
            )
        return await self._submit(request, lambda: self._named(asked))

    async def run(self, request: Request) -> Response:
        """Return how a run stands."""
        run_id, token = request.path_params["run_id"], request.scope[TOKEN]
        return JSONResponse(await run_in_threadpool(self._describe, run_id, token))

    async def _submit(self, request: Request, find: Callable[[], Target]) -> Response:
        key = check_key(request.headers.get(HEADER))
        token: ApiTokenRecord = request.scope[TOKEN]
        target = await run_in_threadpool(self._allowed, find, token)
        body = await read_json(request)
        submission = read_submission(body)
        if key is None:
            run_id = await run_in_threadpool(self._start, target, submission)
        else:
            name, place = name_of(token.id, key), f"{request.url.path}?{request.url.query}"
            run_id = await run_in_threadpool(
                once,
                self.session,
                name,
                fingerprint_of(place, body),
                lambda: self._start(target, submission, {SUBMISSION: name}),
                clock=self.clock,
            )
        return JSONResponse({"Id": run_id})

    def _allowed(self, find: Callable[[], Target], token: ApiTokenRecord) -> Target:
        """Return what is to run. Whoever may run nothing is not told what there is."""
        try:
            target = find()
        except NotFoundError:
            if not may_submit(token):
                raise _not_allowed(token) from None
            raise
        if not may_submit(token, *target.ids):
            raise _not_allowed(token)
        return target

    def _start(
        self, target: Target, submission: Submission, properties: dict[str, str] | None = None
    ) -> str:
        with self.session.read() as tx:
            record = tx.published_pipelines.get(target.pipeline_id)
        more = dict(properties or {})
        if target.endpoint is not None:
            check_active("pipeline endpoint", target.endpoint.name, target.endpoint.status)
            more[ENDPOINT_ID] = target.endpoint.id
        check_active("published pipeline", record.name, record.status)
        check_names(submission, parameters_of(record))
        with self.session.read() as tx:
            check_places(submission, tx)
        start = Start(
            experiment=submission.experiment,
            source=HTTP,
            parameters=submission.parameters,
            properties=more,
        )
        return str(start_published(self.session, record.id, start).id)

    def _pipeline(self, asked: Any) -> Target:
        with self.session.read() as tx:
            return Target(pipeline_id=tx.published_pipelines.get(_id(asked["pipeline_id"])).id)

    def _endpoint(self, asked: Any) -> Target:
        with self.session.read() as tx:
            record = tx.pipeline_endpoints.get(_id(asked["endpoint_id"]))
        return Target(pipeline_id=pipeline_of(record, asked.get("version")), endpoint=record)

    def _named(self, asked: Any) -> Target:
        with self.session.read() as tx:
            record = tx.pipeline_endpoints.find(_id(asked["name"]))
        version = asked.get("pipelineVersion") or None
        return Target(pipeline_id=pipeline_of(record, version), endpoint=record)

    def _describe(self, run_id: str, token: ApiTokenRecord) -> dict[str, Any]:
        try:
            with self.session.read() as tx:
                run = tx.runs.get(_id(run_id))
        except NotFoundError:
            if not may_read(token):
                raise _not_allowed(token) from None
            raise
        properties = run.properties
        ids = [properties[name] for name in (PIPELINE_ID, ENDPOINT_ID) if name in properties]
        if not may_read(token, *ids):
            raise _not_allowed(token)
        return _run_row(run)


def _post(path: str, answer: Callable[[Request], Awaitable[Response]]) -> Route:
    return Route(path, answer, methods=["POST"])


async def _healthz(_request: Request) -> Response:
    """Say that the service lives."""
    return PlainTextResponse("Healthy")


def _run_row(run: RunRecord) -> dict[str, Any]:
    return {
        "Id": run.id,
        "ExperimentName": run.experiment,
        "Status": run.status.value,
        "CreatedUtc": _iso(run.created_at),
        "StartTimeUtc": _iso(run.started_at),
        "EndTimeUtc": _iso(run.ended_at),
        "Error": run.reason if run.status is RunStatus.FAILED else None,
        "PipelineId": run.properties.get(PIPELINE_ID),
    }


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _id(text: str) -> str:
    """Return an id or a name; one that no thing can have is one that is not there."""
    if "\x00" in text:
        raise NotFoundError("Nothing has a name with the character U+0000.")
    return text


def _not_allowed(token: ApiTokenRecord) -> Refused:
    return Refused(
        HTTPStatus.FORBIDDEN,
        f"The token {token.id} does not allow this: its scopes are {', '.join(token.scopes)}.",
    )
