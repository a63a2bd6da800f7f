"""What 500 MB of data cost two workers: on the owner's machine, and fetched from another one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.compute.latency import spec
from nbautoml.compute.attached import AttachedWorkers, SchedulerAddress
from nbautoml.compute.executor import DaskExecutor
from nbautoml.compute.local import start_executor
from nbautoml.compute.mirror import ROOT_VARIABLE
from nbautoml.compute.task_folders import NOT_SHARED_VARIABLE
from nbautoml.domain.ports import Emit, Executor
from nbautoml.testing.executor_contract import Inbox, task

N_BYTES = 500_000_000
N_WORKERS = 2
_HOLD_SECONDS = 3.0
_LIMIT = 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A task's folder, and for how long to hold what was mapped of it."""

    data: Path
    out: Path
    seconds: float


def look(job: Look, emit: Emit) -> float:
    """Map the data, read all of it, hold it a while; return the seconds until it was open."""
    started = time.monotonic()
    values = np.load(job.data / "values.npy", mmap_mode="r")
    opened = time.monotonic() - started
    emit("opened")
    float(values.sum())
    emit("read")
    time.sleep(job.seconds)
    return opened


def near() -> dict[str, Any]:
    """Measure workers that see the file."""
    executor = start_executor(spec(N_WORKERS))
    with contextlib.closing(executor):
        return _measure(executor, [os.getpid()])


def far() -> dict[str, Any]:
    """Measure workers of a scheduler that do not see it: one fetches it for both."""
    with tempfile.TemporaryDirectory() as folder, _cluster(Path(folder)) as (address, roots):
        workers = AttachedWorkers(SchedulerAddress(address=address))
        executor = DaskExecutor(spec(N_WORKERS), lambda _spec: workers)
        with contextlib.closing(executor):
            return _measure(executor, [os.getpid(), *roots])


def _measure(executor: Executor, roots: list[int]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        (data / "small.npy").write_bytes(b"")
        inbox = Inbox(executor)
        _run(inbox, data, Path(folder) / "warm", None)
        before = tree_bytes(roots)
        values = np.lib.format.open_memmap(
            data / "values.npy", mode="w+", dtype=np.float64, shape=(N_BYTES // 8,)
        )
        values[:] = 1.0
        del values
        whole = Path(folder) / "whole"
        data.rename(whole)
        started = time.monotonic()
        with Peak(roots) as peak:
            opened = _run(inbox, whole, Path(folder) / "out", _HOLD_SECONDS)
        seconds = time.monotonic() - started - _HOLD_SECONDS
    more = peak.n_bytes - before
    return {
        "data_mb": N_BYTES // 1_000_000,
        "n_workers": N_WORKERS,
        "more_mb": round(more / 1e6),
        "ratio": round(more / N_BYTES, 2),
        "limit": _LIMIT,
        "open_ms": round(1e3 * max(opened), 1),
        "seconds": round(seconds, 1),
    }


def _run(inbox: Inbox, data: Path, out: Path, seconds: float | None) -> list[float]:
    if seconds is None:  # only what is loaded anyway
        tasks = [task(open_numpy, reads=data, writes=out) for _ in range(N_WORKERS)]
    else:
        job = Look(data=data, out=out, seconds=seconds)
        tasks = [task(look, job, reads=data, writes=out) for _ in range(N_WORKERS)]
    inbox.submit(*tasks)
    return [float(report.value) for report in inbox.reports(tasks)]


def open_numpy(payload: None, emit: Emit) -> float:
    """Load the libraries, without any data."""
    del payload, emit
    return float(np.ones(3).sum())


def tree_bytes(roots: list[int]) -> int:
    """Return the proportional memory of processes and all below them, mapped files included."""
    pids = set(roots)
    for root in roots:
        with contextlib.suppress(psutil.NoSuchProcess):
            pids |= {child.pid for child in psutil.Process(root).children(recursive=True)}
    total = 0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            total += int(psutil.Process(pid).memory_full_info().pss)
    return total


class Peak:
    """The most that processes held during a block, looked at a few times a second."""

    def __init__(self, roots: list[int]) -> None:
        self._roots = roots
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.n_bytes = 0

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(0.2):
            self.n_bytes = max(self.n_bytes, tree_bytes(self._roots))


@contextmanager
def _cluster(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """Start a scheduler and two workers that keep copies of the data in a folder of their own."""
    file = folder / "scheduler.json"
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        NOT_SHARED_VARIABLE: "1",
        ROOT_VARIABLE: str(folder / "copies"),
    }
    dask = [sys.executable, "-m", "dask"]
    place = ["--scheduler-file", str(file), "--no-dashboard"]
    flags = ["--nworkers", str(N_WORKERS), "--nthreads", "1", "--memory-limit", "0"]
    commands = (
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *place],
        [*dask, "worker", *flags, *place],
    )
    processes = [
        subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        while not file.is_file():
            time.sleep(0.1)
        yield _address(file), [process.pid for process in processes]
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(20)


def _address(file: Path) -> str:
    import json

    while not (text := file.read_text()):
        time.sleep(0.1)
    return str(json.loads(text)["address"])
