"""One version of a deployment: a listening socket and the workers behind it.

Standard library only. A slot serves one revision. When another is asked for, its worker is
started beside the one that serves, on the same socket; once it is ready, the old one stops
taking callers, answers those that it has and ends. A worker that ends by itself is started
again: at once the first time, later after a pause; too often in a short time is a failure.
While nobody serves, callers wait in the socket's queue; after a failure they get a 503.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol  # Any: JSON values

MAX_CRASHES = 5
CRASH_SECONDS = 60.0
"""A slot fails when its workers have crashed `MAX_CRASHES` times within this time."""
PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Seconds before the worker is started again after the first, second … crash in that time."""
START_SECONDS = 300.0
"""Longest time in which a worker gets ready; loading a large model takes minutes at most."""
LEAVE_SECONDS = 30.0
"""Longest time that a worker that was replaced may go on answering."""
RETRY_SECONDS = 30
"""When callers of a deployment that failed may come again: somebody has to mend it first."""
_KILL_SECONDS = 5.0
_CALL_SECONDS = 0.2


class Worker(Protocol):
    """A worker process, as `nbautoml.serving.process.WorkerProcess` is one."""

    revision: int
    started_at: float
    is_ready: bool
    has_let_go: bool
    problem: str

    @property
    def pid(self) -> int:
        """Number of the process."""

    def poll(self) -> int | None:
        """Return the exit code once it has ended."""

    def drain(self) -> None:
        """Ask it to answer its callers and end."""

    def end(self) -> None:
        """Ask it to end now."""

    def kill(self) -> None:
        """End it."""


@dataclass(slots=True)
class _Leaving:
    """A worker that was replaced, and until when it may go on."""

    worker: Worker
    until: float
    is_asked: bool = False


