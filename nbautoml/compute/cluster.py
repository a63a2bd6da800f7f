"""A cluster's own process: a Dask scheduler, and as many nodes as there is work for.

    python -m nbautoml.compute.cluster FOLDER

It belongs to no run and no notebook. It ends when its folder has no ``options.json`` any more, or
on SIGTERM. A node is a Dask worker that supervises trials in processes of their own.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any  # Any: distributed is typed in part only

import dask
import psutil
from distributed import LocalCluster

from nbautoml.compute.cluster_options import ClusterOptions, ClusterShape, shape_of
from nbautoml.compute.cluster_state import ClusterState, read_options, write_state
from nbautoml.compute.local import CLOSE_SECONDS, DASK_SETTINGS, QuietNanny
from nbautoml.compute.scratch import ScratchFolder
from nbautoml.compute.trial import MEMORY_METRIC
from nbautoml.store.reaper import this_process

LOOK_SECONDS = 0.5
"""How often work and options are looked at."""
WRITE_SECONDS = 1.0
"""The state is written at least this often: it is the heartbeat."""
_WORKING = frozenset({"processing", "no-worker", "queued", "waiting"})

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What there is to do: tasks that are not done, and runs that are connected."""

    n_tasks: int
    n_clients: int


class Scale:
    """Decides how many nodes there are to be.

    Up at once, down only after a time without any task. A run that is connected has one node
    from the start: it is looking at its data and will want it.

    Parameters
    ----------
    cores : int
        Slots of a node.
    now : float
        Seconds of a clock that never goes back.

    Examples
    --------
    >>> options = ClusterOptions(min_nodes=0, max_nodes=3, idle_seconds=60)
    >>> scale = Scale(cores=2, now=0.0)
    >>> scale.wanted(options, Demand(n_tasks=3, n_clients=1), most=3, now=1.0)
    2
    >>> scale.wanted(options, Demand(n_tasks=0, n_clients=0), most=3, now=30.0)
    2
    >>> scale.wanted(options, Demand(n_tasks=0, n_clients=0), most=3, now=62.0)
    0
    """

    def __init__(self, *, cores: int, now: float) -> None:
        self._cores = cores
        self._busy_at = now
        self._n_wanted = 0

    def wanted(self, options: ClusterOptions, demand: Demand, *, most: int, now: float) -> int:
        """Return the number of nodes."""
        least = min(options.min_nodes, most)
        if demand.n_tasks:
            self._busy_at = now
        needed = max(-(-demand.n_tasks // self._cores), int(demand.n_clients > 0), least)
        needed = min(needed, most)
        is_idle = now - self._busy_at >= options.idle_seconds
        if needed > self._n_wanted or is_idle or self._n_wanted > most:
            self._n_wanted = needed if is_idle else max(needed, min(self._n_wanted, most))
        return self._n_wanted


class ClusterProcess:
    """Runs one cluster until it is to be gone.

    Parameters
    ----------
    folder : pathlib.Path
        The cluster's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stop = threading.Event()
        me = this_process()
        self._state = ClusterState(pid=me.pid, started_at=me.started_at, written_at=time.time())

    def run(self) -> int:
        """Serve until the end; return the exit code."""
        options = read_options(self._folder)
        if options is None:
            return 1
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._write(self._state)
        shape = shape_of(options)
        try:
            with ScratchFolder() as scratch:
                self._serve(_start(shape, scratch.path), shape)
        except Exception as error:  # noqa: BLE001 - the border: whoever waits is told
            logger.exception("the cluster broke")
            self._write(replace(self._state, error=f"{type(error).__name__}: {error}"))
            return 1
        return 0

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._stop.set()

    def _serve(self, cluster: Any, shape: ClusterShape) -> None:
        scale = Scale(cores=shape.cores, now=time.monotonic())
        n_nodes = 0
        try:
            while not self._stop.is_set():
                options = read_options(self._folder)
                if options is None:
                    return
                demand, nodes = cluster.sync(_look, cluster.scheduler)
                most = min(shape.max_nodes, options.max_nodes)
                wanted = scale.wanted(options, demand, most=most, now=time.monotonic())
                if wanted != n_nodes:
                    logger.info("%d nodes, %d wanted: %s", n_nodes, wanted, demand)
                    cluster.scale(wanted)
                    n_nodes = wanted
                self._tell(cluster, demand, nodes, wanted)
                self._stop.wait(LOOK_SECONDS)
        finally:
            _close(cluster)

    def _tell(self, cluster: Any, demand: Demand, nodes: list[dict[str, Any]], wanted: int) -> None:
        now = time.time()
        state = replace(
            self._state,
            address=str(cluster.scheduler_address),
            dashboard=_dashboard(cluster),
            n_wanted=wanted,
            n_clients=demand.n_clients,
            nodes=tuple(nodes),
        )
        if state != self._state or now - self._state.written_at >= WRITE_SECONDS:
            self._write(replace(state, written_at=now))

    def _write(self, state: ClusterState) -> None:
        self._state = state
        with contextlib.suppress(FileNotFoundError):  # the workspace was removed
            write_state(self._folder, state)


def _start(shape: ClusterShape, scratch: Path) -> Any:
    new_cluster: Any = LocalCluster
    # Not undone at the end of a block: nodes are started later, too.
    dask.config.set(DASK_SETTINGS)
    return new_cluster(
        n_workers=0,
        threads_per_worker=shape.cores,
        worker_class=QuietNanny,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        memory_limit=0,  # supervisors watch the memory that counts
        local_directory=str(scratch),
        silence_logs=logging.CRITICAL,
    )


async def _look(scheduler: Any) -> tuple[Demand, list[dict[str, Any]]]:
    """Return what there is to do and who does it; runs in the scheduler's thread."""
    n_tasks = sum(task.state in _WORKING for task in scheduler.tasks.values())
    clients = [name for name in scheduler.clients if not name.startswith("fire-and-forget")]
    nodes = [
        {
            "id": str(worker.name),
            "state": "running" if worker.processing else "idle",
            "cores": worker.nthreads,
            "memory_bytes": int(worker.metrics.get("memory", 0))
            + int(worker.metrics.get(MEMORY_METRIC, 0)),
        }
        for worker in scheduler.workers.values()
    ]
    return Demand(n_tasks=n_tasks, n_clients=len(clients)), nodes


def _dashboard(cluster: Any) -> str:
    link = cluster.dashboard_link
    return str(link) if link else ""


def _close(cluster: Any) -> None:
    processes = []
    for nanny in cluster.workers.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            if nanny.pid is not None:
                processes.append(psutil.Process(nanny.pid))
    try:
        cluster.close(timeout=CLOSE_SECONDS)
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=CLOSE_SECONDS)


def main() -> int:
    """Run the cluster of the folder that the command line names."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    return ClusterProcess(Path(sys.argv[1])).run()


if __name__ == "__main__":
    sys.exit(main())
