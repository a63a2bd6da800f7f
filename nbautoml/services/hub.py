"""Following runs for the pages that watch them: one thread a watched run."""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol  # Any: JSON values

from nbautoml.domain.events import EventRecord
from nbautoml.domain.snapshot import RunSnapshot, SnapshotFold
from nbautoml.errors import StoreUnavailableError
from nbautoml.runs.details import with_life
from nbautoml.services.batcher import Batcher
from nbautoml.services.problems import problem_of
from nbautoml.services.view import view, view_frames
from nbautoml.store.events import EventTail
from nbautoml.store.session import Session

POLL_SECONDS = 0.025
ENDED_POLL_SECONDS = 1.0  # an ended run has nothing more to say
LIFE_SECONDS = 2.0
"""How often a silent run's process is looked for."""
_JOIN_SECONDS = 5.0
_LOG = logging.getLogger(__name__)

Lend = Callable[[str], AbstractContextManager[Session]]


class Client(Protocol):
    """A page that watches runs; `send` may be called from any thread and does not wait."""

    def send(self, text: str) -> None:
        """Send a text message."""


class Hub:
    """Starts a follower for a run when its first watcher comes, ends it when the last leaves.

    Parameters
    ----------
    lend : callable
        Takes the folder of a workspace as a page named it; gives its session for the length of a
        block, or raises where it may not be opened.
    """

    def __init__(self, lend: Lend) -> None:
        self._lend = lend
        self._followers: dict[tuple[str, str], Follower] = {}
        self._lock = threading.Lock()

    @property
    def n_followed(self) -> int:
        """Number of runs that are followed now."""
        with self._lock:
            return len(self._followers)

    def watch(self, client: Client, workspace: str, run_id: str, since: int) -> None:
        """Send `client` what it lacks of a run, and all that follows."""
        key = (workspace, run_id)
        with self._lock:
            follower = self._followers.get(key)
            if follower is None or not follower.join_in(client, since):
                follower = Follower(self._lend, workspace, run_id)
                follower.join_in(client, since)
                self._followers[key] = follower
                follower.start()

    def leave(self, client: Client, workspace: str, run_id: str) -> None:
        """Send `client` no more of a run."""
        with self._lock:
            follower = self._followers.get((workspace, run_id))
            if follower is not None and follower.drop(client) == 0:
                del self._followers[workspace, run_id]

    def drop(self, client: Client) -> None:
        """Send `client` nothing more."""
        with self._lock:
            for key, follower in list(self._followers.items()):
                if follower.drop(client) == 0:
                    del self._followers[key]

    def close(self) -> None:
        """End all followers and wait for them."""
        with self._lock:
            followers = list(self._followers.values())
            self._followers.clear()
        for follower in followers:
            follower.stop()
        for follower in followers:
            follower.join(_JOIN_SECONDS)


