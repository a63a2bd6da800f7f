"""Clusters with a process of their own (`nbautoml.compute.cluster`).

Here are those of this machine, and what they have in common with those whose nodes are elsewhere.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar  # Any: JSON values

import psutil

from nbautoml.compute.cluster_options import THIS_MACHINE, ClusterOptions, shape_of
from nbautoml.compute.cluster_state import (
    LOG,
    OPTIONS,
    ClusterState,
    read_options,
    read_state,
    write_options,
    write_state,
)
from nbautoml.compute.kinds._base import sdk_status
from nbautoml.compute.spec import ExecutorSpec
from nbautoml.domain.ports import Executor
from nbautoml.domain.records import ComputeRecord
from nbautoml.errors import ComputeError, ComputeTargetException
from nbautoml.store.detached import import_environment, start_detached
from nbautoml.store.session import Session

if TYPE_CHECKING:
    from nbautoml.compute.connection import Cluster

CLUSTER_MODULE = "nbautoml.compute.cluster"
CLUSTER = THIS_MACHINE
"""The type, as `ComputeTarget.type` has it."""
START_SECONDS = 60.0
"""How long a cluster's process may take until its scheduler listens here."""
LEAVING_SECONDS = 3.0
"""So long a cluster may take to notice that a run has left it."""
STOP_SECONDS = 10.0
"""How long it may take to end before it is killed."""
_LOG_LINES = 5
_LOCK = "start.lock"


