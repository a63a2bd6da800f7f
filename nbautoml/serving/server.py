"""A worker's own work: loads what a revision serves, answers at a socket that it was given.

Started by `nbautoml.serving.process` with the deployment's folder, the revision, the slot, and
the numbers of two open files: the listening socket, and the pipe on which it says that it is
ready. Its standard input says ``drain`` when another worker has taken over; the end of that
input means that the supervisor is gone.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from nbautoml.serving.app import Service
from nbautoml.serving.folder import Folder
from nbautoml.serving.guard import MAX_BODY_BYTES, is_loopback, refusal_of, told, unreadable
from nbautoml.serving.http1 import (
    HEAD_BYTES,
    MessageError,
    Reply,
    Request,
    read_body,
    read_request,
)
from nbautoml.serving.scorer import describe_failure, load_scorer

BACKLOG = 2048
"""Callers that may wait to be connected."""
DRAIN_SECONDS = 2.0
"""How long callers that keep their connection open are waited for, once another worker serves."""
SETTLE_SECONDS = 0.1
"""Callers that were accepted just before are connections only a moment later."""
GRACE_SECONDS = 8
"""How long answers that have begun may take when the worker is asked to end."""
CANARY = "canary"

logger = logging.getLogger(__name__)


class Server:
    """Lets callers ask a service; says when it takes them, and lets them go in peace.

    Parameters
    ----------
    service : Service
        What answers.
    listener : socket
        Bound and listening.
    status : int
        The pipe to the supervisor.
    host : str
        Address that the deployment listens on; names are checked only on loopback.
    """

    def __init__(self, service: Service, listener: socket.socket, status: int, host: str) -> None:
        self._service = service
        self._listener = listener
        self._status = status
        self._is_local = is_loopback(host)
        self._callers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._is_leaving = False

    async def run(self) -> None:
        """Answer until told to stop; what has been asked by then is answered."""
        self._server = await asyncio.start_server(
            self._meet, sock=self._listener, limit=HEAD_BYTES, backlog=BACKLOG
        )
        self._loop = asyncio.get_running_loop()
        tell(self._status, ready=True)
        await self._stop.wait()
        self._server.close()
        self._is_leaving = True
        for task, writer in self._callers.items():
            if task not in self._answering:
                writer.close()
        if self._callers:
            await asyncio.wait([*self._callers], timeout=GRACE_SECONDS)
        self._loop = None

    def begin_drain(self) -> None:
        """Take no new callers, answer the others, end; may be called from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._drain()))

    def stop(self) -> None:
        """Answer what has been asked, and end; may be called from any thread."""
        if self._loop is None:
            self._stop.set()
        else:
            self._loop.call_soon_threadsafe(self._stop.set)

    async def _drain(self) -> None:
        assert self._server is not None
        self._server.close()
        tell(self._status, let_go=True)
        # From now on each reply tells its caller to connect again, and so to the other worker.
        self._is_leaving = True
        await asyncio.sleep(SETTLE_SECONDS)
        end = time.monotonic() + DRAIN_SECONDS
        while self._callers and time.monotonic() < end:
            await asyncio.sleep(0.02)
        self._stop.set()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one caller's requests, one after the other."""
        task = asyncio.current_task()
        assert task is not None
        self._callers[task] = writer
        try:
            while await self._answer_next(task, reader, writer):
                self._answering.discard(task)
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError):
            logger.debug("a caller went away")
        finally:
            self._answering.discard(task)
            del self._callers[task]
            writer.close()

    async def _answer_next(
        self,
        task: asyncio.Task[None],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Answer a request; return whether another one may come."""
        has_body, keeps_open = True, False
        try:
            request = await read_request(reader)
            if request is None:
                return False
            self._answering.add(task)
            has_body = request.method != "HEAD"
            reply = self._refusal_of(request)
            if reply is None:
                body = await read_body(reader, request.named, limit=MAX_BODY_BYTES)
                reply = await self._service.answer(request, body)
                keeps_open = request.keeps_open and not self._is_leaving
        except MessageError as error:
            reply = unreadable(error)
        writer.write(reply.encode(keeps_open=keeps_open, has_body=has_body))
        await writer.drain()
        return keeps_open and not self._is_leaving

    def _refusal_of(self, request: Request) -> Reply | None:
        settings = self._service.settings
        why = refusal_of(request.path, request.named, settings, is_local=self._is_local)
        return None if why is None else told(*why)


def tell(status: int, **what: object) -> None:
    """Say something to the supervisor."""
    os.write(status, json.dumps(what).encode() + b"\n")


def serve(arguments: list[str]) -> int:
    """Serve until told otherwise; return the exit code."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.captureWarnings(True)
    folder, revision, slot = Folder(Path(arguments[0])), int(arguments[1]), arguments[2]
    listener, status = socket.socket(fileno=int(arguments[3])), int(arguments[4])
    os.set_inheritable(listener.fileno(), False)
    os.set_inheritable(status, False)
    job = folder.job(revision)
    try:
        scorer = load_scorer(job, folder.revision(revision))
    except BaseException as error:  # noqa: BLE001 - a script may raise SystemExit, too
        logger.error("revision %s cannot be served", revision, exc_info=error)
        tell(status, problem=describe_failure(error))
        return 3
    gc.enable()
    gc.freeze()  # what is loaded stays, and need not be looked at again
    service = Service(job["service"], scorer, folder, is_canary=slot == CANARY)
    server = Server(service, listener, status, job["host"])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    threading.Thread(target=_follow, args=(server,), daemon=True).start()
    asyncio.run(server.run())
    # Threads of a script must not keep a worker that has nothing more to do.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def _follow(server: Server) -> None:
    """Do what the supervisor says; end when it is gone."""
    for line in sys.stdin:
        if line.strip() == "drain":
            server.begin_drain()
    server.stop()
    time.sleep(GRACE_SECONDS)
    os._exit(1)
