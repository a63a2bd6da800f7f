"""What a cluster's process needs of its scheduler and nodes, wherever these are."""

from __future__ import annotations

import contextlib
import logging
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol  # Any: distributed is typed in part only

import dask
import psutil
from distributed import LocalCluster
from distributed.security import Security

from nbautoml.compute.cluster_options import ClusterOptions, ClusterShape
from nbautoml.compute.gpus import RESOURCE
from nbautoml.compute.local import CLOSE_SECONDS, DASK_SETTINGS, QuietNanny
from nbautoml.compute.trial import MEMORY_METRIC

LOOPBACK = "127.0.0.1"
_WORKING = frozenset({"processing", "no-worker", "queued", "waiting"})
_ANYWHERE = ("192.0.2.1", 9)
"""An address for documentation: nothing is sent there, but the system says which way it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What there is to do: tasks that are not done, and runs that are connected."""

    n_tasks: int
    n_clients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A cluster at a moment: what there is to do, who does it, and what goes wrong with nodes."""

    demand: Demand
    nodes: tuple[dict[str, Any], ...]
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What nodes are started from.

    Parameters
    ----------
    name : str
        The cluster's name.
    options : ClusterOptions
        What was asked for.
    shape : ClusterShape
        What can be made of it.
    folder : pathlib.Path
        The cluster's folder: logs and certificates go there.
    scratch : pathlib.Path
        A folder that is gone when the process ends.
    """

    name: str
    options: ClusterOptions
    shape: ClusterShape
    folder: Path
    scratch: Path


class Nodes(Protocol):
    """A scheduler and its nodes, as one process drives them; called from one thread."""

    @property
    def address(self) -> str:
        """Address of the scheduler."""

    @property
    def dashboard(self) -> str:
        """Address of Dask's own page; empty where there is none."""

    def look(self) -> Look:
        """Return how things stand."""

    def scale(self, n_nodes: int) -> None:
        """Have so many nodes, from now on; returns at once. May be called again and again."""

    def close(self) -> None:
        """End all that was started."""


class ClusterNodes:
    """What is the same for all whose scheduler runs in this process.

    Parameters
    ----------
    cluster : distributed.deploy.Cluster
        The scheduler, and what starts its nodes.
    """

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster

    @property
    def address(self) -> str:
        """Address of the scheduler."""
        return str(self._cluster.scheduler_address)

    @property
    def dashboard(self) -> str:
        """Address of Dask's own page; empty where there is none."""
        return str(self._cluster.dashboard_link or "")

    def look(self) -> Look:
        """Return how things stand."""
        demand, nodes = self._cluster.sync(_look_here, self._cluster.scheduler)
        return Look(demand=demand, nodes=tuple(nodes))


def look_at(scheduler: Any, *, but: frozenset[str] = frozenset()) -> tuple[Demand, list[Any]]:
    """Return what there is to do and who does it; runs where the scheduler is.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler.
    but : frozenset of str
        Clients that do not count.
    """
    n_tasks = sum(task.state in _WORKING for task in scheduler.tasks.values())
    clients = [
        name
        for name in scheduler.clients
        if not name.startswith("fire-and-forget") and name not in but
    ]
    nodes = [
        {
            "id": str(worker.name),
            "state": "running" if worker.processing else "idle",
            "cores": worker.nthreads,
            "memory_bytes": int(worker.metrics.get("memory", 0))
            + int(worker.metrics.get(MEMORY_METRIC, 0)),
            "gpus": int(worker.resources.get(RESOURCE, 0)),
        }
        for worker in scheduler.workers.values()
    ]
    return Demand(n_tasks=n_tasks, n_clients=len(clients)), nodes


async def _look_here(scheduler: Any) -> tuple[Demand, list[Any]]:
    """Look at a scheduler of this process, in its own thread."""
    return look_at(scheduler)


def look_there(dask_scheduler: Any, but: tuple[str, ...] = ()) -> tuple[Demand, list[Any]]:
    """Look at a scheduler elsewhere; Dask fills in the first argument by its name."""
    return look_at(dask_scheduler, but=frozenset(but))


def start_scheduler(
    setting: Setting,
    *,
    host: str = LOOPBACK,
    security: Security | None = None,
    cluster_class: Any = LocalCluster,
) -> Any:
    """Start a scheduler in this process, with no nodes yet.

    Parameters
    ----------
    setting : Setting
        What it belongs to.
    host : str, default "127.0.0.1"
        Where it listens.
    security : distributed.Security, optional
        Certificates that it asks for; needed beyond the loopback address.
    cluster_class : type, default distributed.LocalCluster
        What makes nodes of this machine.
    """
    # Not undone at the end of a block: nodes are started later, too.
    dask.config.set(DASK_SETTINGS)
    gpus = setting.shape.gpus
    return cluster_class(
        n_workers=0,
        threads_per_worker=setting.shape.cores,
        worker_class=QuietNanny,
        host=host,
        protocol="tcp://" if security is None else "tls://",
        security=security,
        dashboard_address=f"{LOOPBACK}:0",
        memory_limit=0,  # supervisors watch the memory that counts
        local_directory=str(setting.scratch),
        silence_logs=logging.CRITICAL,
        **({"resources": {RESOURCE: gpus}} if gpus else {}),
    )


def close_cluster(cluster: Any) -> None:
    """End a cluster of this process, and those of its workers that do not end by themselves."""
    processes = []
    for nanny in cluster.workers.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            if getattr(nanny, "pid", None) is not None:
                processes.append(psutil.Process(nanny.pid))
    try:
        cluster.close(timeout=CLOSE_SECONDS)
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=CLOSE_SECONDS)


def own_address(towards: str = "") -> str:
    """Return the address of this machine that another one sees.

    Parameters
    ----------
    towards : str, default ""
        The other machine; by default any that is not in the same building.

    Notes
    -----
    A datagram socket that is connected sends nothing; the system only chooses the way.

    Examples
    --------
    >>> own_address("127.0.0.1")
    '127.0.0.1'
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((towards, 9) if towards else _ANYWHERE)
        except OSError:  # no way there: what the name of this machine stands for
            with contextlib.suppress(OSError):
                return socket.gethostbyname(socket.gethostname())
            return LOOPBACK
        return str(probe.getsockname()[0])