class ClusterBackend:
    """A cluster of this machine in a process of its own, shared by runs and notebooks.

    Parameters
    ----------
    session : Session
        The workspace.
    record : ComputeRecord
        The target.
    """

    kind: ClassVar[str] = CLUSTER
    start_seconds: ClassVar[float] = START_SECONDS
    stop_seconds: ClassVar[float] = STOP_SECONDS
    keeps_after_death: ClassVar[bool] = False
    """Whether something stays elsewhere when the process is killed."""

    def __init__(self, session: Session, record: ComputeRecord) -> None:
        self._record = record
        self.folder = session.state_dir / "clusters" / record.name
        self._host = str(record.options.get("host", ""))
        self.options = ClusterOptions.from_dict(record.options["cluster"])

    @staticmethod
    def record_options(options: ClusterOptions) -> dict[str, Any]:
        """Return what is recorded of a cluster."""
        return {"cluster": options.to_dict(), "host": socket.gethostname()}

    def check_programs(self) -> None:
        """Look whether this machine has what the kind needs.

        Raises
        ------
        MissingExtraError
            When a package is missing; the message names the extra.
        ComputeTargetException
            When a program is missing.
        """

    def start(self) -> None:
        """Start the cluster's process, unless it is there.

        Raises
        ------
        ComputeTargetException
            When the cluster belongs to another machine, or a program is missing.
        MissingExtraError
            When a package is missing.
        """
        self._check_host()
        self.check_programs()
        write_options(self.folder, self.options)
        with _alone(self.folder):
            state = read_state(self.folder)
            if state is None or not state.is_alive or state.error:
                _launch(self.folder)

    def update(self) -> None:
        """Tell a cluster that runs of its changed options."""
        self._check_host()
        if read_options(self.folder) is not None:
            write_options(self.folder, self.options)

    def state(self) -> ClusterState | None:
        """Return how the process stands; None when there is none."""
        state = read_state(self.folder)
        return state if state is not None and (state.is_alive or state.error) else None

    def status(self) -> dict[str, Any]:
        """Return nodes, scale and what went wrong."""
        shape, state = shape_of(self.options), self.state()
        nodes = list(state.nodes) if state else []
        running = sum(node["state"] == "running" for node in nodes)
        provisioning, error = self._standing(state)
        found = sdk_status(
            n_nodes=len(nodes),
            n_wanted=state.n_wanted if state else 0,
            cores=shape.cores,
            memory_bytes=shape.memory_bytes,
            n_running=running,
            provisioning=provisioning,
            error=error,
            gpus=shape.gpus,
        )
        options = self.options
        return found | {
            "vmSize": options.vm_size,
            "vmPriority": options.vm_priority,
            "creationTime": _utc(self._record.created_at),
            "scaleSettings": {
                "minNodeCount": options.min_nodes,
                "maxNodeCount": options.max_nodes,
                "nodeIdleTimeBeforeScaleDown": f"PT{options.idle_seconds:g}S",
            },
            "maxNodeCountOfThisMachine": shape.max_nodes,
            "gpusAsked": options.asked_gpus,
            "address": state.address if state else "",
            "dashboard": state.dashboard if state else "",
            "isStarted": state is not None and not state.error,
        }

    def _standing(self, state: ClusterState | None) -> tuple[str, str]:
        """Return whether the cluster can be used, and what goes wrong if anything does."""
        if state is not None:
            if state.error:
                return "Failed", state.error
            return ("Succeeded" if state.is_ready else "Creating"), state.problem
        launched, before = self.folder / OPTIONS, read_state(self.folder)
        if (before is not None and before.address) or not launched.exists():
            return "Succeeded", ""  # it was there once: the next run starts it
        if time.time() - launched.stat().st_mtime < START_SECONDS:
            return "Creating", ""
        return "Failed", f"its process did not come up. The end of its log: {self._log()}"

    def nodes(self) -> list[dict[str, Any]]:
        """Return the nodes that work now."""
        state = self.state()
        return [dict(node) for node in state.nodes] if state else []

    def delete(self) -> None:
        """End the process and all that it started, and remove its folder.

        Raises
        ------
        ComputeTargetException
            When a run uses the cluster.
        """
        self._check_host()
        state = self._settled()
        if state is not None and state.is_ready and state.n_clients:
            raise ComputeTargetException(
                f"The compute target '{self._record.name}' cannot be deleted: "
                f"{state.n_clients} running {'run uses' if state.n_clients == 1 else 'runs use'} "
                "it. Wait for them, or cancel them."
            )
        if state is not None:
            _stop(state, self.stop_seconds)
        if self.keeps_after_death:
            self.end_left_over()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self) -> None:
        """End the process and its nodes, but keep the target: the next run starts it again.

        Raises
        ------
        ComputeTargetException
            When a run uses the cluster.
        """
        self.delete()

    def end_left_over(self) -> None:
        """End what a process that was killed has left on a service.

        Raises
        ------
        ComputeTargetException
            When that cannot be done now.
        """
        if read_options(self.folder) is None:
            return
        command = [sys.executable, "-m", CLUSTER_MODULE, "--end-left-over", str(self.folder)]
        ended = subprocess.run(command, env=import_environment(), capture_output=True, text=True)
        if ended.returncode:
            lines = ended.stderr.strip().splitlines() or [f"code {ended.returncode}"]
            raise ComputeTargetException(
                f"What the cluster '{self._record.name}' has left cannot be ended: {lines[-1]}"
            )

    def _settled(self) -> ClusterState | None:
        """Return a state from now on, in which nobody is who has just left the cluster."""
        asked, until = time.time(), time.monotonic() + LEAVING_SECONDS
        while (state := self.state()) and state.is_ready:
            is_free = state.written_at >= asked and not state.n_clients
            if is_free or time.monotonic() > until:
                break
            time.sleep(0.1)
        return state

    def executor(self, max_concurrent: int | None) -> Executor:
        """Return an executor that uses the cluster; it is started where it does not run."""
        from nbautoml.compute.executor import DaskExecutor

        self.start()
        shape = shape_of(self.options)
        slots = shape.n_slots if max_concurrent is None else min(max_concurrent, shape.n_slots)
        share = shape.memory_bytes // shape.cores
        spec = ExecutorSpec(
            n_workers=max(1, slots),
            threads_per_worker=1,
            memory_limit_bytes=share or None,
            n_gpus=min(slots, shape.n_gpus),
        )

        def use(_spec: ExecutorSpec) -> Cluster:
            self.start()  # it may have been lost since it was used before
            return self.workers(self.wait(lambda state: state.is_ready, self.start_seconds))

        return DaskExecutor(spec, use)

    def workers(self, state: ClusterState) -> Cluster:
        """Return what connects a run to the nodes."""
        from nbautoml.compute.attached import AttachedWorkers, SchedulerAddress

        return AttachedWorkers(SchedulerAddress(address=state.address))

    def wait(self, check: Callable[[ClusterState], bool], seconds: float) -> ClusterState:
        """Return the state once it is as it should be.

        Raises
        ------
        ComputeError
            When the process ended, or it takes longer.
        """
        until, begun = time.monotonic() + seconds, time.monotonic()
        while True:
            state = read_state(self.folder)
            if state is not None and state.error:
                raise ComputeError(f"The cluster '{self._record.name}' failed: {state.error}.")
            if state is not None and state.is_alive and check(state):
                return state
            has_started = time.monotonic() - begun > START_SECONDS / 2
            if time.monotonic() > until or (has_started and not (state and state.is_alive)):
                raise ComputeError(
                    f"The cluster '{self._record.name}' did not come up in "
                    f"{time.monotonic() - begun:.0f} s. The end of its log:\n{self._log()}"
                )
            time.sleep(0.1)

    def _log(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self.folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
            return "\n".join(lines[-_LOG_LINES:])
        return "(there is none)"

    def _check_host(self) -> None:
        if self._host and self._host != socket.gethostname():
            raise ComputeTargetException(
                f"The cluster '{self._record.name}' belongs to the machine {self._host}; this is "
                f"{socket.gethostname()}. Start one here under another name, or attach its "
                "scheduler by address."
            )


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(seconds))


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep others from starting the same cluster for the length of the block."""
    with (folder / _LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _launch(folder: Path) -> None:
    """Start the process of a cluster in a session of its own; returns at once."""
    env = import_environment()
    with (folder / LOG).open("ab") as log:
        pid = start_detached(CLUSTER_MODULE, str(folder), env=env, folder=folder, log=log)
    # Whoever looks next must see that there is a process, which takes a second to say so itself.
    with contextlib.suppress(psutil.NoSuchProcess):
        started_at = psutil.Process(pid).create_time()
        write_state(folder, ClusterState(pid=pid, started_at=started_at, written_at=time.time()))


def _stop(state: ClusterState, seconds: float) -> None:
    """End a cluster's process and all that descends from it."""
    if not state.is_alive:
        return
    root = psutil.Process(state.pid)
    tree = [root, *root.children(recursive=True)]
    with contextlib.suppress(psutil.NoSuchProcess):
        root.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(tree, timeout=seconds)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=STOP_SECONDS)
