"""What tasks tell their run while they work: pieces of news that travel in company.

A message from a worker to its run goes through the scheduler, and costs each of the three more
than what it says. That a task has started interests nobody at once, so that it waits a moment for
news that do; how it ended goes into the message in which Dask says that its slot is free.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any  # Any: Dask's worker is typed in part; news belong to tasks

LINGER_SECONDS = 0.02
"""Longest time that a start waits for other news."""


class News:
    """Sends news of a worker's tasks, in the order in which they came.

    Safe for use from several threads, but for `flush_soon`.

    Parameters
    ----------
    worker : distributed.Worker
        Whose events they are.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._lock = threading.Lock()
        self._kept: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._is_due = False

    def keep(self, topic: str, piece: dict[str, Any]) -> None:
        """Let a piece of news wait for the next that are sent.

        Parameters
        ----------
        topic : str
            Who hears of it.
        piece : dict
            What msgpack can carry.
        """
        with self._lock:
            self._kept[topic].append(piece)

    def tell(self, topic: str, piece: dict[str, Any]) -> None:
        """Send a piece of news, after those that were kept."""
        self.keep(topic, piece)
        self.flush()

    def flush(self) -> None:
        """Send what was kept."""
        if not self._kept:
            return
        # Under the lock: Dask keeps the order of what is logged, if it is called in that order.
        with self._lock:
            for topic, pieces in self._kept.items():
                self._worker.log_event(topic, pieces)
            self._kept.clear()

    def flush_soon(self) -> None:
        """Send what is kept by then in a moment; called in the worker's event loop."""
        if not self._is_due:
            self._is_due = True
            self._worker.loop.call_later(LINGER_SECONDS, self._flush_when_due)

    def _flush_when_due(self) -> None:
        self._is_due = False
        self.flush()
