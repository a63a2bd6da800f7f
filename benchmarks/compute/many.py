"""Many workers and many trials: whether they are kept busy, and whether memory stays flat."""

from __future__ import annotations

import gc
import multiprocessing
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import dask
import psutil
from distributed import Client, LocalCluster, Worker

from benchmarks.compute.latency import MILLISECOND, nap, running, spec
from nbautoml.compute import executor as executor_module
from nbautoml.compute.child import call_entry
from nbautoml.compute.executor import DaskExecutor
from nbautoml.compute.frames import Kind
from nbautoml.compute.local import DASK_SETTINGS
from nbautoml.compute.supervisor import Ending, Order
from nbautoml.compute.trial import TrialPlugin
from nbautoml.domain import events as ev
from nbautoml.domain.ports import Emit, TaskReport, TrialTask
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus, TrialOutcome
from nbautoml.runs.work import StoredArtifacts, StoredRequests, WorkContext
from nbautoml.store.events import EventWriter
from nbautoml.store.session import create_session
from nbautoml.testing.executor_contract import task
from nbautoml.workspace.config_file import address_for

N_SLOTS, N_MANY, N_LONG = 64, 2000, 10_000
N_PROCESSES = 4
"""Of the stand-ins: the threads of one process would wait for each other."""
SEED = 5
LOOKS = (500, 1000, 2000, 4000, 6000, 8000, 10_000)
"""After so many trials the memory is looked at."""


def scaling() -> dict[str, Any]:
    """Trials that sleep equally long, on one slot and on two."""
    n_tasks, seconds = 40, 0.25
    took = {}
    for n_workers in (1, 2):
        with running(n_workers) as (_, inbox):
            tasks = [task(nap, seconds) for _ in range(n_tasks)]
            started = time.monotonic()
            inbox.submit(*tasks)
            inbox.reports(tasks)
            took[n_workers] = time.monotonic() - started
    return {
        "one_slot_seconds": round(took[1], 2),
        "two_slots_seconds": round(took[2], 2),
        "factor": round(took[1] / took[2], 2),
    }


class ThreadPlugin(TrialPlugin):
    """Runs trials in the worker's own threads: only what is around them costs anything."""

    def _supervise(
        self, order: Order, worker: Worker, tell: Callable[..., None], own: object
    ) -> Ending:
        """Call the entry here."""
        del worker, tell, own
        started = time.monotonic()
        kind, value = call_entry(order.body, lambda _body: None)
        assert kind is Kind.DONE
        seconds = time.monotonic() - started
        return Ending(outcome=TrialOutcome.COMPLETED, seconds=seconds, value=value)


class ThreadCluster:
    """A Dask cluster in a process of its own, as clusters are, with as many threads as slots."""

    def __init__(self, n_slots: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, other = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(n_slots, other))
        self._process.start()
        self._address = self._pipe.recv()

    def connect(self) -> Any:
        """Return a new client."""
        with dask.config.set(DASK_SETTINGS):
            return Client(self._address, set_as_default=False)

    def close(self) -> None:
        """End the cluster."""
        self._pipe.send(None)
        self._process.join()


def _serve(n_slots: int, pipe: Connection) -> None:
    """Run a scheduler and worker processes until the other end of the pipe says something."""
    dask.config.set(DASK_SETTINGS)
    with LocalCluster(
        n_workers=N_PROCESSES,
        threads_per_worker=n_slots // N_PROCESSES,
        dashboard_address=None,
        memory_limit=0,
    ) as cluster:
        pipe.send(cluster.scheduler_address)
        pipe.recv()


def sixty_four() -> dict[str, Any]:
    """Trials of 10 ms to 1 s, evenly on a logarithmic scale, with the log and rows of a run."""
    rng = random.Random(SEED)
    return _play([10 ** rng.uniform(-2.0, 0.0) for _ in range(N_MANY)], N_SLOTS)


def sixty_four_even() -> dict[str, Any]:
    """Trials of 10 ms to 1 s, evenly: as many of each length."""
    rng = random.Random(SEED)
    return _play([rng.uniform(0.01, 1.0) for _ in range(N_MANY)], N_SLOTS)


def ten_thousand() -> dict[str, Any]:
    """Ten thousand short trials, one after another on 8 slots: memory and cost of each."""
    return _play([0.0] * N_LONG, 8)


def _play(seconds: list[float], n_slots: int) -> dict[str, Any]:
    before = executor_module.TrialPlugin
    executor_module.TrialPlugin = ThreadPlugin  # type: ignore[misc]
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _Run(Path(folder), n_slots).play(seconds)
    finally:
        executor_module.TrialPlugin = before  # type: ignore[misc]