@dataclass(slots=True, kw_only=True)
class Slot:
    """Keeps one revision served.

    Parameters
    ----------
    start : callable
        Starts a worker for a revision.
    say : callable
        Writes a line into the log.
    """

    start: Callable[[int], Worker]
    say: Callable[[str], None]
    wanted: int | None = None
    error: str = ""
    n_restarts: int = 0
    serving: Worker | None = None
    fresh: Worker | None = None
    _failed: int | None = None
    _crashes: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_CRASHES))
    _leaving: list[_Leaving] = field(default_factory=list)

    @property
    def has_failed(self) -> bool:
        """Whether nobody serves and nothing more will be tried."""
        return self.serving is None and self.fresh is None and self._failed is not None

    @property
    def is_handing_over(self) -> bool:
        """Whether a worker that was replaced may still take a new caller."""
        workers = (leaving.worker for leaving in self._leaving)
        return any(not worker.has_let_go and worker.poll() is None for worker in workers)

    def want(self, revision: int | None) -> None:
        """Ask for a revision; one that failed is tried again only as another number."""
        if revision != self.wanted:
            self.wanted = revision
            self.error, self._failed = "", None
            self._crashes.clear()

    def step(self, now: float) -> None:
        """Do what is to be done at a moment (monotonic seconds)."""
        self._look_at_serving(now)
        self._look_at_fresh(now)
        self._look_at_leaving(now)
        if self.wanted is None:
            self._let_go(now)
        elif self._needs_start(now):
            self.fresh = self.start(self.wanted)
            self.say(f"revision {self.wanted}: worker {self.fresh.pid} started")

    def end_all(self) -> None:
        """Ask all workers to end."""
        for worker in self._workers():
            worker.end()

    def kill_all(self) -> None:
        """End all workers."""
        for worker in self._workers():
            worker.kill()

    def is_empty(self) -> bool:
        """Whether no worker is left."""
        return all(worker.poll() is not None for worker in self._workers())

    def state(self) -> dict[str, Any]:
        """Return how the slot stands, as JSON values."""
        return {
            "wanted": self.wanted,
            "revision": self.serving.revision if self.serving else None,
            "pid": self.serving.pid if self.serving else None,
            "restarts": self.n_restarts,
            "error": self.error,
        }

    def _workers(self) -> list[Worker]:
        present = [worker for worker in (self.serving, self.fresh) if worker is not None]
        return [*present, *(leaving.worker for leaving in self._leaving)]

    def _needs_start(self, now: float) -> bool:
        if self.fresh is not None:
            if self.fresh.revision != self.wanted:
                self.fresh.kill()
            return False
        is_served = self.serving is not None and self.serving.revision == self.wanted
        if is_served or self._failed == self.wanted:
            return False
        return not self._crashes or now >= self._crashes[-1] + self._pause()

    def _pause(self) -> float:
        return PAUSES[min(len(self._crashes), len(PAUSES)) - 1]

    def _look_at_serving(self, now: float) -> None:
        if self.serving is None or (code := self.serving.poll()) is None:
            return
        self.say(f"worker {self.serving.pid} ended with {code}; it is started again")
        self.serving = None
        self.n_restarts += 1
        self._count_crash(now, f"The worker ended with {code}.")

    def _look_at_fresh(self, now: float) -> None:
        fresh = self.fresh
        if fresh is None:
            return
        code = fresh.poll()
        if code is not None:
            self.fresh = None
            if fresh.revision == self.wanted:
                self._take_failure(fresh, code, now)
        elif fresh.is_ready and fresh.revision == self.wanted:
            if self.serving is not None:
                self.serving.drain()
                self._leaving.append(_Leaving(self.serving, now + LEAVE_SECONDS))
            self.serving, self.fresh, self.error = fresh, None, ""
            self.say(f"revision {fresh.revision}: worker {fresh.pid} serves")
        elif now - fresh.started_at > START_SECONDS:
            fresh.problem = f"It was not ready after {START_SECONDS:.0f} s."
            fresh.kill()

    def _take_failure(self, fresh: Worker, code: int, now: float) -> None:
        if fresh.problem:
            # It said why: the same files would say the same again.
            self._fail(fresh.problem)
        else:
            self.say(f"worker {fresh.pid} ended with {code} before it was ready")
            self._count_crash(now, f"The worker ended with {code} before it was ready.")

    def _count_crash(self, now: float, what: str) -> None:
        while self._crashes and self._crashes[0] < now - CRASH_SECONDS:
            self._crashes.popleft()
        self._crashes.append(now)
        if len(self._crashes) >= MAX_CRASHES:
            times = f"{MAX_CRASHES} times in {CRASH_SECONDS:.0f} s"
            self._fail(f"{what} It crashed {times}, so it is not started again.")

    def _fail(self, why: str) -> None:
        self._failed, self.error = self.wanted, why
        self.say(f"revision {self.wanted} failed: {why}")

    def _let_go(self, now: float) -> None:
        if self.fresh is not None:
            self.fresh.kill()
        if self.serving is not None:
            self.serving.drain()
            self._leaving.append(_Leaving(self.serving, now + LEAVE_SECONDS))
            self.serving = None

    def _look_at_leaving(self, now: float) -> None:
        for leaving in list(self._leaving):
            if leaving.worker.poll() is not None:
                self._leaving.remove(leaving)
            elif now > leaving.until + _KILL_SECONDS:
                leaving.worker.kill()
            elif now > leaving.until and not leaving.is_asked:
                leaving.is_asked = True
                leaving.worker.end()


def refuse_callers(listener: socket.socket, why: str) -> None:
    """Answer everybody who waits at a listening socket with a 503, and return.

    Parameters
    ----------
    listener : socket
        A socket whose workers are gone for good; it does not block.
    why : str
        What to tell.
    """
    detail = {"title": "The deployment failed", "status": 503, "detail": why}
    body = json.dumps(detail).encode()
    head = (
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\nRetry-After: {RETRY_SECONDS}\r\n"
        "Connection: close\r\n\r\n"
    )
    while True:
        try:
            caller, _ = listener.accept()
        except OSError:
            return
        with caller, contextlib.suppress(OSError):
            caller.settimeout(_CALL_SECONDS)
            caller.recv(65_536)
            caller.sendall(head.encode() + body)
            caller.shutdown(socket.SHUT_WR)
