"""Tells once a second how many workers there are, and how busy they are."""

from __future__ import annotations

import math

from nbautoml.domain.events import WorkersChanged
from nbautoml.engine.context import Ports

_SECONDS = 1.0


class WorkerReports:
    """Reports the workers of a run while it is looked at.

    Parameters
    ----------
    ports : Ports
        Has the workers, and hears of them.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._told_at = -math.inf

    def look(self) -> None:
        """Tell how the workers stand, unless that was told a moment ago."""
        ports = self._ports
        if ports.clock() - self._told_at < _SECONDS:
            return
        self._told_at = ports.clock()
        state = ports.executor.workers()
        ports.events.emit(
            WorkersChanged(
                n_workers=state.n_workers, n_busy=state.n_busy, memory_bytes=state.memory_bytes
            )
        )
