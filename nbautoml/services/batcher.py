"""The one throttle between a run's events and the people who watch it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

INTERVAL_SECONDS = 0.2  # at most five updates a second, whatever the event rate


class Batcher(Generic[T]):
    """Let the first value through at once, then one per interval: the last one offered.

    It keeps no thread and never sleeps: its owner asks again after `wait_seconds`. Not safe for
    use from several threads.

    Parameters
    ----------
    interval_seconds : float, default 0.2
        Shortest time between two values that get through.
    clock : callable, default time.monotonic
        Returns seconds.

    Examples
    --------
    >>> seconds = iter([0.0, 0.1, 0.3])
    >>> batcher = Batcher(clock=lambda: next(seconds))
    >>> batcher.offer("a")
    >>> batcher.take()
    'a'
    >>> batcher.offer("b"); batcher.offer("c")
    >>> batcher.take(), batcher.take()
    (None, 'c')
    """

    def __init__(
        self,
        *,
        interval_seconds: float = INTERVAL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval = interval_seconds
        self._clock = clock
        self._taken_at: float | None = None
        self._value: T | None = None

    def offer(self, value: T) -> None:
        """Keep `value` until it is taken; it takes the place of one that waits."""
        self._value = value

    def take(self) -> T | None:
        """Return the value that waits if its time has come, else None."""
        if self._value is None:
            return None
        now = self._clock()
        if self._taken_at is not None and now - self._taken_at < self._interval:
            return None
        value, self._value, self._taken_at = self._value, None, now
        return value

    def wait_seconds(self) -> float | None:
        """Return how long the waiting value must still wait; None when none waits."""
        if self._value is None:
            return None
        if self._taken_at is None:
            return 0.0
        return max(0.0, self._taken_at + self._interval - self._clock())
