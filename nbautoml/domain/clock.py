"""Time that no change of the system's clock moves.

The system's clock may be set while a run goes on: by a person, by a time server after a laptop
slept, by a virtual machine that was moved. A budget is a length of time, so it is kept on a clock
that only goes on. Dates in the log are the system's.
"""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SteadyClock:
    """Seconds since the epoch as the system's clock had them when this was made, going on evenly.

    Parameters
    ----------
    wall : callable, default time.time
        Seconds since the epoch; may jump.
    steady : callable, default time.monotonic
        Seconds since any moment; never jumps.

    Examples
    --------
    >>> wall, steady = iter([1000.0, 5000.0]), iter([7.0, 8.0, 9.0])
    >>> clock = SteadyClock(wall=lambda: next(wall), steady=lambda: next(steady))
    >>> clock()
    1001.0
    >>> clock.drift()
    3998.0
    """

    __slots__ = ("_offset", "_steady", "_wall")

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._steady = wall, steady
        self._offset = wall() - steady()

    def __call__(self) -> float:
        """Return the time now."""
        return self._offset + self._steady()

    def drift(self) -> float:
        """Return by how many seconds the system's clock is ahead of this one."""
        return self._wall() - self()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment that other processes of the same machine can compare with now.

    Parameters
    ----------
    machine : str
        Which start of which machine; elsewhere nothing is known of the moment.
    at : float
        Seconds of that machine's monotonic clock, which all its processes share.

    Examples
    --------
    >>> 4.0 < Moment.after(5.0).seconds_left() <= 5.0
    True
    >>> Moment(machine="another", at=0.0).seconds_left()
    inf
    """

    machine: str
    at: float

    @classmethod
    def after(cls, seconds: float) -> Moment:
        """Return the moment that is so many seconds from now."""
        return cls(machine=this_machine(), at=time.monotonic() + seconds)

    def seconds_left(self) -> float:
        """Return the seconds until then; infinity on another machine."""
        return self.at - time.monotonic() if self.machine == this_machine() else math.inf


@lru_cache(maxsize=1)
def this_machine() -> str:
    """Return a name for this start of this machine."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return platform.node()
