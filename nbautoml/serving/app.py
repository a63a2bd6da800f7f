"""The HTTP side of a worker: routes over a scorer. The only importer of Starlette."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any  # Any: JSON values

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from nbautoml.serving.folder import Folder, LiveFile
from nbautoml.serving.forms import RequestFaultError
from nbautoml.serving.guard import MAX_BODY_BYTES, PROBLEM_JSON, problem, too_large
from nbautoml.serving.line import Line
from nbautoml.serving.logfile import LogFile
from nbautoml.serving.openapi import as_text, openapi_document
from nbautoml.serving.scorer import Answer, Asked, Scorer, describe_failure

MAX_WAITING = 64
"""Requests that may wait for the model; the next one gets a 503 and is asked to come again."""
SCORE_SECONDS = 60.0
"""Longest time of one answer, as the SDK's ``scoring_timeout_ms`` had it."""
CANARY_HEADER = "x-nbautoml-canary"

logger = logging.getLogger(__name__)


class Service:
    """Answers requests with one scorer.

    Parameters
    ----------
    name : str
        The deployment.
    scorer : Scorer
        What answers.
    folder : Folder
        The deployment's files: settings that change while it runs, logs.
    is_canary : bool, default False
        Whether this is the second version, which passes nothing on.
    draw : callable, default random.random
        Returns numbers from 0 to 1: whose turn it is.
    """

    def __init__(
        self,
        name: str,
        scorer: Scorer,
        folder: Folder,
        *,
        is_canary: bool = False,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.scorer = scorer
        self.settings = LiveFile(folder.settings_file)
        self.document = as_text(openapi_document(name, scorer))
        self.counts: Counter[str] = Counter()
        # The name of a script may hold what a header cannot.
        self._version = scorer.version.encode("ascii", "replace").decode()
        self._is_canary = is_canary
        self._draw = draw
        self._canary = LiveFile(folder.canary_file)
        self._requests = LogFile(folder.request_log)
        self._data = LogFile(folder.data_log)
        self._line = Line(scorer)
        self._client: Any = None  # Any: httpx is loaded only where there is a second version

    async def score(self, request: Request) -> Response:
        """Answer ``POST /score``."""
        began = time.perf_counter()
        name = uuid.uuid4().hex[:12]
        body, n_rows = b"", 0
        try:
            body = await _body_of(request)
            response = await self._pass_on(request, body)
            if response is None:
                answer = await self._ask(Asked(body=body, query=dict(request.query_params)))
                n_rows = answer.n_rows
                response = _json(answer.content)
        except _RefusedError as refused:
            response = refused.response
        except RequestFaultError as error:
            response = _fault_response(error)
        except Exception as error:  # noqa: BLE001 - the border: a failure becomes a reply
            logger.error("request %s failed", name, exc_info=error)
            response = _failure_response(error, name)
        response.headers["x-request-id"] = name
        response.headers.setdefault("x-model", self._version)
        seconds = time.perf_counter() - began
        self.counts[str(response.status_code)] += 1
        self._note(name, response, body, n_rows=n_rows, seconds=seconds)
        return response

    async def _ask(self, asked: Asked) -> Answer:
        if len(self._line) >= MAX_WAITING:
            detail = f"{MAX_WAITING} requests wait already; come again in a moment."
            response = _problem_response(503, "Too many requests", detail)
            response.headers["retry-after"] = "1"
            raise _RefusedError(response)
        try:
            return await asyncio.wait_for(self._line.ask(asked), SCORE_SECONDS)
        except TimeoutError:
            detail = f"There was no answer within {SCORE_SECONDS:.0f} s."
            raise _RefusedError(_problem_response(504, "It took too long", detail)) from None

    async def _pass_on(self, request: Request, body: bytes) -> Response | None:
        """Return the second version's reply where it is its turn; None where it is not."""
        percent = float(self.settings.read().get("canary_percent") or 0)
        port = self._canary.read().get("port")
        if self._is_canary or port is None or self._draw() * 100 >= percent:
            return None
        import httpx  # here: most deployments never have a second version

        if self._client is None:
            self._client = httpx.AsyncClient(timeout=SCORE_SECONDS)
        kept = ("authorization", "content-type")
        headers = {k: v for k in kept if (v := request.headers.get(k))}
        try:
            reply = await self._client.post(
                f"http://127.0.0.1:{port}/score",
                content=body,
                params=dict(request.query_params),
                headers=headers,
            )
        except httpx.HTTPError as error:
            logger.warning("the second version does not answer (%s); this one does", error)
            return None
        response = Response(reply.content, reply.status_code, media_type=None)
        response.headers["content-type"] = reply.headers.get("content-type", "application/json")
        response.headers["x-model"] = reply.headers.get("x-model", "")
        response.headers[CANARY_HEADER] = "1"
        return response

    def _note(
        self, name: str, response: Response, body: bytes, *, n_rows: int, seconds: float
    ) -> None:
        """Write the request down, as far as that is switched on."""
        settings = self.settings.read()
        model = response.headers.get("x-model", "")
        if settings.get("log_requests") and CANARY_HEADER not in response.headers:
            self._requests.say(
                f"{name} {response.status_code} {seconds * 1000:.1f} ms {n_rows} rows {model}"
            )
        if settings.get("log_data") and CANARY_HEADER not in response.headers:
            line = {
                "time": time.time(),
                "id": name,
                "model": model,
                "status": response.status_code,
                "request": body.decode("utf-8", errors="replace"),
                "reply": bytes(response.body).decode("utf-8", errors="replace"),
            }
            self._data.write(json.dumps(line, ensure_ascii=False))

    def metrics(self) -> str:
        """Return counters in Prometheus's text form."""
        lines = ["# TYPE nbautoml_requests_total counter"]
        lines += [
            f'nbautoml_requests_total{{status="{status}"}} {count}'
            for status, count in sorted(self.counts.items())
        ]
        lines += ["# TYPE nbautoml_requests_waiting gauge"]
        lines += [f"nbautoml_requests_waiting {len(self._line)}"]
        return "\n".join(lines) + "\n"


class _RefusedError(Exception):
    """A request that gets a reply without being looked at."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def create_app(service: Service) -> Starlette:
    """Return the application of a worker.

    Parameters
    ----------
    service : Service
        Answers requests.
    """

    async def document(_request: Request) -> Response:
        return Response(service.document, media_type="application/json")

    async def alive(_request: Request) -> Response:
        return PlainTextResponse("Healthy")

    async def metrics(_request: Request) -> Response:
        return PlainTextResponse(service.metrics())

    # A worker takes callers only once its model has predicted a row: who gets an answer at
    # all has found one that is ready.
    readers = [(path, alive) for path in ("/", "/healthz", "/readyz")]
    readers += [(path, document) for path in ("/swagger.json", "/openapi.json")]
    readers += [("/metrics", metrics)]
    return Starlette(
        routes=[
            Route("/score", service.score, methods=["POST"]),
            *(Route(path, answer, methods=["GET"]) for path, answer in readers),
        ],
        exception_handlers={404: _not_found, 405: _not_allowed},
    )


async def _body_of(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        detail = f'The header "Content-Type" must be "application/json"; got {kind!r}.'
        raise _RefusedError(_problem_response(415, "JSON is needed", detail))
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise _RefusedError(_problem_response(*too_large()))
        parts.append(part)
    return b"".join(parts)


def _json(content: Any) -> Response:
    """Return a reply; arrays become lists, and what JSON cannot say becomes null."""
    data = orjson.dumps(content, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    return Response(data, media_type="application/json")


def _plain(value: Any) -> Any:
    for name in ("tolist", "isoformat"):
        method = getattr(value, name, None)
        if callable(method):
            return method()
    if hasattr(value, "to_dict"):
        return value.to_dict()
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")


def _problem_response(status: int, title: str, detail: str, **more: Any) -> Response:
    body = orjson.dumps(problem(status, title, detail, **more), default=str)
    return Response(body, status, media_type=PROBLEM_JSON)


def _fault_response(error: RequestFaultError) -> Response:
    title = "The body is not JSON" if error.status == 400 else "The request cannot be answered"
    more = f" ({error.n_more} more)" if error.n_more else ""
    detail = f"{error.faults[0]}" + (
        f" And {len(error.faults) + error.n_more - 1} more." if len(error.faults) > 1 else more
    )
    errors = [one.as_json() for one in error.faults]
    return _problem_response(error.status, title, detail, errors=errors)


def _failure_response(error: Exception, name: str) -> Response:
    detail = f"{describe_failure(error)}. service.get_logs() has the traceback."
    return _problem_response(500, "The answer failed", detail, id=name)


async def _not_found(request: Request, _error: Exception) -> Response:
    detail = f"There is nothing at {request.url.path}; requests go to /score."
    return _problem_response(404, "Not found", detail)


async def _not_allowed(request: Request, error: Exception) -> Response:
    headers: Mapping[str, str] = getattr(error, "headers", None) or {}
    detail = f"{request.method} is not possible at {request.url.path}."
    response = _problem_response(405, "Wrong method", detail)
    response.headers.update(headers)
    return response
