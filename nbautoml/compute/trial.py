"""What an executor puts into Dask workers: a plugin that keeps children, and the task itself.

A task never runs in a worker's thread. The thread supervises a child process, which can be
killed without harm to the worker or to other tasks.
"""

from __future__ import annotations

import pickle
import threading
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast  # Any: Dask's states

from dask.typing import Key
from distributed import Worker, WorkerPlugin, get_worker

from nbautoml.compute import memory
from nbautoml.compute.courier import MAILBOX, Courier, Mailbox
from nbautoml.compute.gpus import RESOURCE
from nbautoml.compute.mirror import Mirror, default_root
from nbautoml.compute.news import News
from nbautoml.compute.pool import ChildPool, PoolSettings
from nbautoml.compute.staging import lend_out_folder, read_files
from nbautoml.compute.supervisor import Cancel, Ending, Order, Supervisor
from nbautoml.compute.task_folders import TaskFolders
from nbautoml.domain.status import TrialOutcome
from nbautoml.errors import StoppedError

MEMORY_METRIC = "nbautoml_children"
"""Name under which a worker's heartbeat tells what its children hold, in bytes."""


FREE_METRIC = "nbautoml_free"
"""Name under which a worker's heartbeat tells how much memory is free, in bytes."""


_AT_WORK = frozenset({"executing", "long-running", "cancelled", "resumed"})
"""States of Dask's in which a task may be running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """What a task has for itself: the way to end it, and graphics cards."""

    cancel: Cancel
    cards: tuple[int, ...]


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
        self._news = News(worker)
        self._running: dict[Key, Cancel] = {}
        self._mirror = Mirror(default_root(), self._settings.data_limit_bytes)
        self._mailbox = Mailbox()
        setattr(worker, MAILBOX, self._mailbox)
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
        """Stop a running task that was canceled, or whose client is gone; send its news."""
        if finish == "executing":
            self._news.flush_soon()
        elif start in _AT_WORK:
            self._news.flush()
        if start == "executing" and finish in {"cancelled", "released", "forgotten"}:
            with self._lock:
                cancel = self._running.get(key)
                if cancel is not None:
                    cancel.set()

    def run(self, order: Order, worker: Worker, key: Key) -> bytes:
        """Supervise a task, and return its pickled `Ending`, which is also sent as an event."""
        about = {"number": order.number, "attempt": uuid.uuid4().hex}

        def tell(**news: object) -> None:
            self._news.tell(order.topic, {**about, **news})

        with self._lock:
            cancel = self._running[key] = Cancel()
            cards = tuple(self._free_cards[: order.n_gpus])
            del self._free_cards[: order.n_gpus]
        try:
            self._news.keep(order.topic, {**about, "started": True})
            ending = self._supervise(order, worker, tell, _Own(cancel=cancel, cards=cards))
            data = pickle.dumps(replace(ending, worker=str(worker.name)))
        finally:
            with self._lock:
                del self._running[key]
                self._free_cards = sorted([*self._free_cards, *cards])
                cancel.close()
        if len(data) <= LARGEST_EVENT_BYTES:
            # It goes with Dask's own message, which may not come where the task was canceled.
            say = self._news.tell if cancel.is_set else self._news.keep
            say(order.topic, {**about, "ending": data})
        return data

    def _supervise(
        self, order: Order, worker: Worker, tell: Callable[..., None], own: _Own
    ) -> Ending:
        """Run the task where its files are: at their own paths, or in copies of this machine."""

        def send(bodies: list[bytes]) -> None:
            tell(messages=bodies)

        folders = order.folders
        if folders is None or folders.is_seen():
            return Supervisor(self._pool, order, send, own.cancel, cards=own.cards).run()
        with ExitStack() as stack:
            try:
                reads = stack.enter_context(self._copy_of(folders, worker, tell, own.cancel))
            except StoppedError as stopped:
                return Ending(outcome=TrialOutcome.CANCELED, seconds=0.0, error=stopped.message)
            out = stack.enter_context(lend_out_folder(Path(worker.local_directory)))
            moves = {folders.reads: str(reads), folders.writes: str(out)}
            body = pickle.dumps((*pickle.loads(order.body), moves))
            moved = replace(order, body=body)
            ending = Supervisor(self._pool, moved, send, own.cancel, cards=own.cards).run()
            return replace(ending, files=read_files(out))

    def _copy_of(
        self, folders: TaskFolders, worker: Worker, tell: Callable[..., None], cancel: Cancel
    ) -> AbstractContextManager[Path]:
        courier = Courier(
            self._mailbox,
            lambda ask: tell(ask=ask),
            address=worker.address,
            shelf=folders.key,
            is_wanted=lambda: not cancel.is_set,
        )
        return self._mirror.folder(folders.key, courier.fetch, courier.check)


LARGEST_EVENT_BYTES = 64 << 10
"""Larger endings come as the task's result: a scheduler keeps the last events of a topic."""


def run_task(order: Order) -> bytes:
    """Run one task; this is what Dask schedules."""
    worker = get_worker()
    plugin = cast(TrialPlugin, worker.plugins[TrialPlugin.name])
    return plugin.run(order, worker, worker.get_current_task())
