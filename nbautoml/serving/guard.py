"""Who may ask a deployment, before anything of a request is looked at. Standard library only.

In this order: the name under which the service was called (a page elsewhere can
let a browser call loopback under a name of its own), the page that the call comes from, the
key, the size of the body. What is refused is told as a problem in JSON.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any  # Any: JSON values
from urllib.parse import urlsplit

from nbautoml.serving.folder import LiveFile
from nbautoml.serving.http1 import MessageError, Reply
from nbautoml.serving.keys import is_allowed

MAX_BODY_BYTES = 32 * 2**20
"""Largest body of a request: 10,000 rows of some hundred columns."""
OPEN_PATHS = frozenset({"/", "/healthz", "/readyz"})
"""Paths that need no key: they tell nothing but that the service lives."""
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
PROBLEM_JSON = "application/problem+json"


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


def told(status: int, title: str, detail: str, *, retry_after: int = 0, **more: Any) -> Reply:
    """Return the reply that tells of an error."""
    headers = [("content-type", PROBLEM_JSON)]
    if retry_after:
        headers.append(("retry-after", str(retry_after)))
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append(("www-authenticate", "Bearer"))
    body = json.dumps(problem(status, title, detail, **more), default=str).encode()
    return Reply(status=status, headers=headers, body=body)


def unreadable(error: MessageError) -> Reply:
    """Return the reply to what is no request."""
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return told(*too_large())
    return told(error.status, "The request cannot be read", error.detail)
