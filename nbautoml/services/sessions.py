"""Open workspaces, shared by a server's requests and closed when nobody uses them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nbautoml.domain.records import SessionAddress
from nbautoml.pipelines.scheduler_process import start_scheduler
from nbautoml.store.session import Session, open_session

IDLE_SECONDS = 60.0


def open_workspace(address: SessionAddress) -> Session:
    """Open a workspace, and start its scheduler if it has schedules and none is at work.

    A front may be the first to open a workspace after the machine was off.

    Raises
    ------
    StoreError
        When the workspace cannot be opened.
    """
    session = open_session(address)
    start_scheduler(session)
    return session


@dataclass(slots=True)
class _Entry:
    session: Session
    n_users: int
    left_at: float


class SessionPool:
    """Lends sessions by address; any thread may ask.

    Parameters
    ----------
    idle_seconds : float, default 60
        How long a session stays open after its last user has left.
    clock : callable, default time.monotonic
        Returns seconds.
    open_session : callable
        Opens a workspace.
    """

    def __init__(
        self,
        *,
        idle_seconds: float = IDLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        open_session: Callable[[SessionAddress], Session] = open_workspace,
    ) -> None:
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._open = open_session
        self._entries: dict[SessionAddress, _Entry] = {}
        self._lock = threading.Lock()

    @contextmanager
    def lend(self, address: SessionAddress) -> Iterator[Session]:
        """Give a session for the length of a block.

        Raises
        ------
        StoreError
            When the workspace cannot be opened.
        """
        with self._lock:
            entry = self._entries.get(address)
            if entry is None:
                entry = _Entry(session=self._open(address), n_users=0, left_at=0.0)
                self._entries[address] = entry
            entry.n_users += 1
        try:
            yield entry.session
        finally:
            with self._lock:
                entry.n_users -= 1
                entry.left_at = self._clock()

    def close_idle(self) -> int:
        """Close sessions that nobody has used for a while; return how many."""
        limit = self._clock() - self._idle_seconds
        with self._lock:
            idle = [a for a, e in self._entries.items() if not e.n_users and e.left_at <= limit]
            entries = [self._entries.pop(address) for address in idle]
        for entry in entries:
            entry.session.close()
        return len(entries)

    def close(self) -> None:
        """Close all sessions; their users must have left."""
        with self._lock:
            entries = list(self._entries.values())
            self._entries.clear()
        for entry in entries:
            entry.session.close()
