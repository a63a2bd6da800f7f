"""What people ask of a run while it goes on, its deadline, and what must be done before that."""

from __future__ import annotations

from collections.abc import Callable

from nbautoml.domain.clock import SteadyClock
from nbautoml.domain.events import DeadlineChanged
from nbautoml.domain.ports import EventSink, Request, RunControl
from nbautoml.domain.status import RequestKind
from nbautoml.engine.search.budget import Deadline, FinishCost

_SECONDS_A_MINUTE = 60.0
# Time servers correct clocks by less than this without a jump.
_TOLD_DRIFT_SECONDS = 2.0


class Requests:
    """Keeps what was asked so far; polled often, because a poll costs almost nothing.

    Parameters
    ----------
    control : RunControl
        Where requests come from.
    events : EventSink
        Hears of a new deadline.
    deadline : Deadline
        End of the engine's work.
    closing_seconds : float, default 0
        How much later the run ends.

    Notes
    -----
    The deadline is kept on a clock that never jumps. When the system's clock was set, or the
    machine slept, the end has another date; those who watch the run are told.
    """

    def __init__(
        self,
        control: RunControl,
        events: EventSink,
        deadline: Deadline,
        closing_seconds: float = 0.0,
    ) -> None:
        self._control = control
        self._events = events
        self._closing_seconds = closing_seconds
        self.deadline = deadline
        self.finish_cost = FinishCost()
        self.is_canceled = False
        self.is_finishing = False
        self.is_paused = False
        self._drift = 0.0

    def poll(self) -> None:
        """Take in what was asked since the last call."""
        obey: dict[RequestKind, Callable[[Request], None]] = {
            RequestKind.CANCEL: self._cancel,
            RequestKind.FINISH_NOW: self._finish,
            RequestKind.ADD_MINUTES: self._add,
            RequestKind.PAUSE: self._pause,
            RequestKind.RESUME: self._resume,
        }
        for request in self._control.poll():
            obey[request.kind](request)
        self._look_at_clock()

    def postpone(self, seconds: float) -> None:
        """Move the deadline on by time in which nothing was to be done; nobody is told."""
        self.deadline = self.deadline.moved(seconds)

    def _cancel(self, _request: Request) -> None:
        self.is_canceled = True

    def _finish(self, _request: Request) -> None:
        self.is_finishing = True

    def _pause(self, _request: Request) -> None:
        self.is_paused = True

    def _resume(self, _request: Request) -> None:
        self.is_paused = False

    def _add(self, request: Request) -> None:
        if self.deadline.is_limited:
            self.deadline = self.deadline.moved(request.minutes * _SECONDS_A_MINUTE)
            self._events.emit(DeadlineChanged(deadline=self._end()))

    def _look_at_clock(self) -> None:
        """Tell the new date of the end when the system's clock was set."""
        clock = self.deadline.clock
        if not self.deadline.is_limited or not isinstance(clock, SteadyClock):
            return
        drift = clock.drift()
        if abs(drift - self._drift) > _TOLD_DRIFT_SECONDS:
            self._drift = drift
            self._events.emit(DeadlineChanged(deadline=self._end(), is_clock_set=True))

    def _end(self) -> float:
        """Return when the run ends, on the system's clock."""
        return self.deadline.at + self._closing_seconds + self._drift
