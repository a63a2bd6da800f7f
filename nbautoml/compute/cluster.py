"""A cluster's own process: a Dask scheduler, and as many nodes as there is work for.

    python -m nbautoml.compute.cluster FOLDER
    python -m nbautoml.compute.cluster --end-left-over FOLDER

It belongs to no run and no notebook. It ends when its folder has no ``options.json`` any more, or
on SIGTERM. A node is a Dask worker that supervises trials in processes of their own; where nodes
are is told by `nbautoml.compute.nodes`. The second form ends what a process that was killed has
left on a service elsewhere.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import IO

from nbautoml.compute.cluster_options import ClusterOptions, shape_of
from nbautoml.compute.cluster_state import LOCK, ClusterState, read_options, write_state
from nbautoml.compute.nodes import (
    Demand,
    Look,
    Nodes,
    Setting,
    end_left_over,
    start_nodes,
)
from nbautoml.compute.scratch import ScratchFolder
from nbautoml.errors import NbAutoMLError
from nbautoml.store.reaper import this_process

LOOK_SECONDS = 0.5
"""How often work and options are looked at."""
WRITE_SECONDS = 1.0
"""The state is written at least this often: it is the heartbeat."""
LOCK_SECONDS = 2.0
"""So long a new process waits for an earlier one that is about to end."""
END_LEFT_OVER = "--end-left-over"

logger = logging.getLogger(__name__)


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
        with (self._folder / LOCK).open("wb") as lock:
            if not _take(lock):
                logger.info("the cluster has a process already")
                return 0
            return self._run(options)

    def _run(self, options: ClusterOptions) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._write(self._state)
        try:
            with ScratchFolder() as scratch:
                self._serve(options, scratch.path)
        except Exception as error:  # noqa: BLE001 - the border: whoever waits is told
            logger.exception("the cluster broke")
            self._write(replace(self._state, error=_sentence(error)))
            return 1
        return 0

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._stop.set()

    def _serve(self, asked: ClusterOptions, scratch: Path) -> None:
        shape = shape_of(asked)
        scale, n_nodes = Scale(cores=shape.cores, now=time.monotonic()), 0
        name = self._folder.name
        nodes = start_nodes(
            Setting(name=name, options=asked, shape=shape, folder=self._folder, scratch=scratch)
        )
        try:
            while not self._stop.is_set():
                options = read_options(self._folder)
                if options is None:
                    return
                look = nodes.look()
                most = min(shape_of(options).max_nodes, options.max_nodes)
                wanted = scale.wanted(options, look.demand, most=most, now=time.monotonic())
                if wanted != n_nodes:
                    logger.info("%d nodes, %d wanted: %s", n_nodes, wanted, look.demand)
                    n_nodes = wanted
                nodes.scale(wanted)
                self._tell(nodes, look, wanted)
                self._stop.wait(LOOK_SECONDS)
        finally:
            nodes.close()

    def _tell(self, nodes: Nodes, look: Look, wanted: int) -> None:
        now = time.time()
        state = replace(
            self._state,
            address=nodes.address,
            dashboard=nodes.dashboard,
            n_wanted=wanted,
            n_clients=look.demand.n_clients,
            nodes=look.nodes,
            problem=look.problem,
        )
        if state != self._state or now - self._state.written_at >= WRITE_SECONDS:
            self._write(replace(state, written_at=now))

    def _write(self, state: ClusterState) -> None:
        self._state = state
        with contextlib.suppress(FileNotFoundError):  # the workspace was removed
            write_state(self._folder, state)


def _take(lock: IO[bytes]) -> bool:
    """Take the lock of a cluster's folder, which one process has as long as it lives."""
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        else:
            return True


def _sentence(error: Exception) -> str:
    """Return what went wrong; what was raised on purpose says it itself."""
    if isinstance(error, NbAutoMLError):
        return error.message
    return f"{type(error).__name__}: {error}"


def main(arguments: list[str]) -> int:
    """Run the cluster of the folder that the command line names, or clean up after it."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    folder = Path(arguments[-1])
    if arguments[0] != END_LEFT_OVER:
        return ClusterProcess(folder).run()
    options = read_options(folder)
    if options is not None:
        end_left_over(options, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
