"""The executor: a queue of tasks in front of a Dask cluster, whichever cluster that is.

One thread owns all state and is fed through an inbox: by the caller (submit, cancel, close),
by events from the workers, and by futures that ended. What the caller is to see waits in an
outbox until it polls. The executor hands Dask only as many tasks as there are slots; the rest
stays here, so that priorities hold and a cancel is cheap.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import pickle
import queue
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeAlias  # Any: bodies and values belong to the entry

from distributed import KilledWorker

from nbautoml.compute.gpus import RESOURCE
from nbautoml.compute.pool import PoolSettings
from nbautoml.compute.spec import ExecutorSpec
from nbautoml.compute.supervisor import Ending, Order
from nbautoml.compute.trial import FREE_METRIC, MEMORY_METRIC, TrialPlugin, run_task
from nbautoml.domain.ports import TaskMessage, TaskReport, TrialTask, WorkerState
from nbautoml.domain.status import TrialOutcome
from nbautoml.errors import ComputeError, ConfigError

CANCEL_SECONDS = 3.0
"""How long a worker may take to say that a canceled task is dead, before that is assumed."""

STATE_SECONDS = 1.0
"""How long what was learned of the workers is good for."""

_log = logging.getLogger(__name__)


DaskClient: TypeAlias = Any
"""A `distributed.Client`; that class is typed in part, so that calls to it cannot be checked."""

DaskFuture: TypeAlias = Any
"""A `distributed.Future`; likewise."""


class Cluster(Protocol):
    """Workers that an executor drives, and that it closes."""

    def connect(self) -> DaskClient:
        """Return a new client."""

    def close(self) -> None:
        """End the workers and remove what they left on disk."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Flight:
    """A task that was submitted and is not forgotten yet."""

    task: TrialTask
    number: int
    body: bytes
    future: DaskFuture | None = None
    sent_at: float = 0.0
    attempt: str = ""
    n_attempts: int = 0
    canceled_at: float | None = None
    is_reported: bool = False


class DaskExecutor:
    """Runs tasks on a Dask cluster that it owns (a `nbautoml.domain.ports.Executor`).

    All methods are called from one thread. The cluster starts in the background: tasks may be
    submitted at once.

    Parameters
    ----------
    spec : ExecutorSpec
        Workers, threads and memory.
    start_cluster : callable
        Starts the cluster that the spec describes; called in another thread.
    """

    def __init__(
        self, spec: ExecutorSpec, start_cluster: Callable[[ExecutorSpec], Cluster]
    ) -> None:
        self._spec = spec
        self._keys: set[str] = set()
        self._outbox: queue.SimpleQueue[TaskMessage | TaskReport | ComputeError] = (
            queue.SimpleQueue()
        )
        self._failure: ComputeError | None = None
        self._state = WorkerState(n_workers=0, n_busy=0, memory_bytes=0)
        self._state_at = -STATE_SECONDS
        self._dispatcher = _Dispatcher(spec, start_cluster, self._outbox)

    @property
    def n_slots(self) -> int:
        """How many tasks can run at once."""
        return self._spec.n_workers

    @property
    def threads_per_slot(self) -> int:
        """How many threads a task may use."""
        return self._spec.threads_per_worker

    def submit(self, task: TrialTask) -> None:
        """Queue a task; returns at once.

        Raises
        ------
        ConfigError
            When the key was used before, the payload cannot be pickled, or the task needs a
            graphics card and there is none.
        ComputeError
            When the executor has been closed.
        """
        if self._dispatcher.is_closing:
            raise ComputeError(f"Task {task.key!r} came after the executor was closed.")
        if task.n_gpus > self._spec.n_gpus:
            raise ConfigError(
                f"Task {task.key!r} needs {task.n_gpus} of the workers' graphics cards, and they "
                f"have {self._spec.n_gpus}. Use a compute target with more."
            )
        if task.key in self._keys:
            raise ConfigError(f"Each task needs a key of its own; {task.key!r} was used before.")
        try:
            body = pickle.dumps((task.entry, pickle.dumps(task.payload)))
        except (pickle.PicklingError, TypeError, AttributeError) as exc:
            raise ConfigError(
                f"The payload of task {task.key!r} must be picklable: {exc}."
            ) from exc
        self._keys.add(task.key)
        self._dispatcher.post(self._dispatcher.take, task, body)

    def poll(self, timeout_seconds: float) -> Sequence[TaskMessage | TaskReport]:
        """Return what has come in, waiting up to the time-out for the first of it.

        Messages of a task come before its report. A task that is run again because its worker
        was lost sends its messages again.

        Raises
        ------
        ComputeError
            When the cluster could not start, or the connection to it was lost. Tasks without
            a report have to be given to another executor.
        """
        found: list[TaskMessage | TaskReport] = []
        try:
            if self._failure is None:
                found += self._take(timeout_seconds)
                while self._failure is None:
                    found += self._take(0.0)
        except queue.Empty:
            pass
        if self._failure is not None and not found:
            raise self._failure
        return found

    def cancel(self, key: str) -> None:
        """Kill a task, or take it off the queue; it is reported as ``CANCELED``.

        A task that ended just before keeps the outcome that it had.
        """
        self._dispatcher.post(self._dispatcher.cancel, key)

    def workers(self) -> WorkerState:
        """Return how many workers there are, and how busy they are; at most 1 s old."""
        now = time.monotonic()
        if now - self._state_at >= STATE_SECONDS:
            self._state, self._state_at = self._dispatcher.describe_workers(), now
        return replace(self._state, n_busy=min(self.n_slots, self._dispatcher.n_sent))

    def close(self) -> None:
        """Kill what runs, and give back all processes and memory; a second call does nothing."""
        self._dispatcher.close()

    def _take(self, timeout_seconds: float) -> list[TaskMessage | TaskReport]:
        item = (
            self._outbox.get(timeout=timeout_seconds)
            if timeout_seconds > 0
            else (self._outbox.get_nowait())
        )
        if isinstance(item, ComputeError):
            self._failure = item
            return []
        return [item]


