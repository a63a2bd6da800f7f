"""HTTP/1.1 as far as passing messages on needs it. Standard library only.

Strict where two readers could disagree on where a message ends: that is how requests are smuggled.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus

HEAD_BYTES = 64 * 2**10
"""Largest head of a message."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f]")
_OWN = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer"}
    | {"upgrade", "expect", "content-length"}
)
"""Headers that belong to one connection, or that are written anew."""
_ONCE = ("host", "content-length", "transfer-encoding", "authorization", "content-type")
_NO_BODY = frozenset({204, 304})
_REASONS = {status.value: status.phrase for status in HTTPStatus}

Headers = Sequence[tuple[str, str]]


class MessageError(Exception):
    """A message cannot be read.

    Parameters
    ----------
    status : int
        HTTP status to answer with.
    detail : str
        What is wrong.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, kw_only=True)  # without slots, which a cached property cannot have
class Request:
    """The head of a request."""

    method: str
    target: str
    version: str
    headers: Headers

    @property
    def path(self) -> str:
        """The target without what stands behind a question mark."""
        return self.target.partition("?")[0]

    @cached_property
    def named(self) -> Mapping[str, str]:
        """Headers by name, in lower case."""
        return {name.lower(): value for name, value in self.headers}

    @property
    def keeps_open(self) -> bool:
        """Whether the caller may send another request."""
        words = self.named.get("connection", "").lower()
        return self.version == "HTTP/1.1" and "close" not in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole reply."""

    status: int
    reason: str = ""
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    keeps_open: bool = True

    def encode(self, *, keeps_open: bool, has_body: bool = True) -> bytes:
        """Return the reply as bytes; `has_body` is false for an answer to HEAD."""
        reason = self.reason or _REASONS.get(self.status, "")
        lines = [f"HTTP/1.1 {self.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in self.headers if name.lower() not in _OWN]
        if self.status not in _NO_BODY:
            lines.append(f"content-length: {len(self.body)}")
        if not keeps_open:
            lines.append("connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return head + self.body if has_body else head


def encode_request(request: Request, body: bytes) -> bytes:
    r"""Return a request as bytes for another connection.

    Examples
    --------
    >>> request = Request(method="GET", target="/", version="HTTP/1.1", headers=[("Host", "h")])
    >>> encode_request(request, b"")
    b'GET / HTTP/1.1\r\nHost: h\r\ncontent-length: 0\r\n\r\n'
    """
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers if name.lower() not in _OWN]
    lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Return the head of the next request; None where the caller is done.

    Raises
    ------
    MessageError
        When it is no request.
    """
    lines = await _head_lines(reader)
    if lines is None:
        return None
    parts = lines[0].split(" ")
    is_plain = len(parts) == 3 and _TOKEN.fullmatch(parts[0]) and parts[1]
    if not is_plain or parts[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise MessageError(400, "The first line is no request of HTTP/1.1.")
    headers = _headers(lines[1:])
    return Request(method=parts[0], target=parts[1], version=parts[2], headers=headers)


async def read_reply(reader: asyncio.StreamReader, *, has_body: bool) -> Reply:
    """Return a whole reply.

    Raises
    ------
    ConnectionError
        When the connection ends before the reply does.
    """
    try:
        lines = await _head_lines(reader)
        if lines is None:
            raise ConnectionResetError("the connection was closed before a reply")
        version, _, rest = lines[0].partition(" ")
        code, _, reason = rest.partition(" ")
        headers = _headers(lines[1:])
        named = {name.lower(): value for name, value in headers}
        status = int(code)
        body = b""
        if has_body and status not in _NO_BODY:
            is_open_end = not {"content-length", "transfer-encoding"} & named.keys()
            body = await (reader.read() if is_open_end else read_body(reader, named, limit=None))
    except (asyncio.IncompleteReadError, MessageError, ValueError) as error:
        raise ConnectionResetError(f"the reply was cut: {error}") from error
    is_closing = "close" in named.get("connection", "").lower() or version != "HTTP/1.1"
    return Reply(
        status=status, reason=reason, headers=headers, body=body, keeps_open=not is_closing
    )


async def read_body(
    reader: asyncio.StreamReader, named: Mapping[str, str], *, limit: int | None
) -> bytes:
    """Return the body that belongs to a head.

    Parameters
    ----------
    reader : StreamReader
        Where it comes from.
    named : mapping of str to str
        Headers by name, in lower case.
    limit : int or None
        Most bytes.

    Raises
    ------
    MessageError
        When the body is too large (status 413), or its length cannot be told.
    """
    coding, length = named.get("transfer-encoding"), named.get("content-length")
    if coding is not None:
        if length is not None or coding.strip().lower() != "chunked":
            raise MessageError(400, "The length of the body is told in two ways, or in none.")
        return await _chunks(reader, limit)
    if length is None:
        return b""
    if not (length.isascii() and length.isdecimal()):
        raise MessageError(400, "Content-Length must be a whole number.")
    if limit is not None and int(length) > limit:
        raise MessageError(413, "The body is too large.")
    return await reader.readexactly(int(length))


async def _chunks(reader: asyncio.StreamReader, limit: int | None) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        line = (await _line(reader)).partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", line):
            raise MessageError(400, "A chunk of the body has no length.")
        n_bytes = int(line, 16)
        size += n_bytes
        if limit is not None and size > limit:
            raise MessageError(413, "The body is too large.")
        if not n_bytes:
            while await _line(reader):
                pass  # trailers say nothing that is needed here
            return b"".join(parts)
        parts.append(await reader.readexactly(n_bytes))
        if await reader.readexactly(2) != b"\r\n":
            raise MessageError(400, "A chunk of the body is longer than it says.")


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\r\n"))[:-2]
    except asyncio.LimitOverrunError as error:
        raise MessageError(400, "A line of the body is too long.") from error


async def _head_lines(reader: asyncio.StreamReader) -> list[str] | None:
    """Return the lines of a head; None where the connection ended before it began."""
    try:
        data = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial.strip():
            return None
        raise MessageError(400, "The head of the message ends in the middle.") from error
    except asyncio.LimitOverrunError as error:
        raise MessageError(431, f"The head may have {HEAD_BYTES} bytes.") from error
    return data[:-4].lstrip(b"\r\n").decode("latin-1").split("\r\n")


def _headers(lines: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.fullmatch(name) or _CONTROL.search(value):
            raise MessageError(400, "A header is no header.")
        found.append((name, value.strip(" \t")))
    names = [name.lower() for name, _ in found]
    if any(names.count(name) > 1 for name in _ONCE):
        raise MessageError(400, "A header that may be there once is there twice.")
    return found
