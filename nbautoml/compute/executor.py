"""The executor: a queue of tasks in front of a Dask cluster, whichever cluster that is.

One thread owns all state and is fed through an inbox: by the caller (submit, cancel, close),
by events from the workers, and by futures that ended. What the caller is to see waits in an
outbox until it polls. The executor hands Dask only as many tasks as there are slots; the rest
stays here, so that priorities hold and a cancel is cheap.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import pickle
import queue
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any  # Any: bodies and values belong to the entry

from distributed import KilledWorker

from nbautoml.compute.connection import Cluster, Connection, DaskClient, describe, look_at_workers
from nbautoml.compute.flights import DaskFuture, Flight, WaitingFlights
from nbautoml.compute.gpus import RESOURCE
from nbautoml.compute.pool import PoolSettings
from nbautoml.compute.shelf import Desk, Shelf
from nbautoml.compute.spec import ExecutorSpec
from nbautoml.compute.task_folders import TaskFolders
from nbautoml.compute.trial import TrialPlugin, run_task
from nbautoml.domain.ports import TaskMessage, TaskReport, TrialTask, WorkerState
from nbautoml.domain.status import TrialOutcome
from nbautoml.errors import ComputeError, ConfigError

CANCEL_SECONDS = 3.0
"""How long a worker may take to say that a canceled task is dead, before that is assumed."""

STATE_SECONDS = 1.0
"""How long what was learned of the workers is good for."""

MOST_LOSSES = 5
"""A task that was running each time when the way to the workers was lost is given up after so many:
it may be what kills the scheduler."""

MOST_AT_ONCE = 256
"""So much of what has come in is taken in before tasks are handed over."""

_log = logging.getLogger(__name__)


class DaskExecutor:
    """Runs tasks on a Dask cluster that it owns (a `nbautoml.domain.ports.Executor`).

    All methods are called from one thread. The cluster starts in the background: tasks may be
    submitted at once. When it is lost, or the way to it, tasks without a report are taken back and
    run again once it is there.

    Parameters
    ----------
    spec : ExecutorSpec
        Workers, threads, memory and patience.
    start_cluster : callable
        Starts the cluster that the spec describes; called in another thread, and again when the
        cluster was lost.
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
        self._shelf = Shelf()
        self._dispatcher = _Dispatcher(spec, start_cluster, self._shelf, self._outbox)

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
        folders = None if task.reads is None else self._shelf.place(task.reads, task.writes)
        self._dispatcher.post(self._dispatcher.take, task, body, folders)

    def poll(self, timeout_seconds: float) -> Sequence[TaskMessage | TaskReport]:
        """Return what has come in, waiting up to the time-out for the first of it.

        Messages of a task come before its report. A task that is run again because its worker
        was lost sends its messages again.

        Raises
        ------
        ComputeError
            When the cluster could not start, was lost and did not come back, or had no worker
            for as long as the spec is patient. Tasks without a report have to be given to another
            executor.
        """
        found: list[TaskMessage | TaskReport] = []
        try:
            if self._failure is None:
                found += self._take(timeout_seconds)
                while self._failure is None:
                    found += self._take(0.0)
        except queue.Empty:
            if not found:
                self._look_for_workers()
        if self._failure is not None and not found:
            raise self._failure
        return found

    def _look_for_workers(self) -> None:
        """Give up when tasks wait and there has been no worker for too long."""
        if self._dispatcher.n_sent and self.workers().n_workers == 0:
            alone = time.monotonic() - self._dispatcher.staffed_at
            if alone > self._spec.patience_seconds:
                self._failure = ComputeError(
                    f"There has been no worker for {alone:.0f} s, and tasks wait. Start workers, "
                    "or use another compute target; then continue the run."
                )

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
        shelf: Shelf,
        outbox: queue.SimpleQueue[TaskMessage | TaskReport | ComputeError],
    ) -> None:
        self._spec = spec
        self._desk = Desk(shelf)
        self._outbox = outbox
        self._topic = f"nbautoml-{uuid.uuid4().hex}"
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._flights: dict[int, Flight] = {}
        self._numbers: dict[str, int] = {}
        self._waiting = WaitingFlights()
        self._counter = itertools.count()
        self._client: DaskClient | None = None
        self._fetcher = ThreadPoolExecutor(1, thread_name_prefix="fetcher")
        self._connection = Connection(
            spec,
            start_cluster,
            prepare=self._prepare,
            on_open=lambda client: self.post(self._use, client),
            on_failure=lambda text, error: self.post(self._fail, text, error),
        )
        self.n_sent = 0
        self.staffed_at = time.monotonic()
        self.is_closing = False
        self._thread = threading.Thread(target=self._work, name="dispatcher", daemon=True)
        self._connection.open()
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
            workers = look_at_workers(client)
        except (OSError, RuntimeError):  # the connection was lost; it is opened again
            return nobody
        if workers:
            self.staffed_at = time.monotonic()
        return describe(workers, self._spec)

    def close(self) -> None:
        if not self.is_closing:
            self.is_closing = True
            self._inbox.put(None)
        self._thread.join()

    # Everything below runs in the dispatcher's thread, but for `_prepare`, `_fetch` and the two
    # callbacks.

    def take(self, task: TrialTask, body: bytes, folders: TaskFolders | None) -> None:
        number = next(self._counter)
        self._numbers[task.key] = number
        flight = Flight(task=task, number=number, body=body, folders=folders)
        self._flights[number] = flight
        self._waiting.put(flight)

    def cancel(self, key: str) -> None:
        flight = self._flights.get(self._numbers.get(key, -1))
        if flight is None or flight.is_reported or flight.canceled_at is not None:
            return
        flight.canceled_at = time.monotonic()
        if flight.future is None:
            self._report(flight, TrialOutcome.CANCELED, "It was canceled before it started.")
            self._forget(flight)
            return
        _drop(flight.future)
        if flight.n_attempts == 0:
            # It may never have started, so that no worker would tell of its end.
            self._report(flight, TrialOutcome.CANCELED, "It was canceled before it started.")
            self._forget(flight)

    def _prepare(self, client: DaskClient) -> None:
        """Make a new client's workers ready; called in the connection's thread."""
        client.subscribe_topic(self._topic, self._on_event)
        settings = PoolSettings(
            n_threads=self._spec.threads_per_worker,
            preload=self._spec.preload,
            import_path=tuple(p for p in sys.path if p),
            data_limit_bytes=self._spec.data_limit_bytes,
        )
        client.register_plugin(TrialPlugin(settings))

    def _on_event(self, event: tuple[float, Sequence[dict[str, Any]]]) -> None:
        self.post(self._hear_all, event[1])

    def _on_done(self, number: int, future: DaskFuture) -> None:
        self.post(self._settle, number, future)

    def _fetch(self, number: int, future: DaskFuture) -> None:
        """Fetch what a task returned or raised; called in the fetcher's thread."""
        try:
            result = future.exception() if future.status == "error" else future.result()
        except Exception as exc:  # noqa: BLE001 - passed on to `_settle`
            result = exc
        self.post(self._settle, number, future, result)

    def _use(self, client: DaskClient) -> None:
        self._client = client
        self.staffed_at = time.monotonic()

    def _work(self) -> None:
        try:
            while self._do_what_is_due():
                self._send_more()
        except Exception as exc:  # noqa: BLE001 - passed on to the next poll
            self._fail(f"The executor stopped: {exc}", exc)
            self._inbox_until_close()
        finally:
            self._end()

    def _do_what_is_due(self) -> bool:
        """Wait for something to do, and do what has come in by then; False at the end.

        With many slots, several become free at about the same time: what is handed over
        together costs Dask little more than one task.
        """
        for n_done in range(MOST_AT_ONCE):
            if n_done and self._inbox.empty():
                break
            action = self._next_action()
            if action is None:
                return False
            action()
        return True

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
        if self._waiting and not self._connection.is_open(self._client):
            self._lose()
            return
        flying = [flight for flight in self._flights.values() if flight.future is not None]
        ready = self._waiting.take(
            n_slots=self._spec.n_workers - self.n_sent,
            n_cards=self._spec.n_gpus - sum(flight.task.n_gpus for flight in flying),
        )
        try:
            for n_gpus, flights in itertools.groupby(ready, key=lambda f: f.task.n_gpus):
                self._send(self._client, list(flights), n_gpus)
        except Exception:
            if self._connection.is_open(self._client):
                raise
            for flight in ready:  # it broke at that moment
                if flight.future is None:
                    self._waiting.put(flight)

    def _send(self, client: DaskClient, flights: Sequence[Flight], n_gpus: int) -> None:
        """Hand tasks over that each need so many cards."""
        futures = client.map(
            run_task,
            [flight.order(self._topic, self._spec.memory_limit_bytes) for flight in flights],
            # Another key each time: Dask would go on with a task that it has been told to end.
            key=[f"{self._topic}-{flight.number}-{flight.n_losses}" for flight in flights],
            pure=False,
            resources={RESOURCE: n_gpus} if n_gpus else None,
        )
        for flight, future in zip(flights, futures, strict=True):
            flight.sent_at, flight.future = time.monotonic(), future
            self.n_sent += 1
            future.add_done_callback(partial(self._on_done, flight.number))

    def _hear_all(self, pieces: Sequence[dict[str, Any]]) -> None:
        for news in pieces:
            self._hear(news)

    def _hear(self, news: dict[str, Any]) -> None:
        """Take in an event from a worker; older attempts at a task no longer count."""
        flight = self._flights.get(news["number"])
        if flight is None:
            return
        if flight.is_reported:
            if "started" in news and flight.future is not None:
                # Its worker died after the report, so that Dask runs it once more.
                _drop(flight.future)
                self._forget(flight)
        elif "started" in news:
            flight.attempt = news["attempt"]
            flight.n_attempts += 1
        elif flight.attempt != news["attempt"]:
            _log.debug("An attempt at %s that was given up still speaks.", flight.task.key)
        elif "ask" in news:
            if self._client is not None:
                self._desk.serve(self._client, news["ask"])
        elif "messages" in news:
            for body in news["messages"]:
                self._outbox.put(TaskMessage(key=flight.task.key, body=pickle.loads(body)))
        else:
            self._report_ending(flight, news["ending"])

    def _settle(
        self, number: int, future: DaskFuture, result: bytes | BaseException | None = None
    ) -> None:
        """A future ended: its slot is free, once it is known how its task ended.

        Nearly all endings have come as events by now; only of the others the result is fetched.
        """
        flight, status = self._flights.get(number), future.status
        if flight is None or flight.future is not future:
            return
        if status == "cancelled":
            if flight.canceled_at is None:
                self._lose()
            elif flight.is_reported:
                self._forget(flight)
            return  # else its worker has still to say that it is dead
        if not flight.is_reported:
            if result is None:
                self._fetcher.submit(self._fetch, number, future)
                return
            self._report_result(flight, result)
        self._forget(flight)

    def _report_result(self, flight: Flight, result: bytes | BaseException) -> None:
        if isinstance(result, bytes):
            self._report_ending(flight, result)
        elif isinstance(result, KilledWorker):
            error = f"Its worker was lost {result.allowed_failures + 1} times."
            self._report(flight, TrialOutcome.WORKER_LOST, error)
        else:
            error = f"Its worker could not run it: {result}"
            self._report(flight, TrialOutcome.FAILED, error)

    def _lose(self) -> None:
        """The workers cannot be reached: take all tasks back, and open the connection again."""
        _log.warning("The connection to the Dask scheduler was lost; it is opened again.")
        self._client, self.n_sent = None, 0
        for flight in list(self._flights.values()):
            if flight.future is None:
                continue
            flight.future, flight.attempt = None, ""
            flight.n_losses += 1
            if flight.canceled_at is not None:
                self._report(flight, TrialOutcome.CANCELED, "It was canceled.")
            elif flight.n_losses > MOST_LOSSES:
                error = f"The cluster was lost {MOST_LOSSES + 1} times while it ran."
                self._report(flight, TrialOutcome.WORKER_LOST, error)
            if flight.is_reported:
                self._forget(flight)
            else:
                self._waiting.put(flight)
        self._connection.reopen()

    def _report_ending(self, flight: Flight, data: bytes) -> None:
        self._outbox.put(flight.report(pickle.loads(data)))
        flight.is_reported = True
        if flight.canceled_at is not None:  # its future has ended before
            self._forget(flight)

    def _report(self, flight: Flight, outcome: TrialOutcome, error: str) -> None:
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

    def _forget(self, flight: Flight) -> None:
        if self._flights.pop(flight.number, None) is not None and flight.future is not None:
            self.n_sent -= 1
            flight.future = None  # Dask drops the result
        self._numbers.pop(flight.task.key, None)

    def _fail(self, message: str, cause: BaseException | None) -> None:
        error = ComputeError(message)
        error.__cause__ = cause
        self._outbox.put(error)

    def _end(self) -> None:
        self._desk.close()
        self._fetcher.shutdown(wait=False, cancel_futures=True)
        futures = [f.future for f in self._flights.values() if f.future is not None]
        if self._client is not None and futures:
            _drop_all(self._client, futures)
        self._flights.clear()
        self._connection.close()


def _drop(future: DaskFuture) -> None:
    """Tell Dask that nobody wants a future; where that cannot be reached, its task ends by that."""
    with contextlib.suppress(Exception):  # whatever a broken connection raises
        future.cancel()


def _drop_all(client: DaskClient, futures: Sequence[DaskFuture]) -> None:
    """Tell Dask that nobody wants these futures."""
    with contextlib.suppress(Exception):
        client.cancel(list(futures))
