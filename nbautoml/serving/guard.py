"""Who may ask a deployment, before anything of a request is looked at.

Plain ASGI. In this order: the name under which the service was called (a page elsewhere can
let a browser call loopback under a name of its own), the page that the call comes from, the
key, the size of the body. What is refused is told as a problem in JSON.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any  # Any: ASGI's messages
from urllib.parse import urlsplit

from nbautoml.serving.folder import LiveFile
from nbautoml.serving.keys import is_allowed

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES = 32 * 2**20
"""Largest body of a request: 10,000 rows of some hundred columns."""
OPEN_PATHS = frozenset({"/", "/healthz", "/readyz"})
"""Paths that need no key: they tell nothing but that the service lives."""
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
PROBLEM_JSON = "application/problem+json"


class Guard:
    """Lets requests through to an application, or refuses them.

    Parameters
    ----------
    app : ASGI application
        Answers what is let through.
    settings : LiveFile
        Keys, and whether they are asked for.
    host : str
        Address that the service listens on; names are checked only on loopback.
    """

    def __init__(self, app: App, settings: LiveFile, *, host: str) -> None:
        self._app = app
        self._settings = settings
        self._is_local = is_loopback(host)
        self.is_draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sender = self._closing(send) if self.is_draining else send
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        refusal = refusal_of(scope["path"], headers, self._settings, is_local=self._is_local)
        if refusal is None:
            await self._app(scope, receive, sender)
            return
        status, title, detail = refusal
        await _refuse(sender, status, title, detail)

    @staticmethod
    def _closing(send: Send) -> Send:
        """Return what sends replies after which the caller has to connect again."""

        async def sender(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        return sender


def refusal_of(
    path: str, headers: Mapping[str, str], settings: LiveFile, *, is_local: bool
) -> tuple[int, str, str] | None:
    """Return status, title and detail where a request is not to be looked at; else None.

    Parameters
    ----------
    path : str
        What is asked for.
    headers : mapping of str to str
        By name, in lower case.
    settings : LiveFile
        Keys, and whether they are asked for.
    is_local : bool
        Whether the service listens on loopback alone.
    """
    host = _host_of(headers.get("host", ""))
    if is_local and host not in _LOCAL:
        return 400, "Unknown host", f"This service is not called {host!r}."
    origin = headers.get("origin")
    if origin is not None and (urlsplit(origin).hostname or "") not in {host, *_LOCAL}:
        return 403, "Foreign page", f"Pages of {origin} may not call this service."
    if path in OPEN_PATHS:
        return None
    if not _may_ask(headers.get("authorization", ""), settings.read()):
        return (
            401,
            "A key is needed",
            ('Send the header "Authorization: Bearer KEY" with a key of service.get_keys().'),
        )
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > MAX_BODY_BYTES:
        return too_large()
    return None


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
    (True, False)
    """
    return host in _LOCAL


def _may_ask(authorization: str, settings: Mapping[str, Any]) -> bool:
    if not settings.get("auth_enabled", True):
        return True
    scheme, _, given = authorization.partition(" ")
    keys = settings.get("keys", {})
    is_bearer = scheme.lower() == "bearer"
    return is_bearer and is_allowed(given.strip(), keys, now=time.time())


def too_large() -> tuple[int, str, str]:
    """Return the refusal of a body that is too large."""
    limit = MAX_BODY_BYTES // 2**20
    return 413, "The request is too large", f"The body may have {limit} MiB; send several requests."


def _host_of(value: str) -> str:
    """Return the name in a ``Host`` header, without the port.

    Examples
    --------
    >>> _host_of("localhost:8080"), _host_of("[::1]:80"), _host_of("127.0.0.1")
    ('localhost', '::1', '127.0.0.1')
    """
    try:
        return (urlsplit(f"//{value}").hostname or "").lower()
    except ValueError:
        return ""


def problem(status: int, title: str, detail: str, **more: Any) -> dict[str, Any]:
    """Return the body that tells of an error (RFC 9457)."""
    return {"title": title, "status": status, "detail": detail, **more}


async def _refuse(send: Send, status: int, title: str, detail: str) -> None:
    body = json.dumps(problem(status, title, detail)).encode()
    headers = [
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        # The body of the request is not read.
        (b"connection", b"close"),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
