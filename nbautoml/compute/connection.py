"""The way from an executor to its workers: opened, watched, and opened again when it was lost.

A scheduler that dies, a cluster whose process is killed and a network that breaks look the same
from here: Dask gives up all futures. What was handed over is not lost for the run. The executor
takes its tasks back, and this starts (or reaches) the cluster again, for as long as the spec has
patience.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias  # Any: distributed is typed in part only

from nbautoml.compute.spec import ExecutorSpec
from nbautoml.compute.trial import FREE_METRIC, MEMORY_METRIC
from nbautoml.domain.ports import WorkerState

RETRY_SECONDS = 1.0
"""Pause between two attempts to reach workers that were lost."""

LOOK_SECONDS = 2.0
"""How long a scheduler may take to tell of its workers: the search waits for the answer."""

_log = logging.getLogger(__name__)

DaskClient: TypeAlias = Any
"""A `distributed.Client`; that class is typed in part, so that calls to it cannot be checked."""


class Cluster(Protocol):
    """Workers that an executor drives, and that it closes."""

    def connect(self) -> DaskClient:
        """Return a new client."""

    def close(self) -> None:
        """End the workers and remove what they left on disk."""


class Connection:
    """Opens a cluster and a client to it, in a thread of its own.

    Parameters
    ----------
    spec : ExecutorSpec
        What to start, and how long to try again.
    start_cluster : callable
        Starts the cluster, or finds the one that runs.
    prepare : callable
        Takes a new client; makes the workers ready for tasks.
    on_open : callable
        Takes the client once tasks can be handed over; called from the thread.
    on_failure : callable
        Takes a sentence and the error when there is no hope left; called from the thread.
    """

    def __init__(
        self,
        spec: ExecutorSpec,
        start_cluster: Callable[[ExecutorSpec], Cluster],
        *,
        prepare: Callable[[DaskClient], None],
        on_open: Callable[[DaskClient], None],
        on_failure: Callable[[str, BaseException], None],
    ) -> None:
        self._spec = spec
        self._start_cluster = start_cluster
        self._prepare = prepare
        self._on_open = on_open
        self._on_failure = on_failure
        self._cluster: Cluster | None = None
        self._client: DaskClient | None = None
        self._comm: object = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Start the cluster; returns at once. What fails the first time is not tried again."""
        self._begin(self._open_once)

    def reopen(self) -> None:
        """Give back what was lost, and try to get it again; returns at once."""
        self._begin(self._open_again)

    def is_open(self, client: DaskClient) -> bool:
        """Whether a client still has the connection that it was opened with.

        Dask's client connects again by itself, to a scheduler that may be another one and knows
        neither the plugin nor the topic of this run.
        """
        status = getattr(client, "status", "running")
        return bool(status == "running" and getattr(client, "scheduler_comm", None) is self._comm)

    def close(self) -> None:
        """End an attempt that is going on, and give back client and cluster."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._give_back()

    def _begin(self, work: Callable[[], None]) -> None:
        before = self._thread

        def run() -> None:
            if before is not None:
                before.join()
            work()

        self._thread = threading.Thread(target=run, name="cluster start", daemon=True)
        self._thread.start()

    def _open_once(self) -> None:
        try:
            client = self._connect()
        except Exception as error:  # noqa: BLE001 - passed on to the next poll
            self._on_failure(f"The workers could not be started: {error}", error)
        else:
            self._on_open(client)

    def _open_again(self) -> None:
        until = time.monotonic() + self._spec.patience_seconds
        self._give_back()
        while not self._stop.is_set():
            try:
                client = self._connect()
            except Exception as error:  # noqa: BLE001 - passed on when patience has ended
                self._give_back()
                _log.info("the workers are not back yet: %s", error)
                if time.monotonic() > until:
                    waited = self._spec.patience_seconds
                    sentence = f"The workers were lost, and were not back after {waited:g} s"
                    self._on_failure(f"{sentence}: {error}", error)
                    return
                self._stop.wait(RETRY_SECONDS)
            else:
                self._on_open(client)
                return

    def _connect(self) -> DaskClient:
        self._cluster = self._start_cluster(self._spec)
        client = self._client = self._cluster.connect()
        self._comm = getattr(client, "scheduler_comm", None)
        self._prepare(client)
        return client

    def _give_back(self) -> None:
        """Close client and cluster; of what is gone already nothing is to be had."""
        client, self._client = self._client, None
        cluster, self._cluster = self._cluster, None
        for part in (client, cluster):
            try:
                if part is not None:
                    part.close()
            except Exception as error:  # noqa: BLE001 - what closing a broken thing raises
                _log.info("closing what was lost: %s", error)


def look_at_workers(client: DaskClient) -> list[Mapping[str, Any]]:
    """Return what the scheduler knows of its workers.

    Raises
    ------
    OSError
        When it does not answer in time.
    """
    info = client.sync(client.scheduler.identity, n_workers=-1, callback_timeout=LOOK_SECONDS)
    return list(info["workers"].values())


def describe(workers: Sequence[Mapping[str, Any]], spec: ExecutorSpec) -> WorkerState:
    """Return how many workers there are and what they hold, without how many are busy."""
    metrics = [worker["metrics"] for worker in workers]
    held = sum(int(m.get("memory", 0)) + int(m.get(MEMORY_METRIC, 0)) for m in metrics)
    free = [int(m[FREE_METRIC]) for m in metrics if FREE_METRIC in m]
    own = [] if spec.memory_limit_bytes is None else [spec.memory_limit_bytes]
    return WorkerState(
        n_workers=min(spec.n_workers, sum(int(worker["nthreads"]) for worker in workers)),
        n_busy=0,
        memory_bytes=held,
        free_bytes=min([*free, *own], default=None),
    )