class Follower(threading.Thread):
    """Reads a run's events and sends each watcher the frames that it lacks.

    Parameters
    ----------
    lend : callable
        Gives the session of a workspace.
    workspace : str
        Folder of the run's workspace, as the page named it.
    run_id : str
        The run.
    clock : callable, default time.time
        Returns the seconds since the epoch.
    """

    def __init__(
        self,
        lend: Lend,
        workspace: str,
        run_id: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name=f"follow-{run_id}", daemon=True)
        self._lend = lend
        self._workspace = workspace
        self._run_id = run_id
        self._clock = clock
        self._newcomers: queue.SimpleQueue[tuple[Client, int]] = queue.SimpleQueue()
        self._clients: set[Client] = set()
        self._greeted: set[Client] = set()  # of the thread alone
        self._lock = threading.Lock()  # guards _clients and _is_over
        self._is_over = False
        self._wake = threading.Event()
        self._fold = SnapshotFold(run_id)
        self._batcher: Batcher[RunSnapshot] = Batcher()
        self._sent = RunSnapshot(run_id=run_id)

    def join_in(self, client: Client, since: int) -> bool:
        """Take in a watcher that has seen event `since`; False when the follower has ended."""
        with self._lock:
            if self._is_over:
                return False
            self._clients.add(client)
            self._newcomers.put((client, since))
        self._wake.set()
        return True

    def drop(self, client: Client) -> int:
        """Forget a watcher; return how many are left. Without any, the follower ends."""
        with self._lock:
            self._clients.discard(client)
            left = len(self._clients)
            self._is_over = self._is_over or left == 0
        if left == 0:
            self._wake.set()
        return left

    def stop(self) -> None:
        """End soon, whoever watches."""
        with self._lock:
            self._is_over = True
        self._wake.set()

    def run(self) -> None:
        """Follow the run until nobody watches it; tell the watchers when that fails."""
        try:
            with ExitStack() as stack:
                self._follow(*self._open(stack))
        except Exception as error:  # noqa: BLE001 - the border: the watchers are told
            problem = problem_of(error)
            if problem.status >= 500:
                _LOG.error("Run %s cannot be followed", self._run_id, exc_info=error)
            whose = {"run": self._run_id, "workspace": self._workspace}
            self._end_with(whose | {"error": problem.as_json()})

    def _open(self, stack: ExitStack) -> tuple[Session, EventTail]:
        session = stack.enter_context(self._lend(self._workspace))
        with session.read() as tx:
            tx.runs.get(self._run_id)  # an unknown run is an error, not an empty view
        return session, stack.enter_context(EventTail(session, self._run_id))

    def _follow(self, session: Session, tail: EventTail) -> None:
        self._fold.apply_all(tail.poll())
        self._sent = with_life(session, self._fold.build())
        look_at = time.monotonic() + LIFE_SECONDS
        while not self._is_over:
            records = _poll(tail)
            if records:
                self._fold.apply_all(records)
                self._batcher.offer(self._fold.build())
            elif time.monotonic() >= look_at:
                # A process that was lost writes nothing: the run's state changes all the same.
                look_at = time.monotonic() + LIFE_SECONDS
                self._batcher.offer(with_life(session, self._fold.build()))
            snapshot = self._batcher.take()
            if snapshot is not None:
                self._send_changes(snapshot)
            self._greet()
            self._wake.wait(self._pause())
            self._wake.clear()

    def _pause(self) -> float:
        if self._sent.status.is_terminal and self._batcher.wait_seconds() is None:
            return ENDED_POLL_SECONDS
        return POLL_SECONDS

    def _send_changes(self, snapshot: RunSnapshot) -> None:
        before = self._sent
        frames = view_frames(snapshot, since=before.seq, now=self._clock(), previous=before)
        if not frames:
            return
        self._sent = snapshot
        with self._lock:
            clients = self._clients & self._greeted
        self._send(clients, frames)

    def _greet(self) -> None:
        """Bring newcomers to where the others are."""
        while not self._newcomers.empty():
            client, since = self._newcomers.get()
            self._greeted.add(client)
            now = self._clock()
            if 0 < since <= self._sent.seq:
                self._send([client], view_frames(self._sent, since=since, now=now))
            else:
                full = view(self._sent, now=now, workspace=self._workspace)
                self._send([client], [{"run": self._run_id, "full": full}])

    def _send(self, clients: Iterable[Client], messages: Iterable[dict[str, Any]]) -> None:
        texts = [json.dumps(m, separators=(",", ":"), allow_nan=False) for m in messages]
        for client in clients:
            for text in texts:
                client.send(text)

    def _end_with(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._is_over = True
            clients = list(self._clients)
        self._send(clients, [message])


def _poll(tail: EventTail) -> list[EventRecord]:
    """Return new events; none while the store does not answer: the page keeps what it has."""
    try:
        return tail.poll()
    except StoreUnavailableError as error:
        _LOG.warning("Events cannot be read now: %s", error)
        return []
