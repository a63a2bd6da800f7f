"""An executor without workers: for runs that have no time to start any, tests and scripts."""

from __future__ import annotations

import importlib
import queue
import threading
import time
import traceback
from collections import deque
from collections.abc import Sequence

from nbautoml.domain.ports import TaskMessage, TaskReport, TrialTask, WorkerState
from nbautoml.domain.status import TrialOutcome


class InProcessExecutor:
    """Runs tasks in threads of this process (a `nbautoml.domain.ports.Executor`).

    Nothing can kill a thread: a task that hangs past its limit, or is cancelled, is reported
    as ended and left to itself, and its slot goes to another thread. Limits of memory are not
    watched.

    Parameters
    ----------
    n_slots : int, default 2
        Tasks at a time.
    threads_per_slot : int, default 1
        Threads that a task may use.
    """

    def __init__(self, n_slots: int = 2, threads_per_slot: int = 1) -> None:
        self.n_slots = n_slots
        self.threads_per_slot = threads_per_slot
        self._waiting: list[TrialTask] = []
        self._running: dict[str, tuple[TrialTask, float]] = {}
        self._inbox: queue.Queue[TaskMessage | TaskReport] = queue.Queue()
        self._ready: deque[TaskReport] = deque()

    def submit(self, task: TrialTask) -> None:
        """Queue a task; returns at once."""
        self._waiting.append(task)
        self._waiting.sort(key=lambda t: t.priority)
        self._start_waiting()

    def poll(self, timeout_seconds: float) -> Sequence[TaskMessage | TaskReport]:
        """Return what has come in, waiting up to the time-out for the first of it."""
        until = time.monotonic() + timeout_seconds
        while True:
            self._end_overdue()
            found = [item for item in self._drain() if self._is_awaited(item)]
            if found or time.monotonic() >= until:
                self._start_waiting()
                return found
            try:
                wait = min(max(until - time.monotonic(), 0.0), self._until_overdue())
                self._inbox.put(self._inbox.get(timeout=max(wait, 0.001)))
            except queue.Empty:
                continue

    def cancel(self, key: str) -> None:
        """Leave a task to itself, or take it off the queue; it is reported as ``CANCELED``."""
        is_waiting = any(task.key == key for task in self._waiting)
        if is_waiting or key in self._running:
            self._waiting = [task for task in self._waiting if task.key != key]
            self._end(key, TrialOutcome.CANCELED, "Canceled.")

    def workers(self) -> WorkerState:
        """Return how many slots there are, and how many are busy."""
        return WorkerState(n_workers=self.n_slots, n_busy=len(self._running), memory_bytes=0)

    def close(self) -> None:
        """Forget all tasks."""
        self._waiting.clear()
        self._running.clear()

    def _start_waiting(self) -> None:
        while self._waiting and len(self._running) < self.n_slots:
            task = self._waiting.pop(0)
            self._running[task.key] = (task, time.monotonic())
            threading.Thread(target=self._work, args=(task,), daemon=True).start()

    def _work(self, task: TrialTask) -> None:
        started = time.monotonic()
        module, _, name = task.entry.partition(":")
        try:
            entry = getattr(importlib.import_module(module), name)
            value = entry(
                task.payload, lambda body: self._inbox.put(TaskMessage(key=task.key, body=body))
            )
        except Exception as error:  # noqa: BLE001 - the border at which a task's failure is kept
            report = TaskReport(
                key=task.key,
                outcome=TrialOutcome.FAILED,
                seconds=time.monotonic() - started,
                error=f"{type(error).__name__}: {error}",
                traceback=traceback.format_exc(),
            )
        else:
            seconds = time.monotonic() - started
            report = TaskReport(
                key=task.key, outcome=TrialOutcome.COMPLETED, seconds=seconds, value=value
            )
        self._inbox.put(report)

    def _drain(self) -> list[TaskMessage | TaskReport]:
        found: list[TaskMessage | TaskReport] = []
        while not self._inbox.empty():
            found.append(self._inbox.get_nowait())
        while self._ready:
            found.append(self._ready.popleft())
        return found

    def _is_awaited(self, item: TaskMessage | TaskReport) -> bool:
        """Whether an item belongs to a task that still runs; its report ends the task."""
        if isinstance(item, TaskMessage):
            return item.key in self._running
        if item.outcome in (TrialOutcome.CANCELED, TrialOutcome.TIME_LIMIT):
            return True
        return self._running.pop(item.key, None) is not None

    def _end_overdue(self) -> None:
        for key, (task, started) in list(self._running.items()):
            limit = task.time_limit_seconds
            if limit is not None and time.monotonic() - started > limit:
                self._end(key, TrialOutcome.TIME_LIMIT, f"Stopped after {limit:.1f} s.")

    def _until_overdue(self) -> float:
        now = time.monotonic()
        limits = [
            started + task.time_limit_seconds - now
            for task, started in self._running.values()
            if task.time_limit_seconds is not None
        ]
        return max(min(limits, default=60.0), 0.0)

    def _end(self, key: str, outcome: TrialOutcome, error: str) -> None:
        _, started = self._running.pop(key, (None, time.monotonic()))
        seconds = time.monotonic() - started
        self._ready.append(TaskReport(key=key, outcome=outcome, seconds=seconds, error=error))
