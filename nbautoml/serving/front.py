"""Between callers and workers, in the supervisor's process. Standard library only.

Callers speak to this, never to a worker: a worker that dies takes no connection with it. Requests
are looked at (who may ask, how much) before their bodies are read, handed to the worker's own
socket, and answered when the whole reply is here. Where a worker died in the middle, a model is
asked again, because a prediction changes nothing; an entry script is not, because nobody knows what
it does: its caller gets a 503 and is asked to come again. While no worker serves, requests wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from dataclasses import dataclass, replace

from nbautoml.serving.folder import LiveFile
from nbautoml.serving.guard import MAX_BODY_BYTES, is_loopback, refusal_of, told, unreadable
from nbautoml.serving.http1 import (
    HEAD_BYTES,
    MessageError,
    Reply,
    Request,
    encode_request,
    read_body,
    read_reply,
    read_request,
)

BACKLOG = 2048
"""Callers that may wait to be connected."""
MOST_CALLERS = 1_000
"""Connections at a time; the next one gets a 503."""
MOST_TRIES = 3
"""How often a model is asked about one request whose worker died."""
IDLE_SECONDS = 30.0
"""How long a caller may keep a connection open without a word."""
BODY_SECONDS = 60.0
REPLY_SECONDS = 400.0
"""Longest wait for a reply: a worker may take 300 s to start, and 60 to answer."""
MOST_IDLE_LINKS = 16
STOP_SECONDS = 10.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Route:
    """Where requests go now; its owner changes it while it is used.

    Parameters
    ----------
    port : int
        The workers' own socket on this machine.
    is_pure : bool
        Whether asking twice does no harm.
    failure : str
        Why there will be no worker; empty where there is one, or will be.
    worker : int
        Which worker serves: connections to another one are not used again. 0 stands for
        nobody knows, while one worker hands over to another.
    """

    port: int
    is_pure: bool = False
    failure: str = ""
    worker: int = 0


@dataclass(frozen=True, slots=True)
class _Link:
    """A connection to a worker."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    worker: int
    is_fresh: bool

    @property
    def is_open(self) -> bool:
        return not (self.reader.at_eof() or self.writer.is_closing())


class Front:
    """Answers callers at a socket, in a thread of its own.

    Parameters
    ----------
    listener : socket
        Bound and listening; it stays its owner's.
    route : Route
        Where requests go.
    settings : LiveFile
        Keys, and whether they are asked for.
    host : str
        Address that the deployment listens on; names are checked only on loopback.
    """

    def __init__(
        self, listener: socket.socket, route: Route, settings: LiveFile, *, host: str
    ) -> None:
        self._listener = listener
        self._route = route
        self._settings = settings
        self._is_local = is_loopback(host)
        self._links: list[_Link] = []
        self._callers: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="front", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        self._is_up.wait()

    def stop(self) -> None:
        """Take no new callers, let replies that are on their way go out, and end."""
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(
            self._meet, sock=self._listener.dup(), limit=HEAD_BYTES, backlog=BACKLOG
        )
        self._is_up.set()
        await self._stop.wait()
        server.close()
        if self._callers:
            await asyncio.wait(self._callers, timeout=1.0)
        for task in self._callers:
            task.cancel()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one caller's requests, one after the other."""
        task = asyncio.current_task()
        assert task is not None
        self._callers.add(task)
        try:
            while await self._answer_next(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            logger.debug("a caller went away")
        finally:
            self._callers.discard(task)
            writer.close()

    async def _answer_next(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer a request; return whether another one may come."""
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                request = await read_request(reader)
            if request is None:
                return False
            reply, keeps_open = await self._answer(request, reader, writer)
            has_body = request.method != "HEAD"
        except MessageError as error:
            reply, keeps_open, has_body = unreadable(error), False, True
        stopping = self._stop is not None and self._stop.is_set()
        keeps_open = keeps_open and not stopping
        writer.write(reply.encode(keeps_open=keeps_open, has_body=has_body))
        await writer.drain()
        if reply.status >= 400 and not keeps_open:
            await _part(reader, writer)
        return keeps_open

    async def _answer(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[Reply, bool]:
        """Return a reply, and whether the caller's connection can be used again."""
        named = request.named
        refused = refusal_of(request.path, named, self._settings, is_local=self._is_local)
        if refused is not None:
            return told(*refused), False
        if len(self._callers) > MOST_CALLERS:
            return _busy(f"{MOST_CALLERS} callers are connected; come again in a moment."), False
        if "100-continue" in named.get("expect", "").lower():
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await read_body(reader, named, limit=MAX_BODY_BYTES)
        except TimeoutError:
            raise MessageError(408, f"The body took more than {BODY_SECONDS:.0f} s.") from None
        return await self._pass_on(request, body), request.keeps_open

    async def _pass_on(self, request: Request, body: bytes) -> Reply:
        """Return a worker's reply; a model is asked again where its worker dies."""
        data, has_body = encode_request(request, body), request.method != "HEAD"
        tries = 0
        while True:
            if self._route.failure:
                return told(503, "The deployment failed", self._route.failure, retry_after=30)
            is_pure = self._route.is_pure
            try:
                link = self._idle_link() if is_pure else None
                link = link or await self._new_link()
            except OSError:
                return _busy("The deployment is being stopped.")
            try:
                async with asyncio.timeout(REPLY_SECONDS):
                    return await self._ask(link, data, has_body=has_body, keep=is_pure)
            except TimeoutError:
                link.writer.close()
                detail = f"There was no answer within {REPLY_SECONDS:.0f} s."
                return told(504, "It took too long", detail)
            except (ConnectionError, asyncio.LimitOverrunError):
                link.writer.close()
            tries += link.is_fresh  # one that was idle may have been closed long ago
            if tries and (not is_pure or tries >= MOST_TRIES):
                return _busy("The worker that had the request ended; come again in a moment.")

    async def _ask(self, link: _Link, data: bytes, *, has_body: bool, keep: bool) -> Reply:
        link.writer.write(data)
        await link.writer.drain()
        reply = await read_reply(link.reader, has_body=has_body)
        is_known = link.worker == self._route.worker != 0
        if keep and is_known and reply.keeps_open and len(self._links) < MOST_IDLE_LINKS:
            self._links.append(replace(link, is_fresh=False))
        else:
            link.writer.close()
        return reply

    def _idle_link(self) -> _Link | None:
        while self._links:
            link = self._links.pop()
            if link.is_open and link.worker == self._route.worker != 0:
                return link
            link.writer.close()
        return None

    async def _new_link(self) -> _Link:
        worker = self._route.worker
        streams = await asyncio.open_connection("127.0.0.1", self._route.port, limit=HEAD_BYTES)
        return _Link(*streams, worker=worker, is_fresh=True)


async def _part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read what a refused caller still sends, for a moment, so that it gets to see the reply."""
    with contextlib.suppress(TimeoutError, OSError):
        writer.write_eof()
        async with asyncio.timeout(1.0):
            left = 2 * MAX_BODY_BYTES
            while left > 0 and (part := await reader.read(HEAD_BYTES)):
                left -= len(part)


def _busy(detail: str) -> Reply:
    return told(503, "Come again", detail, retry_after=1)
