"""Local compute: a Dask cluster of worker processes on this machine, owned by the caller."""

from __future__ import annotations

import contextlib
import logging
import math
import sys
import threading
from typing import Any  # Any: distributed is typed in part only

import dask
import psutil
from distributed import Client, LocalCluster, Nanny

from nbautoml.compute.child import THREAD_VARIABLES
from nbautoml.compute.connection import DaskClient
from nbautoml.compute.executor import DaskExecutor
from nbautoml.compute.gpus import RESOURCE
from nbautoml.compute.scratch import ScratchFolder
from nbautoml.compute.spec import ExecutorSpec
from nbautoml.domain.ports import Executor

MAX_WORKER_LOSSES = 2
"""A task whose worker was lost is tried this many times more."""

MOST_SLOTS = 8
"""More tasks than this at a time, and one worker's Python would be busy with watching them."""

CLOSE_SECONDS = 2.0
"""How long workers may take to end before they are killed."""

DASK_SETTINGS = {
    "distributed.worker.daemon": False,  # tasks may start processes of their own
    "distributed.worker.profile.enabled": False,  # it would sample supervisors 100 times a second
    "distributed.worker.multiprocessing-method": "spawn",
    "distributed.scheduler.allowed-failures": MAX_WORKER_LOSSES,
    "distributed.scheduler.active-memory-manager.start": False,  # workers hold no data
    # Set in the workers only; the default would change the caller's environment as well.
    "distributed.nanny.pre-spawn-environ": {},
    "distributed.nanny.environ": dict.fromkeys(THREAD_VARIABLES, "1"),
    # Each server would wake up 50 times a second to measure itself.
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "10s",
    "distributed.admin.system-monitor.interval": "2s",
    "distributed.client.scheduler-info-interval": "60s",  # the executor asks when it wants to know
    "distributed.admin.system-monitor.gil.enabled": False,
}


def start_executor(spec: ExecutorSpec) -> Executor:
    """Start local workers in the background, and return the executor that uses them at once.

    The caller owns them: they end with `close`, and they do not outlive its process.

    Parameters
    ----------
    spec : ExecutorSpec
        How many slots, with how many threads and how much memory.
    """
    return DaskExecutor(spec, LocalWorkers)


def share_slots(n_slots: int) -> tuple[int, int]:
    """Return how many worker processes there are for so many slots, and their threads.

    A worker only supervises the children in which tasks run, so that one does for many slots:
    each further one would hold a template of its own with all that tasks import.

    Examples
    --------
    >>> [share_slots(n) for n in (1, 2, 8, 12, 13)]
    [(1, 1), (1, 2), (1, 8), (2, 6), (2, 7)]
    """
    n_workers = math.ceil(n_slots / MOST_SLOTS)
    return n_workers, math.ceil(n_slots / n_workers)


class LocalWorkers:
    """Worker processes on this machine; each supervises several tasks at a time.

    Parameters
    ----------
    spec : ExecutorSpec
        How many slots there are.
    """

    def __init__(self, spec: ExecutorSpec) -> None:
        self._scratch = ScratchFolder()
        # Workers that shared a card would not know of each other: with cards there is one worker.
        n_cards = spec.n_gpus
        n_workers, n_threads = (1, spec.n_workers) if n_cards else share_slots(spec.n_workers)
        try:
            with dask.config.set(DASK_SETTINGS):
                new_cluster: Any = LocalCluster
                self._cluster = new_cluster(
                    n_workers=n_workers,
                    threads_per_worker=n_threads,
                    worker_class=QuietNanny,
                    host="127.0.0.1",
                    dashboard_address=None,
                    scheduler_sync_interval=60,
                    scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                    memory_limit=0,  # supervisors watch the memory that counts
                    local_directory=str(self._scratch.path),
                    silence_logs=logging.CRITICAL,
                    **({"resources": {RESOURCE: n_cards}} if n_cards else {}),
                )
        except BaseException:
            self._scratch.close()
            raise

    def connect(self) -> DaskClient:
        """Return a new client."""
        new_client: Any = Client
        with dask.config.set(DASK_SETTINGS):
            return new_client(self._cluster, set_as_default=False)

    def close(self) -> None:
        """End the workers and remove their folder."""
        processes = self._processes()
        try:
            self._cluster.close(timeout=CLOSE_SECONDS)
        finally:
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(processes, timeout=CLOSE_SECONDS)
            self._scratch.close()

    def _processes(self) -> list[psutil.Process]:
        found = []
        for nanny in self._cluster.workers.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                if nanny.pid is not None:
                    found.append(psutil.Process(nanny.pid))
        return found


class _HiddenMain:
    """Lets `multiprocessing` see a main module that came from no file; may be nested."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._saved: dict[str, Any] = {}

    def __enter__(self) -> None:
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                names = vars(sys.modules["__main__"])
                self._saved = {n: names.pop(n) for n in ("__spec__", "__file__") if n in names}
                names["__spec__"] = None

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                vars(sys.modules["__main__"]).update(self._saved)


# There is one main module in a process, and nannies of several clusters may hide it at a time.
_hidden_main = _HiddenMain()


class QuietNanny(Nanny):
    """A nanny whose worker does not import the caller's main module.

    A worker needs nothing of it. Importing it would cost each worker what the caller loads,
    and a script without a ``__main__`` guard would start itself again.
    """

    async def instantiate(self) -> Any:  # Any: distributed's status
        """Start the worker process."""
        with _hidden_main:
            return await super().instantiate()