class _Dispatcher:
    """Owns the client and all flights, in a thread of its own."""

    def __init__(
        self,
        spec: ExecutorSpec,
        start_cluster: Callable[[ExecutorSpec], Cluster],
        outbox: queue.SimpleQueue[TaskMessage | TaskReport | ComputeError],
    ) -> None:
        self._spec = spec
        self._outbox = outbox
        self._topic = f"nbautoml-{uuid.uuid4().hex}"
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._flights: dict[int, _Flight] = {}
        self._numbers: dict[str, int] = {}
        self._queue: list[tuple[int, int]] = []
        self._counter = itertools.count()
        self._client: DaskClient | None = None
        self._connected: DaskClient | None = None
        self._cluster: Cluster | None = None
        self._start_cluster = start_cluster
        self.n_sent = 0
        self.is_closing = False
        self._starter = threading.Thread(target=self._start, name="cluster start", daemon=True)
        self._thread = threading.Thread(target=self._work, name="dispatcher", daemon=True)
        self._starter.start()
        self._thread.start()

    # Called from the caller's thread.

    def post(self, action: Callable[..., None], *args: object) -> None:
        self._inbox.put(partial(action, *args))

    def describe_workers(self) -> WorkerState:
        client, own = self._client, self._spec.memory_limit_bytes
        nobody = WorkerState(n_workers=0, n_busy=0, memory_bytes=0, free_bytes=own)
        if client is None or self.is_closing:
            return nobody
        try:
            workers = client.scheduler_info(n_workers=-1)["workers"].values()
        except OSError:  # the next poll says that the connection was lost
            return nobody
        held = sum(
            int(w["metrics"].get("memory", 0)) + int(w["metrics"].get(MEMORY_METRIC, 0))
            for w in workers
        )
        free = [int(w["metrics"][FREE_METRIC]) for w in workers if FREE_METRIC in w["metrics"]]
        return WorkerState(
            n_workers=min(self._spec.n_workers, sum(int(w["nthreads"]) for w in workers)),
            n_busy=0,
            memory_bytes=held,
            free_bytes=min(free if own is None else [*free, own], default=None),
        )

    def close(self) -> None:
        if not self.is_closing:
            self.is_closing = True
            self._inbox.put(None)
        self._thread.join()

    # Everything below runs in the dispatcher's thread, but for `_start` and the two callbacks.

    def take(self, task: TrialTask, body: bytes) -> None:
        number = next(self._counter)
        self._numbers[task.key] = number
        self._flights[number] = _Flight(task=task, number=number, body=body)
        heapq.heappush(self._queue, (task.priority, number))

    def cancel(self, key: str) -> None:
        flight = self._flights.get(self._numbers.get(key, -1))
        if flight is None or flight.is_reported or flight.canceled_at is not None:
            return
        flight.canceled_at = time.monotonic()
        if flight.future is None:
            self._report(flight, TrialOutcome.CANCELED, "It was canceled before it started.")
            self._forget(flight)
            return
        flight.future.cancel()
        if flight.n_attempts == 0:
            # It may never have started, so that no worker would tell of its end.
            self._report(flight, TrialOutcome.CANCELED, "It was canceled before it started.")
            self._forget(flight)

    def _start(self) -> None:
        try:
            self._cluster = self._start_cluster(self._spec)
            client = self._connected = self._cluster.connect()
            client.subscribe_topic(self._topic, self._on_event)
            settings = PoolSettings(
                n_threads=self._spec.threads_per_worker,
                preload=self._spec.preload,
                import_path=tuple(p for p in sys.path if p),
            )
            client.register_plugin(TrialPlugin(settings))
        except Exception as exc:  # noqa: BLE001 - passed on to the next poll
            self.post(self._fail, f"The workers could not be started: {exc}", exc)
        else:
            self.post(self._use, client)

    def _on_event(self, event: tuple[float, dict[str, Any]]) -> None:
        self.post(self._hear, event[1])

    def _on_done(self, number: int, future: DaskFuture) -> None:
        result: bytes | BaseException | None = None
        if future.status == "finished":
            flight = self._flights.get(number)
            if flight is not None and not flight.is_reported:
                try:
                    result = future.result()
                except Exception as exc:  # noqa: BLE001 - passed on to `_settle`
                    result = exc
        elif future.status == "error":
            result = future.exception()
        self.post(self._settle, number, future.status, result)

    def _use(self, client: DaskClient) -> None:
        self._client = client

    def _work(self) -> None:
        try:
            while (action := self._next_action()) is not None:
                action()
                self._send_more()
        except Exception as exc:  # noqa: BLE001 - passed on to the next poll
            self._fail(f"The executor stopped: {exc}", exc)
            self._inbox_until_close()
        finally:
            self._end()

    def _next_action(self) -> Callable[[], None] | None:
        """Wait for something to do; canceled tasks that a worker keeps silent about are due."""
        waiting = [f.canceled_at for f in self._flights.values() if f.canceled_at is not None]
        if not waiting:
            return self._inbox.get()
        due = min(waiting) + CANCEL_SECONDS
        try:
            return self._inbox.get(timeout=max(0.001, due - time.monotonic()))
        except queue.Empty:
            return self._give_up_waiting

    def _give_up_waiting(self) -> None:
        now = time.monotonic()
        for flight in list(self._flights.values()):
            if flight.canceled_at is not None and now - flight.canceled_at >= CANCEL_SECONDS:
                self._report(flight, TrialOutcome.CANCELED, "It was canceled.")
                self._forget(flight)

    def _inbox_until_close(self) -> None:
        while self._inbox.get() is not None:
            pass

    def _send_more(self) -> None:
        if self._client is None:
            return
        held_back = []
        while self._queue and self.n_sent < self._spec.n_workers:
            place = heapq.heappop(self._queue)
            flight = self._flights.get(place[1])
            if flight is not None and not self._has_card_for(flight.task):
                held_back.append(place)  # others need not wait for a card
            elif flight is not None:
                self._send(self._client, flight)
        for place in held_back:
            heapq.heappush(self._queue, place)

    def _has_card_for(self, task: TrialTask) -> bool:
        """Whether a task that needs graphics cards would find them, or needs none."""
        if not task.n_gpus:
            return True
        taken = sum(f.task.n_gpus for f in self._flights.values() if f.future is not None)
        return taken + task.n_gpus <= self._spec.n_gpus

    def _send(self, client: DaskClient, flight: _Flight) -> None:
        task, own = flight.task, self._spec.memory_limit_bytes
        limits = [b for b in (task.memory_limit_bytes, own) if b is not None]
        order = Order(
            body=flight.body,
            topic=self._topic,
            number=flight.number,
            time_limit_seconds=task.time_limit_seconds,
            memory_limit_bytes=min(limits, default=None),
            n_gpus=task.n_gpus,
        )
        flight.sent_at = time.monotonic()
        self.n_sent += 1
        flight.future = client.submit(
            run_task,
            order,
            key=f"{self._topic}-{flight.number}",
            pure=False,
            resources={RESOURCE: task.n_gpus} if task.n_gpus else None,
        )
        flight.future.add_done_callback(partial(self._on_done, flight.number))

    def _hear(self, news: dict[str, Any]) -> None:
        """Take in an event from a worker; older attempts at a task no longer count."""
        flight = self._flights.get(news["number"])
        if flight is None:
            return
        if flight.is_reported:
            if "started" in news and flight.future is not None:
                # Its worker died after the report, so that Dask runs it once more.
                flight.future.cancel()
                self._forget(flight)
        elif "started" in news:
            flight.attempt = news["attempt"]
            flight.n_attempts += 1
        elif flight.attempt != news["attempt"]:
            _log.debug("An attempt at %s that was given up still speaks.", flight.task.key)
        elif "messages" in news:
            for body in news["messages"]:
                self._outbox.put(TaskMessage(key=flight.task.key, body=pickle.loads(body)))
        else:
            self._report_ending(flight, news["ending"])

    def _settle(self, number: int, status: str, result: bytes | BaseException | None) -> None:
        """A future ended: its slot is free."""
        flight = self._flights.get(number)
        if flight is None:
            return
        if status == "cancelled":
            if flight.canceled_at is None:
                self._fail("The connection to the Dask scheduler was lost.", None)
            elif flight.is_reported:
                self._forget(flight)
            return  # else its worker has still to say that it is dead
        if not flight.is_reported:
            if isinstance(result, bytes):
                self._report_ending(flight, result)
            elif isinstance(result, KilledWorker):
                error = f"Its worker was lost {result.allowed_failures + 1} times."
                self._report(flight, TrialOutcome.WORKER_LOST, error)
            else:
                error = f"Its worker could not run it: {result}"
                self._report(flight, TrialOutcome.FAILED, error)
        self._forget(flight)

    def _report_ending(self, flight: _Flight, data: bytes) -> None:
        ending: Ending = pickle.loads(data)
        value, outcome, error = None, ending.outcome, ending.error
        if outcome is TrialOutcome.COMPLETED:
            try:
                value = pickle.loads(ending.value)
            except Exception as exc:  # noqa: BLE001 - unpickling runs code of the value's own
                outcome, error = TrialOutcome.FAILED, f"Its value cannot be unpickled: {exc}"
        self._outbox.put(
            TaskReport(
                key=flight.task.key,
                outcome=outcome,
                seconds=ending.seconds,
                value=value,
                error=error,
                traceback=ending.traceback,
                peak_memory_bytes=ending.peak_memory_bytes,
                attempts=max(1, flight.n_attempts),
                worker=ending.worker,
                output=ending.output,
            )
        )
        flight.is_reported = True
        if flight.canceled_at is not None:  # its future has ended before
            self._forget(flight)

    def _report(self, flight: _Flight, outcome: TrialOutcome, error: str) -> None:
        """Report a task that no worker will tell about."""
        if flight.is_reported:
            return
        seconds = time.monotonic() - flight.sent_at if flight.n_attempts else 0.0
        report = TaskReport(
            key=flight.task.key,
            outcome=outcome,
            seconds=seconds,
            error=error,
            attempts=max(1, flight.n_attempts),
        )
        self._outbox.put(report)
        flight.is_reported = True

    def _forget(self, flight: _Flight) -> None:
        if self._flights.pop(flight.number, None) is not None and flight.future is not None:
            self.n_sent -= 1
            flight.future = None  # Dask drops the result
        self._numbers.pop(flight.task.key, None)

    def _fail(self, message: str, cause: BaseException | None) -> None:
        error = ComputeError(message)
        error.__cause__ = cause
        self._outbox.put(error)

    def _end(self) -> None:
        self._starter.join()
        client = self._connected
        if client is not None:
            futures = [f.future for f in self._flights.values() if f.future is not None]
            client.cancel(futures)
            self._flights.clear()
            client.close()
        if self._cluster is not None:
            self._cluster.close()
