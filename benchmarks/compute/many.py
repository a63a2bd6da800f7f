"""Many workers and many trials: whether they are kept busy, and whether memory stays flat."""

from __future__ import annotations

import gc
import multiprocessing
import pickle
import random
import tempfile
import time
import uuid
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil
from dask.typing import Key
from distributed import Client, LocalCluster, Worker

from benchmarks.compute.latency import MILLISECOND, nap, running, spec
from nbautoml.compute import executor as executor_module
from nbautoml.compute.child import call_entry
from nbautoml.compute.executor import DaskExecutor
from nbautoml.compute.frames import Kind
from nbautoml.compute.supervisor import Ending, Order
from nbautoml.compute.trial import TrialPlugin
from nbautoml.domain import events as ev
from nbautoml.domain.ports import TaskMessage, TaskReport, TrialTask
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

    def setup(self, worker: Worker) -> None:
        """Start nothing."""

    def teardown(self, worker: Worker) -> None:
        """End nothing."""

    def transition(self, key: Key, start: str, finish: str, *_: Any, **__: Any) -> None:
        """Stop nothing."""

    def run(self, order: Order, worker: Worker, key: Key) -> bytes:
        """Call the entry here."""
        attempt = uuid.uuid4().hex
        about = {"number": order.number, "attempt": attempt}
        worker.log_event(order.topic, {**about, "started": True})
        started = time.monotonic()
        kind, value = call_entry(order.body, lambda _body: None)
        assert kind is Kind.DONE
        seconds = time.monotonic() - started
        ending = pickle.dumps(Ending(outcome=TrialOutcome.COMPLETED, seconds=seconds, value=value))
        worker.log_event(order.topic, {**about, "ending": ending})
        return ending


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
        return Client(self._address, set_as_default=False)

    def close(self) -> None:
        """End the cluster."""
        self._pipe.send(None)
        self._process.join()


def _serve(n_slots: int, pipe: Connection) -> None:
    """Run a scheduler and worker processes until the other end of the pipe says something."""
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
    seconds = [10 ** rng.uniform(-2.0, 0.0) for _ in range(N_MANY)]
    found = _play(seconds, N_SLOTS)
    # The end of the line, where too few trials are left for all slots, is not counted.
    found["busy"] = round(sum(seconds) / (N_SLOTS * found["seconds"]), 3)
    return found


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

    def play(self, seconds: list[float]) -> dict[str, Any]:
        """Run trials of these lengths."""
        warm = [task(nap, 0.0) for _ in range(4)]
        for one in warm:
            self._executor.submit(one)
        self._wait_for(len(warm))
        started, n_done, waiting, cpu = time.monotonic(), 0, list(enumerate(seconds)), _cpu()
        waiting.reverse()
        n_active = 0
        while n_done < len(seconds):
            while waiting and n_active < self._n_slots:
                self._timed(self._start, *waiting.pop())
                n_active += 1
            for item in self._executor.poll(0.1):
                if isinstance(item, TaskReport):
                    self._timed(self._end, item)
                    n_done, n_active = n_done + 1, n_active - 1
                    self._look(n_done)
        took, cpu = time.monotonic() - started, _cpu() - cpu
        self._executor.close()
        self._events.close()
        self._session.close()
        return {
            "n_trials": len(seconds),
            "n_slots": self._n_slots,
            "seconds": round(took, 2),
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
        entry = "benchmarks.compute.latency:nap"
        self._executor.submit(TrialTask(key=str(number), entry=entry, payload=seconds))

    def _end(self, report: TaskReport | TaskMessage) -> None:
        number = int(report.key)
        self._sink.emit(
            ev.TrialFinished(
                number=number,
                key=report.key,
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
        )

    def _look(self, n_done: int) -> None:
        if n_done in {500, 1000, 2000, 4000, 6000, 8000, 10_000}:
            gc.collect()
            self._held.append((n_done, psutil.Process().memory_info().rss))


def _cpu() -> float:
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)
