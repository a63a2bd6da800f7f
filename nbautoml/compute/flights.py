"""Tasks that an executor has taken and not forgotten yet: what waits, what is sent, what came."""

from __future__ import annotations

import heapq
import pickle
from dataclasses import dataclass
from typing import Any, TypeAlias  # Any: distributed is typed in part only

from nbautoml.compute.staging import write_files
from nbautoml.compute.supervisor import Ending, Order
from nbautoml.compute.task_folders import TaskFolders
from nbautoml.domain.ports import TaskReport, TrialTask
from nbautoml.domain.status import TrialOutcome

DaskFuture: TypeAlias = Any
"""A `distributed.Future`; that class is typed in part, so that calls to it cannot be checked."""


@dataclass(slots=True, kw_only=True, eq=False)
class Flight:
    """A task that was submitted and is not forgotten yet."""

    task: TrialTask
    number: int
    body: bytes
    folders: TaskFolders | None = None
    future: DaskFuture | None = None
    sent_at: float = 0.0
    attempt: str = ""
    n_attempts: int = 0
    n_losses: int = 0
    canceled_at: float | None = None
    is_reported: bool = False

    def order(self, topic: str, memory_limit_bytes: int | None) -> Order:
        """Return what a worker is told of the task, under the smaller of both limits."""
        limits = [b for b in (self.task.memory_limit_bytes, memory_limit_bytes) if b is not None]
        return Order(
            body=self.body,
            topic=topic,
            number=self.number,
            time_limit_seconds=self.task.time_limit_seconds,
            memory_limit_bytes=min(limits, default=None),
            folders=self.folders,
            n_gpus=self.task.n_gpus,
        )

    def report(self, ending: Ending) -> TaskReport:
        """Take in what the task left, and return its report."""
        value, outcome, error = None, ending.outcome, ending.error
        if outcome is TrialOutcome.COMPLETED:
            try:
                value = pickle.loads(ending.value)
                if self.task.writes is not None:
                    write_files(self.task.writes, ending.files)
            except Exception as exc:  # noqa: BLE001 - unpickling runs code of the value's own
                outcome, error = TrialOutcome.FAILED, f"Its result cannot be taken in: {exc}"
        return TaskReport(
            key=self.task.key,
            outcome=outcome,
            seconds=ending.seconds,
            value=value,
            error=error,
            traceback=ending.traceback,
            peak_memory_bytes=ending.peak_memory_bytes,
            attempts=max(1, self.n_attempts),
            worker=ending.worker,
            output=ending.output,
        )


class WaitingFlights:
    """Tasks that are not handed over yet, by priority and then in the order of their numbers."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Flight]] = []

    def __bool__(self) -> bool:
        return bool(self._heap)

    def put(self, flight: Flight) -> None:
        """Let a task wait."""
        heapq.heappush(self._heap, (flight.task.priority, flight.number, flight))

    def take(self, *, n_slots: int, n_cards: int) -> list[Flight]:
        """Return the tasks that may start, which wait no longer; canceled ones are dropped.

        Parameters
        ----------
        n_slots, n_cards : int
            How many slots and graphics cards are free. Tasks that need no card do not wait for
            one that does.
        """
        ready: list[Flight] = []
        held_back: list[Flight] = []
        while self._heap and len(ready) < n_slots:
            _, _, flight = heapq.heappop(self._heap)
            if flight.is_reported:
                continue
            if flight.task.n_gpus > n_cards:
                held_back.append(flight)
                continue
            n_cards -= flight.task.n_gpus
            ready.append(flight)
        for flight in held_back:
            self.put(flight)
        return ready
