"""Who is let in, before anything of a request is looked at.

In this order: the name under which the service was called, because a page elsewhere can let a
browser call loopback under a name of its own; the page that the call comes from; the token. There
are no cookies, so that nothing is sent that a caller has not put there on purpose.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from nbautoml.api.problems import Refused, on_domain_error, told
from nbautoml.domain.records import ApiTokenRecord
from nbautoml.errors import NbAutoMLError
from nbautoml.store.session import Session
from nbautoml.workspace.api_process import is_loopback
from nbautoml.workspace.api_tokens import find_token

TOKEN = "nbautoml.token"
"""Key of the scope that holds what is known of the caller's token."""
OPEN_PATHS = frozenset({"/healthz"})
"""Paths that need no token: they tell nothing but that the service lives."""
_NEEDS_TOKEN = (
    'A token is needed: send the header "Authorization: Bearer nba_…" with one of nbautoml api '
    "token create."
)


class Guard:
    """Middleware that refuses who may not call.

    Parameters
    ----------
    app : ASGI application
        What answers those who may.
    session : Session
        The open store, which knows the tokens.
    is_local : bool
        Whether the service listens on loopback alone.
    clock : callable
        Returns the seconds since the epoch.
    """

    def __init__(
        self,
        app: ASGIApp,
        session: Session,
        *,
        is_local: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._session = session
        self._is_local = is_local
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check_origin(headers)
            if scope["path"] not in OPEN_PATHS:
                scope[TOKEN] = await self._token(headers)
        except Refused as refused:
            await told(refused)(scope, receive, send)
            return
        except NbAutoMLError as error:  # the store does not answer
            response = await on_domain_error(None, error)  # type: ignore[arg-type]  # not looked at
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check_origin(self, headers: Headers) -> None:
        host = _host_of(headers.get("host", ""))
        if self._is_local and not is_loopback(host):
            raise Refused(HTTPStatus.BAD_REQUEST, f"This service is not called {host!r}.")
        origin = headers.get("origin")
        if origin is not None and not _is_same(origin, headers.get("host", "")):
            raise Refused(
                HTTPStatus.FORBIDDEN, f"Pages of {origin!r:.200} may not call this service."
            )

    async def _token(self, headers: Headers) -> ApiTokenRecord:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        found = None
        if scheme.lower() == "bearer":
            found = await run_in_threadpool(
                find_token, self._session, given.strip(), now=self._clock()
            )
        if found is None:
            raise Refused(
                HTTPStatus.UNAUTHORIZED, _NEEDS_TOKEN, headers={"WWW-Authenticate": "Bearer"}
            )
        return found


def _host_of(value: str) -> str:
    """Return the name in a ``Host`` header, without the port.

    Examples
    --------
    >>> _host_of("localhost:8080"), _host_of("[::1]:80"), _host_of("[")
    ('localhost', '::1', '')
    """
    try:
        return (urlsplit(f"//{value}").hostname or "").lower()
    except ValueError:
        return ""


def _is_same(origin: str, host: str) -> bool:
    """Whether a page comes from the service itself.

    Examples
    --------
    >>> _is_same("http://localhost:81", "localhost:81"), _is_same("null", "localhost:81")
    (True, False)
    """
    try:
        return urlsplit(origin).netloc.lower() == host.lower() != ""
    except ValueError:
        return False
