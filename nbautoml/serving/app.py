"""What a worker answers to requests: a scorer's answers, its document, its counters."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any  # Any: JSON values
from urllib.parse import parse_qsl, unquote

import orjson

from nbautoml.serving.folder import Folder, LiveFile
from nbautoml.serving.forms import RequestFaultError
from nbautoml.serving.guard import told
from nbautoml.serving.http1 import Reply, Request
from nbautoml.serving.line import Line
from nbautoml.serving.logfile import LogFile
from nbautoml.serving.openapi import as_text, openapi_document
from nbautoml.serving.scorer import Answer, Asked, Scorer, describe_failure

MAX_WAITING = 64
"""Requests that may wait for the model; the next one gets a 503 and is asked to come again."""
SCORE_SECONDS = 60.0
"""Longest time of one answer, as the SDK's ``scoring_timeout_ms`` had it."""
CANARY_HEADER = "x-nbautoml-canary"
JSON = "application/json"
SCORE, METRICS = "/score", "/metrics"

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
        # A worker takes callers only once its model has predicted a row: who gets an answer at
        # all has found one that is ready.
        alive, document = _ok(b"Healthy"), _ok(as_text(openapi_document(name, scorer)), JSON)
        self._replies = {"/": alive, "/healthz": alive, "/readyz": alive}
        self._replies |= {"/swagger.json": document, "/openapi.json": document}

    async def answer(self, request: Request, body: bytes) -> Reply:
        """Answer a request of somebody who may ask."""
        path = unquote(request.path).rstrip("/") or "/"
        if path == SCORE:
            if request.method != "POST":
                return _wrong_method(request, "POST")
            return await self.score(request, body)
        is_metrics = path == METRICS
        if not is_metrics and path not in self._replies:
            detail = f"There is nothing at {path}; requests go to {SCORE}."
            return told(404, "Not found", detail)
        if request.method not in ("GET", "HEAD"):
            return _wrong_method(request, "GET, HEAD")
        return _ok(self.metrics().encode()) if is_metrics else self._replies[path]

    async def score(self, request: Request, body: bytes) -> Reply:
        """Answer ``POST /score``."""
        began = time.perf_counter()
        name = uuid.uuid4().hex[:12]
        n_rows = 0
        try:
            _check_kind(request)
            reply = await self._pass_on(request, body)
            if reply is None:
                answer = await self._ask(Asked(body=body, query=_query_of(request)))
                n_rows = answer.n_rows
                reply = _json(answer.content)
        except _RefusedError as refused:
            reply = refused.reply
        except RequestFaultError as error:
            reply = _fault_reply(error)
        except Exception as error:  # noqa: BLE001 - the border: a failure becomes a reply
            logger.error("request %s failed", name, exc_info=error)
            reply = _failure_reply(error, name)
        model = dict(reply.headers).get("x-model")
        named = [] if model is not None else [("x-model", self._version)]
        reply = replace(reply, headers=[*reply.headers, ("x-request-id", name), *named])
        self.counts[str(reply.status)] += 1
        seconds = time.perf_counter() - began
        self._note(name, reply, body, n_rows=n_rows, seconds=seconds)
        return reply

    async def _ask(self, asked: Asked) -> Answer:
        if len(self._line) >= MAX_WAITING:
            detail = f"{MAX_WAITING} requests wait already; come again in a moment."
            raise _RefusedError(told(503, "Too many requests", detail, retry_after=1))
        try:
            async with asyncio.timeout(SCORE_SECONDS):
                return await self._line.ask(asked)
        except TimeoutError:
            detail = f"There was no answer within {SCORE_SECONDS:.0f} s."
            raise _RefusedError(told(504, "It took too long", detail)) from None

    async def _pass_on(self, request: Request, body: bytes) -> Reply | None:
        """Return the second version's reply where it is its turn; None where it is not."""
        if self._is_canary:
            return None
        port = self._canary.read().get("port")
        if port is None:
            return None
        percent = float(self.settings.read().get("canary_percent") or 0)
        if self._draw() * 100 >= percent:
            return None
        import httpx  # here: most deployments never have a second version

        if self._client is None:
            self._client = httpx.AsyncClient(timeout=SCORE_SECONDS)
        kept = ("authorization", "content-type")
        headers = {k: v for k in kept if (v := request.named.get(k))}
        try:
            reply = await self._client.post(
                f"http://127.0.0.1:{port}{SCORE}",
                content=body,
                params=_query_of(request),
                headers=headers,
            )
        except httpx.HTTPError as error:
            logger.warning("the second version does not answer (%s); this one does", error)
            return None
        headers = {
            "content-type": reply.headers.get("content-type", JSON),
            "x-model": reply.headers.get("x-model", ""),
            CANARY_HEADER: "1",
        }
        return Reply(status=reply.status_code, headers=[*headers.items()], body=reply.content)

    def _note(self, name: str, reply: Reply, body: bytes, *, n_rows: int, seconds: float) -> None:
        """Write the request down, as far as that is switched on."""
        settings = self.settings.read()
        headers = dict(reply.headers)
        if CANARY_HEADER in headers:
            return
        model = headers.get("x-model", "")
        if settings.get("log_requests"):
            self._requests.say(
                f"{name} {reply.status} {seconds * 1000:.1f} ms {n_rows} rows {model}"
            )
        if settings.get("log_data"):
            line = {
                "time": time.time(),
                "id": name,
                "model": model,
                "status": reply.status,
                "request": body.decode("utf-8", errors="replace"),
                "reply": reply.body.decode("utf-8", errors="replace"),
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

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def _check_kind(request: Request) -> None:
    kind = request.named.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON and not kind.endswith("+json"):
        detail = f'The header "Content-Type" must be "{JSON}"; got {kind!r}.'
        raise _RefusedError(told(415, "JSON is needed", detail))


def _query_of(request: Request) -> dict[str, str]:
    """Return what stands behind the question mark; of several of a name, the last."""
    return dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))


def _ok(body: bytes, kind: str = "text/plain; charset=utf-8") -> Reply:
    return Reply(status=200, headers=[("content-type", kind)], body=body)


def _json(content: Any) -> Reply:
    """Return a reply; arrays become lists, and what JSON cannot say becomes null."""
    data = orjson.dumps(content, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    return _ok(data, JSON)


def _plain(value: Any) -> Any:
    for name in ("tolist", "isoformat"):
        method = getattr(value, name, None)
        if callable(method):
            return method()
    if hasattr(value, "to_dict"):
        return value.to_dict()
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")


def _fault_reply(error: RequestFaultError) -> Reply:
    title = "The body is not JSON" if error.status == 400 else "The request cannot be answered"
    more = f" ({error.n_more} more)" if error.n_more else ""
    detail = f"{error.faults[0]}" + (
        f" And {len(error.faults) + error.n_more - 1} more." if len(error.faults) > 1 else more
    )
    errors = [one.as_json() for one in error.faults]
    return told(error.status, title, detail, errors=errors)


def _failure_reply(error: Exception, name: str) -> Reply:
    detail = f"{describe_failure(error)}. service.get_logs() has the traceback."
    return told(500, "The answer failed", detail, id=name)


def _wrong_method(request: Request, right: str) -> Reply:
    detail = f"{request.method} is not possible at {request.path}."
    refused = told(405, "Wrong method", detail)
    return replace(refused, headers=[*refused.headers, ("allow", right)])