class _Run:
    """A run's loop around an executor: events, child rows and no fits."""

    def __init__(self, folder: Path, n_slots: int) -> None:
        from nbautoml.automl.sink import ChildRunSink

        self._session = create_session(address_for("w", folder))
        record = RunRecord(
            id="run", experiment="e", type="t", status=RunStatus.RUNNING, created_at=time.time()
        )
        with self._session.write() as tx:
            tx.experiments.get_or_create("e")
            tx.runs.create(record)
        self._events = EventWriter(self._session, "run")
        context = WorkContext(
            session=self._session,
            run=record,
            events=self._events,
            control=StoredRequests(self._session, "run"),
            artifacts=StoredArtifacts(self._session, "run"),
            scratch=folder,
        )
        self._sink = ChildRunSink(context, "accuracy")
        self._executor = DaskExecutor(spec(n_slots), lambda _spec: ThreadCluster(n_slots))
        self._n_slots = n_slots
        self._handling = 0.0
        self._cpu = 0.0
        self._held: list[tuple[int, int]] = []
        self._naps: list[tuple[float, float]] = []

    def play(self, seconds: list[float]) -> dict[str, Any]:
        """Run trials of these lengths."""
        warm = [task(timed_nap, 0.0) for _ in range(4)]
        for one in warm:
            self._executor.submit(one)
        self._wait_for(len(warm))
        started, n_done, waiting, cpu = time.monotonic(), 0, list(enumerate(seconds)), _cpu()
        waiting.reverse()
        n_active, all_given = 0, started
        while n_done < len(seconds):
            while waiting and n_active < self._n_slots:
                self._timed(self._start, *waiting.pop())
                n_active, all_given = n_active + 1, time.monotonic()
            ended = [i for i in self._executor.poll(0.1) if isinstance(i, TaskReport)]
            if ended:
                self._timed(self._end, ended)
                n_done, n_active = n_done + len(ended), n_active - len(ended)
                self._look(n_done)
        took, cpu = time.monotonic() - started, _cpu() - cpu
        self._executor.close()
        self._events.close()
        self._session.close()
        return {
            "n_trials": len(seconds),
            "n_slots": self._n_slots,
            "seconds": round(took, 2),
            "busy": round(self._busy(started, all_given), 3),
            "busy_with_the_end": round(self._busy(started, started + took), 3),
            "handling_ms_a_trial": round(self._handling / len(seconds) / MILLISECOND, 2),
            "handling_cpu_ms_a_trial": round(self._cpu / len(seconds) / MILLISECOND, 2),
            "process_cpu_ms_a_trial": round(cpu / len(seconds) / MILLISECOND, 2),
            "memory_mb": [[n, round(held / 1e6)] for n, held in self._held],
        }

    def _wait_for(self, n_reports: int) -> None:
        while n_reports:
            n_reports -= sum(isinstance(i, TaskReport) for i in self._executor.poll(0.5))

    def _timed(self, action: Callable[..., None], *given: Any) -> None:
        wall, cpu = time.monotonic(), time.thread_time()
        action(*given)
        self._handling += time.monotonic() - wall
        self._cpu += time.thread_time() - cpu

    def _start(self, number: int, seconds: float) -> None:
        self._sink.emit(
            ev.TrialStarted(
                number=number, pipeline="MaxAbsScaler, Nap", family="Nap", params={}, n_folds=1
            )
        )
        entry = "benchmarks.compute.many:timed_nap"
        self._executor.submit(TrialTask(key=str(number), entry=entry, payload=seconds))

    def _end(self, reports: Sequence[TaskReport]) -> None:
        self._naps += [report.value for report in reports]
        self._sink.emit_all([_end_of(int(report.key)) for report in reports])

    def _busy(self, started: float, ended: float) -> float:
        """Return the share of the slots' time between two moments in which they slept."""
        naps = sum(max(0.0, min(e, ended) - max(s, started)) for s, e in self._naps)
        return naps / (self._n_slots * (ended - started))

    def _look(self, n_done: int) -> None:
        if len(self._held) < len(LOOKS) and n_done >= LOOKS[len(self._held)]:
            gc.collect()
            self._held.append((n_done, psutil.Process().memory_info().rss))


def timed_nap(seconds: float, emit: Emit) -> tuple[float, float]:
    """Sleep, and return from when to when, by the clock that processes of a machine share."""
    started = time.monotonic()
    nap(seconds, emit)
    return started, time.monotonic()


def _end_of(number: int) -> ev.TrialFinished:
    return ev.TrialFinished(
        number=number,
        key=str(number),
        outcome=TrialOutcome.COMPLETED,
        pipeline="MaxAbsScaler, Nap",
        family="Nap",
        params={},
        n_folds=1,
        folds_done=1,
        seconds=0.0,
        score=0.5,
        metrics={"accuracy": 0.5},
    )


def _cpu() -> float:
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)
