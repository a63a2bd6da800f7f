"""How many workers, threads and bytes an executor gets, and what this machine has to give."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import psutil

from nbautoml.errors import ConfigError

PRELOAD = ("pandas", "sklearn", "lightgbm", "xgboost", "nbautoml.engine.trial")
"""Modules that most trials need; a worker imports them once and its children inherit them."""

MEMORY_SHARE = 0.85
"""Part of the machine's memory that trials may fill; the rest is for the system and Dask."""

PATIENCE_SECONDS = 300.0
"""How long a run waits for workers that are lost before it ends with what it has.

Long enough for a machine to start again, or for a cluster to replace a node; short enough that
somebody who waits for the run learns of it.
"""

LEAST_SLOT_BYTES = 1 << 30
"""No slot is made that would have less memory than this, unless it is the only one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorSpec:
    """What `start_executor` builds.

    Parameters
    ----------
    n_workers : int
        How many tasks run at a time, each in a process of its own.
    threads_per_worker : int
        Threads that a task may use.
    memory_limit_bytes : int or None
        Most that a task's process tree may hold, unless the task says less; None is no limit.
    n_gpus : int, default 0
        How many of the tasks may have a graphics card at a time.
    preload : tuple of str
        Modules that each worker imports before its first task. One that cannot be imported
        is left out: a task that needs it reports the error.
    patience_seconds : float, default 300
        How long to wait for workers that are lost, or that do not come.
    data_limit_bytes : int or None, default None
        Most disk that a machine which does not see the paths of the owner uses for copies of
        data; None is a quarter of what is free there (see `nbautoml.compute.mirror`).

    Raises
    ------
    ConfigError
        When a number is below 1.

    Examples
    --------
    >>> ExecutorSpec(n_workers=2, threads_per_worker=1, memory_limit_bytes=None).n_workers
    2
    """

    n_workers: int
    threads_per_worker: int
    memory_limit_bytes: int | None
    n_gpus: int = 0
    preload: tuple[str, ...] = PRELOAD
    patience_seconds: float = PATIENCE_SECONDS
    data_limit_bytes: int | None = None

    def __post_init__(self) -> None:
        names = ("n_workers", "threads_per_worker", "memory_limit_bytes", "data_limit_bytes")
        for name in names:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} of ExecutorSpec must be at least 1; got {value}.")


def default_spec(max_concurrent: int | None = None) -> ExecutorSpec:
    """Share this machine's cores and memory between concurrent trials.

    Workers times threads never exceed the cores that this process may use, and no slot gets
    less than 1 GiB of memory, unless it is the only one.

    Parameters
    ----------
    max_concurrent : int or None, default None
        How many trials may run at once; None is one for each core.

    Raises
    ------
    ConfigError
        When `max_concurrent` is below 1.

    Examples
    --------
    >>> default_spec(1).n_workers
    1
    """
    if max_concurrent is not None and max_concurrent < 1:
        raise ConfigError(f"max_concurrent must be at least 1; got {max_concurrent}.")
    return share(n_cores=n_cores(), memory_bytes=memory_bytes(), max_concurrent=max_concurrent)


def share(*, n_cores: int, memory_bytes: int, max_concurrent: int | None) -> ExecutorSpec:
    """Return the spec for a machine of that size (see `default_spec`).

    Examples
    --------
    >>> spec = share(n_cores=8, memory_bytes=32 << 30, max_concurrent=3)
    >>> spec.n_workers, spec.threads_per_worker
    (3, 2)
    """
    usable = int(memory_bytes * MEMORY_SHARE)
    wanted = n_cores if max_concurrent is None else min(max_concurrent, n_cores)
    n_workers = max(1, min(wanted, usable // LEAST_SLOT_BYTES))
    return ExecutorSpec(
        n_workers=n_workers,
        threads_per_worker=max(1, n_cores // n_workers),
        memory_limit_bytes=max(1, usable // n_workers),
    )


def n_cores(root: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how many cores this process may use: affinity and control groups count.

    Parameters
    ----------
    root : Path
        Where control groups are mounted.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = _cgroup_cores(root)
    return max(1, min(cores, math.ceil(quota)) if math.isfinite(quota) else cores)


def memory_bytes(root: Path = Path("/sys/fs/cgroup")) -> int:
    """Return how much memory this process may use: the machine's, or its control group's."""
    total = psutil.virtual_memory().total
    limits = [
        int(text)
        for name in ("memory.max", "memory/memory.limit_in_bytes")
        if (text := _read(root / name)).isdigit()
    ]
    return min([total, *limits])


def _cgroup_cores(root: Path) -> float:
    """Return the cores of the control group's quota; infinity where there is none."""
    quota, _, period = _read(root / "cpu.max").partition(" ")
    if not quota:
        quota = _read(root / "cpu/cpu.cfs_quota_us")
        period = _read(root / "cpu/cpu.cfs_period_us")
    if quota.isdigit() and period.isdigit() and int(period) > 0:
        return int(quota) / int(period)
    return math.inf


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
