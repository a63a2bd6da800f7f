"""What an executor puts into Dask workers: a plugin that keeps children, and the task itself.

A task never runs in a worker's thread. The thread supervises a child process, which can be
killed without harm to the worker or to other tasks.
"""

from __future__ import annotations

import pickle
import threading
import uuid
from dataclasses import replace
from typing import Any, cast  # Any: Dask's states

from dask.typing import Key
from distributed import Worker, WorkerPlugin, get_worker

from nbautoml.compute import memory
from nbautoml.compute.gpus import RESOURCE
from nbautoml.compute.pool import ChildPool, PoolSettings
from nbautoml.compute.supervisor import Cancel, Order, Supervisor

MEMORY_METRIC = "nbautoml_children"
"""Name under which a worker's heartbeat tells what its children hold, in bytes."""


FREE_METRIC = "nbautoml_free"
"""Name under which a worker's heartbeat tells how much memory is free, in bytes."""


class TrialPlugin(WorkerPlugin):
    """Keeps a worker's children, and stops their tasks when Dask no longer wants them.

    Parameters
    ----------
    settings : PoolSettings
        How children are made.
    """

    name = "nbautoml-trials"
    idempotent = True

    def __init__(self, settings: PoolSettings) -> None:
        self._settings = settings

    def setup(self, worker: Worker) -> None:
        """Start the template, so that it imports while the cluster is still coming up."""
        self._pool = ChildPool(self._settings, worker.local_directory)
        self._lock = threading.Lock()
        self._running: dict[Key, Cancel] = {}
        n_cards = int(worker.state.total_resources.get(RESOURCE, 0))
        self._free_cards = list(range(n_cards))
        worker.metrics[MEMORY_METRIC] = lambda _worker: self._pool.memory_bytes()
        worker.metrics[FREE_METRIC] = lambda _worker: memory.free_bytes()
        self._pool.warm_up()

    def teardown(self, worker: Worker) -> None:
        """End all children; supervisors see that and return."""
        worker.metrics.pop(MEMORY_METRIC, None)
        worker.metrics.pop(FREE_METRIC, None)
        self._pool.close()

    def transition(self, key: Key, start: str, finish: str, *_: Any, **__: Any) -> None:
        """Stop a running task that was canceled, or whose client is gone."""
        if start == "executing" and finish in {"cancelled", "released", "forgotten"}:
            with self._lock:
                cancel = self._running.get(key)
                if cancel is not None:
                    cancel.set()

    def run(self, order: Order, worker: Worker, key: Key) -> bytes:
        """Supervise a task, and return its pickled `Ending`, which is also sent as an event."""
        attempt = uuid.uuid4().hex

        def tell(**news: object) -> None:
            worker.log_event(order.topic, {"number": order.number, "attempt": attempt, **news})

        with self._lock:
            cancel = self._running[key] = Cancel()
            cards = tuple(self._free_cards[: order.n_gpus])
            del self._free_cards[: order.n_gpus]
        try:
            supervisor = Supervisor(
                self._pool, order, lambda bodies: tell(messages=bodies), cancel, cards=cards
            )
            tell(started=True)
            ending = pickle.dumps(replace(supervisor.run(), worker=str(worker.name)))
        finally:
            with self._lock:
                del self._running[key]
                self._free_cards = sorted([*self._free_cards, *cards])
                cancel.close()
        if len(ending) <= LARGEST_EVENT_BYTES:
            tell(ending=ending)
        return ending


LARGEST_EVENT_BYTES = 64 << 10
"""Larger endings come as the task's result: a scheduler keeps the last events of a topic."""


def run_task(order: Order) -> bytes:
    """Run one task; this is what Dask schedules."""
    worker = get_worker()
    plugin = cast(TrialPlugin, worker.plugins[TrialPlugin.name])
    return plugin.run(order, worker, worker.get_current_task())
