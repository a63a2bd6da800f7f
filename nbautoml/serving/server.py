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
import socket
import sys
import threading
import time
from pathlib import Path

import uvicorn

from nbautoml.serving.app import Service, create_app
from nbautoml.serving.folder import Folder
from nbautoml.serving.guard import Guard
from nbautoml.serving.scorer import describe_failure, load_scorer

DRAIN_SECONDS = 2.0
"""How long callers that keep their connection open are waited for, once another worker serves."""
SETTLE_SECONDS = 0.1
"""Callers that were accepted just before are connections only a moment later."""
GRACE_SECONDS = 8
"""How long answers that have begun may take when the worker is asked to end."""
CANARY = "canary"

logger = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Says when it takes callers, and lets them go in peace."""

    def __init__(self, config: uvicorn.Config, guard: Guard, status: int) -> None:
        super().__init__(config)
        self._guard = guard
        self._status = status
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets=sockets)
        self._loop = asyncio.get_running_loop()
        tell(self._status, ready=True)

    def begin_drain(self) -> None:
        """Take no new callers, answer the others, end; may be called from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._drain()))

    async def _drain(self) -> None:
        for server in self.servers:
            server.close()
        tell(self._status, let_go=True)
        # From now on each reply tells its caller to connect again, and so to the other worker.
        self._guard.is_draining = True
        await asyncio.sleep(SETTLE_SECONDS)
        end = time.monotonic() + DRAIN_SECONDS
        while self.server_state.connections and time.monotonic() < end:
            await asyncio.sleep(0.02)
        self.should_exit = True


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
    guard = Guard(create_app(service), service.settings, host=job["host"])
    config = uvicorn.Config(
        guard,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config, guard, status)
    threading.Thread(target=_follow, args=(server,), daemon=True).start()
    server.run(sockets=[listener])
    # Threads of a script must not keep a worker that has nothing more to do.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def _follow(server: _Server) -> None:
    """Do what the supervisor says; end when it is gone."""
    for line in sys.stdin:
        if line.strip() == "drain":
            server.begin_drain()
    server.should_exit = True
    time.sleep(GRACE_SECONDS)
    os._exit(1)
