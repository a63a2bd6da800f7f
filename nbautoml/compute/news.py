"""What tasks tell their run while they work: pieces of news that travel in company.

A message from a worker to its run goes through the scheduler, and costs each of the three more
than what it says. That a task has started interests nobody at once, so that it waits a moment
for news that do.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any  # Any: Dask's worker is typed in part; news belong to tasks

LINGER_SECONDS = 0.02
"""Longest time that news wait for others."""


class News:
    """Sends news of a worker's tasks, in the order in which they came.

    Safe for use from several threads.

    Parameters
    ----------
    worker : distributed.Worker
        Whose events they are.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)

    def tell(self, topic: str, piece: dict[str, Any]) -> None:
        """Send a piece of news, after those that wait.

        Parameters
        ----------
        topic : str
            Who hears of it.
        piece : dict
            What msgpack can carry.
        """
        with self._lock:
            self._send(topic, [*self._waiting.pop(topic, ()), piece])

    def tell_soon(self, topic: str, piece: dict[str, Any]) -> None:
        """Send a piece of news with the next that is told, and at most a moment later."""
        with self._lock:
            waiting = self._waiting[topic]
            waiting.append(piece)
            if len(waiting) == 1:
                self._worker.loop.add_callback(
                    self._worker.loop.call_later, LINGER_SECONDS, self._flush, topic
                )

    def _flush(self, topic: str) -> None:
        with self._lock:
            waiting = self._waiting.pop(topic, ())
            if waiting:
                self._send(topic, list(waiting))

    def _send(self, topic: str, news: list[dict[str, Any]]) -> None:
        # Under the lock: Dask keeps the order of what is logged, if it is called in that order.
        self._worker.log_event(topic, news)
