"""How long things take between a run and its workers."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster

from nbautoml.compute import ComputeTarget, DaskCluster, executor_of
from nbautoml.compute.local import DASK_SETTINGS, start_executor
from nbautoml.compute.spec import PRELOAD, ExecutorSpec
from nbautoml.domain.events import LogWritten
from nbautoml.domain.ports import Emit, Executor, TaskMessage
from nbautoml.domain.records import RunRecord
from nbautoml.domain.status import RunStatus
from nbautoml.runs.workspace_handle import WorkspaceHandle
from nbautoml.store.events import EventTail, EventWriter
from nbautoml.store.session import create_session
from nbautoml.testing.executor_contract import Inbox, hold_interpreter, square, task
from nbautoml.workspace.config_file import address_for

MILLISECOND = 1e-3
N_TASKS = 300
N_KILLS = 20
N_MESSAGES, MESSAGE_PAUSE_SECONDS = 200, 0.02


def spec(n_workers: int = 2, preload: tuple[str, ...] = ()) -> ExecutorSpec:
    """Return slots with one thread each."""
    return ExecutorSpec(
        n_workers=n_workers, threads_per_worker=1, memory_limit_bytes=None, preload=preload
    )


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return median and 95th percentile in milliseconds."""
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return {
        "p50_ms": round(statistics.median(ordered) / MILLISECOND, 1),
        "p95_ms": round(p95 / MILLISECOND, 1),
    }


@contextmanager
def running(n_workers: int = 2) -> Iterator[tuple[Executor, Inbox]]:
    """Give an executor whose children are there."""
    executor = start_executor(spec(n_workers))
    try:
        inbox = Inbox(executor)
        first = [task(square, n) for n in range(2 * n_workers)]
        inbox.submit(*first)
        inbox.reports(first)
        yield executor, inbox
    finally:
        executor.close()


def start_up() -> dict[str, Any]:
    """Time from nothing to a first result, and to the end of everything."""
    found: dict[str, Any] = {}
    for name, preload in (("bare", ()), ("preloaded", PRELOAD)):
        started = time.monotonic()
        executor = start_executor(spec(preload=preload))
        inbox, one = Inbox(executor), task(square, 3)
        inbox.submit(one)
        inbox.report(one)
        answered = time.monotonic()
        executor.close()
        found[f"{name}_seconds"] = round(answered - started, 2)
        found[f"{name}_close_seconds"] = round(time.monotonic() - answered, 2)
    return found


def overhead() -> dict[str, Any]:
    """What an empty trial costs, beside an empty future of Dask's in the same kind of cluster."""
    with running() as (_, inbox):
        tasks = [task(square, n) for n in range(N_TASKS)]
        started = time.monotonic()
        inbox.submit(*tasks)
        inbox.reports(tasks)
        ours = (time.monotonic() - started) / N_TASKS
    import dask

    with (
        dask.config.set(DASK_SETTINGS),
        LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        client.submit(pow, 2, 2).result()
        started = time.monotonic()
        client.gather([client.submit(pow, n, 2, pure=False) for n in range(N_TASKS)])
        plain = (time.monotonic() - started) / N_TASKS
    return {
        "trial_ms": round(ours / MILLISECOND, 2),
        "dask_future_ms": round(plain / MILLISECOND, 2),
    }


def kill() -> dict[str, Any]:
    """From a cancel, and from a deadline, to the report; native code holds the interpreter."""
    cancels, overruns = [], []
    limit = 0.3
    with running() as (executor, inbox):
        for _ in range(N_KILLS):
            one = task(hold_interpreter)
            inbox.submit(one)
            inbox.bodies(one, at_least=1)
            started = time.monotonic()
            executor.cancel(one.key)
            inbox.report(one)
            cancels.append(time.monotonic() - started)
            late = task(hold_interpreter, time_limit_seconds=limit)
            inbox.submit(late)
            inbox.bodies(late, at_least=1)
            started = time.monotonic()
            inbox.report(late)
            overruns.append(max(0.0, time.monotonic() - started - limit))
    return {"cancel": quantiles(cancels), "deadline": quantiles(overruns)}


def say_the_time(n_messages: int, emit: Emit) -> None:
    """Send the time, again and again."""
    for _ in range(n_messages):
        emit(time.time())
        time.sleep(MESSAGE_PAUSE_SECONDS)


def events() -> dict[str, Any]:
    """From a trial's message to a reader of the log: worker, scheduler, run, store, reader."""
    with tempfile.TemporaryDirectory() as folder, running() as (executor, _):
        session = create_session(address_for("w", Path(folder)))
        with session.write() as tx:
            tx.experiments.get_or_create("e")
            record = RunRecord(
                id="run",
                experiment="e",
                type="t",
                status=RunStatus.RUNNING,
                created_at=time.time(),
            )
            tx.runs.create(record)
        seen: list[float] = []
        is_over = threading.Event()
        reader = threading.Thread(target=_read, args=(session, seen, is_over))
        reader.start()
        with EventWriter(session, "run") as writer:
            tasks = [task(say_the_time, N_MESSAGES) for _ in range(2)]
            for one in tasks:
                executor.submit(one)
            n_open = len(tasks)
            while n_open:
                for item in executor.poll(0.1):
                    if isinstance(item, TaskMessage):
                        writer.emit(LogWritten(level="INFO", message=repr(item.body)))
                    else:
                        n_open -= 1
        is_over.set()
        reader.join()
        session.close()
    return quantiles(seen) | {"n_events": len(seen)}


def _read(session: Any, seen: list[float], is_over: threading.Event) -> None:
    with EventTail(session, "run") as tail:
        while True:
            was_over = is_over.is_set()
            now = time.time()
            seen += [now - float(r.event.message) for r in tail.poll()]  # type: ignore[attr-defined]
            if was_over:
                return
            time.sleep(0.025)  # as the Jupyter server looks


def adaptive() -> dict[str, Any]:
    """A managed cluster from nothing to two nodes, and back when there is nothing to do."""
    idle = 2.0
    with tempfile.TemporaryDirectory() as folder:
        session = create_session(address_for("w", Path(folder)))
        config = DaskCluster.provisioning_configuration(0, 2, cores=1, idle_seconds=idle)
        target = ComputeTarget.create(WorkspaceHandle(session), "nodes", config)
        target.wait_for_completion()
        started = time.monotonic()
        executor = executor_of(session, "nodes", None)
        inbox, tasks = Inbox(executor), [task(nap, 4.0) for _ in range(4)]
        inbox.submit(*tasks)
        grown = _until(lambda: target.get_status().current_node_count == 2) - started
        inbox.reports(tasks)
        done = time.monotonic()
        executor.close()
        gone = _until(lambda: target.get_status().current_node_count == 0) - done
        target.delete()
        session.close()
    return {
        "two_nodes_after_seconds": round(grown, 1),
        "four_naps_of_4_s_after_seconds": round(done - started, 1),
        "none_after_the_end_seconds": round(gone, 1),
        "idle_seconds": idle,
    }


def nap(seconds: float, emit: Emit) -> None:
    """Sleep."""
    del emit
    time.sleep(seconds)


def _until(check: Any, seconds: float = 60.0) -> float:
    """Return the moment at which something became true."""
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            raise TimeoutError("it never happened")
        time.sleep(0.05)
    return time.monotonic()
