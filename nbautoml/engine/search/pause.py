"""A search that stands still: nobody begins a trial, and its time stands still with it."""

from __future__ import annotations

from collections.abc import Callable

from nbautoml.domain.events import StatusChanged
from nbautoml.domain.ports import EventSink
from nbautoml.domain.status import RunStatus
from nbautoml.engine.search.requests import Requests

_PAUSED = "Paused on request."
_GOING_ON = "Going on after a pause."


class Pause:
    """Pauses a search when it is asked to, until it is asked to go on or to end.

    Trials that are on their way go on to their end. The log says when a pause begins and ends;
    a reader of the log moves the run's deadline by the time between, as this does.

    Parameters
    ----------
    requests : Requests
        What people ask, and the deadline.
    events : EventSink
        Hears of the run's state.
    clock : callable
        Returns the time, in seconds; the deadline's clock.
    """

    def __init__(self, requests: Requests, events: EventSink, clock: Callable[[], float]) -> None:
        self._requests = requests
        self._events = events
        self._clock = clock
        self._looked_at: float | None = None
        self.seconds = 0.0
        """For how long the search stood still, all pauses together."""

    @property
    def is_on(self) -> bool:
        """Whether the search stands still."""
        return self._looked_at is not None

    def look(self) -> None:
        """Begin or end a pause, if that was asked for; keep the deadline as far away as it was."""
        asked = self._requests
        now = self._clock()
        wanted = asked.is_paused and not (asked.is_canceled or asked.is_finishing)
        if self._looked_at is not None:
            self.seconds += now - self._looked_at
            asked.postpone(now - self._looked_at)
        if wanted is not self.is_on:
            status = RunStatus.PAUSED if wanted else RunStatus.RUNNING
            self._events.emit(StatusChanged(status=status, reason=_PAUSED if wanted else _GOING_ON))
        self._looked_at = now if wanted else None
